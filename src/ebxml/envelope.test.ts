import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Instant } from '../base/ids.ts';
import { writeAcknowledgement } from './acknowledgement.ts';
import { type EbxmlMessage, EnvelopeFault, readEnvelope, writeEnvelope } from './envelope.ts';
import { writeMessageError } from './message-error.ts';
import { attachmentReferences, payloadPart, rootPart, targetOf } from './parts.ts';
import { NEXT_MSH, readTimestamp, TO_PARTY_MSH } from './soap.ts';
import { writeSoapFault } from './soap-fault.ts';

const AT = '2026-01-05T09:30:00.000Z' as Instant;
const MESSAGE: EbxmlMessage = {
  kind: 'message',
  fromPartyKey: 'B99902-900002',
  toPartyKey: 'A99901-900001',
  cpaId: 'S9000001A9000002',
  conversationId: '0F3C0A10-0000-4000-8000-00000000C001',
  service: 'urn:nhs:names:services:gp2gp',
  action: 'RCMR_IN030000UK06',
  messageId: '0F3C0A10-0000-4000-8000-000000000001',
  timestamp: AT,
  refToMessageId: null,
  timeToLive: null,
  duplicateElimination: true,
  ackRequested: NEXT_MSH,
  syncReply: false,
  references: [
    { href: 'cid:0F3C0A10-0000-4000-8000-000000000001@spine.nhs.uk', id: null, description: 'HL7 payload', payload: true },
    { href: 'cid:Attachment1@e-mis.com/EMISWeb/GP2GP2.2A', id: '_D1', description: 'a & "b".txt', payload: false },
    { href: 'mid:0F3C0A10-0000-4000-8000-000000000005', id: '_D2', description: null, payload: false },
  ],
};

describe('the ebXML envelope', () => {
  it('reads what it writes', () => {
    assert.deepEqual(readEnvelope(writeEnvelope(MESSAGE)), MESSAGE);
    const other = {
      ...MESSAGE,
      duplicateElimination: false,
      ackRequested: null,
      syncReply: true,
      timeToLive: AT,
      refToMessageId: 'X',
      references: [],
    };
    assert.deepEqual(readEnvelope(writeEnvelope(other)), other);
  });

  it('reads what it writes for any texts', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).map((raw) => raw.replace(/[^\P{C}]|\s/gu, '') || 'x');
    const reference = fc.record({ href: text, id: fc.option(text), description: fc.option(text), payload: fc.boolean() });
    const fields = fc.record({ fromPartyKey: text, toPartyKey: text, cpaId: text, conversationId: text, action: text, messageId: text });
    fc.assert(
      fc.property(fields, fc.array(reference, { maxLength: 4 }), (header, references) => {
        const message: EbxmlMessage = { ...MESSAGE, ...header, references: references.map((one) => ({ ...one })) };
        assert.deepEqual(readEnvelope(writeEnvelope(message)), message);
      }),
    );
  });

  it('is read whatever the prefixes, the order of attributes and the place of declarations', () => {
    const emis = `<?xml version="1.0" encoding="utf-8" standalone="no"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header>
<MessageHeader xmlns="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd" version="2.0" soap:mustUnderstand="1">
<From><PartyId type="x">A</PartyId></From><To><PartyId> B </PartyId></To><CPAId>C</CPAId><ConversationId>c-1</ConversationId>
<Service>urn:urn:nhs:names:services:gp2gp</Service><Action>COPC_IN000001UK01</Action>
<MessageData><MessageId>m-1</MessageId><Timestamp>2026-01-05T09:30:00.1234567Z</Timestamp><TimeToLive>2026-01-05T15:45:00</TimeToLive></MessageData>
<DuplicateElimination>always</DuplicateElimination></MessageHeader><AckRequested xmlns="urn:x"/></soap:Header>
<soap:Body><m:Manifest xmlns:m="urn:m"><m:Reference xmlns:d4p1="http://www.w3.org/1999/xlink" d4p1:href="cid:Content1@e-mis.com/EMISWeb/GP2GP2.2A" m:id="_1"/></m:Manifest></soap:Body></soap:Envelope>`;
    const read = readEnvelope(Buffer.from(emis));
    assert.ok(read.kind === 'message');
    assert.equal(read.toPartyKey, 'B');
    assert.equal(read.service, 'urn:nhs:names:services:gp2gp');
    assert.equal(read.timestamp, '2026-01-05T09:30:00.123Z');
    assert.equal(read.timeToLive, '2026-01-05T15:45:00.000Z');
    assert.equal(read.duplicateElimination, true);
    assert.equal(read.ackRequested, TO_PARTY_MSH);
    assert.deepEqual(read.references, [{ href: 'cid:Content1@e-mis.com/EMISWeb/GP2GP2.2A', id: '_1', description: null, payload: false }]);
  });

  it('names everything that a message lacks', () => {
    const lacking = writeEnvelope({ ...MESSAGE, cpaId: '', messageId: ' ' });
    assert.throws(
      () => readEnvelope(lacking),
      (thrown: EnvelopeFault) =>
        thrown.code === 'ebxml.missing' && thrown.message.includes('cpaId, messageId') && thrown.errorCode === 'ValueNotRecognized',
    );
  });

  it('refuses what is no envelope, a document type declaration, and more references than a transfer can have', () => {
    const faultOf = (text: string) => {
      try {
        readEnvelope(text);
      } catch (thrown) {
        return (thrown as EnvelopeFault).code;
      }
      return null;
    };
    assert.equal(faultOf(''), 'ebxml.malformed');
    assert.equal(faultOf('<a>'), 'ebxml.malformed');
    assert.equal(faultOf('<a/>'), 'ebxml.malformed');
    assert.equal(faultOf('<Envelope/>'), 'ebxml.missing');
    assert.equal(faultOf(`<!DOCTYPE a [<!ENTITY b "c">]>${writeEnvelope(MESSAGE).slice(39)}`), 'ebxml.malformed');
    const reference = { href: 'mid:a', id: null, description: null, payload: false };
    assert.equal(faultOf(writeEnvelope({ ...MESSAGE, references: Array(5_001).fill(reference) })), 'ebxml.limit');
    assert.equal(faultOf(writeEnvelope({ ...MESSAGE, references: Array(5_000).fill(reference) })), null);
  });

  it('reads times without a zone as UTC and refuses what is no time', () => {
    assert.equal(readTimestamp('2013-10-24T15:08:07'), '2013-10-24T15:08:07.000Z');
    assert.equal(readTimestamp('2013-10-24T15:08:07.5+01:00'), '2013-10-24T14:08:07.500Z');
    for (const none of ['', '2013-10-24', '2013-13-24T15:08:07Z', 'yesterday']) assert.equal(readTimestamp(none), null);
  });
});

