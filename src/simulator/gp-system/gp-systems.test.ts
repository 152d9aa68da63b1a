import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../hub/testing.ts';
import { type Pds, startPds } from '../pds.ts';
import { documentBytes, documentSha256 } from './documents.ts';
import { type GpSystems, type GpSystemsOptions, startGpSystems } from './gp-systems.ts';
import { consumer, fakeNode, MIGRATE, MIGRATE_BINARY, NHS, parameters, smallBundle } from './testing.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'gp-system-'));
});
after(() => rm(root, { recursive: true, force: true }));

let count = 0;
const practice = { ods: 'A11111', asid: '200000000001', nodeUrls: [] as string[], apiKey: 'key' };
const start = (more: Partial<GpSystemsOptions> = {}): Promise<GpSystems> =>
  startGpSystems({ folder: join(root, String(++count)), practices: [practice], pdsUrl: null, ...more });
const pdsWith = (ods: string): Promise<Pds> =>
  startPds({
    folder: join(root, `pds-${++count}`),
    people: [
      {
        nhsNumber: NHS,
        family: 'Example',
        given: ['Sam'],
        birthDate: '1970-02-03',
        gender: 'female',
        practice: { ods, start: '2020-01-01' },
      },
    ],
  });
const migrate = async (gp: GpSystems, headers: Record<string, string>, body = parameters(NHS)) => {
  const answer = await fetch(`${gp.gpConnectBase('A11111')}/Patient/$gpc.migratestructuredrecord`, { method: 'POST', headers, body });
  return { status: answer.status, text: await answer.text() };
};

test('a record is given to the practice where PDS has the patient, its documents at the address of this provider', async (t) => {
  const pds = await pdsWith('B22222');
  const gp = await start({ pdsUrl: pds.url });
  t.after(() => Promise.all([gp.close(), pds.close()]));
  const bundle = smallBundle([{ id: 'D1', contentType: 'application/pdf', size: 5000 }]);
  await gp.addRecord('A11111', JSON.stringify(bundle).replace('"size":5000', '"size":5000,"weight":8.800'));
  const given = await migrate(gp, consumer(practice.asid, 'B22222', MIGRATE));
  assert.equal(given.status, 200);
  assert.match(given.text, /"weight":8\.800/);
  const url = /"url":"([^"]*)"/.exec(given.text)?.[1] ?? '';
  assert.equal(url, `${gp.gpConnectBase('A11111')}/Binary/D1`);
  const stranger = await migrate(gp, consumer(practice.asid, 'C33333', MIGRATE));
  assert.equal(stranger.status, 403);
  assert.match(stranger.text, /NO_RELATIONSHIP/);

  const binary = await fetch(url, { headers: consumer(practice.asid, 'B22222', MIGRATE_BINARY) });
  const { contentType, content } = (await binary.json()) as { contentType: string; content: string };
  const bytes = Buffer.from(content, 'base64');
  assert.equal(contentType, 'application/pdf');
  assert.equal(bytes.byteLength, 5000);
  assert.match(bytes.toString('latin1'), /^%PDF-1\.4[\s\S]*%%EOF\n$/);
  assert.equal(gp.served[0]?.sha256, documentSha256({ id: 'D1', contentType, bytes: 5000 }));
});

