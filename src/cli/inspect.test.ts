import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Instant } from '../base/ids.ts';
import { type EbxmlMessage, writeEnvelope } from '../ebxml/envelope.ts';
import { multipartEnd, multipartType, PART_TAIL, partHead } from '../ebxml/multipart-write.ts';
import { writeAcknowledgement } from '../hl7v3/acknowledgement.ts';
import { writeAttachmentCover } from '../hl7v3/copc.ts';
import { writeXml } from '../xml/write.ts';
import { inWords } from './inspect.ts';
import { type Inspection, inspect } from './inspection.ts';

const ID = '0F3C0A10-0000-4000-8000-000000000004';
const AT = '2026-01-05T09:30:00.000Z' as Instant;
const ENVELOPE: EbxmlMessage = {
  kind: 'message',
  fromPartyKey: 'A99901-900001',
  toPartyKey: 'B99902-900002',
  cpaId: 'S1',
  conversationId: '0F3C0A10-0000-4000-8000-00000000C001',
  service: 'urn:nhs:names:services:gp2gp',
  action: 'COPC_IN000001UK01',
  messageId: ID,
  timestamp: AT,
  refToMessageId: null,
  timeToLive: null,
  duplicateElimination: true,
  ackRequested: null,
  syncReply: false,
  references: [
    { href: `cid:${ID}@spine.nhs.uk`, id: null, description: 'HL7 payload', payload: true },
    {
      href: 'cid:letter',
      id: '_D1',
      description: 'Filename="a letter.txt" ContentType=text/plain Compressed=No LargeAttachment=No',
      payload: false,
    },
  ],
};
const COVER = writeXml(
  writeAttachmentCover(
    { messageId: ID, createdAt: AT, fromAsid: '1', toAsid: '2' },
    { from: 'A99901', to: 'B99902', filename: 'a letter.txt' },
  ),
);
const BOUNDARY = '--=_B1';

function body(envelope: EbxmlMessage, cover = COVER, letter = 'aGVsbG8='): string {
  const part = (contentId: string, encoding: '8bit' | 'base64', content: string) =>
    partHead(BOUNDARY, { contentId, contentType: encoding === '8bit' ? 'text/xml' : 'application/octet-stream', encoding }) +
    content +
    PART_TAIL;
  return (
    part('ebXMLHeader@spine.nhs.uk', '8bit', writeEnvelope(envelope)) +
    part(`${ID}@spine.nhs.uk`, '8bit', cover) +
    part('letter', 'base64', letter) +
    multipartEnd(BOUNDARY)
  );
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let from = 0; from < all.byteLength; from += 100) yield all.subarray(from, from + 100);
}
const look = (text: string): Promise<Inspection> => inspect(bytes(text));
const codes = (inspection: Inspection): string[] => inspection.faults.map(({ code }) => code);

