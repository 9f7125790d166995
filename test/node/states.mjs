// What people see when something is not there, refused, slow, cut off or over: each is designed, in both themes, wide and narrow.
import { deepStrictEqual } from 'node:assert';
import { inBothThemes } from './look.mjs';

const { BASE, NAME } = process.env;

await inBothThemes(async (looker) => {
  const { page } = looker;
  await looker.signIn(NAME);
  looker.quiet = true;

  await page.goto(`${BASE}/dashboard/currencies/NONE`);
  await page.getByText('name the request').waitFor();
  await looker.lookTwice('state-not-found');

  await page.goto(`${BASE}/dashboard/alerts`);
  await page.getByLabel('Threshold').fill('a lot');
  await page.getByRole('button', { name: 'Make the alert' }).click();
  await page.getByRole('alert').waitFor();
  await looker.lookTwice('state-refused');

  // The answer takes its time, here for ever: the button says that the form is on its way, and a second click sends nothing.
  await page.goto(`${BASE}/dashboard/withdrawals`);
  const sent = await page.evaluate(() => {
    let count = 0;
    addEventListener('submit', (event) => {
      if (!event.defaultPrevented) count++;
      event.preventDefault();
    });
    const button = document.querySelector('form[action="/dashboard/look"] button');
    button.click();
    button.click();
    return [count, button.getAttribute('aria-busy')];
  });
  deepStrictEqual(sent, [1, 'true']);
  await looker.lookTwice('state-busy');

  await page.getByText('Menu').click();
  await page.getByRole('navigation').getByRole('link', { name: 'Wallets' }).waitFor();
  await looker.look('state-menu', 320);

  const opened = page.waitForResponse((answer) => answer.url().includes('/dashboard/live'));
  await page.goto(`${BASE}/`);
  await opened;
  await page.waitForTimeout(500);
  await looker.context.setOffline(true);
  await page.locator('#line').waitFor({ state: 'visible' });
  await looker.lookTwice('state-line-down');
  await looker.context.setOffline(false);
  await page.locator('#line').waitFor({ state: 'hidden', timeout: 30_000 });

  // The session ends in another window.
  const other = await looker.context.newPage();
  await other.goto(`${BASE}/`);
  await other.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Your session has ended').waitFor({ timeout: 30_000 });
  await looker.lookTwice('state-session-over');
});
