import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Instant, ods } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { readXml } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';
import { writeAcknowledgement } from './acknowledgement.ts';
import { writeAttachmentCover, writeContinue } from './copc.ts';
import { extractFrame } from './extract.ts';
import { writeRequest } from './request.ts';
import { skeletonPayload } from './skeleton.ts';
import { validatePayload } from './validate.ts';
import type { Wrapping } from './wrapper.ts';

const uuid = (last: string): string => `0F3C0A10-0000-4000-8000-${last.padStart(12, '0')}`;
const WRAPPING: Wrapping = {
  messageId: uuid('1'),
  createdAt: '2026-01-05T09:30:00.000Z' as Instant,
  fromAsid: '200000009902',
  toAsid: '200000009901',
};
const request = writeXml(
  writeRequest(WRAPPING, { requestId: uuid('E1'), nhsNumber: '9000000009' as NhsNumber, from: ods('B99902'), to: ods('A99901') }),
);
const negative = writeXml(
  writeAcknowledgement(WRAPPING, { of: uuid('2'), typeCode: 'AE', issue: { code: '06', displayName: 'Patient not at surgery.' } }),
);

const organisation = (name: string, ods: string): string =>
  `<${name}><AgentOrgSDS><agentOrganizationSDS><id root="1.2.826.0.1285.0.1.10" extension="${ods}"/></agentOrganizationSDS></AgentOrgSDS></${name}>`;
const HEAD =
  `<EhrExtract><id root="${uuid('F1')}"/><statusCode code="COMPLETE"/><availabilityTime value="20260105"/>` +
  '<recordTarget><patient><id root="2.16.840.1.113883.2.1.4.1" extension="9000000009"/></patient></recordTarget>' +
  `${organisation('author', 'A99901')}${organisation('destination', 'B99902')}` +
  `<component><ehrFolder><id root="${uuid('F2')}"/><statusCode code="COMPLETE"/><effectiveTime/><availabilityTime/><author/>` +
  `<responsibleParty><agentDirectory><part><Agent><id root="${uuid('A1')}"/></Agent></part></agentDirectory></responsibleParty>`;
const TAIL = `</ehrFolder></component><inFulfillmentOf/><limitation/></EhrExtract>`;
const composition = (inside: string): string =>
  `<component><ehrComposition><id root="${uuid('C1')}"/><code/><statusCode/><effectiveTime/><availabilityTime/>` +
  `<author><agentRef><id root="${uuid('A1')}"/></agentRef></author><component>${inside}</component></ehrComposition></component>`;
const extract = (inside: string): string => HEAD + composition(inside) + TAIL;
const message = (version: 'UK06' | 'UK07', inside: string): string => {
  const { head, tail } = extractFrame({ version, ...WRAPPING });
  return head + extract(inside) + tail;
};

const rules = (text: string): string[] => validatePayload(readXml(text)).map(({ rule, message: words }) => `${rule}: ${words}`);

