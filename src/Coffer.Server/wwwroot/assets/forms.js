// A form that is on its way says so, and is not sent a second time.

document.addEventListener('submit', (event) => {
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = 'true';
  event.submitter?.setAttribute('aria-busy', 'true');
});

// The same page again, by the browser's back button.
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) {
    delete form.dataset.sent;
    form.querySelector('[aria-busy]')?.removeAttribute('aria-busy');
  }
});
