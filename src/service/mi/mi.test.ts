/** The way of events to the national service: real database, real sockets, a service that is away, refuses, stalls and loses answers. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import type { ObjectRef } from '../../base/content.ts';
import { giveUpDegrades, miSpool } from '../../store/mi-events.ts';
import { claim, revive } from '../../store/outbox.ts';
import { readTransfer } from '../../store/transfers.ts';
import type { Transfer } from '../../transfer/types.ts';
import { event, register } from '../testing.ts';
import { reconcile } from './reconcile.ts';
import { integrated, type MiNode, miNode, other, own, silent } from './testing.ts';
import { spoolFault } from './watch.ts';

let node: MiNode;
let lists: { documents: ObjectRef; degrades: ObjectRef };
const stored = (value: unknown): Promise<ObjectRef> => node.objects.put(Buffer.from(JSON.stringify(value)));
const document = (n: number) => ({
  documentId: `D${n}`,
  name: `${n}.pdf`,
  contentType: 'application/pdf',
  bytes: n,
  sha256: '',
  missing: null,
  content: {},
});
const degrade = { type: 'MEDICATION', reason: 'CODE', coding: [{ code: 'x1', system: 'http://read.info/readv2' }] };

before(async () => {
  node = await miNode({ headersMs: 300 });
  lists = { documents: await stored([document(1), document(2)]), degrades: await stored([degrade, degrade]) };
});
after(() => node.close());
beforeEach(async () => {
  node.service.setSwitches({});
  await node.drain();
  await node.pass(7200);
  await node.drain();
  node.alerts.length = 0;
  node.outcomes.length = 0;
  assert.deepEqual(await miSpool(node.db), { waiting: 0, oldest: null, refused: 0 });
});

type Row = { path: string; at: string; state: string; event_id: string; transfer: string | null; fault: string | null };
const ledger = async (transfer?: Transfer): Promise<Row[]> =>
  (
    await sql<Row>`select path, at, state, event_id, transfer, fault from mi_events
    where ${transfer?.id ?? null}::text is null or transfer = ${transfer?.id ?? null} order by at, id`.execute(node.db)
  ).rows;
/**
 * The ledger says of every event what the service says. Degrades are the exception: of those whose answer was lost nobody knows, and the
 * service may have them.
 */
async function ledgerEqualsService(): Promise<void> {
  const rows = await ledger();
  const ids = (degrades: boolean) =>
    rows.filter(({ path, state }) => state === 'taken' && (path === 'ehr-degrades') === degrades).map(({ event_id }) => event_id);
  const theirs = (degrades: boolean) =>
    node.service.events().flatMap(({ eventId, eventType }) => ((eventType === 'DEGRADES') === degrades ? [eventId] : []));
  assert.equal(ids(false).toSorted().join('\n'), theirs(false).toSorted().join('\n'));
  const unknown = rows.filter(({ state }) => state === 'unknown').length;
  const known = new Set(ids(true));
  assert.equal(theirs(true).filter((id) => known.has(id)).length, known.size);
  assert.ok(theirs(true).length - known.size <= unknown);
}

test('a transfer tells each of its events once, and the ledger knows the id of each', async () => {
  const transfer = await integrated(node, lists);
  await node.drain();
  assert.deepEqual(
    (await ledger(transfer)).map(({ path, state }) => [path, state]),
    [
      ['registrations', 'taken'],
      ['transfer-compatibility-statuses', 'taken'],
      ['ehr-requests', 'taken'],
      ['ready-to-integrate-statuses', 'taken'],
      ['document-responses', 'taken'],
      ['document-responses', 'taken'],
      ['ehr-integrations', 'taken'],
    ],
  );
  const taken = node.service.events().filter(({ body }) => body['conversationId'] === transfer.conversationId);
  assert.equal(taken.length, 7);
  assert.deepEqual(new Set(taken.map(({ body }) => body['sendingPracticeOdsCode'])), new Set([other.ods]));
  await ledgerEqualsService();
  assert.deepEqual(node.alerts, []);
});

