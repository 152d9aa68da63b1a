import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import { microsOf } from '../micros.ts';
import { type Category, categoryOf, countCategories, NO_TRANSFERS, slaBandOf } from './counts.ts';
import { monthOf, sameMonth } from './month.ts';
import { nationalMetrics } from './national.ts';
import { percent } from './percent.ts';
import { countByPractice, type MeasuredTransfer, practiceMetrics, requestedTransfers } from './practices.ts';

const FEBRUARY = { year: 2026, month: 2 };
const JANUARY = { year: 2026, month: 1 };

test('bands end at three and at eight days, both inclusive; without a duration there is none', () => {
  assert.deepEqual([0, 259_200, 259_201, 691_200, 691_201, null].map(slaBandOf), [
    'WITHIN_3_DAYS',
    'WITHIN_3_DAYS',
    'WITHIN_8_DAYS',
    'WITHIN_8_DAYS',
    'BEYOND_8_DAYS',
    null,
  ]);
});

test('each outcome has its place in the counts', () => {
  const of = (status: keyof typeof STATUSES, reason: keyof typeof FAILURE_REASONS | null, slaDuration: number | null) =>
    categoryOf({ status: STATUSES[status], failureReason: reason && FAILURE_REASONS[reason], slaDuration });
  assert.equal(of('INTEGRATED_ON_TIME', null, 259_200), 'within3');
  assert.equal(of('INTEGRATED_ON_TIME', null, 259_201), 'within8');
  assert.equal(of('PROCESS_FAILURE', 'INTEGRATED_LATE', 691_201), 'late');
  assert.equal(of('PROCESS_FAILURE', 'TRANSFERRED_NOT_INTEGRATED', null), 'notIntegrated');
  assert.equal(of('TECHNICAL_FAILURE', 'FINAL_ERROR', 60), 'technical');
  assert.equal(of('UNCLASSIFIED_FAILURE', 'AMBIGUOUS_COPCS', null), 'unclassified');
});

test('percentages: none of nothing, 0 of something, halves to the even digit', () => {
  assert.equal(percent(0, 0, 1), null);
  assert.equal(percent(0, 7, 1), 0);
  assert.equal(percent(1, 16, 1), 6.2);
  assert.equal(percent(3, 16, 1), 18.8);
  assert.equal(percent(1, 32, 2), 3.12);
  assert.equal(percent(3, 32, 2), 9.38);
  assert.equal(percent(1, 3, 1), 33.3);
  assert.equal(percent(2, 3, 2), 66.67);
  assert.equal(percent(7, 7, 1), 100);
});

test("every count and percentage of a practice's month", () => {
  const counts = { within3: 30, within8: 4, late: 1, notIntegrated: 2, technical: 2, unclassified: 1 };
  assert.deepEqual(requestedTransfers(counts), {
    requestedCount: 40,
    receivedCount: 37,
    receivedPercentOfRequested: 92.5,
    integratedWithin3DaysCount: 30,
    integratedWithin3DaysPercentOfReceived: 81.1,
    integratedWithin8DaysCount: 4,
    integratedWithin8DaysPercentOfReceived: 10.8,
    notIntegratedWithin8DaysTotal: 3,
    notIntegratedWithin8DaysPercentOfReceived: 8.1,
    failuresTotalCount: 3,
    failuresTotalPercentOfRequested: 7.5,
  });
  const none = requestedTransfers(NO_TRANSFERS);
  assert.equal(none.requestedCount, 0);
  assert.equal(none.receivedPercentOfRequested, null);
  assert.equal(requestedTransfers({ ...NO_TRANSFERS, technical: 3 }).receivedPercentOfRequested, 0);
});

let number = 0;
const transfer = (ods: string | null, date: string, sicblOds: string | null = '99Z', name = `${ods} SURGERY`): MeasuredTransfer => ({
  conversationId: `C${++number}`,
  requestedAt: microsOf(date),
  status: STATUSES.INTEGRATED_ON_TIME,
  failureReason: null,
  slaDuration: 60,
  requesting: { ods, name, sicblOds, sicblName: sicblOds && `NHS X ICB - ${sicblOds}` },
});

