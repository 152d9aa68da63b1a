/** The emission map of a conversation, both roles, over the real decisions: each event at its moment, and nothing at any other. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { ConversationId, Instant, MessageId, Ods } from '../base/ids.ts';
import { CODES } from '../transfer/codes.ts';
import { decide } from '../transfer/decide.ts';
import { measuredOf } from '../transfer/measured.ts';
import {
  AE,
  arrivedEvent,
  CORE,
  doneEvent,
  endedRequesting,
  endedSending,
  events,
  facts,
  messages,
  NOW,
  peer,
  REQUEST,
  requestingStates,
  sendingStates,
} from '../transfer/testing.ts';
import type { Event, Facts, Registration, Transfer } from '../transfer/types.ts';
import { eventBody } from './body.ts';
import { checkEvent, eventIdSeed } from './check.ts';
import type { MiEvent, TransferEvent } from './events.ts';
import { integrationOf, type Occurrence, occurrencesOf } from './from-history.ts';
import { freeMoment } from './moments.ts';
import { EVENT_PATHS, type EventPath, FAILURE_POINTS, INTEGRATION_OUTCOMES } from './terms.ts';

const SECONDS = Date.parse(NOW) / 1000;

/** What one step of a transfer means. */
function told(transfer: Transfer, event: Event, over: Partial<Facts> = {}): Occurrence[] {
  const decision = decide(transfer, event, facts(over));
  return occurrencesOf({ role: transfer.role, otherPractice: peer.ods }, { at: event.at, measured: measuredOf(transfer, event, decision) });
}

/** The body as it is posted; a list is given an element, as its object would. */
function bodyOf({ path, at, payload, list }: Occurrence, role: Transfer['role'] = 'requesting'): object {
  const envelope = {
    role,
    conversationId: '7C0E2B8A-51D4-4E7F-9B61-0A4D6C1E9F20' as ConversationId,
    practice: 'B99902' as Ods,
    otherPractice: peer.ods,
    supplier: 'ZZ901',
  };
  const attachment = { clinicalType: 'IMAGE', mimeType: 'image/tiff', sizeBytes: 1 };
  const listed = {
    placeholders: payload,
    documents: { attachment, documentMigration: { successful: true } },
    degrades: { degrades: [{ type: 'PLAN', reason: 'CODE', coding: [{ code: 'x', system: 'y' }] }] },
  };
  return eventBody(path, envelope, at, list ? listed[list.of] : payload);
}

const paths = (occurrences: readonly Occurrence[]) => occurrences.map(({ path }) => path);
const outcomeIn = (occurrences: readonly Occurrence[]) => {
  const found = occurrences.find(({ path }) => path === 'ehr-integrations');
  return (found?.payload as { integration: { outcome: string } } | undefined)?.integration.outcome;
};
const errorIn = (occurrences: readonly Occurrence[]) => {
  const found = occurrences.find(({ path }) => path === 'errors')?.payload as
    | { error: { errorCode: string; failurePoint: string } }
    | undefined;
  return found ? [found.error.errorCode, found.error.failurePoint] : null;
};
const { checking, waitingForExtract, collecting, converting, waitingForDecision, filing } = requestingStates;
const event = (name: string): Event => events[name] ?? assert.fail(name);
const registered = (over: Partial<Registration>): Event => ({
  id: 'R',
  at: NOW,
  by: { kind: 'system' },
  kind: 'registered',
  registration: {
    type: 'newRegistration',
    permanent: true,
    returning: false,
    authenticated: true,
    traceMatched: true,
    gpLinksComplete: true,
    ...over,
  },
});

