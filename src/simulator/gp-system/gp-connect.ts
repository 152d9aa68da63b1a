import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasValidCheckDigit, nhsNumber } from '../../base/nhs-number.ts';
import { header, isObject, readBody } from '../http.ts';
import { documentBytes } from './documents.ts';
import type { PdsClient } from './pds-client.ts';
import { type HeldDocument, type Records, servedRecord } from './records.ts';

/** What is answered for one patient or document in place of the truth: an error code of the table, or a way to misbehave. */
export type Misbehaviour = {
  readonly code?: string;
  readonly as?: 'html' | 'truncated';
  readonly delayMs?: number;
  readonly times?: number;
};

export type Served = {
  readonly ods: string;
  readonly documentId: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
};
export type Provider = {
  /** Answers what comes below `/{ods}/STU3/1/gpconnect/fhir`; `path` is the rest, beginning with `/`. */
  handle(
    practice: { readonly ods: string; readonly asid: string },
    base: string,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void>;
  misbehave(ods: string, about: string, how: Misbehaviour | null): void;
};

const MIGRATE = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.migratestructuredrecord-1';
const MIGRATE_BINARY = 'urn:nhs:names:services:gpconnect:documents:fhir:rest:migrate:binary-1';

/** HTTP status by error code, as the GP Connect error tables pair them for these two interactions. */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['PATIENT_NOT_FOUND', 404],
  ['NO_RECORD_FOUND', 404],
  ['NO_RELATIONSHIP', 403],
  ['ACCESS_DENIED', 403],
  ['NOT_AUTHORISED', 403],
  ['NO_PATIENT_CONSENT', 403],
  ['NO_ORGANISATION_CONSENT', 403],
  ['INVALID_NHS_NUMBER', 400],
  ['INVALID_PATIENT_DEMOGRAPHICS', 400],
  ['BAD_REQUEST', 400],
  ['CONFLICTING_VALUES', 400],
  ['INVALID_RESOURCE', 422],
  ['INVALID_PARAMETER', 422],
  ['UNSUPPORTED_MEDIA_TYPE', 415],
  ['INTERNAL_SERVER_ERROR', 500],
  ['NOT_IMPLEMENTED', 501],
]);

/** The GP Connect provider of the simulated practices: the migrate operation and the migrate read of a document. */
export function makeProvider(options: {
  readonly records: Records;
  readonly pds: PdsClient | null;
  readonly now: () => number;
  /** Told of every document that left, as it left. */
  readonly onServed: (served: Served) => void;
}): Provider {
  const wrong = new Map<string, Misbehaviour>();

  function taken(key: string): Misbehaviour | null {
    const how = wrong.get(key);
    if (!how) return null;
    if (how.times !== undefined) {
      if (how.times <= 1) wrong.delete(key);
      else wrong.set(key, { ...how, times: how.times - 1 });
    }
    return how;
  }

  const handle: Provider['handle'] = async (practice, base, path, request, response) => {
    const fail = (code: string, text: string): void => answerOutcome(response, STATUS.get(code) ?? 500, code, text);
    const binary = /^\/Binary\/([^/]+)$/.exec(path)?.[1];
    const structured = path === '/Patient/$gpc.migratestructuredrecord' || path === '/Patient/%24gpc.migratestructuredrecord';
    if (binary === undefined && !structured) return fail('NOT_IMPLEMENTED', `${path} is not provided`);
    const refusal = wrongHeaders(request, practice.asid, structured ? MIGRATE : MIGRATE_BINARY);
    if (refusal) return fail('BAD_REQUEST', refusal);
    const token = readToken(header(request, 'authorization') ?? '', options.now() / 1000);
    if (typeof token === 'string') return fail('BAD_REQUEST', token);
    if (binary !== undefined) {
      if (request.method !== 'GET') return fail('BAD_REQUEST', 'a document is read with GET');
      return document(practice.ods, decodeURIComponent(binary), response, fail);
    }
    if (request.method !== 'POST') return fail('BAD_REQUEST', 'the operation is called with POST');
    const asked = readParameters(await readBody(request, 65_536), header(request, 'content-type') ?? '');
    if ('code' in asked) return fail(asked.code, asked.text);
    const how = taken(`${practice.ods} ${asked.nhsNumber}`);
    if (how?.delayMs) await sleep(how.delayMs);
    if (how?.code) return fail(how.code, 'answered on purpose');
    if (how?.as === 'html') return answerHtml(response);
    const number = nhsNumber(asked.nhsNumber);
    const record = number && options.records.find(practice.ods, number);
    if (!number || (!record && !hasValidCheckDigit(number))) return fail('INVALID_NHS_NUMBER', `${asked.nhsNumber} is no NHS number`);
    if (token.scope.includes('conf/N') && asked.sensitive)
      return fail('CONFLICTING_VALUES', 'sensitive information was asked for under conf/N');
    const person = options.pds ? await options.pds.read(number) : null;
    if (options.pds && (!person || person.restricted)) return fail('PATIENT_NOT_FOUND', 'no such patient');
    if (person && person.practice?.ods !== token.organisation)
      return fail('NO_RELATIONSHIP', `${token.organisation} is not the registered practice of the patient`);
    if (!record) return fail('PATIENT_NOT_FOUND', 'no such patient');
    const body = servedRecord(record, base);
    response.writeHead(200, { 'content-type': 'application/fhir+json;charset=utf-8', 'content-length': body.byteLength });
    if (how?.as === 'truncated') {
      response.write(body.subarray(0, body.byteLength >> 1), () => response.destroy());
      return;
    }
    response.end(body);
  };

  async function document(ods: string, id: string, response: ServerResponse, fail: (code: string, text: string) => void): Promise<void> {
    const how = taken(`${ods} ${id}`);
    if (how?.delayMs) await sleep(how.delayMs);
    if (how?.code) return fail(how.code, 'answered on purpose');
    if (how?.as === 'html') return answerHtml(response);
    const found = options.records.document(ods, id);
    if (!found) return fail('NO_RECORD_FOUND', `no document ${id}`);
    const sha256 = await sendBinary(found, response, how?.as === 'truncated');
    if (sha256) options.onServed({ ods, documentId: id, contentType: found.contentType, bytes: found.bytes, sha256 });
  }

  return {
    handle,
    misbehave: (ods, about, how) => {
      if (how) wrong.set(`${ods} ${about}`, how);
      else wrong.delete(`${ods} ${about}`);
    },
  };
}

