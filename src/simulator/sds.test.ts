import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSds } from './sds.ts';

const ODS = 'organization=https://fhir.nhs.uk/Id/ods-organization-code|';
const INTERACTION = 'identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|urn:nhs:names:services:gp2gp:';
const organisation = { ods: 'A11111', asid: '200000000001', partyKey: 'A11111-000001', manufacturer: 'SUP01' };

test('a practice is found with its ASID, its party key and the contract of each interaction', async (t) => {
  const sds = await startSds({ organisations: [organisation], intermediaryUrl: 'https://spine.test/intermediary' });
  t.after(() => sds.close());
  const get = async (path: string) => {
    const answer = await fetch(`${sds.url}/${path}`, { headers: { apikey: 'k' } });
    return { status: answer.status, body: (await answer.json()) as { total?: number; entry?: { resource: Record<string, unknown> }[] } };
  };
  const device = await get(`Device?${ODS}A11111&${INTERACTION}RCMR_IN010000UK05`);
  assert.equal(device.body.total, 1);
  assert.match(JSON.stringify(device.body.entry?.[0]?.resource), /"value":"200000000001".*"value":"A11111-000001"/);
  const party = 'identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|A11111-000001';
  const endpoint = await get(`Endpoint?${party}&${INTERACTION}COPC_IN000001UK01`);
  const text = JSON.stringify(endpoint.body.entry?.[0]?.resource);
  assert.match(text, /"address":"https:\/\/spine.test\/intermediary"/);
  assert.match(text, /"nhsMHSRetries","valueInteger":2/);
  assert.match(text, /"nhsMHSPersistDuration","valueString":"PT7H"/);
  assert.equal((await get(`Device?${ODS}Z99999&${INTERACTION}RCMR_IN010000UK05`)).body.total, 0);
});

test('the directory is strict about what it is asked', async (t) => {
  const sds = await startSds({ organisations: [organisation], intermediaryUrl: 'https://spine.test/intermediary', apiKey: 'secret' });
  t.after(() => sds.close());
  const status = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    (await fetch(`${sds.url}/${path}`, { method, headers: { apikey: 'secret', ...headers } })).status;
  const good = `Device?${ODS}A11111&${INTERACTION}RCMR_IN010000UK05`;
  assert.equal(await status(good), 200);
  assert.equal(await status(good, { apikey: 'wrong' }), 401);
  assert.equal(await status(good, { 'x-correlation-id': 'not-a-uuid' }), 400);
  assert.equal(await status(good, { accept: 'text/html' }), 406);
  assert.equal(await status(good, {}, 'POST'), 405);
  assert.equal(await status(`${good}&colour=blue`), 400);
  assert.equal(await status(`Device?${ODS}A11111`), 400);
  assert.equal(await status('Practice'), 404);
});

test('the directory can be made to misbehave as the real one does', async (t) => {
  const sds = await startSds({ organisations: [organisation], intermediaryUrl: 'https://spine.test/intermediary' });
  t.after(() => sds.close());
  const path = `${sds.url}/Endpoint?${ODS}A11111&${INTERACTION}RCMR_IN030000UK07`;
  const after = async (switches: object) => {
    await fetch(`${sds.url}/control/switches`, { method: 'PUT', body: JSON.stringify(switches) });
    const answer = await fetch(path, { headers: { apikey: 'k' } });
    return { status: answer.status, text: await answer.text() };
  };
  assert.match((await after({ uk07NotRewritten: true })).text, /"address":"https:\/\/a11111.thirdparty.nhs.uk/);
  assert.doesNotMatch((await after({ empty: true, noEntryMember: true })).text, /"entry"/);
  assert.doesNotMatch((await after({ noReliability: true })).text, /ReliabilityConfiguration/);
  assert.equal((await after({ status: 504 })).status, 504);
  assert.match((await after({})).text, /spine.test/);
});
