// Draws the history table as a chart: the balance as a line, deposits upwards and withdrawals downwards as bars; or what it was worth in
// US dollars as a line, with gaps where there was no price.
// The table is what counts: names and figures are shown as the table's own text; numbers are made of them for the places of points only.

const table = document.getElementById('history-table');
const canvas = document.getElementById('chart');

function colour(name) {
  // light-dark() is resolved by the style of an element, not by reading the property.
  canvas.style.color = `var(--${name})`;
  const resolved = getComputedStyle(canvas).color;
  canvas.style.color = '';
  return resolved;
}

const inUsd = table?.dataset.currency === 'USD';
const columns = inUsd ? [4] : [1, 2, 3];

function read() {
  // The newest is on top.
  const rows = [...table.tBodies[0].rows].reverse().map((row) => {
    const cells = [...row.cells];
    return { time: cells[0].textContent.trim(), texts: columns.map((i) => cells[i].querySelector('.amount')?.textContent) };
  });
  return {
    labels: rows.map((row) => row.time.slice(5)),
    times: rows.map((row) => row.time),
    texts: columns.map((_, i) => rows.map((row) => row.texts[i])),
  };
}

function settings() {
  const data = read();
  const [text, edge] = [colour('soft'), colour('edge')];
  const places = (i, sign = 1) => data.texts[i].map((figure) => (figure === undefined ? null : sign * Number(figure)));
  const line = { data: places(0), borderColor: colour('balance'), backgroundColor: colour('balance'), tension: 0.1, type: 'line', pointRadius: data.labels.length > 60 ? 0 : 3 };
  return {
    data: {
      labels: data.labels,
      datasets: inUsd ? [{ label: 'Value', ...line }] : [
        { label: 'Balance', ...line },
        { label: 'Deposits', data: places(1), backgroundColor: colour('deposits'), type: 'bar' },
        { label: 'Withdrawals', data: places(2, -1), backgroundColor: colour('withdrawals'), type: 'bar' },
      ],
    },
    options: {
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: { stacked: true, title: { display: true, text: 'Time (UTC)', color: text }, ticks: { color: text, maxTicksLimit: 12 }, grid: { display: false } },
        y: { title: { display: true, text: table.dataset.currency, color: text }, ticks: { color: text }, grid: { color: edge } },
      },
      plugins: {
        legend: { labels: { color: text } },
        tooltip: {
          callbacks: {
            title: ([item]) => `${data.times[item.dataIndex]} UTC`,
            label: (item) => `${item.dataset.label}: ${data.texts[item.datasetIndex][item.dataIndex]}`,
          },
        },
      },
    },
  };
}

let chart;
export function draw() {
  chart?.destroy();
  chart = new globalThis.Chart(canvas, settings());
}

if (table && canvas) {
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  document.addEventListener('coffer:refreshed', draw);
}
