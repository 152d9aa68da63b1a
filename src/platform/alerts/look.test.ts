import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { addSubmitter, keyring } from '../ingest/submitters.ts';
import { operationalReads } from '../site/operational-reads.ts';
import { siteServer } from '../site/site.ts';
import { storeReads } from '../site/store-reads.ts';
import { openAlerts } from '../store/alerts.ts';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { lookForAlerts } from './look.ts';
import { DAY, HOUR, incompatible, internal, inWords, look, MINUTE, START, tell } from './testing.ts';
import { linesOf } from './watch.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());
beforeEach(async () => {
  await sql`truncate platform.alerts, platform.alert_posts, platform.transfers, platform.months, platform.pathway_months, platform.received, platform.events, platform.spine_transfers`.execute(
    platform.db,
  );
});

const raisedAt = async (ms: number): Promise<string[]> => inWords((await look(platform, ms)).raised);
const clearedAt = async (ms: number): Promise<string[]> => inWords((await look(platform, ms)).cleared);

test('twenty minutes after a transfer was known to be possible, and not a moment sooner, a missing request is told, once', async () => {
  await tell(platform, 'a', ['registrations', 0], ['transfer-compatibility-statuses', MINUTE]);
  assert.deepEqual(await raisedAt(21 * MINUTE), []);
  assert.deepEqual(await raisedAt(21 * MINUTE + 1), ['REQUEST_LATE a']);
  assert.deepEqual(await raisedAt(22 * MINUTE), []);
  await tell(platform, 'a', ['ehr-requests', 23 * MINUTE]);
  const { raised, cleared } = await look(platform, 24 * MINUTE);
  assert.deepEqual([raised, inWords(cleared)], [[], ['REQUEST_LATE a']]);
  assert.equal(cleared[0]?.clearedAs, 'resolved');
  assert.deepEqual((await openAlerts(platform.db)).total, 0);
});

test('a registration with a previous practice waits for a request too; others wait for nothing', async () => {
  const noPractice = { sendingPracticeOdsCode: null };
  await tell(platform, 'nothing more', ['registrations', 0]);
  await tell(platform, 'no practice before', ['registrations', 0, noPractice]);
  await tell(platform, 'not possible', ['registrations', 0], ['transfer-compatibility-statuses', MINUTE, incompatible]);
  await tell(platform, 'inside', ['registrations', 0], ['transfer-compatibility-statuses', MINUTE, internal]);
  await tell(platform, 'failed', ['registrations', 0], ['transfer-compatibility-statuses', MINUTE], ['errors', 2 * MINUTE]);
  await tell(platform, 'came in time', ['registrations', 0], ['ehr-requests', 19 * MINUTE], ['ehr-responses', 20 * MINUTE]);
  assert.deepEqual(await raisedAt(20 * MINUTE), []);
  assert.deepEqual(await raisedAt(20 * MINUTE + 1), ['REQUEST_LATE nothing more']);
  await tell(platform, 'nothing more', ['transfer-compatibility-statuses', 25 * MINUTE, incompatible]);
  assert.deepEqual(await clearedAt(26 * MINUTE), ['REQUEST_LATE nothing more']);
});

test('a threshold of a transfer is told once, also where it is crossed again', async () => {
  await tell(platform, 'a', ['registrations', 0], ['transfer-compatibility-statuses', 0]);
  assert.deepEqual(await raisedAt(30 * MINUTE), ['REQUEST_LATE a']);
  // It was looked at once more, so its time begins anew.
  await tell(platform, 'a', ['transfer-compatibility-statuses', 31 * MINUTE]);
  assert.deepEqual(await clearedAt(32 * MINUTE), ['REQUEST_LATE a']);
  assert.deepEqual(await raisedAt(60 * MINUTE), []);
});

test('a request that nothing answers for twenty minutes, and a record that is not whole after 24 hours', async () => {
  await tell(platform, 'a', ['ehr-requests', 0]);
  assert.deepEqual(await raisedAt(20 * MINUTE), []);
  assert.deepEqual(await raisedAt(20 * MINUTE + 1), ['SENDING_LATE a']);
  await tell(platform, 'a', ['ehr-responses', HOUR]);
  assert.deepEqual(await clearedAt(2 * HOUR), ['SENDING_LATE a']);
  assert.deepEqual(await raisedAt(25 * HOUR), []);
  assert.deepEqual(await raisedAt(25 * HOUR + 1), ['TRANSFER_LATE a']);
  await tell(platform, 'a', ['ready-to-integrate-statuses', 26 * HOUR]);
  assert.deepEqual(await clearedAt(27 * HOUR), ['TRANSFER_LATE a']);
});

