import type { ObjectRef } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import type { Ods } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { createRooms } from '../base/rooms.ts';
import { readJson } from '../fhir/json.ts';
import { outcomeCodes, outcomeWords } from '../fhir/members.ts';
import type { Objects } from '../objects/objects.ts';
import type { ResponseCode } from '../transfer/types.ts';
import { doubling, withBackOff } from '../web/back-off.ts';
import { atMost, type HttpAnswer, type HttpClient, HttpFault, type HttpRequest, readBody } from '../web/client.ts';
import { readBinary } from './binary.ts';
import { type Consumer, consumerToken } from './token.ts';

export type FetchedRecord =
  | { readonly fetched: true; readonly bundle: ObjectRef }
  /** `code` is what the requesting practice is told. */
  | { readonly fetched: false; readonly code: ResponseCode; readonly fault: string };
export type FetchedBinary =
  | { readonly fetched: true; readonly object: ObjectRef; readonly contentType: string | null }
  /** `missing` stands in the placeholder that is sent in the document's place. `trouble`: it was not the document's fault. */
  | {
      readonly fetched: false;
      readonly missing: string;
      readonly trouble: boolean;
      /** What the system's status says of the file. */
      readonly file?: 'notFound' | 'deleted' | 'locked';
    };
export type GpConnect = {
  /** The whole record of a patient as a FHIR bundle, stored as it came. */
  fetchRecord(ask: { readonly nhsNumber: NhsNumber; readonly requester: Ods; readonly traceId: string }): Promise<FetchedRecord>;
  /** A document by the address that a DocumentReference gives. Only its id is used: a record may not send us anywhere else. */
  fetchBinary(ask: { readonly url: string; readonly requester: Ods; readonly traceId: string }): Promise<FetchedBinary>;
};
export type GpConnectOptions = {
  /** Up to, not including, `/Patient/…`. */
  readonly base: string;
  readonly client: HttpClient;
  readonly objects: Objects;
  /** ASIDs: of the node, and of the practice's system. */
  readonly fromAsid: string;
  readonly toAsid: string;
  readonly consumer: Consumer;
  readonly now: () => Date;
  /** Milliseconds before each repetition of what failed for a reason that may pass. */
  readonly waits?: readonly number[];
  readonly recordBytes?: number;
  readonly binaryBytes?: number;
};

const MIGRATE_RECORD = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.migratestructuredrecord-1';
const MIGRATE_BINARY = 'urn:nhs:names:services:gpconnect:documents:fhir:rest:migrate:binary-1';
const RECORD_BYTES = 64 * 1024 * 1024;
/** 100 MB of document are 134 MB of base64. */
const BINARY_BYTES = 150 * 1024 * 1024;
const ERROR_BYTES = 1024 * 1024;
/** In which documents are decoded: for what a connection gives at a time. */
const ROOMS = createRooms(65_536, 8);

/** The practice's own system as a GP Connect provider of records and documents for migration. */
export function createGpConnect(options: GpConnectOptions): GpConnect {
  const base = options.base.replace(/\/+$/, '');
  const waits = options.waits ?? doubling(5_000, 6);
  const recordBytes = options.recordBytes ?? RECORD_BYTES;
  const binaryBytes = options.binaryBytes ?? BINARY_BYTES;

  /** A new token for each attempt: a repetition may come after the last one has expired. */
  const headers = (interaction: string, requester: Ods, traceId: string): Record<string, string> => ({
    'ssp-traceid': traceId,
    'ssp-from': options.fromAsid,
    'ssp-to': options.toAsid,
    'ssp-interactionid': interaction,
    authorization: `Bearer ${consumerToken({ consumer: options.consumer, audience: base, requester, now: options.now() })}`,
    accept: 'application/fhir+json',
    'content-type': 'application/fhir+json',
  });

  return {
    async fetchRecord({ nhsNumber, requester, traceId }) {
      try {
        const bundle = await withBackOff(
          async () => {
            const answer = await request(options.client, {
              method: 'POST',
              url: `${base}/Patient/$gpc.migratestructuredrecord`,
              headers: headers(MIGRATE_RECORD, requester, traceId),
              body: parametersFor(nhsNumber),
            });
            return await options.objects.put(atMost(answer.body, recordBytes));
          },
          mayPass,
          waits,
        );
        return { fetched: true, bundle };
      } catch (thrown) {
        return { fetched: false, ...recordRefusal(thrown) };
      }
    },

    async fetchBinary({ url, requester, traceId }) {
      const id = binaryIdIn(url);
      if (id === null) return { fetched: false, missing: 'its address in the record names no document', trouble: false };
      try {
        return await withBackOff(
          async () => {
            const answer = await request(options.client, {
              method: 'GET',
              url: `${base}/Binary/${id}`,
              headers: headers(MIGRATE_BINARY, requester, traceId),
            });
            const room = ROOMS.take();
            const binary = readBinary(atMost(answer.body, binaryBytes), room);
            const object = await options.objects.put(binary.bytes);
            // Not where it failed: a piece may still be on its way to the disk.
            ROOMS.give(room);
            const { contentType, hasContent } = binary.frame();
            if (!hasContent || object.bytes === 0) return { fetched: false, missing: 'it is empty', trouble: false } as const;
            return { fetched: true, object, contentType } as const;
          },
          mayPass,
          waits,
        );
      } catch (thrown) {
        return binaryRefusal(thrown);
      }
    },
  };
}

