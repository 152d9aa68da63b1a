/**
 * Which national events a history entry means (the emission map of a GP2GP conversation, both roles). A pure function of the entry: what
 * it needs stands in `measured`. An entry that means nothing gives nothing, whatever it holds.
 */
import type { ObjectRef } from '../base/content.ts';
import type { Instant, Ods } from '../base/ids.ts';
import { errorFor, failurePointOfCheck, type MiError } from './errors.ts';
import type { EventPath, IntegrationOutcome } from './terms.ts';

export type Entry = { readonly at: Instant; readonly measured: Readonly<Record<string, string | number>> };
/** Whose conversation it is. */
export type About = { readonly role: 'requesting' | 'sending'; readonly otherPractice: Ods | null };

/**
 * One event that is to be reported. `key` is what it is: an entry that means the same once more (a second proof that the request left) has
 * the same key, and it is reported once in a conversation. What is too long for a row is read from `list` when the event is sent:
 * `placeholders` become a member of the payload, `documents` an event each, `degrades` one event without any link to the transfer.
 */
export type Occurrence = {
  readonly path: EventPath;
  readonly at: Instant;
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly list?: { readonly of: 'placeholders' | 'documents' | 'degrades'; readonly object: ObjectRef };
  /** Reported only where the occurrence of this key, of the same entry, was not reported before: degrades leave no key of their own. */
  readonly beside?: string;
};

export function occurrencesOf(about: About, entry: Entry): Occurrence[] {
  return about.role === 'requesting' ? requesting(about, entry) : sending(entry);
}

function requesting({ otherPractice }: About, { at, measured }: Entry): Occurrence[] {
  // Nothing is reported of registrations that are not for good.
  if (measured['permanent'] === 'false' || measured['reason'] === 'NOT_GMS1') return [];
  const occurrences: Occurrence[] = [];
  const add = (path: EventPath, payload: Occurrence['payload'], key: string, more: Partial<Occurrence> = {}) =>
    void occurrences.push({ path, at, key, payload, ...more });
  const error = (given: MiError, key: string) => add('errors', { error: given }, `errors:${key}`);

  if (measured['permanent'] === 'true') add('registrations', registration(measured), 'registrations');
  const compatible = text(measured, 'compatible');
  if (compatible !== null) {
    const internal = measured['internal'] === 'true';
    const reason = text(measured, 'reason');
    const checked = { internalTransfer: internal, transferCompatible: internal || compatible === 'true', ...(reason && { reason }) };
    // There is one only where there is a previous practice.
    if (otherPractice) add('transfer-compatibility-statuses', { transferCompatibilityStatus: checked }, 'compatibility');
    if (internal && otherPractice) add('ehr-integrations', integration('INTERNAL_TRANSFER'), 'integration:internal');
    const failurePoint = failurePointOfCheck(reason, text(measured, 'fault'));
    if (failurePoint) error(errorFor(text(measured, 'fault') ?? reason ?? 'UNKNOWN', failurePoint), 'check');
  }
  if (measured['left'] === 'request') add('ehr-requests', null, 'ehr-requests');
  const refused = measured['refusedTo'] === 'request' ? text(measured, 'refused') : null;
  if (refused) error(errorFor(refused, 'EHR_REQUESTED'), `refused:${text(measured, 'message')}`);
  const outcome = measured['outcome'];
  if (outcome === 'undeliverable') error(errorFor('NOT_DELIVERED', 'EHR_REQUESTED'), 'undeliverable');
  if (outcome === 'timedOut' && measured['answered'] === undefined) error(errorFor('NO_EXTRACT', 'EHR_RESPONSE'), 'timedOut');
  if (outcome === 'withdrawn' && measured['answered'] === undefined && otherPractice) {
    const status = { internalTransfer: false, transferCompatible: false, reason: 'WITHDRAWN' };
    add('transfer-compatibility-statuses', { transferCompatibilityStatus: status }, 'withdrawn');
  }
  const ready = text(measured, 'ready');
  if (ready) {
    const key = `ready:${ready}`;
    const documents = objectIn(measured, 'documents', 'documentsBytes');
    if (documents) add('document-responses', null, `documents:${ready}`, { list: { of: 'documents', object: documents } });
    add('ready-to-integrate-statuses', null, key);
    const degrades = objectIn(measured, 'degradeList', 'degradeListBytes');
    if (degrades) add('ehr-degrades', null, `degrades:${ready}`, { list: { of: 'degrades', object: degrades }, beside: key });
  }
  if (measured['answeredTo'] === 'extract') occurrences.push(...finalAnswer({ at, measured }));
  return occurrences;
}

