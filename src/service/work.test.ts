import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { claim, enqueue, type Work } from '../store/outbox.ts';
import { OWN, storedTransfer, testStore } from '../store/testing.ts';
import { readSubject } from '../store/transfers.ts';
import { createWork, type JobOutcome } from './work.ts';

let store: Awaited<ReturnType<typeof testStore>>;
before(async () => {
  store = await testStore();
});
after(() => store.close());

test('a job that waited for a hand looks at its transfer again; one that did not takes it as it was claimed', async () => {
  const { db } = store;
  const id = await storedTransfer(db);
  const seen: number[] = [];
  const job = async ({ transfer }: { readonly transfer: { readonly version: number } }): Promise<JobOutcome> => {
    seen.push(transfer.version);
    return { outcome: 'again', afterSeconds: 0, why: 'the test goes on' };
  };
  const unused = () => assert.fail('not asked for');
  const work = createWork({
    db,
    post: unused,
    practices: { byOds: async () => ({ ods: OWN }) } as never,
    sender: { send: unused } as never,
    spineUrl: null,
    renew: unused,
    refused: unused,
    jobs: { mayWeAsk: job, mayTheyAsk: job, fetch: job, toHl7: job, toFhir: job, file: job },
    notify: unused,
    now: () => new Date(),
    onFault: (_what, error) => assert.fail(String(error)),
  });
  const claimed = async (): Promise<Work> => {
    const [one] = await claim(db, 'job', 'me', 1, 60);
    assert.ok(one?.subject);
    return one;
  };
  await enqueue(db, OWN, id, [{ kind: 'job', job: 'mayWeAsk' }]);
  const first = await claimed();
  await sql`update transfers set version = 5 where id = ${id}`.execute(db);
  await work(first);
  const second = await claimed();
  assert.equal(second.subject?.transfer.version, 5);
  await sql`update transfers set version = 6 where id = ${id}`.execute(db);
  await work({ ...second, ...(second.subject && { subject: { ...second.subject, at: second.subject.at - 5_000 } }) });
  assert.deepEqual(seen, [0, 6]);
  assert.equal((await readSubject(db, OWN, id))?.transfer.version, 6);
});
