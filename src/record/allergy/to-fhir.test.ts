import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllergyIntolerance } from '../../fhir/types.ts';
import { NO_RELEASE, received } from '../testing.ts';
import { allergyToFhir } from './to-fhir.ts';

const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
const compound = (code: string, observation: string) => `<CompoundStatement ${XSI}><id root="OUTER"/>
  <code code="${code}" codeSystem="2.16.840.1.113883.2.1.6.2"/>
  <effectiveTime><center nullFlavor="NI"/></effectiveTime><availabilityTime value="20240310"/>
  <component><ObservationStatement><id root="ALG-1"/>${observation}</ObservationStatement></component></CompoundStatement>`;
const annotation = (text: string) =>
  `<pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>`;
const map = (xml: string) => {
  const { resources, remarks } = received(allergyToFhir, 'allergy', xml);
  return { allergy: resources[0] as AllergyIntolerance, remarks };
};

test('a drug allergy with its substance in the value is an allergy to that substance, degraded where it has no SNOMED code', () => {
  const { allergy, remarks } = map(
    compound(
      '14L..00',
      `<code code="14L..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="H/O: drug allergy">
         <qualifier><name code="255217005" displayName="First"/></qualifier></code>
       <value xsi:type="CD" code="XX1" codeSystem="2.16.840.1.113883.2.1.6.9" displayName="Samplecillin"/>${annotation('rash')}`,
    ),
  );
  assert.equal(allergy.id, 'ALG-1');
  assert.deepEqual(allergy.category, ['medication']);
  assert.deepEqual(allergy.code, {
    coding: [
      { system: 'http://snomed.info/sct', code: '196461000000101', display: 'Transfer-degraded drug allergy' },
      { system: 'urn:oid:2.16.840.1.113883.2.1.6.9', code: 'XX1', display: 'Samplecillin' },
    ],
    text: 'Samplecillin',
  });
  assert.deepEqual(allergy.note, [{ text: 'Episodicity : code=255217005, displayName=First' }, { text: 'rash' }]);
  assert.equal(allergy.onsetDateTime, '2024-03-10');
  assert.equal(remarks[0]?.code, 'code.degraded');
});

test('words of a vendor stay a note, word for word', () => {
  const words = 'Happened at school. Status: settled, ended on 3 May';
  const { allergy } = map(compound('SN53.00', `<code code="300909004" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"/>${annotation(words)}`));
  assert.deepEqual(allergy.note, [{ text: words }]);
  assert.equal(allergy.clinicalStatus, 'active');
  assert.deepEqual(allergy.category, ['environment']);
});

test('what the existing adaptor writes in one line is read as far as it is certain', () => {
  const words =
    'Reason Ended: No recurrence on same medication Status: Resolved Type: Allergy Criticality: Low Risk Last Occurred: 1978-12-31 Example note End Date: 1980-01-01';
  const { allergy } = map(compound('14L..00', `<code nullFlavor="UNK"><originalText>Penicillin</originalText></code>${annotation(words)}`));
  assert.equal(allergy.clinicalStatus, 'resolved');
  assert.equal(allergy.type, 'allergy');
  assert.equal(allergy.criticality, 'low');
  assert.equal(allergy.lastOccurrence, '1978-12-31');
  assert.deepEqual(allergy.note, [{ text: 'Example note' }]);
  assert.deepEqual(allergy.extension?.[1]?.extension, [
    { url: 'endDate', valueDateTime: '1980-01-01' },
    { url: 'reasonEnded', valueString: 'No recurrence on same medication' },
  ]);
});

test('a mark on the compound alone redacts the allergy', () => {
  const xml = compound('14L..00', '<code nullFlavor="UNK"/>').replace('<component>', '<confidentialityCode code="NOPAT"/><component>');
  assert.equal(map(xml).allergy.meta?.security?.[0]?.code, 'NOPAT');
});

test('an allergy sent as one to something else than a drug is told where its code is of a drug', () => {
  const snomed = (code: string) => `<code code="${code}" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Sample"/>`;
  const terminology = { ...NO_RELEASE, allergyKind: (id: string) => (id === '111100001' ? ('drug' as const) : ('other' as const)) };
  const said = (kind: string, code: string) =>
    received(allergyToFhir, 'allergy', compound(kind, snomed(code)), { terminology }).remarks.map((remark) => remark.code);
  assert.ok(said('SN53.00', '111100001').includes('allergy.kind'));
  assert.ok(!said('SN53.00', '222200002').includes('allergy.kind'));
  assert.ok(!said('14L..00', '111100001').includes('allergy.kind'));
});
