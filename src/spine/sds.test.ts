import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { ods } from '../base/ids.ts';
import { startSds } from '../simulator/sds.ts';
import { createClient, type HttpClient, readBody } from '../web/client.ts';
import { durationSeconds } from './contract.ts';
import { createSds, type SdsOptions } from './sds.ts';

const client = createClient();
const directory = await startSds({
  intermediaryUrl: 'https://spine.test/reliablemessaging/intermediary',
  apiKey: 'KEY',
  organisations: [
    {
      ods: 'B22222',
      asid: '200000000002',
      partyKey: 'B22222-000002',
      manufacturer: 'SUP01',
      contracts: { COPC_IN000001UK01: { cpaId: 'CPA-COPC', retries: 3, retryInterval: 'PT1M', persistDuration: 'PT10M' } },
    },
    {
      ods: 'C33333',
      asid: '200000000003',
      partyKey: 'HOST-000009',
      interactions: ['RCMR_IN010000UK05', 'RCMR_IN030000UK06', 'MCCI_IN010000UK13'],
    },
  ],
});
after(async () => {
  await client.close();
  await directory.close();
});

function sds(options: Partial<SdsOptions> = {}) {
  return createSds({
    url: `${directory.url}/spine-directory/FHIR/R4`,
    apiKey: 'KEY',
    client,
    newId: randomUUID,
    now: () => new Date(),
    waits: [],
    zeroHitWaits: [],
    ...options,
  });
}

async function behave(switches: Record<string, unknown>) {
  const answer = await client.request({
    method: 'PUT',
    url: `${directory.url}/control/switches`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(switches),
  });
  await readBody(answer, 1e5);
}

test('a practice that can send is found with its ASID, party key and the agreements for asking it', async () => {
  const peer = await sds().peer(ods('B22222'), 'request');
  assert.ok('asid' in peer);
  assert.deepEqual([peer.asid, peer.partyKey, peer.takesRedactions], ['200000000002', 'B22222-000002', true]);
  assert.equal(peer.contracts.extract, null);
  assert.deepEqual(peer.contracts.part, {
    cpaId: 'CPA-COPC',
    retries: 3,
    retryIntervalSeconds: 60,
    persistSeconds: 600,
    duplicateElimination: true,
    ackRequested: true,
    actor: 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH',
    syncReply: false,
    address: 'https://spine.test/reliablemessaging/intermediary',
  });
  assert.deepEqual([peer.contracts.request?.retries, peer.contracts.request?.persistSeconds], [2, 15_000]);
});

test('a practice that takes no redactions gets the agreement for UK06, and one without COPC has none for parts', async () => {
  const peer = await sds().peer(ods('C33333'), 'extract');
  assert.ok('asid' in peer);
  assert.equal(peer.takesRedactions, false);
  assert.equal(peer.partyKey, 'HOST-000009');
  assert.ok(peer.contracts.extract);
  assert.equal(peer.contracts.part, null);
});

test('an unknown practice is none, whether the directory lists no entries or leaves the list out', async () => {
  assert.deepEqual(await sds().peer(ods('Z99999'), 'request'), { none: true });
  await behave({ noEntryMember: true });
  assert.deepEqual(await sds().peer(ods('Z99999'), 'request'), { none: true });
  await behave({});
});

test('no hit is asked for again, because a time-out inside the directory looks the same', async () => {
  await behave({ empty: true });
  const asked = sds({ zeroHitWaits: [300] }).peer(ods('B22222'), 'request');
  await new Promise((done) => setTimeout(done, 100));
  await behave({});
  assert.ok('asid' in (await asked));
});

test('two systems are never guessed between, unless the message names one', async () => {
  await behave({ twoDevices: true });
  assert.deepEqual(await sds().peer(ods('B22222'), 'extract'), { several: true });
  const named = await sds().peer(ods('B22222'), 'extract', '200000000002');
  assert.ok('asid' in named && named.asid === '200000000002');
  await behave({});
});

