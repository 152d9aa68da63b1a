/** What operational counts and lists make of events, case by case: limits at their edges, errors, placeholders, attachments, periods. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { countAllDays, type DayMeasure } from './days.ts';
import type { StoredEvent } from './events.ts';
import { type Days, dayCounts, type ListName, listTransfers, openCounts, type Step } from './operational.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());
beforeEach(async () => {
  await sql`truncate platform.events, platform.transfers, platform.months, platform.pathway_months, platform.received, platform.days, platform.stale_days`.execute(
    platform.db,
  );
});

const MARCH = { from: '2026-03-01', days: 31 };
const START = Date.parse('2026-03-02T09:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
type Told = readonly [path: Parameters<typeof stored>[0], afterMs: number, payload?: object];

/** Events of a conversation, milliseconds after 2 March, 9 o'clock. */
const conversation = (conversationId: string, ...steps: readonly Told[]): StoredEvent[] =>
  steps.map(([path, afterMs, payload]) =>
    stored(path, new Date(START + afterMs).toISOString(), { conversationId, ...(payload && { payload }) }),
  );
async function told(...conversations: readonly (readonly StoredEvent[])[]): Promise<void> {
  await write(platform.db, conversations.flat());
  await foldWritten(platform.db);
  await countAllDays(platform.db);
}
const counts = async (measure: DayMeasure, days: Days = MARCH, step?: Step) =>
  Object.fromEntries(
    (await dayCounts(platform.db, measure, days, step)).map(({ from, key, count }) => [[...(step ? [from] : []), ...key].join('|'), count]),
  );
const listed = async (list: ListName, now = START + DAY, days: Days = MARCH) =>
  (await listTransfers(platform.db, list, days, new Date(now))).transfers.map((each) => each.conversation);

const outcome = (text: string) => ({ integration: { outcome: text } });
const error = (errorCode: string, failurePoint: string, otherFailurePoint?: string) => ({
  error: { errorCode, errorDescription: 'words', failurePoint, ...(otherFailurePoint && { otherFailurePoint }) },
});
const document = (clinicalType: string, successful: boolean) => ({
  attachment: { clinicalType, mimeType: 'image/tiff', sizeBytes: 10 },
  documentMigration: { successful, ...(!successful && { reason: '31' }) },
});
const placeholder = (reason: string, generatedBy = 'SENDER', clinicalType = 'IMAGE') => ({
  generatedBy,
  clinicalType,
  reason,
  originalMimeType: 'image/tiff',
});
const response = (placeholders: readonly object[] | null) => ({ ehr: { ehrStructuredSizeBytes: 1, placeholders } });
const begun: readonly Told[] = [
  ['registrations', 0],
  ['transfer-compatibility-statuses', 1],
];

test('on its way in three ways: eligible, asked for, sent; with an error each of them has failed', async () => {
  const ways: Readonly<Record<string, readonly Told[]>> = {
    eligible: begun,
    asked: [...begun, ['ehr-requests', 2]],
    sent: [...begun, ['ehr-requests', 2], ['ehr-responses', 3]],
  };
  await told(
    ...Object.entries(ways).map(([id, steps]) => conversation(id, ...steps)),
    ...Object.entries(ways).map(([id, steps]) => conversation(`${id} with an error`, ...steps, ['errors', 4, error('99', 'OTHER')])),
  );
  const by = async (result: string) =>
    Object.keys(await counts('result'))
      .flatMap((key) => (key.startsWith(`${result}|`) ? key.split('|')[1] : []))
      .toSorted();
  const states = ['EHR_REQUESTED', 'EHR_SENT', 'ELIGIBLE_FOR_TRANSFER'];
  assert.deepEqual([await by('In progress'), await by('Technical failure')], [states, states]);
  assert.deepEqual(await listed('in-progress'), ['asked', 'eligible', 'sent']);
});

test('a record is a day late where more than 24 hours passed since it was sent: until it was ready, or until now', async () => {
  const sent: readonly Told[] = [...begun, ['ehr-requests', 2], ['ehr-responses', 3]];
  await told(
    conversation('waits', ...sent),
    conversation('ready in time', ...sent, ['ready-to-integrate-statuses', 3 + DAY]),
    conversation('ready late', ...sent, ['ready-to-integrate-statuses', 4 + DAY]),
    conversation('integrated', ...sent, ['ready-to-integrate-statuses', 4 + DAY], ['ehr-integrations', 5 + DAY, outcome('INTEGRATED')]),
  );
  assert.deepEqual(await listed('broken-24-hours', START + 3 + DAY), ['ready late']);
  assert.deepEqual(await listed('broken-24-hours', START + 4 + DAY), ['ready late', 'waits']);
});

