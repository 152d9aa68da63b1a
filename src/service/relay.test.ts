/** In the place of the existing message adaptor: what its clients see, on both of its faces. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { sql } from 'kysely';
import { pino } from 'pino';
import rhea from 'rhea';
import { ods } from '../base/ids.ts';
import { openObjects } from '../objects/objects.ts';
import { startSds } from '../simulator/sds.ts';
import { readBrokers } from '../spine/adaptor/brokers.ts';
import { messageEndpoint } from '../spine/endpoint.ts';
import { createSds } from '../spine/sds.ts';
import { createSender } from '../spine/send.ts';
import { bytesOf, memoryObjects, packed, requestMessage } from '../spine/testing.ts';
import { testStore } from '../store/testing.ts';
import { createClient, readBody } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import type { Metrics } from './metrics.ts';
import { type Relay, type RelayOptions, startRelay } from './relay.ts';

const closers: (() => Promise<unknown>)[] = [];
/** Of one test: relays of others would take its messages. */
const own: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of own.splice(0).reverse()) await close();
});
const client = createClient();
let shared: Pick<RelayOptions, 'db' | 'objects' | 'sds'>;
before(async () => {
  const store = await testStore();
  closers.push(() => store.close());
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-relay-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const directory = await startSds({
    intermediaryUrl: 'https://spine.test/',
    organisations: [{ ods: 'B22222', asid: '200000000002', partyKey: 'B22222-000002' }],
  });
  closers.push(() => directory.close());
  shared = {
    db: store.db,
    objects: await openObjects(join(folder, 'objects')),
    sds: createSds({
      url: `${directory.url}/spine-directory/FHIR/R4`,
      apiKey: '',
      client,
      newId: randomUUID,
      now: () => new Date(),
      waits: [],
      zeroHitWaits: [],
    }),
  };
});
after(async () => {
  for (const close of closers.reverse()) await close();
  await client.close();
});

/** Spine with one answer for each post, the last for all that follow. */
async function spine(...answers: readonly { status: number; body?: string; waitMs?: number }[]) {
  const bodies: string[] = [];
  const server = createServer();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 9e6 }, (_request, body, done) => done(null, body));
  server.post('*', async (request, reply) => {
    bodies.push((request.body as Buffer).toString('utf8'));
    const { status, body = '', waitMs = 0 } = answers[Math.min(bodies.length, answers.length) - 1] ?? { status: 202 };
    if (waitMs) await new Promise((done) => setTimeout(done, waitMs));
    return reply.code(status).type('text/xml').send(body);
  });
  const url = await listen(server);
  own.push(() => server.close());
  return { url, bodies };
}

async function relaying(spineUrl: string, change: Partial<RelayOptions> = {}): Promise<{ relay: Relay; url: string }> {
  const nothing = { sent: () => undefined, fault: () => undefined } as unknown as Metrics;
  const relay = startRelay({
    ...shared,
    partyKey: 'A11111-000001',
    queue: { brokers: readBrokers('amqp://127.0.0.1:9'), queue: 'q' },
    messageSeconds: 0,
    acceptMode: 'spine',
    waitSeconds: 20,
    messageLimit: 5_000_000,
    spineOds: ods('YES'),
    spineUrl,
    sender: createSender({ client, objects: shared.objects, connectWaits: [] }),
    owner: randomUUID(),
    leaseSeconds: 5,
    pollMs: 50,
    now: () => new Date(),
    metrics: nothing,
    log: pino({ level: 'silent' }),
    ...change,
  });
  const server = createServer();
  await relay.face(server);
  const url = await listen(server);
  own.push(async () => {
    await server.close();
    await relay.stop();
  });
  return { relay, url };
}

const DOCUMENT = { content_type: 'text/plain', is_base64: false, description: 'Filename="a.txt"', payload: 'a letter', document_id: '_D1' };
const BODY = {
  payload: '<RCMR_IN030000UK06/>',
  attachments: [DOCUMENT],
  external_attachments: [{ message_id: 'M2', description: 'Filename="b.tif"', document_id: '_D2' }],
};
const HEADERS = {
  'Interaction-Id': 'RCMR_IN030000UK06',
  'wait-for-response': 'false',
  'Content-Type': 'application/json',
  'ods-code': 'B22222',
};

