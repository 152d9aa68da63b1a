/**
 * `classifier`: Spine logs to classified transfers, transfers to national and practice metrics, transfers to the four reports. Every cell
 * of the goldens is compared; a file that the peer's test expects nothing for must have no transfer.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOutcome } from '../src/platform/classify/outcome.ts';
import { type ClassifiedTransfer, classify } from '../src/platform/classify/transfer.ts';
import { cellsOf, csvOf } from '../src/platform/csv.ts';
import { readSpineLog } from '../src/platform/load-spine.ts';
import { categoryOf, countCategories } from '../src/platform/metrics/counts.ts';
import { addMonths, monthOf, monthStart, monthsBefore, monthText, readMonth, sameMonth } from '../src/platform/metrics/month.ts';
import { nationalMetrics } from '../src/platform/metrics/national.ts';
import { countByPractice, practiceMetrics } from '../src/platform/metrics/practices.ts';
import { DAY, localText, type Micros, microsOf } from '../src/platform/micros.ts';
import { organisationLookup, readOrganisationMetadata } from '../src/platform/organisations.ts';
import { makeReport, type ReportName } from '../src/platform/reports/reports.ts';
import { reportingWindow } from '../src/platform/reports/window.ts';
import type { RunnerResult } from './run.ts';

type Check = (name: string, work: () => unknown) => Promise<void>;
type Columns = Readonly<Record<string, readonly unknown[]>>;
type Window = { readonly startDatetime: string; readonly endDatetime: string; readonly conversationCutoffDays: number };

export async function run(fixtures: string): Promise<RunnerResult> {
  const failures: string[] = [];
  let passed = 0;
  const check: Check = async (name, work) => {
    try {
      await work();
      passed++;
    } catch (thrown) {
      failures.push(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  };
  const home = join(fixtures, 'classifier');
  for (const name of readdirSync(home)) {
    const folder = join(home, name);
    const { kind, options } = readJson(join(folder, 'case.json')) as { kind: string; options: unknown };
    if (kind === 'classifier') await classified(folder, options as Window & { secondRun?: Window }, check);
    else if (kind === 'metrics') await metrics(folder, options as { numberOfMonths: number; dateAnchor: string }, check);
    else if (kind === 'reports') await reports(folder, options as Parameters<typeof reports>[1], check);
    else failures.push(`${name}: no comparison is known for the kind ${kind}`);
  }
  return { name: 'classifier', passed, failed: failures.length, failures };
}

async function classified(folder: string, options: Window & { secondRun?: Window }, check: Check): Promise<void> {
  const metadata = readdirSync(join(folder, 'inputs', 'organisation_metadata')).map((name) =>
    readOrganisationMetadata(readFileSync(join(folder, 'inputs', 'organisation_metadata', name), 'utf8')),
  );
  for (const window of [options, ...(options.secondRun ? [options.secondRun] : [])]) {
    const start = microsOf(window.startDatetime);
    const end = microsOf(window.endDatetime);
    const rows = [];
    for (let day = start; day < end + window.conversationCutoffDays * DAY; day += DAY) {
      const file = join(folder, 'inputs', `${dateOf(day)}-spine_messages.csv`);
      if (!existsSync(file)) continue;
      const broken = ({ line, fault }: { line: number; fault: string }) => {
        throw new Error(`${file}:${line}: ${fault}`);
      };
      for await (const row of readSpineLog(createReadStream(file), broken)) rows.push(row);
    }
    const transfers = classify(rows, {
      start,
      end,
      cutoffDays: window.conversationCutoffDays,
      organisationOf: organisationLookup(metadata),
      note: () => undefined,
    });
    for (let day = start; day < end; day += DAY) {
      const golden = join(folder, 'expected_outputs', `${dateOf(day)}-transferParquet.json`);
      const expected = readJson(existsSync(golden) ? golden : join(folder, 'expected_outputs', 'template-transferParquet.json')) as Columns;
      const ours = transfers.filter(({ requestedAt }) => requestedAt >= day && requestedAt < day + DAY);
      await check(`transfers of ${dateOf(day)}`, () => {
        const names = Object.keys(expected);
        deepStrictEqual(sorted(ours.map((transfer) => pick(rowOf(transfer), names))), sorted(rowsOf(expected)));
      });
    }
  }
}

/** One row as the existing pipeline names its columns. */
function rowOf(transfer: ClassifiedTransfer): Record<string, unknown> {
  const time = (at: Micros | null) => (at === null ? null : localText(at));
  const row: Record<string, unknown> = {
    conversation_id: transfer.conversationId,
    sla_duration: transfer.slaDuration,
    sender_error_codes: transfer.senderErrorCodes,
    final_error_codes: transfer.finalErrorCodes,
    intermediate_error_codes: transfer.intermediateErrorCodes,
    status: transfer.status,
    failure_reason: transfer.failureReason,
    date_requested: time(transfer.requestedAt),
    date_completed: time(transfer.completedAt),
    last_sender_message_timestamp: time(transfer.lastSenderMessageAt),
  };
  for (const role of ['requesting', 'sending'] as const) {
    const party = transfer[role];
    row[`${role}_supplier`] = party.supplier;
    row[`${role}_practice_asid`] = party.asid;
    row[`${role}_practice_ods_code`] = party.ods;
    row[`${role}_practice_name`] = party.name;
    row[`${role}_practice_sicbl_ods_code`] = party.sicblOds;
    row[`${role}_practice_sicbl_name`] = party.sicblName;
  }
  return row;
}