test('a practice sends late where more than 20 minutes passed since it was asked: until it sent, or until now', async () => {
  const asked: readonly Told[] = [...begun, ['ehr-requests', 2]];
  await told(
    conversation('waits', ...asked),
    conversation('sent in time', ...asked, ['ehr-responses', 2 + 20 * MINUTE]),
    conversation('sent late', ...asked, ['ehr-responses', 3 + 20 * MINUTE]),
  );
  assert.deepEqual(await listed('broken-sending', START + 2 + 20 * MINUTE), ['sent late']);
  assert.deepEqual(await listed('broken-sending', START + 3 + 20 * MINUTE), ['sent late', 'waits']);
});

test('a practice asks late where more than 20 minutes passed since it knew that it could: until it asked, or until now', async () => {
  await told(
    conversation('waits', ...begun),
    conversation('asked in time', ...begun, ['ehr-requests', 1 + 20 * MINUTE]),
    conversation('asked late', ...begun, ['ehr-requests', 2 + 20 * MINUTE]),
  );
  assert.deepEqual(await listed('broken-requesting', START + 1 + 20 * MINUTE), ['asked late']);
  assert.deepEqual(await listed('broken-requesting', START + 2 + 20 * MINUTE), ['asked late', 'waits']);
});

test('eight days from the response: integrated before and after, waiting before and after; eight days to the millisecond are late', async () => {
  const ready: readonly Told[] = [...begun, ['ehr-requests', 2], ['ehr-responses', 3], ['ready-to-integrate-statuses', 4]];
  await told(
    conversation('under', ...ready, ['ehr-integrations', 2 + 8 * DAY, outcome('INTEGRATED')]),
    conversation('over', ...ready, ['ehr-integrations', 3 + 8 * DAY, outcome('SUPPRESSED_AND_REACTIVATED')]),
    conversation('waits', ...ready),
  );
  assert.deepEqual(await counts('inTime'), { 'Integrated on time': 1, 'Integrated after 8 days': 1 });
  assert.deepEqual(await counts('inTime', MARCH, 'month'), { '2026-03-01|Integrated on time': 1, '2026-03-01|Integrated after 8 days': 1 });
  const waiting = async (now: number) => {
    const { inFlight, notIntegratedAfter8Days } = await openCounts(platform.db, MARCH, new Date(now));
    return [inFlight, notIntegratedAfter8Days];
  };
  assert.deepEqual(await waiting(START + 2 + 8 * DAY), [1, 0]);
  assert.deepEqual(await waiting(START + 3 + 8 * DAY), [0, 1]);
  assert.deepEqual(await listed('awaiting-integration'), ['waits']);
  assert.deepEqual(await listed('not-integrated-after-8-days', START + 2 + 8 * DAY), []);
  assert.deepEqual(await listed('not-integrated-after-8-days', START + 3 + 8 * DAY), ['waits']);
});

test('counts are of conversations that began within the days asked for, of each day, week or month apart', async () => {
  const on = (id: string, at: string) => [stored('registrations', at, { conversationId: id })];
  await told(
    on('before', '2026-02-28T23:59:59.999Z'),
    on('first', '2026-03-01T00:00:00Z'),
    on('Sunday', '2026-03-08T23:59:59Z'),
    on('Monday', '2026-03-09T00:00:00Z'),
    on('last', '2026-03-31T23:59:59.999Z'),
    on('after', '2026-04-01T00:00:00Z'),
  );
  assert.deepEqual(await counts('total'), { Registrations: 4 });
  assert.deepEqual(await counts('total', { from: '2026-03-09', days: 1 }), { Registrations: 1 });
  assert.deepEqual(await counts('total', MARCH, 'day'), {
    '2026-03-01|Registrations': 1,
    '2026-03-08|Registrations': 1,
    '2026-03-09|Registrations': 1,
    '2026-03-31|Registrations': 1,
  });
  assert.deepEqual(await counts('total', { from: '2026-03-02', days: 14 }, 'week'), {
    '2026-03-02|Registrations': 1,
    '2026-03-09|Registrations': 1,
  });
  assert.deepEqual(await counts('total', { from: '2026-02-01', days: 90 }, 'month'), {
    '2026-02-01|Registrations': 1,
    '2026-03-01|Registrations': 4,
    '2026-04-01|Registrations': 1,
  });
});

test('each error counts by its code and failure point, two of one conversation twice; a failure counts once', async () => {
  const asked: readonly Told[] = [...begun, ['ehr-requests', 2]];
  await told(
    conversation('two', ...asked, ['errors', 3, error('20', 'EHR_REQUESTED')], ['errors', 4, error('30', 'EHR_RESPONSE')]),
    conversation('same twice', ...asked, ['errors', 3, error('20', 'EHR_REQUESTED')], ['errors', 4, error('20', 'EHR_REQUESTED')]),
    conversation('other', ...asked, ['errors', 3, error('X_1', 'OTHER', 'the printer')]),
    conversation(
      'healed',
      ...asked,
      ['errors', 3, error('99', 'EHR_RESPONSE')],
      ['ehr-responses', 4],
      ['ehr-integrations', 5, outcome('INTEGRATED')],
    ),
    conversation('failed', ...asked, ['ehr-responses', 4], ['ehr-integrations', 5, outcome('FAILED_TO_INTEGRATE')]),
    conversation('none', ...asked),
  );
  assert.deepEqual(await counts('error'), {
    '20|EHR_REQUESTED': 3,
    '30|EHR_RESPONSE': 1,
    '99|EHR_RESPONSE': 1,
    'X_1|OTHER': 1,
  });
  // The latest error is what a transfer failed of; one that was integrated after all did not fail.
  assert.deepEqual(await counts('failure'), {
    '20|EHR_REQUESTED': 1,
    '30|EHR_RESPONSE': 1,
    'Integration failure|': 1,
    'X_1|OTHER': 1,
  });
  assert.deepEqual(await listed('errors'), ['healed', 'other', 'same twice', 'two']);
  assert.deepEqual(await listed('technical-failures'), ['failed', 'other', 'same twice', 'two']);
});

