import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { Ods, TransferId } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { Db } from '../../database/connect.ts';
import { enqueue } from '../outbox.ts';
import type { Tables } from '../tables.ts';
import { raiseTask } from '../tasks.ts';
import { OWN, storedTransfer, testStore } from '../testing.ts';
import { type Attention, findTransfers, searchTransfers } from './transfer-search.ts';

let db: Db<Tables>;
let close: () => Promise<void>;
before(async () => {
  ({ db, close } = await testStore());
});
after(() => close());

const attention = async (id: TransferId): Promise<readonly Attention[]> =>
  (await searchTransfers(db, {}, 1000)).find((one) => one.id === id)?.attention ?? [];
const found = async (search: Parameters<typeof searchTransfers>[1]): Promise<string[]> =>
  (await searchTransfers(db, search, 1000)).map(({ id }) => id);

test('a transfer needs attention when something of it is dead, failing or overdue, or nothing brings it on', async () => {
  const [asleep, dead, failing, overdue, well] = [
    await storedTransfer(db),
    await storedTransfer(db),
    await storedTransfer(db),
    await storedTransfer(db),
    await storedTransfer(db),
  ];
  await enqueue(db, OWN, asleep, [{ kind: 'notice', state: 'checking' }]);
  for (const id of [dead, failing, well]) await enqueue(db, OWN, id, [{ kind: 'job', job: 'mayWeAsk' }]);
  await sql`update outbox set dead_at = now() where transfer = ${dead}`.execute(db);
  await sql`update outbox set attempts = 3 where transfer = ${failing}`.execute(db);
  await raiseTask(db, OWN, overdue, 'decide', '2020-01-01T00:00:00.000Z' as never);
  assert.deepEqual(await attention(asleep), ['nothingWakes']);
  assert.deepEqual(await attention(dead), ['deadLetter', 'nothingWakes']);
  assert.deepEqual(await attention(failing), ['failing']);
  assert.deepEqual(await attention(overdue), ['overdue']);
  assert.deepEqual(await attention(well), []);
  assert.deepEqual(new Set(await found({ attention: true })), new Set([asleep, dead, failing, overdue]));
  assert.deepEqual(await found({ waiting: true }), [overdue]);
  const [one] = await findTransfers(db, well);
  assert.deepEqual(await findTransfers(db, one?.conversationId ?? ''), [one]);
  assert.deepEqual(await findTransfers(db, 'NONE'), []);
});

test('ten thousand transfers are paged through in order, each once, though many began at the same moment; a page is quick to find', async () => {
  await sql`
    insert into transfers (practice, id, role, conversation_id, nhs_number, origin, version, state, outcome, body, started_at, ended_at)
    select 'P' || n % 50, 'T' || n, 'sending', 'C' || n, '999' || n % 500, '{}', 1, 'ended', 'refusedByUs',
      jsonb_build_object('outcome', jsonb_build_object('code', lpad((n % 30)::text, 2, '0'))), '2026-01-01'::timestamptz + n / 100 * interval '1 minute', now()
    from generate_series(1, 10000) n`.execute(db);
  await sql`analyze`.execute(db);
  const seen: string[] = [];
  for (let last: Awaited<ReturnType<typeof searchTransfers>>[number] | undefined; ; ) {
    const page = await searchTransfers(db, { role: 'sending', ...(last && { after: last }) }, 1000);
    seen.push(...page.map(({ id }) => id));
    last = page.at(-1);
    if (!last) break;
  }
  assert.equal(seen.length, 10_000);
  assert.equal(new Set(seen).size, 10_000);
  assert.deepEqual(await found({ practice: 'P7' as Ods, code: '07', nhsNumber: '9997' as NhsNumber, outcome: 'refusedByUs' }), [
    'T9007',
    'T7507',
    'T6007',
    'T4507',
    'T3007',
    'T1507',
    'T7',
  ]);
  // What a transfer needs is looked up for those that are shown, by an index, not for all.
  const { rows } = await sql<{ 'QUERY PLAN': string }>`
    explain select id, array(select task from tasks where practice = t.practice and transfer = t.id and closed_at is null)
    from transfers t where practice = 'P7' order by started_at desc, id desc limit 50`.execute(db);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(plan, /transfers_recent/);
  assert.doesNotMatch(plan, /Seq Scan on transfers/);
});
