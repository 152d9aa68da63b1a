/** A node's ledger beside what the reporting platform holds, event id by event id: `platform serve` as a process, real HTTP, real database. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { ObjectRef } from '../../base/content.ts';
import { freePorts } from '../../cli/demo/ports.ts';
import { type Running, startProgram } from '../../cli/demo/processes.ts';
import { addSubmitter } from '../../platform/ingest/submitters.ts';
import { foldWritten, type TestPlatform, testPlatform } from '../../platform/testing.ts';
import { miSpool } from '../../store/mi-events.ts';
import type { Transfer } from '../../transfer/types.ts';
import { type Gate, openGate } from '../testing-gate.ts';
import { reconcile } from './reconcile.ts';
import { integrated, other, own, type TellingNode, tellingNode } from './testing.ts';

let folder: string;
let platform: TestPlatform;
let server: Running;
let gate: Gate;
let node: TellingNode;
let lists: { documents: ObjectRef; degrades: ObjectRef };
let port = 0;

/** It takes only what the specification allows: the node is to keep to that. */
const serve = () =>
  startProgram(
    'platform',
    ['platform', 'serve', '--database', platform.url, '--port', String(port), '--mode', 'strict', '--fold-seconds', '3600'],
    join(folder, 'platform.log'),
  );
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
const documents = (count: number) => stored(Array.from({ length: count }, (_, n) => document(n)));
const degrade = { type: 'MEDICATION', reason: 'CODE', coding: [{ code: 'x1', system: 'http://read.info/readv2' }] };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-mi-platform-'));
  platform = await testPlatform();
  [port = 0] = await freePorts(1);
  server = await serve();
  gate = await openGate(port);
  node = await tellingNode(`http://127.0.0.1:${gate.port}/gp-registrations-mi`, { apiKey: await addSubmitter(platform.db, own.ods) });
  lists = { documents: await documents(2), degrades: await stored([degrade, degrade]) };
});
after(async () => {
  await node?.close();
  await gate?.close();
  await server?.stop();
  await platform?.close();
  await rm(folder, { recursive: true, force: true });
});

type Told = { readonly id: string; readonly path: string; readonly state: string };
const ledger = async (transfer?: Transfer): Promise<readonly Told[]> =>
  (
    await sql<Told>`select event_id as id, path, state from mi_events
    where ${transfer?.id ?? null}::text is null or transfer = ${transfer?.id ?? null} order by at, mi_events.id`.execute(node.db)
  ).rows;
/** A row for each event, so that one which is there twice is seen twice. */
const held = async (conversation: string | null = null): Promise<readonly { id: string; type: string; time: string }[]> =>
  (
    await sql<{ id: string; type: string; time: string }>`
    select event_id as id, type, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS') as time from platform.events
    where ${conversation}::text is null or conversation = ${conversation}`.execute(platform.db)
  ).rows;
const heldDegrades = async (): Promise<readonly string[]> =>
  (await sql<{ id: string }>`select distinct event_id as id from platform.degrades`.execute(platform.db)).rows.map(({ id }) => id);

/** Every event of the ledger is at the platform, once, under the id that the ledger has; and nothing else is there. */
async function ledgerEqualsPlatform(): Promise<void> {
  const rows = await ledger();
  const taken = (degrades: boolean) =>
    rows.filter(({ path, state }) => state === 'taken' && (path === 'ehr-degrades') === degrades).map(({ id }) => id);
  assert.equal(
    taken(false).toSorted().join('\n'),
    (await held())
      .map(({ id }) => id)
      .toSorted()
      .join('\n'),
  );
  // Degrades have no id before they are answered: of those whose answer was lost the ledger says that nobody knows.
  const theirs = await heldDegrades();
  assert.deepEqual(
    taken(true).filter((id) => !theirs.includes(id)),
    [],
  );
  assert.ok(theirs.length - taken(true).length <= rows.filter(({ state }) => state === 'unknown').length);
}