test('a practice is what its latest transfer says; a month without transfers is there with zeroes', () => {
  const notes: string[] = [];
  const transfers = [
    transfer('Z2', '2026-02-05T10:00:00', '98Z', 'NEW NAME'),
    transfer('Z2', '2026-01-05T10:00:00', '97Z', 'OLD NAME'),
    transfer('Z1', '2026-01-31T23:59:59.999999'),
    transfer(null, '2026-02-01T00:00:00'),
    transfer('Z3', '2026-02-01T00:00:00', null),
    transfer('Z1', '2025-12-31T23:59:59.999999'),
    transfer('Z1', '2026-03-01T00:00:00'),
  ];
  const practices = countByPractice(transfers, [FEBRUARY, JANUARY], ({ code }) => notes.push(code));
  assert.deepEqual(
    practices.map(({ ods, name, sicblOds, months }) => [ods, name, sicblOds, months.map(({ within3 }) => within3)]),
    [
      ['Z1', 'Z1 SURGERY', '99Z', [0, 1]],
      ['Z2', 'NEW NAME', '98Z', [1, 1]],
    ],
  );
  assert.deepEqual(notes, ['UNKNOWN_PRACTICE_ODS_CODE_FOR_TRANSFER', 'UNKNOWN_SICBL_ODS_CODE_FOR_TRANSFER']);
  const file = practiceMetrics(practices, [FEBRUARY, JANUARY], microsOf('2026-03-15T07:04:11.123456'));
  assert.equal(file.generatedOn, '2026-03-15T07:04:11.123456+00:00');
  assert.deepEqual(file.sicbls, [
    { odsCode: '98Z', name: 'NHS X ICB - 98Z', practices: ['Z2'] },
    { odsCode: '99Z', name: 'NHS X ICB - 99Z', practices: ['Z1'] },
  ]);
  assert.deepEqual(
    file.practices[0]?.metrics.map(({ year, month, requestedTransfers: { requestedCount } }) => [year, month, requestedCount]),
    [
      [2026, 2, 0],
      [2026, 1, 1],
    ],
  );
});

test('of two latest transfers at the same time the first counts', () => {
  const both = [transfer('Z1', '2026-02-05T10:00:00', '98Z', 'FIRST'), transfer('Z1', '2026-02-05T10:00:00', '97Z', 'SECOND')];
  assert.equal(countByPractice(both, [FEBRUARY], () => undefined)[0]?.name, 'FIRST');
});

test('no transfers, no practices', () => {
  assert.deepEqual(
    countByPractice([], [FEBRUARY], () => undefined),
    [],
  );
});

test('each node of the national figures, with two decimals', () => {
  const of = (category: Category, count: number) => Array.from({ length: count }, () => category);
  const counts = countCategories([
    ...of('within3', 5),
    ...of('within8', 2),
    ...of('late', 3),
    ...of('notIntegrated', 4),
    ...of('technical', 1),
    ...of('unclassified', 1),
  ]);
  const [month] = nationalMetrics(FEBRUARY, counts, 0).metrics;
  const share = (transferCount: number, transferPercentage: number) => ({ transferCount, transferPercentage });
  assert.deepEqual(month, {
    ...FEBRUARY,
    transferCount: 16,
    integratedOnTime: share(7, 43.75),
    paperFallback: {
      ...share(9, 56.25),
      processFailure: { integratedLate: share(3, 18.75), transferredNotIntegrated: share(4, 25) },
      technicalFailure: share(1, 6.25),
      unclassifiedFailure: share(1, 6.25),
    },
  });
  assert.equal(nationalMetrics(FEBRUARY, NO_TRANSFERS, 0).metrics[0]?.integratedOnTime.transferPercentage, null);
});