async function metrics(folder: string, options: { numberOfMonths: number; dateAnchor: string }, check: Check): Promise<void> {
  const inputs = join(folder, 'inputs', 'daily_including_slow_transfers');
  const transfers = readdirSync(inputs).flatMap((name) => transfersOf(readJson(join(inputs, name)) as Columns));
  const months = monthsBefore(microsOf(options.dateAnchor), options.numberOfMonths);
  const [newest] = months;
  if (!newest) throw new Error('no months');
  const golden = (name: string) => readJson(join(folder, 'expected_outputs', 'v12', name)) as Record<string, unknown>;
  await check('practiceMetrics.json', () => {
    const practices = countByPractice(transfers, months, () => undefined);
    const expected = golden('practiceMetrics.json');
    deepStrictEqual({ ...practiceMetrics(practices, months, 0), generatedOn: expected['generatedOn'] }, expected);
  });
  await check('nationalMetrics.json', () => {
    const counts = countCategories(transfers.filter(({ requestedAt }) => sameMonth(monthOf(requestedAt, 'UTC'), newest)).map(categoryOf));
    const expected = golden('nationalMetrics.json');
    deepStrictEqual({ ...nationalMetrics(newest, counts, 0), generatedOn: expected['generatedOn'] }, expected);
  });
}

/**
 * The goldens name their kind of run and not its dates, but for the custom ones: each must be equal to the report of one of the windows
 * that such a run can have. None of the goldens is empty, so none is met by accident.
 */
