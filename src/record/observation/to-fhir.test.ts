import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberText } from '../../fhir/json.ts';
import type { Observation } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import { received } from '../testing.ts';
import { observation, receive, send, smallRecord, uuid } from '../testing-record.ts';
import type { ToFhir } from '../types.ts';
import { observationToFhir } from './to-fhir.ts';

const NS = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
const CODE = '<code code="365812005" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Blood glucose level"/>';
const TIMES = '<effectiveTime><center nullFlavor="NI"/></effectiveTime><availabilityTime value="20240309"/>';

function read(inside: string, overrides: Partial<ToFhir> = {}): Observation {
  const statement = `<ObservationStatement ${NS}><id root="OBS-1"/>${CODE}${TIMES}${inside}</ObservationStatement>`;
  return received(observationToFhir, 'observation', statement, overrides).resources[0] as Observation;
}

test('number, unit, range and interpretation are read, the digits as they were written', () => {
  const observation = read(`<value xsi:type="PQ" value="7.50" unit="mmol/L"/>
    <interpretationCode code="HI" displayName="Above high reference limit"/>
    <referenceRange><referenceInterpretationRange><text>adult</text><value><low value="3.0" unit="mmol/L"/><high value="6" unit="mmol/L"/></value></referenceInterpretationRange></referenceRange>`);
  assert.equal(numberText(observation.valueQuantity?.value ?? 0), '7.50');
  assert.equal(observation.valueQuantity?.unit, 'millimole per liter');
  assert.deepEqual(observation.interpretation, {
    coding: [{ system: 'http://hl7.org/fhir/v2/0078', code: 'H', display: 'High' }],
    text: 'Above high reference limit',
  });
  assert.equal(numberText(observation.referenceRange?.[0]?.low?.value ?? 0), '3.0');
  assert.equal(observation.referenceRange?.[0]?.text, 'adult');
});

test('it was issued when the composition was recorded, and performed by who took part in it', () => {
  const observation = read('');
  assert.equal(observation.issued, '2024-03-10T10:35:00.000+00:00');
  assert.equal(observation.effectiveDateTime, '2024-03-09');
  assert.deepEqual(observation.performer, [{ reference: 'Practitioner/AG-2' }]);
});

test('a range of words and a bound that is no number are kept, not refused', () => {
  const { referenceRange } =
    read(`<referenceRange><referenceInterpretationRange><text>below ten</text></referenceInterpretationRange></referenceRange>
    <referenceRange><referenceInterpretationRange><value><high value="ten"/></value></referenceInterpretationRange></referenceRange>
    <referenceRange><referenceInterpretationRange/></referenceRange>`);
  assert.deepEqual(referenceRange, [{ text: 'below ten' }, { text: 'High: ten' }]);
});

test('an interval with two bounds keeps both', () => {
  const { valueRange } = read('<value xsi:type="IVL_PQ"><low value="1"/><high value="2"/></value>');
  assert.deepEqual(valueRange, { low: { value: 1 }, high: { value: 2 } });
});

test('a coded value is a coded value', () => {
  const { valueCodeableConcept } = read(
    '<value xsi:type="CD" code="10828004" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Positive"/>',
  );
  assert.equal(valueCodeableConcept?.coding?.[0]?.display, 'Positive');
});

test('an interpretation nobody knows keeps its code and its words', () => {
  const { interpretation } = read('<interpretationCode code="ZZ" codeSystem="2.16.840.1.113883.2.1.6.5" displayName="Peculiar"/>');
  assert.equal(interpretation?.coding?.[0]?.code, 'ZZ');
  assert.equal(interpretation?.text, 'Peculiar');
  assert.equal(read('<interpretationCode nullFlavor="UNK"/>').interpretation, undefined);
});

test('words are put together in the order in which they were numbered', () => {
  const note = (sequence: string, text: string) =>
    `<pertinentInformation>${sequence}<pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>`;
  const { comment } = read(
    `<subject><personalRelationship><code displayName="Mother"/></personalRelationship></subject>${note('<sequenceNumber value="+2"/>', 'last')}${note('<sequenceNumber value="+1"/>', 'third')}${note('', 'fourth')}${note('<sequenceNumber value="0"/>', 'second')}${note('<sequenceNumber value="-1"/>', 'first')}`,
  );
  assert.equal(comment, 'Subject: Mother first second third fourth last');
});

test('words of the existing adaptor, which runs them together, stay one comment', () => {
  const text = 'Code Value: 1 Positive seen twice';
  const { comment, valueCodeableConcept } = read(
    `<pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>`,
  );
  assert.equal(comment, text);
  assert.equal(valueCodeableConcept, undefined);
});

test('a redaction is read from statement, composition or the compound around it', () => {
  assert.equal(read('<confidentialityCode code="NOPAT"/>').meta?.security?.[0]?.code, 'NOPAT');
  assert.equal(read('').meta?.security, undefined);
});

test('a panel and its members lead to each other', () => {
  const panel = readXml(
    `<CompoundStatement ${NS} classCode="CLUSTER"><id root="PAN"/>${CODE}${TIMES}<component><ObservationStatement><id root="A"/>${CODE}${TIMES}</ObservationStatement></component><component><NarrativeStatement><id root="N"/><text>note</text></NarrativeStatement></component></CompoundStatement>`,
  );
  const resourceFor = (id: string) => `Observation/${id}`;
  const parent = received(observationToFhir, 'observation', panel, { resourceFor }).resources[0] as Observation;
  assert.deepEqual(parent.related, [{ type: 'has-member', target: { reference: 'Observation/A' } }]);
});

test('a panel of narratives only is linked with them: nothing else would lead to it', () => {
  const inner = '<component><NarrativeStatement><id root="N"/><text>note</text></NarrativeStatement></component>';
  const panel = readXml(`<CompoundStatement ${NS} classCode="BATTERY"><id root="PAN"/>${CODE}${TIMES}${inner}</CompoundStatement>`);
  const resourceFor = (id: string) => `Observation/${id}`;
  const parent = received(observationToFhir, 'observation', panel, { resourceFor }).resources[0] as Observation;
  assert.deepEqual(parent.related, [{ type: 'has-member', target: { reference: 'Observation/N' } }]);
  const bundle = smallRecord(
    observation(uuid(70), 'The panel', 'Practitioner/gp', {
      comment: undefined,
      related: [{ type: 'has-member', target: { reference: `Observation/${uuid(71)}` } }],
    }),
    observation(uuid(71), 'Placed on register', 'Practitioner/gp', { code: { coding: [{ code: '37331000000100' }] } }),
  );
  const { resources } = receive(send(bundle).xml);
  const note = resources.find(({ id }) => id === uuid(71)) as Observation;
  assert.deepEqual(note.related, [{ type: 'derived-from', target: { reference: `Observation/${uuid(70)}` } }]);
});

test('words before the term are read on into the term, then come the others in their order', () => {
  const said = (number: string, text: string) =>
    `<pertinentInformation><sequenceNumber value="${number}"/><pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>`;
  const named = '<code code="365812005" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"><originalText>sugar</originalText></code>';
  const comment = (...parts: string[]) => read(parts.join('')).comment;
  assert.equal(comment(said('+2', 'last'), said('+1', 'then'), said('0', 'at'), said('-1', 'query')), 'query at then last');
  const whole = `<ObservationStatement><id root="OBS-1"/>${named}${said('-1', 'query')}${said('1', 'raised')}</ObservationStatement>`;
  const [observation] = received(observationToFhir, 'observation', whole).resources as Observation[];
  assert.equal(observation?.comment, 'query sugar raised');
});
