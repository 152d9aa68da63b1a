import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Instant, type Ods, ods } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { h, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';
import { writeAcknowledgement } from './acknowledgement.ts';
import { nameIn, writeAttachmentCover, writeContinue } from './copc.ts';
import { extractFrame, readExtractEnds, readExtractHead } from './extract.ts';
import { type Payload, readPayload } from './read.ts';
import { writeRequest } from './request.ts';
import { putInPlace, skeletonPayload } from './skeleton.ts';
import type { PayloadFault, Wrapping } from './wrapper.ts';

const WRAPPING: Wrapping = {
  messageId: '0F3C0A10-0000-4000-8000-000000000001',
  createdAt: '2026-07-05T09:30:00.000Z' as Instant,
  fromAsid: '200000009902',
  toAsid: '200000009901',
};
const CORE = '0F3C0A10-0000-4000-8000-000000000002';
const REQUEST = {
  requestId: '0F3C0A10-0000-4000-8000-0000000000E1',
  nhsNumber: '9000000009' as NhsNumber,
  from: 'B99902' as Ods,
  to: 'A99901' as Ods,
};

const sent = (element: XmlElement): Payload => readPayload(readXml(writeXml(element)));
const fault =
  (code: string, words = '') =>
  (thrown: unknown) =>
    (thrown as PayloadFault).code === code && (thrown as PayloadFault).message.includes(words);

describe('the wrapper', () => {
  it('has the time of London and both systems, and no white space between elements', () => {
    const text = writeXml(writeRequest(WRAPPING, REQUEST));
    assert.match(text, /<creationTime value="20260705103000"\/>/);
    assert.doesNotMatch(text, />\s+</);
    assert.deepEqual(sent(writeRequest(WRAPPING, REQUEST)).wrapper, {
      interaction: 'RCMR_IN010000UK05',
      interactionId: 'RCMR_IN010000UK05',
      messageId: WRAPPING.messageId,
      createdAt: '20260705103000',
      fromAsid: '200000009902',
      toAsid: '200000009901',
    });
  });

  it('is read with any prefix, and takes the peer from communicationFunctionSnd, not from the author', () => {
    const text = writeXml(writeContinue(WRAPPING, { of: CORE, from: 'B99902', to: 'A99901' }))
      .replace(/<(\/?)(?=[a-zA-Z]+[ />])(?!gp:|npfitlc:)/g, '<$1hl7:')
      .replace('<COPC_IN000001UK01 xmlns=', '<hl7:COPC_IN000001UK01 xmlns:hl7=')
      .replace('</COPC_IN000001UK01>', '</hl7:COPC_IN000001UK01>')
      .replace(/(<hl7:agentSystemSDS.*?extension=")\d+/, '$1' + '000000000000');
    const read = readPayload(readXml(text));
    assert.ok(read.interaction === 'copc' && read.shape === 'continue');
    assert.equal(read.wrapper.fromAsid, '200000009902');
    assert.equal(read.of, CORE);
  });

  it('of another service is not GP2GP', () => {
    assert.throws(() => readPayload(h('PRPA_IN000202UK01')), fault('hl7.interaction', 'PRPA_IN000202UK01'));
  });
});

describe('a request', () => {
  it('is read as it was written', () => {
    assert.deepEqual({ ...sent(writeRequest(WRAPPING, REQUEST)), wrapper: null }, { interaction: 'request', wrapper: null, ...REQUEST });
  });

  it('is read as it was written, for any ids and codes', () => {
    const code = fc.stringMatching(/^[A-Z0-9]{3,8}$/);
    const request = fc.record({ requestId: fc.uuid(), nhsNumber: fc.stringMatching(/^[0-9]{10}$/), from: code, to: code });
    fc.assert(
      fc.property(request, ({ requestId, nhsNumber, from, to }) => {
        const read = sent(writeRequest(WRAPPING, { requestId, nhsNumber: nhsNumber as NhsNumber, from: ods(from), to: ods(to) }));
        assert.ok(read.interaction === 'request');
        assert.deepEqual([read.requestId, read.nhsNumber, read.from, read.to], [requestId, nhsNumber, from, to]);
      }),
    );
  });

  it('that lacks something says everything it lacks', () => {
    const empty = { ...REQUEST, nhsNumber: '12' as NhsNumber, to: '' as Ods };
    assert.throws(() => sent(writeRequest(WRAPPING, empty)), fault('hl7.missing', 'NHS number of ten digits, the asked practice'));
  });
});

describe('an acknowledgement', () => {
  it('is positive, or negative with its code in both places', () => {
    const positive = sent(writeAcknowledgement(WRAPPING, { of: CORE, typeCode: 'AA', issue: null }));
    assert.ok(positive.interaction === 'acknowledgement');
    assert.deepEqual([positive.of, positive.typeCode, positive.code, positive.issues], [CORE, 'AA', null, []]);
    const negative = sent(
      writeAcknowledgement(WRAPPING, { of: CORE, typeCode: 'AE', issue: { code: '06', displayName: 'Patient not at surgery.' } }),
    );
    assert.ok(negative.interaction === 'acknowledgement');
    const issue = { code: '06', codeSystem: '2.16.840.1.113883.2.1.3.2.4.17.101', displayName: 'Patient not at surgery.' };
    assert.deepEqual([negative.code, negative.issues, negative.fromSpine], ['06', [issue, issue], false]);
  });

  const acknowledgement = (codes: string, reason = '') =>
    readPayload(
      readXml(
        `<MCCI_IN010000UK13><acknowledgement typeCode="AR">${codes}<messageRef><id root=" ${CORE.toLowerCase()} "/></messageRef></acknowledgement><ControlActEvent>${reason}</ControlActEvent></MCCI_IN010000UK13>`,
      ),
    );
  const detail = (code: string, system: string) =>
    `<acknowledgementDetail typeCode="AR"><code code="${code}"${system && ` codeSystem="2.16.840.1.113883.2.1.3.2.4.17.${system}"`}/></acknowledgementDetail>`;

  it('may have no code, one digit, no system, several codes, or a code only in the reason', () => {
    const code = (payload: Payload) => (payload.interaction === 'acknowledgement' ? payload.code : undefined);
    assert.equal(code(acknowledgement('')), null);
    assert.equal(code(acknowledgement(detail('6', ''))), '06');
    assert.equal(code(acknowledgement(detail('506', '32') + detail('30', '101'))), '30');
    const reason = '<reason><justifyingDetectedIssueEvent><code code="18"/></justifyingDetectedIssueEvent></reason>';
    assert.equal(code(acknowledgement('', reason)), '18');
    assert.equal(code(acknowledgement('<acknowledgementDetail><code nullFlavor="UNK"/></acknowledgementDetail>', reason)), '18');
  });

  it("of Spine's own is told from one of a practice", () => {
    const read = acknowledgement(detail('506', '32'));
    assert.ok(read.interaction === 'acknowledgement');
    assert.deepEqual([read.fromSpine, read.code, read.of], [true, '506', CORE.toLowerCase()]);
  });

  it('that answers nothing is refused', () => {
    assert.throws(() => readPayload(h('MCCI_IN010000UK13')), fault('hl7.missing'));
  });
});

describe('COPC', () => {
  it('as a continue names the extract and both practices', () => {
    const read = sent(writeContinue(WRAPPING, { of: CORE, from: 'B99902', to: 'A99901' }));
    assert.ok(read.interaction === 'copc');
    assert.deepEqual([read.shape, read.of, read.from, read.to, read.filename], ['continue', CORE, 'B99902', 'A99901', null]);
  });

  it('as the cover of an attachment names the file, whatever is in its name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        const filename = text.replace(/\s/g, '_');
        fc.pre(!/[\p{C}\uFFFE\uFFFF]/u.test(filename));
        const read = sent(writeAttachmentCover(WRAPPING, { filename, from: 'A99901', to: 'B99902' }));
        assert.ok(read.interaction === 'copc');
        assert.deepEqual([read.shape, read.filename, read.of], ['attachment', filename, null]);
      }),
    );
  });

  it('is told by its message type, its subject or the message inside, not by its codes', () => {
    const text = writeXml(writeContinue(WRAPPING, { of: CORE, from: '', to: '' }));
    const shape = (changed: string) => {
      const read = readPayload(readXml(changed));
      return read.interaction === 'copc' ? read.shape : null;
    };
    const otherType = text.replace('RCMR_MT000002GB01', 'COPC_MT000001UK01');
    const otherSubject = otherType.replace('Continue Acknowledgement', 'a.pdf');
    assert.deepEqual([shape(text), shape(otherType), shape(otherSubject)], ['continue', 'continue', 'continue']);
    const vision = otherSubject.replace(/<gp:Gp2gpfragment><Message.*<\/gp:Gp2gpfragment>/, '<reference value="a.pdf"/>');
    assert.notEqual(vision, otherSubject);
    assert.equal(shape(vision), 'attachment');
    assert.equal(shape('<COPC_IN000001UK01/>'), 'attachment');
  });

  it('gives file names without the dress of each vendor', () => {
    assert.deepEqual(
      ['file://localhost/a%20b%28.pdf', 'urn:a b.pdf', 'Attachment: a b.pdf', 'a%20b.pdf', 'file://localhost/100%.pdf', ' ', undefined].map(
        nameIn,
      ),
      ['a b(.pdf', 'a b.pdf', 'a b.pdf', 'a%20b.pdf', '100%.pdf', undefined, undefined],
    );
  });
});

