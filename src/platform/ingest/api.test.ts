import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { connect } from '../../database/connect.ts';
import { EVENT_PATHS, type EventPath } from '../../mi/terms.ts';
import { createServer, listen } from '../../web/server.ts';
import { body, foldWritten, type TestPlatform, testPlatform } from '../testing.ts';
import { type IngestOptions, ingestApi } from './api.ts';
import { createGroup } from './group.ts';
import { addSubmitter, keyring, revokeSubmitter } from './submitters.ts';

let platform: TestPlatform;
let key: string;
const closing: (() => Promise<unknown>)[] = [];

before(async () => {
  platform = await testPlatform();
  key = await addSubmitter(platform.db, 'A supplier');
});
after(async () => {
  for (const close of closing) await close();
  await platform.close();
});

async function start(options: Partial<IngestOptions> = {}): Promise<string> {
  const server = createServer();
  await ingestApi(server, { db: platform.db, mode: 'compatible', ...options });
  closing.push(() => server.close());
  return listen(server);
}
async function post(at: string, path: string, text: string, headers: Record<string, string> = { apikey: key }) {
  const response = await fetch(`${at}/${path}`, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}
const AT = '2026-03-02T09:14:05Z';
const DEGRADES = {
  reportingSystemSupplier: 'ZZ901',
  payload: { degrades: [{ type: 'MEDICATION', reason: 'CODE', coding: [{ code: '1', system: 'http://snomed.info/sct' }] }] },
};
const textOf = (path: EventPath, at = AT, over = {}) => JSON.stringify(path === 'ehr-degrades' ? DEGRADES : body(path, at, over));
const count = async (table = 'events') =>
  Number((await sql<{ n: number }>`select count(*) as n from platform.${sql.raw(table)}`.execute(platform.db)).rows[0]?.n);

test('each of the nine endpoints takes its event, under both addresses, and gives its id back', async () => {
  const at = await start();
  await sql`truncate platform.events, platform.degrades`.execute(platform.db);
  for (const path of EVENT_PATHS) {
    const first = await post(at, path, textOf(path));
    assert.equal(first.status, 200, `${path}: ${JSON.stringify(first.body)}`);
    assert.match(String(first.body['eventId']), /^[0-9a-f]{8}-[0-9a-f]{4}-[34][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const again = await post(at, `gp-registrations-mi/${path}`, textOf(path));
    assert.equal(again.status, 200);
    // Degrades cannot be told apart: nothing in them says so.
    assert.equal(again.body['eventId'] === first.body['eventId'], path !== 'ehr-degrades');
  }
  assert.equal(await count(), 8);
  assert.equal(await count('degrades'), 2);
});

test('the id is the MD5 of conversation, type and time, the same every time', async () => {
  const at = await start();
  const { body: answered } = await post(at, 'ehr-requests', textOf('ehr-requests', '2020-01-01T22:22:00Z', { conversationId: 'abc' }));
  // md5sum of `abcEHR_REQUESTS2020-01-01T22:22`, as a UUID of version 3.
  assert.equal(answered['eventId'], 'cd6720e0-ec57-333a-897e-6c7e743f64cf');
});

test('an event is there before it is answered', async () => {
  const at = await start();
  const other = connect(platform.url, { connections: 1 });
  closing.push(() => other.destroy());
  for (let number = 0; number < 20; number++) {
    const conversationId = `durable-${number}`;
    const { status } = await post(at, 'ehr-requests', textOf('ehr-requests', AT, { conversationId }));
    const { rows } = await sql`select 1 from platform.events where conversation = ${conversationId}`.execute(other);
    assert.deepEqual([status, rows.length], [200, 1]);
  }
});

test('a wrong key, none, and one that was revoked are refused, and nothing is kept', async () => {
  const at = await start();
  const before = await count();
  const text = textOf('ehr-requests', AT, { conversationId: 'refused' });
  assert.equal((await post(at, 'ehr-requests', text, {})).status, 401);
  assert.equal((await post(at, 'ehr-requests', text, { apikey: 'wrong' })).status, 401);
  const own = await addSubmitter(platform.db, 'Another');
  const find = keyring(platform.db);
  assert.equal((await find(own))?.name, 'Another');
  await revokeSubmitter(platform.db, 'Another');
  assert.equal((await post(at, 'ehr-requests', text, { apikey: own })).status, 401);
  await assert.rejects(revokeSubmitter(platform.db, 'Another'), /has no key/);
  await assert.rejects(addSubmitter(platform.db, 'A supplier'), /has a key already/);
  assert.equal(await count(), before);
  const { rows } = await sql<{ key_hash: Buffer }>`select key_hash from platform.submitters`.execute(platform.db);
  assert.ok(rows.every(({ key_hash }) => key_hash.length === 32 && !key_hash.toString('latin1').includes(key)));
});

test('a key that was revoked is refused within seconds', async () => {
  let now = 0;
  const own = await addSubmitter(platform.db, 'Short');
  const find = keyring(platform.db, () => now);
  assert.equal((await find(own))?.name, 'Short');
  await revokeSubmitter(platform.db, 'Short');
  now = 5_001;
  assert.equal(await find(own), null);
});

test('a malformed event is refused with the field that is wrong, and costs no other event', async () => {
  const at = await start();
  const good = textOf('ehr-requests', AT, { conversationId: 'beside bad ones' });
  const bad: readonly [string, string, string, RegExp][] = [
    ['ehr-requests', '{', 'Invalid JSON', /^Unable to parse JSON$/],
    ['ehr-requests', '{"registrationEventDateTime":"2026-', 'Invalid JSON', /^registrationEventDateTime: /],
    ['ehr-requests', textOf('ehr-requests', 'yesterday'), 'Invalid request field', /^registrationEventDateTime: /],
    ['ehr-requests', textOf('ehr-requests', '0000-01-01T00:00:00Z'), 'Invalid request field', /^registrationEventDateTime: /],
    ['ehr-requests', textOf('ehr-requests', AT, { unknown: 1 }), 'Invalid request field', /^unknown: /],
    [
      'ehr-requests',
      textOf('ehr-requests', AT, { conversationId: '' }),
      'Failed to validate fields',
      /^conversationId: must not be empty$/,
    ],
    [
      'ehr-integrations',
      textOf('ehr-integrations', AT, { payload: { integration: { outcome: 'LOST' } } }),
      'Failed to validate fields',
      /^payload\.integration\.outcome: Must be one of/,
    ],
    ['ehr-degrades', JSON.stringify({ ...DEGRADES, conversationId: 'a link' }), 'Invalid request field', /^conversationId: /],
    ['registrations', '', 'Invalid JSON', /^Unable to parse JSON$/],
  ];
  const answers = await Promise.all([...bad.map(([path, text]) => post(at, path, text)), post(at, 'ehr-requests', good)]);
  for (const [number, [, text, message, error]] of bad.entries()) {
    const answered = answers[number];
    assert.ok(answered);
    assert.equal(answered.status, 400, text);
    assert.equal(answered.body['status'], 'BAD_REQUEST');
    assert.equal(answered.body['message'], message, text);
    assert.match((answered.body['errors'] as string[])[0] ?? '', error, text);
  }
  assert.equal(answers.at(-1)?.status, 200);
  const { rows } = await sql`select 1 from platform.events where conversation = 'beside bad ones'`.execute(platform.db);
  assert.equal(rows.length, 1);
});

test('events that come in any order, doubled and with bad ones between them make the same transfer', async () => {
  const at = await start();
  const conversationId = 'out of order';
  const told = [
    ['ehr-integrations', '2026-03-03T08:02:44Z'],
    ['ehr-responses', '2026-03-02T09:15:31Z'],
    ['ready-to-integrate-statuses', '2026-03-02T09:20:00Z'],
    ['ehr-requests', '2026-03-02T09:14:09Z'],
    ['registrations', '2026-03-02T09:14:05Z'],
    ['ehr-responses', '2026-03-02T09:15:31Z'],
    ['transfer-compatibility-statuses', '2026-03-02T09:14:07Z'],
  ] as const;
  for (const [path, time] of told) {
    assert.equal((await post(at, path, textOf(path, time, { conversationId }))).status, 200);
    assert.equal((await post(at, path, textOf(path, 'yesterday', { conversationId }))).status, 400);
  }
  await foldWritten(platform.db);
  const { rows } = await sql<Record<string, unknown>>`
    select registration_status, status, sla_seconds from platform.transfers where conversation = ${conversationId}`.execute(platform.db);
  assert.deepEqual(rows, [{ registration_status: 'INTEGRATION', status: 'Integrated on time', sla_seconds: 82_033 }]);
  const { rows: kept } = await sql`select 1 from platform.events where conversation = ${conversationId}`.execute(platform.db);
  assert.equal(kept.length, told.length - 1);
});

test('degrades are kept each by itself, under one random id and the day of UTC on which they came', async () => {
  // Half past midnight of London, in summer.
  const at = await start({ now: () => new Date('2026-06-30T23:30:00Z') });
  await sql`truncate platform.degrades`.execute(platform.db);
  const [simple] = DEGRADES.payload.degrades;
  const complex = {
    type: 'DRUG_ALLERGY',
    reason: 'DRUG_NAME',
    coding: [
      { code: '22A..', system: 'CLINICAL_TERMS_READV3' },
      { code: '196211000000109', system: 'http://snomed.info/sct' },
    ],
  };
  const send = async (degrades: readonly unknown[]) =>
    String((await post(at, 'ehr-degrades', JSON.stringify({ ...DEGRADES, payload: { degrades } }))).body['eventId']);
  const [one, several, none] = [await send([simple]), await send([simple, complex, simple]), await send([])];
  for (const id of [one, several, none]) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set([one, several, none]).size, 3);
  const { rows } = await sql<Record<string, unknown>>`
    select event_id, number, day::text as day, supplier, type, reason, coding from platform.degrades
    order by event_id = ${several}, number`.execute(platform.db);
  const row = (eventId: string, number: number, { type, reason, coding }: typeof complex) => ({
    event_id: eventId,
    number,
    day: '2026-06-30',
    supplier: 'ZZ901',
    type,
    reason,
    coding,
  });
  assert.ok(simple);
  assert.deepEqual(rows, [row(one, 1, simple), row(several, 1, simple), row(several, 2, complex), row(several, 3, simple)]);
});

test('what is no degrade is refused where degrades are taken, and a degrade everywhere else', async () => {
  const at = await start();
  const before = [await count(), await count('degrades')];
  assert.equal((await post(at, 'ehr-degrades', textOf('ehr-requests'))).status, 400);
  assert.equal((await post(at, 'ehr-degrades', textOf('errors'))).status, 400);
  for (const path of EVENT_PATHS.filter((each) => each !== 'ehr-degrades'))
    assert.equal((await post(at, path, JSON.stringify(DEGRADES))).status, 400, path);
  assert.deepEqual([await count(), await count('degrades')], before);
});

test('an empty object is told of each field that it lacks', async () => {
  const at = await start();
  const { body: answered } = await post(at, 'registrations', '{}');
  assert.equal(answered['message'], 'Failed to validate fields');
  assert.deepEqual((answered['errors'] as string[]).map((error) => error.split(':')[0]).sort(), [
    'conversationId',
    'payload',
    'registrationEventDateTime',
    'reportingPracticeOdsCode',
    'reportingSystemSupplier',
    'requestingPracticeOdsCode',
  ]);
});

test('strict: what the specification demands and the national service does not', async () => {
  const [compatible, strict] = [await start(), await start({ mode: 'strict', now: () => new Date('2026-03-02T10:00:00Z') })];
  const texts = [
    textOf('ehr-requests', AT, { sendingPracticeOdsCode: null }),
    textOf('ehr-requests', AT, { conversationId: 'no-uuid' }),
    textOf('ehr-requests', '2026-03-02T09:14:05'),
    textOf('ehr-requests', '2027-03-02T09:14:05Z'),
    textOf('ehr-requests', AT, { reportingPracticeOdsCode: 'Z99999' }),
  ];
  for (const text of texts) {
    assert.equal((await post(compatible, 'ehr-requests', text)).status, 200, text);
    assert.equal((await post(strict, 'ehr-requests', text)).status, 400, text);
  }
  assert.equal((await post(strict, 'ehr-requests', textOf('ehr-requests'))).status, 200);
});

test('whoever sends more than allowed is asked to wait, the others are not', async () => {
  const other = await addSubmitter(platform.db, 'Quiet');
  const at = await start({ perSecond: 0.001, burst: 3 });
  const statuses: number[] = [];
  for (let number = 0; number < 5; number++) statuses.push((await post(at, 'ehr-requests', textOf('ehr-requests'))).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  const refused = await post(at, 'ehr-requests', textOf('ehr-requests'));
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await post(at, 'ehr-requests', textOf('ehr-requests'), { apikey: other })).status, 200);
});

test('many at once, with doubles, over two servers, are each kept once', async () => {
  const servers = [await start(), await start()];
  const texts = Array.from({ length: 200 }, (_, number) => textOf('ehr-requests', AT, { conversationId: `many-${number % 100}` }));
  const answers = await Promise.all(texts.map((text, number) => post(servers[number % 3 === 0 ? 0 : 1] ?? '', 'ehr-requests', text)));
  assert.ok(answers.every(({ status }) => status === 200));
  const { rows } = await sql<{ n: number }>`select count(*) as n from platform.events where conversation like 'many-%'`.execute(
    platform.db,
  );
  assert.equal(rows[0]?.n, 100);
});

test('a database that is away is answered with 503 and a time to come again', async () => {
  const away = connect<Record<never, never>>('postgresql://nobody@127.0.0.1:1/none', { connections: 1 });
  const faults: unknown[] = [];
  const at = await start({ db: away, onFault: (thrown) => faults.push(thrown) });
  const refused = await post(at, 'ehr-requests', textOf('ehr-requests'));
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '5');
  assert.equal(faults.length, 1);
  assert.equal((await fetch(`${at}/_ping`)).status, 200);
  assert.equal((await fetch(`${at}/_status`)).status, 503);
  await away.destroy();
});

test('answers carry the headers that keep browsers from guessing, and health is told', async () => {
  const at = await start();
  const { headers } = await post(at, 'ehr-requests', textOf('ehr-requests'));
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('x-xss-protection'), '1; mode=block');
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal((await fetch(`${at}/_status`)).status, 200);
  assert.equal((await fetch(`${at}/ehr-requests`)).status, 404);
});

test('a group that fails is written row by row, so that one costs nobody else', async () => {
  const sizes: number[] = [];
  const kept: number[] = [];
  const group = createGroup<number>(async (rows) => {
    sizes.push(rows.length);
    if (rows.includes(13)) throw new Error('13');
    kept.push(...rows);
  });
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, number) => group.write(number)));
  assert.deepEqual(
    results.flatMap(({ status }, number) => (status === 'rejected' ? [number] : [])),
    [13],
  );
  assert.deepEqual(
    kept.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, number) => number).filter((number) => number !== 13),
  );
  assert.equal(sizes[0], 20);
  await group.idle();
});
