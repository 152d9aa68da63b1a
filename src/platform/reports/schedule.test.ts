/** Files and publications at their times, with a clock that the test sets, over a real database. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { addMonths, monthText } from '../metrics/month.ts';
import { DAY, localText, microsOf } from '../micros.ts';
import { writeOrganisations } from '../store/organisations.ts';
import { foldWritten, REQUESTING, SENDING, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { degradesDaily, dueBetween, dueText } from './due.ts';
import { scheduler } from './schedule.ts';
import { metricsPath, writeDue } from './write.ts';

let platform: TestPlatform;
let folder: string;
let told: string[];
let number = 0;
const at = (text: string) => microsOf(`${text}:00`);

before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: '01A', kind: 'sicbl', name: 'NHS ONE ICB - 01A', parent: null },
    { code: REQUESTING, kind: 'practice', name: 'THE RED SURGERY', parent: '01A' },
    { code: SENDING, kind: 'practice', name: 'THE BLUE SURGERY', parent: '01A' },
  ]);
  // Two transfers a day from September on to the middle of February; on 3 February none came.
  const days: string[] = [];
  for (let day = at('2025-09-01T00:00'); day < at('2026-02-17T00:00'); day += DAY) days.push(localText(day).slice(0, 10));
  await write(platform.db, days.filter((day) => day !== '2026-02-03').flatMap(transfersOfDay));
  await foldWritten(platform.db);
  await sql`insert into platform.degrades (event_id, number, day, supplier, type, reason, coding)
    select gen_random_uuid(), n, day::date, 'YGJ', 'MEDICATION', 'CODE', '[]'
    from generate_series(1, 3) as n, (values ('2026-02-02'), ('2026-02-08'), ('2026-02-09')) as days (day)`.execute(platform.db);
});
after(() => platform.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-schedule-'));
  told = [];
  await sql`delete from platform.written_files`.execute(platform.db);
  await sql`delete from platform.publications`.execute(platform.db);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** One that is filed within the hour, and one that is refused. */
function transfersOfDay(day: string) {
  const filed = { conversationId: `F${++number}` };
  const refused = { conversationId: `R${number}` };
  return [
    stored('ehr-requests', `${day}T10:00:00Z`, filed),
    stored('ehr-responses', `${day}T10:01:00Z`, { ...filed, reportingPracticeOdsCode: SENDING }),
    stored('ehr-integrations', `${day}T11:00:00Z`, filed),
    stored('ehr-requests', `${day}T12:00:00Z`, refused),
    stored('errors', `${day}T12:01:00Z`, { ...refused, reportingPracticeOdsCode: SENDING }),
  ];
}

const program = (over: Partial<Parameters<typeof scheduler>[1]> = {}) =>
  scheduler(platform.db, {
    folder,
    publish: null,
    onFault: (thrown, due) => void told.push(`${dueText(due)}: ${(thrown as Error).message}`),
    ...over,
  });
const files = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
const text = (path: string) => readFile(join(folder, path), 'utf8');
/** As if everything that was due before had been written. */
async function nothingMissedBefore(now: string): Promise<void> {
  for (const due of dueBetween(at(now) - 70 * DAY, at(now)))
    if (due.kind !== 'publication')
      await sql`insert into platform.written_files (path, kind, window_start, window_end, rows, sha256)
        values (${due.path}, '', '2026-01-01', '2026-01-01', 0, '')`.execute(platform.db);
    else {
      await sql`insert into platform.publications (month, transfers) values (${`${monthText(due.month)}-01`}::date, 0)`.execute(
        platform.db,
      );
      await sql`insert into platform.written_files (path, kind, window_start, window_end, rows, sha256)
        values (${metricsPath(due.month, 'practiceMetrics')}, '', '2026-01-01', '2026-01-01', 0, '')`.execute(platform.db);
    }
}
const DAILY = 'v5/1-days/2026/02/10/2026-02-09-to-2026-02-09-';

