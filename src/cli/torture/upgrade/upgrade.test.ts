import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { percentile } from './traffic.ts';
import { isCleanUpgrade, upgrade } from './upgrade.ts';

test('nodes are upgraded one by one while records move and messages come: none is refused, all arrive, and there is no way back', {
  timeout: 300_000,
}, async () => {
  const keep = await mkdtemp(join(tmpdir(), 'gp2gp-upgrade-'));
  const said: string[] = [];
  try {
    const upgraded = await upgrade({
      running: 6,
      perSecond: 4,
      seed: 7,
      holdMs: 5_000,
      pauseMs: 500,
      drainSeconds: 1,
      keep,
      say: (line) => said.push(line),
    });
    assert.ok(upgraded);
    const { line, findings, downgradeSaid } = upgraded;
    assert.ok(isCleanUpgrade(line), [JSON.stringify(line), ...findings, ...said].join('\n'));
    assert.ok(line.fewestRunning >= 6, JSON.stringify(line));
    assert.ok(line.messages > 50, JSON.stringify(line));
    const [before, after] = line.schema;
    assert.equal(after, before + 1);
    assert.match(downgradeSaid, new RegExp(`the database's schema "node" is at ${after}; this program knows up to ${before}`));
  } finally {
    await rm(keep, { recursive: true, force: true });
  }
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  assert.deepEqual([percentile(values, 99), percentile(values, 50), percentile([5], 99), percentile([], 99)], [198, 100, 5, 0]);
});
