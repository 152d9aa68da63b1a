import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Fault, reasonOf } from '../base/errors.ts';
import type { Listed, Restored } from '../service/backup/restore.ts';
import { makeOrFind } from './operator/folders.ts';
import { asOption, explained, OPERATOR, operatorName } from './operator/place.ts';
import { demandNamed, nodeSettings } from './settings-file.ts';

const HELP = `
backup copies a node's database and objects into a folder, and goes on to copy what is written until it is ended (SIGTERM, Ctrl-C). It
needs the right to read the node's data, or, with a database server of your own, a role that may replicate. restore puts a node's data
folder back, as it was at any moment that the backup holds, and lists by name what may have been lost after it. verify reads everything
in a backup and restores it into a scratch folder. docs/backup.md has recovery point, recovery time, and what to do on the day.
Exit code: 0 done and whole, 1 not done or not whole, 2 the command is wrong.

Examples:
  gp2gp store backup --config node.yaml --to /backup/gp2gp
  gp2gp store backup --config node.yaml --to /backup/gp2gp --once
  gp2gp store verify --from /backup/gp2gp
  gp2gp store restore --from /backup/gp2gp --to /var/lib/gp2gp-new
  gp2gp store restore --from /backup/gp2gp --to /var/lib/gp2gp-new --at 2026-11-27T09:30:00Z`;

type BackupCommand = {
  readonly config?: string;
  readonly to: string;
  readonly once?: boolean;
  readonly baseEvery: number;
  readonly keepDays: number;
  readonly as?: string;
  readonly json?: boolean;
};
type RestoreCommand = {
  readonly from: string;
  readonly to: string;
  readonly at?: Date;
  readonly config?: string;
  readonly programs?: string;
  readonly as?: string;
  readonly json?: boolean;
};
type VerifyCommand = { readonly from: string; readonly scratch: string; readonly programs?: string; readonly json?: boolean };

/** `store`: backup, restore, verify. */
export function storeCommand(): Command {
  const command = new Command('store')
    .description('back up a node’s database and objects, restore them, verify a backup')
    .addHelpText('after', HELP);
  const sub = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .exitOverride()
      .helpOption('--help', 'print help')
      .option('--json', 'one line of JSON at the end');
  sub('backup', 'copy database and objects, and go on while they change')
    .requiredOption('--to <dir>', 'the backup’s folder, on another disk or machine')
    .option('--config <file>', 'settings of the node in YAML; left out, the environment alone is read')
    .option('--once', 'end when a new base backup is whole; what is written afterwards is not in it')
    .option('--base-every <hours>', 'hours between base backups', number(1), 24)
    .option('--keep-days <days>', 'how far back a restore may go', number(0), 30)
    .addOption(asOption())
    .action(async (options: BackupCommand) => backupAction(options));
  sub('restore', 'put a node’s data folder back as it was at a moment')
    .requiredOption('--from <dir>', 'the backup’s folder')
    .requiredOption('--to <dir>', 'a new data folder for the node')
    .option('--config <file>', 'settings of the node that is to go on: objects go back into the bucket that they name')
    .option('--at <time>', 'a moment, as 2026-11-27T09:30:00Z; left out, everything that the backup holds', moment)
    .option('--programs <dir>', 'a folder with bin/postgres, for a database server of another version than ours')
    .addOption(asOption())
    .action(async (options: RestoreCommand) => restoreAction(options));
  sub('verify', 'read everything in a backup, and restore it into a scratch folder')
    .requiredOption('--from <dir>', 'the backup’s folder')
    .option('--scratch <dir>', 'where there is room for the whole database', tmpdir())
    .option('--programs <dir>', 'a folder with bin/postgres, for a database server of another version than ours')
    .action(async (options: VerifyCommand) => verifyAction(options));
  return command;
}

function number(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) throw new InvalidArgumentError(`a number from ${least} is wanted.`);
    return value;
  };
}