describe('ebXML signals', () => {
  const signal = { received: MESSAGE, messageId: 'NEW', at: AT };

  it('an acknowledgement goes back to the sender, names the message, and echoes agreement and conversation', () => {
    const read = readEnvelope(writeAcknowledgement(signal));
    assert.ok(read.kind === 'acknowledgement');
    assert.deepEqual(
      [read.of, read.by, read.at, read.messageId, read.fromPartyKey, read.toPartyKey, read.cpaId, read.conversationId, read.action],
      [
        MESSAGE.messageId,
        'A99901-900001',
        AT,
        'NEW',
        'A99901-900001',
        'B99902-900002',
        MESSAGE.cpaId,
        MESSAGE.conversationId,
        'Acknowledgment',
      ],
    );
  });

  it('an acknowledgement that names no message is refused; one without parties and times is read', () => {
    const signal = (inside: string): string =>
      `<Envelope><Header><MessageHeader/><Acknowledgment>${inside}</Acknowledgment></Header><Body/></Envelope>`;
    assert.throws(() => readEnvelope(signal('')), EnvelopeFault);
    const read = readEnvelope(signal('<RefToMessageId>M</RefToMessageId>'));
    assert.ok(read.kind === 'acknowledgement');
    assert.deepEqual([read.of, read.by, read.at], ['M', '', null]);
  });

  it('an error is final and carries code and text', () => {
    const read = readEnvelope(
      writeMessageError(signal, [{ code: 'ValueNotRecognized', description: '501314:Invalid To Party Type attribute' }]),
    );
    assert.ok(read.kind === 'error');
    assert.deepEqual([read.final, read.of], [true, MESSAGE.messageId]);
    assert.deepEqual(read.errors, [
      {
        code: 'ValueNotRecognized',
        severity: 'Error',
        codeContext: 'urn:oasis:names:tc:ebxml-msg:service:errors',
        description: '501314:Invalid To Party Type attribute',
      },
    ]);
  });

  it('warnings are no failure, alone or beside an acknowledgement; an empty list is one', () => {
    const acknowledgement = writeAcknowledgement(signal);
    const beside = (list: string) => acknowledgement.replace('<eb:Acknowledgment ', `${list}<eb:Acknowledgment `);
    const warning = '<eb:ErrorList><eb:Error eb:errorCode="NotSupported" eb:severity="Warning"/></eb:ErrorList>';
    const warned = readEnvelope(beside(warning));
    assert.ok(warned.kind === 'acknowledgement' && warned.warnings.length === 1);
    assert.equal(readEnvelope(beside('<eb:ErrorList><eb:Error/></eb:ErrorList>')).kind, 'error');
    const alone = readEnvelope(writeMessageError(signal, []).replace(/<eb:ErrorList[^>]*\/>/, warning));
    assert.ok(alone.kind === 'error' && !alone.final);
    const empty = readEnvelope(writeMessageError(signal, []).replace(/<eb:ErrorList[^>]*\/>/, '<eb:ErrorList/>'));
    assert.ok(empty.kind === 'error' && empty.final);
  });

  it("a SOAP fault is worth another try only where every one of Spine's errors passes", () => {
    const error = (code: string) => ({
      codeContext: 'urn:nhs:names:error:tms',
      code,
      severity: 'Error',
      location: 'Not Supported',
      description: '…',
    });
    const retriable = (...codes: string[]) => {
      const read = readEnvelope(writeSoapFault(codes.map(error)));
      assert.ok(read.kind === 'fault');
      assert.deepEqual(read.errors, codes.map(error));
      return read.retriable;
    };
    assert.deepEqual([retriable('206'), retriable('200', '208'), retriable('206', '300'), retriable()], [true, true, false, false]);
  });
});

