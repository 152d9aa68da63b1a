import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Description, readDescription, writeDescription } from './description.ts';

const NOTHING: Description = { compressed: false, skeleton: false };

describe('the description of an attachment', () => {
  it('is read with all its keys', () => {
    assert.deepEqual(
      readDescription(
        'Filename="D1_scan.tif" ContentType=image/tiff Compressed=Yes LargeAttachment=Yes OriginalBase64=No Length=8167512 DomainData="X-GP2GP-Skeleton: Yes"',
      ),
      {
        filename: 'D1_scan.tif',
        contentType: 'image/tiff',
        compressed: true,
        large: true,
        originalBase64: false,
        length: 8167512,
        skeleton: true,
      },
    );
  });

  it('may have its keys in any order, case and spacing, anywhere in the text', () => {
    assert.deepEqual(readDescription('\n\t\tId = MID length=12\r\n\tCOMPRESSED=yes\n\tFilename="a b.txt"'), {
      filename: 'a b.txt',
      compressed: true,
      length: 12,
      skeleton: false,
    });
    assert.equal(readDescription('DomainData="x-gp2gp-skeleton :yes "').skeleton, true);
    assert.equal(readDescription('DomainData="X-GP2GP-Skeleton: No"').skeleton, false);
    assert.deepEqual(readDescription('ContentType=text/plain OriginalBase64=Yes'), {
      ...NOTHING,
      contentType: 'text/plain',
      originalBase64: true,
    });
  });

  it('may hold names that look like something else', () => {
    const name = (text: string) => readDescription(text).filename;
    assert.equal(name('Filename="a=b Length=1.txt" Compressed=No'), 'a=b Length=1.txt');
    assert.equal(name('Filename="say "hello".txt" Compressed=No'), 'say "hello".txt');
    assert.equal(name('Filename=\\"a b.txt\\" Compressed=No'), 'a b.txt');
    assert.equal(name('Filename=a b.txt Compressed=No'), 'a b.txt');
    assert.equal(name('Filename="a.txt'), 'a.txt');
    assert.equal(name('Filename="" ContentType=text/plain'), undefined);
    assert.equal(name('Filename="../../etc/passwd" ContentType=a/b'), '../../etc/passwd');
    assert.equal(readDescription('ContentType=image/svg+xml').contentType, 'image/svg+xml');
  });

  it('is a file name where it has no key, unless it is one of the stock texts', () => {
    assert.deepEqual(readDescription(' TEST.TXT\n'), { ...NOTHING, filename: 'TEST.TXT' });
    assert.equal(readDescription('E9FB_attachment.txt').filename, 'E9FB_attachment.txt');
    for (const none of [null, '', 'Attachment', 'HL7 payload', 'The HL7 payload', 'RCMR_IN030000UK06', 'Application Acknowledgement'])
      assert.deepEqual(readDescription(none), NOTHING);
  });

  it('does not fail on lengths that are none, nor on texts without end', () => {
    for (const none of ['Length=int', 'Length=', 'Length=-1', 'Length=99999999999999999999'])
      assert.deepEqual(readDescription(none), NOTHING);
    assert.equal(readDescription('x'.repeat(1_000_000)).filename?.length, 255);
    const started = performance.now();
    readDescription('Length='.repeat(580));
    readDescription('Filename="'.repeat(400));
    readDescription(`Filename="${'" '.repeat(2000)}`);
    assert.ok(performance.now() - started < 500);
  });

  it('is written in the usual order, and never in two ways', () => {
    const document = { filename: 'a "b"\n.txt', contentType: 'text/plain', compressed: false, large: false, length: 4, skeleton: true };
    assert.equal(
      writeDescription(document),
      `Filename="a 'b' .txt" ContentType=text/plain Compressed=No LargeAttachment=No OriginalBase64=No Length=4 DomainData="X-GP2GP-Skeleton: Yes"`,
    );
  });

  it('reads what it writes', () => {
    const name = fc.string({
      unit: fc.oneof(fc.constantFrom(' ', '=', '\\', 'Length=', 'Filename='), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
    });
    const document = fc.record({
      filename: name.map((text) => text.replace(/["\r\n\t]/g, '').trim() || 'x'),
      contentType: fc.constantFrom('text/plain', 'image/svg+xml'),
      compressed: fc.boolean(),
      large: fc.boolean(),
      originalBase64: fc.boolean(),
      length: fc.nat(),
      skeleton: fc.boolean(),
    });
    fc.assert(fc.property(document, (one) => assert.deepEqual(readDescription(writeDescription(one)), { ...one })));
  });
});
