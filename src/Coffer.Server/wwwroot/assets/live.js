// Keeps the page up to date: when the server says that something has changed, the page is asked for again and the parts marked with
// data-live are exchanged. The mark in the header shows while the line is down; the browser dials again by itself, from where it was.

const line = document.getElementById('line');
const slowest = 60_000;
let waiting;

async function refresh() {
  waiting = undefined;
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, redirect: 'manual' });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!other || other.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    part.replaceChildren(...other.childNodes);
    part.classList.add('fresh');
    setTimeout(() => part.classList.remove('fresh'), 1500);
  }
  document.dispatchEvent(new Event('coffer:refreshed'));
}

function soon() {
  waiting ??= setTimeout(refresh, 150);
}

if (document.querySelector('[data-live]')) {
  const stream = new EventSource('/dashboard/live');
  stream.addEventListener('change', soon);
  stream.addEventListener('open', () => { line.hidden = true; });
  stream.addEventListener('error', () => { line.hidden = false; });
  // What moves without an event, a price for instance, is seen a minute later at most.
  setInterval(() => { if (!document.hidden) soon(); }, slowest);
}
