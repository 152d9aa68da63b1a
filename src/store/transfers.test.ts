import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { conversationId, instant, transferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { Db } from '../database/connect.ts';
import { prepareStore } from './open.ts';
import { listTransfers, unfinishedRequests } from './reads/transfers.ts';
import type { Tables } from './tables.ts';
import { OTHER, OWN, storedTransfer, testId, testStore } from './testing.ts';
import { insertTransfer, runningTransfers } from './transfers.ts';

let store: Awaited<ReturnType<typeof testStore>>;
let db: Db<Tables>;
before(async () => {
  store = await testStore();
  db = store.db;
});
after(() => store.close());

test('a registration handed in twice is one transfer', async () => {
  const registration = {
    type: 'newRegistration',
    permanent: true,
    returning: false,
    authenticated: true,
    traceMatched: true,
    gpLinksComplete: true,
  } as const;
  const begin = (): Promise<{ id: string; added: boolean }> =>
    insertTransfer(
      db,
      {
        id: transferId(testId()),
        version: 0,
        conversationId: conversationId(testId()),
        practice: OWN,
        nhsNumber: '9990000026' as NhsNumber,
        startedAt: instant(new Date()),
        role: 'requesting',
        previousPractice: null,
        state: 'checking',
      },
      { began: 'registration', registrationId: 'registration 7', registration },
    );
  const answers = await Promise.all(Array.from({ length: 6 }, begin));
  assert.equal(answers.filter(({ added }) => added).length, 1);
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  assert.equal((await runningTransfers(db, OWN, 'requesting', '9990000026' as NhsNumber)).length, 1);
});

test('a practice lists its own transfers, page by page, newest first', async () => {
  await sql`truncate transfers`.execute(db);
  for (let i = 0; i < 7; i++) await storedTransfer(db);
  await storedTransfer(db, OTHER);
  const first = await listTransfers(db, OWN, {}, 4);
  const last = first.at(-1);
  assert.ok(last);
  const second = await listTransfers(db, OWN, { after: last }, 4);
  const ids = [...first, ...second].map((line) => line.id);
  assert.equal(ids.length, 7);
  assert.equal(new Set(ids).size, 7);
  assert.equal((await listTransfers(db, OTHER, {}, 10)).length, 1);
});

test('what a practice asked for long ago and has not ended is found, the oldest first', async () => {
  await sql`truncate transfers`.execute(db);
  const ids: string[] = [];
  for (let days = 1; days <= 5; days++) {
    const id = await storedTransfer(db);
    await sql`update transfers set started_at = now() - make_interval(days => ${days}) where id = ${id}`.execute(db);
    ids.push(id);
  }
  await sql`update transfers set state = 'ended', ended_at = now() where id = ${ids[3]}`.execute(db);
  await sql`update transfers set role = 'sending' where id = ${ids[4]}`.execute(db);
  const before = (days: number) => instant(new Date(Date.now() - days * 86_400_000));
  const found = async (days: number) => (await unfinishedRequests(db, OWN, before(days), 10)).map(({ id }) => id);
  assert.deepEqual(await found(1.5), [ids[2], ids[1]]);
  assert.deepEqual(await found(3.5), []);
  assert.deepEqual(await unfinishedRequests(db, OTHER, before(0), 10), []);
});

test('at ten thousand transfers the list and the look-ups still go by an index', async () => {
  await sql`
    insert into transfers (practice, id, role, conversation_id, nhs_number, origin, version, state, body, started_at)
    select 'P' || n % 10, 'T' || n, 'requesting', 'C' || n, n::text, '{}', 1, 'ended', '{}', now() - n * interval '1 minute'
    from generate_series(1, 10000) n`.execute(db);
  await sql`analyze transfers`.execute(db);
  const plans = [
    sql`explain select id from transfers where practice = 'P1' order by started_at desc, id desc limit 50`,
    sql`explain select id from transfers where practice = 'P1' and role = 'requesting'
      and state in ('checking', 'waitingForExtract', 'collecting', 'converting', 'waitingForDecision', 'filing')
      and started_at <= now() - interval '3 days' order by started_at, id limit 50`,
    sql`explain select id from transfers where practice = 'P1' and role = 'requesting' and conversation_id = 'C11'`,
    sql`explain select id from transfers where practice = 'P1' and nhs_number = '11' and state <> 'ended'`,
  ];
  for (const plan of plans) {
    const { rows } = await plan.execute(db);
    assert.doesNotMatch(JSON.stringify(rows), /Seq Scan/);
  }
});

test('a database that was used with another object store is refused', async () => {
  await prepareStore(db, 'store A');
  await prepareStore(db, 'store A');
  await assert.rejects(prepareStore(db, 'store B'), /store\.otherObjects|store A/);
});
