import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { sliceContent, wholeObject } from '../base/content.ts';
import { documentId, messageId } from '../base/ids.ts';
import { wireLength } from '../base/wire.ts';
import { readEnvelope } from '../ebxml/envelope.ts';
import { readMultipart } from '../ebxml/multipart.ts';
import type { Message, Reference } from '../transfer/types.ts';
import { bytesOf, ENVELOPE, EXTRACT_XML, memoryObjects, OWN, PEER, packed, requestMessage } from './testing.ts';
import { TEXT_BYTES, wireBytes } from './wire-bytes.ts';

test('a request is the envelope and the payload that Spine asks for', async () => {
  const objects = memoryObjects();
  const of = packed(requestMessage());
  assert.equal(of.soapAction, 'urn:nhs:names:services:gp2gp/RCMR_IN010000UK05');
  assert.deepEqual([of.retries, of.everySeconds, of.persistSeconds], [2, 7200, 15_000]);
  const parts = await split(of.contentType, await bytesOf(of, objects));
  assert.deepEqual(
    parts.map(({ contentId, contentType }) => [contentId, contentType]),
    [
      ['ebXMLHeader@spine.nhs.uk', 'text/xml'],
      ['0F3C0A10-0000-4000-8000-000000000001@spine.nhs.uk', 'application/xml'],
    ],
  );
  const envelope = readEnvelope(parts[0]?.bytes ?? '');
  assert.equal(envelope.kind, 'message');
  if (envelope.kind !== 'message') return;
  assert.deepEqual(
    [envelope.fromPartyKey, envelope.toPartyKey, envelope.cpaId, envelope.service, envelope.action, envelope.timestamp],
    ['A11111-000001', 'B22222-000002', 'CPA0001', 'urn:nhs:names:services:gp2gp', 'RCMR_IN010000UK05', '2026-01-05T09:30:00.000Z'],
  );
  assert.deepEqual(
    [envelope.duplicateElimination, envelope.ackRequested, envelope.syncReply, envelope.timeToLive],
    [true, 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH', false, null],
  );
  assert.match(String(parts[1]?.bytes), /^<RCMR_IN010000UK05 xmlns="urn:hl7-org:v3"><id root="0F3C0A10-0000-4000-8000-000000000001"\/>/);
});

test('flags of the envelope follow the contract of the receiver', () => {
  const contract = PEER.contracts.request;
  assert.ok(contract);
  const other = { ...contract, duplicateElimination: false, ackRequested: false, syncReply: true, retries: 0 };
  const of = packed(requestMessage(), { peer: { ...PEER, contracts: { ...PEER.contracts, request: other } }, timeToLive: true });
  const text = rowText(of.body);
  assert.doesNotMatch(text, /DuplicateElimination|AckRequested/);
  assert.match(text, /<eb:SyncReply /);
  assert.match(text, /<eb:TimeToLive>2026-01-05T13:40:00Z</);
  assert.equal(of.retries, 0);
});

test('an interaction for which SDS has no agreement cannot be packed', () => {
  const peer = { ...PEER, contracts: { ...PEER.contracts, request: null } };
  assert.throws(() => packed(requestMessage(), { peer }), { code: 'pack.noContract' });
});

test('a core carries its documents as slices, and the announced bytes come out of the parts', async () => {
  const objects = memoryObjects();
  const scan = randomBytes(100_001);
  const ref = await objects.put(scan);
  const content = wholeObject(ref);
  const halves = {
    ...content,
    pieces: [...sliceContent(content, 0, 50_000).pieces, ...sliceContent(content, 50_000, 100_001).pieces] as never,
  };
  const message = await core(objects, [
    inline('11111111-1111-4111-8111-111111111111', 'scan of (1).tif', 'image/tiff', halves),
    inline(
      '22222222-2222-4222-8222-222222222222',
      'note.docx',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      content,
    ),
    {
      ...announced('33333333-3333-4333-8333-333333333333', 'large.pdf', 'application/pdf'),
      large: true,
      at: 'message',
      messageId: messageId('44444444-4444-4444-8444-444444444444'),
    },
  ]);
  const of = packed(message);
  assert.ok(
    of.body.every((piece) => piece.in === 'store' || piece.data.byteLength < 8_000),
    'documents are pointed at, not copied',
  );
  const body = await bytesOf(of, objects);
  assert.equal(body.byteLength, of.contentLength);
  const parts = await split(of.contentType, body);
  assert.equal(parts.length, 4);
  assert.equal(String(parts[1]?.bytes), EXTRACT_XML);
  assert.equal(Buffer.compare(parts[2]?.bytes ?? Buffer.alloc(0), scan), 0);
  assert.deepEqual(
    parts.slice(2).map(({ contentType }) => contentType),
    ['image/tiff', 'application/octet-stream'],
  );
  const envelope = readEnvelope(parts[0]?.bytes ?? '');
  assert.ok(envelope.kind === 'message');
  assert.deepEqual(
    envelope.references.map(({ href, id, description }) => [href, id, description]),
    [
      ['cid:0F3C0A10-0000-4000-8000-000000000001@spine.nhs.uk', null, 'HL7 payload'],
      [
        'cid:C-11111111-1111-4111-8111-111111111111@spine.nhs.uk',
        '_11111111-1111-4111-8111-111111111111',
        'Filename="scan of (1).tif" ContentType=image/tiff Compressed=No LargeAttachment=No OriginalBase64=No Length=133336',
      ],
      [
        'cid:C-22222222-2222-4222-8222-222222222222@spine.nhs.uk',
        '_22222222-2222-4222-8222-222222222222',
        'Filename="note.docx" ContentType=application/vnd.openxmlformats-officedocument.wordprocessingml.document Compressed=No LargeAttachment=No OriginalBase64=No Length=133336',
      ],
      [
        'mid:44444444-4444-4444-8444-444444444444',
        '_33333333-3333-4333-8333-333333333333',
        'Filename="large.pdf" ContentType=application/pdf Compressed=No LargeAttachment=Yes OriginalBase64=No',
      ],
    ],
  );
});

test('the same message gives the same bytes', async () => {
  const objects = memoryObjects();
  const content = wholeObject(await objects.put(randomBytes(5_000)));
  const message = await core(objects, [inline('11111111-1111-4111-8111-111111111111', 'a.pdf', 'application/pdf', content)]);
  assert.equal(Buffer.compare(await bytesOf(packed(message), objects), await bytesOf(packed(message), objects)), 0);
});

test('a message that Spine would refuse for its size or its parts is not packed', async () => {
  const objects = memoryObjects();
  const big = { sha256: '0'.repeat(64), bytes: 3_740_000 };
  const message = await core(objects, [inline('11111111-1111-4111-8111-111111111111', 'a.pdf', 'application/pdf', wholeObject(big))]);
  const fits = packed(message, { own: { ...OWN, messageLimit: 5_000_000 } });
  assert.throws(() => packed(message, { own: { ...OWN, messageLimit: fits.contentLength } }), { code: 'pack.tooLarge' });
  const tiny = wholeObject(await objects.put(Buffer.from('x')));
  const many = Array.from({ length: 99 }, (_, at) =>
    inline(`${String(at).padStart(8, '0')}-1111-4111-8111-111111111111`, `${at}.txt`, 'text/plain', tiny),
  );
  assert.throws(() => packed({ ...message, references: many } as Message), { code: 'pack.tooManyParts' });
});

test('a boundary that stands in the text of a part is refused', () => {
  assert.throws(() => packed({ ...requestMessage(), requestId: 'a--bbb' } as Message, { boundary: 'bbb' }), { code: 'pack.boundary' });
});

test('an index names its pieces in order and a piece brings its own bytes', async () => {
  const objects = memoryObjects();
  const content = wholeObject(await objects.put(randomBytes(3_000)));
  const said = announced('11111111-1111-4111-8111-111111111111', 'scan.tif', 'image/tiff');
  const child = (n: number): Reference => ({
    compressed: false,
    skeleton: false,
    filename: `${n}.messageattachment`,
    length: 4,
    at: 'message',
    messageId: messageId(`0000000${n}-1111-4111-8111-111111111111`),
  });
  const between = { from: OWN.ods, to: PEER.ods };
  const index = packed({ ...ENVELOPE, ...between, interaction: 'index', announced: said, children: [child(2), child(1)] });
  assert.deepEqual(
    [...rowText(index.body).matchAll(/mid:([0-9]{8})/g)].map(([, id]) => id),
    ['00000002', '00000001'],
  );
  assert.equal(index.soapAction, 'urn:nhs:names:services:gp2gp/COPC_IN000001UK01');
  const part = { contentId: 'P1', contentType: 'image/tiff', content: sliceContent(content, 1_000, 2_000) };
  const piece = packed({ ...ENVELOPE, ...between, interaction: 'piece', announced: said, part });
  const parts = await split(piece.contentType, await bytesOf(piece, objects));
  assert.equal(
    Buffer.compare(parts[2]?.bytes ?? Buffer.alloc(0), (objects.held.values().next().value ?? Buffer.alloc(0)).subarray(1_000, 2_000)),
    0,
  );
});

test('a refusal carries its two-digit code and its words', () => {
  const of = packed({
    ...ENVELOPE,
    interaction: 'acknowledgement',
    of: messageId('REF'),
    answer: { accepted: false, code: '06', raw: '' },
  });
  assert.match(rowText(of.body), /typeCode="AE".*code="06".*displayName="Patient not at surgery\."/s);
});

test('base64 across slices of any size is one text, and its length is known beforehand', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 0, maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 5 }), async (bytes, cuts) => {
      const objects = memoryObjects();
      const object = await objects.put(bytes);
      const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.byteLength)).sort((a, b) => a - b), bytes.byteLength];
      const pieces = edges.slice(1).map((to, at) => ({ in: 'store', object, from: edges[at] ?? 0, to, encode: 'base64' }) as const);
      const text = { in: 'row', data: Buffer.from('|'), encode: 'none' } as const;
      const body = [text, ...pieces, text] as const;
      const out: Uint8Array[] = [];
      for await (const piece of wireBytes(body, objects)) out.push(piece);
      assert.equal(Buffer.concat(out).toString(), `|${Buffer.from(bytes).toString('base64')}|`);
      assert.equal(Buffer.concat(out).byteLength, wireLength(body));
    }),
    { numRuns: 200 },
  );
});

