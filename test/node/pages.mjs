// Opens the pages of the dashboard in a real browser as one user: each in both themes and two widths, with axe-core run over it.
// The console, the content security policy and the origin of every request are watched all the time. Prints one line for each page,
// and at the end what was wrong; keeps a picture of each in PICTURES.
import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { BASE, NAME, PASSWORD, PATHS, PICTURES, CHROMIUM = '/usr/bin/chromium' } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const wrong = [];
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
mkdirSync(PICTURES, { recursive: true });

async function look(page, name) {
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
    return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) found.push(`the page is ${wide} px wider than the window`);
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
  wrong.push(...found.map((one) => `${name}: ${one}`));
}

try {
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 900 } });
    // A test's tool, not the page: it comes past the policy, which stays on for everything else.
    await context.addInitScript(axe);
    const page = await context.newPage();
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => wrong.push(`script: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(BASE)) wrong.push(`asks elsewhere: ${url}`);
      if (url.endsWith('/csp-report')) wrong.push(`policy: ${request.postData()}`);
    });
    page.on('response', (answer) => answer.status() >= 400 && wrong.push(`${answer.status()}: ${answer.url()}`));
    await page.goto(`${BASE}/sign-in`);
    await look(page, `sign-in-${colorScheme}-1280`);
    await page.getByLabel('Name').fill(NAME);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${BASE}/`);
    for (const path of JSON.parse(PATHS)) {
      for (const width of [1280, 320]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(BASE + path, { waitUntil: 'load' });
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        const name = path === '/' ? 'overview' : path.replace('/dashboard/', '').replaceAll(/[^\w]+/g, '-').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'one');
        await look(page, `${name}-${colorScheme}-${width}`);
      }
      console.log(`${colorScheme} ${path} ${await page.locator('h1').textContent()}`);
    }
    await context.close();
  }
} finally {
  await browser.close();
}

if (wrong.length > 0) {
  console.error([...new Set(wrong)].join('\n'));
  process.exit(1);
}
