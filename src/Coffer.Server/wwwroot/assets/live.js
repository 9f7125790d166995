// Keeps the page up to date: when the server says that something has changed, the page is asked for again and the parts marked with
// data-live are exchanged. The mark in the header shows while the line is down; the browser dials again by itself, from where it was.

const line = document.getElementById('line');
const slowest = 60_000;
const patience = 35_000;
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

// A line that went dead without a word is told by the beats that do not come.
let stream;
let heard;
let missing;

function hear() {
  heard = true;
  line.hidden = true;
  clearTimeout(missing);
  missing = setTimeout(() => { lost(); dial(); }, patience);
}

function lost() {
  line.hidden = false;
}

function dial() {
  stream?.close();
  stream = new EventSource('/dashboard/live');
  stream.addEventListener('open', () => {
    // Whatever happened while nobody listened is in the page that is asked for now.
    if (heard) soon();
    hear();
  });
  stream.addEventListener('beat', hear);
  stream.addEventListener('change', () => { hear(); soon(); });
  stream.addEventListener('error', lost);
}

if (document.querySelector('[data-live]')) {
  dial();
  addEventListener('offline', lost);
  addEventListener('online', dial);
  // What moves without an event, a price for instance, is seen a minute later at most.
  setInterval(() => { if (!document.hidden) soon(); }, slowest);
}
