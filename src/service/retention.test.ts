import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { type ObjectRef, wholeObject } from '../base/content.ts';
import type { TransferId } from '../base/ids.ts';
import { putAsContent } from '../objects/content.ts';
import { writeStored } from '../store/stored-json.ts';
import { eraseRejected, type RetentionOptions, sweep, sweepObjects } from './retention.ts';
import { register, type TestNode, testNode, testPractice, uuid } from './testing.ts';

const own = testPractice('Z81001');
const other = testPractice('Z82002');
let node: TestNode;
let options: RetentionOptions;
before(async () => {
  node = await testNode([own]);
  options = { db: node.db, objects: node.objects, contentDays: 30, metadataDays: 84, now: () => new Date() };
});
after(() => node.close());

/** Stands in everything that may be kept of a patient, so that a look at the whole of database and store finds what was forgotten. */
const canary = () => `canary${randomBytes(12).toString('hex')}`;
const fileOf = ({ sha256 }: ObjectRef) => join(node.folder, 'objects', sha256.slice(0, 2), sha256);
const age = (ref: ObjectRef, ms: number) => utimes(fileOf(ref), new Date(Date.now() - ms), new Date(Date.now() - ms));
const DAY = 86_400_000;

/** A transfer with content in every table, ended so many days ago. */
async function ended(daysAgo: number, mark: string, outcome = 'integrated', shared: readonly ObjectRef[] = []) {
  const { id } = await register(node, own.ods, other.ods);
  const put = (text: string) => node.objects.put(Buffer.from(`${text} ${mark}`));
  const [core, bundle, report, attachment, hidden] = await Promise.all(['core', 'bundle', 'report', 'attachment', 'hidden'].map(put));
  assert.ok(core && bundle && report && attachment && hidden);
  const lists = [attachment, hidden, ...shared].map((ref) => ({ documentId: uuid(), name: mark, content: wholeObject(ref) }));
  const documents = await node.objects.put(Buffer.from(writeStored(lists)));
  const body = {
    outcome: { kind: outcome, ...(outcome === 'rejected' ? { code: '28' } : { answer: 'AA' }) },
    at: new Date().toISOString(),
    core: { messageId: uuid(), hl7: wholeObject(core) },
    record: { bundle, report, documents, summary: {} },
    peer: null,
    request: null,
  };
  const part = writeStored(wholeObject(attachment));
  const message = writeStored({ message: { interaction: 'piece', part: { content: wholeObject(attachment) }, filename: mark } });
  await sql`
    update transfers set state = 'ended', outcome = ${outcome}, body = ${writeStored(body)}::jsonb,
      ended_at = now() - make_interval(days => ${daysAgo}) where id = ${id}`.execute(node.db);
  const first = await node.objects.put(Buffer.from(`first bundle ${mark}`));
  const answer = { fetched: true, bundle: first, documents };
  await sql`update history set basis = ${writeStored({ event: { kind: 'done', fault: mark, result: { job: 'fetch', answer } } })}::jsonb
    where transfer = ${id}`.execute(node.db);
  await sql`insert into parts (practice, transfer, key, announced, content, came_at)
    values (${own.ods}, ${id}, ${uuid()}, ${JSON.stringify({ filename: mark })}::jsonb, ${part}::jsonb, now())`.execute(node.db);
  await sql`insert into outgoing_parts (practice, transfer, message_id, under, number, kind, announced, content)
    values (${own.ods}, ${id}, ${uuid()}, ${uuid()}, 0, 'piece', ${JSON.stringify({ filename: mark })}::jsonb, ${part}::jsonb)`.execute(
    node.db,
  );
  await sql`insert into inbox (from_party_key, message_id, practice, conversation_id, action, digest, bytes, message, transfer, done_at, received_at)
    values (${other.partyKey}, ${uuid()}, ${own.ods}, ${uuid()}, 'COPC_IN000001UK01', '', 1, ${message}::jsonb, ${id}, now(),
      now() - make_interval(days => ${daysAgo}))`.execute(node.db);
  return { id, refs: [core, bundle, report, attachment, hidden, documents, first] };
}

/** Whether a text stands anywhere in a row of any table. */
async function inDatabase(text: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(node.db);
  const found: string[] = [];
  for (const { name } of rows) {
    const { rows: hits } = await sql`select from ${sql.table(name)} as t where t::text like ${`%${text}%`}`.execute(node.db);
    if (hits.length > 0) found.push(name);
  }
  return found;
}

