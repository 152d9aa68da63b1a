/** Reports and dashboards over a real database, beside the same made in memory from the same transfers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { syntheticEngland } from '../demo/england.ts';
import { transfersOf } from '../demo/transfers.ts';
import { DAY, microsOf } from '../micros.ts';
import { makeReport, REPORTS } from '../reports/reports.ts';
import { operationalReads } from '../site/operational-reads.ts';
import { foldWritten, REQUESTING, SENDING, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { countAllDays, countDays, type DayMeasure } from './days.ts';
import type { DetailedList } from './details.ts';
import { writeDegrades } from './events.ts';
import { dayCounts, openCounts, type Part } from './operational.ts';
import { writeOrganisations } from './organisations.ts';
import { loadTransfers } from './spine.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());

const counted = async () => {
  await foldWritten(platform.db);
  await countAllDays(platform.db);
};
const MARCH = { from: '2026-03-01', days: 31 };
/** By key, joined. */
const counts = async (measure: DayMeasure, days = MARCH) =>
  Object.fromEntries((await dayCounts(platform.db, measure, days)).map(({ key, count }) => [key.join('|'), count]));

test('each of the four reports is the same as the one made in memory from the same transfers, for a day, a week and a month', async () => {
  const england = syntheticEngland(5, 60);
  await writeOrganisations(platform.db, [
    ...england.areas.map(({ code, kind, name, parent }) => ({ code, kind, name, parent: parent?.code ?? null })),
    ...england.practices.map(({ code, name, sicbl }) => ({ code, kind: 'practice' as const, name, parent: sicbl.code })),
  ]);
  const unknown = { ods: null, name: null, sicblOds: null, sicblName: null };
  const transfers: ClassifiedTransfer[] = [];
  // One in twenty is of a practice that nobody knows, and some systems are not named.
  for (const each of transfersOf(england, { year: 2025, month: 10 }, 5))
    transfers.push(
      transfers.length % 20 === 7
        ? { ...each, requesting: { ...each.requesting, ...unknown, supplier: null } }
        : transfers.length % 20 === 9
          ? { ...each, sending: { ...each.sending, ...unknown } }
          : each,
    );
  await loadTransfers(platform.url, transfers, 14);
  await counted();
  const reads = operationalReads(platform.db);
  assert.ok(transfers.length > 1_500);
  const sorted = transfers.toSorted((a, b) => a.requestedAt - b.requestedAt || (a.conversationId < b.conversationId ? -1 : 1));
  for (const days of [
    { from: '2025-10-07', days: 1 },
    { from: '2025-10-06', days: 7 },
    { from: '2025-10-01', days: 31 },
    { from: '2025-12-01', days: 31 },
  ]) {
    const start = microsOf(`${days.from}T00:00:00`);
    const own = sorted.filter(({ requestedAt }) => requestedAt >= start && requestedAt < start + days.days * DAY);
    assert.equal(own.length > 0, days.from < '2025-12');
    for (const name of REPORTS) {
      const expected = makeReport(name, own);
      const found = await reads.report(name, days);
      assert.deepEqual({ head: found.head, rows: found.rows }, expected, `${name} of ${days.days} days`);
      assert.equal(found.total, expected.rows.length);
      const part = await reads.report(name, days, { offset: 3, limit: 4 });
      assert.deepEqual([part.rows, part.total], [expected.rows.slice(3, 7), expected.rows.length], `a part of ${name}`);
    }
  }
});

