import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConversationId, Instant, MessageId, Ods } from '../../base/ids.ts';
import { decide } from '../../transfer/decide.ts';
import { measuredOf } from '../../transfer/measured.ts';
import {
  AE,
  arrivedEvent,
  doneEvent,
  events,
  facts,
  messages,
  NOW,
  REQUEST,
  requestingStates,
  sendingStates,
} from '../../transfer/testing.ts';
import type { Event, Facts, Transfer } from '../../transfer/types.ts';
import { FOOTER_COLUMNS, HEADER_COLUMNS, line, REQUEST_COLUMNS, SEND_COLUMNS } from './columns.ts';
import { fileName, practiceLines } from './file.ts';
import { requestRecord, sendRecord } from './records.ts';
import { daysOf, londonTime, periodOf, weekBefore, weekOf } from './week.ts';

test('names and order of the columns are today’s, byte for byte', () => {
  assert.equal(
    HEADER_COLUMNS.join(','),
    'RecordType,RequestorODS,RequestorASID,RequestorSoftware,RequestorApplicationStatus,ReportTimePeriod,MaxMessageSize,MaxNumAttachments,MaxAttachSize,ConfigA,ConfigB',
  );
  assert.equal(
    REQUEST_COLUMNS.join(','),
    'RecordType,ConversationID,RequestorODS,SenderODS,RegistrationTime,RegistrationType,RegistrationSmartcardUID,RequestFailurePoint,RequestFailureTime,RequestFailureMessageID,RequestFailureType,RequestErrorCode,RequestErrorDescription,RequestRetryCount,RequestMessageID,RequestTime,ExtractTime,ExtractMessageID,LargeMessageReason,LargeMessageFragmentCount,LargeMessageFragmentSuccessCount,ExtractAckStatus,ExtractAckCode,ExtractAckTime,ExtractAckMessageID,ExtractAckFailureTime,ExtractAckFailureType,ExtractAckErrorCode,ExtractAckErrorDescription,ExtractAckRetryCount,ExtractProcessingUID',
  );
  assert.equal(
    SEND_COLUMNS.join(','),
    'RecordType,RequestMessageID,ConversationID,RequestorODS,SenderODS,RequestorApplicationStatus,RequestTime,RequestAckTime,RequestAckCode,RequestAckMessageID,RequestAckFailureType,RequestAckErrorCode,RequestAckErrorDescription,RequestAckRetryCount,ExtractFailurePoint,ExtractFailureTime,ExtractFailureMessageID,ExtractFailureType,ExtractFailureErrorCode,ExtractFailureErrorDescription,ExtractFailureRetryCount,ExtractMessageID,ExtractTime,LargeMessagingRequired,LargeMessageFragmentCount,LargeMessageFragmentSentCount,LargeMessageFragmentSuccessCount,ConversationCloseTime,PlaceholdersFileTypeUnsupported,PlaceholdersFileDeleted,PlaceholdersFileNotFound,PlaceholdersFileLocked,PlaceholdersUndeterminedReason',
  );
  assert.equal(FOOTER_COLUMNS.join(','), 'RecordType,RequestRecordCount,SendRecordCount,RequestorODS,ReportTimePeriod');
  assert.deepEqual([REQUEST_COLUMNS.length, SEND_COLUMNS.length], [31, 33]);
});

test('a line has a value for each column, and what would break it is quoted', () => {
  const cells = line('RR', { ConversationID: 'C', RequestErrorDescription: 'a, "b"' });
  assert.ok(cells.startsWith('RR,C,'));
  assert.ok(cells.includes('"a, ""b"""'));
  assert.equal(line('RR', {}).split(',').length, 31);
  assert.equal(line('SR', {}).split(',').length, 33);
});

test('weeks go from Monday to Sunday by London’s clock, and have the numbers of the calendar', () => {
  // Half past midnight on a Monday in summer is still Sunday in UTC.
  assert.equal(weekOf('2026-07-05T23:30:00.000Z' as Instant), '2026-07-06');
  assert.equal(weekOf('2026-07-05T22:30:00.000Z' as Instant), '2026-06-29');
  assert.equal(londonTime('2026-07-05T23:30:07.900Z' as Instant), '2026-07-06T00:30:07');
  assert.deepEqual(daysOf('2026-03-02').slice(-1), ['2026-03-08']);
  assert.equal(weekBefore('2026-03-02'), '2026-02-23');
  assert.deepEqual(['2020-02-03', '2020-03-02', '2020-12-28', '2021-01-04'].map(periodOf), [6, 10, 53, 1]);
  assert.equal(fileName('2020-02-03', 'K3P9QX'), 'Stats6_K3P9QX.dat');
});

test('a practice without a transfer reports each of seven days', () => {
  const practice = { ods: 'Z81001' as Ods, asid: '200000000001', enabled: true, messageLimit: 5_000_000 };
  const lines = practiceLines(practice, '2026-03-02', 'A_B_1', { requests: [], sends: [] });
  assert.deepEqual(
    lines.map((text) => text.slice(0, 2)),
    Array.from({ length: 7 }, () => ['HR', 'FR']).flat(),
  );
  assert.equal(lines[0], 'HR,Z81001,200000000001,A_B_1,1,10,5000000,98,5000000,,');
  assert.equal(lines[1], 'FR,0,0,Z81001,10');
});