async function post(url: string, body: unknown = BODY, headers: Record<string, string | undefined> = {}) {
  const all = Object.fromEntries(
    Object.entries({ ...HEADERS, ...headers }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const answer = await client.request({
    method: 'POST',
    url: `${url}/`,
    headers: all,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, body: (await readBody(answer, 1e6)).toString('utf8'), headers: answer.headers };
}

test('the same post twice, one after the other and at once, is one envelope with one answer; the same id with another body is a conflict', async () => {
  const { url: spineUrl, bodies } = await spine({ status: 202, waitMs: 200 });
  const { url } = await relaying(spineUrl);
  const id = randomUUID().toUpperCase();
  const headers = { 'Message-Id': id, 'Correlation-Id': randomUUID() };
  const answers = await Promise.all([post(url, BODY, headers), post(url, BODY, headers), post(url, BODY, headers)]);
  answers.push(await post(url, BODY, { ...headers, 'Message-Id': id.toLowerCase() }));
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body]),
    Array.from({ length: 4 }, () => [202, '']),
  );
  assert.deepEqual(
    [answers[0]?.headers.get('message-id'), answers[0]?.headers.get('correlation-id')],
    [id, headers['Correlation-Id'].toUpperCase()],
  );
  assert.equal(bodies.length, 1);
  const other = await post(url, { ...BODY, payload: '<RCMR_IN030000UK06 other="1"/>' }, headers);
  assert.equal(other.status, 409);
  assert.equal((await post(url, BODY, { ...headers, 'Correlation-Id': randomUUID() })).status, 409);
  assert.equal(bodies.length, 1);
  // Everything that the client gave stands in the one envelope.
  const [envelope = ''] = bodies;
  for (const part of [
    `<eb:MessageId>${id}</eb:MessageId>`,
    'B22222-000002',
    'A11111-000001',
    'eb:id="_D1"',
    'xlink:href="mid:M2"',
    'eb:id="_D2"',
    '<RCMR_IN030000UK06/>',
    'a letter',
    'Content-Transfer-Encoding: 8bit',
  ])
    assert.ok(envelope.includes(part), part);
});

test('what Spine says reaches the client: refused in the adaptor’s words, unknown as a 202 that is repeated until it is known', async () => {
  const error =
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><MessageHeader/><ErrorList><Error errorCode="ValueNotRecognized" severity="Error"><Description>501319:Unknown eb:CPAId</Description></Error></ErrorList></e:Header></e:Envelope>';
  const refusing = await spine({ status: 200, body: error });
  const refused = await post((await relaying(refusing.url)).url, BODY, { 'Message-Id': randomUUID() });
  assert.equal(refused.status, 500);
  const told = JSON.parse(refused.body) as { process_key: string; errors: { errorCode: string; Description: string; errorType: string }[] };
  assert.deepEqual(
    [told.process_key, told.errors[0]?.errorCode, told.errors[0]?.Description, told.errors[0]?.errorType],
    ['EBXML_ERROR_HANDLER0005', 'ValueNotRecognized', '501319:Unknown eb:CPAId', 'ebxml_error'],
  );

  const ailing = await spine({ status: 500 }, { status: 202 });
  const id = randomUUID().toUpperCase();
  const { url } = await relaying(ailing.url, { waitSeconds: 0.5 });
  assert.equal((await post(url, BODY, { 'Message-Id': id })).status, 202, 'it may have arrived: never an error');
  await sql`update relayed_out set due_at = now() where message_id = ${id}`.execute(shared.db);
  for (const deadline = Date.now() + 10_000; ailing.bodies.length < 2 && Date.now() < deadline; )
    await new Promise((done) => setTimeout(done, 20));
  assert.equal(ailing.bodies[1], ailing.bodies[0], 'the same bytes');
  // Expired without an answer: then the client is told.
  const silent = await spine({ status: 503 });
  const late = randomUUID().toUpperCase();
  const { url: lateUrl } = await relaying(silent.url, { waitSeconds: 0.3 });
  assert.equal((await post(lateUrl, BODY, { 'Message-Id': late })).status, 202);
  await sql`update relayed_out set until = now(), due_at = now() where message_id = ${late}`.execute(shared.db);
  await new Promise((done) => setTimeout(done, 600));
  assert.deepEqual([(await post(lateUrl, BODY, { 'Message-Id': late })).status, silent.bodies.length], [500, 1]);
});