test('every regular registration is reported, returning patients, changes of type and those without a trace among them; no other', () => {
  assert.deepEqual(paths(told(checking, registered({}))), ['registrations']);
  assert.deepEqual(told(checking, registered({ returning: true, type: 'changeOfType' }))[0]?.payload, {
    registration: { type: 'CHANGE_PATIENT_TYPE', returningPatient: true, multifactorAuthenticationPresent: true },
    demographicTraceStatus: { matched: true, multifactorAuthenticationPresent: true },
    gpLinks: { gpLinksComplete: true },
  });
  const untraced = told(
    checking,
    registered({ traceMatched: false, traceReason: 'noTrace', authenticated: false, gpLinksComplete: false }),
  );
  assert.deepEqual(untraced[0]?.payload, {
    registration: { type: 'NEW_GP_REGISTRATION', returningPatient: false, multifactorAuthenticationPresent: false },
    demographicTraceStatus: { matched: false, reason: 'no PDS trace performed', multifactorAuthenticationPresent: false },
    gpLinks: { gpLinksComplete: false },
  });
  assert.deepEqual(told(checking, registered({ permanent: false })), []);
});

test('sending ODS null allowed: without a previous practice a registration is reported, and no compatibility', () => {
  const alone = (given: Event) =>
    occurrencesOf(
      { role: 'requesting', otherPractice: null },
      { at: NOW, measured: measuredOf(checking, given, decide(checking, given, facts())) },
    );
  assert.deepEqual(paths(alone(registered({}))), ['registrations']);
  const none = doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason: 'NO_PREVIOUS_GP' } });
  assert.deepEqual(alone(none), []);
});

test('whether an electronic transfer follows is reported as soon as it is known, with a reason where none does', () => {
  const may = told(checking, event('mayAsk'));
  assert.deepEqual(
    may.map(({ payload }) => payload),
    [{ transferCompatibilityStatus: { internalTransfer: false, transferCompatible: true } }],
  );
  const not = told(checking, event('mayNotAsk'));
  assert.deepEqual(
    not.map(({ payload }) => payload),
    [{ transferCompatibilityStatus: { internalTransfer: false, transferCompatible: false, reason: 'NO_ENDPOINT' } }],
  );
  assert.deepEqual(told(checking, doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason: 'NOT_GMS1' } })), []);
});

test('an internal transfer is compatible, and integrated inside its one system', () => {
  const internal = told(checking, doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason: 'INTERNAL', internal: true } }));
  assert.deepEqual(paths(internal), ['transfer-compatibility-statuses', 'ehr-integrations']);
  assert.equal(outcomeIn(internal), 'INTERNAL_TRANSFER');
  const status = internal[0]?.payload?.['transferCompatibilityStatus'] as { internalTransfer: boolean; transferCompatible: boolean };
  assert.deepEqual([status.internalTransfer, status.transferCompatible], [true, true]);
});

test('faults of the trace, of the update of PDS and of the directory are errors, each at its point', () => {
  const failed = (fault: string): Event => ({ id: 'F', at: NOW, by: { kind: 'system' }, kind: 'failed', job: 'mayWeAsk', fault });
  assert.deepEqual(errorIn(told(checking, failed('pds.unavailable: HTTP 503'))), ['PDS_UNAVAILABLE', 'PATIENT_TRACE']);
  assert.deepEqual(errorIn(told(checking, failed('sds.unavailable: HTTP 503'))), ['SDS_UNAVAILABLE', 'ENDPOINT_LOOKUP']);
  const notHere = doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason: 'NOT_REGISTERED_HERE' } });
  assert.deepEqual(errorIn(told(checking, notHere)), ['NOT_REGISTERED_HERE', 'PATIENT_GENERAL_UPDATE']);
});

test('a request is reported when it left, whatever proves it first, and under one key', () => {
  const ack = arrivedEvent({ ...messages.positive, of: REQUEST });
  const part = { expected: false, seen: false, outstandingAfter: 2, messages: 2 };
  const proofs = [
    told(waitingForExtract, event('requestSent')),
    told(waitingForExtract, ack, { refersTo: 'request' }),
    told(waitingForExtract, event('extract')),
    told(waitingForExtract, event('largeExtract'), { part }),
    told(collecting, event('requestSent')),
  ];
  for (const proof of proofs)
    assert.deepEqual(
      proof.map(({ path, key }) => [path, key]),
      [['ehr-requests', 'ehr-requests']],
    );
  assert.deepEqual(told({ ...waitingForExtract, acknowledged: NOW }, ack, { refersTo: 'request' }), []);
});