describe('which part is which', () => {
  const parts = [{ contentId: 'Attachment1@x' }, { contentId: 'CONTENT1@e-mis.com/EMISWeb/GP2GP2.2A' }, { contentId: 'root' }];

  it('the root is what start names, else the first', () => {
    assert.equal(rootPart(parts, 'multipart/related; start="<ROOT>"'), parts[2]);
    assert.equal(rootPart(parts, 'multipart/related; start=nothing'), parts[0]);
    assert.equal(rootPart(parts, 'multipart/related'), parts[0]);
    assert.equal(rootPart([], 'multipart/related'), undefined);
  });

  it('the payload is what the manifest says, else the second part', () => {
    const reference = (href: string, payload = false) => ({ href, id: null, description: null, payload });
    const of = (...references: ReturnType<typeof reference>[]) => payloadPart({ references }, parts, parts[2]);
    assert.equal(of(reference('cid:Attachment1@x'), reference('cid:Content1%40e-mis.com/EMISWeb/GP2GP2.2A', true)), parts[1]);
    assert.equal(of(reference('cid:content1@e-mis.com/EMISWeb/GP2GP2.2A')), parts[1]);
    assert.equal(of(reference('mid:1'), reference('cid:Content1@e-mis.com/EMISWeb/GP2GP2.2A')), parts[0]);
    assert.equal(of(), parts[0]);
  });

  it('everything else in the manifest is an attachment', () => {
    const payload = { href: 'cid:a', id: null, description: null, payload: true };
    const document = { href: 'mid:a', id: null, description: null, payload: false };
    assert.deepEqual(attachmentReferences({ references: [payload, document] }), [document]);
    assert.deepEqual(attachmentReferences({ references: [document] }), [document]);
  });

  it('an href leads to a part or to a message, its id in upper case', () => {
    assert.deepEqual(targetOf({ href: 'cid:a%20b@c' }), { at: 'here', contentId: 'a b@c' });
    assert.deepEqual(targetOf({ href: 'cid:100%' }), { at: 'here', contentId: '100%' });
    assert.deepEqual(targetOf({ href: 'MID:0f3c0a10-0000-4000-8000-000000000005' }), {
      at: 'message',
      messageId: '0F3C0A10-0000-4000-8000-000000000005',
    });
    assert.equal(targetOf({ href: 'http://example.test' }), null);
  });
});
