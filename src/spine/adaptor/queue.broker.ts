/** Against a real broker (`npm run test:broker`): whatever becomes of a delivery or of the broker, no message is lost. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import rhea from 'rhea';
import type { Message } from './amqp.ts';
import { readBrokers } from './brokers.ts';
import { type Settled, startConsumer } from './consume.ts';
import { createPublisher } from './publish.ts';
import { type TestBroker, testBroker } from './testing-broker.ts';

let broker: TestBroker;
const said = mock.method(console, 'error');
before(async () => {
  broker = await testBroker(['kept', 'dying', 'again', 'several']);
});
after(async () => {
  await broker.close();
  // The library says on the console what a broker does that it should not, or we.
  assert.deepEqual(
    said.mock.calls.map((call) => call.arguments.join(' ')),
    [],
  );
});

const settings = (queue: string) => ({ brokers: readBrokers(broker.url), queue, address: '/queue/{queue}' });

/** Takes what comes, as `how` says; gives what was taken for good, in order. */
function consumer(queue: string, how: (message: Message, times: number) => Settled | Promise<Settled> = () => 'accept') {
  const taken: string[] = [];
  const times = new Map<string, number>();
  const running = startConsumer({
    ...settings(queue),
    async take(message) {
      const id = String(message.body);
      const before = (times.get(id) ?? 0) + 1;
      times.set(id, before);
      const settled = await how(message, before);
      if (settled === 'accept') taken.push(id);
      return settled;
    },
    pauseMs: 20,
    onFault: () => undefined,
  });
  return { taken, times, close: () => running.close() };
}

async function until(what: string, holds: () => boolean, ms = 60_000): Promise<void> {
  for (const deadline = Date.now() + ms; !holds(); await sleep(20)) if (Date.now() > deadline) assert.fail(`${what}: not within ${ms} ms`);
}

/** Publishes again until the broker has accepted: what a row of the inbox does. */
async function insist(publish: (message: Message) => Promise<void>, message: Message): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      await publish(message);
      return attempt;
    } catch {
      await sleep(100);
    }
  }
}

const named = (body: string): Message => ({ body, message_id: randomUUID(), durable: true, content_type: 'application/json' });

test('what the broker has accepted comes out, byte for byte and with its properties, and survives its death', async () => {
  const publisher = createPublisher(settings('kept'));
  const large = JSON.stringify({ ebXML: 'é'.repeat(1_000), payload: 'x'.repeat(7_000_000) });
  await publisher.publish({ ...named(large), correlation_id: 'C', application_properties: { 'message-id': 'M', 'correlation-id': 'C' } });
  await publisher.publish(named('second'));
  await broker.kill();
  await broker.start();
  const seen: Message[] = [];
  const taking = consumer('kept', (message) => {
    seen.push(message);
    return 'accept';
  });
  await until('both', () => taking.taken.length === 2);
  assert.equal(taking.taken[0], large);
  assert.deepEqual(seen[0]?.application_properties, { 'message-id': 'M', 'correlation-id': 'C' });
  assert.deepEqual([seen[0]?.correlation_id, seen[0]?.content_type], ['C', 'application/json']);
  await taking.close();
  await publisher.close();
});

test('a broker that dies between transfer and disposition has accepted nothing: the message is published again, and none is lost', async () => {
  const publisher = createPublisher(settings('dying'));
  const bodies = Array.from({ length: 40 }, (_, at) => `message ${at} ${'x'.repeat(200_000)}`);
  await publisher.publish(named('first'));
  let kills = 0;
  const publishing = bodies.map(async (body, at) => {
    await sleep(at * 15);
    return await insist((message) => publisher.publish(message), named(body));
  });
  const killing = (async () => {
    for (; kills < 2; kills++) {
      await sleep(120);
      await broker.kill();
      await broker.start();
    }
  })();
  const attempts = await Promise.all(publishing);
  await killing;
  assert.ok(Math.max(...attempts) > 1, 'some attempt met the death');
  const taking = consumer('dying');
  await until('all of them', () => new Set(taking.taken).size === bodies.length + 1);
  assert.deepEqual(new Set(taking.taken), new Set(['first', ...bodies]));
  await taking.close();
  await publisher.close();
});