test('the degrades of a record are told in one post, by whom nobody can say', async () => {
  const degradesBefore = node.service.events().filter(({ eventType }) => eventType === 'DEGRADES').length;
  await integrated(node, lists);
  await node.drain();
  const degrades = node.service.events().filter(({ eventType }) => eventType === 'DEGRADES');
  assert.equal(degrades.length, degradesBefore + 1);
  assert.deepEqual(degrades.at(-1)?.body, { reportingSystemSupplier: 'ZZ901', payload: { degrades: [degrade, degrade] } });
  const [row] = (await ledger()).filter(({ path }) => path === 'ehr-degrades').slice(-1);
  assert.deepEqual([row?.transfer, row?.at.slice(10), row?.state], [null, 'T00:00:00.000Z', 'taken']);
});

test('the same entry again, or the same registration, tells nothing again', async () => {
  const first = await register(node, own.ods, other.ods, 'registration twice');
  await register(node, own.ods, other.ods, 'registration twice');
  await node.drain();
  assert.deepEqual(
    (await ledger(first)).map(({ path }) => path),
    ['registrations'],
  );
});

test('a practice that is only in the older process tells no event', async () => {
  const transfer = await integrated(node, lists, silent);
  assert.equal(transfer.state, 'ended');
  assert.deepEqual(await ledger(transfer), []);
});

test('500 documents of one moment are 500 events with 500 ids', async () => {
  const documents = await stored(Array.from({ length: 500 }, (_, n) => document(n)));
  const transfer = await integrated(node, { documents });
  await node.drain();
  const told = (await ledger(transfer)).filter(({ path }) => path === 'document-responses');
  assert.equal(told.length, 500);
  assert.equal(new Set(told.map(({ event_id }) => event_id)).size, 500);
  const taken = node.service.events().filter(({ body }) => body['conversationId'] === transfer.conversationId);
  assert.equal(taken.filter(({ eventType }) => eventType === 'DOCUMENT_RESPONSES').length, 500);
  await ledgerEqualsService();
});

test('a service that is away for 48 hours: transfers end as ever, nothing is lost, the spool drains, the ledger equals the service', async () => {
  const taken = node.service.posts().length;
  node.service.setSwitches({ outage: true });
  const transfers: Transfer[] = [];
  for (let hour = 0; hour < 48; hour++) {
    if (hour % 4 === 0) transfers.push(await integrated(node, lists));
    for (let minutes = 0; minutes < 60; minutes += 30) {
      await node.drain();
      await node.pass(1800);
    }
  }
  assert.deepEqual(new Set(transfers.map(({ state }) => state)), new Set(['ended']));
  assert.equal(node.service.posts().length, taken);
  // A probe now and then, not a post for each event that waits.
  assert.ok(node.outcomes.length < 48 * 2 * 5, `${node.outcomes.length} posts while the service was away`);
  const spool = await miSpool(node.db);
  // Degrades that met a connection which broke are not posted again: they may have been counted.
  const broken = (await ledger()).filter(({ state }) => state === 'unknown').length;
  assert.equal(spool.waiting, 12 * 8 - broken);
  assert.equal(spool.refused, 0);
  assert.match(spoolFault(spool, 60, new Date()) ?? '', /events of management information wait, the oldest for 28\d\d minutes/);

  node.service.setSwitches({});
  await node.pass(600);
  await node.drain();
  assert.equal((await miSpool(node.db)).waiting, 0);
  assert.equal(node.service.posts().length, taken + 12 * 8 - broken, 'each once');
  await ledgerEqualsService();
});

test('an event whose answer was lost is posted again under the same id, and is one event', async () => {
  node.service.setSwitches({ loseAnswer: true, times: 3 });
  const transfer = await register(node, own.ods, other.ods);
  for (let attempt = 0; attempt < 4; attempt++) {
    await node.drain();
    await node.pass(600);
  }
  await node.drain();
  const ours = (events: readonly { body: Readonly<Record<string, unknown>> }[]) =>
    events.filter(({ body }) => body['conversationId'] === transfer.conversationId).length;
  assert.equal(ours(node.service.posts()), 4);
  assert.equal(ours(node.service.events()), 1);
  await ledgerEqualsService();
});

