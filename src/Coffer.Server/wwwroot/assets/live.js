// Keeps the page up to date: when the server says that something has changed, the page is asked for again and the parts marked with
// data-live are exchanged. The mark in the header shows while the line is down. Each line begins after the last event that the page
// knows, so nothing that happens between two lines, or before the first, is missed. A page that nobody looks at holds no line.

const line = document.getElementById('line');
const slowest = 60_000;
const patience = 35_000;
const pause = 5_000;
let last = line.dataset.after;
let over = false;
let stream;
let missing;
let waiting;

function soon(after = 150) {
  waiting ??= setTimeout(refresh, after);
}

async function refresh() {
  waiting = undefined;
  // Nobody asked for it: the server does not take it for a use of the session.
  const answer = await fetch(location.href, { headers: { Accept: 'text/html', 'Coffer-Refresh': '1' }, redirect: 'manual' }).catch(() => undefined);
  if (answer?.type === 'opaqueredirect') return end();
  if (!answer?.ok) {
    line.hidden = false;
    return soon(pause);
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  let changed = false;
  for (const part of document.querySelectorAll('[data-live]')) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (other && look(other) !== look(part)) {
      exchange(part, other);
      changed = true;
    }
  }
  if (changed) document.dispatchEvent(new Event('coffer:refreshed'));
}

// What people see of a part: the tokens of its forms are new in every page.
function look(part) {
  const copy = part.cloneNode(true);
  copy.querySelectorAll('input[type="hidden"]').forEach((one) => one.remove());
  copy.querySelectorAll('details').forEach((one) => { one.open = false; });
  return copy.innerHTML;
}

// The focus, what is unfolded and how far it is scrolled stay as they are.
function exchange(part, other) {
  const name = (one) => [one.tagName, one.closest('tr')?.cells[0].textContent, one.getAttribute('href') ?? one.ariaLabel].join('\n');
  const held = part.contains(document.activeElement) ? name(document.activeElement) : undefined;
  const unfolded = [...part.querySelectorAll('details[open]')].map(name);
  const places = [...part.querySelectorAll('.scroll')].map((one) => [one.scrollLeft, one.scrollTop]);
  part.replaceChildren(...other.childNodes);
  part.querySelectorAll('.scroll').forEach((one, i) => one.scrollTo(...(places[i] ?? [0, 0])));
  part.querySelectorAll('details').forEach((one) => { one.open = unfolded.includes(name(one)); });
  if (held) [...part.querySelectorAll('a, button, summary, [tabindex]')].find((one) => name(one) === held)?.focus({ preventScroll: true });
  part.classList.add('fresh');
  setTimeout(() => part.classList.remove('fresh'), 1500);
}

// A line that went dead without a word is told by the beats that do not come; whatever is amiss, pages may still be had.
function expect(within) {
  clearTimeout(missing);
  missing = setTimeout(() => {
    line.hidden = false;
    soon();
    dial();
  }, within);
}

function hear() {
  line.hidden = true;
  expect(patience);
}

function lost() {
  line.hidden = false;
  // Refused, not interrupted: the browser does not dial again by itself.
  if (stream?.readyState === EventSource.CLOSED) expect(pause);
}

function hang() {
  clearTimeout(missing);
  stream?.close();
}

function dial() {
  hang();
  if (over || document.hidden) return;
  expect(patience);
  stream = new EventSource(`/dashboard/live?after=${last}`);
  stream.addEventListener('open', hear);
  stream.addEventListener('beat', hear);
  stream.addEventListener('change', (event) => {
    last = event.lastEventId;
    hear();
    soon();
  });
  stream.addEventListener('error', lost);
}

function end() {
  over = true;
  hang();
  line.textContent = line.dataset.ended;
  line.hidden = false;
}

if (document.querySelector('[data-live]')) {
  dial();
  document.addEventListener('visibilitychange', dial);
  addEventListener('offline', lost);
  addEventListener('online', dial);
  // What moves without an event, a price for instance, is seen a minute later at most.
  setInterval(() => { if (!document.hidden && !over) soon(); }, slowest);
}
