import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Content, storedLength, wholeObject } from '../base/content.ts';
import type { DocumentId, MessageId } from '../base/ids.ts';
import { base64Length, PACKING, planCore } from './packing.ts';
import { assemble, type LedgerPart } from './parts.ts';
import type { Document } from './types.ts';

const LIMIT = 5_000_000;
const core = 'CORE' as MessageId;
const object = (bytes: number, n = 0): Content => wholeObject({ sha256: String(n).padStart(64, '0'), bytes });
const document = (bytes: number, n = 0): Document => ({
  documentId: `D${n}` as DocumentId,
  filename: `D${n}.pdf`,
  contentType: 'application/pdf',
  compressed: false,
  skeleton: false,
  content: object(bytes, n),
});
const ids = () => {
  let count = 0;
  return () => `id-${++count}`;
};
const payload = (hl7: number, documents: Document[]) => ({ hl7: object(hl7, 99), large: null, documents });

test('small documents ride in the core, large ones go in messages of their own, larger ones in pieces behind an index', () => {
  const plan = planCore(payload(20_000, [document(1_000_000, 1), document(3_400_000, 2), document(30_000_000, 3)]), core, LIMIT, ids());
  assert.deepEqual(
    plan.references.map((reference) => reference.at),
    ['here', 'message', 'message'],
  );
  assert.equal(plan.references[2]?.large, true);
  const kinds = plan.parts.map((part) => part.kind);
  assert.deepEqual(kinds, ['index', 'piece', 'piece', 'index', ...Array(9).fill('piece')]);
});

test('no message is larger than the limit, whatever the documents', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 4_400_000 }),
      fc.array(fc.integer({ min: 1, max: 12_000_000 }), { maxLength: 150 }),
      (hl7, sizes) => {
        const plan = planCore(payload(hl7, sizes.map(document)), core, LIMIT, ids());
        let size = storedLength(plan.hl7) + PACKING.envelopeBytes + plan.references.length * PACKING.partBytes;
        let inline = 0;
        for (const reference of plan.references) {
          if (reference.at !== 'here') continue;
          inline++;
          size += base64Length(storedLength(reference.part.content));
        }
        assert.ok(inline <= PACKING.inlineParts);
        if (inline > 0) assert.ok(size <= LIMIT, `${size} bytes`);
        for (const part of plan.parts) if (part.content) assert.ok(base64Length(storedLength(part.content)) <= PACKING.pieceCharacters);
        assert.equal(new Set(plan.parts.map((part) => part.messageId)).size, plan.parts.length);
      },
    ),
    { numRuns: 50 },
  );
});

test('a practice whose messages may be smaller sends smaller pieces', () => {
  const limit = 100_000;
  const plan = planCore(payload(1000, [document(250_000, 1), document(60_000, 2)]), core, limit, ids());
  assert.deepEqual(
    plan.parts.map((part) => part.kind),
    ['index', 'piece', 'piece', 'piece', 'piece'],
  );
  for (const part of plan.parts)
    if (part.content)
      assert.ok(
        base64Length(storedLength(part.content)) + PACKING.partBytes + PACKING.envelopeBytes <= limit,
        `${storedLength(part.content)} bytes`,
      );
});

test('what is cut by the sender is joined by the receiver to the same slices, in whatever order it came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20_000_000 }), { minLength: 1, maxLength: 8 }), fc.integer(), (sizes, seed) => {
      const plan = planCore(payload(1000, sizes.map(document)), core, LIMIT, ids());
      const ledger: LedgerPart[] = plan.references.map((reference, order) => ({
        key: reference.at === 'here' ? `inline-${order}` : reference.messageId,
        under: core,
        order,
        announced: reference,
        content:
          reference.at === 'here'
            ? reference.part.content
            : (plan.parts.find((part) => part.messageId === reference.messageId)?.content ?? null),
        index: false,
      }));
      for (const part of plan.parts) {
        if (part.under !== core)
          ledger.push({ key: part.messageId, under: part.under, order: part.order, announced: part, content: part.content, index: false });
      }
      const shuffled = ledger
        .map((part, i) => ({ part, rank: Math.sin(seed + i) }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ part }) => part);
      const joined = assemble(core, shuffled);
      assert.deepEqual(
        joined.map((attachment) => attachment.content && storedLength(attachment.content)),
        sizes,
      );
    }),
    { numRuns: 50 },
  );
});

test('a core above the limit goes as a skeleton with the whole message as its first attachment', () => {
  const large = { compressed: object(400_000, 1), skeleton: object(9_000, 2), documentId: 'SKELETON' as DocumentId };
  const plan = planCore({ hl7: object(6_000_000, 3), large, documents: [document(1000, 4)] }, core, LIMIT, ids());
  assert.equal(plan.hl7, large.skeleton);
  assert.equal(plan.references[0]?.skeleton, true);
  assert.equal(plan.references[0]?.compressed, true);
  assert.equal(plan.references[0]?.at, 'message');
});

test('a missing piece is named, and an index without a child is not content', () => {
  const part = (key: string, under: string, content: Content | null, order = 0, index = false): LedgerPart => ({
    key,
    under: under as MessageId,
    order,
    announced: { compressed: false, skeleton: false },
    content,
    index,
  });
  const [attachment] = assemble(core, [part('INDEX', 'CORE', null, 0, true), part('P1', 'INDEX', object(5)), part('P2', 'INDEX', null, 1)]);
  assert.equal(attachment?.content, null);
  assert.deepEqual(attachment?.missing, ['P2']);
});

test('an index inside an index is joined depth first', () => {
  const part = (key: string, under: string, bytes: number | null, order: number): LedgerPart => ({
    key,
    under: under as MessageId,
    order,
    announced: { compressed: key === 'A', skeleton: false },
    content: bytes === null ? null : object(bytes, bytes),
    index: bytes === null,
  });
  const ledger = [part('A', 'CORE', null, 0), part('B', 'A', null, 0), part('P3', 'A', 3, 1), part('P1', 'B', 1, 0), part('P2', 'B', 2, 1)];
  const [attachment] = assemble(core, ledger);
  assert.deepEqual(
    attachment?.content?.pieces.map((piece) => (piece.in === 'store' ? piece.to : 0)),
    [1, 2, 3],
  );
  assert.equal(attachment?.content?.gzip, true);
});