test('degrades whose answer was lost are not posted again, and somebody hears of it', async () => {
  const degrades = () => node.service.posts().filter(({ eventType }) => eventType === 'DEGRADES').length;
  await integrated(node, lists);
  const works = (await node.due()).filter(({ task }) => 'list' in task && task.list.of === 'degrades');
  for (const work of works) await node.carryOut(work);
  const before = degrades();
  node.service.setSwitches({ loseAnswer: true });
  const [post] = await claim(node.db, 'mi', 'test', 50, 60);
  assert.ok(post);
  await node.carryOut(post);
  node.service.setSwitches({});
  await node.pass(7200);
  await node.drain();
  assert.equal(degrades(), before + 1);
  assert.ok(node.alerts.some(({ code }) => code === 'mi.degradesUnknown'));
});

test('degrades that were being posted when a node died are not posted again', async () => {
  await integrated(node, lists);
  const works = (await node.due()).filter(({ task }) => 'list' in task && task.list.of === 'degrades');
  for (const work of works) await node.carryOut(work);
  await sql`update mi_events set state = 'posting' where path = 'ehr-degrades' and state = 'waiting'`.execute(node.db);
  const before = node.service.posts().filter(({ eventType }) => eventType === 'DEGRADES').length;
  await node.pass(7200);
  await node.drain();
  assert.equal(node.service.posts().filter(({ eventType }) => eventType === 'DEGRADES').length, before);
  assert.ok(node.alerts.some(({ code, fault }) => code === 'mi.degradesUnknown' && fault.includes('ended')));
});

test('a 400 puts the event aside with the field that it names; replayed, it is told after all', async () => {
  node.service.setSwitches({ status: 400, times: 1 });
  const transfer = await register(node, own.ods, other.ods);
  await node.drain();
  const [row] = await ledger(transfer);
  assert.equal(row?.state, 'refused');
  assert.match(row?.fault ?? '', /HTTP 400: Failed to validate fields: reportingSystemSupplier: must not be empty/);
  assert.deepEqual(
    node.alerts.map(({ code }) => code),
    ['mi.refused'],
  );
  const spool = await miSpool(node.db);
  assert.equal(spool.refused, 1);
  assert.match(spoolFault(spool, 60, new Date()) ?? '', /1 were refused/);
  const dead = await sql<{ id: number }>`select id from outbox where kind = 'mi' and dead_at is not null`.execute(node.db);
  assert.equal(await revive(node.db, own.ods, dead.rows[0]?.id ?? 0), transfer.id);
  await node.drain();
  assert.equal((await ledger(transfer))[0]?.state, 'taken');
  await ledgerEqualsService();
});

test('a key that is not let in loses nothing: somebody is told, and all is posted once it is mended', async () => {
  node.service.setSwitches({ status: 401 });
  const transfer = await integrated(node, lists);
  await node.drain();
  assert.deepEqual(new Set(node.alerts.map(({ code }) => code)), new Set(['mi.barred']));
  assert.ok(node.outcomes.length <= 2, 'the others are not tried with the same key');
  assert.equal((await miSpool(node.db)).refused, 0);
  node.service.setSwitches({});
  await node.pass(700);
  await node.drain();
  assert.deepEqual(new Set((await ledger(transfer)).map(({ state }) => state)), new Set(['taken']));
  await ledgerEqualsService();
});

test('a 429 with Retry-After is waited for, by everybody', async () => {
  node.service.setSwitches({ status: 429, retryAfterSeconds: 120, times: 1 });
  const transfer = await integrated(node, lists);
  await node.drain();
  assert.deepEqual(node.outcomes, ['away']);
  await node.pass(100);
  await node.drain();
  assert.deepEqual(node.outcomes, ['away'], 'not before its time');
  await node.pass(30);
  await node.drain();
  assert.ok(node.outcomes.slice(1).every((outcome) => outcome === 'taken'));
  assert.deepEqual(new Set((await ledger(transfer)).map(({ state }) => state)), new Set(['taken']));
  assert.deepEqual(node.alerts, []);
});