test('a client that wants no more than durability is answered at once, and its message leaves when Spine is back', async () => {
  const gone = await spine({ status: 202 });
  const port = Number(new URL(gone.url).port);
  await own.pop()?.();
  const { url } = await relaying(gone.url, { acceptMode: 'durable' });
  const id = randomUUID().toUpperCase();
  assert.equal((await post(url, BODY, { 'Message-Id': id })).status, 202);
  const bodies: string[] = [];
  const server = createServer();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('*', async (request, reply) => {
    bodies.push(String(request.body));
    return reply.code(202).send();
  });
  await listen(server, { port });
  own.push(() => server.close());
  for (const deadline = Date.now() + 20_000; bodies.length === 0 && Date.now() < deadline; )
    await new Promise((done) => setTimeout(done, 50));
  assert.equal(bodies.length, 1);
});

test('each request that the adaptor refuses is refused with its status and its words', async () => {
  const { url: spineUrl, bodies } = await spine({ status: 202 });
  const { url } = await relaying(spineUrl);
  const long = 'x'.repeat(5_000_001);
  const cases: readonly [number, RegExp, unknown, Record<string, string | undefined>][] = [
    [404, /^404: Required Interaction-Id header not found$/, BODY, { 'Interaction-Id': undefined }],
    [404, /^404: Unknown interaction ID: X$/, BODY, { 'Interaction-Id': 'X' }],
    [400, /wait-for-response/, BODY, { 'wait-for-response': undefined }],
    [400, /wait-for-response/, BODY, { 'wait-for-response': 'maybe' }],
    [400, /wait-for-response/, BODY, { 'wait-for-response': 'TRUE' }],
    [400, /Content-Type/, BODY, { 'Content-Type': undefined }],
    [415, /application\/json/, BODY, { 'Content-Type': 'text/xml' }],
    [400, /Body missing/, '', {}],
    [400, /Invalid JSON/, '{"payload":', {}],
    [400, /"payload"/, {}, {}],
    [400, /"payload"/, { payload: 1 }, {}],
    [400, /"payload"/, { payload: '' }, {}],
    [400, /Longer than maximum length/, { payload: long }, {}],
    [400, /"is_base64":\["Not a valid boolean/, { ...BODY, attachments: [{ ...DOCUMENT, is_base64: 'true' }] }, {}],
    [400, /"is_base64"/, { ...BODY, attachments: [{ ...DOCUMENT, is_base64: undefined }] }, {}],
    [400, /"content_type"/, { ...BODY, attachments: [{ ...DOCUMENT, content_type: 'application/zip' }] }, {}],
    [400, /"description"/, { ...BODY, attachments: [{ ...DOCUMENT, description: '' }] }, {}],
    [400, /"attachments":\["Longer than maximum length 98/, { ...BODY, attachments: Array.from({ length: 99 }, () => DOCUMENT) }, {}],
    [400, /"message_id"/, { ...BODY, external_attachments: [{ description: 'x' }] }, {}],
    [
      400,
      /too large. MaxRequestSize=5000000 RequestSize=/,
      { ...BODY, attachments: [{ ...DOCUMENT, payload: 'x'.repeat(4_999_999) }] },
      {},
    ],
    [500, /Error obtaining outbound URL/, BODY, { 'ods-code': 'Z99999' }],
  ];
  for (const [status, says, body, headers] of cases) {
    const got = await post(url, body, { 'Message-Id': randomUUID(), ...headers });
    assert.equal(got.status, status, `${says}: ${got.status} ${got.body.slice(0, 200)}`);
    assert.match(got.body, says);
  }
  assert.equal(bodies.length, 0);
  // Taken all the same: a charset, members that nobody knows, any case of a header's value, no ids.
  const lenient = await post(
    url,
    { ...BODY, external_attachments: [{ message_id: 'M', description: 'd', title: 't' }] },
    { 'Content-Type': 'application/json;charset=UTF-8', 'wait-for-response': 'FALSE' },
  );
  assert.equal(lenient.status, 202);
  assert.match(lenient.headers.get('message-id') ?? '', /^[0-9A-F-]{36}$/);
  assert.equal((await client.request({ method: 'GET', url: `${url}/healthcheck` })).status, 200);
});

test('a message of Spine is acknowledged when it is durable, waits while there is no broker, and comes by the queue as the adaptor’s does', async () => {
  const container = rhea.create_container();
  const got: { body: string; properties: unknown; durable: boolean; type: string }[] = [];
  let refusals = 0;
  container.on('receiver_open', ({ receiver }) => receiver?.set_target({ address: 'q' }));
  container.on('message', ({ message, delivery }) => {
    if (refusals++ === 0) {
      delivery?.release();
      return;
    }
    got.push({
      body: String(message?.body),
      properties: message?.application_properties,
      durable: message?.durable ?? false,
      type: String(message?.content_type),
    });
    delivery?.accept();
  });
  for (const event of ['error', 'disconnected', 'connection_open']) container.on(event, () => undefined);
  const free = createServer();
  const port = Number(new URL(await listen(free)).port);
  await free.close();

  const { relay } = await relaying('http://127.0.0.1:9', {
    queue: { brokers: readBrokers(`amqp://127.0.0.1:${port}`), queue: 'q' },
    partyKey: 'B22222-000002',
  });
  const server = createServer();
  await messageEndpoint(server, {
    objects: shared.objects,
    accept: (inbound) => relay.keepUnqueued(inbound),
    ownsPartyKey: () => true,
    relay: relay.endpoint,
    isOurs: (_partyKey, id) => relay.isKnown(id),
    acknowledged: (_partyKey, id) => relay.acknowledged(id),
    now: () => new Date(),
    forward: null,
    alert: () => undefined,
  });
  const url = await listen(server);
  own.push(() => server.close());
  const of = packed(requestMessage());
  const bytes = await bytesOf(of, memoryObjects());
  const arrive = async (body: Buffer | string) => {
    const answer = await client.request({
      method: 'POST',
      url,
      headers: { 'content-type': of.contentType, soapaction: of.soapAction },
      body,
    });
    return (await readBody(answer, 1e5)).toString('utf8');
  };
  const first = await arrive(bytes);
  assert.match(first, /Acknowledgment/);
  assert.equal(await arrive(bytes), first, 'the stored answer, and one message');
  await new Promise((done) => setTimeout(done, 300));

  const broker = container.listen({ port, host: '127.0.0.1', receiver_options: { autoaccept: false } } as never);
  own.push(async () => broker.close());
  await sql`update relayed_in set due_at = now()`.execute(shared.db);
  for (const deadline = Date.now() + 30_000; got.length === 0 && Date.now() < deadline; ) await new Promise((done) => setTimeout(done, 50));
  assert.equal(got.length, 1);
  assert.ok(refusals >= 2, 'released once, and published again');
  const [message] = got;
  assert.deepEqual([message?.durable, message?.type], [true, 'application/json']);
  assert.deepEqual(message?.properties, {
    'message-id': '0F3C0A10-0000-4000-8000-000000000001',
    'correlation-id': '0F3C0A10-0000-4000-8000-00000000C001',
  });
  const body = JSON.parse(message?.body ?? '') as Record<string, unknown>;
  assert.deepEqual(Object.keys(body), ['ebXML', 'payload', 'attachments', 'external_attachments']);
  assert.ok(bytes.includes(String(body['ebXML'])) && bytes.includes(String(body['payload'])), 'envelope and payload as they came');
  const { rows } = await sql<{ open: number }>`select count(*) filter (where done_at is null) as open from relayed_in`.execute(shared.db);
  assert.equal(rows[0]?.open, 0);
  // A body that was cut off is refused, and the same again gets the same answer.
  const cut = bytes
    .toString()
    .replaceAll('0F3C0A10-0000-4000-8000-000000000001', '0F3C0A10-0000-4000-8000-000000000002')
    .replace('</RCMR_IN010000UK05>', '</RCMR_IN010000UK05>\r\n--')
    .slice(0, -60);
  const refused = await arrive(cut);
  assert.match(refused, /MessageError|Acknowledgment/);
  assert.equal(await arrive(cut), refused);
});