let number = 0;
type Step = readonly [path: Parameters<typeof stored>[0], minutes: number, payload?: object, over?: object];
/** Events of one conversation, minutes after 2 March, 9 o'clock. */
const conversation = (steps: readonly Step[], over: object = {}) => {
  const conversationId = `D${++number}`;
  return steps.map(([path, minutes, payload, more]) =>
    stored(path, new Date(Date.parse('2026-03-02T09:00:00Z') + minutes * 60_000).toISOString(), {
      conversationId,
      ...(payload && { payload }),
      ...over,
      ...more,
    }),
  );
};
const begun: readonly Step[] = [
  ['registrations', 0],
  ['transfer-compatibility-statuses', 1],
];
const asked: readonly Step[] = [...begun, ['ehr-requests', 2]];
const sent: readonly Step[] = [...asked, ['ehr-responses', 3]];
const error = (code: string, failurePoint: string) => ({ error: { errorCode: code, errorDescription: 'Jane Doe', failurePoint } });
const outcome = (text: string) => ({ integration: { outcome: text } });
const document = (clinicalType: string, sizeBytes: number, successful: boolean) => ({
  attachment: { clinicalType, mimeType: 'image/tiff', sizeBytes },
  documentMigration: { successful, ...(!successful && { reason: '31' }) },
});
const placeholders = (reasons: readonly string[]) => ({
  ehr: {
    ehrStructuredSizeBytes: 1,
    placeholders: reasons.map((reason) => ({ generatedBy: 'SENDER', clinicalType: 'IMAGE', reason, originalMimeType: 'image/tiff' })),
  },
});
const TEN_DAYS = 14_400;

test('dashboards count what events say: outcomes, eight days, failures, errors, placeholders, attachments, reasons, completeness', async () => {
  const alone = { sendingPracticeOdsCode: null };
  await write(platform.db, [
    // Integrated on time with placeholders and attachments; late; rejected; filed; failed.
    ...conversation([
      ...asked,
      ['ehr-responses', 3, placeholders(['FILE_NOT_FOUND', 'FILE_NOT_FOUND', 'FILE_LOCKED'])],
      ['document-responses', 4, document('IMAGE', 104_857_601, true)],
      ['document-responses', 5, document('IMAGE', 104_857_600, true)],
      ['document-responses', 6, document('SCANNED_DOCUMENT', 9, false)],
      ['ready-to-integrate-statuses', 7],
      ['ehr-integrations', 8, outcome('INTEGRATED')],
    ]),
    ...conversation([...sent, ['ready-to-integrate-statuses', 4], ['ehr-integrations', TEN_DAYS, outcome('INTEGRATED')]]),
    ...conversation([...sent, ['ready-to-integrate-statuses', 4], ['ehr-integrations', 5, outcome('REJECTED')]]),
    ...conversation([
      ...sent,
      ['ready-to-integrate-statuses', 4],
      ['ehr-integrations', 5, outcome('FAILED_TO_INTEGRATE')],
      ['errors', 6, error('11', 'EHR_INTEGRATION')],
    ]),
    // Two errors of one conversation; one before the request.
    ...conversation([...asked, ['errors', 4, error('20', 'EHR_REQUESTED')], ['errors', 5, error('30', 'EHR_RESPONSE')]]),
    ...conversation(
      [
        ['registrations', 0],
        ['errors', 1, error('PDS 404', 'PATIENT_TRACE')],
      ],
      alone,
    ),
    // On its way: asked for, sent and not whole, awaiting.
    ...conversation(asked),
    ...conversation(sent),
    ...conversation([...sent, ['ready-to-integrate-statuses', 4]]),
    // Not eligible, and inside one system.
    ...conversation([
      ['registrations', 0],
      [
        'transfer-compatibility-statuses',
        1,
        { transferCompatibilityStatus: { internalTransfer: false, transferCompatible: false, reason: 'Practice in Wales, Mrs Doe' } },
      ],
    ]),
    ...conversation([
      ['registrations', 0],
      ['transfer-compatibility-statuses', 1, { transferCompatibilityStatus: { internalTransfer: true, transferCompatible: true } }],
      ['ehr-integrations', 2, outcome('INTERNAL_TRANSFER')],
    ]),
    ...conversation([['registrations', 0]], alone),
  ]);
  await counted();
  assert.deepEqual(await counts('total'), {
    Registrations: 11,
    'Eligible for electronic transfer': 8,
    Transferred: 5,
    'Successfully integrated': 2,
    'Awaiting integration': 1,
    Rejected: 1,
    'With an error': 3,
    'Technical failures': 2,
  });
  assert.deepEqual(await counts('inTime'), { 'Integrated on time': 1, 'Integrated after 8 days': 1 });
  assert.deepEqual(await counts('failure'), { 'Integration failure|EHR_INTEGRATION': 1, '30|EHR_RESPONSE': 1 });
  assert.deepEqual(await counts('error'), {
    '11|EHR_INTEGRATION': 1,
    '20|EHR_REQUESTED': 1,
    '30|EHR_RESPONSE': 1,
    'PDS 404|PATIENT_TRACE': 1,
  });
  assert.deepEqual(await counts('withPlaceholders'), { '0': 4, '1-5': 1 });
  assert.deepEqual(await counts('placeholder'), { 'SENDER|IMAGE|FILE_NOT_FOUND': 2, 'SENDER|IMAGE|FILE_LOCKED': 1 });
  assert.deepEqual(await counts('attachment'), {
    'IMAGE|Successful|': 1,
    'IMAGE|Successful|large': 1,
    'SCANNED_DOCUMENT|Unsuccessful|': 1,
  });
  assert.deepEqual(await counts('ineligible'), { 'Outside England|EMIS': 1, 'Not traced|EMIS': 1 });
  assert.deepEqual(await counts('furthest'), {
    'Integrated|': 2,
    'Received|Rejected by staff': 1,
    'Received|Could not be integrated': 1,
    'Received|Waits for staff': 1,
    'Requested|Error EHR_RESPONSE 30': 1,
    'Requested|No answer yet': 2,
    'Traced|Outside England': 1,
    'Traced|Moved inside one system': 1,
    'Traced|No previous practice': 2,
  });
  assert.equal((await counts('result'))['Rejected|INTEGRATION|EMIS|SystmOne'], 1);
  const completeness = await counts('completeness');
  assert.deepEqual(
    [completeness['EMIS|EHR_REQUESTS|seen'], completeness['SystmOne|EHR_RESPONSES|seen'], completeness['EMIS|EHR_REQUESTS|missing']],
    [8, 6, undefined],
  );
  assert.deepEqual(await dayCounts(platform.db, 'inTime', MARCH, 'week'), [
    { from: '2026-03-02', key: ['Integrated after 8 days'], count: 1 },
    { from: '2026-03-02', key: ['Integrated on time'], count: 1 },
  ]);
});