/** Status and codes of an answer that is not 200. */
class Refused extends Fault {
  readonly status: number;
  readonly codes: readonly string[];
  readonly said: string;
  constructor(status: number, codes: readonly string[], said: string) {
    super('gpConnect.refused', `the practice's system answered HTTP ${status}${codes.length ? ` ${codes.join(' ')}` : ''}`);
    this.status = status;
    this.codes = codes;
    this.said = said;
  }
}

async function request(client: HttpClient, ask: HttpRequest): Promise<HttpAnswer> {
  const answer = await client.request(ask);
  if (answer.status === 200) return answer;
  let outcome: unknown = null;
  try {
    outcome = readJson(await readBody(answer, ERROR_BYTES));
  } catch (thrown) {
    // A proxy's page, or a body that breaks off: the status says what there is to say.
    if (!(thrown instanceof Fault)) throw thrown;
  }
  throw new Refused(answer.status, outcomeCodes(outcome), outcomeWords(outcome));
}

/** 5xx (but for what is not provided at all), time-outs and broken connections. */
function mayPass(thrown: unknown): boolean {
  if (thrown instanceof Refused) return (thrown.status >= 500 && thrown.status !== 501) || thrown.status === 429 || thrown.status === 408;
  if (thrown instanceof HttpFault) return thrown.kind !== 'configuration';
  return thrown instanceof Fault && thrown.code === 'binary.unreadable' && /ends early/.test(thrown.message);
}

const NACK_BY_CODE: ReadonlyMap<string, ResponseCode> = new Map([
  ['404 PATIENT_NOT_FOUND', '06'],
  ['403 NO_RELATIONSHIP', '19'],
  ['400 INVALID_NHS_NUMBER', '19'],
  ['400 INVALID_PATIENT_DEMOGRAPHICS', '20'],
  ['400 BAD_REQUEST', '18'],
  ['422 INVALID_RESOURCE', '18'],
  ['422 INVALID_PARAMETER', '18'],
  ['422 BAD_REQUEST', '18'],
]);

function recordRefusal(thrown: unknown): { code: ResponseCode; fault: string } {
  if (thrown instanceof Refused) {
    const known = thrown.codes.flatMap((code) => NACK_BY_CODE.get(`${thrown.status} ${code}`) ?? []);
    return { code: known[0] ?? '20', fault: thrown.message };
  }
  // Our own store's trouble passes; the job comes again.
  if (!(thrown instanceof Fault) || thrown.code.startsWith('objects.')) throw thrown;
  return { code: thrown.code === 'http.tooLarge' ? '10' : '99', fault: `the record could not be fetched: ${reasonOf(thrown)}` };
}

const FILE_BY_STATUS: ReadonlyMap<number, 'notFound' | 'deleted' | 'locked'> = new Map([
  [404, 'notFound'],
  [410, 'deleted'],
  [423, 'locked'],
]);

function binaryRefusal(thrown: unknown): FetchedBinary {
  if (thrown instanceof Refused) {
    const trouble =
      thrown.status >= 500 || thrown.status === 429 || thrown.status === 408 || thrown.status === 401 || thrown.status === 403;
    const file = FILE_BY_STATUS.get(thrown.status);
    return { fetched: false, missing: thrown.said || `the practice's system answered ${thrown.status}`, trouble, ...(file && { file }) };
  }
  if (!(thrown instanceof Fault) || thrown.code.startsWith('objects.')) throw thrown;
  if (thrown.code === 'http.tooLarge') return { fetched: false, missing: 'it is too large to be sent', trouble: false };
  if (thrown instanceof HttpFault) return { fetched: false, missing: "the practice's system did not give it", trouble: true };
  return { fetched: false, missing: 'it could not be read', trouble: false };
}

/** FHIR ids have 64 characters at most; the host before them is not looked at. */
function binaryIdIn(url: string): string | null {
  const [path = ''] = url.trim().split(/[?#]/, 1);
  return /(?:^|\/)Binary\/([A-Za-z0-9.-]{1,64})\/?$/.exec(path)?.[1] ?? null;
}

function parametersFor(nhsNumber: NhsNumber): string {
  return JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      { name: 'patientNHSNumber', valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber } },
      { name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: true }] },
    ],
  });
}
