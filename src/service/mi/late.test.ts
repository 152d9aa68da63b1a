/** Events that wait longer than their transfer is known at all. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { ObjectRef } from '../../base/content.ts';
import { miSpool } from '../../store/mi-events.ts';
import { readTransfer } from '../../store/transfers.ts';
import type { Transfer } from '../../transfer/types.ts';
import { sweep } from '../retention.ts';
import { integrated, type MiNode, miNode, own } from './testing.ts';
import { spoolFault } from './watch.ts';

let node: MiNode;
let lists: { documents: ObjectRef; degrades: ObjectRef };
before(async () => {
  node = await miNode();
  const stored = (value: unknown) => node.objects.put(Buffer.from(JSON.stringify(value)));
  const document = { name: 'a.pdf', contentType: 'application/pdf', bytes: 1, sha256: '', missing: null, content: {} };
  const degrade = { type: 'MEDICATION', reason: 'CODE', coding: [{ code: 'x1', system: 'http://read.info/readv2' }] };
  lists = { documents: await stored(['D1', 'D2'].map((documentId) => ({ documentId, ...document }))), degrades: await stored([degrade]) };
});
after(() => node.close());

const swept = () => sweep({ db: node.db, objects: node.objects, contentDays: 30, metadataDays: 84, now: () => new Date() });
const isThere = async ({ id }: Transfer) => (await readTransfer(node.db, own.ods, id)) !== null;
/** So many days later, for the transfers and the queue. */
async function daysLater(days: number): Promise<void> {
  await sql`update transfers set ended_at = ended_at - make_interval(days => ${days})`.execute(node.db);
  await node.pass(days * 86_400);
}
const eventsAge = (days: number) => sql`update mi_events set at = at - make_interval(days => ${days})`.execute(node.db);
const states = async () =>
  (await sql<{ path: string; state: string }>`select path, state from mi_events order by path`.execute(node.db)).rows.map(
    ({ path, state }) => `${path} ${state}`,
  );

test('events that were not taken outlast their transfer, are told when the service is there again, and go then', async () => {
  node.service.setSwitches({ outage: true });
  const transfer = await integrated(node, lists);
  for (let hour = 0; hour < 3; hour++) {
    await node.drain();
    await node.pass(3600);
  }
  // A post of degrades may have broken off: nobody knows then, and it does not wait.
  const waiting = (await states()).filter((state) => state.endsWith('waiting'));
  assert.ok(waiting.length >= 7, waiting.join());

  await daysLater(85);
  assert.equal((await swept()).forgotten, 1);
  assert.equal(await isThere(transfer), false);
  assert.equal((await miSpool(node.db)).waiting, waiting.length);
  assert.deepEqual(
    (await states()).filter((state) => state.endsWith('waiting')),
    waiting,
  );
  assert.match(spoolFault(await miSpool(node.db), 60, new Date()) ?? '', /wait, the oldest for 12\d{4} minutes/);

  node.service.setSwitches({});
  await node.pass(3600);
  await node.drain();
  assert.deepEqual(await miSpool(node.db), { waiting: 0, oldest: null, refused: 0 });
  const told = node.service.events().filter(({ body }) => body['conversationId'] === transfer.conversationId);
  assert.equal(told.length, 7);
  assert.deepEqual(
    node.alerts.filter(({ code }) => code === 'mi.otherId'),
    [],
  );
  await eventsAge(85);
  await swept();
  assert.deepEqual(await states(), []);
});

test('a list that has not become events yet keeps its transfer, which is what they are made of', async () => {
  const transfer = await integrated(node, lists);
  await daysLater(85);
  assert.equal((await swept()).forgotten, 0);
  assert.ok(await isThere(transfer));
  await node.drain();
  assert.equal((await swept()).forgotten, 1);
  const told = node.service.events().filter(({ body }) => body['conversationId'] === transfer.conversationId);
  assert.equal(told.length, 7);
  await eventsAge(85);
  await swept();
  assert.deepEqual(await states(), []);
});

test('an event that was refused, and of which an operator was told, goes with its transfer', async () => {
  const transfer = await integrated(node, { documents: lists.documents });
  node.service.setSwitches({ status: 400, times: 1 });
  await node.drain();
  assert.equal((await miSpool(node.db)).refused, 1);
  assert.deepEqual(
    node.alerts.map(({ code }) => code).filter((code) => code === 'mi.refused'),
    ['mi.refused'],
  );
  await daysLater(85);
  assert.equal((await swept()).forgotten, 1);
  assert.equal(await isThere(transfer), false);
  assert.deepEqual(await states(), []);
  assert.deepEqual(await miSpool(node.db), { waiting: 0, oldest: null, refused: 0 });
});