test('three, six and eight days after it was sent a record that is not integrated is told, and all clear when it is', async () => {
  await tell(platform, 'a', ['ehr-requests', 0], ['ehr-responses', MINUTE], ['ready-to-integrate-statuses', HOUR]);
  await tell(platform, 'in time', ['ehr-requests', 0], ['ehr-responses', MINUTE], ['ehr-integrations', 3 * DAY]);
  for (const days of [3, 6, 8]) {
    assert.deepEqual(await raisedAt(MINUTE + days * DAY), []);
    assert.deepEqual(await raisedAt(MINUTE + days * DAY + 1), [`NOT_INTEGRATED_${days}_DAYS a`]);
  }
  await tell(platform, 'a', ['ehr-integrations', 9 * DAY]);
  assert.deepEqual(await clearedAt(9 * DAY + 1), ['NOT_INTEGRATED_3_DAYS a', 'NOT_INTEGRATED_6_DAYS a', 'NOT_INTEGRATED_8_DAYS a']);
});

test('a technical failure ends the waiting: it stands in the reports, not here', async () => {
  await tell(platform, 'a', ['ehr-requests', 0], ['ehr-responses', MINUTE]);
  assert.deepEqual(await raisedAt(4 * DAY), ['NOT_INTEGRATED_3_DAYS a', 'TRANSFER_LATE a']);
  await tell(platform, 'a', ['errors', 4 * DAY]);
  assert.deepEqual(await clearedAt(5 * DAY), ['NOT_INTEGRATED_3_DAYS a', 'TRANSFER_LATE a']);
});

test('history that is loaded raises nothing, and what waits for ever goes after four weeks', async () => {
  await tell(platform, 'old', ['ehr-requests', 0], ['ehr-responses', MINUTE], ['ready-to-integrate-statuses', HOUR]);
  assert.deepEqual(await raisedAt(100 * DAY), []);
  // Fourteen days after the eighth, only that one is recent enough.
  assert.deepEqual(await raisedAt(21 * DAY), ['NOT_INTEGRATED_8_DAYS old']);
  assert.deepEqual(await clearedAt(36 * DAY), []);
  const { raised, cleared } = await look(platform, 36 * DAY + HOUR);
  assert.deepEqual([raised, cleared.map(({ clearedAs }) => clearedAs)], [[], ['aged']]);
  assert.deepEqual(await raisedAt(37 * DAY), []);
});

test('what was cleared a year ago and posted four weeks ago is forgotten, what is open or waits is not', async () => {
  await tell(platform, 'cleared', ['ehr-requests', 0]);
  await tell(platform, 'open', ['ehr-requests', 0]);
  await look(platform, HOUR, { posted: true });
  await tell(platform, 'cleared', ['ehr-responses', 2 * HOUR]);
  await look(platform, 3 * HOUR, { posted: true });
  await sql`update platform.alert_posts set state = 'delivered', settled_at = made_at where number = (
    select min(number) from platform.alert_posts)`.execute(platform.db);
  await sql`update platform.alerts set crossed_at = crossed_at + interval '400 days' where cleared_at is null`.execute(platform.db);
  const kept = async (ms: number) => {
    await look(platform, ms, { rates: true });
    const { rows: alerts } = await sql<{ subject: string }>`select subject from platform.alerts order by subject`.execute(platform.db);
    const { rows: posts } = await sql<{ state: string }>`select state from platform.alert_posts order by state`.execute(platform.db);
    return [alerts.map(({ subject }) => subject), posts.map(({ state }) => state)];
  };
  assert.deepEqual(await kept(28 * DAY), [
    ['cleared', 'open'],
    ['delivered', 'waiting'],
  ]);
  assert.deepEqual(await kept(29 * DAY), [['cleared', 'open'], ['waiting']]);
  assert.deepEqual(await kept(367 * DAY), [['open'], ['waiting']]);
});

test('of transfers that only the Spine’s log has nobody says that they became whole: they raise nothing about it', async () => {
  await sql`
    insert into platform.spine_transfers (conversation, requested_at, core_at, requesting, sending, requesting_supplier, sending_supplier,
      sender_codes, final_codes, intermediate_codes, status, failure_reason, large, redactions, cutoff_days)
    values ('spine', ${new Date(START).toISOString()}::timestamptz, ${new Date(START + MINUTE).toISOString()}::timestamptz, 'Z81001', 'Z82002',
      'EMIS', 'SystmOne', '{}', '{}', '{}', 'Process failure', 'Transferred, not integrated', false, false, 14)`.execute(platform.db);
  await foldWritten(platform.db);
  assert.deepEqual(await raisedAt(9 * DAY), []);
});