test('what a consumer wants again comes again; what it was taking when the broker or itself went away comes again too', async () => {
  const publisher = createPublisher(settings('again'));
  const bodies = Array.from({ length: 20 }, (_, at) => `message ${at}`);
  for (const body of bodies) await publisher.publish(named(body));
  // Each is wanted again once; a few are thrown over.
  const first = consumer('again', (message, times) => {
    if (times === 1) return 'again';
    if (times === 2 && String(message.body).endsWith('3')) throw new Error('no room');
    return 'accept';
  });
  await until('ten', () => first.taken.length >= 10);
  await broker.kill();
  await broker.start();
  await until('all of them', () => new Set(first.taken).size === bodies.length);
  await first.close();
  await publisher.publish(named('held'));
  let letGo: (settled: Settled) => void = () => undefined;
  const second = consumer(
    'again',
    () =>
      new Promise<Settled>((done) => {
        letGo = done;
      }),
  );
  await until('in hand', () => second.times.has('held'));
  const closing = second.close();
  letGo('again');
  await closing;
  const third = consumer('again');
  await until('the held one', () => third.taken.includes('held'));
  await third.close();
  await publisher.close();
});

test('of several brokers the first that lives is taken', async () => {
  const [alive] = readBrokers(broker.url);
  assert.ok(alive);
  const publisher = createPublisher({
    brokers: [{ ...alive, port: 9 }, { ...alive, password: 'wrong' }, alive],
    queue: 'several',
    address: '/queue/{queue}',
  });
  await publisher.publish(named('one'));
  const taking = consumer('several');
  await until('it', () => taking.taken.length === 1);
  await taking.close();
  await publisher.close();
  const nobody = createPublisher({ brokers: [{ ...alive, port: 9 }], queue: 'several' });
  await assert.rejects(nobody.publish(named('two')), { code: 'queue.unreachable' });
  await nobody.close();
});

test('only `accepted` counts: released, modified and rejected are told, and the next attempt goes through', async () => {
  // RabbitMQ itself answers only `accepted` to a queue that is there; the others come from a broker that is told to.
  const outcomes = ['release', 'modified', 'reject', 'drop', 'accept'] as const;
  let number = 0;
  const got: string[] = [];
  const container = rhea.create_container();
  container.on('connection_open', () => undefined);
  container.on('receiver_open', ({ receiver }) => receiver?.set_target({ address: 'told' }));
  container.options = { autoaccept: false };
  container.on('message', ({ message, delivery, connection }) => {
    const outcome = outcomes[number++];
    if (outcome === 'accept') {
      got.push(String(message?.body));
      delivery?.accept();
    } else if (outcome === 'release') delivery?.release();
    else if (outcome === 'modified') delivery?.modified({ delivery_failed: true });
    else if (outcome === 'reject') delivery?.reject({ condition: 'amqp:resource-limit-exceeded', description: 'full' });
    else connection.close();
  });
  container.on('error', () => undefined);
  container.on('disconnected', () => undefined);
  const server = container.listen({ port: 0, host: '127.0.0.1', receiver_options: { autoaccept: false } } as never);
  await new Promise((done) => server.once('listening', done));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const publisher = createPublisher({ brokers: readBrokers(`amqp://127.0.0.1:${port}`), queue: 'told' });
  const faults: string[] = [];
  for (let attempt = 0; attempt < outcomes.length; attempt++)
    try {
      await publisher.publish(named('the one'));
    } catch (thrown) {
      faults.push(thrown instanceof Error ? thrown.message : String(thrown));
    }
  assert.equal(faults.length, 4, faults.join('\n'));
  for (const word of ['released', 'modified', 'rejected', 'before the broker answered'])
    assert.ok(
      faults.some((fault) => fault.includes(word)),
      `${word}: ${faults.join('; ')}`,
    );
  assert.deepEqual(got, ['the one']);
  await publisher.close();
  server.close();
});