/** Streams a document as a `Binary`; never more than a few pieces of it are in memory. The hash of what was sent, or null. */
async function sendBinary(document: HeldDocument, response: ServerResponse, truncated: boolean): Promise<string | null> {
  const before = `{"resourceType":"Binary","id":${JSON.stringify(document.id)},"contentType":${JSON.stringify(document.contentType)},"content":"`;
  const base64Length = 4 * Math.ceil(document.bytes / 3);
  response.writeHead(200, {
    'content-type': 'application/fhir+json;charset=utf-8',
    'content-length': Buffer.byteLength(before) + base64Length + 2,
  });
  const hash = createHash('sha256');
  const source: AsyncIterable<Buffer> | Iterable<Buffer> = document.file ? createReadStream(document.file) : documentBytes(document);
  let rest = Buffer.alloc(0);
  let sent = 0;
  await put(response, before);
  for await (const chunk of source) {
    hash.update(chunk);
    const bytes = rest.byteLength ? Buffer.concat([rest, chunk]) : chunk;
    const whole = bytes.byteLength - (bytes.byteLength % 3);
    rest = Buffer.from(bytes.subarray(whole));
    sent += whole;
    if (truncated && sent * 2 > document.bytes) {
      response.destroy();
      return null;
    }
    if (!(await put(response, bytes.toString('base64', 0, whole)))) return null;
  }
  await put(response, `${rest.toString('base64')}"}`);
  response.end();
  return hash.digest('hex');
}

/** Writes and waits for room; false where the other side is gone. */
async function put(response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text, 'latin1')) return true;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
  return !response.destroyed;
}

function wrongHeaders(request: IncomingMessage, asid: string, interaction: string): string | null {
  for (const name of ['ssp-traceid', 'ssp-from', 'ssp-to', 'ssp-interactionid'])
    if (!header(request, name)?.trim()) return `${name} is missing`;
  if (header(request, 'ssp-to') !== asid) return `Ssp-To ${header(request, 'ssp-to')} is not this practice's system ${asid}`;
  if (header(request, 'ssp-interactionid') !== interaction) return `Ssp-InteractionID is not ${interaction}`;
  if (!/application\/fhir\+json|\*\/\*/.test(header(request, 'accept') ?? '*/*')) return 'Accept is not application/fhir+json';
  return null;
}

type Token = { readonly organisation: string; readonly scope: string };

