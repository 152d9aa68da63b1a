import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import { received } from '../testing.ts';
import { bloodPressureToFhir, isBloodPressureStatement, partsOfBloodPressure } from './to-fhir.ts';

const code = (id: string) => `<code code="${id}" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"/>`;
const reading = (id: string, value: number, note = '') =>
  `<component><ObservationStatement>${code(id)}<value value="${value}" unit="mm[Hg]"/>${note}</ObservationStatement></component>`;
const battery = (panel: string, ...inside: string[]) =>
  readXml(
    `<CompoundStatement classCode="BATTERY"><id root="BP-1"/>${code(panel)}<availabilityTime value="20240310"/>${inside.join('')}</CompoundStatement>`,
  );

test('a panel is known by concept or description ids, its readings in either order', () => {
  assert.ok(isBloodPressureStatement(battery('163020007', reading('72313002', 1), reading('1091811000000102', 2))));
  assert.ok(isBloodPressureStatement(battery('254063019', reading('406508013', 1), reading('406507015', 2))));
  assert.ok(isBloodPressureStatement(battery('7536700', reading('271649006', 1), reading('271650006', 2))));
});

test('readings of different positions are no blood pressure, nor are three', () => {
  assert.ok(!isBloodPressureStatement(battery('163034007', reading('271649006', 1), reading('271650006', 2))));
  assert.ok(!isBloodPressureStatement(battery('163020007', reading('72313002', 1), reading('271650006', 2))));
  assert.ok(
    !isBloodPressureStatement(battery('163020007', reading('72313002', 1), reading('1091811000000102', 2), reading('364075005', 3))),
  );
});

test('notes of panel and readings are told apart in one comment', () => {
  const note =
    '<pertinentInformation><sequenceNumber value="+1"/><pertinentAnnotation><text>standing</text></pertinentAnnotation></pertinentInformation>';
  const statement = battery(
    '163020007',
    reading('72313002', 131, note),
    reading('1091811000000102', 82),
    '<component><NarrativeStatement><id root="N"/><text>left arm</text></NarrativeStatement></component>',
  );
  const observation = received(bloodPressureToFhir, 'bloodPressure', statement).resources[0] as Observation;
  assert.equal(observation.comment, 'Systolic Note: standing BP Note: left arm');
  assert.deepEqual(
    observation.component?.map(({ valueQuantity }) => valueQuantity),
    [131, 82].map((value) => ({ value, unit: 'millimeter of mercury', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' })),
  );
});

test('a document inside a panel is no part of it', () => {
  const statement = battery(
    '163020007',
    reading('72313002', 1),
    reading('1091811000000102', 2),
    '<component><NarrativeStatement><id root="D"/><text>chart</text><reference><referredToExternalDocument/></reference></NarrativeStatement></component>',
  );
  assert.deepEqual(
    partsOfBloodPressure(statement).map(({ name }) => name),
    ['ObservationStatement', 'ObservationStatement'],
  );
});

test('a reading that is hidden hides the panel', () => {
  const statement = battery('163020007', reading('72313002', 1, '<confidentialityCode code="NOPAT"/>'), reading('1091811000000102', 2));
  const observation = received(bloodPressureToFhir, 'bloodPressure', statement).resources[0] as Observation;
  assert.equal(observation.meta?.security?.[0]?.code, 'NOPAT');
});

test('a reading of another time than the panel tells that its time is lost', () => {
  const late = '<effectiveTime><center value="20240311"/></effectiveTime>';
  const same = '<effectiveTime><center value="20240310"/></effectiveTime>';
  const told = (time: string) =>
    received(
      bloodPressureToFhir,
      'bloodPressure',
      battery('163020007', reading('72313002', 1, time), reading('1091811000000102', 2)),
    ).remarks.filter(({ code }) => code === 'value.lost').length;
  assert.equal(told(late), 1);
  assert.equal(told(same), 0);
});
