import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asBase64Text, base64Length } from './base64.ts';
import type { MimeFault } from './mime-header.ts';
import { type MimeOptions, type MimePart, readMultipart } from './multipart.ts';
import { multipartEnd, multipartType, PART_TAIL, type PartHead, partHead } from './multipart-write.ts';

type Read = { contentId: string; contentType: string; encoding: string; headers: Record<string, string>; body: Buffer };

/** As from a source that uses the room of a piece again: it is spoilt when the next one is asked for. */
async function* chunked(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const room = Buffer.alloc(Math.min(size, body.byteLength));
  for (let from = 0; from < body.byteLength; from += size) {
    const piece = body.subarray(from, from + size);
    room.set(piece);
    yield room.subarray(0, piece.byteLength);
    room.fill('?');
  }
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const bytes of source) chunks.push(Uint8Array.from(bytes));
  return Buffer.concat(chunks);
}

async function read(body: string | Uint8Array, contentType: string, options: MimeOptions & { size?: number } = {}): Promise<Read[]> {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  const parts: Read[] = [];
  for await (const part of readMultipart(chunked(bytes, options.size ?? 65_536), contentType, options)) {
    const { contentId, contentType: type, encoding } = part;
    parts.push({ contentId, contentType: type, encoding, headers: Object.fromEntries(part.headers), body: await all(part.bytes()) });
  }
  return parts;
}

const RELATED = 'multipart/related; boundary="--=_MIME-Boundary"; type="text/xml"; start="<a@spine.nhs.uk>"';
const crlf = (text: string): string => text.replace(/\n/g, '\r\n');
const TWO = crlf(`----=_MIME-Boundary
Content-Id: <a@spine.nhs.uk>
Content-Type: text/xml; charset=UTF-8
Content-Transfer-Encoding: 8bit

<a/>
----=_MIME-Boundary
Content-Id: <b@spine.nhs.uk>
Content-Type: application/pdf
Content-Transfer-Encoding: base64

aGVsbG8g
d29ybGQ=
----=_MIME-Boundary--
`);

const bodies = (parts: readonly Read[]): string[] => parts.map(({ body }) => body.toString('utf8'));
const code = (expected: string) => (thrown: unknown) => (thrown as MimeFault).code === expected;

