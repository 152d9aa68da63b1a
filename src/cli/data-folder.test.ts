import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { defaultDataFolder } from './data-folder.ts';

/** The folder as a user has it of whom no more is known than this. */
function folderOf(t: TestContext, uid: number, xdg?: string): string {
  const before = process.env['XDG_DATA_HOME'];
  t.after(() => {
    if (before === undefined) delete process.env['XDG_DATA_HOME'];
    else process.env['XDG_DATA_HOME'] = before;
  });
  if (xdg === undefined) delete process.env['XDG_DATA_HOME'];
  else process.env['XDG_DATA_HOME'] = xdg;
  t.mock.method(process as Required<Pick<NodeJS.Process, 'getuid'>>, 'getuid', () => uid);
  return defaultDataFolder('demo');
}

test('data lie in the user’s own data directory, or where XDG_DATA_HOME says', (t) => {
  assert.equal(folderOf(t, 1000), join(homedir(), '.local', 'share', 'gp2gp', 'demo'));
  assert.equal(folderOf(t, 1000, '/srv/data'), '/srv/data/gp2gp/demo');
});

test('for root they lie outside the home folder, which PostgreSQL’s own account cannot pass through', (t) => {
  assert.equal(folderOf(t, 0), '/var/lib/gp2gp/demo');
  assert.equal(folderOf(t, 0, '/srv/data'), '/srv/data/gp2gp/demo');
});
