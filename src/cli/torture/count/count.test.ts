import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClean, recount } from './count.ts';
import { CLEAN, FILED, goodRun, HURT, inFolder, rows, withoutEntry } from './testing.ts';

const counted = (files: Record<string, unknown>) => inFolder(files, recount);

test('a run in which all is well is clean', async () => {
  const { line, findings } = await counted(goodRun());
  assert.deepEqual(findings, []);
  assert.deepEqual(line, CLEAN);
  assert.ok(isClean(line));
});

for (const [what, kind, hurt] of HURT) {
  test(`${what} is ${kind}`, async () => {
    const files = structuredClone(goodRun());
    hurt(files);
    const { line } = await counted(files);
    assert.equal(line[kind], 1);
    assert.equal(line.integrated, 0);
    assert.ok(!isClean(line));
  });
}

test('an entry that the report explains is not lost', async () => {
  const files = structuredClone(goodRun());
  withoutEntry(files, 'AllergyIntolerance');
  files[`${FILED}/report.json`] = { issues: [{ code: 'statement.notCarried' }] };
  assert.deepEqual((await counted(files)).line, CLEAN);
});

test('a rejection counts only where it was meant, and where both sides give it the same code', async () => {
  const files = structuredClone(goodRun());
  const plan = files['plan.json'] as { transfers: { ends: string[] }[] };
  Object.assign(rows(files, 'database/south/transfers.jsonl')[0] ?? {}, { body: { outcome: { kind: 'refusedBySender', code: '06' } } });
  Object.assign(rows(files, 'database/north/transfers.jsonl')[0] ?? {}, { body: { outcome: { kind: 'refusedByUs', code: '06' } } });
  delete files[`${FILED}/filed.json`];
  assert.equal((await counted(files)).line.rejectedAsDesigned, 0);
  plan.transfers[0]?.ends.push('refusedBySender 06');
  assert.equal((await counted(files)).line.rejectedAsDesigned, 1);
  Object.assign(rows(files, 'database/north/transfers.jsonl')[0] ?? {}, { body: { outcome: { kind: 'refusedByUs', code: '19' } } });
  assert.equal((await counted(files)).line.rejectedAsDesigned, 0);
});

test('a folder that is no evidence is named', async () => {
  await assert.rejects(recount('/nowhere/at/all'), /plan\.json cannot be read/);
});
