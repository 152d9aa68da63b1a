import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isClean } from './count/count.ts';
import { noPython, strangersCount } from './count/testing.ts';
import { type TortureOptions, torture } from './run.ts';

async function run(options: Pick<TortureOptions, 'transfers' | 'kills' | 'seed'> & Partial<TortureOptions>) {
  const keep = await mkdtemp(join(tmpdir(), 'gp2gp-torture-'));
  const said: string[] = [];
  try {
    const count = await torture({ nodesPerSide: 1, keep, say: (line) => said.push(line), ...options });
    assert.ok(count);
    return { ...count, said, stranger: noPython() === null ? strangersCount(keep) : null };
  } finally {
    await rm(keep, { recursive: true, force: true });
  }
}

// Side by side: both wait more than they work.
describe('the fault test', { concurrency: true, timeout: 300_000 }, () => {
  test('nothing is lost when nodes, hub, systems and database are killed, stand still and refuse while records move', async () => {
    const { line, findings, said, stranger } = await run({ transfers: 6, kills: 4, troubles: 2, seed: 1 });
    assert.ok(isClean(line), [...said, ...findings.map(({ text }) => text)].join('\n'));
    assert.equal(line.kills, 4);
    assert.ok(line.rejectedAsDesigned > 0);
    if (stranger) assert.deepEqual(stranger, { line, status: 0, said: '' });
  });

  test('a node that acknowledges before it has kept the message is found out', async () => {
    const faulty = { nodeProgram: join(import.meta.dirname, 'faulty-node.ts'), patienceMs: 7_000 };
    const { line, said } = await run({ transfers: 6, kills: 4, seed: 1, targets: 'nodes', ...faulty });
    assert.ok(line.lost > 0, said.join('\n'));
  });
});