/** The final acknowledgement says what became of the record; 12 says that it is not the record at all. */
function finalAnswer({ at, measured }: Entry): Occurrence[] {
  const code = text(measured, 'answered') ?? '';
  const outcome = integrationOf(code, measured['returning'] === 'true');
  if (!outcome) return [];
  const id = text(measured, 'answeredId');
  const done: Occurrence = { path: 'ehr-integrations', at, key: `integration:${id}`, payload: integration(outcome) };
  if (outcome !== 'REJECTED' && outcome !== 'FAILED_TO_INTEGRATE') return [done];
  const point = measured['offered'] === 'true' ? 'EHR_INTEGRATION' : 'EHR_READY_TO_INTEGRATE';
  return [done, { path: 'errors', at, key: `errors:integration:${id}`, payload: { error: errorFor(code, point) } }];
}

/** What a final answer is nationally. Of a returning patient the record that came is used, and the practice's own is kept aside. */
export function integrationOf(code: string, returning: boolean): IntegrationOutcome | null {
  switch (code) {
    case 'AA':
      return returning ? 'INTEGRATED_AND_SUPPRESSED' : 'INTEGRATED';
    case '15':
      return 'SUPPRESSED_AND_REACTIVATED';
    case '26':
      return 'FILED_AS_ATTACHMENT';
    case '17':
    case '28':
      return 'REJECTED';
    case '12':
      return null;
    default:
      return 'FAILED_TO_INTEGRATE';
  }
}

function sending({ at, measured }: Entry): Occurrence[] {
  const occurrences: Occurrence[] = [];
  const error = (given: MiError, key: string) =>
    void occurrences.push({ path: 'errors', at, key: `errors:${key}`, payload: { error: given } });
  if (measured['left'] === 'core') {
    const documents = objectIn(measured, 'documents', 'documentsBytes');
    occurrences.push({
      path: 'ehr-responses',
      at,
      key: `ehr-responses:${text(measured, 'core')}`,
      payload: { ehr: { ehrStructuredSizeBytes: Number(measured['structuredBytes'] ?? 0) } },
      ...(documents && { list: { of: 'placeholders', object: documents } }),
    });
  }
  const refused = measured['refusedTo'] === 'part' ? text(measured, 'refused') : null;
  if (refused) error(errorFor(refused, 'EHR_RESPONSE'), `refused:${text(measured, 'message')}`);
  const outcome = measured['outcome'];
  if (outcome === 'refusedByUs') error(errorFor(text(measured, 'code') ?? '99', 'EHR_RESPONSE'), `refusal:${at}`);
  if (outcome === 'undeliverable') error(errorFor('NOT_DELIVERED', 'EHR_RESPONSE'), `undeliverable:${at}`);
  return occurrences;
}

function integration(outcome: IntegrationOutcome) {
  return { integration: { outcome } };
}

const TRACE_REASONS: Readonly<Record<string, string>> = {
  noResults: 'no PDS results',
  noneSelected: 'PDS results returned but none selected',
  noTrace: 'no PDS trace performed',
};

function registration(measured: Entry['measured']): Readonly<Record<string, unknown>> {
  const authenticated = measured['authenticated'] === 'true';
  const matched = measured['traceMatched'] === 'true';
  const reason = TRACE_REASONS[text(measured, 'traceReason') ?? 'noneSelected'];
  return {
    registration: {
      type: measured['type'] === 'changeOfType' ? 'CHANGE_PATIENT_TYPE' : 'NEW_GP_REGISTRATION',
      returningPatient: measured['returning'] === 'true',
      multifactorAuthenticationPresent: authenticated,
    },
    demographicTraceStatus: { matched, ...(!matched && { reason }), multifactorAuthenticationPresent: authenticated },
    gpLinks: { gpLinksComplete: measured['gpLinksComplete'] === 'true' },
  };
}

function text(measured: Entry['measured'], name: string): string | null {
  const value = measured[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function objectIn(measured: Entry['measured'], name: string, size: string): ObjectRef | null {
  const [sha256, bytes] = [text(measured, name), measured[size]];
  return sha256 && typeof bytes === 'number' ? { sha256, bytes } : null;
}