const EXTRACT = {
  head:
    '<EhrExtract classCode="EXTRACT"><id root="F1"/><availabilityTime value="20260705"/><recordTarget><patient><id root="2.16.840.1.113883.2.1.4.1" extension="900 000 0009"/></patient></recordTarget>' +
    '<author><AgentOrgSDS><agentOrganizationSDS><id root="1.2.826.0.1285.0.1.10" extension="a99901"/></agentOrganizationSDS></AgentOrgSDS></author>' +
    '<destination><AgentOrgSDS><agentOrganizationSDS><id nullFlavor="UNK"/></agentOrganizationSDS></AgentOrgSDS></destination>' +
    '<component><ehrFolder><responsibleParty><agentDirectory><part/></agentDirectory></responsibleParty>',
  tail: '</ehrFolder></component><inFulfillmentOf><priorEhrRequest><id root="E1"/></priorEhrRequest></inFulfillmentOf></EhrExtract>',
};
const COMPOSITION = '<component><ehrComposition><id root="C1"/></ehrComposition></component>';

async function* bytes(text: string, size = 64): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let from = 0; from < all.byteLength; from += size) yield all.subarray(from, from + size);
}

describe('an extract', () => {
  const frame = extractFrame({ version: 'UK07', ...WRAPPING });
  const whole = frame.head + EXTRACT.head + COMPOSITION + EXTRACT.tail + frame.tail;

  it('is framed by its wrapper', () => {
    const read = readPayload(readXml(whole));
    assert.ok(read.interaction === 'extract');
    assert.deepEqual(
      [read.version, read.extractId, read.nhsNumber, read.from, read.to, read.requestId, read.availableAt],
      ['UK07', 'F1', '9000000009', 'A99901', '', 'E1', '20260705'],
    );
    assert.deepEqual([read.wrapper.messageId, read.wrapper.interactionId], [WRAPPING.messageId, 'RCMR_IN030000UK07']);
  });

  it('gives its head without the record being read', async () => {
    let fed = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes(frame.head + EXTRACT.head + COMPOSITION.repeat(10_000))) {
        fed += chunk.byteLength;
        yield chunk;
      }
    }
    const head = await readExtractHead(counted());
    assert.deepEqual([head.extractId, head.nhsNumber, head.wrapper.fromAsid], ['F1', '9000000009', '200000009902']);
    assert.ok(fed < 3_000, `${fed} bytes`);
  });

  it('gives the id of the request, which stands behind the record', async () => {
    const ends = await readExtractEnds(bytes(frame.head + EXTRACT.head + COMPOSITION.repeat(100) + EXTRACT.tail + frame.tail));
    assert.deepEqual([ends.requestId, ends.extractId], ['E1', 'F1']);
  });

  it('without an id, or of another kind, is refused', () => {
    assert.throws(() => readPayload(readXml(whole.replace('<id root="F1"/>', ''))), fault('hl7.missing', 'id'));
    assert.throws(() => readPayload(h('RCMR_IN030000UK06')), fault('hl7.missing', 'no EhrExtract'));
  });
});