test('a request that cannot be sent is an error where the EHR is requested, and not a request', () => {
  const lost = told(waitingForExtract, event('requestNotSent'));
  assert.deepEqual(paths(lost), ['errors']);
  assert.deepEqual(errorIn(lost), ['NOT_DELIVERED', 'EHR_REQUESTED']);
  const bounced = told(waitingForExtract, arrivedEvent({ ...messages.undelivered, of: REQUEST }), { refersTo: 'request' });
  assert.deepEqual(errorIn(bounced), ['NOT_DELIVERED', 'EHR_REQUESTED']);
});

test('a refusal of the request is an error with its code, at the practice that asked and at the one that refused', () => {
  for (const code of ['06', '07', '10', '14', '19', '23', '24', '99'] as const) {
    const heard = told(waitingForExtract, arrivedEvent({ ...messages.negative, of: REQUEST, answer: AE(code) }), { refersTo: 'request' });
    assert.deepEqual(paths(heard), ['ehr-requests', 'errors']);
    assert.deepEqual(errorIn(heard), [code, 'EHR_REQUESTED']);
    const said = told(sendingStates.checking, doneEvent({ job: 'mayTheyAsk', answer: { send: false, code, peer } }));
    assert.deepEqual([paths(said), errorIn(said)], [['errors'], [code, 'EHR_RESPONSE']]);
  }
});

test('a refusal that names no code we know is still an error whose code the specification allows', () => {
  const answer = { accepted: false, code: null, raw: 'E-17 nicht möglich' } as const;
  const heard = told(waitingForExtract, arrivedEvent({ ...messages.negative, of: REQUEST, answer }), { refersTo: 'request' });
  assert.match(errorIn(heard)?.[0] ?? '', /^[A-Za-z0-9_]{1,50}$/);
});

test('what somebody else says in the name of the previous practice is no error of the transfer', () => {
  const addressed = { ...messages.negative.addressed, fromPartyKey: 'Z99999-000001' };
  assert.deepEqual(told(waitingForExtract, arrivedEvent({ ...messages.negative, addressed, of: REQUEST }), { refersTo: 'request' }), []);
});

test('a response is reported when the core left, whatever proves it first: our post, a continue, an answer', () => {
  const sending = {
    ...sendingStates.sendingCore,
    offer: { ...sendingStates.sendingCore.offer, structuredBytes: 412_880, documents: DOCUMENTS },
  };
  const final = arrivedEvent(messages.positive);
  for (const proof of [told(sending, event('coreSent')), told(sending, event('continue')), told(sending, final, { refersTo: 'extract' })]) {
    assert.deepEqual(
      proof.map(({ path, key }) => [path, key]),
      [['ehr-responses', `ehr-responses:${CORE}`]],
    );
    assert.deepEqual(proof[0]?.payload, { ehr: { ehrStructuredSizeBytes: 412_880 } });
    assert.deepEqual(proof[0]?.list, { of: 'placeholders', object: DOCUMENTS });
  }
  assert.deepEqual(paths(told(sending, event('coreNotSent'))), ['errors']);
  // A record sent again is another response: its core has another id.
  const again = told({ ...sending, offer: { ...sending.offer, core: 'CORE2' as MessageId } }, {
    ...event('coreSent'),
    messageId: 'CORE2',
  } as Event);
  assert.notEqual(again[0]?.key, `ehr-responses:${CORE}`);
});
const DOCUMENTS = { sha256: 'd'.repeat(64), bytes: 99 };

test('a refused part is an error of the practice that sent it; a part that is taken is nothing', () => {
  const answered = (answer: (typeof messages)['negative']['answer'] | { accepted: true }) =>
    told(
      sendingStates.waitingForAnswer,
      arrivedEvent({ ...messages.positive, messageId: 'A1' as MessageId, of: 'P1' as MessageId, answer }),
      {
        refersTo: 'piece',
      },
    );
  assert.deepEqual(errorIn(answered(AE('30'))), ['30', 'EHR_RESPONSE']);
  assert.deepEqual(answered({ accepted: true }), []);
});

