/** The platform as a process: a key, events over HTTP, files, and the page of the practice. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { openPlatform } from '../../platform/store/open.ts';
import { body, REQUESTING, SENDING } from '../../platform/testing.ts';
import { startProgram } from '../demo/processes.ts';
import { until } from './testing.ts';
import { run } from './testing-cli.ts';
import { type ServedPlatform, servePlatform } from './testing-platform.ts';

let platform: ServedPlatform;

before(async () => {
  platform = await servePlatform();
});
after(() => platform?.close());

const cli = (...argv: readonly string[]) => platform.cli(...argv);
const file = async (name: string, ...lines: readonly string[]): Promise<string> => {
  const path = join(platform.folder, name);
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
};
const post = async (key: string, path: Parameters<typeof body>[0], at: string, over: Readonly<Record<string, unknown>>) =>
  (
    await fetch(`${String(platform.server.ready['api'])}/${path}`, {
      method: 'POST',
      headers: { apikey: key, 'content-type': 'application/json' },
      body: JSON.stringify(body(path, at, over)),
    })
  ).status;
/** What is counted, in order of the conversations. */
const transfers = async (where: string) => {
  const db = await openPlatform(platform.database.url, 1);
  try {
    const { rows } = await sql<Record<string, unknown>>`select conversation, status, sla_seconds, (select count(*) from platform.events as e
      where e.conversation = t.conversation) as events from platform.transfers as t where ${sql.raw(where)} order by conversation`.execute(
      db,
    );
    return rows;
  } finally {
    await db.destroy();
  }
};
const page = async (path: string) => {
  const response = await fetch(`${String(platform.server.ready['site'])}${path}`);
  return { status: response.status, text: await response.text() };
};

test('events that are sent with a key are on the page of their practice once they are counted and the month is published', async () => {
  const organisations = await file(
    'organisations.csv',
    'code,kind,name,parent',
    '01A,sicbl,NHS ONE ICB - 01A,',
    `${REQUESTING},practice,THE RED SURGERY,01A`,
    'not a code,practice,X,01A',
    `${SENDING},practice,THE BLUE SURGERY,01A`,
  );
  const ods = await cli('ods', organisations);
  assert.equal(ods.code, 1);
  assert.match(ods.out, /^3 organisations/);
  assert.match(ods.err, /organisations\.csv:4: code is no ODS code/);

  const added = await cli('key', 'add', 'A supplier', '--json');
  assert.equal(added.code, 0, added.err);
  const { key } = JSON.parse(added.out) as { key: string };
  const [sent, kept] = ['2026-02-03T10:06:00Z', '2026-02-03T11:00:00Z'];
  for (const [at, path] of [
    ['2026-02-03T10:00:00Z', 'ehr-requests'],
    [sent, 'ehr-responses'],
    [kept, 'ehr-integrations'],
  ] as const) {
    assert.equal(await post('wrong', path, at, {}), 401);
    assert.equal(await post(key, path, at, {}), 200);
  }
  const list = await cli('key', 'list');
  assert.match(list.out, /A supplier/);
  assert.ok(!list.out.includes(key));

  // A month with fewer transfers than it must have stays closed.
  const early = await cli('publish', '2026-02');
  assert.equal(early.code, 1);
  assert.match(early.err, /transfers in the month are fewer than 150000/);
  await until('the events are counted', async () => (await transfers("month_utc = '2026-02-01'"))[0]?.['status'] === 'Integrated on time');
  assert.equal((await cli('publish', '2026-02', '--least', '1')).code, 0);

  const practice = await page(`/practice/${REQUESTING}`);
  assert.equal(practice.status, 200);
  assert.ok(practice.text.includes('<h1 class="nhsuk-heading-l">The Red Surgery - Z81001</h1>'));
  assert.ok(practice.text.includes('In February 2026 0 of 1 transfers requested failed.'));
  const csv = await page(`/data/practice/${REQUESTING}/all-latest-month.csv`);
  const [head = '', row = ''] = csv.text.split('\n');
  assert.match(head, /Transfers/i);
  assert.match(row, /,1,1,/);
  assert.equal((await page('/practice/Z99999')).status, 404);

  assert.equal((await cli('key', 'revoke', 'A supplier')).code, 0);
  assert.equal((await cli('key', 'revoke', 'A supplier')).code, 2);
  await until('a key that was revoked is refused', async () => (await post(key, 'ehr-requests', kept, {})) === 401, 20_000);
});