describe('inspect', () => {
  it('lists every part with its decoded size and hash, however the message was kept', async () => {
    const plain = body(ENVELOPE);
    const header = `Content-Type: ${multipartType(BOUNDARY)}\r\n\r\n`;
    for (const kept of [
      plain,
      header + plain,
      `POST /x HTTP/1.1\r\nHost: x\r\n${header}${plain}`,
      `mime-version: 1.0\n${header.replace(/\r/g, '')}${plain}`,
    ]) {
      const seen = await look(kept);
      assert.ok(seen.kind === 'mime');
      assert.deepEqual(seen.faults, []);
      assert.deepEqual(
        seen.parts.map(({ contentId, contentType }) => [contentId, contentType]),
        [
          ['ebXMLHeader@spine.nhs.uk', 'text/xml'],
          [`${ID}@spine.nhs.uk`, 'text/xml'],
          ['letter', 'application/octet-stream'],
        ],
      );
      assert.deepEqual([seen.parts[2]?.bytes, seen.parts[2]?.sha256], [5, createHash('sha256').update('hello').digest('hex')]);
      assert.deepEqual(seen.envelope, ENVELOPE);
      assert.ok(seen.payload?.interaction === 'copc');
      assert.equal(seen.payload.filename, 'a letter.txt');
    }
  });

  it('lists a message that would be refused, and says why', async () => {
    const seen = await look(
      body(
        {
          ...ENVELOPE,
          action: 'RCMR_IN010000UK05',
          messageId: 'OTHER',
          references: [...ENVELOPE.references, { ...ENVELOPE.references[1], href: 'cid:lost' } as never],
        },
        COVER,
        'aGV*',
      ).slice(0, -4),
    );
    assert.ok(seen.kind === 'mime');
    assert.equal(seen.parts.length, 3);
    assert.deepEqual(codes(seen), ['mime.truncated', 'ebxml.reference', 'hl7.interaction']);
    assert.deepEqual(
      seen.defects.map(({ code }) => code),
      ['mime.base64', 'mime.base64', 'hl7.id'],
    );
  });

  it('survives anything', async () => {
    assert.deepEqual(codes(await look('')), ['input.unknown']);
    assert.deepEqual(codes(await look('hello')), ['input.unknown']);
    assert.deepEqual(codes(await look('<a><b></a>')), ['xml.malformed']);
    assert.deepEqual(codes(await look('<!DOCTYPE a><a/>')), ['xml.doctype']);
    assert.deepEqual(codes(await look('{"a"')), ['input.unreadable']);
    assert.deepEqual(codes(await look('--B\r\n')), ['mime.truncated', 'mime.truncated', 'ebxml.malformed']);
    assert.deepEqual(codes(await look('Content-Type: multipart/related; boundary=x\r\n\r\nno')), ['mime.boundary']);
    assert.deepEqual(codes(await look('<Envelope/>')), ['ebxml.missing']);
    assert.deepEqual(codes(await look('<PRPA_IN000202UK01/>')), ['hl7.interaction']);
  });

  it('knows an envelope, a payload, a message of the existing adaptor and a resource', async () => {
    const envelope = await look(writeEnvelope(ENVELOPE));
    assert.ok(envelope.kind === 'ebxml' && envelope.attachments[0]?.description.filename === 'a letter.txt');
    const payload = await look(`\uFEFF<?xml version="1.0"?>\n${COVER}`);
    assert.ok(payload.kind === 'hl7' && payload.payload?.interaction === 'copc');
    const attachments = [{ content_type: 'text/plain', is_base64: true, payload: 'aGVsbG8=' }];
    const json = await look(JSON.stringify({ ebXML: writeEnvelope(ENVELOPE), payload: COVER, attachments, external_attachments: [] }));
    assert.ok(json.kind === 'json' && json.holds === 'message' && json.parts?.[0]?.bytes === 5);
    const other = await look(JSON.stringify({ ebXML: writeEnvelope({ ...ENVELOPE, action: 'RCMR_IN0' }), payload: COVER }));
    assert.deepEqual(codes(other), ['hl7.interaction']);
    const outbound = await look(JSON.stringify({ payload: COVER }));
    assert.deepEqual(codes(outbound), []);
    const resource = await look('{"resourceType":"Bundle"}');
    assert.ok(resource.kind === 'json' && resource.resourceType === 'Bundle');
  });

  it('says what a node would do with it, and why it would refuse', async () => {
    const does = async (text: string) => (await look(text)).receiver.join('\n');
    assert.match(await does(body(ENVELOPE)), /Keeps it, and then answers[\s\S]*Keeps its content under its message id/);
    const away = { href: 'mid:0F3C0A10-0000-4000-8000-000000000005', id: null, description: null, payload: false };
    const index = body({ ...ENVELOPE, references: [...ENVELOPE.references, away] });
    assert.match(await does(index), /for an index[\s\S]*1 piece after the one inside/);
    assert.match(await does(body({ ...ENVELOPE, service: 'urn:nhs:names:services:pds' })), /Passes it on unopened/);
    assert.match(await does(body(ENVELOPE, '<broken')), /Refuses it with a MessageError \(OtherXml/);
    assert.match(await does(`--x\r\n\r\nnothing\r\n--x--\r\n`), /SOAP fault \(201/);
    const wrapping = { messageId: ID, createdAt: AT, fromAsid: '1', toAsid: '2' };
    const issue = (code: string) => ({ code, displayName: 'x' });
    const answer = (typeCode: 'AA' | 'AE', code: string | null) =>
      does(writeXml(writeAcknowledgement(wrapping, { of: ID, typeCode, issue: code === null ? null : issue(code) })));
    assert.match(await answer('AA', null), /has taken/);
    assert.match(await answer('AE', '19'), /refused with 19, "Sender check[\s\S]*look at the registration/);
    assert.match(await answer('AE', '15'), /counts as taken/);
    assert.match(await does('just a text'), /no message/);
  });

  it('tells people the same, without letting a message write to their terminal', async () => {
    const words = inWords(await look(body({ ...ENVELOPE, conversationId: 'A\u009b2Jb' })));
    for (const said of ['COPC_IN000001UK01', 'A99901-900001', 'a letter.txt', 'parts       3', 'no faults', 'described', '1. Looks first'])
      assert.ok(words.includes(said), said);
    assert.doesNotMatch(words, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/);
  });
});