/** The unsigned JWT of a consumer, or what is wrong with it. `now` in seconds; a minute of clock difference is forgiven. */
function readToken(authorization: string, now: number): Token | string {
  const jwt = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (!jwt) return 'Authorization is no Bearer token';
  const [head = '', body = '', signature, ...more] = jwt.split('.');
  if (signature !== '' || more.length) return 'the JWT has no empty signature after a second dot';
  const first = decode(head);
  const claims = decode(body);
  if (first?.['alg'] !== 'none' || first['typ'] !== 'JWT') return 'the JWT header is not {"alg":"none","typ":"JWT"}';
  if (!claims) return 'the JWT claims are no JSON object';
  const { iat, exp } = claims;
  if (!Number.isInteger(iat) || !Number.isInteger(exp)) return 'iat and exp are not both integers';
  if (Number(exp) - Number(iat) !== 300) return 'exp is not iat + 300';
  if (Number(exp) < now - 60 || Number(iat) > now + 60) return 'the JWT has expired or is of the future';
  for (const key of ['iss', 'sub', 'aud', 'requested_scope', 'reason_for_request'])
    if (typeof claims[key] !== 'string' || !claims[key]) return `claim ${key} is missing`;
  if (!['migration', 'directcare'].includes(String(claims['reason_for_request'])))
    return 'reason_for_request is neither migration nor directcare';
  const scope = String(claims['requested_scope']);
  if (!scope.startsWith('patient/*.read')) return `requested_scope ${scope} does not read patients`;
  for (const [key, type] of [
    ['requesting_device', 'Device'],
    ['requesting_organization', 'Organization'],
    ['requesting_practitioner', 'Practitioner'],
  ] as const) {
    const resource = claims[key];
    if (!isObject(resource) || resource['resourceType'] !== type) return `claim ${key} is no ${type}`;
  }
  const practitioner = claims['requesting_practitioner'];
  if (isObject(practitioner) && practitioner['id'] !== claims['sub']) return 'sub is not the id of requesting_practitioner';
  const organisation = odsOf(claims['requesting_organization']);
  return organisation === null ? 'requesting_organization has no ODS code' : { organisation, scope };
}

function odsOf(organisation: unknown): string | null {
  const identifiers = isObject(organisation) && Array.isArray(organisation['identifier']) ? (organisation['identifier'] as unknown[]) : [];
  const found = identifiers.find((one) => isObject(one) && one['system'] === 'https://fhir.nhs.uk/Id/ods-organization-code');
  return isObject(found) && typeof found['value'] === 'string' ? found['value'] : null;
}

function decode(part: string): Record<string, unknown> | null {
  try {
    if (!/^[A-Za-z0-9_-]+$/.test(part)) return null;
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

type Asked = { readonly nhsNumber: string; readonly sensitive: boolean } | { readonly code: string; readonly text: string };

function readParameters(body: Buffer, contentType: string): Asked {
  const bad = (code: string, text: string): Asked => ({ code, text });
  if (!/^application\/(fhir\+)?json/.test(contentType)) return bad('UNSUPPORTED_MEDIA_TYPE', `Content-Type ${contentType}`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return bad('INVALID_RESOURCE', 'the body is no JSON');
  }
  if (!isObject(value) || value['resourceType'] !== 'Parameters') return bad('INVALID_RESOURCE', 'the body is no Parameters resource');
  const list = Array.isArray(value['parameter']) ? (value['parameter'] as unknown[]) : [];
  const named = (from: readonly unknown[], name: string) => from.filter((one) => isObject(one) && one['name'] === name);
  const [patient, ...patients] = named(list, 'patientNHSNumber');
  const [full, ...fulls] = named(list, 'includeFullRecord');
  if (!isObject(patient) || patients.length) return bad('INVALID_PARAMETER', 'patientNHSNumber is required once');
  const identifier = patient['valueIdentifier'];
  if (!isObject(identifier) || identifier['system'] !== 'https://fhir.nhs.uk/Id/nhs-number' || typeof identifier['value'] !== 'string')
    return bad('INVALID_PARAMETER', 'patientNHSNumber has no NHS number');
  if (!isObject(full) || fulls.length) return bad('INVALID_PARAMETER', 'includeFullRecord is required once');
  const [part] = named(Array.isArray(full['part']) ? (full['part'] as unknown[]) : [], 'includeSensitiveInformation');
  if (!isObject(part) || typeof part['valueBoolean'] !== 'boolean')
    return bad('INVALID_PARAMETER', 'includeSensitiveInformation is required');
  return { nhsNumber: identifier['value'], sensitive: part['valueBoolean'] };
}

function answerOutcome(response: ServerResponse, status: number, code: string, diagnostics: string): void {
  const coding = [{ system: 'https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1', code, display: code }];
  const body = Buffer.from(
    JSON.stringify({
      resourceType: 'OperationOutcome',
      meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-OperationOutcome-1'] },
      issue: [{ severity: 'error', code: status >= 500 ? 'exception' : 'invalid', details: { coding, text: diagnostics }, diagnostics }],
    }),
  );
  response.writeHead(status, { 'content-type': 'application/fhir+json;charset=utf-8', 'content-length': body.byteLength });
  response.end(body);
}

function answerHtml(response: ServerResponse): void {
  response.writeHead(502, { 'content-type': 'text/html' });
  response.end('<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>');
}
