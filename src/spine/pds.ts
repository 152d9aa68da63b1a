import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../base/errors.ts';
import type { Ods } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { readJson } from '../fhir/json.ts';
import { outcomeCodes, outcomeWords } from '../fhir/members.ts';
import type { Budget } from '../web/budget.ts';
import { type HttpClient, HttpFault, type HttpRequest, readBody } from '../web/client.ts';
import { type PdsPatient, patientOf } from './pds-patient.ts';

/** Why there is no answer about a patient. Only `busy` and `unavailable` may pass by themselves. */
export type PdsFailure = {
  readonly failed:
    | 'notFound'
    /** The number was withdrawn: no record may be filed under it. */
    | 'invalidated'
    | 'invalidNumber'
    /** Our credentials do not allow it, or the patient's record does not allow the change. */
    | 'denied'
    | 'busy'
    | 'unavailable'
    /** PDS did not understand us, or we it: somebody has to look. */
    | 'refused';
  readonly fault: string;
  readonly retryAfterSeconds: number | null;
};
export type PracticeUpdate = {
  /** The patient as the user saw them: where PDS shows another practice by then, nothing is changed. */
  readonly seen: PdsPatient;
  readonly practice: Ods;
  /** `YYYY-MM-DD` */
  readonly from: string;
  /** UUID, the same for every repetition of this update: PDS tells repetitions by it. */
  readonly requestId: string;
};
export type Pds = {
  patient(nhsNumber: NhsNumber): Promise<{ readonly patient: PdsPatient } | PdsFailure>;
  /** Needs a token of a user: application-restricted access only reads. `changed`: PDS no longer shows what was seen. */
  updatePractice(update: PracticeUpdate): Promise<{ readonly patient: PdsPatient } | { readonly changed: PdsPatient } | PdsFailure>;
};
export type PdsOptions = {
  /** Up to `…/FHIR/R4`. */
  readonly url: string;
  readonly client: HttpClient;
  /** A bearer token; asked for a new one (`true`) when PDS refuses the last. */
  readonly token: (renew: boolean) => Promise<string>;
  readonly newId: () => string;
  readonly now: () => Date;
  /** Turns at the rate that PDS allows the application. */
  readonly budget?: Budget;
  /** ODS code of the practice for which is asked, where the registered application serves many. */
  readonly endUserOrganisation?: string;
  /** Milliseconds before each repetition; PDS's own Retry-After counts where it is longer, up to half a minute. */
  readonly waits?: readonly number[];
};

const ANSWER_BYTES = 1024 * 1024;
const LONGEST_WAIT_MS = 30_000;
/** Times that somebody else's change may come between reading and writing. */
const RACES = 3;

/** The Personal Demographics Service, FHIR R4. Every expected failure is a value. */
export function createPds(options: PdsOptions): Pds {
  const base = options.url.replace(/\/+$/, '');

  async function patient(nhsNumber: NhsNumber): Promise<{ patient: PdsPatient } | PdsFailure> {
    const requestId = options.newId();
    const answer = await repeat(options, () => ask(options, { method: 'GET', url: `${base}/Patient/${nhsNumber}` }, requestId));
    return understood(answer, nhsNumber, options);
  }

  async function updatePractice(update: PracticeUpdate): Promise<{ patient: PdsPatient } | { changed: PdsPatient } | PdsFailure> {
    let current = update.seen;
    for (let race = 0; race <= RACES; race++) {
      // The first attempt and its repetitions share an id; after a lost race it is another request.
      const requestId = race === 0 ? update.requestId : options.newId();
      const answer = await repeat(options, () => ask(options, patchOf(base, current, update), requestId));
      if ('failed' in answer || answer.status !== 409) return understood(answer, current.nhsNumber, options);
      const again = await patient(current.nhsNumber);
      if ('failed' in again) return again;
      if (again.patient.practice === update.practice) return again;
      if (again.patient.practice !== update.seen.practice) return { changed: again.patient };
      current = again.patient;
    }
    return failure('busy', 'the patient was changed by others each time we tried', null);
  }

  return { patient, updatePractice };
}

function patchOf(base: string, patient: PdsPatient, update: PracticeUpdate): HttpRequest {
  const identifier = {
    system: 'https://fhir.nhs.uk/Id/ods-organization-code',
    value: update.practice,
    period: { start: update.from },
  };
  const id = patient.practiceEntryId;
  const patch =
    id === null
      ? { op: 'add', path: '/generalPractitioner/-', value: { type: 'Organization', identifier } }
      : { op: 'replace', path: '/generalPractitioner/0', value: { id, type: 'Organization', identifier } };
  return {
    method: 'PATCH',
    url: `${base}/Patient/${patient.nhsNumber}`,
    headers: { 'content-type': 'application/json-patch+json', 'if-match': patient.version },
    body: JSON.stringify({ patches: [patch] }),
  };
}