test('the files of a day are written at their minute, whole, with what goes with them, and not again', async () => {
  await nothingMissedBefore('2026-02-10T00:00');
  const { run } = program();
  await run(at('2026-02-10T05:59'));
  assert.deepEqual(await files(), []);
  await run(at('2026-02-10T06:00'));
  assert.deepEqual(await files(), ['reports/daily/2026-02-09.csv']);
  assert.equal(await text('reports/daily/2026-02-09.csv'), 'Type,Reason,Count\n"MEDICATION","CODE",3\n');
  await run(at('2026-02-10T07:00'));
  const reports = ['transfer_details_by_hour', 'transfer_level_technical_failures', 'transfer_outcomes_per_supplier_pathway'];
  assert.deepEqual(await files(), [
    'reports/daily/2026-02-09.csv',
    ...reports.flatMap((name) => [`${DAILY}${name}--0-days-cutoff.csv`, `${DAILY}${name}--0-days-cutoff.metadata.json`]),
  ]);
  assert.deepEqual((await text(`${DAILY}transfer_details_by_hour--0-days-cutoff.csv`)).split('\n').slice(1, 3), [
    '"2026-02-09 10:00",1,0,0',
    '"2026-02-09 12:00",1,1,0',
  ]);
  assert.equal((await text(`${DAILY}transfer_level_technical_failures--0-days-cutoff.csv`)).split('\n').length, 3);
  assert.deepEqual(JSON.parse(await text(`${DAILY}transfer_details_by_hour--0-days-cutoff.metadata.json`)), {
    'report-name': 'TRANSFER_DETAILS_BY_HOUR',
    'reporting-window-name': '1-days',
    'reporting-window-start-datetime': '2026-02-09T00:00:00',
    'reporting-window-end-datetime': '2026-02-10T00:00:00',
    'cutoff-days': 0,
    'total-transfers': 2,
    'total-technical-failures': 1,
    'technical-failures-percentage': '50.00',
  });
  // What somebody took away is not written once more, by this program or by another one.
  await rm(join(folder, `${DAILY}transfer_details_by_hour--0-days-cutoff.csv`));
  await run(at('2026-02-10T07:01'));
  await program().run(at('2026-02-10T12:00'));
  assert.ok(!(await files()).includes(`${DAILY}transfer_details_by_hour--0-days-cutoff.csv`));
  assert.deepEqual(told, []);
});

test('after days without a program everything that was missed is written, and weeks stand once each in their file', async () => {
  await nothingMissedBefore('2026-02-05T00:00');
  await program().run(at('2026-02-17T00:00'));
  const daily = (await files()).filter((path) => path.startsWith('v5/1-days/') && path.endsWith('hour--0-days-cutoff.csv'));
  assert.equal(daily.length, 12);
  assert.ok((await files()).includes('v5/7-days/2026/02/14/2026-02-07-to-2026-02-13-transfer_details_by_hour--2-days-cutoff.csv'));
  const weekly = ['Week_beginning,Type,Reason,Count', '"2026-02-02","MEDICATION","CODE",6', '"2026-02-09","MEDICATION","CODE",3', ''].join(
    '\n',
  );
  assert.equal(await text('reports/degrades_weekly_report.csv'), weekly);
  // Days without degrades have no file, and are not asked for again.
  assert.deepEqual(
    (await files()).filter((path) => path.startsWith('reports/daily')),
    ['2026-02-08', '2026-02-09'].map((day) => `reports/daily/${day}.csv`),
  );
  // A week that is written again stands there once all the same.
  const [week] = dueBetween(at('2026-02-09T00:00'), at('2026-02-09T06:00')).filter(({ kind }) => kind === 'degradesWeekly');
  assert.ok(week && week.kind !== 'publication');
  await writeDue(platform.db, week, { folder, now: at('2026-02-17T00:00'), again: true });
  assert.deepEqual((await text('reports/degrades_weekly_report.csv')).split('\n').toSorted(), weekly.split('\n').toSorted());
});

test('a day of which nothing came is told once, holds nothing else up, and is made up for when it comes', async () => {
  await nothingMissedBefore('2026-02-04T00:00');
  const { run } = program();
  await run(at('2026-02-04T07:00'));
  assert.deepEqual(
    told.map((each) => each.replace(/^.*(transfer_\w+?)--/, '$1')),
    ['transfer_outcomes_per_supplier_pathway', 'transfer_level_technical_failures', 'transfer_details_by_hour'].map(
      (name) => `${name}0-days-cutoff.csv is not written: there is no transfer of 2026-02-03`,
    ),
  );
  await run(at('2026-02-04T07:30'));
  await run(at('2026-02-05T07:00'));
  assert.equal(told.length, 3);
  const path = 'v5/1-days/2026/02/04/2026-02-03-to-2026-02-03-transfer_details_by_hour--0-days-cutoff.csv';
  assert.ok((await files()).some((each) => each.startsWith('v5/1-days/2026/02/05/')));
  assert.ok(!(await files()).includes(path));
  // Somebody says that there was none.
  await program({ gaps: true }).run(at('2026-02-05T07:01'));
  assert.equal((await text(path)).split('\n').length, 2);
});

test('a window that is not over, or waits for what comes late, is refused with the day from which it is complete', async () => {
  const [hourly] = dueBetween(at('2026-02-16T06:30'), at('2026-02-16T07:00')).filter(
    (due) => due.kind === 'report' && due.window.cutoffDays === 2,
  );
  assert.ok(hourly?.kind === 'report');
  await assert.rejects(writeDue(platform.db, hourly, { folder, now: at('2026-02-15T23:59') }), {
    code: 'report.incomplete',
    message: /its window ends on 2026-02-13 and waits 2 days for what comes late/,
    remedy: 'Ask again from 2026-02-16 on, 00:00 UTC.',
  });
  await assert.rejects(writeDue(platform.db, degradesDaily(at('2026-02-16T00:00'), 0), { folder, now: at('2026-02-16T23:59') }), {
    message: /its window ends on 2026-02-16/,
  });
  assert.deepEqual(await files(), []);
});