test('what is on its way is judged by the time at which it is looked at, at the edge of each limit too', async () => {
  const at = async (minutes: number, ms = 0) => {
    const { sla, inFlight, notIntegratedAfter8Days } = await openCounts(
      platform.db,
      MARCH,
      new Date(Date.parse('2026-03-02T09:00:00Z') + minutes * 60_000 + ms),
    );
    return [Object.fromEntries(sla.map(({ broken, count }) => [broken, count])), inFlight, notIntegratedAfter8Days];
  };
  assert.deepEqual(await at(22), [{ IF: 3 }, 1, 0]);
  assert.deepEqual(await at(22, 1), [{ IF: 2, BEhrS: 1 }, 1, 0]);
  assert.deepEqual(await at(3 + 1440, 1), [{ IF: 1, B24: 1, BEhrS: 1 }, 1, 0]);
  assert.deepEqual(await at(3 + 8 * 1440), [{ IF: 1, B24: 1, BEhrS: 1 }, 0, 1]);
});

test('lists have those that the dashboards count, the oldest first, and one conversation what was told of it without free text', async () => {
  const reads = operationalReads(platform.db, () => new Date('2026-03-20T09:00:00Z'));
  const total = async (name: Parameters<typeof reads.list>[0]) => (await reads.list(name, MARCH, { offset: 0, limit: 1 })).total;
  assert.deepEqual(
    [
      await total('integrated'),
      await total('rejected'),
      await total('technical-failures'),
      await total('errors'),
      await total('in-progress'),
      await total('awaiting-integration'),
      await total('not-integrated-after-8-days'),
      await total('placeholders'),
      await total('attachments-failed'),
      await total('not-eligible'),
      await total('broken-24-hours'),
      await total('broken-sending'),
      await total('broken-requesting'),
    ],
    [2, 1, 2, 3, 2, 1, 1, 1, 1, 2, 1, 1, 0],
  );
  const { transfers } = await reads.list('errors', MARCH);
  const failed = transfers.find(({ errorCode }) => errorCode === '30') ?? assert.fail();
  assert.deepEqual(
    [failed.requesting, failed.sending, failed.requestingSupplier, failed.status, failed.result],
    [REQUESTING, SENDING, 'EMIS', 'EHR_REQUESTED', 'Technical failure'],
  );
  const events = await reads.events(failed.conversation);
  assert.deepEqual(
    events.map(({ type, detail }) => [type, detail]),
    [
      ['REGISTRATIONS', 'NEW_GP_REGISTRATION, traced'],
      ['TRANSFER_COMPATIBILITY_STATUSES', 'compatible'],
      ['EHR_REQUESTS', ''],
      ['ERROR', '20, EHR_REQUESTED'],
      ['ERROR', '30, EHR_RESPONSE'],
    ],
  );
  assert.doesNotMatch(JSON.stringify([transfers, events]), /Doe/);
  assert.deepEqual(await reads.events('none'), []);
});