test('messages go to the intermediary, UK07 too, whose own address the directory does not put in its place', async () => {
  await behave({ uk07NotRewritten: true });
  const peer = await sds().peer(ods('B22222'), 'extract');
  await behave({});
  assert.ok('asid' in peer && peer.takesRedactions);
  assert.equal(peer.contracts.extract?.address, 'https://spine.test/reliablemessaging/intermediary');
  await behave({ blankAddress: true });
  const nowhere = await sds().peer(ods('B22222'), 'request');
  await behave({});
  assert.ok('asid' in nowhere && nowhere.contracts.request && !('address' in nowhere.contracts.request));
});

test('of one ASID under two party keys the owner’s is taken', async () => {
  const device = (owner: string, partyKey: string) => ({
    resource: {
      resourceType: 'Device',
      owner: { identifier: { value: owner } },
      identifier: [
        { system: 'https://fhir.nhs.uk/Id/nhsSpineASID', value: '200000000007' },
        { system: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey', value: partyKey },
      ],
    },
  });
  const endpoint = { resource: { resourceType: 'Endpoint', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhsMhsCPAId', value: 'CPA' }] } };
  const answers: HttpClient = {
    async request({ url }) {
      const entry = url.includes('/Device') ? [device('X99999', 'HOST-000001'), device('D44444', 'D44444-000001')] : [endpoint];
      const text = JSON.stringify({ resourceType: 'Bundle', entry });
      return {
        status: 200,
        headers: new Map(),
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      };
    },
    close: async () => undefined,
  };
  const peer = await sds({ client: answers }).peer(ods('D44444'), 'request');
  assert.ok('asid' in peer);
  assert.equal(peer.partyKey, 'D44444-000001');
});

test('an endpoint without reliability properties gets the usual ones, without repetitions', async () => {
  await behave({ noReliability: true });
  const peer = await sds().peer(ods('B22222'), 'request');
  await behave({});
  assert.ok('asid' in peer);
  assert.deepEqual(
    [peer.contracts.request?.retries, peer.contracts.request?.ackRequested, peer.contracts.part?.persistSeconds],
    [0, true, 25_200],
  );
});

test('trouble of the directory is said, and an answer of today is used in its place', async () => {
  let now = Date.parse('2026-01-05T09:00:00Z');
  const remembering = sds({ now: () => new Date(now) });
  const first = await remembering.peer(ods('B22222'), 'request');
  await behave({ status: 504 });
  assert.deepEqual(await remembering.peer(ods('B22222'), 'request'), first, 'remembered for a quarter of an hour');
  now += 3_600_000;
  assert.deepEqual(await remembering.peer(ods('B22222'), 'request'), first, 'better old than none');
  await assert.rejects(remembering.owns(ods('B22222'), '200000000002'), { code: 'sds.unavailable' }, 'but not for authority');
  now += 25 * 3_600_000;
  await assert.rejects(remembering.peer(ods('B22222'), 'request'), { code: 'sds.unavailable' });
  await behave({ notABundle: true });
  await assert.rejects(sds().peer(ods('B22222'), 'request'), { code: 'sds.unavailable' });
  await behave({});
  await assert.rejects(sds({ apiKey: 'WRONG' }).peer(ods('B22222'), 'request'), {
    code: 'sds.refused',
    remedy: 'check the API key for SDS',
  });
});

test('a failure that passes is asked again before it is told', async () => {
  await behave({ status: 429 });
  const asked = sds({ waits: [100, 100, 100] }).peer(ods('B22222'), 'request');
  await new Promise((done) => setTimeout(done, 50));
  await behave({});
  assert.ok('asid' in (await asked));
});

test('an ASID belongs to the practice that the directory names as its owner', async () => {
  assert.equal(await sds().owns(ods('B22222'), '200000000002'), true);
  assert.equal(await sds().owns(ods('B22222'), '200000000003'), false);
  assert.equal(await sds().owns(ods('C33333'), '200000000003'), true);
});

test('durations are read as the directory writes them', () => {
  assert.deepEqual(['PT4H10M', 'PT2H', 'PT0.5S', 'P1D', 'P1DT1S', 'PT', 'P', '2H', ''].map(durationSeconds), [
    15_000,
    7_200,
    0.5,
    86_400,
    86_401,
    null,
    null,
    null,
    null,
  ]);
});