test('two programs that look at once raise each alert once', async () => {
  await tell(platform, 'a', ['ehr-requests', 0]);
  const options = { now: new Date(START + HOUR), failurePercent: 5, rates: true, posted: true };
  const both = await Promise.all([lookForAlerts(platform.db, options), lookForAlerts(platform.db, options)]);
  assert.equal(
    both.reduce((sum, looked) => sum + (looked?.raised.length ?? 0), 0),
    1,
  );
  assert.equal((await openAlerts(platform.db)).total, 1);
});

/** So many transfers of a pathway, evenly over some time, so many of them failed. */
async function pathway(name: string, count: number, failed: number, fromMs: number, untilMs: number, supplier = 'YGC'): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => {
    const at = (later: number) => new Date(START + fromMs + ((untilMs - fromMs) * n) / count + later).toISOString();
    const of = { conversationId: `${name} ${n}` };
    const sent = stored('ehr-responses', at(MINUTE), { ...of, reportingSystemSupplier: supplier });
    return [stored('ehr-requests', at(0), of), sent, stored(n < failed ? 'errors' : 'ready-to-integrate-statuses', at(2 * MINUTE), of)];
  });
  await write(platform.db, events.flat());
}

test('a supplier pathway that fails more often than in the four weeks before is told once, and when it has come down', async () => {
  await pathway('usual', 400, 8, -28 * DAY, 0);
  await pathway('now', 40, 8, 0, 20 * HOUR);
  // Another pathway, as ever.
  await pathway('other usual', 400, 8, -28 * DAY, 0, 'YGMYW');
  await pathway('other now', 40, 1, 0, 20 * HOUR, 'YGMYW');
  await foldWritten(platform.db);
  const rates = (ms: number) => look(platform, ms, { rates: true });
  const rateKinds = (alerts: Awaited<ReturnType<typeof rates>>['raised']) =>
    inWords(alerts.filter(({ kind }) => kind.startsWith('FAILURES_ROSE')));

  const first = await rates(25 * HOUR);
  // Eight in the 140 of the week may be chance.
  assert.deepEqual(rateKinds(first.raised), ['FAILURES_ROSE_DAY Vision > EMIS']);
  const day = first.raised.find(({ kind }) => kind === 'FAILURES_ROSE_DAY');
  assert.deepEqual(day?.detail, { transfers: 40, failed: 8, percent: 20, transfersBefore: 400, failedBefore: 8, percentBefore: 2 });
  assert.deepEqual([day?.sendingSupplier, day?.requestingSupplier], ['Vision', 'EMIS']);
  assert.deepEqual(rateKinds((await rates(26 * HOUR)).raised), []);

  // A day without failures.
  await pathway('next', 40, 0, 24 * HOUR, 44 * HOUR);
  await foldWritten(platform.db);
  const next = await rates(49 * HOUR);
  assert.deepEqual([rateKinds(next.raised), rateKinds(next.cleared)], [[], ['FAILURES_ROSE_DAY Vision > EMIS']]);
  // It rises again, which is another alert; eighteen in the week are no chance any more.
  await pathway('again', 40, 10, 50 * HOUR, 70 * HOUR);
  await foldWritten(platform.db);
  assert.deepEqual(rateKinds((await rates(74 * HOUR)).raised), ['FAILURES_ROSE_DAY Vision > EMIS', 'FAILURES_ROSE_WEEK Vision > EMIS']);
});

test('what was asked for in the last hour is not judged; nothing sent within an hour is a failure, in both windows alike', async () => {
  await pathway('usual', 400, 8, -28 * DAY, 0);
  const silent = async (from: number, count: number) => {
    const at = (n: number) => new Date(START + from + n * MINUTE).toISOString();
    const ids = Array.from({ length: count }, (_, n) => ({ conversationId: `silent ${from} ${n}`, requestingPracticeOdsCode: 'Z81001' }));
    await write(
      platform.db,
      ids.flatMap((of, n) => [
        stored('ehr-requests', at(n), of),
        // So that the sender's supplier is known: its record went two hours later.
        stored('ehr-responses', at(n + 120), { ...of, reportingSystemSupplier: 'YGC' }),
      ]),
    );
    await foldWritten(platform.db);
  };
  await silent(20 * HOUR, 30);
  assert.deepEqual(
    inWords((await look(platform, 20 * HOUR + 45 * MINUTE, { rates: true })).raised).filter((each) => each.startsWith('F')),
    [],
  );
  const later = inWords((await look(platform, 22 * HOUR, { rates: true })).raised).filter((each) => each.startsWith('FAILURES_ROSE'));
  assert.deepEqual(later, ['FAILURES_ROSE_DAY Vision > EMIS', 'FAILURES_ROSE_WEEK Vision > EMIS']);
});

