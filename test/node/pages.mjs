// Opens every page of the dashboard as each of some users, in both themes, wide and narrow (look.mjs says what is watched).
// Prints one line for each page; keeps a picture of each in PICTURES.
import { inBothThemes } from './look.mjs';

/** @type {{ name: string, prefix: string, paths: string[] }[]} */
const users = JSON.parse(process.env.USERS);

function called(path) {
  return path === '/' ? 'overview' : path.replace('/dashboard/', '').replaceAll(/[^\w]+/g, '-').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'one');
}

await inBothThemes(async (looker) => {
  for (const { name, prefix, paths } of users) {
    await looker.signIn(name);
    for (const path of paths) await looker.open(path, prefix + called(path));
  }
});
