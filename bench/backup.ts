/**
 * What a backup costs on the day: a node's store of 10,000 transfers and 2 GB of objects is followed by `gp2gp store backup` while 20
 * transfers a second are committed, then the database and the backup are killed at one moment and the node's disk is gone. The figures are
 * how much of what was acknowledged is lost, in seconds before that moment, and how long it takes until everything is back.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { restore } from '../src/service/backup/restore.ts';
import { commitTransfer, openPlace, type Place, place } from '../src/service/backup/testing.ts';
import { median, peakRss, print } from './figure.ts';

const TRANSFERS = 10_000;
const OBJECT_BYTES = 200_000;
/** Entries of a transfer that went its whole way. */
const ENTRIES = 12;
const PER_SECOND = 20;
const WRITING_MS = 20_000;
const WHOLE_MS = 600_000;

const here = await place();
try {
  await fill(here);
  const into = join(here.folder, 'backup');
  const config = join(here.folder, 'node.json');
  const nowhere = 'http://127.0.0.1:9';
  await writeFile(
    config,
    JSON.stringify({
      data: here.data,
      adaptor: { url: nowhere, brokers: 'amqp://127.0.0.1:9', queue: 'inbound' },
      spine: {},
      sds: { url: nowhere },
      pds: { url: nowhere, token: 'none' },
    }),
  );
  const following = spawn(process.execPath, [
    join(import.meta.dirname, '..', 'bin', 'gp2gp.ts'),
    'store',
    'backup',
    '--config',
    config,
    '--to',
    into,
  ]);
  let said = '';
  following.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  following.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (const end = Date.now() + WHOLE_MS; !/is whole/.test(said); await sleep(100))
    if (following.exitCode !== null || Date.now() > end) throw new Error(`there is no base backup: ${said}`);

  const commits: { readonly id: string; readonly at: number }[] = [];
  const behind: number[] = [];
  const began = Date.now();
  const looking = (async () => {
    while (Date.now() - began < WRITING_MS) {
      const { at } = JSON.parse(await readFile(join(into, 'point.json'), 'utf8')) as { at: string };
      behind.push((Date.now() - Date.parse(at)) / 1_000);
      await sleep(100);
    }
  })();
  for (let number = 0; Date.now() - began < WRITING_MS; number++) {
    await sleep(Math.max(0, began + (number * 1_000) / PER_SECOND - Date.now()));
    const id = await commitTransfer(here);
    commits.push({ id, at: Date.now() });
  }
  await looking;
  const died = Date.now();
  process.kill(here.server.pid, 'SIGKILL');
  following.kill('SIGKILL');
  await once(following, 'exit');
  await here.db.destroy().catch(() => undefined);
  await rm(here.data, { recursive: true, force: true });

  const to = join(here.folder, 'restored');
  const { seconds, missing } = await restore({ from: into, to, at: null, now: () => new Date(), say: () => undefined, by: 'bench' });
  if (missing.length > 0) throw new Error(`${missing.length} objects are missing`);
  const peak = peakRss();
  const again = await openPlace(to);
  const there = new Set((await again.db.selectFrom('transfers').select('id').execute()).map(({ id }) => id as string));
  await again.close();
  if (there.size < TRANSFERS) throw new Error(`only ${there.size} transfers are there`);
  const lost = commits.filter(({ id }) => !there.has(id));
  // The same files, copied by whoever knows nothing of them.
  const from = Date.now();
  await cp(into, join(here.folder, 'copied'), { recursive: true });
  const copying = (Date.now() - from) / 1_000;
  print([
    {
      name: 'backup.recoveryPoint',
      unit: 's',
      value: Math.max(0, ...lost.map(({ at }) => (died - at) / 1_000)),
      baseline: `half the time while ${PER_SECOND} transfers a second were written, ${Math.max(...behind).toFixed(1)} at most; ${lost.length} of ${commits.length} transfers lost`,
      baselineValue: median(behind),
      peakRssBytes: peak,
    },
    {
      name: 'backup.recoveryTime',
      unit: 's',
      value: seconds.all,
      baseline: `copying the backup’s files; ${seconds.database.toFixed(1)} s until the database answered`,
      baselineValue: copying,
      peakRssBytes: peak,
    },
  ]);
} finally {
  await here.close().catch(() => undefined);
  await rm(here.folder, { recursive: true, force: true });
}

/** Transfers with their history, and as many objects, which nobody has to wait for here. */
async function fill({ data, db, objects }: Place): Promise<void> {
  for (let number = 0; number < TRANSFERS; number++) {
    const bytes = randomBytes(OBJECT_BYTES);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(data, 'objects', sha256.slice(0, 2), sha256), bytes);
  }
  await commitTransfer({ db, objects });
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns
    where table_schema = 'public' and table_name = 'transfers' and is_identity = 'NO'`.execute(db);
  const own = ['id', 'conversation_id', 'registration_id'];
  const into = sql.join(rows.map(({ name }) => sql.ref(name)));
  const from = sql.join(rows.map(({ name }) => (own.includes(name) ? sql`${sql.ref(name)} || '/' || n` : sql.ref(name))));
  await sql`insert into transfers (${into}) select ${from} from transfers, generate_series(2, ${sql.lit(TRANSFERS)}) n`.execute(db);
  await sql`
    insert into history (practice, transfer, number, event_id, kind, at, by, from_state, to_state, note, measured)
    select practice, id, n, 'event-' || n, 'sent', now(), '{"kind":"node"}', 'converting', 'converting', repeat(md5(id || n), 8),
      jsonb_build_object('bytes', n, 'basis', repeat(md5(id), 20))
    from transfers, generate_series(1000, ${sql.lit(999 + ENTRIES)}) n`.execute(db);
}
