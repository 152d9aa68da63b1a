/** Against a real broker (`npm run test:broker`): whatever becomes of a delivery or of the broker, no message is lost. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import rhea, { type Delivery, type EventContext } from 'rhea';
import { Fault } from '../../base/errors.ts';
import { memoryObjects } from '../testing.ts';
import { type Message, openConnection, within } from './amqp.ts';
import { type TestBroker, testBroker } from './broker-testing.ts';
import { readBrokers } from './brokers.ts';
import { type Settled, startConsumer } from './consume.ts';
import { createPublisher } from './publish.ts';
import { createTake } from './take.ts';

let broker: TestBroker;
const said = mock.method(console, 'error');
before(async () => {
  broker = await testBroker([
    'kept',
    'dying',
    'again',
    'several',
    'answered',
    'put aside',
    'malformed',
    { name: 'narrow', arguments: { 'x-max-length': 3, 'x-overflow': 'reject-publish' } },
    { name: 'lettered', arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'put aside' } },
    { name: 'DLQ.malformed', arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } },
  ]);
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
/** For a queue that has arguments: under `/queue/` RabbitMQ 3 would declare it without, and refuse. */
const asItIs = (queue: string) => ({ ...settings(queue), address: '/amq/queue/{queue}' });

/** Takes what comes, as `how` says; gives what was taken for good, in order. */
function consumer(queue: string, how: (message: Message, times: number) => Settled | Promise<Settled> = () => 'accept') {
  const taken: string[] = [];
  const times = new Map<string, number>();
  const running = startConsumer({
    ...asItIs(queue),
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

test('a queue that takes no more: a message stays ours and is offered again until there is room, and none is lost', async () => {
  const publisher = createPublisher(asItIs('narrow'));
  const bodies = Array.from({ length: 12 }, (_, at) => `message ${at}`);
  const faults: string[] = [];
  let taking: ReturnType<typeof consumer> | null = null;
  for (const body of bodies)
    for (let accepted = false; !accepted; )
      try {
        await publisher.publish(named(body));
        accepted = true;
      } catch (thrown) {
        // RabbitMQ 3 does not get so far as to answer `rejected`: it stumbles over its queue's refusal and cuts the connection.
        assert.ok(thrown instanceof Fault && thrown.code === 'queue.notAccepted', String(thrown));
        faults.push(thrown.message);
        // Room comes only after several refusals.
        if (faults.length === 3) taking = consumer('narrow');
        await sleep(50);
      }
  assert.ok(faults.length >= 3, faults.join('; '));
  assert.match(faults[0] ?? '', /before the broker answered|answered "rejected"/);
  await until('all of them', () => new Set(taking?.taken).size === bodies.length);
  assert.deepEqual(new Set(taking?.taken), new Set(bodies));
  await taking?.close();
  await publisher.close();
});

test('what RabbitMQ makes of each answer: given up, again; modified, it ends the session; rejected, a dead letter, or gone where none is named', async () => {
  const left = async (queue: string): Promise<string[]> => {
    // The queue gives in order: what was there before is there when the last has come.
    const publisher = createPublisher(asItIs(queue));
    await publisher.publish(named('the last'));
    await publisher.close();
    const taking = consumer(queue);
    await until('the last', () => taking.taken.includes('the last'));
    await taking.close();
    return taking.taken.filter((body) => body !== 'the last').sort();
  };
  const answers: Record<string, (delivery: Delivery) => void> = {
    released: (delivery) => delivery.release(),
    modified: (delivery) => delivery.modified({ delivery_failed: true, undeliverable_here: true }),
    rejected: (delivery) => delivery.reject({ condition: 'amqp:decode-error', description: 'not understood' }),
  };
  const after: Record<string, unknown> = {};
  for (const queue of ['lettered', 'answered'])
    for (const [name, answer] of Object.entries(answers)) {
      const publisher = createPublisher(asItIs(queue));
      await publisher.publish(named(name));
      await publisher.close();
      const opened = await openConnection(readBrokers(broker.url));
      const receiver = opened.connection.open_receiver({ source: { address: `/amq/queue/${queue}` }, credit_window: 0, autoaccept: false });
      receiver.once('receiver_open', () => receiver.add_credit(1));
      const given = await within(opened, 30_000, (done) =>
        receiver.once('message', ({ delivery }: EventContext) => {
          if (delivery) answer(delivery);
          done();
        }),
      );
      assert.equal(given, null);
      const ended = name === 'modified' ? /Unrecognised state|amqp:/.exec(await opened.ended)?.[0] : null;
      await opened.shut();
      after[`${name}, ${queue}`] = { left: await left(queue), letters: await left('put aside'), ended: Boolean(ended) };
    }
  assert.deepEqual(after, {
    'released, lettered': { left: ['released'], letters: [], ended: false },
    'modified, lettered': { left: ['modified'], letters: [], ended: true },
    'rejected, lettered': { left: [], letters: ['rejected'], ended: false },
    'released, answered': { left: ['released'], letters: [], ended: false },
    'modified, answered': { left: ['modified'], letters: [], ended: true },
    // Why a message that nobody can use is published to the dead letters first, and never rejected.
    'rejected, answered': { left: [], letters: [], ended: false },
  });
});

test('what nobody can use is among the dead letters before it is done with: while those take no more, it stays where it is', async () => {
  const bodies = ['no JSON', '{"ebXML":', '[]'];
  const publisher = createPublisher(settings('malformed'));
  for (const body of bodies) await publisher.publish(named(body));
  await publisher.close();
  const dead = createPublisher(asItIs('DLQ.malformed'));
  const faults: unknown[] = [];
  const taking = startConsumer({
    ...settings('malformed'),
    atOnce: 1,
    pauseMs: 20,
    take: createTake({
      objects: memoryObjects(),
      accept: () => assert.fail('nothing of this can be kept'),
      ownsPartyKey: () => true,
      isMine: async () => true,
      forward: null,
      dead,
      now: () => new Date('2026-01-05T09:31:00Z'),
      alert: () => undefined,
    }),
    onFault: (error) => faults.push(error),
  });
  await until('refusals', () => faults.length >= 3);
  for (const fault of faults) assert.ok(fault instanceof Fault && fault.code.startsWith('queue.'), String(fault));
  const letters: Message[] = [];
  const operator = consumer('DLQ.malformed', (message) => {
    letters.push(message);
    return 'accept';
  });
  await until('all letters', () => new Set(operator.taken).size === bodies.length);
  assert.deepEqual(new Set(operator.taken), new Set(bodies));
  for (const { application_properties: properties } of letters)
    assert.ok(String(properties?.['x-gp2gp-reason']).length > 5 && properties?.['x-gp2gp-attempts'] === 1);
  await taking.close();
  await operator.close();
  await dead.close();
});

test('only `accepted` counts: released, modified and rejected are told, and the next attempt goes through', async () => {
  // RabbitMQ 3 itself answers `accepted` or ends the connection; the others come from a broker that is told to.
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