async function reports(
  folder: string,
  options: {
    readonly custom: { startDatetime: string; endDatetime: string };
    readonly customShort: { startDatetime: string; endDatetime: string };
    readonly monthly: { numberOfMonths: number };
  },
  check: Check,
): Promise<void> {
  const inputs = join(folder, 'inputs');
  const transfers = readdirSync(inputs)
    .filter((name) => /^\d/.test(name))
    .sort()
    .flatMap((name) => transfersOf(readJson(join(inputs, name)) as Columns));
  const cutoffDays = 14;
  const dates = ({ startDatetime, endDatetime }: { startDatetime: string; endDatetime: string }) =>
    reportingWindow({ start: microsOf(startDatetime), end: microsOf(endDatetime), cutoffDays }, 0);
  // Days of which there are transfers, and those between them.
  const files = readdirSync(inputs).flatMap((name) => /^\d{4}-\d\d-\d\d/.exec(name)?.[0] ?? []);
  const [first = '', last = ''] = [files.toSorted()[0], files.toSorted().at(-1)];
  const days: Micros[] = [];
  for (let day = microsOf(`${first}T00:00:00`); day <= microsOf(`${last}T00:00:00`); day += DAY) days.push(day);
  const ending = (lengths: readonly number[], cutoff: number) =>
    days.flatMap((day) => lengths.map((length) => reportingWindow({ days: length, cutoffDays: cutoff }, day + (length + cutoff) * DAY)));
  const windows = {
    custom: [dates(options.custom), dates(options.customShort)],
    daily: ending([1, 2], 0),
    weekly: ending([7], 2),
    monthly: [...new Set(days.map((day) => monthText(monthOf(day, 'UTC'))))].map((month) =>
      reportingWindow(
        { months: options.monthly.numberOfMonths, cutoffDays },
        monthStart(addMonths(readMonth(month) ?? never(month), 1), 'UTC'),
      ),
    ),
  };
  for (const report of readdirSync(join(folder, 'expected_outputs'))) {
    for (const file of readdirSync(join(folder, 'expected_outputs', report))) {
      const run = /^(custom|daily|weekly|monthly)_/.exec(file)?.[1] as keyof typeof windows | undefined;
      if (!run) throw new Error(`${file}: no window is known for it`);
      const name = file.slice(run.length + 1, -'.csv'.length).toUpperCase() as ReportName;
      const expected = cellsIn(readFileSync(join(folder, 'expected_outputs', report, file), 'utf8'));
      await check(file, () => {
        let last: unknown = new Error('no window');
        for (const { start, end } of windows[run]) {
          const within = transfers.filter(({ requestedAt }) => requestedAt >= start && requestedAt < end);
          const { head, rows } = makeReport(name, within);
          try {
            return deepStrictEqual(cellsIn(csvOf(head, rows)), expected);
          } catch (thrown) {
            last = thrown;
          }
        }
        throw last;
      });
    }
  }
}

function never(what: string): never {
  throw new Error(`${what} is no month`);
}

function cellsIn(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => (cellsOf(line, ',') ?? []).map((cell) => cell.trim()));
}

function transfersOf(columns: Columns): ClassifiedTransfer[] {
  return rowsOf(columns).map((row) => {
    const text = (name: string) => (row[name] ?? null) as string | null;
    const codes = (name: string) => (row[name] ?? []) as number[];
    const time = (name: string) => (row[name] ? microsOf(String(row[name])) : null);
    const party = (role: string) =>
      ({
        asid: text(`${role}_practice_asid`),
        supplier: text(`${role}_supplier`),
        ods: text(`${role}_practice_ods_code`),
        name: text(`${role}_practice_name`),
        sicblOds: text(`${role}_practice_sicbl_ods_code`),
        sicblName: text(`${role}_practice_sicbl_name`),
      }) as ClassifiedTransfer['requesting'];
    return {
      conversationId: String(row['conversation_id']),
      slaDuration: (row['sla_duration'] ?? null) as number | null,
      requesting: party('requesting'),
      sending: party('sending'),
      senderErrorCodes: codes('sender_error_codes'),
      finalErrorCodes: codes('final_error_codes'),
      intermediateErrorCodes: codes('intermediate_error_codes'),
      ...readOutcome(String(row['status']), text('failure_reason')),
      requestedAt: time('date_requested') ?? 0,
      completedAt: time('date_completed'),
      lastSenderMessageAt: time('last_sender_message_timestamp'),
      coreAt: null,
      redactions: false,
      large: false,
    };
  });
}

function rowsOf(columns: Columns): Record<string, unknown>[] {
  const names = Object.keys(columns);
  return Array.from({ length: columns[names[0] ?? '']?.length ?? 0 }, (_, at) =>
    Object.fromEntries(names.map((name) => [name, columns[name]?.[at]])),
  );
}

function pick(row: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function sorted(rows: readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
  return rows.toSorted((a, b) => (String(a['conversation_id']) < String(b['conversation_id']) ? -1 : 1));
}

function dateOf(day: Micros): string {
  return localText(day).slice(0, 10);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