test('ready, documents and degrades are reported once the record is offered; degrades only where there are any', () => {
  const record = { ...waitingForDecision.record, documents: DOCUMENTS, degrades: DOCUMENTS };
  const read = told(converting, doneEvent({ job: 'toFhir', answer: { converted: true, record, holds: [] } }));
  assert.deepEqual(paths(read), ['document-responses', 'ready-to-integrate-statuses', 'ehr-degrades']);
  assert.deepEqual(
    read.map(({ list }) => list?.of),
    ['documents', undefined, 'degrades'],
  );
  assert.equal(read[2]?.beside, read[1]?.key, 'a record that is read anew is ready once, so its degrades are told once');
  const waits = told(converting, event('readWithHold'));
  assert.deepEqual(paths(waits), ['document-responses', 'ready-to-integrate-statuses']);
});

test('each end of a record is its outcome: integrated, suppressed, an attachment, rejected, failed', () => {
  const end = (as: 'integrate' | 'suppress' | 'fileAsAttachment') => outcomeIn(told({ ...filing, as }, event('filed')));
  assert.equal(end('integrate'), 'INTEGRATED');
  assert.equal(end('suppress'), 'SUPPRESSED_AND_REACTIVATED');
  assert.equal(end('fileAsAttachment'), 'FILED_AS_ATTACHMENT');
  const returning = decide({ ...waitingForDecision, reasons: ['returningPatient'] }, event('integrate'), facts()).transfer;
  assert.equal(outcomeIn(told(returning, event('filed'))), 'INTEGRATED_AND_SUPPRESSED');
  const reject = (reasons: readonly string[]) => told({ ...waitingForDecision, reasons }, event('reject'));
  assert.deepEqual([outcomeIn(reject(['otherPatient'])), errorIn(reject(['otherPatient']))], ['REJECTED', ['28', 'EHR_INTEGRATION']]);
  assert.equal(errorIn(reject(['returningPatient']))?.[0], '17');
  assert.deepEqual(
    [outcomeIn(reject(['refusedBySystem'])), errorIn(reject(['refusedBySystem']))],
    ['FAILED_TO_INTEGRATE', ['11', 'EHR_INTEGRATION']],
  );
  const reachable = new Set(['AA', ...Object.keys(CODES)].flatMap((code) => [integrationOf(code, false), integrationOf(code, true)]));
  assert.deepEqual(
    INTEGRATION_OUTCOMES.filter((outcome) => !reachable.has(outcome)),
    ['INTERNAL_TRANSFER'],
  );
});

test('a record that cannot be used fails to integrate, with the error where it was to be made ready', () => {
  const unusable = told(converting, event('notRead'));
  assert.deepEqual([outcomeIn(unusable), errorIn(unusable)], ['FAILED_TO_INTEGRATE', ['21', 'EHR_READY_TO_INTEGRATE']]);
  const late = told(collecting, event('partsLate'), { recordMissing: true });
  assert.deepEqual([outcomeIn(late), errorIn(late)], ['FAILED_TO_INTEGRATE', ['31', 'EHR_READY_TO_INTEGRATE']]);
});

test('a duplicate is no outcome and no error; a core that never came is an error, and no integration', () => {
  const second = { ...messages.extract, messageId: 'CORE2' as MessageId };
  assert.deepEqual(told(waitingForDecision, arrivedEvent(second)), []);
  const late = told(waitingForExtract, event('extractLate'));
  assert.deepEqual([paths(late), errorIn(late)], [['errors'], ['NO_EXTRACT', 'EHR_RESPONSE']]);
});

test('a withdrawn registration is not compatible any more; with its record here it is rejected', () => {
  const before = told(waitingForExtract, event('withdraw'));
  assert.deepEqual(paths(before), ['transfer-compatibility-statuses']);
  assert.equal(outcomeIn(told(collecting, event('withdraw'))), 'REJECTED');
});