function moment(text: string): Date {
  const at = new Date(text);
  if (!/T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('a time with its zone is wanted, as 2026-11-27T09:30:00Z.');
  return at;
}

const teller = (json: boolean | undefined) => {
  const out = json ? process.stderr : process.stdout;
  return (line: string): void => void out.write(`${line}\n`);
};

async function backupAction(options: BackupCommand): Promise<void> {
  const say = teller(options.json);
  const actor = `${operatorName(options.as)} (${OPERATOR})`;
  demandNamed(options.config, process.env, 'Name the settings of the node with --config FILE.');
  const config = await nodeSettings(options.config);
  const { backup } = await import('../service/backup/backup.ts');
  await makeOrFind(resolve(options.to));
  const { url, close } = await databaseOf(config.database.url, config.data, options.once ?? false);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  let told = 0;
  try {
    const done = await backup({
      url,
      objects: config.objects,
      into: options.to,
      once: options.once ?? false,
      baseEveryHours: options.baseEvery,
      keepDays: options.keepDays,
      now: () => new Date(),
      say,
      stop: stop.signal,
      onBegin: (folder) => tellAudit(url, actor, { folder, once: options.once ?? false }),
      onPoint(point, lagMs) {
        if (Date.now() - told < TOLD_MS) return;
        told = Date.now();
        say(`everything until ${point.at} is in the backup (${lagMs} ms ago)`);
      },
    });
    if (options.json) process.stdout.write(`${JSON.stringify(done)}\n`);
    else
      say(
        `${done.bases} base backups, ${done.logBytes} bytes of log, ${done.objects} objects of ${done.objectBytes} bytes; ` +
          (done.point ? `restorable up to ${done.point.at}` : 'nothing is restorable yet'),
      );
    if (done.altered.length > 0 || (options.once && done.bases === 0)) process.exitCode = 1;
  } catch (thrown) {
    throw explained(thrown);
  } finally {
    await close();
  }
}

async function tellAudit(url: string, actor: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
  const [{ openStore }, { audit }] = await Promise.all([import('../store/open.ts'), import('../store/audit.ts')]);
  const db = openStore(url, { connections: 1 });
  try {
    await audit(db, { practice: null, transfer: null, actor, action: 'backupBegun', detail });
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === NO_SUCH_TABLE)) throw thrown;
    throw new Fault('input.database', 'this database has no tables of a node', { remedy: 'Name the database that the node uses.' });
  } finally {
    await db.destroy();
  }
}

/** PostgreSQL's code. */
const NO_SUCH_TABLE = '42P01';
/** A line so often. */
const TOLD_MS = 60_000;

async function databaseOf(given: string | undefined, data: string, once: boolean): Promise<{ url: string; close: () => Promise<void> }> {
  if (given !== undefined) return { url: given, close: async () => undefined };
  const { demandFinished } = await import('../service/backup/unfinished.ts');
  await demandFinished(data);
  const folder = join(data, 'database');
  const { embeddedUrl, startEmbedded } = await import('../database/embedded.ts');
  const url = await embeddedUrl(folder);
  if (url === null)
    throw new Fault('backup.noDatabase', `there is no database in ${folder}`, {
      remedy: 'Start the node once, or look at `data` in its configuration.',
    });
  if (!once) return { url, close: async () => undefined };
  const server = await startEmbedded(folder);
  return { url: server.url, close: async () => (server.adopted ? undefined : server.stop()) };
}

