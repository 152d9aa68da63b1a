/** A stranger counts: a script that shares no code with this program has to come to the same line, and to find whatever is wrong. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { recount } from './count.ts';
import { CLEAN, goodRun, HURT, inFolder, noPython, STRANGER, strangersCount } from './testing.ts';

const skip = noPython() ?? false;

test('the stranger finds nothing wrong with a run in which all is well', { skip }, async () => {
  const { line, status, said } = await inFolder(goodRun(), async (folder) => strangersCount(folder));
  assert.equal(said, '');
  assert.deepEqual(line, CLEAN);
  assert.equal(status, 0);
});

for (const [what, kind, hurt] of HURT) {
  test(`the stranger finds ${what}, and counts it as this program does`, { skip }, async () => {
    const files = structuredClone(goodRun());
    hurt(files);
    const [own, stranger] = await inFolder(files, async (folder) => [await recount(folder), strangersCount(folder)] as const);
    assert.equal(stranger.line?.[kind], 1, stranger.said);
    assert.deepEqual(stranger.line, own.line);
    assert.equal(stranger.status, 1);
  });
}

test('the stranger misses a message that was filed and that the hub never carried', { skip }, async () => {
  const files = goodRun();
  files['ledger.jsonl'] = (files['ledger.jsonl'] as { messageId: string }[]).filter(({ messageId }) => messageId !== 'M-ANSWER');
  const { line, said } = await inFolder(files, async (folder) => strangersCount(folder));
  assert.equal(line?.lost, 1);
  assert.match(said, /never carried MCCI_IN010000UK13/);
});

test('the stranger says when a folder is no evidence', { skip }, () => {
  assert.equal(strangersCount('/nowhere/at/all').status, 2);
});

test('the stranger needs nothing but Python itself', { skip }, () => {
  // -I: no packages of the user, no environment; -S: none of the site.
  assert.equal(spawnSync('python3', ['-I', '-S', STRANGER], { encoding: 'utf8' }).status, 2);
});