test('base64 written into rooms in turns is the same text for a reader that lags behind by all but one of them', async () => {
  const objects = memoryObjects();
  const bytes = randomBytes(1_500_000);
  const object = await objects.put(bytes);
  for (const edges of [
    [0, bytes.byteLength],
    [0, 1, 50_000, 99_151, 148_303, 400_001, 400_003, bytes.byteLength],
  ]) {
    const body = edges.slice(1).map((to, at) => ({ in: 'store', object, from: edges[at] ?? 0, to, encode: 'base64' }) as const);
    const [first, ...others] = body;
    assert.ok(first);
    const rooms = Array.from({ length: 3 }, () => Buffer.alloc(TEXT_BYTES));
    const waiting: Uint8Array[] = [];
    const read: Buffer[] = [];
    for await (const piece of wireBytes([first, ...others], objects, rooms)) {
      waiting.push(piece);
      if (waiting.length === rooms.length) read.push(Buffer.from(waiting.shift() ?? piece));
    }
    assert.ok(Buffer.concat([...read, ...waiting]).toString() === bytes.toString('base64'));
  }
});

test('an object that is not what its row says stops the sending', async () => {
  const objects = memoryObjects();
  const gone = { in: 'store', object: { sha256: '0'.repeat(64), bytes: 10 }, from: 0, to: 10, encode: 'none' } as const;
  const read = async () => {
    for await (const _piece of wireBytes([gone], objects));
  };
  await assert.rejects(read(), { code: 'spine.bodyUnreadable' });
});

function announced(id: string, filename: string, contentType: string) {
  return { documentId: documentId(id), filename, contentType, compressed: false, skeleton: false };
}

function inline(id: string, filename: string, contentType: string, content: ReturnType<typeof wholeObject>): Reference {
  return { ...announced(id, filename, contentType), at: 'here', part: { contentId: `C-${id}`, contentType, content } };
}

async function core(objects: ReturnType<typeof memoryObjects>, references: readonly Reference[]): Promise<Message> {
  const hl7 = wholeObject(await objects.put(Buffer.from(EXTRACT_XML)));
  return { ...ENVELOPE, interaction: 'extract', version: 'UK07', extractId: 'E', nhsNumber: null, hl7, references };
}

function rowText(body: ReturnType<typeof packed>['body']): string {
  return body.map((piece) => (piece.in === 'row' ? Buffer.from(piece.data).toString() : '…')).join('');
}

async function split(contentType: string, body: Buffer) {
  const parts: { contentId: string; contentType: string; bytes: Buffer }[] = [];
  for await (const part of readMultipart([body], contentType)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of part.bytes()) pieces.push(piece);
    parts.push({ contentId: part.contentId, contentType: part.contentType, bytes: Buffer.concat(pieces) });
  }
  return parts;
}