describe('reading multipart/related', () => {
  it('yields headers and decoded contents, the line end before a boundary belonging to the boundary', async () => {
    const parts = await read(TWO, RELATED);
    assert.deepEqual(bodies(parts), ['<a/>', 'hello world']);
    assert.deepEqual(
      parts.map(({ contentId, contentType, encoding }) => [contentId, contentType, encoding]),
      [
        ['a@spine.nhs.uk', 'text/xml', '8bit'],
        ['b@spine.nhs.uk', 'application/pdf', 'base64'],
      ],
    );
  });

  it('gives the same parts for every size of chunk', async () => {
    const whole = await read(TWO, RELATED);
    for (let size = 1; size < TWO.length; size++) assert.deepEqual(await read(TWO, RELATED, { size }), whole, `chunks of ${size}`);
  });

  it('accepts bare line feeds, an unquoted boundary, preamble, epilogue and blanks behind a boundary', async () => {
    const body = `This is a preamble\n--B  \nContent-ID:x\n\none\n--B\t\n\ntwo\n--B--\nepilogue\n--B\n`;
    const parts = await read(body, 'Multipart/Related; Start=x;  BOUNDARY=B; type=text/xml');
    assert.deepEqual(bodies(parts), ['one', 'two']);
    assert.equal(parts[0]?.contentId, 'x');
    assert.equal(parts[1]?.contentType, 'text/plain');
  });

  it('unfolds headers, and takes the first of a repeated one', async () => {
    const defects: string[] = [];
    const body =
      '--B\r\nContent-Type: application/pdf;\r\n\tname="a.pdf"\r\nContent-ID: <1>\r\nContent-ID: <1>\r\nX: 1\r\nX: 2\r\n\r\nx\r\n--B--';
    const [part] = await read(body, 'multipart/related; boundary=B', { onDefect: ({ code: defect }) => defects.push(defect) });
    assert.equal(part?.headers['content-type'], 'application/pdf; name="a.pdf"');
    assert.equal(part?.contentId, '1');
    assert.deepEqual(defects, ['mime.header', 'mime.header']);
  });

  it('refuses what two readers could take for two messages: a part of two names or encodings, two parts of one name', async () => {
    const type = 'multipart/related; boundary=B';
    for (const header of ['Content-ID: <1>\r\nContent-ID: <2>', 'Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 8bit'])
      await assert.rejects(read(`--B\r\n${header}\r\n\r\nx\r\n--B--`, type), { code: 'mime.ambiguous' });
    const part = '--B\r\nContent-ID: <1>\r\n\r\nx\r\n';
    await assert.rejects(read(`${part}${part}--B--`, type), { code: 'mime.ambiguous' });
    // Parts without a name are not alike by that.
    assert.equal((await read('--B\r\n\r\nx\r\n--B\r\n\r\ny\r\n--B--', type)).length, 2);
  });

  it('does not end a part at text that only begins like a boundary', async () => {
    const inside = 'x\r\n--Bb\r\n--B-\r\n--\r\n-\r\n--B c';
    for (const size of [1, 2, 3, 5, 1000])
      assert.deepEqual(bodies(await read(`--B\r\n\r\n${inside}\r\n--B--`, 'multipart/related; boundary=B', { size })), [inside]);
  });

  it('knows empty parts, with and without a line end of their own', async () => {
    assert.deepEqual(bodies(await read('--B\r\na: b\r\n\r\n--B\r\n\r\n\r\n--B--', 'multipart/related; boundary=B')), ['', '']);
  });

  it('begins the content where headers do not end with an empty line', async () => {
    const defects: string[] = [];
    const options: MimeOptions = { onDefect: ({ code: defect }) => defects.push(defect) };
    const body = '--B\r\nContent-Type: text/xml\r\n<a xmlns:b="urn:b">\r\n</a>\r\n--B--';
    assert.deepEqual(bodies(await read(body, 'multipart/related; boundary=B', options)), ['<a xmlns:b="urn:b">\r\n</a>']);
    assert.deepEqual(defects, ['mime.header']);
    const indented = '--B\r\nContent-ID:\r\n <a:b@c>\r\n\t<s:a xmlns:s="urn:b"/>\r\n--B--';
    const [part] = await read(indented, 'multipart/related; boundary=B', options);
    assert.deepEqual([part?.contentId, part?.body.toString()], ['a:b@c', '\t<s:a xmlns:s="urn:b"/>']);
  });

  it('puts up with a missing closing boundary behind XML only', async () => {
    const defects: string[] = [];
    const cut = TWO.slice(0, TWO.indexOf('\r\n----=_MIME-Boundary\r\nContent-Id: <b'));
    const parts = await read(cut, RELATED, { onDefect: ({ code: defect }) => defects.push(defect) });
    assert.deepEqual(bodies(parts), ['<a/>']);
    assert.deepEqual(defects, ['mime.unclosed']);
  });

  it('never takes a body that was cut off for a short attachment', async () => {
    const from = TWO.indexOf('aGVsbG8');
    for (let to = from; to < TWO.lastIndexOf('--'); to++)
      await assert.rejects(read(TWO.slice(0, to), RELATED, { size: 7 }), { name: 'MimeFault' }, `cut at ${to}`);
  });

  it('refuses what is no multipart, has no boundary, or does not hold it', async () => {
    await assert.rejects(read(TWO, 'text/xml; boundary="--=_MIME-Boundary"'), code('mime.type'));
    await assert.rejects(read(TWO, 'multipart/related; start=a'), code('mime.boundary'));
    await assert.rejects(read(TWO, 'multipart/related; boundary=other'), code('mime.boundary'));
    await assert.rejects(read('', RELATED), code('mime.boundary'));
  });

  it('keeps its limits', async () => {
    const limited = (limits: MimeOptions['limits'], body = TWO) => read(body, RELATED, { limits, size: 100 });
    await assert.rejects(limited({ body: TWO.length - 1 }), code('mime.limit'));
    await limited({ body: TWO.length });
    await assert.rejects(limited({ parts: 1 }), code('mime.limit'));
    await assert.rejects(limited({ headerLines: 2 }), code('mime.limit'));
    await limited({ headerLines: 3 });
    await assert.rejects(limited({ headerBlock: 60 }), code('mime.limit'));
    await assert.rejects(limited({ outside: 50 }, 'x'.repeat(60) + TWO), code('mime.limit'));
    await assert.rejects(limited({ outside: 50 }, TWO + 'x'.repeat(60)), code('mime.limit'));
    await assert.rejects(
      read(`--${'b'.repeat(71)}\r\n\r\n\r\n--${'b'.repeat(71)}--`, `multipart/related; boundary=${'b'.repeat(71)}`),
      code('mime.limit'),
    );
  });

  it('does not collect a header line that never ends', async () => {
    let fed = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('--B\r\nX: ');
      for (; fed < 1_000_000; fed += 1000) yield Buffer.alloc(1000, 0x61);
    }
    await assert.rejects(async () => {
      for await (const part of readMultipart(endless(), 'multipart/related; boundary=B')) await all(part.bytes());
    }, code('mime.limit'));
    assert.ok(fed < 20_000);
  });

  it('lists a message that it would refuse, with what is wrong, where it is asked to', async () => {
    const defects: string[] = [];
    const options: MimeOptions = { lenient: true, limits: { parts: 1 }, onDefect: ({ code: defect }) => defects.push(defect) };
    const cut = TWO.slice(0, TWO.lastIndexOf('\r\n----'));
    assert.deepEqual(bodies(await read(cut, RELATED, options)), ['<a/>', 'hello world']);
    assert.deepEqual(defects, ['mime.limit', 'mime.truncated']);
  });

  it('skips a part that nobody reads or that is read in part, and closes its source', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(Buffer.from(TWO), 3);
        yield Buffer.from('epilogue');
      } finally {
        closed = true;
      }
    }
    const seen: MimePart[] = [];
    for await (const part of readMultipart(source(), RELATED)) {
      seen.push(part);
      if (seen.length === 1) for await (const _ of part.bytes()) break;
    }
    assert.deepEqual(
      seen.map(({ contentId }) => contentId),
      ['a@spine.nhs.uk', 'b@spine.nhs.uk'],
    );
    assert.throws(() => seen[0]?.raw(), code('mime.consumed'));
    closed = false;
    for await (const _ of readMultipart(source(), RELATED)) break;
    assert.equal(closed, true);
  });
});

