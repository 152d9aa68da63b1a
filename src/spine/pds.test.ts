import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ods } from '../base/ids.ts';
import { type NhsNumber, nhsNumber } from '../base/nhs-number.ts';
import { startPds } from '../simulator/pds.ts';
import { createClient, readBody } from '../web/client.ts';
import { createPds, type PdsOptions } from './pds.ts';
import { patientOf } from './pds-patient.ts';

const client = createClient();
const folder = await mkdtemp(join(tmpdir(), 'pds-'));
const person = (number: string, more: object = {}) => ({
  nhsNumber: number,
  family: 'Example',
  given: ['Ann'],
  birthDate: '1980-02-29',
  gender: 'female' as const,
  postalCode: 'AB1 2CD',
  practice: { ods: 'A11111', start: '2020-01-01' },
  ...more,
});
const service = await startPds({
  folder,
  tokens: { reader: 'application', user: 'worker' },
  people: [
    person('9000000009'),
    person('9000000017', { supersededBy: '9000000009' }),
    person('9000000025', { restricted: true }),
    person('9000000033', { invalidated: true }),
    person('9000000041', { deceased: '2025-01-01' }),
    person('9000000068', { practice: null, managingOrganisation: 'M12345' }),
    person('9000000076', { practice: { ods: 'A11111', start: '2099-01-01' } }),
    person('9000000084'),
    person('9000000092'),
    person('9000000106'),
  ],
});
after(async () => {
  await client.close();
  await service.close();
  await rm(folder, { recursive: true });
});

function pds(options: Partial<PdsOptions> = {}) {
  return createPds({
    url: `${service.url}/personal-demographics/FHIR/R4`,
    client,
    token: async () => 'user',
    newId: randomUUID,
    now: () => new Date('2026-01-05T09:00:00Z'),
    waits: [],
    ...options,
  });
}

function number(text: string): NhsNumber {
  const read = nhsNumber(text);
  assert.ok(read);
  return read;
}

async function found(text: string) {
  const answer = await pds().patient(number(text));
  assert.ok('patient' in answer, JSON.stringify(answer));
  return answer.patient;
}

async function behave(switches: Record<string, unknown>) {
  const answer = await client.request({
    method: 'PUT',
    url: `${service.url}/control/switches`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(switches),
  });
  assert.equal(answer.status, 200, String(await readBody(answer, 1e5)));
}

test('a patient comes with the practice of today and what tells one person from another', async () => {
  const patient = await found('9000000009');
  assert.deepEqual(
    [patient.nhsNumber, patient.superseded, patient.practice, patient.practiceSince, patient.restricted, patient.deceased],
    ['9000000009', false, 'A11111', '2020-01-01', false, null],
  );
  assert.deepEqual(
    [patient.family, patient.given, patient.birthDate, patient.gender, patient.postalCode],
    ['Example', ['Ann'], '1980-02-29', 'female', 'AB1 2CD'],
  );
  assert.match(patient.version, /^W\/"\d+"$/);
});

test('a replaced number is followed, a withheld or future practice is none', async () => {
  const replaced = await found('9000000017');
  assert.deepEqual([replaced.nhsNumber, replaced.superseded], ['9000000009', true]);
  const restricted = await found('9000000025');
  assert.deepEqual([restricted.restricted, restricted.practice], [true, null]);
  assert.equal((await found('9000000076')).practice, null);
  const nowhere = await found('9000000068');
  assert.deepEqual([nowhere.practice, nowhere.managingOrganisation], [null, 'M12345']);
  assert.equal((await found('9000000041')).deceased?.slice(0, 10), '2025-01-01');
});

