import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Content } from '../base/content.ts';
import { type MessageId, messageId } from '../base/ids.ts';
import type { Db } from '../database/connect.ts';
import { seeded } from '../simulator/seeded.ts';
import { expected, type Ledger, ledgerFacts, withIndex, withPiece } from '../simulator/world/ledger.ts';
import { assemble } from '../transfer/parts.ts';
import type { Announced, Reference } from '../transfer/types.ts';
import { expectParts, findExpected, forgetParts, indexCame, keepPart, partFacts, readLedger } from './parts.ts';
import type { Tables } from './tables.ts';
import { OTHER, OWN, storedTransfer, testId, testStore } from './testing.ts';

let store: Awaited<ReturnType<typeof testStore>>;
let db: Db<Tables>;
before(async () => {
  store = await testStore();
  db = store.db;
});
after(() => store.close());

const said: Announced = { filename: 'letter.pdf', contentType: 'application/pdf', compressed: false, skeleton: false };
const external = (id: MessageId): Reference => ({ ...said, at: 'message', messageId: id });
const content = (byte: number): Content => ({ pieces: [{ in: 'row', data: new Uint8Array([byte]) }], stored: 'bytes', gzip: false });
const ids = (count: number) => Array.from({ length: count }, () => messageId(testId()));

test('pieces before their index, an index before its core: nothing is lost, and the count is right at each step', async () => {
  const transfer = await storedTransfer(db);
  const [core, index, one, two, lone] = ids(5) as [MessageId, MessageId, MessageId, MessageId, MessageId];
  const facts = (id: MessageId, announces: Reference[] = []) => partFacts(db, OWN, transfer, id, announces, id === core ? 'core' : 'part');

  assert.deepEqual(await facts(two), { expected: false, seen: false, outstandingAfter: 0, messages: 0 });
  await keepPart(db, OWN, transfer, two, content(2), said);

  assert.deepEqual(await facts(index, [external(one), external(two)]), { expected: false, seen: false, outstandingAfter: 0, messages: 0 });
  await indexCame(db, OWN, transfer, index, said);
  await expectParts(db, OWN, transfer, index, [external(one), external(two)]);

  const inside: Reference = {
    ...said,
    filename: 'inside.txt',
    at: 'here',
    part: { contentId: 'c', contentType: 'text/plain', content: content(9) },
  };
  assert.deepEqual(await facts(core, [external(index), inside, external(lone)]), {
    expected: false,
    seen: false,
    outstandingAfter: 2,
    messages: 4,
  });
  await expectParts(db, OWN, transfer, core, [external(index), inside, external(lone)]);

  assert.deepEqual(await facts(one), { expected: true, seen: false, outstandingAfter: 1, messages: 0 });
  await keepPart(db, OWN, transfer, one, content(1), said);
  assert.deepEqual(await facts(one), { expected: true, seen: true, outstandingAfter: 1, messages: 0 });
  await keepPart(db, OWN, transfer, one, content(7), said);
  assert.deepEqual(await facts(lone), { expected: true, seen: false, outstandingAfter: 0, messages: 0 });
  await keepPart(db, OWN, transfer, lone, content(3), said);

  const attachments = assemble(core, await readLedger(db, OWN, transfer));
  assert.deepEqual(
    attachments.map(({ announced, content: joined }) => [
      announced.filename,
      joined?.pieces.map((piece) => (piece.in === 'row' ? [...piece.data] : null)),
    ]),
    [
      ['letter.pdf', [[1], [2]]],
      ['inside.txt', [[9]]],
      ['letter.pdf', [[3]]],
    ],
  );
});