test('a consumer that is careless with headers, token or parameters is told with the codes of the error table', async (t) => {
  const gp = await start();
  t.after(() => gp.close());
  await gp.addRecord('A11111', JSON.stringify(smallBundle()));
  const good = consumer(practice.asid, 'B22222', MIGRATE);
  assert.equal((await migrate(gp, good)).status, 200);
  const wrong: [string, Record<string, string>, string, string][] = [
    ['no trace id', { ...good, 'ssp-traceid': '' }, parameters(NHS), 'BAD_REQUEST'],
    ['the system of another practice', { ...good, 'ssp-to': '200000000009' }, parameters(NHS), 'BAD_REQUEST'],
    ['another interaction', { ...good, 'ssp-interactionid': MIGRATE_BINARY }, parameters(NHS), 'BAD_REQUEST'],
    [
      'a token of an hour',
      consumer(practice.asid, 'B22222', MIGRATE, { exp: Math.floor(Date.now() / 1000) + 3600 }),
      parameters(NHS),
      'BAD_REQUEST',
    ],
    ['a token without its last dot', { ...good, authorization: good['authorization']?.slice(0, -1) ?? '' }, parameters(NHS), 'BAD_REQUEST'],
    [
      'conf/N',
      consumer(practice.asid, 'B22222', MIGRATE, { requested_scope: 'patient/*.read conf/N' }),
      parameters(NHS),
      'CONFLICTING_VALUES',
    ],
    ['no parameters', good, '{"resourceType":"Parameters"}', 'INVALID_PARAMETER'],
    ['another resource', good, '{"resourceType":"Patient"}', 'INVALID_RESOURCE'],
    ['a wrong check digit', good, parameters('9990000019'), 'INVALID_NHS_NUMBER'],
    ['an unknown patient', good, parameters('9990000026'), 'PATIENT_NOT_FOUND'],
  ];
  for (const [name, headers, body, code] of wrong) {
    const answer = await migrate(gp, headers, body);
    assert.ok(answer.status >= 400, name);
    assert.match(answer.text, new RegExp(`"code":"${code}"`), name);
  }
  const missing = await fetch(`${gp.gpConnectBase('A11111')}/Binary/none`, { headers: consumer(practice.asid, 'B22222', MIGRATE_BINARY) });
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /NO_RECORD_FOUND/);
});

test('documents are of the size asked for, the same each time, and begin like files of their type', () => {
  const begins: [string, string][] = [
    ['application/pdf', '%PDF-'],
    ['image/png', '\x89PNG'],
    ['image/tiff', 'II*\0'],
    ['image/jpeg', '\xff\xd8\xff'],
    ['text/rtf', '{\\rtf1'],
    ['text/plain', 'Letter'],
  ];
  for (const [contentType, begin] of begins) {
    for (const bytes of [3, 1000, 200_001]) {
      const whole = Buffer.concat([...documentBytes({ id: 'X', contentType, bytes })]);
      assert.equal(whole.byteLength, bytes, `${contentType} of ${bytes}`);
      assert.ok(whole.toString('latin1').startsWith(begin.slice(0, bytes)), contentType);
    }
  }
  const one = { id: 'X', contentType: 'image/tiff', bytes: 70_000 };
  assert.equal(documentSha256(one), documentSha256({ ...one }));
  assert.notEqual(documentSha256(one), documentSha256({ ...one, id: 'Y' }));
});