test('placeholders, documents that did not arrive and errors stand one by one, those alike together, in the order of their list', async () => {
  const reads = operationalReads(platform.db, () => new Date('2026-03-20T09:00:00Z'));
  const said = async (name: DetailedList, part?: Part) =>
    (await reads.details(name, MARCH, part)).map(({ conversation: _, requesting, sending, all, alike, says }) => {
      assert.deepEqual([requesting, sending], says.includes('PATIENT_TRACE') ? [REQUESTING, null] : [REQUESTING, SENDING]);
      return [all, alike, ...says];
    });
  assert.deepEqual(await said('placeholders'), [
    [3, 2, 'SENDER', 'IMAGE', 'FILE_NOT_FOUND', 'image/tiff'],
    [3, 1, 'SENDER', 'IMAGE', 'FILE_LOCKED', 'image/tiff'],
  ]);
  assert.deepEqual(await said('attachments-failed'), [[1, 1, 'SCANNED_DOCUMENT', '31', 'false', 'image/tiff']]);
  const errors = [
    [1, 1, '11', 'EHR_INTEGRATION'],
    [2, 1, '20', 'EHR_REQUESTED'],
    [2, 1, '30', 'EHR_RESPONSE'],
    [1, 1, 'PDS 404', 'PATIENT_TRACE'],
  ];
  assert.deepEqual(await said('errors'), errors);
  // A part is one of the transfers: the second has two errors.
  assert.deepEqual(await said('errors', { offset: 1, limit: 1 }), errors.slice(1, 3));
  assert.deepEqual(await said('errors', { offset: 9, limit: 1 }), []);
});

