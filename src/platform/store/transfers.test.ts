/** What transfers are at the cut-offs of the reports. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import { DAY, microsOf } from '../micros.ts';
import { foldWritten, REQUESTING, SENDING, stored, type TestPlatform, testPlatform, transfersOf, write } from '../testing.ts';
import { loadTransfers } from './spine.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());

/** Of the transfers of a day, by conversation: status, reason and seconds. */
async function seen(day: string, cutoffDays: number): Promise<Record<string, readonly unknown[]>> {
  const start = microsOf(`${day}T00:00:00`);
  const found = await transfersOf(platform.db, { start, end: start + DAY, cutoffDays });
  return Object.fromEntries(
    found.map(({ conversationId, status, failureReason, slaDuration, senderErrorCodes, finalErrorCodes }) => [
      conversationId,
      [status, failureReason, slaDuration, [...senderErrorCodes, ...finalErrorCodes]],
    ]),
  );
}

const WAITING = [STATUSES.PROCESS_FAILURE, FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED, null, []];
const SILENT = [STATUSES.TECHNICAL_FAILURE, FAILURE_REASONS.CORE_EHR_NOT_SENT, null, []];

test('a transfer told by events is at each cut-off what could be seen of it then', async () => {
  const of = (conversationId: string) => ({ conversationId });
  const outcome = (value: string) => ({ payload: { integration: { outcome: value } } });
  await write(platform.db, [
    // Sent at once, filed on the fourth day.
    stored('ehr-requests', '2026-02-03T10:00:00Z', of('filed')),
    stored('ehr-responses', '2026-02-03T10:10:00Z', { ...of('filed'), reportingPracticeOdsCode: SENDING }),
    stored('ehr-integrations', '2026-02-06T10:10:00Z', { ...of('filed'), ...outcome('INTEGRATED') }),
    // Asked just before midnight, sent just after it, filed a second before the first day is over.
    stored('ehr-requests', '2026-02-03T23:59:00Z', of('midnight')),
    stored('ehr-responses', '2026-02-04T00:00:00Z', { ...of('midnight'), reportingPracticeOdsCode: SENDING }),
    stored('ehr-integrations', '2026-02-04T23:59:00Z', { ...of('midnight'), ...outcome('INTEGRATED') }),
    // An error on the third day.
    stored('ehr-requests', '2026-02-03T11:00:00Z', of('error')),
    stored('errors', '2026-02-05T12:00:00Z', of('error')),
    // Never answered; and filed after the fourteenth day.
    stored('ehr-requests', '2026-02-03T12:00:00Z', of('silent')),
    stored('ehr-requests', '2026-02-03T13:00:00Z', of('afterwards')),
    stored('ehr-responses', '2026-02-03T13:10:00Z', { ...of('afterwards'), reportingPracticeOdsCode: SENDING }),
    stored('ehr-integrations', '2026-02-17T13:00:01Z', { ...of('afterwards'), ...outcome('INTEGRATED') }),
  ]);
  await foldWritten(platform.db);
  const onTime = (seconds: number) => [STATUSES.INTEGRATED_ON_TIME, null, seconds, []];
  const failed = [STATUSES.TECHNICAL_FAILURE, FAILURE_REASONS.FATAL_SENDER_ERROR, null, [30]];
  const day = '2026-02-03';
  assert.deepEqual(await seen(day, 0), { filed: WAITING, midnight: SILENT, error: SILENT, silent: SILENT, afterwards: WAITING });
  assert.deepEqual(await seen(day, 1), { filed: WAITING, midnight: onTime(86_340), error: SILENT, silent: SILENT, afterwards: WAITING });
  assert.deepEqual(await seen(day, 2), { filed: WAITING, midnight: onTime(86_340), error: SILENT, silent: SILENT, afterwards: WAITING });
  assert.deepEqual(await seen(day, 3), {
    filed: WAITING,
    midnight: onTime(86_340),
    error: failed,
    silent: SILENT,
    afterwards: WAITING,
  });
  assert.deepEqual(await seen(day, 14), {
    filed: onTime(259_200),
    midnight: onTime(86_340),
    error: failed,
    silent: SILENT,
    afterwards: WAITING,
  });
});

test('a transfer of the Spine’s log is what was classified, or what its times say where the log went further', async () => {
  const party = (ods: string) => ({ asid: null, supplier: 'EMIS', ods, name: null, sicblOds: null, sicblName: null });
  const base = {
    slaDuration: 200_000,
    requesting: party(REQUESTING),
    sending: party(SENDING),
    senderErrorCodes: [],
    finalErrorCodes: [null],
    intermediateErrorCodes: [],
    status: STATUSES.INTEGRATED_ON_TIME,
    failureReason: null,
    requestedAt: microsOf('2026-04-03T10:00:00'),
    coreAt: microsOf('2026-04-03T10:05:00'),
    completedAt: microsOf('2026-04-06T10:00:00'),
    lastSenderMessageAt: microsOf('2026-04-03T10:05:00'),
    redactions: false,
    large: false,
  } as const;
  const refused = { status: STATUSES.TECHNICAL_FAILURE, failureReason: FAILURE_REASONS.FATAL_SENDER_ERROR } as const;
  await loadTransfers(
    platform.url,
    [
      { ...base, conversationId: 'acknowledged' },
      { ...base, conversationId: 'late core', coreAt: microsOf('2026-04-05T10:00:00') },
      { ...base, ...refused, conversationId: 'refused', coreAt: null, completedAt: null, slaDuration: null, senderErrorCodes: [6] },
    ],
    14,
  );
  await loadTransfers(platform.url, [{ ...base, conversationId: 'of this cut-off' }], 0);
  await foldWritten(platform.db);
  const known = [STATUSES.INTEGRATED_ON_TIME, null, 200_000, [null]];
  const fatal = [STATUSES.TECHNICAL_FAILURE, FAILURE_REASONS.FATAL_SENDER_ERROR, null, [6, null]];
  const day = '2026-04-03';
  assert.deepEqual(await seen(day, 0), { acknowledged: WAITING, 'late core': SILENT, refused: fatal, 'of this cut-off': known });
  assert.deepEqual(await seen(day, 2), { acknowledged: WAITING, 'late core': WAITING, refused: fatal, 'of this cut-off': known });
  assert.deepEqual(await seen(day, 14), { acknowledged: known, 'late core': known, refused: fatal, 'of this cut-off': known });
});