test('what is not counted yet holds reports back', async () => {
  await nothingMissedBefore('2026-02-10T00:00');
  await sql`update platform.events set received_at = now() - interval '1 hour'`.execute(platform.db);
  const { rows } = await sql<{ batch: number }>`select batch from platform.progress where name = 'fold'`.execute(platform.db);
  await sql`update platform.progress set batch = 0 where name = 'fold'`.execute(platform.db);
  try {
    await program().run(at('2026-02-10T07:00'));
    assert.equal(told.length, 3);
    assert.match(told[0] ?? '', /came more than 5 minutes ago is not counted yet/);
  } finally {
    await sql`update platform.progress set batch = ${rows[0]?.batch} where name = 'fold'`.execute(platform.db);
  }
});

test('a program that is stopped ends with the file that it has in hand', async () => {
  await nothingMissedBefore('2026-02-10T00:00');
  const stop = new AbortController();
  await program({ onWritten: () => stop.abort() }).run(at('2026-02-10T07:00'), stop.signal);
  assert.deepEqual(await files(), ['reports/daily/2026-02-09.csv']);
});

test('of two programs at the same moment one writes', async () => {
  await nothingMissedBefore('2026-02-10T00:00');
  const written: string[] = [];
  const onWritten: Parameters<typeof scheduler>[1]['onWritten'] = (due, done) => {
    if (done?.done === 'written') written.push(dueText(due));
  };
  await Promise.all([program({ onWritten }).run(at('2026-02-10T07:00')), program({ onWritten }).run(at('2026-02-10T07:00'))]);
  assert.equal(written.length, 4);
  assert.equal(new Set(written).size, 4);
  assert.deepEqual(told, []);
});

test('what breaks while a file is written leaves none, and it is written the next time', async () => {
  await nothingMissedBefore('2026-02-10T00:00');
  // Where the folder of the reports should be there is a file.
  await writeFile(join(folder, 'v5'), '');
  const { run } = program();
  await run(at('2026-02-10T07:00'));
  assert.equal(told.length, 1);
  assert.deepEqual(await files(), ['reports/daily/2026-02-09.csv', 'v5']);
  await rm(join(folder, 'v5'));
  await mkdir(join(folder, 'v5'));
  await run(at('2026-02-10T07:20'));
  assert.equal((await files()).filter((path) => path.endsWith('.csv')).length, 4);
  assert.ok((await files()).every((path) => !path.includes('.part')));
});

test('on the 15th a month goes through the gate and its files are those of the existing pipeline', async () => {
  await nothingMissedBefore('2026-02-15T00:00');
  const { run } = program({ publish: { leastTransfers: 100 } });
  await run(at('2026-02-15T07:00'));
  assert.deepEqual(
    told.map((each) => each.split('\n')),
    [['publication of 2026-01: 2026-01 is not published:', '62 transfers in the month are fewer than 100: the month is truncated']],
  );
  await program({ publish: { leastTransfers: 50 } }).run(at('2026-02-15T07:01'));
  const { rows } = await sql<{
    month: string;
    transfers: number;
  }>`select to_char(month, 'YYYY-MM') as month, transfers from platform.publications where transfers > 0`.execute(platform.db);
  assert.deepEqual(rows, [{ month: '2026-01', transfers: 62 }]);
  const practices = JSON.parse(await text('v12/2026/1/2026-1-practiceMetrics.json')) as {
    practices: { odsCode: string; metrics: { year: number; month: number; requestedTransfers: { requestedCount: number } }[] }[];
  };
  const [red] = practices.practices.filter(({ odsCode }) => odsCode === REQUESTING);
  assert.deepEqual(
    red?.metrics.map(({ year, month, requestedTransfers }) => [year, month, requestedTransfers.requestedCount]),
    [62, 62, 60, 62, 60]
      .map((count, back) => {
        const month = addMonths({ year: 2026, month: 1 }, -back);
        return [month.year, month.month, count];
      })
      .concat([[2025, 8, 0]]),
  );
  const national = JSON.parse(await text('v12/2026/1/2026-1-nationalMetrics.json')) as { metrics: { transferCount: number }[] };
  assert.equal(national.metrics[0]?.transferCount, 62);
  assert.ok(
    (await files()).includes(
      'v5/1-months/2026/02/01/2026-01-01-to-2026-01-31-sub_icb_location_level_integration_times--14-days-cutoff.csv',
    ),
  );
  // Once is enough.
  const before = await text('v12/2026/1/2026-1-practiceMetrics.json');
  await program({ publish: { leastTransfers: 50 } }).run(at('2026-02-15T08:00'));
  assert.equal(await text('v12/2026/1/2026-1-practiceMetrics.json'), before);
});
