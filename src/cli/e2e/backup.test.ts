/** A practice's node dies with its disk while records move; its backup goes on in its place. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { type EmbeddedServer, startEmbedded } from '../../database/embedded.ts';
import { keepBackingUp } from '../../service/backup/testing.ts';
import { ask } from '../demo/moves.ts';
import { startTestWorld, until } from './testing.ts';

type Row = {
  readonly id: string;
  readonly conversation: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly tasks: string;
};
type Said = {
  readonly list: readonly { readonly id: string; readonly who: string; readonly why: string }[];
  readonly missing: readonly unknown[];
};

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'gp2gp.ts');
const gp2gp = (...argv: string[]) => spawnSync(process.execPath, [BIN, ...argv], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

async function rowsAt(url: string): Promise<Map<string, Row>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(`
      select id, conversation_id as conversation, state, outcome,
        coalesce((select string_agg(task, ' ') from tasks where tasks.transfer = transfers.id and closed_at is null), '') as tasks
      from transfers`);
    return new Map(rows.map((row) => [row.conversation, row]));
  } finally {
    await client.end();
  }
}

test('a node that dies with its disk goes on from its backup: what came since and was lost is named, nothing is filed twice', {
  timeout: 240_000,
}, async () => {
  const stories = Object.fromEntries(
    ['before', 'one', 'two', 'three', 'after'].map((name, i) => [name, { seed: 900 + i, from: 0, to: 1, documents: [20_000, 30_000] }]),
  );
  const ways = await startTestWorld(stories, {
    practices: 2,
    nodeSettings: { work: { leaseSeconds: 3 } },
    // Each record is on its way for a while.
    hubFaults: ['RCMR_IN030000UK06', 'RCMR_IN030000UK07'].map((interaction) => ({ fault: 'latency', ms: 6_000, match: { interaction } })),
  });
  const { world, folder } = ways;
  let restoredServer: EmbeddedServer | null = null;
  const backups: { stop(): Promise<unknown> }[] = [];
  const register = async (name: string): Promise<string> => {
    const { move } = ways.told(name);
    const body = JSON.stringify({ ods: move.to.ods, nhsNumber: move.nhsNumber });
    return ((await ask(`${world.systemUrl[move.to.side]}/control/register`, { method: 'POST', body })) as { conversationId: string })
      .conversationId;
  };
  try {
    for (const name of Object.keys(stories)) await ways.give(name);
    const side = ways.told('one').move.to.side;
    const [node = ''] = world.nodeNames[side];
    const live = world.databaseUrls[side];
    const into = join(folder, 'backup');
    const running = keepBackingUp({ server: { ...world.database, url: live }, data: join(folder, side) }, into);
    backups.push(running);
    const done = await register('before');
    await until('the first record is filed', async () => (await rowsAt(live)).get(done)?.outcome === 'integrated');
    const lost = await Promise.all(['one', 'two', 'three'].map(register));
    await until('three records are asked for', async () => {
      const rows = await rowsAt(live);
      return lost.every((conversation) => rows.get(conversation)?.state === 'waitingForExtract');
    });
    await running.caughtUp();
    await running.stop();
    // They come, are acknowledged and filed; then the disk is gone, and the backup knows nothing of it.
    await until('three records are filed', async () => {
      const rows = await rowsAt(live);
      return lost.every((conversation) => rows.get(conversation)?.outcome === 'integrated');
    });
    world.programs.get(node)?.kill('SIGKILL');
    await world.programs.get(node)?.ended;

    const verified = gp2gp('store', 'verify', '--from', into, '--scratch', folder);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /^good: \d+ log segments, \d+ objects, 4 transfers; the database was back after/m);
    const to = join(folder, 'restored');
    const restored = gp2gp('store', 'restore', '--from', into, '--to', to, '--json');
    assert.equal(restored.status, 0, restored.stderr);
    const said = JSON.parse(restored.stdout.trim().split('\n').at(-1) ?? '') as Said;
    assert.deepEqual(said.missing, []);

    restoredServer = await startEmbedded(join(to, 'database'), { database: side, maxConnections: 60 });
    const file = join(folder, 'configuration', `${node}.yaml`);
    const config = parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, stringify({ ...config, database: { url: restoredServer.url }, objects: { folder: join(to, 'objects') } }));
    const rows = await rowsAt(restoredServer.url);
    const waiting = lost.filter((conversation) => ['waitingForExtract', 'collecting'].includes(rows.get(conversation)?.state ?? ''));
    assert.ok(waiting.length > 0, 'the backup ended while records were on their way');
    const named = said.list.map(({ id }) => id).sort();
    assert.deepEqual(
      named,
      waiting.map((conversation) => rows.get(conversation)?.id).sort(),
      'who waited for a record is named, nobody else',
    );
    await world.restart(node);
    const more = await register('after');
    const url = restoredServer.url;
    await until('the next record is filed', async () => (await rowsAt(url)).get(more)?.outcome === 'integrated');
    // Whose record was there goes on by itself.
    const whole = lost.filter((conversation) => !waiting.includes(conversation));
    await until('what was there is filed', async () => {
      const found = await rowsAt(url);
      return whole.every((conversation) => found.get(conversation)?.outcome === 'integrated');
    });
    const now = await rowsAt(url);
    assert.equal(now.get(done)?.outcome, 'integrated');
    for (const conversation of lost) {
      const row = now.get(conversation);
      assert.ok(
        row?.outcome === 'integrated' || row?.tasks.includes('recordMayBeLost'),
        `${conversation} is neither filed nor listed: ${JSON.stringify(row)}`,
      );
    }
    const { filed } = (await ask(`${world.systemUrl[side]}/control/state`)) as {
      filed: readonly { readonly conversationId?: string; readonly transferId: string }[];
    };
    const ids = filed.map(({ transferId }) => transferId);
    assert.equal(new Set(ids).size, ids.length, 'nothing is filed twice');
  } finally {
    await Promise.allSettled(backups.map((each) => each.stop()));
    await ways.world.stop();
    await restoredServer?.stop();
    await ways.end();
  }
});

test('a restore by command says in one line what is wrong with what it was given', async () => {
  const none = gp2gp('store', 'restore', '--from', '/nowhere/at/all', '--to', '/nowhere/else');
  assert.equal(none.status, 1);
  assert.match(none.stderr, /there is no folder .*\n.*gp2gp store backup/);
  const moment = gp2gp('store', 'restore', '--from', 'x', '--to', 'y', '--at', 'yesterday');
  assert.equal(moment.status, 2);
  assert.match(moment.stderr, /a time with its zone/);
});
