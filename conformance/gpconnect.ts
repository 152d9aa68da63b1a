/**
 * Errors of GP Connect providers, and requests and answers of the existing adaptor's facade: what a node makes of each, and what is
 * refused and why.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ods } from '../src/base/ids.ts';
import type { NhsNumber } from '../src/base/nhs-number.ts';
import { readJson } from '../src/fhir/json.ts';
import { list, member, outcomeCodes, outcomeWords, text } from '../src/fhir/members.ts';
import { createGpConnect } from '../src/gp-system/connect.ts';
import { type Objects, openObjects } from '../src/objects/objects.ts';
import type { HttpClient } from '../src/web/client.ts';
import type { RunnerResult } from './run.ts';

/** HTTP status that the provider sends the error with, then: the code that the requesting practice is told, the document's fate. */
const ERRORS: Readonly<Record<string, readonly [status: number, record: string, document: string]>> = {
  'not-found-patient-document-response': [404, '20', 'placeholder: No Record Found'],
  'operation-outcome-bad-request': [400, '18', 'placeholder: Bad request'],
  'operation-outcome-internal-server-error': [500, '20', 'tried again: Internal server error'],
  'operation-outcome-invalid-demographic': [400, '20', 'placeholder: Invalid patient demographics (that is, PDS trace failed)'],
  'operation-outcome-invalid-n-h-s-number': [400, '19', 'placeholder: Invalid NHS number'],
  'operation-outcome-invalid-parameter': [422, '18', 'placeholder: Invalid parameter'],
  'operation-outcome-invalid-resource': [422, '18', 'placeholder: Invalid validation of resource'],
  'operation-outcome-no-relationship': [403, '19', 'tried again: No legitimate relationship exists with this patient'],
  'operation-outcome-patient-not-found': [404, '06', 'placeholder: PATIENT_NOT_FOUND'],
};

/** Of the facade's bodies what they say; `! why` is what no reader takes. */
const FACADE: Readonly<Record<string, string>> = {
  'requests-migrate-patient-record-invalidrequestbody': '! a comma behind the last member is no JSON',
  'requests-migrate-patient-record-missingnhsnumberrequestbody': 'Parameters includeFullRecord without a number',
  'requests-migrate-patient-record-validrequestbody': 'Parameters patientNHSNumber includeFullRecord for {{nhsNumber}}',
  'responses-acknowledge-record-badrequestresponsebody': 'OperationOutcome BAD_REQUEST: Bad request',
  'responses-common-methodnotallowedresponsebody': 'OperationOutcome METHOD_NOT_SUPPORTED: Method not supported',
  'responses-common-notfoundresponsebody': 'OperationOutcome RESOURCE_NOT_FOUND: Resource not found',
  'responses-common-unsupportedmediatyperesponsebody': 'OperationOutcome UNSUPPORTED_MEDIA_TYPE: Unsupported media type',
  'responses-json-examplebundle': 'Bundle of 1',
  'responses-migrate-patient-record-badmigrationstatusresponsebody':
    'OperationOutcome INTERNAL_SERVER_ERROR 25: PS - The EHR record was not received within the given timeout timeframe',
  'responses-migrate-patient-record-badrequestresponsebody': 'OperationOutcome BAD_REQUEST: Bad request',
  'responses-migrate-patient-record-transferinprogressresponsebody':
    'OperationOutcome INTERNAL_SERVER_ERROR: PS - The Given NHS number is already being processed against Conversation ID: {{conversationId}}, you cannot start a new request until the current request has completed or failed.',
  'responses-migrate-patient-record-unprocessableentityresponsebody': 'OperationOutcome INVALID_RESOURCE: Submitted resource is not valid',
};

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'gpconnect');
  const scratch = mkdtempSync(join(tmpdir(), 'gp2gp-gpconnect-'));
  const failures: string[] = [];
  const names = new Set([...Object.keys(ERRORS), ...Object.keys(FACADE).map((name) => `facade-${name}`)]);
  const cases = names.size;
  try {
    const objects = await openObjects(join(scratch, 'objects'));
    for (const name of readdirSync(folder).sort()) {
      const file = readdirSync(join(folder, name)).find((each) => each !== 'case.json') ?? '';
      const bytes = readFileSync(join(folder, name, file));
      const error = ERRORS[name];
      const facade = FACADE[name.replace(/^facade-/, '')];
      if (!names.delete(name)) failures.push(`${name}: no line of the table`);
      else if (error) failures.push(...(await wrongError(name, error, bytes, objects)));
      else if (facade !== undefined) {
        const seen = inWords(bytes);
        if (seen !== (facade.startsWith('!') ? '!' : facade)) failures.push(`${name}: ${seen}; expected ${facade}`);
      }
    }
    for (const name of names) failures.push(`${name}: not there`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { name: 'gpconnect', passed: Math.max(0, cases - failures.length), failed: failures.length, failures };
}

/** A provider that answers everything with these bytes. */
async function wrongError(
  name: string,
  [status, code, fate]: readonly [number, string, string],
  bytes: Uint8Array,
  objects: Objects,
): Promise<string[]> {
  const client: HttpClient = { request: async () => ({ status, headers: new Map(), body: once(bytes) }), close: async () => undefined };
  const consumer = { url: 'urn:node', product: 'node', version: '1' };
  const connect = createGpConnect({
    base: 'https://provider.invalid/fhir',
    client,
    objects,
    fromAsid: '200000000001',
    toAsid: '200000000002',
    consumer,
    now: () => new Date(),
    waits: [],
  });
  const ask = { requester: ods('A11111'), traceId: '0F3C0A10-0000-4000-8000-000000000001' };
  const record = await connect.fetchRecord({ ...ask, nhsNumber: '9990000018' as NhsNumber });
  const document = await connect.fetchBinary({ ...ask, url: 'https://provider.invalid/fhir/Binary/1' });
  const seen = [
    record.fetched ? 'fetched' : record.code,
    document.fetched ? 'fetched' : `${document.trouble ? 'tried again' : 'placeholder'}: ${document.missing}`,
  ];
  return seen[0] === code && seen[1] === fate ? [] : [`${name}: ${seen.join(', ')}; expected ${code}, ${fate}`];
}

function inWords(bytes: Uint8Array): string {
  let value: unknown;
  try {
    value = readJson(bytes);
  } catch {
    return '!';
  }
  const type = text(value, 'resourceType');
  if (type === 'OperationOutcome') return `${type} ${outcomeCodes(value).join(' ')}: ${outcomeWords(value)}`;
  if (type === 'Bundle') return `Bundle of ${list(value, 'entry').length}`;
  const parameters = list(value, 'parameter');
  const number = parameters.map((each) => text(member(each, 'valueIdentifier'), 'value')).find((each) => each !== null);
  return `${type} ${parameters.map((each) => text(each, 'name')).join(' ')} ${number === undefined ? 'without a number' : `for ${number}`}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