describe('base64 content', () => {
  const b64 = (content: string, encoding = 'base64'): string => `--B\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}\r\n--B--`;
  async function leaf(content: string, size = 1): Promise<{ stored: Buffer; text: string; decoded: number | null }> {
    for await (const part of readMultipart(chunked(Buffer.from(b64(content)), size), 'multipart/related; boundary=B')) {
      const stored = await all(part.leaf());
      const decoded = part.undecoded()?.decoded ?? null;
      async function* again(): AsyncGenerator<Uint8Array> {
        yield* chunked(stored, 2);
      }
      return { stored, decoded, text: (await all(asBase64Text(again(), decoded ?? stored.byteLength))).toString('latin1') };
    }
    throw new Error('no part');
  }

  it('passes over white space, and over foreign characters with a word about them', async () => {
    const defects: string[] = [];
    const options: MimeOptions = { onDefect: ({ code: defect }) => defects.push(defect) };
    assert.deepEqual(bodies(await read(b64(' aGVs\t\r\nbG8 = \r\n'), 'multipart/related; boundary=B', options)), ['hello']);
    assert.deepEqual(defects, []);
    assert.deepEqual(bodies(await read(b64('aGVs"b!G8='), 'multipart/related; boundary=B', options)), ['hello']);
    assert.deepEqual(defects, ['mime.base64']);
  });

  it('refuses what would decode to something else', async () => {
    for (const wrong of ['aGVsbG8', 'aGVsb', 'aGVsbG8=aGVs', 'aGVsbG8==', '=', 'aGV=s', 'aGVs-_8='])
      await assert.rejects(read(b64(wrong), 'multipart/related; boundary=B'), code('mime.base64'), wrong);
  });

  it('refuses an encoding that Spine does not know', async () => {
    await assert.rejects(read(b64('a=20b', 'quoted-printable'), 'multipart/related; boundary=B'), code('mime.encoding'));
  });

  it('keeps a leaf that does not decode, so that its text can be joined with its neighbours', async () => {
    for (const size of [1, 2, 3, 4, 5, 64]) {
      assert.deepEqual(await leaf('aGVsbG8gd', size), { stored: Buffer.from('hello d'), text: 'aGVsbG8gd', decoded: 6 });
      assert.equal((await leaf('aGVsbG8=\r\nd29ybGQ=', size)).text, 'aGVsbG8=d29ybGQ=');
      assert.equal((await leaf('aG*Vs\r\nbG8', size)).text, 'aGVsbG8');
      assert.equal((await leaf('aG-Vs*bG8', size)).text, 'aG-VsbG8');
      assert.equal((await leaf('aGVsbG8=', size)).decoded, null);
    }
  });

  it('gives back the text of any leaf, whatever is wrong with it', async () => {
    const anyText = fc.string({ unit: fc.constantFrom(...'ABab01+/=*- \n') });
    await fc.assert(
      fc.asyncProperty(anyText, fc.integer({ min: 1, max: 9 }), async (text, size) => {
        const result = await leaf(text, size);
        const bare = text.replace(/[\s*]/g, '');
        if (result.decoded === null) assert.deepEqual(result.stored, Buffer.from(bare, 'base64'));
        else assert.equal(result.text, bare);
      }),
    );
  });
});

