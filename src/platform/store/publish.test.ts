/** The gate over a real database: what keeps a month closed, and the one fault that a person may override. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { writeOrganisations } from './organisations.ts';
import { isPublished, publishMonth } from './publish.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
  await writeOrganisations(platform.db, [
    { code: '01A', kind: 'sicbl', name: 'ONE - 01A', parent: null },
    { code: 'Z1', kind: 'practice', name: 'RED', parent: '01A' },
  ]);
  const requests = (month: string, count: number) =>
    Array.from({ length: count }, (_, at) =>
      stored('ehr-requests', `2026-${month}-${String(at + 1).padStart(2, '0')}T10:00:00Z`, {
        conversationId: `${month}/${at}`,
        requestingPracticeOdsCode: 'Z1',
        reportingPracticeOdsCode: 'Z1',
      }),
    );
  await write(platform.db, [...requests('03', 20), ...requests('04', 13), ...requests('05', 5)]);
  await foldWritten(platform.db);
});
after(() => platform.close());

const month = (number: number) => ({ year: 2026, month: number });
const overrides = async () =>
  (
    await sql`select month::text as month, fault, reason, overridden_at > now() - interval '1 hour' as recent
      from platform.publication_overrides order by id`.execute(platform.db)
  ).rows;
const CHANGE = '5 transfers after 13 in the month before: more than 35 % apart';

test('a month at the edge of what is plausible is opened, and a reason that nothing needed is not kept', async () => {
  assert.deepEqual(await publishMonth(platform.db, month(4), 1, 'nothing is to be explained'), { transfers: 13, overridden: null });
  assert.deepEqual(await overrides(), []);
});

test('a month that fell by more stays closed until somebody says why, which is kept with what it overrode', async () => {
  assert.deepEqual(await publishMonth(platform.db, month(5), 1), { faults: [CHANGE], change: CHANGE });
  assert.equal(await isPublished(platform.db, month(5)), null);
  assert.deepEqual(await publishMonth(platform.db, month(5), 1, 'surgeries were closed'), { transfers: 5, overridden: CHANGE });
  assert.notEqual(await isPublished(platform.db, month(5)), null);
  const kept = { month: '2026-05-01', fault: CHANGE, reason: 'surgeries were closed', recent: true };
  assert.deepEqual(await overrides(), [kept]);
  // Each time anew: figures may have changed since, and the month stays as it was opened.
  assert.deepEqual(await publishMonth(platform.db, month(5), 1), { faults: [CHANGE], change: CHANGE });
  assert.notEqual(await isPublished(platform.db, month(5)), null);
  assert.equal('transfers' in (await publishMonth(platform.db, month(5), 1, 'seen once more')), true);
  assert.deepEqual(await overrides(), [kept, { ...kept, reason: 'seen once more' }]);
});

test('a reason opens nothing that is not whole', async () => {
  const told = await overrides();
  assert.deepEqual(await publishMonth(platform.db, month(5), 6, 'surgeries were closed'), {
    faults: ['5 transfers in the month are fewer than 6: the month is truncated', CHANGE],
    change: null,
  });
  await writeOrganisations(platform.db, [{ code: '01B', kind: 'sicbl', name: 'TWO - 01B', parent: null }]);
  await sql`update platform.organisations set kind = 'sicbl' where code = 'Z1'`.execute(platform.db);
  const found = await publishMonth(platform.db, month(5), 1, 'surgeries were closed');
  assert.ok('faults' in found && found.change === null && found.faults.includes('there are no practices'), JSON.stringify(found));
  assert.deepEqual(await overrides(), told);
});
