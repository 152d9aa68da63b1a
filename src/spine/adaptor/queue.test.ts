/** Brokers that fall silent, end a session alone or forget a consumer: it is never left waiting, and no connection is left behind. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import rhea, { type EventContext } from 'rhea';
import { readBrokers } from './brokers.ts';
import { startConsumer } from './consume.ts';
import { createPublisher } from './publish.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

type Told = 'connection' | 'link' | (typeof OUTCOMES)[number];
const OUTCOMES = ['accepted', 'released', 'modified', 'rejected'] as const;

/** A broker that does what `behave` does at each opening of a connection or a link and at each outcome, told the connection's number. */
async function broker(behave: (told: Told, number: number, context: EventContext, socket: Socket) => void) {
  const container = rhea.create_container();
  const sockets: Socket[] = [];
  const names: string[] = [];
  const socketOf = ({ connection }: EventContext): Socket => (connection as unknown as { socket: Socket }).socket;
  const told = (what: Told) => (context: EventContext) => {
    const socket = socketOf(context);
    behave(what, sockets.indexOf(socket) + 1, context, socket);
  };
  container.on('connection_open', (context: EventContext) => {
    sockets.push(socketOf(context));
    names.push(context.connection.container_id);
    told('connection')(context);
  });
  container.on('sender_open', told('link'));
  for (const outcome of OUTCOMES) container.on(outcome, told(outcome));
  for (const event of ['error', 'disconnected', 'session_close', 'connection_close', 'protocol_error'])
    container.on(event, () => undefined);
  const server = container.listen({ port: 0, host: '127.0.0.1', sender_options: { treat_modified_as_released: false } } as never);
  await new Promise((done) => server.once('listening', done));
  closers.push(async () => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { settings: { brokers: readBrokers(`amqp://127.0.0.1:${port}`), queue: 'q' }, names, sockets };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds(); await sleep(20)) if (Date.now() > deadline) assert.fail(`${what}: not within 20 s`);
}

test('a consumer is not left waiting by a broker that is silent, ends the session alone, or has forgotten it', async () => {
  const outcomes: string[] = [];
  const fake = await broker((told, number, { session, sender }, socket) => {
    if (told === 'connection' && number === 1) socket.pause();
    if (told === 'link' && number === 2) session?.close({ condition: 'amqp:internal-error', description: 'stumbled' });
    // The third gives nothing.
    if (told === 'link' && number === 4) sender?.send({ body: 'the one' });
    if (told === 'connection' || told === 'link') return;
    if (outcomes.push(told) === 1) sender?.send({ body: 'the one' });
  });
  const faults: string[] = [];
  let taken = 0;
  const consumer = startConsumer({
    ...fake.settings,
    take: async () => (++taken === 1 ? 'again' : 'accept'),
    pauseMs: 10,
    answerMs: 300,
    quietMs: 500,
    onFault: (error) => faults.push(error instanceof Error ? error.message : String(error)),
  });
  await until('two outcomes', () => outcomes.length === 2);
  // Quiet is no fault.
  assert.equal(faults.length, 2, faults.join('\n'));
  assert.match(faults[0] ?? '', /the queue q is not given: no answer/);
  assert.match(faults[1] ?? '', /amqp:internal-error: stumbled/);
  // What is wanted again has not failed: brokers that count would bury it.
  assert.deepEqual(outcomes, ['released', 'accepted']);
  await consumer.close();
  for (const socket of fake.sockets) socket.resume();
  await until('every connection is ended', () => fake.sockets.every((socket) => socket.destroyed));
  assert.equal(new Set(fake.names).size, fake.names.length, 'each connection has a name of its own');
});

test('a publisher whose session is ended alone fails its messages at once, and the next goes by another connection', async () => {
  const container = rhea.create_container();
  const got: string[] = [];
  container.on('receiver_open', ({ receiver }) => receiver?.set_target({ address: 'q' }));
  container.on('message', ({ message, session, delivery }) => {
    if (got.push(String(message?.body)) === 1) session?.close({ condition: 'amqp:internal-error', description: 'stumbled' });
    else delivery?.accept();
  });
  for (const event of ['error', 'disconnected', 'session_close', 'connection_close', 'protocol_error'])
    container.on(event, () => undefined);
  const server = container.listen({ port: 0, host: '127.0.0.1', receiver_options: { autoaccept: false } } as never);
  await new Promise((done) => server.once('listening', done));
  closers.push(async () => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const publisher = createPublisher({ brokers: readBrokers(`amqp://127.0.0.1:${port}`), queue: 'q' });
  const began = performance.now();
  await assert.rejects(publisher.publish({ body: 'first' }), { code: 'queue.notAccepted', message: /stumbled/ });
  await publisher.publish({ body: 'second' });
  assert.ok(performance.now() - began < 15_000, 'nobody waited for an answer that never comes');
  assert.deepEqual(got, ['first', 'second']);
  await publisher.close();
});
