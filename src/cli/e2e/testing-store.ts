/** `gp2gp store` as an operator runs it: a process of its own over a file of settings, beside a database in any place. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import { serverAccount } from '../../database/account.ts';
import { installBinaries } from '../../database/binaries.ts';
import { startEmbedded } from '../../database/embedded.ts';
import type { Point } from '../../service/backup/folder.ts';
import { freePorts } from '../demo/ports.ts';
import { until } from './testing.ts';

export type Said = { readonly code: number | null; readonly out: string; readonly err: string };

const BIN = join(import.meta.dirname, '..', '..', '..', 'bin', 'gp2gp.ts');

function started(argv: readonly string[]): {
  readonly child: ChildProcess;
  readonly said: { out: string; err: string };
  readonly ended: Promise<Said>;
} {
  const child = spawn(process.execPath, [BIN, 'store', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString('utf8')));
  return { child, said, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said }))) };
}

/** One command to its end. */
export function store(...argv: readonly string[]): Promise<Said> {
  return started(argv).ended;
}

/** One command that gets a Ctrl-C as soon as it has said something. */
export async function storeInterrupted(words: RegExp, ...argv: readonly string[]): Promise<Said> {
  const { child, said, ended } = started(argv);
  await until(`it says ${words}`, async () => words.test(said.out) || child.exitCode !== null);
  child.kill('SIGINT');
  return ended;
}

/** A backup that goes on. */
export function keepBackingUp(config: string, into: string, ...more: readonly string[]) {
  const { child, said, ended } = started(['backup', '--config', config, '--to', into, ...more]);
  const point = async (): Promise<Point | null> =>
    readFile(join(into, 'point.json'), 'utf8').then(
      (text) => JSON.parse(text) as Point,
      () => null,
    );
  return {
    said,
    ended,
    point,
    /** Resolves when everything that was committed before it was called is in the backup. */
    async caughtUp(): Promise<void> {
      const since = new Date().toISOString();
      await until(`the backup has everything (${said.err})`, async () => {
        if (child.exitCode !== null) throw new Error(`the backup has ended: ${said.out} ${said.err}`);
        return /is whole/.test(said.out) && ((await point())?.at ?? '') > since;
      });
    },
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    async stop(): Promise<Said> {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Settings of a node that talks to a message adaptor, so that no certificates are needed. */
export async function settingsFile(path: string, more: Readonly<Record<string, unknown>>): Promise<string> {
  const nowhere = 'http://127.0.0.1:9';
  const settings = {
    adaptor: { url: nowhere, brokers: 'amqp://127.0.0.1:9', queue: 'inbound' },
    spine: {},
    sds: { url: nowhere },
    pds: { url: nowhere, token: 'none' },
    ...more,
  };
  await writeFile(path, stringify(settings));
  return path;
}

/** A PostgreSQL server that is not ours: of other names, with passwords, reached by its address alone. */
export type External = {
  /** For the node. */
  readonly url: string;
  readonly pid: number;
  /** As its administrator. */
  admin(...statements: readonly string[]): Promise<void>;
  /** Replaces the lines of pg_hba.conf for connections from elsewhere. */
  allow(...lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
};

const OWNER = { user: 'records_owner', database: 'records', password: 'a secret & more' };

/** Starts one on a new folder, or on a cluster that a restore has left there. */
export async function startExternal(home: string): Promise<External> {
  const cluster = join(home, 'cluster');
  if (!(await stat(cluster).catch(() => null))) await (await startEmbedded(home)).stop();
  const [port = 0] = await freePorts(1);
  const rules = join(home, 'server_hba.conf');
  const allow = async (...lines: readonly string[]): Promise<void> => {
    await writeFile(rules, ['host all gp2gp 127.0.0.1/32 trust', ...lines, ''].join('\n'));
    await chmod(rules, 0o644);
  };
  await allow(`host ${OWNER.database} ${OWNER.user} 127.0.0.1/32 scram-sha-256`);
  const { folder } = await installBinaries(home);
  const settings = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', hba_file: rules };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(folder, 'bin', 'postgres'), ['-D', cluster, ...flags], {
    stdio: 'ignore',
    cwd: home,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    ...(await serverAccount()),
  });
  const over = new Promise<void>((done) => child.once('exit', () => done()));
  const address = `127.0.0.1:${port}`;
  const administrator = `postgresql://gp2gp@${address}/postgres`;
  await until('the server answers', () => asAdministrator(administrator).then(...YES_OR_NO));
  return {
    url: `postgresql://${OWNER.user}:${encodeURIComponent(OWNER.password)}@${address}/${OWNER.database}`,
    pid: child.pid ?? 0,
    admin: (...statements) => asAdministrator(administrator, ...statements),
    allow,
    async stop() {
      child.kill('SIGINT');
      await over;
    },
  };
}

const YES_OR_NO = [() => true, () => false] as const;

async function asAdministrator(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export const MAKE_OWNER = [
  `create role ${OWNER.user} login password '${OWNER.password}'`,
  `create database ${OWNER.database} owner ${OWNER.user}`,
] as const;
export const REPLICATION_RULES = [
  `host ${OWNER.database} ${OWNER.user} 127.0.0.1/32 scram-sha-256`,
  `host replication ${OWNER.user} 127.0.0.1/32 scram-sha-256`,
] as const;
export const OWNER_NAME = OWNER.user;
