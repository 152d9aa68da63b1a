import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { conversationId, type Ods, ods, type TransferId, transferId } from '../base/ids.ts';
import { createClient, readBody } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { type Download, type PracticeActions, practiceApi } from './api.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const HOME = ods('A11111');
const calls: unknown[][] = [];

/** Everything that exists belongs to one practice: the functions look at nothing else, as those of a node do. */
function at<T>(practice: Ods, id: TransferId, value: T): T | null {
  return practice === HOME && id === 'T-1' ? value : null;
}

function download(text: string): Download {
  async function* body() {
    yield Buffer.from(text.slice(0, 3));
    yield Buffer.from(text.slice(3));
  }
  return { bytes: Buffer.byteLength(text), sha256: digest(text), body };
}

const actions: PracticeActions = {
  register: async (practice, registration) => {
    calls.push(['register', practice, registration]);
    return { transferId: transferId('T-1'), conversationId: conversationId('C-1') };
  },
  transfers: async (practice, query) => ({ transfers: [{ practice, ...query }] }),
  transfer: async (practice, id) => at(practice, id, { transferId: id, state: 'filing' }),
  timeline: async (practice, id) => at(practice, id, [{ note: 'A core came' }]),
  record: async (practice, id) => at(practice, id, download('{"resourceType":"Bundle"}')),
  report: async (practice, id) => at(practice, id, download('{}')),
  documents: async (practice, id) => at(practice, id, [{ documentId: 'D1', name: 'scan.tif' }]),
  document: async (practice, id, document) =>
    document === 'D1' ? at(practice, id, { ...download('MM\u0000*image'), name: 'a "b"\r\n’.tif' }) : null,
  printList: async (practice, id) => (id === 'T-OPEN' ? 'open' : id === 'T-OLD' ? 'erased' : at(practice, id, { print: 'nothing' })),
  filing: async (practice, id, word) => {
    calls.push(['filing', practice, id, word]);
    return at(practice, id, word.version === 3 ? 'taken' : word.version === 2 ? 'otherRecord' : 'notNow');
  },
  decide: async (practice, id, decision) => at(practice, id, decision.decision === 'withdraw' ? 'notNow' : 'taken'),
};

const server = createServer();
await practiceApi(server, {
  actions,
  practices: () => [
    { ods: HOME, apiKeySha256: digest('home-key') },
    { ods: ods('B22222'), apiKeySha256: digest('other-key') },
  ],
});
const url = await listen(server);
const client = createClient();
after(async () => {
  await client.close();
  await server.close();
});