test('yesterday’s technical failures strictly above the threshold are told once, and clear with the day', async () => {
  await pathway('yesterday', 100, 5, 0, 14 * HOUR);
  await foldWritten(platform.db);
  const above = async (ms: number, failurePercent: number) => {
    const { raised, cleared } = await look(platform, ms, { rates: true, failurePercent });
    return [raised, cleared].map((alerts) => inWords(alerts.filter(({ kind }) => kind === 'FAILURES_ABOVE')));
  };
  assert.deepEqual(await above(DAY, 5), [[], []]);
  assert.deepEqual(await above(DAY, 4), [['FAILURES_ABOVE England'], []]);
  assert.deepEqual(await above(DAY + HOUR, 4), [[], []]);
  assert.deepEqual(await above(2 * DAY, 4), [[], ['FAILURES_ABOVE England']]);
});

test('a line says what happened, where and since when, and names no transfer', async () => {
  await tell(platform, '7C0E2B8A-51D4-4E7F-9B61-0A4D6C1E9F20', ['registrations', 0], ['ehr-requests', MINUTE]);
  const { raised } = await look(platform, HOUR);
  assert.deepEqual(linesOf('raised', raised), [
    `alert ${raised[0]?.id} raised: Not sent within 20 minutes of the request, Z82002 (supplier unknown) > Z81001 (EMIS), since 2026-03-02T09:21:00Z`,
  ]);
  assert.match(
    linesOf(
      'raised',
      Array.from({ length: 25 }, () => raised[0]).flatMap((each) => each ?? []),
    ).at(-1) ?? '',
    /^5 more alerts raised$/,
  );
});

test('open alerts are on a page and in files, for those who have a key', async () => {
  await tell(platform, 'a', ['registrations', 0], ['ehr-requests', MINUTE]);
  await look(platform, HOUR);
  const key = await addSubmitter(platform.db, `reader ${Date.now()}`, 'readers');
  const readerOf = keyring(platform.db, undefined, 'readers');
  const site = await siteServer(
    { ...storeReads(platform.db), operational: operationalReads(platform.db) },
    { mayRead: async (given) => (await readerOf(given)) !== null, freshMs: 0 },
  );
  const get = (url: string, given: string | null = key) =>
    site.inject({ url, headers: given === null ? {} : { authorization: `Basic ${Buffer.from(`me:${given}`).toString('base64')}` } });
  try {
    for (const url of ['/alerts', '/data/alerts.csv', '/data/alerts.json']) {
      assert.equal((await get(url, null)).statusCode, 401, url);
      assert.equal((await get(url, 'wrong')).statusCode, 401, url);
      assert.equal((await get(url)).statusCode, 200, url);
    }
    const page = (await get('/alerts')).body;
    assert.match(page, /Not sent within 20 minutes of the request/);
    assert.match(page, /href="\/conversations\/a"/);
    assert.match((await get('/reports')).body, /href="\/alerts"/);
    const [, line = ''] = (await get('/data/alerts.csv')).body.split('\n');
    assert.match(line, /^\d+,"SENDING_LATE","2026-03-02T09:21:00Z","2026-03-02T10:00:00Z","a","Z82002",,"Z81001","EMIS",,,,$/);
    const { alerts } = (await get('/data/alerts.json')).json() as { alerts: { kind: string; subject: string }[] };
    assert.deepEqual(
      alerts.map(({ kind, subject }) => [kind, subject]),
      [['SENDING_LATE', 'a']],
    );
    assert.equal((await get('/alerts?page=2')).statusCode, 404);
  } finally {
    await site.close();
  }
  // The public's site has none of it.
  const open = await siteServer(storeReads(platform.db));
  assert.equal((await open.inject('/alerts')).statusCode, 404);
  assert.equal((await open.inject('/data/alerts.json')).statusCode, 404);
  await open.close();
});