describe('a skeleton', () => {
  const D = '0F3C0A10-0000-4000-8000-0000000000D1';
  const frame = extractFrame({ version: 'UK06', ...WRAPPING });
  const skeleton = readXml(skeletonPayload({ frame, extract: EXTRACT, documentId: D, availableAt: '20260705' }));

  it('has the header of the record and one component that names the document', () => {
    const read = readPayload(skeleton);
    assert.ok(read.interaction === 'extract');
    assert.deepEqual([read.extractId, read.requestId], ['F1', 'E1']);
    assert.equal(writeXml(skeleton).match(new RegExp(`root="${D}"`, 'g'))?.length, 3);
    assert.match(writeXml(skeleton), new RegExp(`<reference value="cid:${D}"/>`));
  });

  it('gives way to a whole interaction of either version and any prefix', () => {
    for (const name of ['RCMR_IN030000UK06', 'RCMR_IN030000UK07']) {
      const embedded = readXml(`<?xml version="1.0"?><!-- ${'x'.repeat(200)} --><p:${name} xmlns:p="urn:hl7-org:v3"/>`);
      assert.equal(putInPlace(skeleton, embedded, D), embedded);
    }
  });

  it('gives way to an EhrExtract', () => {
    const whole = putInPlace(skeleton, readXml('<EhrExtract><id root="F9"/></EhrExtract>'), D);
    const read = readPayload(whole);
    assert.ok(read.interaction === 'extract');
    assert.deepEqual([read.extractId, read.wrapper.messageId], ['F9', WRAPPING.messageId]);
  });

  it('gives way to a section: to the element of the same name with the id of the document, else to the first with it', () => {
    const put = (section: string, id = D) => writeXml(putInPlace(skeleton, readXml(section), id));
    const narrative = put('<NarrativeStatement><id root="N1"/></NarrativeStatement>', `_${D.toLowerCase()}`);
    assert.match(
      narrative,
      /<ehrComposition[^>]*><id root="0F3C.*<component typeCode="COMP"><NarrativeStatement><id root="N1"\/><\/NarrativeStatement><\/component>/,
    );
    assert.match(
      put('<component><ehrComposition/></component>'),
      /<\/responsibleParty><component><ehrComposition\/><\/component><\/ehrFolder>/,
    );
    assert.match(put('<ehrComposition/>'), /<component typeCode="COMP"><ehrComposition\/><\/component><\/ehrFolder>/);
    assert.match(put('<CompoundStatement/>'), /<component typeCode="COMP"><CompoundStatement\/><\/component><\/ehrFolder>/);
  });

  it('without an element of that id stays as it is, and says so', () => {
    assert.throws(() => putInPlace(skeleton, h('ehrComposition'), 'D2'), fault('hl7.skeleton', 'D2'));
  });
});