async function call(method: 'GET' | 'POST', path: string, body?: unknown, key: string | null = 'home-key') {
  const answer = await client.request({
    method,
    url: `${url}/api/practices/${path}`,
    headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = String(await readBody(answer, 1e6));
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : null,
  };
}

test('a registration begins a transfer for the practice whose key is shown', async () => {
  const got = await call('POST', 'a11111/registrations', { registrationId: 'R1', nhsNumber: '900 000 0009', previousPractice: 'b22222' });
  assert.deepEqual([got.status, got.body], [202, { transferId: 'T-1', conversationId: 'C-1' }]);
  assert.deepEqual(calls.at(-1), [
    'register',
    'A11111',
    { registrationId: 'R1', nhsNumber: '9000000009', previousPractice: 'B22222', patientClass: 'permanent' },
  ]);
});

test('what is wrong with a body is said, all of it', async () => {
  const got = await call('POST', 'A11111/registrations', { nhsNumber: '123', previousPractice: '../x', extra: 1 });
  assert.equal(got.status, 400);
  assert.equal(got.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  for (const name of ['registrationId', 'nhsNumber: an NHS number has ten digits', 'previousPractice', 'extra'])
    assert.ok(got.body.detail.includes(name), `${name} in ${got.body.detail}`);
  assert.equal((await call('POST', 'A11111/registrations', '{"a":')).status, 400);
  assert.equal((await call('GET', 'A11111/transfers?limit=0')).status, 400);
  assert.equal((await call('GET', 'A11111/transfers?unknown=1')).status, 400);
});

test('without a key, or with an unknown one, nothing is answered about any practice', async () => {
  const paths = ['A11111/transfers', 'A11111/transfers/T-1', 'B22222/transfers', 'Z99999/transfers'];
  const answers = new Set<string>();
  for (const path of paths)
    for (const key of [null, 'wrong', 'home-key2', '']) {
      const got = await call('GET', path, undefined, key);
      assert.equal(got.status, 401, path);
      answers.add(got.text);
    }
  assert.equal(answers.size, 1);
});

test("another practice's transfer and one that does not exist are the same nothing, byte for byte", async () => {
  const answers = await Promise.all([
    call('GET', 'A11111/transfers/T-1', undefined, 'other-key'),
    call('GET', 'B22222/transfers/T-1', undefined, 'other-key'),
    call('GET', 'B22222/transfers/T-2', undefined, 'other-key'),
    call('GET', 'Z99999/transfers/T-1', undefined, 'other-key'),
    call('GET', 'A11111/transfers/..%2f..', undefined, 'home-key'),
    call('GET', 'A11111/transfers/T-1/documents/D2', undefined, 'home-key'),
    call('POST', 'A11111/transfers/T-1/decision', { decision: 'reject', user: 'u', role: 'r' }, 'other-key'),
  ]);
  for (const { status } of answers) assert.equal(status, 404);
  const of = ({ text, headers }: (typeof answers)[number]) => [text, [...headers].filter(([name]) => name !== 'date')];
  for (const answer of answers) assert.deepEqual(of(answer), of(answers[0] ?? answer));
});

test('a record comes with its hash, a document as bytes that no browser acts on', async () => {
  const record = await call('GET', 'A11111/transfers/T-1/record');
  assert.equal(record.text, '{"resourceType":"Bundle"}');
  assert.deepEqual(
    [record.headers.get('etag'), record.headers.get('content-type'), record.headers.get('content-length')],
    [`"${digest(record.text)}"`, 'application/fhir+json', '25'],
  );
  const document = await call('GET', 'A11111/transfers/T-1/documents/_d1');
  assert.equal(document.text, 'MM\u0000*image');
  assert.deepEqual(
    ['content-type', 'content-disposition', 'x-content-type-options', 'cache-control'].map((name) => document.headers.get(name)),
    ['application/octet-stream', "attachment; filename*=UTF-8''a%20%22b%22%0D%0A%E2%80%99.tif", 'nosniff', 'no-store'],
  );
  assert.match(document.headers.get('content-security-policy') ?? '', /sandbox/);
  assert.deepEqual((await call('GET', 'A11111/transfers/T-1/documents')).body, [{ documentId: 'D1', name: 'scan.tif' }]);
  assert.deepEqual((await call('GET', 'A11111/transfers/T-1/timeline')).body, [{ note: 'A core came' }]);
});

test('the word about a filing names version and hash, and is told when it is about another record', async () => {
  const word = (version: number) => ({ version, sha256: 'A'.repeat(64), answer: 'filed' });
  assert.equal((await call('POST', 'A11111/transfers/t-1/filing', word(3))).status, 200);
  assert.deepEqual(calls.at(-1), ['filing', 'A11111', 'T-1', { version: 3, sha256: 'a'.repeat(64), answer: 'filed' }]);
  const other = await call('POST', 'A11111/transfers/T-1/filing', word(2));
  assert.deepEqual([other.status, other.body.code], [422, 'filing.otherRecord']);
  assert.equal((await call('POST', 'A11111/transfers/T-1/filing', word(1))).status, 409);
  assert.equal((await call('POST', 'A11111/transfers/T-1/filing', { answer: 'filed' })).status, 400);
});

test('a decision that the state does not allow is a conflict', async () => {
  const decide = async (decision: string) =>
    (await call('POST', 'A11111/transfers/T-1/decision', { decision, user: 'u1', role: 'clinician' })).status;
  assert.equal(await decide('integrate'), 200);
  assert.equal(await decide('withdraw'), 409);
  assert.equal(await decide('burn'), 400);
});

test('what goes on paper is told when the transfer has ended, and no longer than it is kept', async () => {
  assert.deepEqual((await call('GET', `${HOME}/transfers/T-1/print-list`)).body, { print: 'nothing' });
  assert.equal((await call('GET', `${HOME}/transfers/T-OPEN/print-list`)).status, 409);
  assert.equal((await call('GET', `${HOME}/transfers/T-OLD/print-list`)).status, 410);
  assert.equal((await call('GET', `${HOME}/transfers/T-2/print-list`)).status, 404);
});