test('events that are malformed, unknown, doubled, out of order or of nobody are answered by their fault, and cost no other', async () => {
  const { key } = JSON.parse((await cli('key', 'add', 'A careless supplier', '--json')).out) as { key: string };
  const conversationId = 'beside bad ones';
  const send = async (path: Parameters<typeof body>[0], text: string, apikey = key) => {
    const answered = await fetch(`${String(platform.server.ready['api'])}/gp-registrations-mi/${path}`, {
      method: 'POST',
      headers: { apikey, 'content-type': 'application/json' },
      body: text,
    });
    const { errors = [], eventId } = (await answered.json()) as { errors?: string[]; eventId?: string };
    return { status: answered.status, fault: errors.join('; '), eventId };
  };
  const told = (path: Parameters<typeof body>[0], at: string, over: object = {}) =>
    JSON.stringify(body(path, at, { conversationId, ...over }));
  const good = [
    await send('ehr-integrations', told('ehr-integrations', '2026-01-07T12:00:00Z')),
    await send('ehr-responses', told('ehr-responses', '2026-01-07T10:01:00Z')),
  ];
  const request = told('ehr-requests', '2026-01-07T10:00:00Z');
  for (const [text, fault] of [
    ['{', /^Unable to parse JSON$/],
    [request.slice(0, request.indexOf('2026') + 6), /^registrationEventDateTime: the value is cut short/],
    [told('ehr-requests', 'yesterday'), /^registrationEventDateTime: .*date and time/],
    [told('ehr-requests', '2026-01-07T10:00:00Z', { colour: 'red' }), /^colour: colour is not a member of this event$/],
    [told('ehr-requests', '2026-01-07T10:00:00Z', { requestingPracticeOdsCode: '' }), /^requestingPracticeOdsCode: must not be empty$/],
    ['x'.repeat(3_000_000), /./],
  ] as const) {
    const answered = await send('ehr-requests', text);
    assert.ok(answered.status === 400 || (answered.status === 413 && text.length > 1_000_000), `${text.slice(0, 80)}: ${answered.status}`);
    if (answered.status === 400) assert.match(answered.fault, fault);
  }
  assert.equal((await send('ehr-requests', request, 'of nobody')).status, 401);
  good.push(await send('ehr-requests', request), await send('ehr-requests', request));
  assert.deepEqual(
    good.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.equal(good[2]?.eventId, good[3]?.eventId);
  const one = async () => (await transfers("conversation = 'beside bad ones'"))[0] ?? {};
  await until('the one transfer is counted', async () => (await one())['sla_seconds'] === 7_140);
  const { status, events } = await one();
  assert.deepEqual([status, events], ['Integrated on time', 3]);
});

test('rows of files that are broken are named with file and line, and cost nothing else', async () => {
  const line = (eventType: string, path: Parameters<typeof body>[0], over: object) =>
    JSON.stringify({ eventType, body: body(path, '2026-01-05T10:00:00Z', { conversationId: 'from a file', ...over }) });
  const events = await file(
    'events.ndjson',
    line('EHR_REQUESTS', 'ehr-requests', {}),
    '{',
    line('EHR_REQUESTS', 'ehr-requests', { registrationEventDateTime: 'yesterday' }),
    line('SOMETHING', 'ehr-requests', {}),
    line('EHR_RESPONSES', 'ehr-responses', {}),
  );
  const loaded = await cli('load', 'events', events, '--json');
  assert.equal(loaded.code, 1);
  const { read, written, broken } = JSON.parse(loaded.out) as Record<string, number>;
  assert.deepEqual({ read, written, broken }, { read: 2, written: 2, broken: 3 });
  assert.match(
    loaded.err,
    /events\.ndjson:2: the line is no JSON\n.*events\.ndjson:3: registrationEventDateTime: .*\n.*:4: eventType is none/,
  );
  assert.equal((JSON.parse((await cli('load', 'events', events, '--json')).out) as Record<string, number>)['written'], 0);

  const degrades = JSON.stringify({
    eventType: 'DEGRADES',
    body: {
      reportingSystemSupplier: 'YGA',
      payload: { degrades: [{ type: 'PLAN', reason: 'CODE', coding: [{ code: '1', system: 'X' }] }] },
    },
  });
  const more = await file('degrades.ndjson', degrades, degrades, degrades.replace('"PLAN"', '"NONE"'));
  const both = await cli('load', 'events', more, '--json');
  assert.match(both.err, /degrades\.ndjson:3: payload\.degrades\.0\.type: /);
  assert.deepEqual(JSON.parse(both.out), { read: 2, written: 2, transfers: 0, broken: 1 });
  assert.equal((JSON.parse((await cli('load', 'events', more, '--json')).out) as Record<string, number>)['written'], 0);
  // A file that is not there is noticed before the first is loaded.
  const late = await file('late.ndjson', line('EHR_REQUESTS', 'ehr-requests', { conversationId: 'late' }));
  assert.equal((await cli('load', 'events', late, join(platform.folder, 'nothing.ndjson'))).code, 2);
  assert.equal((JSON.parse((await cli('load', 'events', late, '--json')).out) as Record<string, number>)['written'], 1);

  const missing = await cli('load', 'mesh', join(platform.folder, 'nothing.dat'));
  assert.equal(missing.code, 2);
  assert.match(missing.err, /nothing\.dat: cannot be read/);
  const rows = ['2026-01-05T10:00:00', '2026-02-31T10:00:00', '2026-01-06T10:00:00'].map((at) =>
    Array.from({ length: 31 }, (_, n) => ({ 0: 'RR', 1: 'C1', 2: 'Z1', 3: 'Z2', 4: at, 5: '1', 7: '0', 10: '5' })[n] ?? '').join('|'),
  );
  const mesh = await file('stats.dat', ...rows, 'RR|short', rows[0] ?? '', 'FR|3|0|Z1|6');
  const weekly = await cli('load', 'mesh', mesh, '--json');
  assert.equal(weekly.code, 1);
  assert.deepEqual(JSON.parse(weekly.out), { kinds: { newRegistrant: 3 }, written: 2, others: 1, broken: 2 });
  assert.match(weekly.err, /stats\.dat:2: RegistrationTime is no time/);
  assert.match(weekly.err, /stats\.dat:4: RR has 2 columns instead of 31/);
});

test('a load waits for what another program has open on the server: what it says is counted, is', async () => {
  const events = await file(
    'held.ndjson',
    JSON.stringify({ eventType: 'EHR_REQUESTS', body: body('ehr-requests', '2026-01-07T10:00:00Z', { conversationId: 'held back' }) }),
  );
  const other = await openPlatform(platform.database.url, 2);
  const over = Promise.withResolvers<void>();
  try {
    const open = other.transaction().execute(async (trx) => {
      await sql`select pg_current_xact_id()`.execute(trx);
      await over.promise;
    });
    const loading = cli('load', 'events', events, '--json');
    const written = async () => (await sql`select from platform.events where conversation = 'held back'`.execute(other)).rows.length === 1;
    await until('the event is written', written);
    // Long enough for a fold that did not wait.
    assert.equal(await Promise.race([loading, sleep(700)]), undefined);
    over.resolve();
    await open;
    const { code, out } = await loading;
    assert.equal(code, 0);
    assert.deepEqual((await transfers("conversation = 'held back'")).length, 1);
    assert.equal((JSON.parse(out) as { written: number }).written, 1);
  } finally {
    over.resolve();
    await other.destroy();
  }
});

test('the Spine’s log is classified with the ASIDs of its month, over all files at once', async () => {
  const head = '_time,conversationID,GUID,interactionID,messageSender,messageRecipient,messageRef,jdiEvent,toSystem,fromSystem';
  const name = 'urn:nhs:names:services:gp2gp/';
  const first = await file(
    'spine-1.csv',
    head,
    `2026-03-03 10:00:00 UTC,S1,G1,${name}RCMR_IN010000UK05,1,2,NotProvided,NONE,TPP,EMIS`,
    'broken',
    `2026-03-03 10:01:00 UTC,S1,G2,${name}RCMR_IN030000UK06,2,1,NotProvided,NONE,EMIS,TPP`,
  );
  const second = await file('spine-2.csv', head, `2026-03-03 12:00:00 UTC,S1,G3,${name}MCCI_IN010000UK13,1,2,G2,0,TPP,EMIS`);
  const early = await cli('load', 'spine', first, second);
  assert.equal(early.code, 1);
  assert.match(early.err, /no organisations for 2026-03/);
  const metadata = join(platform.folder, 'organisationMetadata.json.gz');
  await writeFile(
    metadata,
    gzipSync(
      JSON.stringify({
        year: 2026,
        month: 3,
        practices: [
          { ods_code: REQUESTING, name: 'THE RED SURGERY', asids: ['1'] },
          { ods_code: SENDING, name: 'THE BLUE SURGERY', asids: ['2'] },
        ],
        sicbls: [{ ods_code: '01A', name: 'NHS ONE ICB - 01A', practices: [REQUESTING, SENDING] }],
      }),
    ),
  );
  assert.equal((await cli('ods', metadata)).code, 0);
  const loaded = await cli('load', 'spine', first, second, '--json');
  assert.equal(loaded.code, 1);
  assert.match(loaded.err, /spine-1\.csv:3: 1 cells instead of 10/);
  assert.deepEqual(JSON.parse(loaded.out), { messages: 3, transfers: 1, notes: {}, broken: 1 });
  await until('the transfer is counted', async () => (await cli('publish', '2026-03', '--least', '1')).code === 0);
});

test('days of the Spine’s log are classified with their cut-off, from packed files, with the ASIDs of the month before where there are none', async () => {
  const head = '_time,conversationID,GUID,interactionID,messageSender,messageRecipient,messageRef,jdiEvent,toSystem,fromSystem';
  const name = 'urn:nhs:names:services:gp2gp/';
  const transfer = (id: string, request: string, answer: string) => [
    `${request} UTC,${id},${id}1,${name}RCMR_IN010000UK05,1,2,NotProvided,NONE,TPP,EMIS`,
    `${request} UTC,${id},${id}2,${name}RCMR_IN030000UK06,2,1,NotProvided,NONE,EMIS,TPP`,
    `${answer} UTC,${id},${id}3,${name}MCCI_IN010000UK13,1,2,${id}2,NONE,TPP,EMIS`,
  ];
  const day = async (packed: string, ...rows: readonly string[]) => {
    const path = join(platform.folder, packed);
    await writeFile(path, gzipSync(`${[head, ...rows].join('\n')}\n`));
    return path;
  };
  const files = [
    await day('2026-04-01.csv.gz', ...transfer('D0', '2026-04-01 23:59:59', '2026-04-02 10:00:00')),
    await day(
      '2026-04-02.csv.gz',
      ...transfer('D1', '2026-04-02 00:00:00', '2026-04-05 00:00:01'),
      ...transfer('D2', '2026-04-02 23:59:59', '2026-04-03 10:00:00'),
    ),
    await day('2026-04-03.csv.gz', ...transfer('D3', '2026-04-03 00:00:00', '2026-04-03 10:00:00')),
  ];
  const load = async (cutoff: string) => {
    const loaded = await cli('load', 'spine', ...files, '--from', '2026-04-02', '--until', '2026-04-03', '--cutoff', cutoff, '--json');
    assert.equal(loaded.code, 0, loaded.err);
    assert.match(loaded.err, /2026-04: no ASIDs, those of the month before stand in/);
    assert.deepEqual(JSON.parse(loaded.out), { messages: 12, transfers: 2, notes: {}, broken: 0 });
  };
  const statuses = async () =>
    (await transfers("measured_by = 'spine' and month_utc = '2026-04-01'")).map(({ conversation, status }) => `${conversation} ${status}`);
  await load('3');
  assert.deepEqual(await statuses(), ['D1 Technical failure', 'D2 Integrated on time']);
  await load('0');
  assert.deepEqual(await statuses(), ['D1 Integrated on time', 'D2 Integrated on time']);
  const cut = join(platform.folder, 'cut.csv.gz');
  await writeFile(cut, (await readFile(files[0] ?? '')).subarray(0, 60));
  const broken = await cli('load', 'spine', cut);
  assert.equal(broken.code, 2);
  assert.match(broken.err, /cut\.csv\.gz: cannot be read/);
  assert.equal((await cli('load', 'spine', files[0] ?? '', '--from', 'yesterday')).code, 2);
});

test('a month that differs much from the one before is opened by whoever says why, and by nobody else', async () => {
  const many = await file(
    'may.ndjson',
    ...Array.from({ length: 9 }, (_, at) =>
      JSON.stringify({
        eventType: 'EHR_REQUESTS',
        body: body('ehr-requests', `2026-05-0${at + 1}T10:00:00Z`, { conversationId: `May ${at}` }),
      }),
    ),
  );
  assert.equal((await cli('load', 'events', many)).code, 0);
  const publish = (...argv: readonly string[]) => cli('publish', '2026-05', '--least', '1', ...argv);
  const closed = await publish();
  assert.equal(closed.code, 1);
  assert.match(closed.err, /9 transfers after 2 in the month before: more than 35 % apart\n.*--despite "REASON"/);
  const hasty = await publish('--despite', 'because');
  assert.equal(hasty.code, 2);
  assert.match(hasty.err, /a reason of 10 to 500 characters is wanted/);
  const opened = await publish('--despite', 'April had two transfers in all', '--json');
  assert.equal(opened.code, 0, opened.err);
  assert.deepEqual(JSON.parse(opened.out), {
    month: '2026-05',
    transfers: 9,
    overridden: '9 transfers after 2 in the month before: more than 35 % apart',
    files: [],
  });
});

test('what is wrong with a command is said before anything starts', async () => {
  assert.equal((await run('platform', 'serve', '--database', 'mysql://x')).code, 2);
  assert.equal((await run('platform', 'key', 'list', '--database', 'postgresql://x', '--data', platform.folder)).code, 2);
  assert.equal((await cli('publish', '2026-13')).code, 2);
  const away = await run('platform', 'key', 'list', '--database', 'postgresql://nobody@127.0.0.1:1/none');
  assert.equal(away.code, 1);
  assert.match(away.err, /the database does not answer/);
});

test('a server of its own in a folder: a command beside the running platform leaves it alone, and both go when it ends', async () => {
  const data = join(platform.folder, 'own');
  const own = await startProgram('platform', ['platform', 'serve', '--data', data], join(platform.folder, 'own.log'));
  assert.equal(own.ready['site'], own.ready['api']);
  const added = await run('platform', 'key', 'add', 'Beside', '--data', data);
  assert.equal(added.code, 0, added.err);
  const answered = await fetch(`${String(own.ready['api'])}/ehr-requests`, {
    method: 'POST',
    headers: { apikey: added.out.trim() },
    body: JSON.stringify(body('ehr-requests', '2026-02-03T10:00:00Z')),
  });
  assert.equal(answered.status, 200);
  await own.stop();
  assert.equal((await own.ended).code, 0);
  const { serverOn } = await import('../../database/embedded.ts');
  assert.equal(await serverOn(join(data, 'database')), null);
});

test('report files are written by hand once, with windows that are complete alone', async () => {
  const files = join(platform.folder, 'files');
  const write = (...argv: readonly string[]) => cli('report', 'write', 'transfer_details_by_hour', '--folder', files, ...argv);
  const day = ['--from', '2026-02-03', '--until', '2026-02-04', '--cutoff', '0'];
  const first = await write(...day);
  assert.equal(first.code, 0, first.err);
  const path = 'v5/custom/2026/02/04/2026-02-03-to-2026-02-03-transfer_details_by_hour--0-days-cutoff.csv';
  assert.equal(first.out, `${path}: 1 rows\n`);
  assert.match(await readFile(join(files, path), 'utf8'), /^Date\/Time,.*\n"2026-02-03 10:00",1,0,0\n$/);
  const second = await write(...day);
  assert.equal(second.code, 1);
  assert.match(second.err, /was written on .*\n.*--again/);
  assert.equal((await write(...day, '--again')).code, 0);

  const gap = await write('--from', '2026-02-04', '--until', '2026-02-06');
  assert.equal(gap.code, 1);
  assert.match(gap.err, /there is no transfer of 2026-02-04 nor of 1 other days of it\n.*--gaps/);
  for (const [argv, message] of [
    [[], /no window is given/],
    [['--from', '2026-02-03'], /the end is missing/],
    [['--days', '0'], /whole number from 1/],
    [['--from', '2026-02-30', '--until', '2026-03-01'], /a day is wanted/],
    [['--months', '1', '--cutoff', '15'], /whole number from 0 to 14/],
  ] as const) {
    const refused = await write(...argv);
    assert.equal(refused.code, 2, argv.join(' '));
    assert.match(refused.err, message);
  }
  const list = await cli('report', 'list', '--json');
  assert.deepEqual(
    (JSON.parse(list.out) as { files: { path: string; transfers: number }[] }).files.map((each) => [each.path, each.transfers]),
    [[path, 1]],
  );
  const published = await cli('publish', '2026-03', '--least', '1', '--folder', files);
  assert.equal(published.code, 0, published.err);
  const { practices } = JSON.parse(await readFile(join(files, 'v12/2026/3/2026-3-practiceMetrics.json'), 'utf8')) as {
    practices: { odsCode: string }[];
  };
  assert.ok(practices.some(({ odsCode }) => odsCode === REQUESTING));
});

test('what the page shows is also read by programs', async () => {
  const { status, text } = await page(`/api/v1/organisations/${REQUESTING}/metrics?from=2026-02&to=2026-02&definitions=national`);
  assert.equal(status, 200);
  const { data } = JSON.parse(text) as { data: { month: string; national: { requestedCount: number } }[] };
  assert.deepEqual(
    data.map(({ month, national }) => [month, national.requestedCount]),
    [['2026-02', 1]],
  );
});
