/** The one table of a problem's codes, extensions and labels: what is written on the way to HL7 is read by it on the way to FHIR. */
import type { Condition, Extension, Reference } from '../../fhir/types.ts';
import type { Labels } from '../shared/labels.ts';

const CARE_CONNECT = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-';
/** As some systems call it, by an earlier draft. */
const ACTUAL_PROBLEM_BEFORE = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-ActualProblem-1';
export const SIGNIFICANCE = `${CARE_CONNECT}ProblemSignificance-1`;
export const ACTUAL_PROBLEM = `${CARE_CONNECT}ActualProblem-1`;
export const RELATED_CONTENT = `${CARE_CONNECT}RelatedClinicalContent-1`;
export const RELATED_PROBLEM = `${CARE_CONNECT}RelatedProblemHeader-1`;
export const CATEGORY = {
  system: 'https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1',
  code: 'problem-list-item',
  display: 'Problem List Item',
} as const;

export const STATUS = {
  active: { code: '394774009', displayName: 'Active Problem' },
  inactive: { code: '394775005', displayName: 'Inactive Problem' },
} as const;
/** HL7 knows two states, FHIR five. The others go where they are nearest, and are told in words. */
export const STATUS_OF: ReadonlyMap<string, keyof typeof STATUS> = new Map([
  ['active', 'active'],
  ['inactive', 'inactive'],
  ['recurrence', 'active'],
  ['remission', 'inactive'],
  ['resolved', 'inactive'],
]);

export const IMPORTANCE = {
  major: { code: '386134007', displayName: 'Significant' },
  minor: { code: '394847000', displayName: 'Unspecified significance' },
} as const;

/** What stands as the code of the statement made for a problem whose actual problem is no observation. */
export const TRANSFORMED = { code: '55607006', displayName: 'Problem' } as const;

/** Before the facts and notes of a problem, in the annotation of its statement. */
export const PROBLEM_INFO = 'Problem Info: ';

/** In the order in which they are written; the notes follow behind their own label. */
export const FACTS = {
  status: { label: 'Problem Status: ', value: /Recurrence|Remission|Resolved/ },
  verification: { label: 'Verification Status: ', value: /Provisional|Differential|Confirmed|Refuted|Entered In Error|Unknown/ },
  severity: { label: 'Severity: ' },
  bodySite: { label: 'Body Site: ' },
  relatedProblem: { label: 'Related Problem: ' },
} as const satisfies Labels<string>;
export const NOTES = 'Problem Notes: ';
/** Between notes. The existing adaptor ends them with a blank instead, so that nobody can tell them apart again. */
export const NOTE_SEPARATOR = ';\n';

export const WORDS = {
  status: { recurrence: 'Recurrence', remission: 'Remission', resolved: 'Resolved' },
  verification: {
    provisional: 'Provisional',
    differential: 'Differential',
    confirmed: 'Confirmed',
    refuted: 'Refuted',
    'entered-in-error': 'Entered In Error',
    unknown: 'Unknown',
  },
} as const satisfies Record<string, Record<string, string>>;

/** What a problem is to a related one, by what that one is to it. */
export const RELATION: ReadonlyMap<string, string> = new Map([
  ['parent', 'Child of '],
  ['child', 'Parent of '],
  ['sibling', 'Sibling of '],
]);
export const OTHER_RELATION = 'Unknown relationship with ';
/** Between related problems. */
export const NEXT_RELATION = /\s(?=(?:Child of|Parent of|Sibling of|Unknown relationship with)\s)/;

/** Stands last, where the code of the statement could not be that of the problem. */
export const TRANSFORMED_FROM = {
  write: (resourceType: string, words: string) => `Transformed ${resourceType} problem header Originally coded: ${words}`,
  read: /(?:^|\s)Transformed \w+ problem header Originally coded:(?: ([\s\S]*))?$/,
} as const;

/** Notes that a receiver adds by itself. They are not sent on, or each transfer would add them again. */
export const ADDED_NOTES = {
  minor: 'Defaulted to Minor',
  status: 'Defaulted status to active : Unknown status at source',
} as const;

/** The first value of an extension. */
export function extensionOf(resource: { extension?: Extension[] }, url: string): Extension | undefined {
  return resource.extension?.find((extension) => extension.url === url);
}

/** What a Condition says the problem really is. */
export function actualProblemOf(condition: Condition): Reference | undefined {
  return (extensionOf(condition, ACTUAL_PROBLEM) ?? extensionOf(condition, ACTUAL_PROBLEM_BEFORE))?.valueReference;
}