describe('writing multipart/related', () => {
  const write = (boundary: string, parts: readonly { head: PartHead; body: Uint8Array }[]): Buffer =>
    Buffer.concat([
      ...parts.flatMap(({ head, body }) => [
        Buffer.from(partHead(boundary, head)),
        head.encoding === 'base64' ? Buffer.from(Buffer.from(body).toString('base64')) : Buffer.from(body),
        Buffer.from(PART_TAIL),
      ]),
      Buffer.from(multipartEnd(boundary)),
    ]);

  const part = fc.record({
    head: fc.record({
      contentId: fc.uuid().map((uuid) => `${uuid.toUpperCase()}@spine.nhs.uk`),
      contentType: fc.constantFrom('text/xml', 'application/octet-stream', 'image/tiff'),
      encoding: fc.constantFrom('8bit' as const, 'base64' as const, 'binary' as const),
    }),
    // Line ends, dashes and the letters of the boundary, more often than chance would have them.
    body: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.constantFrom('\r', '\n', '-', '--', 'B', '=_', '\r\n--B'), { maxLength: 40 }).map((bits) => Buffer.from(bits.join(''))),
    ),
  });

  it('is read as it was written, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 40 }), async (parts, size) => {
        const boundary = '--=_B0F3C0A10400080000000000000C001';
        const body = write(boundary, parts);
        const found = await read(body, multipartType(boundary), { size });
        assert.deepEqual(
          found.map(({ contentId, contentType, encoding, body: content }) => ({
            head: { contentId, contentType, encoding },
            body: [...content],
          })),
          parts.map(({ head, body: content }) => ({ head: { ...head }, body: [...content] })),
        );
        const heads = parts.map(({ head, body: content }) => {
          const length = head.encoding === 'base64' ? base64Length(content.byteLength) : content.byteLength;
          return partHead(boundary, head).length + length + PART_TAIL.length;
        });
        assert.equal(
          body.byteLength,
          heads.reduce((sum, length) => sum + length, multipartEnd(boundary).length),
        );
      }),
    );
  });

  it('refuses values that would write lines of their own', () => {
    const head: PartHead = { contentId: 'a', contentType: 'text/xml', encoding: '8bit' };
    for (const bad of ['a\r\nX: y', 'a\nb', 'a\rb', 'a\0b', 'a\u2028b', 'é', 'a\u007f']) {
      assert.throws(() => partHead('B', { ...head, contentId: bad }), code('mime.unsafe'));
      assert.throws(() => partHead('B', { ...head, contentType: bad }), code('mime.unsafe'));
      assert.throws(() => multipartType('B', bad), code('mime.unsafe'));
      assert.throws(() => partHead(bad, head), code('mime.unsafe'));
    }
    for (const bad of ['', 'a b', 'a"b', 'x'.repeat(71)]) assert.throws(() => multipartEnd(bad), code('mime.unsafe'));
  });
});
