import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Immunization } from '../../fhir/types.ts';
import { builtInTerminology } from '../../terminology/built-in.ts';
import { received } from '../testing.ts';
import type { Terminology } from '../types.ts';
import { immunisationToFhir } from './to-fhir.ts';

const terminology: Terminology = builtInTerminology;
const statement = (inside: string) => `<ObservationStatement><id root="IMM-1"/>
  <code code="222200002" codeSystem="2.16.840.1.113883.2.1.3.2.4.15" displayName="Sample vaccination"/>${inside}</ObservationStatement>`;
const annotation = (text: string) =>
  `<pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>${text}</text></pertinentAnnotation></pertinentInformation>`;
const map = (inside: string) =>
  received(immunisationToFhir, 'immunisation', statement(inside), { terminology }).resources[0] as Immunization;

test('a vaccination names who gave it and who entered it', () => {
  const given = map('<effectiveTime><center nullFlavor="NI"/></effectiveTime><availabilityTime value="20240310"/>');
  assert.equal(given.date, '2024-03-10');
  assert.equal(given.notGiven, false);
  assert.deepEqual(
    given.practitioner?.map((practitioner) => practitioner.actor?.reference),
    ['Practitioner/AG-1', 'Practitioner/AG-2'],
  );
  assert.deepEqual(given.extension?.[1]?.valueDateTime, '2024-03-10T10:35:00+00:00');
});

test("a vendor's words stay a note, word for word", () => {
  const words = '[Manufacturer: Pete], [Expiry Date: 21-Jun-2011], [Batch Number: 123456], GMS: GMS, Injection site: Left arm';
  assert.deepEqual(map(annotation(words)).note, [{ text: words }]);
});

test('the end of a period without a moment is noted', () => {
  const ended = map('<effectiveTime><low value="20100117"/><high value="20100118"/></effectiveTime>');
  assert.equal(ended.date, '2010-01-17');
  assert.deepEqual(ended.note, [{ text: 'End Date: 2010-01-18' }]);
});

test('a code that says it was declined is no vaccination', () => {
  const declined = statement('').replace('Sample vaccination', 'Influenza vaccination declined');
  const { resources } = received(immunisationToFhir, 'immunisation', declined);
  assert.equal((resources[0] as Immunization).notGiven, true);
});
