/** A real broker for tests: RabbitMQ with its AMQP 1.0 plug-in, a process of its own in a folder of its own, which can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../cli/demo/ports.ts';

/** Debian's own start script: the one in the path insists on an account of its own. */
export const RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const EPMD = '/usr/bin/epmd';
/** The first start from a cold disk on a busy machine takes longer than a minute. */
const START_MS = 240_000;

export type TestBroker = { readonly url: string; start(): Promise<void>; kill(): Promise<void>; close(): Promise<void> };

/** A queue by its name, or with what RabbitMQ is told of it: `x-max-length`, `x-dead-letter-exchange`. */
export type TestQueue = string | { readonly name: string; readonly arguments: Readonly<Record<string, string | number>> };

/**
 * With these queues, all of them durable. They are there before anything else, and written down by an orderly end: RabbitMQ 3 may answer that a
 * queue is declared seconds before its disk knows; one that is killed in between has lost the queue and all that it had accepted for it.
 */
export async function testBroker(queues: readonly TestQueue[]): Promise<TestBroker> {
  if (!existsSync(RABBITMQ)) throw new Error(`there is no ${RABBITMQ}: install rabbitmq-server`);
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-broker-'));
  await mkdir(join(folder, 'data'));
  const [port = 0, distribution = 0, epmd = 0] = await freePorts(3);
  await writeFile(join(folder, 'plugins'), '[rabbitmq_amqp1_0].\n');
  await writeFile(
    join(folder, 'rabbit.conf'),
    `listeners.tcp.default = 127.0.0.1:${port}\nlog.console = true\nload_definitions = ${join(folder, 'definitions.json')}\n`,
  );
  await writeFile(join(folder, 'definitions.json'), JSON.stringify(definitionsOf(queues)));
  const env = {
    ...process.env,
    HOME: folder,
    RABBITMQ_NODENAME: `gp2gp-test-${process.pid}@localhost`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbit'),
    RABBITMQ_DIST_PORT: String(distribution),
    ERL_EPMD_PORT: String(epmd),
  };
  // The broker would start a daemon that outlives it.
  const names = spawn(EPMD, ['-address', '127.0.0.1', '-port', String(epmd)], { stdio: 'ignore' });
  const namesEnded = new Promise((done) => names.once('exit', done));
  for (const deadline = Date.now() + START_MS; !(await answers(epmd)); await sleep(50))
    if (names.exitCode !== null || Date.now() > deadline) throw new Error(`${EPMD} does not start`);
  let child: ChildProcess | null = null;
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const running = child;
    child = null;
    if (!running?.pid || running.exitCode !== null) return;
    const ended = new Promise((done) => running.once('exit', done));
    // The start script and the machine that it starts are one group.
    process.kill(-running.pid, signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    let said = '';
    const started = spawn(RABBITMQ, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    for (const output of [started.stdout, started.stderr])
      output.on('data', (text: Buffer) => {
        said = (said + text.toString('utf8')).slice(-4_000);
      });
    const deadline = Date.now() + START_MS;
    while (!said.includes('Server startup complete') || !(await answers(port))) {
      if (started.exitCode !== null || Date.now() > deadline) throw new Error(`the broker does not start:\n${said}`);
      await sleep(200);
    }
  };
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  await start();
  await end('SIGTERM');
  await start();
  return {
    url,
    start,
    kill: () => end('SIGKILL'),
    async close() {
      await end('SIGKILL');
      names.kill();
      await namesEnded;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A broker that is given definitions makes neither the host nor the account that it has else. */
function definitionsOf(queues: readonly TestQueue[]) {
  const salt = Buffer.from('salt');
  const hash = Buffer.concat([salt, createHash('sha256').update(salt).update('guest').digest()]);
  return {
    vhosts: [{ name: '/' }],
    users: [
      { name: 'guest', password_hash: hash.toString('base64'), hashing_algorithm: 'rabbit_password_hashing_sha256', tags: 'administrator' },
    ],
    permissions: [{ user: 'guest', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
    queues: queues.map((queue) => ({
      ...(typeof queue === 'string' ? { name: queue, arguments: {} } : queue),
      vhost: '/',
      durable: true,
      auto_delete: false,
    })),
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
