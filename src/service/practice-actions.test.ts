import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { TransferId } from '../base/ids.ts';
import { openObjects } from '../objects/objects.ts';
import { OTHER, OWN, storedTransfer, testStore } from '../store/testing.ts';
import { practiceActions } from './practice-actions.ts';

let store: Awaited<ReturnType<typeof testStore>>;
let folder: string;
before(async () => {
  store = await testStore();
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-actions-'));
});
after(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const kept = (id: TransferId, record: unknown) =>
  sql`update transfers set body = body || ${JSON.stringify({ record })}::jsonb where id = ${id}`.execute(store.db);

test('a record is found as soon as it is there, and not for longer than a second after it has gone', async () => {
  const objects = await openObjects(folder);
  const bundle = await objects.put(Buffer.from('{"resourceType":"Bundle"}'));
  const report = await objects.put(Buffer.from('{"losses":[]}'));
  const actions = practiceActions({
    db: store.db,
    objects,
    post: () => assert.fail('nothing is posted'),
    now: () => new Date(),
    newId: () => 'unused',
  });
  const id = await storedTransfer(store.db);
  assert.equal(await actions.record(OWN, id), null);
  await kept(id, { bundle, report, documents: bundle, summary: {} });
  assert.equal((await actions.record(OWN, id))?.sha256, bundle.sha256);
  assert.equal((await actions.report(OWN, id))?.sha256, report.sha256);
  assert.equal(await actions.record(OTHER, id), null);
  await kept(id, null);
  await sleep(1_100);
  assert.equal(await actions.record(OWN, id), null);
  assert.equal(await actions.report(OWN, id), null);
});
