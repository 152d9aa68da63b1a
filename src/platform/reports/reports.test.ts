import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAILURE_REASONS, STATUSES } from '../classify/outcome.ts';
import { csvOf } from '../csv.ts';
import { microsOf } from '../micros.ts';
import { errorsText, RESPONSE_CODES } from '../response-codes.ts';
import { makeReport, REPORTS, type ReportedTransfer, type ReportName, technicalFailureShare } from './reports.ts';

const party = (ods: string, supplier: string) => ({
  asid: `asid-${ods}`,
  supplier,
  ods,
  name: `${ods} NAME`,
  sicblOds: '99Z',
  sicblName: 'NHS X, ICB',
});
const base: ReportedTransfer = {
  conversationId: 'C1',
  slaDuration: 60,
  requesting: party('Z1', 'EMIS'),
  sending: party('Z2', 'SystmOne'),
  senderErrorCodes: [],
  finalErrorCodes: [],
  intermediateErrorCodes: [],
  status: STATUSES.INTEGRATED_ON_TIME,
  failureReason: null,
  requestedAt: microsOf('2026-02-03T10:20:30'),
};
const failed: ReportedTransfer = {
  ...base,
  status: STATUSES.TECHNICAL_FAILURE,
  failureReason: FAILURE_REASONS.FINAL_ERROR,
  finalErrorCodes: [99, null, 12, 99, 7777],
};
const unclassified: ReportedTransfer = { ...base, status: STATUSES.UNCLASSIFIED_FAILURE, failureReason: FAILURE_REASONS.AMBIGUOUS_COPCS };
const late: ReportedTransfer = { ...base, status: STATUSES.PROCESS_FAILURE, failureReason: FAILURE_REASONS.INTEGRATED_LATE };
const stuck: ReportedTransfer = { ...late, failureReason: FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED };

test('errors are distinct, in order, named; positive answers are none and unknown codes are said to be unknown', () => {
  assert.equal(errorsText([99, null, 12, 99, 7777]), '12 - Duplicate EHR, 99 - Unexpected, 7777 - Unknown error code');
  assert.equal(errorsText([null, null]), '');
  for (const [code, name] of RESPONSE_CODES) assert.equal(errorsText([code]), `${code} - ${name}`);
});

test('outcomes per supplier pathway: groups by count, then by suppliers and status, with three shares', () => {
  const other = { ...base, requesting: party('Z3', 'AAA') };
  const { rows } = makeReport('TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY', [base, failed, base, other]);
  assert.deepEqual(rows, [
    ['EMIS', 'SystmOne', 'Integrated on time', null, '', '', '', 2, 50, null, (2 / 3) * 100],
    ['AAA', 'SystmOne', 'Integrated on time', null, '', '', '', 1, 25, null, 100],
    [
      'EMIS',
      'SystmOne',
      'Technical failure',
      'Final error',
      '12 - Duplicate EHR, 99 - Unexpected, 7777 - Unknown error code',
      '',
      '',
      1,
      25,
      100,
      (1 / 3) * 100,
    ],
  ]);
});

test('the list of failures keeps technical and unclassified ones alone', () => {
  const { head, rows } = makeReport('TRANSFER_LEVEL_TECHNICAL_FAILURES', [base, failed, late, unclassified]);
  assert.deepEqual(
    rows.map((row) => row[head.indexOf('failure reason')]),
    ['Final error', 'Ambiguous COPC messages'],
  );
  assert.equal(rows[0]?.[head.indexOf('date requested')], '2026-02-03 10:20:30.000000');
});

test('integration times count what was received, a practice a row, in order of location and name', () => {
  const elsewhere = { ...base, requesting: { ...party('Z9', 'EMIS'), sicblName: 'NHS A' } };
  const { rows } = makeReport('SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES', [
    base,
    { ...base, slaDuration: 300_000 },
    late,
    stuck,
    failed,
    unclassified,
    elsewhere,
  ]);
  assert.deepEqual(rows, [
    ['NHS A', '99Z', 'Z9 NAME', 'Z9', 1, 1, 100, 0, 0, 0, 0, 0, 0, 0, 0],
    ['NHS X, ICB', '99Z', 'Z1 NAME', 'Z1', 4, 1, 25, 1, 25, 2, 50, 1, 25, 1, 25],
  ]);
});

test('details by hour: hours of UTC in order, none for hours without transfers', () => {
  const later = { ...failed, requestedAt: microsOf('2026-02-03T13:00:00') };
  const { rows } = makeReport('TRANSFER_DETAILS_BY_HOUR', [later, base, unclassified]);
  assert.deepEqual(rows, [
    ['2026-02-03 10:00', 2, 0, 1],
    ['2026-02-03 13:00', 1, 1, 0],
  ]);
});