test('two months of transfers become both files of the existing pipeline', () => {
  const late = { status: STATUSES.PROCESS_FAILURE, failureReason: FAILURE_REASONS.INTEGRATED_LATE, slaDuration: 700_000 };
  const failed = { status: STATUSES.TECHNICAL_FAILURE, failureReason: FAILURE_REASONS.FINAL_ERROR, slaDuration: 60 };
  const transfers = [
    transfer('Z1', '2026-02-05T10:00:00'),
    { ...transfer('Z1', '2026-02-06T10:00:00'), slaDuration: 300_000 },
    { ...transfer('Z1', '2026-01-06T10:00:00'), ...late },
    { ...transfer('Z2', '2026-02-07T10:00:00', '98Z'), ...failed },
    transfer(null, '2026-02-08T10:00:00'),
  ];
  const months = [FEBRUARY, JANUARY];
  const at = microsOf('2026-03-15T07:04:11');
  const requested = (over: object) => ({ ...requestedTransfers(NO_TRANSFERS), ...over });
  assert.deepEqual(
    practiceMetrics(
      countByPractice(transfers, months, () => undefined),
      months,
      at,
    ),
    {
      generatedOn: '2026-03-15T07:04:11.000000+00:00',
      practices: [
        {
          odsCode: 'Z1',
          name: 'Z1 SURGERY',
          sicblOdsCode: '99Z',
          sicblName: 'NHS X ICB - 99Z',
          metrics: [
            {
              ...FEBRUARY,
              requestedTransfers: requested({
                requestedCount: 2,
                receivedCount: 2,
                receivedPercentOfRequested: 100,
                integratedWithin3DaysCount: 1,
                integratedWithin3DaysPercentOfReceived: 50,
                integratedWithin8DaysCount: 1,
                integratedWithin8DaysPercentOfReceived: 50,
                notIntegratedWithin8DaysPercentOfReceived: 0,
                failuresTotalPercentOfRequested: 0,
              }),
            },
            {
              ...JANUARY,
              requestedTransfers: requested({
                requestedCount: 1,
                receivedCount: 1,
                receivedPercentOfRequested: 100,
                integratedWithin3DaysPercentOfReceived: 0,
                integratedWithin8DaysPercentOfReceived: 0,
                notIntegratedWithin8DaysTotal: 1,
                notIntegratedWithin8DaysPercentOfReceived: 100,
                failuresTotalPercentOfRequested: 0,
              }),
            },
          ],
        },
        {
          odsCode: 'Z2',
          name: 'Z2 SURGERY',
          sicblOdsCode: '98Z',
          sicblName: 'NHS X ICB - 98Z',
          metrics: [
            {
              ...FEBRUARY,
              requestedTransfers: requested({
                requestedCount: 1,
                receivedPercentOfRequested: 0,
                failuresTotalCount: 1,
                failuresTotalPercentOfRequested: 100,
              }),
            },
            { ...JANUARY, requestedTransfers: requested({}) },
          ],
        },
      ],
      sicbls: [
        { odsCode: '98Z', name: 'NHS X ICB - 98Z', practices: ['Z2'] },
        { odsCode: '99Z', name: 'NHS X ICB - 99Z', practices: ['Z1'] },
      ],
    },
  );
  // The transfer of nobody is one of England's.
  const february = transfers.filter(({ requestedAt }) => sameMonth(monthOf(requestedAt, 'UTC'), FEBRUARY));
  const { generatedOn, metrics } = nationalMetrics(FEBRUARY, countCategories(february.map(categoryOf)), at);
  assert.equal(generatedOn, '2026-03-15T07:04:11.000000+00:00');
  assert.equal(metrics.length, 1);
  assert.deepEqual(
    [metrics[0]?.transferCount, metrics[0]?.integratedOnTime, metrics[0]?.paperFallback.technicalFailure],
    [4, { transferCount: 3, transferPercentage: 75 }, { transferCount: 1, transferPercentage: 25 }],
  );
});

test('three bands of one row may not add up to 100', () => {
  const { integratedWithin3DaysPercentOfReceived: a, integratedWithin8DaysPercentOfReceived: b } = requestedTransfers({
    ...NO_TRANSFERS,
    within3: 1,
    within8: 1,
    late: 1,
  });
  assert.deepEqual([a, b], [33.3, 33.3]);
});
