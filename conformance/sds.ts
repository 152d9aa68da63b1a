/** Answers of the directory, as existing systems keep them for their tests: what is read of each, and what is refused and why. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractFrom } from '../src/spine/contract.ts';
import { lookUp, SdsFault, type SdsResource } from '../src/spine/sds-api.ts';
import type { HttpClient } from '../src/web/client.ts';
import type { RunnerResult } from './run.ts';

/** `! code: why` is a refusal with its reason; a resource is named with what routing needs of it. */
const TABLE: Readonly<Record<string, string>> = {
  'mhs-reliability/reliability.json': '! sds.unavailable: the form of the look-up service that stood before this API, no FHIR',
  'mhs-routing/routing.json': '! sds.unavailable: the form of the look-up service that stood before this API, no FHIR',
  'mhs-sds-device-multiple-results-response/sds_device_multiple_results_response.json':
    'Device 227319907548 PARTY_KEY of OWNER_ORG_CODE, 110 interactions; Device 227319907548 YES-0000806 of YES, 1 interactions',
  'mhs-sds-device-response/sds_device_response.json': 'Device 227319907548 PARTY_KEY of OWNER_ORG_CODE, 110 interactions',
  'mhs-sds-endpoint-multiple-results-response/sds_endpoint_multiple_results_response.json':
    'Endpoint YES-0000806 S20001A000182 of YES, 2 x 60 s in 300 s, ack nextMSH once sync, at https://msg.int.spine2.ncrs.nhs.uk/reliablemessaging/reliablerequest; Endpoint OTHER OTHER of YES, 0 x 0 s in 25200 s, ack nextMSH once sync, at OTHER',
  'mhs-sds-endpoint-response/sds_endpoint_response.json':
    'Endpoint YES-0000806 S20001A000182 of YES, 2 x 60 s in 300 s, ack nextMSH once sync, at https://msg.int.spine2.ncrs.nhs.uk/reliablemessaging/reliablerequest',
  'mhs-sds-unexpected-response/sds_unexpected_response.json':
    '! sds.unavailable: a 200 that is no Bundle says nothing about the practice; asked again',
  'mhs-sds-zero-results-response/sds_zero_results_response.json': 'nobody',
  'sds-error-response-gpc/sds_error_response.json':
    '! sds.unavailable: trouble of the directory passes and says nothing about the practice',
  'sds-no-address-response-gpc/sds_no_address_response.json':
    'Endpoint ABC123-822104 4ec1563fbe8e49bb8c3c of ABC123, 0 x 0 s in 25200 s, no flags, at no address',
  'sds-no-result-response-gpc/sds_no_result_response.json': 'nobody',
  'sds-response-gpc/sds_response.json':
    'Endpoint ABC123-822104 4ec1563fbe8e49bb8c3c of ABC123, 0 x 0 s in 25200 s, no flags, at http://test/',
  'sdsresponsecopcmessage-requesting/sdsResponseCopcMessage.json':
    'Endpoint P83007-822482 362741ae30f08e66da6e of P83007, 2 x 7200 s in 25200 s, ack nextMSH once, at https://msg.int.spine2.ncrs.nhs.uk/reliablemessaging/intermediary',
  'sdsresponseehrextract-requesting/sdsResponseEHRExtract.json':
    'Endpoint P83007-822482 5fef4308f95efd146e87 of P83007, 2 x 7200 s in 15000 s, ack nextMSH once, at https://msg.int.spine2.ncrs.nhs.uk/reliablemessaging/intermediary',
  'sdsresponsenoresults-requesting/sdsResponseNoResults.json': 'nobody',
};

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'sds');
  const failures: string[] = [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.json') && !file.endsWith('case.json'));
  for (const file of files.sort()) {
    const expected = TABLE[file];
    const seen = await look(join(folder, file));
    if (expected === undefined) failures.push(`${file}: no line of the table; it is read as: ${seen}`);
    else if (seen !== expected.replace(/^(! [a-zA-Z.]+): .*/, '$1')) failures.push(`${file}: ${seen}; expected ${expected}`);
  }
  for (const file of Object.keys(TABLE)) if (!files.includes(file)) failures.push(`${file}: not there`);
  const cases = Object.keys(TABLE).length;
  return { name: 'sds', passed: Math.max(0, cases - failures.length), failed: failures.length, failures };
}

/** What a node learns where the directory answers these bytes: a Bundle with 200, an OperationOutcome with 500. */
async function look(file: string): Promise<string> {
  const bytes = readFileSync(file);
  const status = bytes.includes('OperationOutcome') ? 500 : 200;
  const client: HttpClient = {
    request: async () => ({ status, headers: new Map(), body: once(bytes) }),
    close: async () => undefined,
  };
  const api = { url: 'https://directory.invalid', apiKey: 'key', client, newId: () => 'id', waits: [] };
  const said: string[] = [];
  try {
    for (const kind of ['Device', 'Endpoint'] as const)
      for (const resource of await lookUp(api, kind, null, [])) said.push(inWords(kind, resource));
  } catch (thrown) {
    if (thrown instanceof SdsFault) return `! ${thrown.code}`;
    throw thrown;
  }
  return said.join('; ') || 'nobody';
}

const ID = 'https://fhir.nhs.uk/Id/';

function inWords(kind: 'Device' | 'Endpoint', { identifiers, organisation, interactions, reliability, address }: SdsResource): string {
  const partyKey = identifiers.get(`${ID}nhsMhsPartyKey`);
  if (kind === 'Device')
    return `Device ${identifiers.get(`${ID}nhsSpineASID`)} ${partyKey} of ${organisation}, ${interactions.size} interactions`;
  const contract = contractFrom(identifiers.get(`${ID}nhsMhsCPAId`) ?? '', 'part', reliability);
  const actor = contract.actor.replace(/^.*:/, '');
  const flags = [contract.ackRequested && `ack ${actor}`, contract.duplicateElimination && 'once', contract.syncReply && 'sync']
    .filter(Boolean)
    .join(' ');
  const times = `${contract.retries} x ${contract.retryIntervalSeconds} s in ${contract.persistSeconds} s`;
  return `Endpoint ${partyKey} ${contract.cpaId} of ${organisation}, ${times}, ${flags || 'no flags'}, at ${address ?? 'no address'}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
