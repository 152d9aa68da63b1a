/** Codes of consultations, their topics and categories, and of the compositions around entries outside consultations. */
import { SNOMED_OID } from '../shared/code-systems.ts';

/** Codes of the Lists that hold a record's consultations together. Matched on the code alone: systems write the system differently. */
export const LISTS = {
  consultations: '1149501000000101',
  consultation: '325851000000107',
  topic: '25851000000105',
  category: '24781000000107',
} as const;

export const UNSPECIFIED_PROBLEM = ['394776006', 'Unspecified problem'] as const;
export const OTHER_CATEGORY = ['394841004', 'Other category'] as const;
export const OTHER_REPORT = ['24591000000103', 'Other report'] as const;
export const HEALTHCARE_ORGANISATION = ['394730007', 'Healthcare related organisation'] as const;

/** What a composition outside consultations is called, by what it holds. */
export const OUTSIDE = {
  data: ['196401000000100', 'Non-consultation data'],
  medication: ['196391000000103', 'Non-consultation medication data'],
  transaction: ['109341000000100', 'GP to GP communication transaction'],
} as const;
export type Outside = keyof typeof OUTSIDE;

/** Compositions with these codes hold entries outside consultations: no encounter is made of them. */
export const NO_ENCOUNTER: ReadonlySet<string> = new Set([OUTSIDE.data[0], OUTSIDE.medication[0]]);

export const CODE_SYSTEM = SNOMED_OID;

/** A problem header names its problem by an extension; a topic names its problem the same way. */
export const RELATED_PROBLEM = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-RelatedProblemHeader-1';

/** The vocabulary of ehrComposition: the only codes an encounter may be sent with as they are. */
export const COMPOSITION_NAMES: ReadonlySet<string> = new Set(
  `24561000000109 37361000000105 37351000000107 37341000000109 37331000000100 15611000000104 37321000000102 24571000000102
  25561000000105 24581000000100 25571000000103 24591000000103 25581000000101 37311000000108 37301000000106 37281000000105
  37291000000107 24601000000109 25591000000104 25601000000105 24611000000106 25611000000107 24621000000100 25631000000104
  25621000000101 25641000000108 24631000000103 25651000000106 24641000000107 25661000000109 24651000000105 24661000000108
  25671000000102 25681000000100 25691000000103 25701000000103 24671000000101 25711000000101 24681000000104 24691000000102
  24701000000102 25741000000100 25731000000109 37271000000108 24711000000100 24721000000106 24881000000103 25751000000102
  25761000000104 24731000000108 25771000000106 25791000000105 25781000000108 24741000000104 25801000000109 109341000000100
  24751000000101 25811000000106`.split(/\s+/),
);
