import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import type { ClassifiedTransfer, Party } from '../classify/transfer.ts';
import { microsOf } from '../micros.ts';
import { foldWritten, REQUESTING, SENDING, stored, type TestPlatform, testPlatform, transfersOf, write } from '../testing.ts';
import { writeOrganisations } from './organisations.ts';
import { loadTransfers } from './spine.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: '01A', kind: 'sicbl', name: 'NHS ONE', parent: null },
    { code: REQUESTING, kind: 'practice', name: 'RED', parent: '01A' },
    { code: SENDING, kind: 'practice', name: 'BLUE', parent: null },
  ]);
});
after(() => platform.close());

const party = (ods: string, asid: string, supplier: string): Party => ({
  ods,
  asid,
  supplier,
  name: null,
  sicblOds: null,
  sicblName: null,
});
const transfer = (conversationId: string, over: Partial<ClassifiedTransfer> = {}): ClassifiedTransfer => ({
  conversationId,
  slaDuration: 3_600,
  requesting: party(REQUESTING, '1', 'EMIS'),
  sending: party(SENDING, '2', 'SystmOne'),
  senderErrorCodes: [null],
  finalErrorCodes: [null, 12],
  intermediateErrorCodes: [29],
  status: STATUSES.INTEGRATED_ON_TIME,
  failureReason: null,
  requestedAt: microsOf('2026-02-03T10:00:00.123456'),
  completedAt: microsOf('2026-02-03T11:01:00'),
  lastSenderMessageAt: microsOf('2026-02-03T10:01:00'),
  coreAt: microsOf('2026-02-03T10:01:00'),
  redactions: true,
  large: true,
  ...over,
});
const FEBRUARY = { start: microsOf('2026-02-01T00:00:00'), end: microsOf('2026-03-01T00:00:00') };

test('what was classified is read again as it was, microseconds and codes that are none included, with the names of now', async () => {
  const own = transfer('one\twith a tab \\ and more');
  assert.equal(await loadTransfers(platform.url, [own], 14), 1);
  await foldWritten(platform.db);
  assert.deepEqual(await transfersOf(platform.db, FEBRUARY), [
    {
      ...own,
      requesting: { ...own.requesting, name: 'RED', sicblOds: '01A', sicblName: 'NHS ONE' },
      sending: { ...own.sending, name: 'BLUE' },
    },
  ]);
});

test('a window holds its start and not its end, in order of the requests', async () => {
  const at = (conversation: string, text: string) => transfer(conversation, { requestedAt: microsOf(text) });
  await loadTransfers(
    platform.url,
    [
      at('end', '2026-04-02T00:00:00'),
      at('late', '2026-04-01T23:59:59.999999'),
      at('start', '2026-04-01T00:00:00'),
      at('before', '2026-03-31T23:59:59.999999'),
    ],
    14,
  );
  await foldWritten(platform.db);
  const found = await transfersOf(platform.db, { start: microsOf('2026-04-01T00:00:00'), end: microsOf('2026-04-02T00:00:00') });
  assert.deepEqual(
    found.map(({ conversationId }) => conversationId),
    ['start', 'late'],
  );
});

test('a transfer that comes again replaces the earlier one, in its figures too; of one load the last counts', async () => {
  const failed = {
    status: STATUSES.TECHNICAL_FAILURE,
    failureReason: FAILURE_REASONS.CORE_EHR_NOT_SENT,
    slaDuration: null,
    completedAt: null,
  };
  const may = { requestedAt: microsOf('2026-05-03T10:00:00') };
  const counts = async () => {
    await foldWritten(platform.db);
    const { rows } = await sql<{ within3: number; technical: number }>`select within3, technical from platform.months
      where calendar = 'UTC' and role = 'requesting' and level = 'practice' and code = ${REQUESTING} and month = '2026-05-01'`.execute(
      platform.db,
    );
    return rows;
  };
  await loadTransfers(platform.url, [transfer('again', { ...may, ...failed })], 14);
  assert.deepEqual(await counts(), [{ within3: 0, technical: 1 }]);
  assert.equal(await loadTransfers(platform.url, [transfer('again', { ...may, ...failed }), transfer('again', may)], 14), 2);
  assert.deepEqual(await counts(), [{ within3: 1, technical: 0 }]);
});

test('an outcome that is none of the national ones stops a report, instead of being counted as something else', async () => {
  const june = { start: microsOf('2026-06-01T00:00:00'), end: microsOf('2026-07-01T00:00:00') };
  const requestedAt = microsOf('2026-06-03T10:00:00');
  const may = (over: object) => loadTransfers(platform.url, [transfer('odd', { requestedAt, ...over })], 14);
  await may({ status: 'Pending' });
  await foldWritten(platform.db);
  await assert.rejects(transfersOf(platform.db, june), /status is none of Integrated on time, .*: "Pending"/);
  await may({ status: STATUSES.PROCESS_FAILURE, failureReason: 'Lost' });
  await foldWritten(platform.db);
  await assert.rejects(transfersOf(platform.db, june), /failure reason is not known: "Lost"/);
  await may({});
  await foldWritten(platform.db);
  assert.equal((await transfersOf(platform.db, june)).length, 1);
});

