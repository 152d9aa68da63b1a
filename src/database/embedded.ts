/**
 * Supervises a PostgreSQL server that belongs to one data folder. It listens on a Unix socket only. When this process dies without
 * a word (kill -9) the server lives on with everything that was committed; the next start finds it by `postmaster.pid` and adopts it.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, open, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { Fault, reasonOf } from '../base/errors.ts';
import { type Account, serverAccount, usableFolder } from './account.ts';
import { type Binaries, installBinaries } from './binaries.ts';

const run = promisify(execFile);

export type EmbeddedServer = {
  /** Connection URL of the product's database; also understood by `psql`. */
  readonly url: string;
  readonly pid: number;
  /** True where the server of an earlier process was found running and taken over. */
  readonly adopted: boolean;
  /** Ends the server (fast shutdown: clients are disconnected, what is committed stays). */
  stop(): Promise<void>;
};

export type EmbeddedOptions = {
  /** Where the programs are put; default: the data folder. */
  readonly binariesFolder?: string;
  readonly maxConnections?: number;
  /** A folder with `bin/postgres` in the place of the programs that come with this one: for a server of another version. */
  readonly programs?: string;
  /** Who asks, and for which database; default: the product's own. */
  readonly user?: string;
  readonly database?: string;
  /** Settings of this start alone, over the usual ones: those of a recovery. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How long it may take until the server answers; a recovery reads the log first. */
  readonly startTimeoutMs?: number;
};

const DATABASE = 'gp2gp';
const USER = 'gp2gp';
/** Who asks an embedded server, and for which database. */
export const EMBEDDED = { user: USER, database: DATABASE } as const;
/** Programs, an empty cluster and its first write-ahead log. */
const FIRST_START_BYTES = 250_000_000;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** Starts, or adopts, the server whose data lie in `folder`. Throws `Fault` `database.*` with what is wrong and what to do. */
export async function startEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  if (process.platform === 'win32') {
    throw new Fault('database.platform', 'the embedded PostgreSQL needs Unix sockets with permissions, which Windows lacks', {
      remedy: 'Set database.url to a PostgreSQL server of your own, or run under WSL.',
    });
  }
  const home = resolve(folder);
  const account = await serverAccount();
  await usableFolder(home, account);
  const cluster = join(home, 'cluster');
  const socket = await socketFolder(home, account);
  const { user = USER, database: ours = DATABASE } = options;
  const url = (database: string): string =>
    `postgresql://${encodeURIComponent(user)}@/${encodeURIComponent(database)}?host=${encodeURIComponent(socket)}`;

  const running = await runningServer(cluster, url('postgres'));
  if (running !== null) {
    await ensureDatabase(url('postgres'), url(ours), ours);
    return { url: url(ours), pid: running, adopted: true, stop: () => stopServer(running) };
  }
  const made = await stat(join(cluster, 'PG_VERSION')).catch(() => null);
  if (!made) await enoughSpace(home, FIRST_START_BYTES);
  const binaries =
    options.programs === undefined ? await installBinaries(options.binariesFolder ?? home) : await programsIn(options.programs);
  if (made) await sameMajor(cluster, binaries);
  else await initialise(binaries, cluster, account);
  const pid = await launch({ binaries, cluster, socket, account, url: url('postgres'), options });
  await ensureDatabase(url('postgres'), url(ours), ours);
  return { url: url(ours), pid, adopted: false, stop: () => stopServer(pid) };
}

/** The programs in a folder, which are not ours. Throws a `Fault` `database.noBinaries` where they do not run. */
export async function programsIn(folder: string): Promise<Binaries> {
  try {
    const { stdout } = await run(join(folder, 'bin', 'postgres'), ['--version'], { env: environment() });
    const version = /(\d+)(\.\d+)?/.exec(stdout)?.[0] ?? '';
    return { folder, version, major: version.split('.')[0] ?? '' };
  } catch (cause) {
    throw new Fault('database.noBinaries', `${join(folder, 'bin', 'postgres')} does not run: ${reasonOf(cause)}`, {
      remedy: 'Name the folder that holds bin/postgres.',
      cause,
    });
  }
}

