/** The one table of an allergy's codes and labels: what is written on the way to HL7 is read by it on the way to FHIR. */
import type { Labels } from '../shared/labels.ts';

/** The Read v2 code of the compound statement around an allergy. Receivers recognise allergies by it, and tell drugs from the rest. */
export const KINDS = {
  drug: { code: '14L..00', displayName: 'H/O: drug allergy' },
  other: { code: 'SN53.00', displayName: 'Allergy, unspecified' },
} as const;
export type Kind = keyof typeof KINDS;

/**
 * HL7 knows two kinds, FHIR four categories. A biologic (serum, vaccine, antibody) is a medicinal product, so it goes where it locks
 * prescribing; a food goes to the rest. Both are told in words as well.
 */
export const KIND_OF_CATEGORY: ReadonlyMap<string, Kind> = new Map([
  ['medication', 'drug'],
  ['environment', 'other'],
  ['biologic', 'drug'],
  ['food', 'other'],
]);
/** What a receiver makes of a kind when nothing else is said. */
export const CATEGORY_OF_KIND = { drug: 'medication', other: 'environment' } as const;

const DATE = /\d{4}(?:-\d{2}(?:-\d{2}(?: \d{2}:\d{2}:\d{2})?)?)?/;

/** In the order in which they are written. */
export const FACTS = {
  reasonEnded: { label: 'Reason Ended: ' },
  status: { label: 'Status: ', value: /Active|Inactive|Resolved/ },
  verification: { label: 'Verification Status: ', value: /Confirmed|Refuted|Entered In Error/ },
  type: { label: 'Type: ', value: /Allergy|Intolerance/ },
  category: { label: 'Category: ', value: /(?:Food|Medication|Environment|Biologic)(?:, (?:Food|Medication|Environment|Biologic))*/ },
  criticality: { label: 'Criticality: ', value: /Low Risk|High Risk|Unable to Assess Risk/ },
  assertedByPatient: { label: 'Asserted By Patient', value: /(?=\s|$)/ },
  assertedBy: { label: 'Asserted By: ' },
  lastOccurred: { label: 'Last Occurred: ', value: DATE },
  recordedByPatient: { label: 'Recorded By Patient', value: /(?=\s|$)/ },
  reactions: { label: 'Reaction 1 ' },
} as const satisfies Labels<string>;

/** Parts of one reaction; they stand between `Reaction 1 ` and the next one. */
export const REACTION = {
  description: { label: 'Description: ' },
  exposureRoute: { label: 'Exposure Route: ' },
  severity: { label: 'Severity: ', value: /MILD|MODERATE|SEVERE/ },
  manifestations: { label: 'Manifestation(s): ' },
  substance: { label: 'Substance: ' },
  onset: { label: 'Onset: ', value: DATE },
  note: { label: 'Note: ' },
} as const satisfies Labels<string>;

/** Stands last, behind the notes. */
export const END_DATE = {
  label: 'End Date: ',
  atEnd: /(?:^|\s)End Date: (\d{4}(?:-\d{2}(?:-\d{2}(?: \d{2}:\d{2}:\d{2})?)?)?)\s*$/,
} as const;

export const RELATED_PERSON = 'Related Person';
/** A reason that GP Connect demands and that says nothing. */
export const NO_INFORMATION = 'No information available';

/** FHIR codes and the words for them. */
export const WORDS = {
  status: { active: 'Active', inactive: 'Inactive', resolved: 'Resolved' },
  /** Unconfirmed is what every receiver takes an imported allergy for, and is not written. */
  verification: { confirmed: 'Confirmed', refuted: 'Refuted', 'entered-in-error': 'Entered In Error' },
  type: { allergy: 'Allergy', intolerance: 'Intolerance' },
  category: { food: 'Food', medication: 'Medication', environment: 'Environment', biologic: 'Biologic' },
  criticality: { low: 'Low Risk', high: 'High Risk', 'unable-to-assess': 'Unable to Assess Risk' },
  severity: { mild: 'MILD', moderate: 'MODERATE', severe: 'SEVERE' },
} as const satisfies Record<string, Record<string, string>>;

/** The words for a code, or undefined. */
export function wordsOf(table: Readonly<Record<string, string>>, code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(table, code) ? table[code] : undefined;
}

/** The code for some words, or undefined. */
export function codeOf(table: Readonly<Record<string, string>>, words: string | undefined): string | undefined {
  return words === undefined ? undefined : Object.keys(table).find((code) => table[code] === words);
}

export const ALLERGY_END = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-AllergyIntoleranceEnd-1';
export const ASSOCIATED_ENCOUNTER = 'http://hl7.org/fhir/StructureDefinition/encounter-associatedEncounter';