test('a transfer without duration, codes, suppliers and times that are none is kept with each of them missing', async () => {
  const bare = transfer('bare', {
    requestedAt: microsOf('2026-08-03T10:00:00'),
    status: STATUSES.TECHNICAL_FAILURE,
    failureReason: FAILURE_REASONS.REQUEST_NOT_ACKNOWLEDGED,
    slaDuration: null,
    senderErrorCodes: [],
    finalErrorCodes: [],
    intermediateErrorCodes: [],
    completedAt: null,
    lastSenderMessageAt: null,
    coreAt: null,
    large: false,
    redactions: false,
    requesting: { asid: '8', supplier: null, ods: null, name: null, sicblOds: null, sicblName: null },
    sending: { asid: '9', supplier: null, ods: null, name: null, sicblOds: null, sicblName: null },
  });
  await loadTransfers(platform.url, [bare], 14);
  await foldWritten(platform.db);
  assert.deepEqual(await transfersOf(platform.db, { start: microsOf('2026-08-01T00:00:00'), end: microsOf('2026-09-01T00:00:00') }), [
    bare,
  ]);
});

test('a transfer of events has the names, locations and suppliers of both practices; of a practice that is not known nothing but its code', async () => {
  const both = (conversationId: string, sendingPracticeOdsCode: string) => [
    stored('ehr-requests', '2026-09-03T10:00:00Z', { conversationId, sendingPracticeOdsCode }),
    stored('ehr-responses', '2026-09-03T10:01:00Z', {
      conversationId,
      sendingPracticeOdsCode,
      reportingPracticeOdsCode: sendingPracticeOdsCode,
      reportingSystemSupplier: '918999198738',
    }),
  ];
  await write(platform.db, [...both('known', SENDING), ...both('unknown', 'Z99999')]);
  await foldWritten(platform.db);
  const found = await transfersOf(platform.db, { start: microsOf('2026-09-01T00:00:00'), end: microsOf('2026-10-01T00:00:00') });
  const red = { asid: null, supplier: 'EMIS', ods: REQUESTING, name: 'RED', sicblOds: '01A', sicblName: 'NHS ONE' };
  const blue = { ...red, ods: SENDING, name: 'BLUE', sicblOds: null, sicblName: null };
  assert.deepEqual(
    found.map(({ conversationId, requesting, sending }) => [conversationId, requesting, sending]),
    [
      ['known', red, blue],
      ['unknown', red, { ...blue, ods: 'Z99999', name: null }],
    ],
  );
});

test('a practice counts for the location that lies above it, and for none where nothing, something unknown or no location does', async () => {
  const above: Readonly<Record<string, string | null>> = { P1: '01A', P2: null, P3: 'gone', P4: 'Y1' };
  await writeOrganisations(platform.db, [
    { code: 'Y1', kind: 'region', name: 'NORTH', parent: null },
    ...Object.entries(above).map(([code, parent]) => ({ code, kind: 'practice' as const, name: code, parent })),
  ]);
  const requestedAt = microsOf('2026-10-03T10:00:00');
  await loadTransfers(
    platform.url,
    Object.keys(above).map((ods) => transfer(`of ${ods}`, { requestedAt, requesting: party(ods, ods, 'EMIS') })),
    14,
  );
  await foldWritten(platform.db);
  const { rows } = await sql<{ level: string; code: string; within3: number }>`select level, code, within3 from platform.months
    where calendar = 'UTC' and role = 'requesting' and month = '2026-10-01' and level <> 'practice' order by level, code`.execute(
    platform.db,
  );
  assert.deepEqual(rows, [
    { level: 'england', code: 'England', within3: 4 },
    { level: 'sicbl', code: '01A', within3: 1 },
  ]);
});

test('what the log alone tells is said in the words of events too: a rejection is no failure, filing as an attachment a success', async () => {
  const october = { requestedAt: microsOf('2025-10-03T10:00:00') };
  const failed = (conversation: string, code: number) =>
    transfer(conversation, {
      ...october,
      status: STATUSES.TECHNICAL_FAILURE,
      failureReason: FAILURE_REASONS.FINAL_ERROR,
      finalErrorCodes: [12, code],
    });
  await loadTransfers(
    platform.url,
    [
      transfer('filed', october),
      failed('wrong patient', 28),
      failed('came back', 17),
      failed('attachment', 26),
      failed('broken', 21),
      transfer('refused', {
        ...october,
        status: STATUSES.TECHNICAL_FAILURE,
        failureReason: FAILURE_REASONS.FATAL_SENDER_ERROR,
        senderErrorCodes: [null, 6],
        finalErrorCodes: [],
        completedAt: null,
        coreAt: null,
      }),
      transfer('waiting', {
        ...october,
        status: STATUSES.PROCESS_FAILURE,
        failureReason: FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED,
        finalErrorCodes: [],
        completedAt: null,
      }),
    ],
    14,
  );
  await foldWritten(platform.db);
  const { rows } = await sql<{
    conversation: string;
  }>`select conversation, outcome, result, error_code, failure_point from platform.transfers
    where month_utc = '2025-10-01' order by conversation`.execute(platform.db);
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [
      ['attachment', 'FILED_AS_ATTACHMENT', 'Successful integration', '26', 'EHR_INTEGRATION'],
      ['broken', 'FAILED_TO_INTEGRATE', 'Technical failure', '21', 'EHR_INTEGRATION'],
      ['came back', 'REJECTED', 'Rejected', '17', 'EHR_INTEGRATION'],
      ['filed', 'INTEGRATED', 'Successful integration', null, null],
      ['refused', null, 'Technical failure', '6', 'EHR_RESPONSE'],
      ['waiting', null, 'In progress', null, null],
      ['wrong patient', 'REJECTED', 'Rejected', '28', 'EHR_INTEGRATION'],
    ],
  );
});
