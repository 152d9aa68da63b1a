/** A real broker for tests: RabbitMQ with its AMQP 1.0 plug-in, a process of its own in a folder of its own, which can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SenderOptions } from 'rhea';
import { KEPT, openConnection, within } from './amqp.ts';
import { addressOf, readBrokers } from './brokers.ts';

/** Debian's own start script: the one in the path insists on an account of its own. */
export const RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const EPMD = '/usr/bin/epmd';
/** The first start from a cold disk on a busy machine takes longer than a minute. */
const START_MS = 240_000;

export type TestBroker = { readonly url: string; start(): Promise<void>; kill(): Promise<void>; close(): Promise<void> };

/**
 * With durable queues of these names. They are there before anything else, and written down by an orderly end: RabbitMQ 3 may answer that a
 * queue is declared seconds before its disk knows; one that is killed in between has lost the queue and all that it had accepted for it.
 */
export async function testBroker(queues: readonly string[]): Promise<TestBroker> {
  if (!existsSync(RABBITMQ)) throw new Error(`there is no ${RABBITMQ}: install rabbitmq-server`);
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-broker-'));
  await mkdir(join(folder, 'data'));
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()];
  await writeFile(join(folder, 'plugins'), '[rabbitmq_amqp1_0].\n');
  await writeFile(join(folder, 'rabbit.conf'), `listeners.tcp.default = 127.0.0.1:${port}\nlog.console = true\n`);
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
  for (const queue of queues) {
    // Over a connection that is listened to until its socket is gone: the broker says `shutdown` on one that lingers.
    const opened = await openConnection(readBrokers(url));
    const target = { address: addressOf({ queue, address: '/queue/{queue}' }), durable: KEPT };
    const sender = opened.connection.open_sender({ target } as SenderOptions);
    const missing = await within(opened, START_MS, (done) => sender.once('sendable', done));
    if (missing !== null) throw new Error(`the broker does not give the queue ${queue}: ${missing}`);
    await opened.shut();
  }
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
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