test('every pair of state and event, in both roles, gives events that pass the strict rules, and all nine are among them', () => {
  const codes = Object.keys(CODES) as (keyof typeof CODES)[];
  const transfers: Transfer[] = [
    ...Object.values(requestingStates),
    ...Object.values(sendingStates),
    endedRequesting({ kind: 'timedOut', waitingFor: 'extract' }),
    endedRequesting({ kind: 'withdrawn' }),
    endedSending({ kind: 'unanswered' }),
    endedSending({ kind: 'refusedByUs', code: '10' }),
  ];
  const record = { ...waitingForDecision.record, degrades: DOCUMENTS };
  const all: Event[] = [
    ...Object.values(events),
    doneEvent({ job: 'toFhir', answer: { converted: true, record, holds: [] } }),
    ...codes.flatMap((code) => [REQUEST, CORE].map((of) => arrivedEvent({ ...messages.negative, of, answer: AE(code) }))),
  ];
  const seen = new Set<EventPath>();
  const points = new Set<string>();
  for (const transfer of transfers) {
    for (const given of all) {
      for (const refersTo of ['request', 'extract', 'piece', null] as const) {
        for (const occurrence of told(transfer, given, { refersTo })) {
          const checked = checkEvent(occurrence.path, bodyOf({ ...occurrence, key: 'x' }, transfer.role), 'strict', SECONDS);
          assert.ok('event' in checked, `${transfer.role} ${transfer.state} ${given.kind}: ${JSON.stringify(checked)}`);
          seen.add(occurrence.path);
          if (occurrence.path === 'errors') points.add(errorIn([occurrence])?.[1] ?? '');
        }
      }
    }
  }
  assert.deepEqual(
    EVENT_PATHS.filter((path) => !seen.has(path)),
    [],
  );
  assert.deepEqual(
    [...points].filter((point) => !(FAILURE_POINTS as readonly string[]).includes(point)),
    [],
  );
});

test('a degrade says nothing but supplier and codes: the server gives it a random id, and nothing leads to its transfer', () => {
  const record = { ...waitingForDecision.record, degrades: DOCUMENTS };
  const degrades = told(converting, doneEvent({ job: 'toFhir', answer: { converted: true, record, holds: [] } })).at(-1);
  assert.equal(degrades?.path, 'ehr-degrades');
  assert.deepEqual(Object.keys(bodyOf(degrades as Occurrence)).sort(), ['payload', 'reportingSystemSupplier']);
});

test('times are UTC and end in Z', () => {
  for (const given of ['requestSent', 'extract']) {
    for (const occurrence of told(waitingForExtract, event(given))) {
      const { registrationEventDateTime } = bodyOf(occurrence) as { registrationEventDateTime: string };
      assert.match(registrationEventDateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
  }
});

test('500 documents of one second have 500 ids by the published rule', () => {
  const ids = new Set<string>();
  let last: Instant | null = null;
  const start = Date.parse('2026-03-02T09:17:02.000Z');
  for (let at = 0; at < 500; at++) {
    // All of them happened within one second, many in the same millisecond.
    last = freeMoment('document-responses', 'requesting', new Date(start + (at % 50) * 20).toISOString() as Instant, last);
    const occurrence: Occurrence = {
      path: 'document-responses',
      at: last,
      key: '',
      payload: null,
      list: { of: 'documents', object: DOCUMENTS },
    };
    const posted = { path: 'document-responses', body: bodyOf(occurrence) } as MiEvent as TransferEvent;
    ids.add(createHash('md5').update(eventIdSeed(posted)).digest('hex'));
  }
  assert.equal(ids.size, 500);
});

test('errors of both practices at the same moment have different times', () => {
  for (const at of ['2026-03-02T09:20:00.000Z', '2026-03-02T09:20:00.001Z', '1969-12-31T23:59:59.999Z'] as Instant[]) {
    const [ours, theirs] = [freeMoment('errors', 'requesting', at, null), freeMoment('errors', 'sending', at, null)];
    assert.notEqual(ours, theirs);
    const [second, third] = [freeMoment('errors', 'requesting', at, ours), freeMoment('errors', 'sending', at, theirs)];
    assert.equal(new Set([ours, theirs, second, third]).size, 4);
  }
});