test('the same offer twice is filed once, and the filed record is what the next practice gets', async (t) => {
  const files = new Map([
    ['D-1', randomBytes(70_000)],
    ['D-2', randomBytes(10)],
  ]);
  const bundle = smallBundle(
    [...files].map(([id, bytes]) => ({
      id: `ref-${id}`,
      contentType: 'application/octet-stream',
      size: bytes.length,
      url: `file://localhost/${id}.bin`,
    })),
  );
  const node = await fakeNode(bundle, files, 'key');
  const gp = await start({ practices: [{ ...practice, ods: 'B22222', nodeUrls: [node.url] }] });
  t.after(() => Promise.all([gp.close(), node.close()]));
  const put = async (body: object) => {
    const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
    const answer = await fetch(`${gp.filingUrl('B22222')}/records/T-1`, { method: 'PUT', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const offer = node.offerOf('T-1');
  const first = await put(offer);
  assert.equal(first.status, 202);
  assert.equal(first.body['answer'], 'leased');
  await put(offer);
  await until(() => node.answers.length === 1, 'the node is told');
  assert.deepEqual(node.answers[0]?.body, { version: 1, sha256: offer['sha256'], answer: 'filed' });
  const third = await put(offer);
  assert.deepEqual([third.status, third.body['answer'], third.body['sha256']], [200, 'filed', offer['sha256']]);
  assert.equal(node.fetched(), 2, 'each document was fetched once');
  assert.equal(node.answers.length, 1);

  const [filed] = await gp.filing.list();
  assert.deepEqual(await readFile(filed?.documents[0]?.file ?? ''), files.get('D-1'));
  const next = consumer(practice.asid, 'C33333', MIGRATE);
  const record = await fetch(`${gp.gpConnectBase('B22222')}/Patient/$gpc.migratestructuredrecord`, {
    method: 'POST',
    headers: next,
    body: parameters(NHS),
  });
  const url = /"url":"([^"]*D-1)"/.exec(await record.text())?.[1] ?? '';
  const binary = await fetch(url, { headers: { ...next, 'ssp-interactionid': MIGRATE_BINARY } });
  const { content } = (await binary.json()) as { content: string };
  assert.ok(Buffer.from(content, 'base64').equals(files.get('D-1') ?? Buffer.alloc(0)));
});

test('a record of another patient is refused with the reason, and nothing of it is live', async (t) => {
  const other = JSON.parse(JSON.stringify(smallBundle()).replace(NHS, '9990000026')) as object;
  const node = await fakeNode(other, new Map(), 'key');
  const gp = await start({ practices: [{ ...practice, ods: 'B22222', nodeUrls: [node.url] }] });
  t.after(() => Promise.all([gp.close(), node.close()]));
  const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
  await fetch(`${gp.filingUrl('B22222')}/records/T-2`, { method: 'PUT', headers, body: JSON.stringify(node.offerOf('T-2')) });
  await until(() => node.answers.length === 1, 'the node is told');
  assert.equal(node.answers[0]?.body['answer'], 'refused');
  assert.match(String(node.answers[0]?.body['reason']), /wrong patient/);
  assert.equal((await migrate(gp, consumer(practice.asid, 'B22222', MIGRATE))).status, 404);
});

test('a degraded drug allergy locks prescribing until a clinician has resolved it', async (t) => {
  const bundle = smallBundle() as { entry: object[] };
  const coding = [{ system: 'http://snomed.info/sct', code: '196461000000101', display: 'Transfer-degraded drug allergy' }];
  bundle.entry.push({ resource: { resourceType: 'AllergyIntolerance', id: 'a', code: { coding, text: 'Penicillin V' } } });
  const node = await fakeNode(bundle, new Map(), 'key');
  const gp = await start({ practices: [{ ...practice, ods: 'B22222', nodeUrls: [node.url] }] });
  t.after(() => Promise.all([gp.close(), node.close()]));
  const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
  await fetch(`${gp.filingUrl('B22222')}/records/T-3`, { method: 'PUT', headers, body: JSON.stringify(node.offerOf('T-3')) });
  await until(() => node.answers.length === 1, 'the node is told');
  const patient = JSON.stringify({ ods: 'B22222', nhsNumber: NHS });
  const prescribe = async () => (await fetch(`${gp.url}/control/prescribe`, { method: 'POST', body: patient })).status;
  assert.equal(await prescribe(), 423);
  await fetch(`${gp.url}/control/resolve-allergy`, { method: 'POST', body: patient });
  assert.equal(await prescribe(), 200);
});

test('a registration moves the patient in PDS and tells the node where they came from, once', async (t) => {
  const pds = await pdsWith('A11111');
  const node = await fakeNode(smallBundle(), new Map(), 'key');
  const gp = await start({ pdsUrl: pds.url, practices: [{ ...practice, ods: 'B22222', nodeUrls: [node.url] }] });
  t.after(() => Promise.all([gp.close(), node.close(), pds.close()]));
  const body = JSON.stringify({ ods: 'B22222', nhsNumber: NHS, registrationId: 'R-1' });
  const register = async () =>
    (await fetch(`${gp.url}/control/register`, { method: 'POST', body })).json() as Promise<Record<string, unknown>>;
  const done = await register();
  assert.deepEqual([done['previousPractice'], done['transferId'], done['conversationId']], ['A11111', 'T1', 'C1']);
  assert.equal(pds.person(NHS)?.practice?.ods, 'B22222');
  assert.deepEqual(await register(), done);
  assert.deepEqual(node.registrations, [{ registrationId: 'R-1', nhsNumber: NHS, previousPractice: 'A11111' }]);
});