type Answer = {
  readonly status: number;
  readonly etag: string | null;
  readonly retryAfterSeconds: number | null;
  readonly body: unknown;
};

/** One request; a refused token is renewed once. */
async function ask(options: PdsOptions, request: HttpRequest, requestId: string): Promise<Answer | PdsFailure> {
  for (const renew of [false, true]) {
    let answer: Answer;
    try {
      const headers: Record<string, string> = {
        ...request.headers,
        accept: 'application/fhir+json',
        authorization: `Bearer ${await options.token(renew)}`,
        'x-request-id': requestId,
        'x-correlation-id': requestId,
        ...(options.endUserOrganisation && { 'nhsd-end-user-organisation-ods': options.endUserOrganisation }),
      };
      await options.budget?.();
      const read = await options.client.request({ ...request, headers });
      const body = await readBody(read, ANSWER_BYTES);
      const retryAfter = Number(read.headers.get('retry-after') ?? Number.NaN);
      answer = {
        status: read.status,
        etag: read.headers.get('etag') ?? null,
        retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : null,
        body: jsonOf(body),
      };
    } catch (thrown) {
      const settings = thrown instanceof HttpFault && thrown.kind === 'configuration';
      const access = thrown instanceof Fault && (thrown.code === 'access.refused' || thrown.code === 'access.key');
      return failure(access ? 'denied' : settings ? 'refused' : 'unavailable', `PDS cannot be asked: ${reasonOf(thrown)}`, null);
    }
    if (answer.status !== 401 || renew) return answer;
  }
  return failure('denied', 'PDS refuses our token', null);
}

/** A 503 may come after the change was made: the same request, under the same id, is the way to know. */
async function repeat(options: PdsOptions, work: () => Promise<Answer | PdsFailure>): Promise<Answer | PdsFailure> {
  const waits = options.waits ?? [500, 1_000, 2_000, 4_000];
  for (let attempt = 0; ; attempt++) {
    const answer = await work();
    const passing =
      'failed' in answer ? answer.failed === 'unavailable' : answer.status >= 500 || answer.status === 429 || answer.status === 408;
    const wait = waits[attempt];
    if (!passing || wait === undefined) return answer;
    await sleep(Math.min(Math.max(wait, (answer.retryAfterSeconds ?? 0) * 1000), LONGEST_WAIT_MS));
  }
}

function understood(answer: Answer | PdsFailure, asked: NhsNumber, options: PdsOptions): { patient: PdsPatient } | PdsFailure {
  if ('failed' in answer) return answer;
  if (answer.status !== 200) return failureOf(answer);
  // A search's "too many" and other outcomes may come with a 200.
  const patient = patientOf(answer.body, asked, answer.etag, options.now());
  if (patient) return { patient };
  return failure('refused', `PDS answered no patient${outcomeWords(answer.body) ? `: ${outcomeWords(answer.body)}` : ''}`, null);
}

const BY_CODE: ReadonlyMap<string, PdsFailure['failed']> = new Map([
  ['RESOURCE_NOT_FOUND', 'notFound'],
  ['INVALIDATED_RESOURCE', 'invalidated'],
  ['INVALID_RESOURCE_ID', 'invalidNumber'],
  ['ACCESS_DENIED', 'denied'],
  ['FORBIDDEN_UPDATE', 'denied'],
  ['TOO_MANY_REQUESTS', 'busy'],
  ['UNABLE_TO_CALL_SERVICE', 'unavailable'],
  ['SERVICE_UNAVAILABLE', 'unavailable'],
]);

function failureOf({ status, body, retryAfterSeconds }: Answer): PdsFailure {
  const codes = outcomeCodes(body);
  const fault = `PDS answered HTTP ${status}${codes.length ? ` ${codes.join(' ')}` : ''}`;
  for (const code of codes) {
    const known = BY_CODE.get(code);
    if (known) return failure(known, fault, retryAfterSeconds);
  }
  if (status === 429) return failure('busy', fault, retryAfterSeconds);
  if (status >= 500 || status === 408) return failure('unavailable', fault, retryAfterSeconds);
  if (status === 401 || status === 403) return failure('denied', fault, null);
  // A 404 without FHIR comes from a wrong address: it says nothing about a patient.
  return failure('refused', fault, null);
}

function failure(failed: PdsFailure['failed'], fault: string, retryAfterSeconds: number | null): PdsFailure {
  return { failed, fault, retryAfterSeconds };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return readJson(body);
  } catch {
    // A proxy's page: the status says what there is to say.
    return null;
  }
}