test('a practice that ended yesterday is none, and an unknown confidentiality is restricted', () => {
  const resource = (end: string, code: string) => ({
    resourceType: 'Patient',
    id: '9000000009',
    meta: { versionId: '4', security: [{ code }] },
    generalPractitioner: [{ id: 'x', identifier: { value: 'A11111', period: { start: '2020-01-01', end } } }],
  });
  const now = new Date('2026-01-05T09:00:00Z');
  assert.equal(patientOf(resource('2026-01-04', 'U'), number('9000000009'), null, now)?.practice, null);
  assert.equal(patientOf(resource('2026-01-05', 'U'), number('9000000009'), null, now)?.practice, 'A11111');
  assert.equal(patientOf(resource('2027-01-05', 'X'), number('9000000009'), null, now)?.restricted, true);
  assert.equal(patientOf(resource('2027-01-05', 'U'), number('9000000009'), null, now)?.version, 'W/"4"');
  assert.equal(patientOf({ resourceType: 'Bundle' }, number('9000000009'), null, now), null);
});

test('each refusal has its own name', async () => {
  const failed = async (text: string, options: Partial<PdsOptions> = {}) => {
    const answer = await pds(options).patient(number(text));
    return 'failed' in answer ? answer.failed : 'none';
  };
  assert.equal(await failed('9999999999'), 'notFound');
  assert.equal(await failed('9000000033'), 'invalidated');
  assert.equal(await failed('9000000000'), 'invalidNumber');
  assert.equal(await failed('9000000009', { token: async () => 'nobody' }), 'denied');
  assert.equal(await failed('9000000009', { url: `${service.url}/elsewhere` }), 'refused');
  assert.equal(await failed('9000000009', { url: 'http://127.0.0.1:1' }), 'unavailable');
  for (const [status, name] of [
    [429, 'busy'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ] as const) {
    await behave({ status });
    assert.equal(await failed('9000000009'), name);
    await behave({});
  }
});

test('a refused token is renewed once', async () => {
  const renewals: boolean[] = [];
  const token = async (renew: boolean) => {
    renewals.push(renew);
    return renew ? 'reader' : 'expired';
  };
  assert.ok('patient' in (await pds({ token }).patient(number('9000000009'))));
  assert.deepEqual(renewals, [false, true]);
});

test('the practice is replaced where there was one, added where there was none', async () => {
  for (const text of ['9000000084', '9000000068']) {
    const seen = await found(text);
    const answer = await pds().updatePractice({ seen, practice: ods('B22222'), from: '2026-01-05', requestId: randomUUID() });
    assert.ok('patient' in answer, JSON.stringify(answer));
    assert.equal(answer.patient.practice, 'B22222');
    assert.equal((await found(text)).practice, 'B22222');
  }
});

test('an update that was made and then answered by 503 is told by its request id, and made once', async () => {
  const seen = await found('9000000092');
  await behave({ commitThenFail: true, times: 1 });
  const answer = await pds({ waits: [10, 10] }).updatePractice({
    seen,
    practice: ods('B22222'),
    from: '2026-01-05',
    requestId: randomUUID(),
  });
  await behave({});
  assert.ok('patient' in answer, JSON.stringify(answer));
  assert.equal(answer.patient.practice, 'B22222');
  assert.equal(versionOf((await found('9000000092')).version), versionOf(seen.version) + 1);
});

test('a change of something else in between is no obstacle, one of the practice is', async () => {
  const seen = await found('9000000106');
  await behave({ race: true, times: 1 });
  const raced = await pds().updatePractice({ seen, practice: ods('B22222'), from: '2026-01-05', requestId: randomUUID() });
  await behave({});
  assert.ok('patient' in raced, JSON.stringify(raced));
  const stale = { ...seen, version: 'W/"1"' };
  const lost = await pds().updatePractice({ seen: stale, practice: ods('C33333'), from: '2026-01-05', requestId: randomUUID() });
  assert.ok('changed' in lost, JSON.stringify(lost));
  assert.equal(lost.changed.practice, 'B22222');
});

test('application-restricted access reads and may not write', async () => {
  const seen = await found('9000000009');
  const answer = await pds({ token: async () => 'reader' }).updatePractice({
    seen,
    practice: ods('B22222'),
    from: '2026-01-05',
    requestId: randomUUID(),
  });
  assert.ok('failed' in answer && answer.failed === 'denied');
});

function versionOf(etag: string): number {
  return Number(/\d+/.exec(etag)?.[0]);
}