test('an answer that does not come in time is not waited for longer, and the event counts once', async () => {
  node.service.setSwitches({ delayMs: 1_500 });
  const transfer = await register(node, own.ods, other.ods);
  await node.drain();
  assert.deepEqual(node.outcomes, ['unknown']);
  node.service.setSwitches({});
  await node.pass(600);
  await node.drain();
  assert.equal((await ledger(transfer))[0]?.state, 'taken');
  assert.equal(node.service.events().filter(({ body }) => body['conversationId'] === transfer.conversationId).length, 1);
});

test('a gateway’s error and a server’s own are waited out', async () => {
  for (const status of [500, 502, 503, 504, 408]) {
    node.service.setSwitches({ status, times: 1 });
    const transfer = await register(node, own.ods, other.ods);
    await node.drain();
    await node.pass(700);
    await node.drain();
    assert.equal((await ledger(transfer))[0]?.state, 'taken', String(status));
  }
  await ledgerEqualsService();
});

test('with the service away a transfer is decided as without one', async () => {
  node.service.setSwitches({ outage: true });
  const transfer = await register(node, own.ods, other.ods);
  await node.drain();
  const answer = { ask: false, reason: 'NO_ENDPOINT' } as const;
  await node.post({ practice: own.ods, transfer: transfer.id, event: event({ kind: 'done', result: { job: 'mayWeAsk', answer } }) });
  assert.equal((await readTransfer(node.db, own.ods, transfer.id))?.state, 'ended');
  assert.equal((await miSpool(node.db)).waiting, 2);
});

test('the reconciliation agrees once all is told, and names what is not', async () => {
  const received = () => new Set(node.service.events().map(({ eventId }) => eventId));
  const transfer = await integrated(node, { documents: lists.documents });
  const waiting = await reconcile(node.db, null);
  assert.equal(waiting.agrees, false);
  assert.deepEqual(waiting.missing, []);
  await node.drain();
  // What earlier tests lost on purpose is strange to the ledger: degrades whose answer did not come.
  const degrades = new Set(node.service.events().flatMap(({ eventType, eventId }) => (eventType === 'DEGRADES' ? [eventId] : [])));
  const all = await reconcile(node.db, received());
  assert.deepEqual([all.missing, all.service?.lost, all.service?.unheard], [[], [], []]);
  assert.deepEqual(
    all.service?.strange.filter((id) => !degrades.has(id)),
    [],
  );
  const [first] = await ledger(transfer);
  const less = received();
  less.delete(first?.event_id ?? '');
  assert.deepEqual((await reconcile(node.db, less)).service?.lost, [first?.event_id]);
  await sql`delete from mi_events where transfer = ${transfer.id} and path = 'ehr-integrations'`.execute(node.db);
  const { missing, agrees } = await reconcile(node.db, null);
  assert.deepEqual(missing, [{ practice: own.ods, conversationId: transfer.conversationId, path: 'ehr-integrations' }]);
  assert.equal(agrees, false);
});

test('after a restore degrades that waited are not told: they may have been, and have no id of ours', async () => {
  const degrades = () => node.service.posts().filter(({ eventType }) => eventType === 'DEGRADES').length;
  const before = degrades();
  await integrated(node, lists);
  const [work] = (await node.due()).filter(({ task }) => 'list' in task && task.list.of === 'degrades');
  assert.ok(work);
  await node.carryOut(work);
  await integrated(node, lists);
  // One post that waits, and one list that has not become a post yet.
  assert.equal(await giveUpDegrades(node.db), 2);
  await node.pass(7200);
  await node.drain();
  assert.equal(degrades(), before);
  assert.equal((await miSpool(node.db)).waiting, 0);
});