describe('validating a payload', () => {
  it('finds nothing wrong with what we write', () => {
    const aa = writeXml(writeAcknowledgement(WRAPPING, { of: uuid('2'), typeCode: 'AA', issue: null }));
    const goOn = writeXml(writeContinue(WRAPPING, { of: uuid('2'), from: 'B99902', to: 'A99901' }));
    const cover = writeXml(writeAttachmentCover(WRAPPING, { filename: 'a.pdf', from: 'A99901', to: 'B99902' }));
    const skeleton = skeletonPayload({
      frame: extractFrame({ version: 'UK06', ...WRAPPING }),
      extract: { head: HEAD, tail: TAIL },
      documentId: uuid('D1'),
      availableAt: '20260105',
    });
    const statement = `<NarrativeStatement><id root="${uuid('51')}"/></NarrativeStatement>`;
    for (const text of [request, negative, aa, goOn, cover, skeleton, extract(statement), message('UK07', statement)])
      assert.deepEqual(rules(text), []);
  });

  it('names what a wrapper lacks or says wrongly, with its line', () => {
    const broken = request
      .replace('<processingCode code="P"/>', '')
      .replace('extension="RCMR_IN010000UK05"', 'extension="RCMR_IN030000UK06"')
      .replace('<creationTime value="20260105093000"/>', '\n<creationTime value="today"/>')
      .replace(uuid('1'), uuid('1').toLowerCase())
      .replace('extension="200000009901"', 'extension="1"');
    assert.deepEqual(rules(broken), [
      'required: RCMR_IN010000UK05 has no processingCode',
      `id: the id of RCMR_IN010000UK05 is not in upper case: ${uuid('1').toLowerCase()}`,
      'value: creationTime of RCMR_IN010000UK05 is no HL7 time',
      'value: interactionId/@extension is "RCMR_IN030000UK06", not RCMR_IN010000UK05',
      'value: communicationFunctionRcv has no ASID of twelve digits',
    ]);
    assert.deepEqual(
      validatePayload(readXml(broken)).map(({ line }) => line),
      [1, 1, 2, 2, 2],
    );
    assert.deepEqual(rules('<PRPA_IN000202UK01/>'), ['interaction: PRPA_IN000202UK01 is no interaction of GP2GP']);
  });

  it('wants the code of a refusal in both places, in two digits, in words', () => {
    assert.deepEqual(rules(negative.replace(/<reason.*<\/reason>/, '')), [
      'required: a negative acknowledgement has no code in justifyingDetectedIssueEvent',
      'value: the two places of the response code differ',
    ]);
    assert.deepEqual(rules(negative.replaceAll('code="06"', 'code="6"')).length, 2);
    assert.deepEqual(rules(negative.replaceAll(' displayName="Patient not at surgery."', '')).length, 2);
    assert.deepEqual(rules(negative.replace('typeCode="AE"', 'typeCode="XX"')), ['value: typeCode "XX" is none of AA, AE, AR']);
  });

  it('finds two statements with one id, and links that lead nowhere', () => {
    const one = `<ObservationStatement><id root="${uuid('51')}"/></ObservationStatement>`;
    assert.match(rules(extract(one + one)).join(), /^duplicate-id: ObservationStatement has the id of the ObservationStatement in line 1/);
    const link = `<LinkSet><id root="${uuid('52')}"/><component><statementRef><id root="${uuid('99')}"/></statementRef></component></LinkSet>`;
    assert.deepEqual(rules(extract(link)), [`dangling-link: statementRef leads to ${uuid('99')}, which the extract does not have`]);
    const lowerCase = `<LinkSet><id root="${uuid('52')}"/><component><statementRef><id root="${uuid('C1').toLowerCase()}"/></statementRef></component></LinkSet>`;
    assert.deepEqual(rules(extract(lowerCase)), []);
  });

  it('finds redaction marks where there is no place for them', () => {
    const marked = `<NarrativeStatement><id root="${uuid('51')}"/><confidentialityCode code="NOPAT"/></NarrativeStatement>`;
    assert.deepEqual(rules(message('UK07', marked)), []);
    assert.deepEqual(rules(message('UK06', marked)), ['redaction: UK06 has no place for a confidentialityCode']);
  });

  it('finds parts of an extract that are missing or out of order', () => {
    const text = extract('<EhrEmpty/>');
    assert.deepEqual(rules(text), ['required: EhrEmpty has no id']);
    const swapped = text
      .replace('<inFulfillmentOf/><limitation/>', '<limitation/><inFulfillmentOf/>')
      .replace(`<id root="${uuid('F1')}"/>`, '');
    assert.deepEqual(rules(swapped), [
      'order: inFulfillmentOf stands behind limitation in EhrExtract',
      'required: EhrExtract has no id',
      'required: EhrEmpty has no id',
    ]);
  });
});
