import type { Observation } from '../../fhir/types.ts';
import { child, type XmlElement } from '../../xml/element.ts';
import { readComponents } from '../observation/components.ts';
import { interpretationToFhir } from '../observation/interpretation.ts';
import { rangesToFhir } from '../observation/range.ts';
import { begun, issuedByComposition, valueIn } from '../observation/to-fhir.ts';
import { codedToFhir, snomedCodesOf } from '../shared/coded.ts';
import { annotationsOf } from '../shared/comment.ts';
import { degraded } from '../shared/degrade.ts';
import { firstCode, statementsIn, textIn } from '../shared/statements.ts';
import { effectiveToFhir } from '../shared/times.ts';
import type { MapToFhir, ToFhir } from '../types.ts';
import { commentOf, readPanelText } from './notes.ts';
import { isDiastolic, isReadingOf, isSystolic, isTriple, LINE, type LineKey, NOTE } from './terms.ts';

/**
 * Whether a compound statement is a blood pressure: a BATTERY of two readings whose codes belong under the panel's code, in
 * either order, or of one. Anything else with such a code is a panel like any other and keeps its numbers as members.
 */
export function isBloodPressureStatement(compound: XmlElement): boolean {
  if (compound.name !== 'CompoundStatement' || firstCode(compound, 'classCode') !== 'BATTERY') return false;
  const inside = statementsIn(compound);
  const [first, second, third] = inside.filter(({ name }) => name === 'ObservationStatement');
  if (!first || third) return false;
  const panels = snomedCodesOf(child(compound, 'code'));
  const [one, other] = [first, second].map((reading) => snomedCodesOf(child(reading, 'code')));
  if (!second) {
    const alone = inside.every(({ name }) => name === 'ObservationStatement' || name === 'NarrativeStatement');
    return alone && panels.some((panel) => (one ?? []).some((code) => isReadingOf(panel, code)));
  }
  return panels.some((panel) => (one ?? []).some((a) => (other ?? []).some((b) => isTriple(panel, a, b) || isTriple(panel, b, a))));
}

/** The statements inside a blood pressure that are part of it: its readings and its own narratives. */
export function partsOfBloodPressure(compound: XmlElement): XmlElement[] {
  return statementsIn(compound).filter(
    (statement) =>
      statement.name === 'ObservationStatement' || (statement.name === 'NarrativeStatement' && child(statement, 'reference') === undefined),
  );
}

/** A blood pressure's CompoundStatement as Observation with its readings as components. */
export const bloodPressureToFhir: MapToFhir = (claim, s) => {
  const { statement } = claim;
  const parts = partsOfBloodPressure(statement);
  const readings = parts.filter(({ name }) => name === 'ObservationStatement');
  const panel = parts.filter(({ name }) => name === 'NarrativeStatement').map((narrative) => readPanelText(textIn(narrative)));
  const facts: Partial<Record<LineKey, string>> = Object.assign({}, ...panel.map((one) => one.facts));
  const others = facts.components === undefined ? [] : readComponents(facts.components);
  const comment = commentOf(readings.flatMap(readingNotes), [
    ...panel.map(({ note }) => note),
    ...(others ? [] : [LINE.components + facts.components]),
  ]);
  const effective = effectiveToFhir(statement, s);
  if (readings.some((reading) => hasOtherTime(reading, effective)))
    s.report({ code: 'value.lost', text: 'A reading was taken at another time than the blood pressure; that time is not carried.' });
  const observation: Observation = {
    ...begun(claim, s, [statement, ...readings]),
    code: degraded(codedToFhir(child(statement, 'code'), s.terminology) ?? {}, 'record', s),
    ...effective,
    ...issuedByComposition(claim, s),
    ...(facts.status && { status: facts.status }),
    ...(facts.interpretations && { interpretation: { text: facts.interpretations } }),
    ...(comment && { comment }),
    ...(facts.site && { bodySite: { text: facts.site } }),
    ...(facts.method && { method: { text: facts.method } }),
    component: [...readings.map((reading) => componentOf(reading, facts, s)), ...(others ?? [])],
  };
  return [observation];
};

function hasOtherTime(reading: XmlElement, panel: ReturnType<typeof effectiveToFhir>): boolean {
  const own = effectiveToFhir(reading, { report: () => undefined });
  return Object.keys(own).length > 0 && JSON.stringify(own) !== JSON.stringify(panel);
}

function componentOf(
  reading: XmlElement,
  facts: Partial<Record<LineKey, string>>,
  s: ToFhir,
): NonNullable<Observation['component']>[number] {
  const interpretation = interpretationToFhir(reading);
  const referenceRange = rangesToFhir(reading);
  const kind = kindOf(reading);
  const absent = kind === 'systolic' ? facts.systolicAbsent : kind === 'diastolic' ? facts.diastolicAbsent : undefined;
  return {
    code: degraded(codedToFhir(child(reading, 'code'), s.terminology) ?? {}, 'record', s),
    ...valueIn(reading, s).value,
    ...(absent && { dataAbsentReason: { text: absent } }),
    ...(interpretation && { interpretation }),
    ...(referenceRange.length && { referenceRange }),
  };
}

function kindOf(reading: XmlElement): 'systolic' | 'diastolic' | undefined {
  const codes = snomedCodesOf(child(reading, 'code'));
  if (codes.some(isSystolic)) return 'systolic';
  return codes.some(isDiastolic) ? 'diastolic' : undefined;
}

function readingNotes(reading: XmlElement): { label: string; text: string }[] {
  const kind = kindOf(reading);
  return annotationsOf(reading).flatMap(({ text }) => (text ? [{ label: kind ? NOTE[kind] : NOTE.panel, text }] : []));
}