test('what goes with a report file: technical failures of all transfers, unclassified ones not among them', () => {
  assert.deepEqual(technicalFailureShare([base, failed, unclassified]), { failures: 1, total: 3, percent: '33.33' });
  assert.deepEqual(technicalFailureShare([]), { failures: 0, total: 0, percent: '0.00' });
  // 3.125 %: a half goes to the even digit, as in every figure that is published.
  assert.equal(technicalFailureShare([failed, ...Array.from({ length: 31 }, () => base)]).percent, '3.12');
});

test('groups of the same number are in order of the requesting supplier, the sending one, and the status; nobody’s come first', () => {
  const of = (requesting: string | null, sending: string, transfer = base) => ({
    ...transfer,
    requesting: { ...party('Z1', ''), supplier: requesting },
    sending: party('Z2', sending),
  });
  const { rows } = makeReport('TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY', [
    of('B', 'B', failed),
    of('B', 'B', late),
    of('B', 'B'),
    of('B', 'A'),
    of('A', 'Z'),
    of(null, 'Z'),
    of('Z', 'Z'),
    of('Z', 'Z'),
  ]);
  assert.deepEqual(
    rows.map(([requesting, sending, status, , , , , number]) => [requesting, sending, status, number].join(' ')),
    [
      'Z Z Integrated on time 2',
      ' Z Integrated on time 1',
      'A Z Integrated on time 1',
      'B A Integrated on time 1',
      'B B Integrated on time 1',
      'B B Process failure 1',
      'B B Technical failure 1',
    ],
  );
});

test('shares of technical failures are of those alone: an unclassified failure has none and is not counted among them', () => {
  const { head, rows } = makeReport('TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY', [
    failed,
    failed,
    { ...failed, finalErrorCodes: [31] },
    unclassified,
  ]);
  assert.deepEqual(
    rows.map((row) => row[head.indexOf('% of technical failures')]),
    [(2 / 3) * 100, (1 / 3) * 100, null],
  );
});

/** The first lines of the files that the existing pipeline writes. */
const HEADS: Readonly<Record<ReportName, string>> = {
  TRANSFER_OUTCOMES_PER_SUPPLIER_PATHWAY:
    'requesting supplier,sending supplier,status,failure reason,unique final errors,unique sender errors,unique intermediate errors,number of transfers,% of transfers,% of technical failures,% of supplier pathway',
  TRANSFER_LEVEL_TECHNICAL_FAILURES:
    'sending practice ASID,sending supplier,sending practice ODS code,sending practice Sub ICB Location ODS code,requesting practice ASID,requesting supplier,requesting practice ODS code,requesting practice Sub ICB Location ODS code,conversation ID,date requested,status,failure reason,unique final errors,unique sender errors,unique intermediate errors',
  SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES:
    'Sub ICB Location name,Sub ICB Location ODS,Requesting practice name,Requesting practice ODS,GP2GP Transfers received,Integrated within 3 days,Integrated within 3 days - %,Integrated within 8 days,Integrated within 8 days - %,Not integrated within 8 days (integrated late + not integrated),Not integrated within 8 days (integrated late + not integrated) - %,Integrated late,Integrated late - %,Not integrated within 14 days,Not integrated within 14 days - %',
  TRANSFER_DETAILS_BY_HOUR: 'Date/Time,Total number of transfers,Total technical failures,Total unclassified failures',
};
test('the first line of each report is today’s, byte for byte, and every row has a value for each of its columns', () => {
  for (const name of REPORTS) {
    const { head, rows } = makeReport(name, [base, failed, late, stuck, unclassified]);
    assert.equal(csvOf(head, rows).split('\n')[0], HEADS[name]);
    for (const row of rows) assert.equal(row.length, head.length, name);
  }
});

test('a transfer of no known practice has empty cells, in every report', () => {
  const nobody = { asid: '9', supplier: null, ods: null, name: null, sicblOds: null, sicblName: null };
  const unknown = { ...failed, requesting: nobody, sending: nobody };
  assert.deepEqual(makeReport('TRANSFER_LEVEL_TECHNICAL_FAILURES', [unknown]).rows[0]?.slice(0, 8), [
    '9',
    null,
    null,
    null,
    '9',
    null,
    null,
    null,
  ]);
  const times = makeReport('SUB_ICB_LOCATION_LEVEL_INTEGRATION_TIMES', [base, { ...base, requesting: nobody }]);
  assert.deepEqual(
    times.rows.map((row) => row.slice(0, 5)),
    [
      [null, null, null, null, 1],
      ['NHS X, ICB', '99Z', 'Z1 NAME', 'Z1', 1],
    ],
  );
});

test('a report without transfers is its head', () => {
  const { head, rows } = makeReport('TRANSFER_DETAILS_BY_HOUR', []);
  assert.equal(csvOf(head, rows), 'Date/Time,Total number of transfers,Total technical failures,Total unclassified failures\n');
});
