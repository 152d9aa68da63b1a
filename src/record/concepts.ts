/** The clinical concepts, one list a direction: to read a whole direction, read it from here. */
import type { DiagnosticReport, MedicationRequest, Observation, Reference, Resource } from '../fhir/types.ts';
import { allergyToFhir } from './allergy/to-fhir.ts';
import { allergyToHl7 } from './allergy/to-hl7.ts';
import { bloodPressureToFhir } from './blood-pressure/to-fhir.ts';
import { bloodPressureToHl7, isBloodPressure } from './blood-pressure/to-hl7.ts';
import type { Outside } from './consultation/terms.ts';
import { documentToFhir } from './document/to-fhir.ts';
import { documentToHl7 } from './document/to-hl7.ts';
import { immunisationToFhir } from './immunisation/to-fhir.ts';
import { immunisationToHl7 } from './immunisation/to-hl7.ts';
import { laboratoryToFhir } from './laboratory/to-fhir.ts';
import { reportToHl7 } from './laboratory/to-hl7.ts';
import { commentedOn, heldByReport } from './laboratory/tree.ts';
import { notCarried } from './medication/terms.ts';
import { medicationToFhir } from './medication/to-fhir.ts';
import { medicationToHl7 } from './medication/to-hl7.ts';
import { heldByPanel } from './observation/panel.ts';
import { isCommentNote } from './observation/terms.ts';
import { observationToFhir } from './observation/to-fhir.ts';
import { observationToHl7 } from './observation/to-hl7.ts';
import { planToFhir } from './plan/to-fhir.ts';
import { planToHl7 } from './plan/to-hl7.ts';
import { problemToFhir } from './problem/to-fhir.ts';
import { problemToHl7 } from './problem/to-hl7.ts';
import { referralToFhir } from './referral/to-fhir.ts';
import { referralToHl7 } from './referral/to-hl7.ts';
import type { Concept, MapToFhir, MapToHl7 } from './types.ts';

/** Who maps a resource to HL7. */
export type Hl7Handler = {
  readonly resourceType: string;
  /** Which of that type; all where it is left out. The first that takes a resource maps it. */
  readonly when?: (resource: Resource) => boolean;
  readonly map: MapToHl7<Resource>;
  /** What a composition around one outside consultations is called. */
  readonly outside: Outside;
  /** Resources that are written inside this one's statement and stand nowhere else. */
  readonly holds?: (resource: Resource, find: (reference: Reference | string | undefined) => Resource | undefined) => readonly Resource[];
  /** What the resource is a comment on: where a report holds that, it holds this as well. */
  readonly follows?: (resource: Resource) => readonly Reference[];
  /** Why a resource is not carried at all; undefined for one that is. Asked before places are given, so that no link leads to it. */
  readonly leavesOut?: (resource: Resource) => string | undefined;
};

function handler<R extends Resource>(
  resourceType: R['resourceType'],
  map: MapToHl7<R>,
  outside: Outside,
  more: Pick<Hl7Handler, 'when' | 'holds' | 'follows' | 'leavesOut'> = {},
): Hl7Handler {
  return { resourceType, map: map as MapToHl7<Resource>, outside, ...more };
}

export const TO_HL7: readonly Hl7Handler[] = [
  handler('AllergyIntolerance', allergyToHl7, 'data'),
  handler('Condition', problemToHl7, 'transaction'),
  handler<DiagnosticReport>('DiagnosticReport', reportToHl7, 'transaction', {
    holds: (report, find) => heldByReport(report as DiagnosticReport, find),
  }),
  handler('DocumentReference', documentToHl7, 'data'),
  handler('Immunization', immunisationToHl7, 'data'),
  handler('MedicationRequest', medicationToHl7, 'medication', { leavesOut: (request) => notCarried(request as MedicationRequest) }),
  handler('Observation', bloodPressureToHl7, 'transaction', { when: (observation) => isBloodPressure(observation as Observation) }),
  handler('Observation', observationToHl7, 'transaction', {
    when: (observation) => isCommentNote((observation as Observation).code),
    follows: (note) => commentedOn(note as Observation),
  }),
  handler('Observation', observationToHl7, 'data', { holds: (panel, find) => heldByPanel(panel as Observation, find) }),
  handler('ProcedureRequest', planToHl7, 'data'),
  handler('ReferralRequest', referralToHl7, 'data'),
];

/** Who maps the statements of a concept to FHIR. */
export const TO_FHIR: ReadonlyMap<Concept, MapToFhir> = new Map([
  ['plan', planToFhir],
  ['referral', referralToFhir],
  ['medication', medicationToFhir],
  ['bloodPressure', bloodPressureToFhir],
  ['observation', observationToFhir],
  ['immunisation', immunisationToFhir],
  ['problem', problemToFhir],
  ['document', documentToFhir],
  ['allergy', allergyToFhir],
  ['laboratory', laboratoryToFhir],
]);