const about = { practice: 'B99902' as Ods, otherPractice: 'A99901' as Ods, conversationId: 'C1' as ConversationId };
/** The entries of a transfer that goes through these events. */
function entriesOf(start: Transfer, steps: readonly (readonly [Event, Partial<Facts>?])[]) {
  let transfer = start;
  return steps.map(([event, over]) => {
    const decision = decide(transfer, event, facts(over));
    const measured = measuredOf(transfer, event, decision);
    transfer = decision.transfer;
    return { at: NOW, measured };
  });
}
const event = (name: string): Event => events[name] ?? assert.fail(name);
const registration = {
  type: 'newRegistration',
  permanent: true,
  returning: false,
  authenticated: true,
  traceMatched: true,
  gpLinksComplete: true,
} as const;
const registered = (over: object = {}): Event => ({
  id: 'R',
  at: NOW,
  by: { kind: 'system' },
  kind: 'registered',
  registration: { ...registration, ...over },
});
const { checking } = requestingStates;

test('a transfer that ends well is a row with its times, its messages and an answer of 00, from UK07 as from UK06', () => {
  for (const version of ['UK06', 'UK07'] as const) {
    const extract = arrivedEvent({ ...messages.extract, version });
    const entries = entriesOf(checking, [[registered()], [event('mayAsk')]]);
    const onwards = entriesOf(requestingStates.waitingForExtract, [
      [event('requestSent')],
      [extract],
      [doneEvent({ job: 'toFhir', answer: { converted: true, record: requestingStates.waitingForDecision.record, holds: [] } })],
      [doneEvent({ job: 'file', answer: 'filed', reason: null })],
    ]);
    const row = requestRecord(about, [...entries, ...onwards]);
    assert.equal(row?.RegistrationType, '1');
    assert.equal(row?.RequestFailureType, '1');
    assert.equal(row?.RequestMessageID, REQUEST);
    assert.deepEqual([row?.ExtractAckStatus, row?.ExtractAckCode], ['1', '00']);
    assert.ok(row?.ExtractAckMessageID);
    assert.equal(row?.ExtractTime, '2026-01-05T09:30:00');
  }
});

test('each way in which nothing is asked for has its failure point and type', () => {
  const not = (reason: string, over: object = {}) =>
    requestRecord(about, entriesOf(checking, [[registered(over)], [doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason } })]]));
  assert.equal(not('SAME_PRACTICE')?.RequestFailureType, '2');
  assert.equal(not('NO_ENDPOINT')?.RequestFailureType, '4');
  assert.equal(not('NO_ENDPOINT', { returning: true })?.RequestFailureType, '3');
  assert.equal(not('NO_PREVIOUS_GP')?.RequestFailureType, '5');
  assert.equal(not('NOT_REGISTERED_HERE')?.RequestFailurePoint, '20');
  const fault = (text: string): Event => ({ id: 'F', at: NOW, by: { kind: 'system' }, kind: 'failed', job: 'mayWeAsk', fault: text });
  const failed = (text: string) => requestRecord(about, entriesOf(checking, [[registered()], [fault(text)]]));
  assert.equal(failed('pds.unavailable: HTTP 503')?.RequestFailurePoint, '10');
  assert.equal(failed('sds.unavailable: HTTP 503')?.RequestFailurePoint, '40');
  const internal = doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason: 'INTERNAL', internal: true } });
  const inside = requestRecord(about, entriesOf(checking, [[registered()], [internal]]));
  assert.deepEqual([inside?.RegistrationType, inside?.RequestFailureType], ['3', '0']);
  assert.equal(requestRecord(about, entriesOf(checking, [[registered({ permanent: false })]])), null);
});

test('a refused request is a row of type 6 with its code', () => {
  const refused = arrivedEvent({ ...messages.negative, of: REQUEST, answer: AE('06') });
  const entries = [
    ...entriesOf(checking, [[registered()]]),
    ...entriesOf(requestingStates.waitingForExtract, [[event('requestSent')], [refused, { refersTo: 'request' }]]),
  ];
  const row = requestRecord(about, entries);
  assert.deepEqual([row?.RequestFailureType, row?.RequestErrorCode, row?.RequestErrorDescription], ['6', '06', 'Not at surgery']);
});

test('a sender’s row has its request, its core, its parts and its placeholders by reason', () => {
  const request = { at: NOW, measured: { interaction: 'request', message: 'RQ' } };
  const sending = { ...sendingStates.sendingCore, offer: { ...sendingStates.sendingCore.offer, parts: 2 } };
  const entries = entriesOf(sending, [[event('coreSent')]]);
  const part = arrivedEvent({ ...messages.positive, messageId: 'A1' as MessageId, of: 'P1' as MessageId });
  const answers = entriesOf(sendingStates.waitingForAnswer, [[part, { refersTo: 'piece' }]]);
  const row = sendRecord(about, [request, ...entries, ...answers], { FILE_LOCKED: 2 });
  assert.equal(row?.RequestMessageID, 'RQ');
  assert.deepEqual([row?.RequestorODS, row?.SenderODS], ['A99901', 'B99902']);
  assert.deepEqual([row?.LargeMessagingRequired, row?.LargeMessageFragmentCount], ['1', '2']);
  assert.equal(row?.LargeMessageFragmentSuccessCount, '1');
  assert.deepEqual([row?.PlaceholdersFileLocked, row?.PlaceholdersFileDeleted], ['2', '0']);
});

test('a sender’s refusal is a row with its failure point', () => {
  const refusal = (code: '06' | '07' | '14' | '19') =>
    sendRecord(
      about,
      [
        { at: NOW, measured: { interaction: 'request', message: 'RQ' } },
        ...entriesOf(sendingStates.checking, [[doneEvent({ job: 'mayTheyAsk', answer: { send: false, code, peer: null } })]]),
      ],
      {},
    );
  assert.deepEqual(
    (['06', '07', '14', '19'] as const).map((code) => refusal(code)?.ExtractFailurePoint),
    ['10', '0', '50', '20'],
  );
  assert.equal(refusal('06')?.ExtractTime, undefined);
});
