import type { CodeableConcept, Observation } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { componentWords } from '../observation/components.ts';
import { interpretationToHl7, interpretationWords } from '../observation/interpretation.ts';
import { differentUnit, rangeToHl7 } from '../observation/range.ts';
import { performer, problemWords, reportBroken, valueParts } from '../observation/statement.ts';
import { NOTABLE_STATUSES } from '../observation/terms.ts';
import { codedToHl7, textOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { quantityText } from '../shared/quantity.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { annotation, component, id, narrative, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, availableOfObservation, effectiveFrom, effectiveOfObservation } from '../shared/times.ts';
import type { MapToHl7, ToHl7 } from '../types.ts';
import { notesOf, panelText } from './notes.ts';
import { isDiastolic, isPanelCode, isSystolic } from './terms.ts';

type Reading = NonNullable<Observation['component']>[number];

const hasCode = (concept: CodeableConcept | undefined, is: (code: string) => boolean) =>
  concept?.coding?.some(({ code }) => code !== undefined && is(code)) ?? false;

/** Whether an observation is a blood pressure: its code says so, and at least one of the two readings is there. */
export function isBloodPressure(observation: Observation): boolean {
  const is = (code: string) => isSystolic(code) || isDiastolic(code);
  return hasCode(observation.code, isPanelCode) && (observation.component ?? []).some((reading) => hasCode(reading.code, is));
}

/** A blood pressure as BATTERY of its readings. A panel of which only one reading was taken keeps that one's number. */
export const bloodPressureToHl7: MapToHl7<Observation> = (observation, place, s) => {
  const readings = observation.component ?? [];
  const systolic = readings.find(({ code }) => hasCode(code, isSystolic));
  const diastolic = readings.find(({ code }) => hasCode(code, isDiastolic));
  const author = performer(observation, s);
  const effective = effectiveOfObservation(observation, s);
  const available = availableOfObservation(observation, s);
  const notes = notesOf(observation.comment);
  if (!observation.code) s.report({ code: 'code.degraded', text: 'A blood pressure without a code; it travels as unknown.' });
  reportBroken(observation, s, []);
  reportLosses(observation, [systolic, diastolic], s);
  const statement = (reading: Reading | undefined, note: string) =>
    reading && component(readingStatement(reading, note, { effective, available: availabilityTime(available) }, s), true);
  const words = joined([panelWords(observation, notes.panel, { systolic, diastolic }, s), ...problemWords(observation, s)]);
  const xml = h(
    'CompoundStatement',
    { classCode: 'BATTERY', moodCode: 'EVN' },
    id(place.statementId),
    codedToHl7(observation.code, 'bloodPressure'),
    statusComplete(),
    effective,
    availabilityTime(available),
    redactionToHl7(observation, s),
    statement(systolic, notes.systolic),
    statement(diastolic, notes.diastolic),
    words ? component(narrative(s.newId(), words, availabilityTime(available)), true) : null,
    participant('PRF', author),
  );
  return [{ xml, effective: effectiveFrom(effective), available, author }];
};

function reportLosses(
  { dataAbsentReason, referenceRange, specimen }: Observation,
  readings: readonly (Reading | undefined)[],
  s: ToHl7,
): void {
  const isUntold = (reading: Reading | undefined) =>
    reading?.referenceRange?.some((range) => rangeToHl7(range) === null || differentUnit(range, reading.valueQuantity) !== undefined);
  const lost = [
    dataAbsentReason && 'why the whole has no value',
    referenceRange?.length && 'the range of the whole',
    specimen && 'its specimen',
    readings.some(isUntold) && 'the words or the unit of a range of a reading',
  ].filter((what) => what);
  if (lost.length) s.report({ code: 'value.lost', text: `Not carried: ${lost.join(', ')}.` });
}

function readingStatement(reading: Reading, note: string, times: { effective: XmlElement; available: XmlElement }, s: ToHl7): XmlElement {
  return h(
    'ObservationStatement',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(s.newId()),
    codedToHl7(reading.code, 'bloodPressure'),
    statusComplete(),
    times.effective,
    times.available,
    valueParts({ resourceType: 'Observation', ...reading }),
    interpretationToHl7(reading.interpretation),
    annotation(note),
    reading.referenceRange?.map((range) => rangeToHl7(range)),
  );
}

type Both = { readonly systolic: Reading | undefined; readonly diastolic: Reading | undefined };

/** Everything that the readings' statements have no place for. */
function panelWords(observation: Observation, note: string, { systolic, diastolic }: Both, s: ToHl7): string {
  const others = (observation.component ?? []).filter((reading) => reading !== systolic && reading !== diastolic);
  const wordsOnly = [systolic, diastolic].filter((reading) => reading !== undefined && isWordsOnly(reading)) as Reading[];
  const own = quantityText(observation.valueQuantity) || observation.valueString;
  return panelText(joined([note, own]), {
    site: textOrCoding(observation.bodySite),
    systolicAbsent: textOrCoding(systolic?.dataAbsentReason),
    diastolicAbsent: textOrCoding(diastolic?.dataAbsentReason),
    interpretations: [textOrCoding(observation.interpretation), wordsFor(systolic), wordsFor(diastolic)].filter(Boolean).join(', '),
    components: componentWords([...wordsOnly, ...others], s),
    method: textOrCoding(observation.method),
    status: NOTABLE_STATUSES.has(observation.status ?? '') ? observation.status : undefined,
  });
}

const wordsFor = (reading: Reading | undefined) => (reading ? interpretationWords(reading.interpretation) : undefined);

/** A reading whose value is neither a number nor a string; its statement cannot hold it. */
function isWordsOnly({
  valueQuantity,
  valueString,
  code: _code,
  interpretation: _i,
  dataAbsentReason: _d,
  referenceRange: _r,
  ...rest
}: Reading) {
  return valueQuantity?.value === undefined && !valueString && Object.keys(rest).length > 0;
}