/**
 * The URL of the server that serves a data folder, without starting one; whether it runs is told by the first statement. `null` where no
 * server ever had its data there.
 */
export async function embeddedUrl(folder: string): Promise<string | null> {
  const home = resolve(folder);
  if (!(await stat(join(home, 'cluster', 'PG_VERSION')).catch(() => null))) return null;
  const socket = await socketFolder(home, await serverAccount());
  return `postgresql://${USER}@/${DATABASE}?host=${encodeURIComponent(socket)}`;
}

/** The process id of the server that holds a data folder, or null. */
export async function serverOn(folder: string): Promise<number | null> {
  const text = await readFile(join(resolve(folder), 'cluster', 'postmaster.pid'), 'utf8').catch(() => null);
  const pid = Number(text?.split('\n')[0]);
  return text !== null && Number.isInteger(pid) && pid > 0 && isAlive(pid) ? pid : null;
}

/** A Unix socket's path may have about 100 characters; a long data path gets a short folder elsewhere, closed to others. */
async function socketFolder(home: string, account: Account): Promise<string> {
  const inside = join(home, 'socket');
  const path = inside.length < 80 ? inside : join(tmpdir(), `gp2gp-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid } = await stat(path);
  const owner = account?.uid ?? process.getuid?.();
  if (uid !== owner && uid !== process.getuid?.()) {
    throw new Fault('database.socket', `the socket folder ${path} belongs to another user (id ${uid})`, {
      remedy: 'Remove it or choose a shorter data folder.',
    });
  }
  if (account) await chown(path, account.uid, account.gid);
  await chmod(path, 0o700);
  return path;
}

/** The process id of a server that serves this cluster already, or null. */
async function runningServer(cluster: string, url: string): Promise<number | null> {
  const lines = await readFile(join(cluster, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => null,
  );
  const pid = Number(lines?.[0]);
  if (!lines || !Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null;
  // The file may be older than a restart of the machine, and the number another program's by now: the server itself must answer.
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await dataDirectory(url, cluster);
    if (answer === cluster) return pid;
    if (answer !== null) throw new Fault('database.foreign', `the server at ${url} serves ${answer}, not ${cluster}`);
    if (!isAlive(pid) || !(await isPostgres(pid))) return null;
    if (Date.now() > deadline) {
      throw new Fault('database.silent', `process ${pid} holds ${cluster} but does not answer`, {
        remedy: `Look at ${join(cluster, '..', 'postgres.log')}; end that process if it hangs.`,
      });
    }
    await sleep(100);
  }
}

/** An ordinary role, or a server without the database of that name, does not say; that it answers on a socket of ours is enough then. */
const ANSWERS_ALL_THE_SAME = ['42501', '3D000'];

async function dataDirectory(url: string, ours: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    return rows[0]?.data_directory ?? null;
  } catch (thrown) {
    if (ANSWERS_ALL_THE_SAME.includes(String((thrown as { code?: unknown } | null)?.code ?? ''))) return ours;
    // Not there, or not ready yet; the caller decides which by the process.
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  try {
    const { stdout } = await run('ps', ['-o', 'comm=', '-p', String(pid)]);
    return stdout.includes('postgres');
  } catch {
    // Without `ps`, Linux tells it through /proc.
    return readFile(`/proc/${pid}/comm`, 'utf8').then(
      (name) => name.includes('postgres'),
      () => false,
    );
  }
}

/** Whether there is a process of that number, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function enoughSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new Fault('database.noSpace', `only ${Math.floor((bavail * bsize) / 1e6)} MB are free at ${folder}; ${bytes / 1e6} MB are needed`, {
    remedy: 'Free some space or choose another data folder.',
  });
}

async function sameMajor(cluster: string, binaries: Binaries): Promise<void> {
  const recorded = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  if (recorded === binaries.major) return;
  throw new Fault(
    'database.version',
    `the data in ${cluster} were written by PostgreSQL ${recorded}; this program brings ${binaries.major}`,
    {
      remedy: 'Restore a backup made by the older program into a new data folder; a cluster is never converted in place.',
    },
  );
}

async function initialise(binaries: Binaries, cluster: string, account: Account): Promise<void> {
  // Made aside and renamed: a cluster that exists is a whole one.
  const partial = `${cluster}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  if (account) await chown(partial, account.uid, account.gid);
  const settings = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--data-checksums'];
  try {
    await run(join(binaries.folder, 'bin', 'initdb'), ['-D', partial, '-U', USER, '--auth=trust', ...settings], {
      cwd: binaries.folder,
      env: environment(),
      ...(account ?? {}),
    });
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
    throw startFault('initdb failed', `${said || reasonOf(cause)}`, cause);
  }
  await rename(partial, cluster);
}

async function launch({
  binaries,
  cluster,
  socket,
  account,
  url,
  options,
}: {
  readonly binaries: Binaries;
  readonly cluster: string;
  readonly socket: string;
  readonly account: Account;
  readonly url: string;
  readonly options: EmbeddedOptions;
}): Promise<number> {
  const logPath = join(cluster, '..', 'postgres.log');
  const log = await open(logPath, 'a', 0o600);
  const from = (await log.stat()).size;
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    max_connections: String(options.maxConnections ?? 60),
    shared_buffers: '64MB',
    max_wal_size: '1GB',
    // A backup that nobody follows any more gives up its hold on the log before the disk is full of it.
    max_slot_wal_keep_size: '4GB',
    // Tables of queues fill and empty all day long. A minute, the default, is long enough for plans that were made while a table was new, and
    // for the dead rows of a busy queue, to cost more than the work itself.
    autovacuum_naptime: '5s',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    // Statements carry patients' data; a log never does.
    log_min_error_statement: 'panic',
    log_parameter_max_length_on_error: '0',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let server: ChildProcess;
  try {
    // Detached: Ctrl-C at a terminal goes to the whole group, and the server must outlive the node's last transactions.
    server = spawn(join(binaries.folder, 'bin', 'postgres'), ['-D', cluster, ...flags], {
      cwd: cluster,
      env: environment(),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(account ?? {}),
    });
  } finally {
    await log.close();
  }
  let ended: string | null = null;
  server.once('error', (error) => (ended = reasonOf(error)));
  server.once('exit', (code, signal) => (ended = `ended with ${signal ?? `code ${code}`}`));
  server.unref();
  const deadline = Date.now() + (options.startTimeoutMs ?? START_TIMEOUT_MS);
  while ((await dataDirectory(url, cluster)) !== cluster) {
    if (ended !== null || Date.now() > deadline) {
      const said = (await readFile(logPath, 'utf8')).slice(from).trim().split('\n').slice(-5).join('\n');
      throw startFault(`PostgreSQL did not start (${ended ?? 'no answer'}), see ${logPath}`, said, undefined);
    }
    await sleep(20);
  }
  return server.pid ?? Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

function startFault(what: string, said: string, cause: unknown): Fault {
  if (/No space left on device/i.test(said)) {
    return new Fault('database.noSpace', `${what}: the disk is full`, { remedy: 'Free some space, then start again.', cause });
  }
  if (/Permission denied|could not access|EACCES/i.test(said)) {
    const remedy = 'The data folder must belong to the account that PostgreSQL runs as; choose another one, or mend its owner.';
    return new Fault('database.folder', `${what}: ${said.trim()}`, { remedy, cause });
  }
  return new Fault('database.start', `${what}: ${said.trim()}`, { cause });
}

/** Nothing of our own environment (PGDATA, PGPORT, locale) may reach the server. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

async function ensureDatabase(adminUrl: string, url: string, database: string): Promise<void> {
  if (await isThere(url)) return;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (!rowCount) await client.query(`create database ${pg.escapeIdentifier(database)}`);
  } catch (error) {
    // 42P04, 23505: another process made it between the two statements.
    if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await client.end();
  }
}

async function isThere(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch (thrown) {
    if ((thrown as { code?: string }).code === '3D000') return false;
    throw thrown;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function stopServer(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadline) {
      // Immediate shutdown: nothing committed is lost, the next start replays the log.
      process.kill(pid, 'SIGQUIT');
      return;
    }
    await sleep(20);
  }
}