/** The published rule once more: MD5 of conversation, type and time without a zone, with the bits of a UUID of version 3. */
function publishedId(conversation: string, type: string, time: string): string {
  const shortened = time.replace(/\.000$/, '').replace(/(T\d\d:\d\d):00$/, '$1');
  const hex = createHash('md5').update(`${conversation}${type}${shortened}`, 'utf8').digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '', 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-3${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

test('a transfer tells the platform each of its events once', async () => {
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
  assert.equal((await held(transfer.conversationId)).length, 7);
  assert.equal((await heldDegrades()).length, 1);
  await ledgerEqualsPlatform();
  assert.deepEqual(node.alerts, []);
});

test('a platform that is down for 48 hours: transfers end as ever, the spool drains, and the ledger is what the platform holds', async () => {
  const before = (await held()).length;
  server.kill('SIGKILL');
  await server.ended;
  const transfers: Transfer[] = [];
  for (let hour = 0; hour < 48; hour++) {
    if (hour % 4 === 0) transfers.push(await integrated(node, lists));
    await node.drain();
    await node.pass(3600);
  }
  assert.deepEqual(new Set(transfers.map(({ state }) => state)), new Set(['ended']));
  assert.equal((await held()).length, before);
  assert.ok((await miSpool(node.db)).waiting > 0);

  server = await serve();
  await node.pass(3600);
  await node.drain();
  assert.deepEqual(await miSpool(node.db), { waiting: 0, oldest: null, refused: 0 });
  assert.equal((await held()).length, before + 12 * 7);
  await ledgerEqualsPlatform();
  const ids = new Set([...(await held()).map(({ id }) => id), ...(await heldDegrades())]);
  const { missing, service } = await reconcile(node.db, ids);
  assert.deepEqual([missing, service?.lost, service?.unheard], [[], [], []]);
});

test('500 documents of one second are 500 events at the platform, each with the id of the published rule', async () => {
  const transfer = await integrated(node, { documents: await documents(500) });
  await node.drain();
  const rows = (await held(transfer.conversationId)).filter(({ type }) => type === 'DOCUMENT_RESPONSES');
  assert.equal(rows.length, 500);
  assert.ok(
    Date.parse(
      `${rows
        .map(({ time }) => time)
        .toSorted()
        .at(-1)}Z`,
    ) -
      Date.parse(`${rows.map(({ time }) => time).toSorted()[0]}Z`) <
      1000,
  );
  const published = rows.map(({ time }) => publishedId(transfer.conversationId, 'DOCUMENT_RESPONSES', time));
  assert.equal(new Set(published).size, 500);
  assert.deepEqual(rows.map(({ id }) => id).toSorted(), published.toSorted());
  const told = (await ledger(transfer)).filter(({ path }) => path === 'document-responses').map(({ id }) => id);
  assert.deepEqual(told.toSorted(), published.toSorted());
  await ledgerEqualsPlatform();
});

test('an event that the platform kept and whose answer was cut off is posted again, and counts once', async () => {
  const { documents: list } = lists;
  const [lost, degradesBefore] = [gate.lost(), (await heldDegrades()).length];
  const transfer = await integrated(node, { documents: list });
  // Every other answer is cut off, when the platform has committed: each event is posted twice.
  for (let tries = 0; (await miSpool(node.db)).waiting > 0; tries++) {
    assert.ok(tries < 100);
    gate.loseAnswers(1);
    const outcomes = node.outcomes.length;
    await node.drain();
    if (node.outcomes.length > outcomes) assert.ok(node.outcomes.slice(outcomes).includes('unknown'));
    await node.pass(3600);
    const [work] = await node.due(1);
    if (work) await node.carryOut(work);
    await node.pass(3600);
  }
  assert.ok(gate.lost() - lost >= 4, `${gate.lost() - lost} answers were cut off`);
  assert.equal((await ledger(transfer)).length, 7);
  assert.equal((await held(transfer.conversationId)).length, 7);
  assert.equal((await heldDegrades()).length, degradesBefore);
  await ledgerEqualsPlatform();
  await foldWritten(platform.db);
  const { rows } = await sql`
    select documents, errors, result, requesting, sending from platform.transfers where conversation = ${transfer.conversationId}`.execute(
    platform.db,
  );
  assert.deepEqual(rows, [{ documents: 2, errors: 0, result: 'Successful integration', requesting: own.ods, sending: other.ods }]);
});

test('degrades that the platform kept and whose answer was cut off are not posted again: they would count twice', async () => {
  const before = (await heldDegrades()).length;
  await integrated(node, lists);
  for (const work of (await node.due()).filter(({ task }) => 'list' in task && task.list.of === 'degrades')) await node.carryOut(work);
  const [post] = await node.due(1);
  assert.ok(post);
  gate.loseAnswers(1);
  await node.carryOut(post);
  for (let hour = 0; hour < 3; hour++) {
    await node.pass(3600);
    await node.drain();
  }
  assert.equal((await miSpool(node.db)).waiting, 0);
  assert.equal((await heldDegrades()).length, before + 1);
  assert.ok(node.alerts.some(({ code }) => code === 'mi.degradesUnknown'));
  await ledgerEqualsPlatform();
});
