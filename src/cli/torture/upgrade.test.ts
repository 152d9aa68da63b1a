/** A rolling upgrade with a change of the schema, while records move: two nodes on each side, one restarted after the other. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { cast, SIDES, type Side } from '../demo/cast.ts';
import { ask } from '../demo/moves.ts';
import { syntheticMovers } from '../demo/patient.ts';
import { startWorld, type World } from '../demo/world.ts';

const TRANSFERS = 10;
const LIMIT_MS = 150_000;

test('nodes are upgraded one by one while records move: all arrive, and an older node is refused afterwards', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-upgrade-'));
  const practices = cast(2);
  const [from, to] = practices;
  assert.ok(from && to);
  const movers = syntheticMovers({ seed: 700, transfers: TRANSFERS, documents: 3, documentBytes: 300_000 }, [from]);
  const world = await startWorld({
    folder,
    practices: 2,
    nodesPerSide: 2,
    people: movers.flatMap(({ person }) => (person ? [{ ...person, practice: { ods: from.ods, start: '2010-01-01' } }] : [])),
    documentBytes: 300_000,
    nodeProgram: join(import.meta.dirname, 'previous-node.ts'),
    // Work of a node that was stopped hard is free again soon.
    nodeSettings: { work: { leaseSeconds: 3 } },
    contract: { retries: 3, retryInterval: 'PT1S' },
  });
  try {
    const [before] = await schemas(world);
    for (const { nhsNumber, record } of movers) {
      const file = join(folder, `record-${nhsNumber}.json`);
      await writeFile(file, record ?? '');
      await ask(`${world.systemUrl.north}/control/records`, {
        method: 'POST',
        body: JSON.stringify({ ods: from.ods, file, documentBytes: 300_000 }),
      });
    }
    const register = (some: typeof movers) =>
      Promise.all(
        some.map(({ nhsNumber }) =>
          ask(`${world.systemUrl.south}/control/register`, { method: 'POST', body: JSON.stringify({ ods: to.ods, nhsNumber }) }),
        ),
      );
    await register(movers.slice(0, TRANSFERS / 2));
    // The first node of each side joins as it is now and changes the schema under the other, which runs on.
    for (const number of [1, 2]) {
      for (const side of SIDES) await upgrade(world, side, `${side}-${number}`);
      if (number === 1) {
        const now = await schemas(world);
        assert.deepEqual(now, [(before ?? 0) + 1, (before ?? 0) + 1]);
        await register(movers.slice(TRANSFERS / 2));
        // While nodes of both versions are there, both work.
        await sleep(1_500);
      }
    }
    await allEnded(world, TRANSFERS);

    await rm(join(folder, 'north', 'upgraded-north-1'));
    await world.programs.get('north-1')?.stop();
    await assert.rejects(world.restart('north-1'), new RegExp(`is at ${(before ?? 0) + 1}; this program knows up to ${before}`));
  } finally {
    await world.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

async function upgrade(world: World, side: Side, name: string): Promise<void> {
  await world.programs.get(name)?.stop();
  await writeFile(join(world.folder, side, `upgraded-${name}`), '');
  await world.restart(name);
}

async function onSide<Row extends object>(world: World, side: Side, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: world.databaseUrls[side] });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

async function schemas(world: World): Promise<number[]> {
  return await Promise.all(
    SIDES.map(async (side) => {
      const [row] = await onSide<{ newest: number }>(world, side, `select max(number) as newest from migrations where name = 'node'`);
      return row?.newest ?? 0;
    }),
  );
}

/** Every transfer has ended well on both sides, once, and nothing was put aside. */
async function allEnded(world: World, count: number): Promise<void> {
  const began = Date.now();
  for (;;) {
    const sides = await Promise.all(
      SIDES.map((side) =>
        onSide<{ outcome: string | null; transfers: string }>(
          world,
          side,
          `select case when state = 'ended' then outcome else state end as outcome, count(*) as transfers from transfers group by 1`,
        ),
      ),
    );
    const [north, south] = sides.map((rows) => Object.fromEntries(rows.map(({ outcome, transfers }) => [outcome, Number(transfers)])));
    if (north?.['acknowledged'] === count && south?.['integrated'] === count) break;
    assert.ok(Date.now() - began < LIMIT_MS, `not all have ended: ${JSON.stringify({ north, south })}`);
    await sleep(200);
  }
  for (const side of SIDES)
    assert.deepEqual(
      await onSide(world, side, 'select name, fault from outbox where dead_at is not null'),
      [],
      `dead letters in the ${side}`,
    );
}