test('placeholders: none, several alike counted together, different ones apart, of records that are ready or integrated alone', async () => {
  const with_ = (placeholders: readonly object[] | null): readonly Told[] => [
    ...begun,
    ['ehr-requests', 2],
    ['ehr-responses', 3, response(placeholders)],
  ];
  const ready: Told = ['ready-to-integrate-statuses', 4];
  await told(
    conversation('none', ...with_([]), ready),
    conversation('none said', ...with_(null), ready),
    conversation('alike', ...with_([placeholder('FILE_LOCKED'), placeholder('FILE_LOCKED')]), ready),
    conversation(
      'different',
      ...with_([
        placeholder('FILE_LOCKED', 'PRE_EXISTING'),
        placeholder('FILE_DELETED'),
        placeholder('FILE_LOCKED', 'SENDER', 'SCANNED_DOCUMENT'),
      ]),
      ready,
      ['ehr-integrations', 5, outcome('INTEGRATED')],
    ),
    conversation('on its way', ...with_([placeholder('FILE_NOT_FOUND')])),
  );
  assert.deepEqual(await counts('placeholder'), {
    'SENDER|IMAGE|FILE_LOCKED': 2,
    'PRE_EXISTING|IMAGE|FILE_LOCKED': 1,
    'SENDER|IMAGE|FILE_DELETED': 1,
    'SENDER|SCANNED_DOCUMENT|FILE_LOCKED': 1,
  });
  assert.deepEqual(await counts('withPlaceholders'), { '0': 2, '1-5': 2 });
  assert.deepEqual(await listed('placeholders'), ['alike', 'different']);
});

test('records by their number of placeholders, at the edge of each group', async () => {
  await told(
    ...[0, 1, 5, 6, 10, 11, 15, 16, 20, 21, 40].map((count) =>
      conversation(
        `${count}`,
        ...begun,
        ['ehr-requests', 2],
        ['ehr-responses', 3, response(Array.from({ length: count }, () => placeholder('FILE_LOCKED')))],
        ['ready-to-integrate-statuses', 4],
      ),
    ),
  );
  assert.deepEqual(await counts('withPlaceholders'), { '0': 1, '1-5': 2, '6-10': 2, '11-15': 2, '16-20': 2, '21+': 2 });
});

test('attachments by clinical type, those that came and those that did not; a transfer that lacks one is listed', async () => {
  await told(
    conversation(
      'lacks one',
      ...begun,
      ['ehr-requests', 2],
      ['ehr-responses', 3],
      ['document-responses', 4, document('IMAGE', true)],
      ['document-responses', 5, document('IMAGE', true)],
      ['document-responses', 6, document('IMAGE', false)],
    ),
    conversation('has all', ...begun, ['ehr-requests', 2], ['ehr-responses', 3], ['document-responses', 4, document('OTHER', true)]),
    conversation('has none', ...begun, ['ehr-requests', 2], ['ehr-responses', 3]),
  );
  assert.deepEqual(await counts('attachment'), { 'IMAGE|Successful|': 2, 'IMAGE|Unsuccessful|': 1, 'OTHER|Successful|': 1 });
  assert.deepEqual(await listed('attachments-failed'), ['lacks one']);
});

test('a move inside one system is in no count and no list of transfers, whatever was told of it', async () => {
  const internal = { transferCompatibilityStatus: { internalTransfer: true, transferCompatible: true } };
  await told(
    conversation(
      'moved',
      ['registrations', 0],
      ['transfer-compatibility-statuses', 1, internal],
      ['ehr-integrations', 2, outcome('INTERNAL_TRANSFER')],
    ),
    conversation('moving', ['registrations', 0], ['transfer-compatibility-statuses', 1, internal], ['errors', 2, error('99', 'OTHER')]),
    conversation('told of once', ['ehr-integrations', 2, outcome('INTERNAL_TRANSFER')]),
  );
  for (const measure of ['total', 'result', 'inTime', 'failure', 'error'] as const) assert.deepEqual(await counts(measure), {}, measure);
  for (const list of ['integrated', 'errors', 'technical-failures', 'in-progress'] as const) assert.deepEqual(await listed(list), [], list);
  assert.deepEqual(await counts('furthest'), { 'Traced|Moved inside one system': 2 });
});