async function restoreAction({ json, at, programs, config, as, ...options }: RestoreCommand): Promise<void> {
  const say = teller(json);
  const by = `${operatorName(as)} (${OPERATOR})`;
  const s3 = config === undefined ? null : (await nodeSettings(config)).objects.s3;
  const { restore } = await import('../service/backup/restore.ts');
  const { discardNow } = await import('../service/backup/unfinished.ts');
  const restored = await unlessInterrupted(discardNow, (onFolder) =>
    restore({
      ...options,
      at: at ?? null,
      ...(programs !== undefined && { programs }),
      ...(s3 && { s3 }),
      now: () => new Date(),
      say,
      by,
      onFolder,
    }),
  );
  if (json) process.stdout.write(`${JSON.stringify(restored)}\n`);
  else {
    const { seconds, list, missing } = restored;
    say(
      `restored to ${restored.at} (${restored.lsn}) with ${restored.objects} objects in ${seconds.all.toFixed(1)} s (database ${seconds.database.toFixed(1)} s)`,
    );
    for (const { sha256, of } of missing) say(`missing: the object ${sha256}, of ${of.join(', ')}`);
    for (const line of listInWords(list)) say(line);
    say(`The list with the patients' numbers is ${join(resolve(options.to), 'after-restore.json')}.`);
    say(await goOn(resolve(options.to), restored.database));
  }
  if (restored.missing.length > 0) process.exitCode = 1;
}

/** Ctrl-C or SIGTERM leaves neither half a database nor its server behind. */
async function unlessInterrupted<Result>(
  discard: (folder: string) => void,
  work: (onFolder: (folder: string) => void) => Promise<Result>,
): Promise<Result> {
  let folder: string | null = null;
  const interrupted = (): void => {
    try {
      if (folder !== null) discard(folder);
      process.stderr.write(`gp2gp: broken off${folder === null ? '' : `; what was put into ${folder} is removed`}\nBegin again.\n`);
    } catch (thrown) {
      const remedy = thrown instanceof Fault ? thrown.remedy : undefined;
      process.stderr.write(`gp2gp: broken off; ${reasonOf(thrown)}\n${remedy ?? `Delete ${folder}.`}\n`);
    }
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    return await work((begun) => (folder = begun));
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, interrupted);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is left to do. A database of other names than ours was on a server of its own, and goes on there. */
async function goOn(home: string, { user, database, major }: Restored['database']): Promise<string> {
  const { EMBEDDED } = await import('../database/embedded.ts');
  const cluster = join(home, 'database', 'cluster');
  const ownServer = `start PostgreSQL ${major} on a copy of ${cluster} (pg_hba.conf is what it was, if it lay in the data folder) and name it in database.url`;
  if (user === EMBEDDED.user && database === EMBEDDED.database)
    return `Set data to ${home}, leave out database.url or ${ownServer}, and start the node.`;
  return `Set data to ${home}. The database ${database} of ${user} was on a server of your own: ${ownServer}. Then start the node.`;
}

/** What may have been lost, by name; patients' numbers are only in the file. */
export function listInWords(list: readonly Listed[]): string[] {
  if (list.length === 0) return ['No conversation waited for a message.'];
  return [
    `${list.length} conversations may have lost a message:`,
    ...list.map(
      ({ practice, role, otherPractice, conversationId, id, who, why }) =>
        `  ${practice} ${role === 'requesting' ? 'from' : 'to'} ${otherPractice ?? '(not known yet)'}, conversation ${conversationId}, transfer ${id}: ${why}` +
        (who === 'person' ? ' (a task is in the practice’s list)' : ''),
    ),
  ];
}

async function verifyAction({ json, programs, ...options }: VerifyCommand): Promise<void> {
  const say = teller(json);
  const { verify } = await import('../service/backup/verify.ts');
  const { discardScratch } = await import('../service/backup/unfinished.ts');
  const verified = await unlessInterrupted(discardScratch, (onFolder) =>
    verify({ ...options, ...(programs !== undefined && { programs }), now: () => new Date(), say, onFolder }),
  );
  if (json) process.stdout.write(`${JSON.stringify(verified)}\n`);
  else {
    for (const { base, from, to } of verified.spans) say(`${base}: any moment from ${from} to ${to}`);
    for (const fault of verified.faults) say(`FAULT ${fault}`);
    say(
      verified.ok
        ? `good: ${verified.segments} log segments, ${verified.objects} objects, ${verified.transfers} transfers; the database was back after ${verified.recoverySeconds.toFixed(1)} s`
        : `${verified.faults.length} faults`,
    );
  }
  if (!verified.ok) process.exitCode = 1;
}
