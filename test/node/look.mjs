// A browser that looks at pages: axe-core, the width and a picture of each; the console, the content security policy, the origin and the
// weight of everything that is loaded are watched all the time. What is wrong is collected and told at the end.
import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { BASE, PASSWORD, PICTURES, CHROMIUM = '/usr/bin/chromium' } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

// Bytes of a page with everything that it loads, as they come over the line: compressed, nothing of it at hand from an earlier page.
const weightMax = 150_000;
const wrong = [];
mkdirSync(PICTURES, { recursive: true });

/** Runs what looks at pages, once for each theme, and ends with everything that was found wrong. */
export async function inBothThemes(run) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    for (const colorScheme of ['light', 'dark']) await run(await Looker.start(browser, colorScheme), colorScheme);
  } finally {
    await browser.close();
  }
  if (wrong.length > 0) {
    console.error([...new Set(wrong)].join('\n'));
    process.exit(1);
  }
}

class Looker {
  // While something is made to fail, its failures are no finding.
  quiet = false;

  static async start(browser, theme) {
    const self = new Looker();
    self.theme = theme;
    self.context = await browser.newContext({ colorScheme: theme, viewport: { width: 1280, height: 900 } });
    // A test's tool, not the page: it comes past the policy, which stays on for everything else.
    await self.context.addInitScript(axe);
    await self.another();
    return self;
  }

  async another() {
    const page = await this.context.newPage();
    this.page = page;
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && this.found(`console: ${message.text()}`));
    page.on('pageerror', (error) => wrong.push(`script: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(BASE)) wrong.push(`asks elsewhere: ${url}`);
      if (url.endsWith('/csp-report')) wrong.push(`policy: ${request.postData()}`);
    });
    page.on('response', (answer) => answer.status() >= 400 && this.found(`${answer.status()}: ${answer.url()}`));
    const line = await this.context.newCDPSession(page);
    await line.send('Network.enable');
    await line.send('Network.setCacheDisabled', { cacheDisabled: true });
    line.on('Network.loadingFinished', ({ encodedDataLength }) => { this.bytes += encodedDataLength; });
  }

  found(text) {
    if (!this.quiet) wrong.push(text);
  }

  async signIn(name) {
    await this.context.clearCookies();
    await this.page.goto(`${BASE}/sign-in`);
    await this.look('sign-in', 1280);
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Password').fill(PASSWORD);
    await this.page.keyboard.press('Enter');
    await this.page.waitForURL(`${BASE}/`);
  }

  /** Opens a page wide and narrow, and weighs it. */
  async open(path, name) {
    for (const width of [1280, 320]) {
      await this.page.setViewportSize({ width, height: 900 });
      this.bytes = 0;
      await this.page.goto(BASE + path, { waitUntil: 'load' });
      await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      if (this.bytes > weightMax || this.bytes === 0) wrong.push(`${path}: ${this.bytes} bytes`);
      await this.look(name, width);
    }
    console.log(`${this.theme} ${path} ${await this.page.locator('h1').textContent()}: ${this.bytes} bytes`);
  }

  /** The page as it stands, wide and narrow. */
  async lookTwice(name) {
    for (const width of [1280, 320]) {
      await this.page.setViewportSize({ width, height: 900 });
      await this.look(name, width);
    }
    console.log(`${this.theme} ${name}`);
  }

  async look(name, width) {
    await this.page.waitForLoadState('load');
    const found = await this.page.evaluate(async (runOnly) => {
      const result = await globalThis.axe.run(document, { runOnly });
      return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
    }, rules);
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) found.push(`the page is ${wide} px wider than the window`);
    const picture = `${name}-${this.theme}-${width}`;
    await this.page.screenshot({ path: `${PICTURES}/${picture}.png`, fullPage: true });
    wrong.push(...found.map((one) => `${picture}: ${one}`));
  }
}