async function inStore(text: string): Promise<string[]> {
  const folder = join(node.folder, 'objects');
  const found: string[] = [];
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (file.isFile() && (await readFile(join(file.parentPath, file.name))).includes(text)) found.push(file.name);
  return found;
}

const isThere = async (id: TransferId) => (await sql`select from transfers where id = ${id}`.execute(node.db)).rows.length === 1;
/** The daily look at the objects is not due again before a day has passed. */
const forgetSweep = () => sql`delete from settings where name = 'objects_swept'`.execute(node.db);

test('thirty days after the end nothing of the content is left in database or store, and the transfer is still known', async () => {
  const [old, young] = [canary(), canary()];
  const past = await ended(31, old);
  const recent = await ended(29, young);
  for (const ref of [...past.refs, ...recent.refs]) await age(ref, 2 * DAY);
  await forgetSweep();
  const swept = await sweep(options);
  assert.equal(swept.erased, 1);
  assert.equal(swept.objects, past.refs.length);
  assert.deepEqual(await inDatabase(old), []);
  assert.deepEqual(await inStore(old), []);
  assert.ok(await isThere(past.id), 'its history is kept longer');
  assert.equal((await inStore(young)).length, recent.refs.length, 'also what only a list of documents points at');
  assert.deepEqual(await sweep(options), { erased: 0, forgotten: 0, objects: 0 });
});

test('after eighty-four days a transfer is a number in a count', async () => {
  const { id } = await ended(85, canary());
  const swept = await sweep(options);
  assert.equal(swept.forgotten, 1);
  assert.equal(await isThere(id), false);
  assert.deepEqual(await inDatabase(id), []);
  const { rows } = await sql<{ transfers: number }>`select transfers from past_transfers where outcome = 'integrated'`.execute(node.db);
  assert.deepEqual(rows, [{ transfers: 1 }]);
});

test('a wrong patient’s record goes at once; what another transfer has of the same bytes stays', async () => {
  const [wrong, right] = [canary(), canary()];
  const common = await node.objects.put(Buffer.from(`an attachment that both have ${right}`));
  const keeps = await ended(1, right, 'integrated', [common]);
  const { id, refs } = await ended(0, wrong, 'rejected', [common]);
  for (const ref of [...refs, ...keeps.refs, common]) await age(ref, 20 * 60_000);
  assert.equal(await eraseRejected(options), 1);
  assert.deepEqual(await inDatabase(wrong), []);
  assert.deepEqual(await inStore(wrong), []);
  assert.ok(await isThere(id));
  assert.ok(await node.objects.head(common));
  assert.deepEqual((await sql`select from erasures`.execute(node.db)).rows, []);
});

test('bytes that were stored a moment ago wait until nobody can be about to point at them', async () => {
  const { refs } = await ended(0, canary(), 'rejected');
  const [fresh, ...others] = refs;
  assert.ok(fresh);
  for (const ref of others) await age(ref, 20 * 60_000);
  await eraseRejected(options);
  assert.ok(await node.objects.head(fresh));
  await age(fresh, 20 * 60_000);
  await eraseRejected(options);
  assert.equal(await node.objects.head(fresh), null);
});

test('objects are swept beside writers: what is stored and pointed at meanwhile is there afterwards', async () => {
  const bytes = Array.from({ length: 60 }, () => randomBytes(5_000));
  for (const each of bytes) await age(await node.objects.put(each), 2 * DAY);
  const writing = Promise.all(
    bytes.map(async (each) => {
      const content = await putAsContent(node.objects, each);
      await sql`insert into parts (practice, transfer, key, announced, content) values (${own.ods}, 'T', ${uuid()}, '{}', ${writeStored(content)}::jsonb)`.execute(
        node.db,
      );
    }),
  );
  const sweeps = Promise.all(Array.from({ length: 4 }, () => sweepObjects(options)));
  await Promise.all([writing, sweeps]);
  await sweepObjects(options);
  const { rows } = await sql<{ sha256: string }>`
    select content->'pieces'->0->'object'->>'sha256' as sha256 from parts where transfer = 'T'`.execute(node.db);
  assert.equal(rows.length, 60);
  for (const { sha256 } of rows) assert.ok((await node.objects.head({ sha256, bytes: 5_000 })) !== null, sha256);
});

test('two nodes that sweep at once do it once', async () => {
  await Promise.all(Array.from({ length: 3 }, () => ended(40, canary())));
  const both = await Promise.all([sweep(options), sweep(options)]);
  assert.equal(
    both.reduce((sum, { erased }) => sum + erased, 0),
    3,
  );
});