test('an index that nobody announced makes nothing wait, nor does an index inside it, until somebody announces it', async () => {
  const transfer = await storedTransfer(db);
  const [core, part, stray, inner, piece] = ids(5) as [MessageId, MessageId, MessageId, MessageId, MessageId];
  const waiting = async (id: MessageId, announces: Reference[] = []) =>
    (await partFacts(db, OWN, transfer, id, announces, id === core ? 'core' : 'part')).outstandingAfter;
  await expectParts(db, OWN, transfer, core, [external(part)]);
  assert.equal(await waiting(stray, [external(inner)]), 1);
  await indexCame(db, OWN, transfer, stray, said);
  await expectParts(db, OWN, transfer, stray, [external(inner)]);
  assert.equal(await waiting(inner, [external(piece)]), 1);
  await indexCame(db, OWN, transfer, inner, said);
  await expectParts(db, OWN, transfer, inner, [external(piece)]);
  assert.equal(await waiting(part, [external(stray)]), 1, 'the piece behind both');
});

test('a ledger belongs to one practice', async () => {
  const [mine, theirs] = [await storedTransfer(db), await storedTransfer(db, OTHER)];
  const [core, part] = ids(2) as [MessageId, MessageId];
  await expectParts(db, OWN, mine, core, [external(part)]);
  assert.equal(await findExpected(db, OWN, part), mine);
  assert.equal(await findExpected(db, OTHER, part), null);
  assert.deepEqual(await readLedger(db, OTHER, mine), []);
  assert.deepEqual(await readLedger(db, OTHER, theirs), []);
});

test('a delivery that failed is forgotten before the next is counted', async () => {
  const transfer = await storedTransfer(db);
  const [core, part, again, fresh] = ids(4) as [MessageId, MessageId, MessageId, MessageId];
  await expectParts(db, OWN, transfer, core, [external(part)]);
  assert.equal((await partFacts(db, OWN, transfer, again, [external(fresh)], 'afresh')).outstandingAfter, 1);
  await forgetParts(db, OWN, transfer);
  assert.deepEqual(await readLedger(db, OWN, transfer), []);
});

test('the ledger of the simulated worlds is this one: any messages in any order, the same facts and the same rows', async () => {
  const random = seeded(11);
  const pick = (below: number) => Math.floor(random() * below);
  for (let round = 0; round < 25; round++) {
    const transfer = await storedTransfer(db);
    const all = ids(8);
    const references = (): Reference[] => Array.from({ length: 1 + pick(3) }, () => external(all[pick(all.length)] as MessageId));
    let model: Ledger = new Map();
    for (let step = 0; step < 10; step++) {
      const id = all[pick(all.length)] as MessageId;
      const kind = (['core', 'index', 'piece'] as const)[pick(3)] ?? 'piece';
      const announces = kind === 'piece' ? [] : references();
      const as = kind === 'core' ? 'core' : 'part';
      assert.deepEqual(await partFacts(db, OWN, transfer, id, announces, as), ledgerFacts(model, id, announces, as), `${round}/${step}`);
      if (kind === 'piece') {
        await keepPart(db, OWN, transfer, id, content(step), said);
        model = withPiece(model, id, content(step), said);
        continue;
      }
      if (kind === 'index') {
        await indexCame(db, OWN, transfer, id, said);
        model = withIndex(model, id, said);
      }
      await expectParts(db, OWN, transfer, id, uniquely(announces));
      model = expected(model, id, uniquely(announces));
    }
    const rows = (await readLedger(db, OWN, transfer)).map(({ key, under, content: kept, index }) => ({
      key,
      under,
      kept: kept !== null,
      index,
    }));
    const modelled = [...model.values()].map(({ key, under, content: kept, index }) => ({ key, under, kept: kept !== null, index }));
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    assert.deepEqual(rows.sort(byKey), modelled.sort(byKey));
  }
});

/** A manifest that names a message twice is not written by anybody; one statement cannot take it. */
function uniquely(references: readonly Reference[]): Reference[] {
  return references.filter(
    (one, at) =>
      references.findIndex((other) => other.at === 'message' && one.at === 'message' && other.messageId === one.messageId) === at,
  );
}
