// What people do with the dashboard, in a real browser: without JavaScript, with the keyboard alone, and while things change.
// Prints one line for each; ends with the first that fails.
import { readFileSync } from 'node:fs';
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { chromium } from 'playwright-core';

const { BASE, NAME, OPERATOR, PASSWORD, API_KEY, TOKEN, WALLET, PAYEE, SAMPLE, CHART, CHROMIUM = '/usr/bin/chromium' } = process.env;
const { EMPTY, EMPTY_KEY, EMPTY_WALLET } = process.env;
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });

async function api(path, body, key = API_KEY) {
  const answer = await fetch(BASE + path, {
    method: body ? 'POST' : 'GET',
    headers: { 'Content-Type': 'application/json', ...(path.startsWith('/user') ? { Authorization: `Bearer ${TOKEN}` } : { 'X-API-Key': key }) },
    body: body && JSON.stringify(body),
  });
  ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

async function signIn(page, name = NAME) {
  await page.goto(`${BASE}/sign-in`);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${BASE}/`);
}

async function withoutJavaScript() {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await signIn(page);
  await page.getByRole('link', { name: 'USDTERC20' }).click();
  const figures = await page.locator('#history-table tbody tr td:nth-child(2) .amount').allTextContents();
  const told = await api('/user/balances/history/?currency=USDTERC20&period=7d&interval=daily');
  deepStrictEqual(figures.reverse(), told.history.map((row) => row.balance));
  const withdraw = async (amount) => {
    await page.goto(`${BASE}/dashboard/withdrawals/new?wallet=${WALLET}`);
    await page.locator('#currency').selectOption('USDTERC20');
    await page.locator('#amount').fill(amount);
    await page.getByLabel('To the address').fill(PAYEE);
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
    await page.waitForURL(/withdrawals\/[0-9a-f-]{36}/);
  };
  await withdraw('12.5');
  await page.getByRole('button', { name: 'Cancel the withdrawal' }).click();
  await page.getByText('Cancelled').waitFor();
  await withdraw('12.75');
  const url = page.url();
  await signOut(page);
  await signIn(page, OPERATOR);
  await page.goto(url);
  await page.getByRole('button', { name: 'Approve it' }).click();
  await page.getByText('Approved').waitFor();
  await page.context().close();
}

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(/sign-in/);
}

async function byKeyboard() {
  const page = await (await browser.newContext()).newPage();
  const reach = async (test) => {
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate((text) => {
        const at = document.activeElement;
        const box = at.getBoundingClientRect();
        const style = getComputedStyle(at);
        return { fits: at.id === text || at.getAttribute('href') === text || at.textContent.trim() === text, shown: box.width > 0 && (style.outlineStyle !== 'none' || at.matches('input, select')) };
      }, test);
      if (seen.fits) return ok(seen.shown, `${test} has the focus and does not show it`);
    }
    throw new Error(`${test} cannot be reached by keyboard`);
  };
  const enter = async (name) => {
    await page.goto(`${BASE}/sign-in`);
    strictEqual(await page.evaluate(() => document.activeElement.id), 'name');
    await page.keyboard.type(name);
    await reach('password');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${BASE}/`);
  };
  await enter(NAME);
  await reach('Withdrawals');
  await page.keyboard.press('Enter');
  await page.waitForURL(/withdrawals$/);
  await reach('New withdrawal');
  await page.keyboard.press('Enter');
  await page.waitForURL(/withdrawals\/new/);
  await reach('currency');
  await page.keyboard.type('USDT');
  await reach('amount');
  await page.keyboard.type('11.25');
  await reach('address');
  await page.keyboard.type(PAYEE);
  await page.keyboard.press('Enter');
  await page.getByText('Is this right?').waitFor();
  await reach('Withdraw');
  await page.keyboard.press('Enter');
  await page.waitForURL(/withdrawals\/[0-9a-f-]{36}/);
  const { pathname } = new URL(page.url());
  await reach('Sign out');
  await page.keyboard.press('Enter');
  await page.waitForURL(/sign-in/);
  await enter(OPERATOR);
  await reach('Withdrawals');
  await page.keyboard.press('Enter');
  await page.waitForURL(/withdrawals$/);
  await reach(pathname);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${BASE}${pathname}`);
  await reach('Approve it as it stands above');
  await page.keyboard.press('Enter');
  await page.getByText('Approved').waitFor();
  await page.context().close();
}

const pending = (page) => page.locator('[data-live="currencies"] tr', { hasText: 'USDTERC20' }).locator('td').nth(1).locator('.amount');

// Waits until the page says, or no longer says, that this much is pending; it is not loaded anew.
async function pendingIs(page, text, is = true) {
  await page.waitForFunction(([figure, wanted]) => {
    const row = [...document.querySelectorAll('[data-live="currencies"] tr')].find((one) => one.textContent.includes('USDTERC20'));
    return row && (row.querySelectorAll('td')[1].querySelector('.amount').textContent === figure) === wanted;
  }, [text, is], { timeout: 15_000 });
}

async function live() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page);
  await page.waitForLoadState('load');
  await page.waitForTimeout(500);
  const before = await pending(page).textContent();
  await page.evaluate(() => { globalThis.sameDocument = true; });
  await api('/sandbox/deposits', { wallet_id: WALLET, currency: 'USDTERC20', amount: '77' });
  await api('/sandbox/blocks', { count: 1 });
  await pendingIs(page, before, false);
  ok(await page.evaluate(() => globalThis.sameDocument), 'the page was loaded anew');
  strictEqual(await pending(page).textContent(), (await api('/user/balances/?currency=USDTERC20')).balances[0].pending_balance);
  strictEqual(await page.locator('#line').isVisible(), false);
  await context.setOffline(true);
  await page.locator('#line').waitFor({ state: 'visible', timeout: 30_000 });
  await context.setOffline(false);
  await page.locator('#line').waitFor({ state: 'hidden', timeout: 30_000 });
  await context.close();
}

async function deposit(amount, wallet = WALLET, key = API_KEY) {
  await api('/sandbox/deposits', { wallet_id: wallet, currency: 'USDTERC20', amount }, key);
  await api('/sandbox/blocks', { count: 1 }, key);
}

// What happens after the page was made and before its line is up; and while something before the server lets no line through.
async function nothingIsMissed() {
  const page = await (await browser.newContext()).newPage();
  let dial;
  const mayDial = new Promise((done) => { dial = done; });
  await page.route('**/dashboard/live*', async (route) => {
    await mayDial;
    await route.continue();
  });
  await signIn(page);
  const before = await pending(page).textContent();
  await deposit('3');
  dial();
  await pendingIs(page, before, false);
  await page.unroute('**/dashboard/live*');

  await page.route('**/dashboard/live*', (route) => route.fulfill({ status: 502, contentType: 'text/html', body: 'no' }));
  await page.reload();
  await page.locator('#line').waitFor({ state: 'visible' });
  const stale = await pending(page).textContent();
  await deposit('4');
  await pendingIs(page, stale, false);
  ok(await page.locator('#line').isVisible(), 'the line is down and nothing says so');
  await page.unroute('**/dashboard/live*');
  await page.locator('#line').waitFor({ state: 'hidden', timeout: 15_000 });
  await page.context().close();
}

async function theFirstDepositAppears() {
  const page = await (await browser.newContext()).newPage();
  await signIn(page, EMPTY);
  await page.getByText('Nothing has moved yet').waitFor();
  await page.waitForTimeout(500);
  await deposit('5', EMPTY_WALLET, EMPTY_KEY);
  await pendingIs(page, '5.000000');
  // Where somebody is with the keyboard he stays while the figures around him change.
  const link = page.getByRole('link', { name: 'USDTERC20' });
  await link.focus();
  await deposit('6', EMPTY_WALLET, EMPTY_KEY);
  await pendingIs(page, '11.000000');
  ok(await link.evaluate((one) => one === document.activeElement), 'the focus is lost');
  await page.context().close();
}

async function sampleOfTheDocumentation() {
  const page = await (await browser.newContext()).newPage();
  // The sample names the address of the documentation; it is led to this server, everything else stays as it is written.
  await page.route('https://api.cryptofuse.io/**', async (route) => {
    const url = new URL(route.request().url());
    const answer = await fetch(BASE + url.pathname + url.search, { headers: { Authorization: route.request().headers().authorization ?? '' } });
    const headers = { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'Authorization' };
    await route.fulfill({ status: answer.status, headers, body: await answer.text() });
  });
  await page.setContent('<canvas id="chart" width="800" height="400"></canvas>');
  await page.addScriptTag({ path: CHART });
  const drawn = await page.evaluate(async ([sample, token]) => {
    const make = new Function('accessToken', `${sample}\nreturn getBalanceChartData;`)(token);
    const data = await make('USDTERC20', '7d');
    const chart = new globalThis.Chart(document.getElementById('chart'), { type: 'line', data, options: { animation: false, responsive: false } });
    return { sets: chart.data.datasets.map((set) => set.label), last: data.datasets[0].data.at(-1), picture: chart.toBase64Image().length };
  }, [readFileSync(SAMPLE, 'utf8').replaceAll(/^export /gm, ''), TOKEN]);
  deepStrictEqual(drawn.sets, ['Balance', 'Deposits', 'Withdrawals']);
  strictEqual(drawn.last, Number((await api('/user/balances/?currency=USDTERC20')).balances[0].total_balance));
  ok(drawn.picture > 5_000, 'nothing is drawn');
  await page.context().close();
}

try {
  for (const run of [withoutJavaScript, byKeyboard, live, nothingIsMissed, theFirstDepositAppears, sampleOfTheDocumentation]) {
    await run();
    console.log(run.name);
  }
} finally {
  await browser.close();
}
