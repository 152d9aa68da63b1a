/**
 * The codes and labels of observations. A label is written by one direction and read by the other; neither has one of its own.
 */
import type { CodeableConcept, Coding } from '../../fhir/types.ts';
import { SNOMED_URI } from '../shared/code-systems.ts';

/** The code by which comments, free text notes and filing comments are told from measurements. */
export const COMMENT_NOTE: Coding = { system: SNOMED_URI, code: '37331000000100', display: 'Comment note' };

/** Whether an observation is only words. The system is not looked at: some records leave it out. */
export function isCommentNote(code: CodeableConcept | undefined): boolean {
  return Array.isArray(code?.coding) && code.coding.some((coding) => coding.code === COMMENT_NOTE.code);
}

/** Labels of facts that ObservationStatement has no place for, in the order in which they are written. */
export const LABEL = {
  components: 'Component(s): ',
  codeValue: 'Code Value: ',
  booleanValue: 'Boolean Value: ',
  rangeValue: 'Range Value: ',
  ratioValue: 'Ratio Value: ',
  timeValue: 'Time Value: ',
  dateTimeValue: 'DateTime Value: ',
  periodValue: 'Period Value: ',
  quantityValue: 'Quantity Value: ',
  stringValue: 'String Value: ',
  dataAbsent: 'Data Absent: ',
  rangeUnits: 'Range Units: ',
  range: 'Range: ',
  interpretation: 'Interpretation: ',
  bodySite: 'BodySite: ',
  method: 'Observation Method: ',
  status: 'Observation Status: ',
} as const;

/** The existing adaptor's words for a comparator inside `Component(s): […]`. */
export const COMPARATOR_WORDS: ReadonlyMap<string, string> = new Map([
  ['<', 'Less than'],
  ['<=', 'Less or Equal to'],
  ['>=', 'Greater or Equal to'],
  ['>', 'Greater than'],
]);

/** Statuses of an observation that change how it must be read; `final` and `unknown` are what every receiver assumes. */
export const NOTABLE_STATUSES: ReadonlySet<string> = new Set([
  'registered',
  'preliminary',
  'amended',
  'corrected',
  'cancelled',
  'entered-in-error',
]);