test('of a record that was sent twice the last placeholders count, and what is no type of file or no code is not repeated', async () => {
  const again = (minutes: number, reasons: readonly string[], mime = 'image/tiff'): Step => [
    'ehr-responses',
    minutes,
    {
      ehr: {
        ehrStructuredSizeBytes: 1,
        placeholders: reasons.map((reason) => ({ generatedBy: 'SENDER', clinicalType: 'IMAGE', reason, originalMimeType: mime })),
      },
    },
  ];
  const failed: Step = [
    'document-responses',
    30,
    {
      attachment: { clinicalType: 'OTHER', mimeType: 'letter of Jane Doe', sizeBytes: 1 },
      documentMigration: { successful: false, reason: 'Jane Doe 31' },
    },
  ];
  const may = { from: '2026-05-01', days: 31 };
  const shift = 60 * 24 * 61;
  const steps: readonly Step[] = [
    ...asked,
    again(10, ['FILE_LOCKED', 'FILE_LOCKED']),
    again(20, ['FILE_DELETED'], 'Jane Doe'),
    failed,
    ['ready-to-integrate-statuses', 31],
  ];
  await write(platform.db, conversation(steps.map(([path, minutes, payload]) => [path, minutes + shift, payload])));
  await counted();
  const reads = operationalReads(platform.db);
  const says = async (name: DetailedList) => (await reads.details(name, may)).map((each) => [each.all, each.alike, ...each.says]);
  assert.deepEqual(await says('placeholders'), [[1, 1, 'SENDER', 'IMAGE', 'FILE_DELETED', null]]);
  assert.deepEqual(await says('attachments-failed'), [[1, 1, 'OTHER', null, 'false', null]]);
});

test('a transfer that changes is counted anew under its old and its new day, whoever folds', async () => {
  const april = { from: '2026-04-01', days: 30 };
  const over = { conversationId: 'moves' };
  await write(platform.db, [stored('ehr-requests', '2026-04-10T10:00:00Z', over)]);
  await counted();
  assert.deepEqual(await dayCounts(platform.db, 'hour', april, 'day'), [
    { from: '2026-04-10', key: ['10', 'Technical failure'], count: 1 },
  ]);
  await write(platform.db, [
    stored('ehr-requests', '2026-04-09T11:00:00Z', over),
    stored('ehr-integrations', '2026-04-09T12:00:00Z', over),
  ]);
  await counted();
  assert.deepEqual(await dayCounts(platform.db, 'hour', april, 'day'), [
    { from: '2026-04-09', key: ['11', 'Integrated on time'], count: 1 },
  ]);
  assert.deepEqual(await countDays(platform.db), { days: 0, more: false });
  // What was counted bit by bit is what is counted from the beginning.
  const all = async () => (await sql`select * from platform.days order by day, measure, key`.execute(platform.db)).rows;
  const before = await all();
  await sql`insert into platform.stale_days select distinct (at at time zone 'UTC')::date from platform.transfers
    cross join lateral (values (started_at), (measured_at)) as each (at) on conflict do nothing`.execute(platform.db);
  await countAllDays(platform.db);
  assert.deepEqual(await all(), before);
});

test('degrades are counted by day, supplier, kind, reason and first code', async () => {
  const degrades = (reportingSystemSupplier: string, kinds: readonly (readonly [string, string])[]) =>
    ({
      reportingSystemSupplier,
      payload: {
        degrades: kinds.map(([type, reason]) => ({ type, reason, coding: [{ system: 'http://read.info/ctv3', code: 'XaBVJ' }] })),
      },
    }) as unknown as Parameters<typeof writeDegrades>[1];
  const code = 'http://read.info/ctv3 XaBVJ';
  await writeDegrades(
    platform.db,
    degrades('YGJ', [
      ['PLAN', 'CODE'],
      ['PLAN', 'CODE'],
    ]),
    new Date('2026-05-01T23:59:59Z'),
  );
  await writeDegrades(platform.db, degrades('200000000001', [['PLAN', 'CODE']]), new Date('2026-05-01T00:00:00Z'));
  await writeDegrades(platform.db, degrades('YGA', [['OTHER', 'OTHER']]), new Date('2026-05-02T00:00:00Z'));
  assert.deepEqual(await operationalReads(platform.db).degradeDays({ from: '2026-05-01', days: 2 }), [
    { day: '2026-05-01', supplier: 'EMIS', type: 'PLAN', reason: 'CODE', code, count: 3 },
    { day: '2026-05-02', supplier: 'SystmOne', type: 'OTHER', reason: 'OTHER', code, count: 1 },
  ]);
});
