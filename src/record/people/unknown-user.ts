/** GP Connect wants to know who did each thing. Where nobody is named, one user stands in who is said to be unknown. */
import type {
  AllergyIntolerance,
  Condition,
  Encounter,
  MedicationRequest,
  Observation,
  Practitioner,
  ProcedureRequest,
  Resource,
} from '../../fhir/types.ts';
import { ref } from '../shared/resources.ts';
import { RECORDER } from './terms.ts';

/** The resources with the unknown user wherever a member that names somebody is missing; the user is last, where needed. */
export function withUnknownUser(resources: readonly Resource[], newId: () => string): Resource[] {
  const id = newId();
  const user = ref(`Practitioner/${id}`);
  let used = false;
  const filled = resources.map((resource) => {
    const missing = missingIn(resource, user);
    used ||= missing !== null;
    return missing === null ? resource : { ...resource, ...missing };
  });
  const unknown: Practitioner = { resourceType: 'Practitioner', id, name: [{ family: 'Unknown User' }] };
  return used ? [...filled, unknown] : filled;
}

function missingIn(resource: Resource, user: { reference?: string }): object | null {
  switch (resource.resourceType) {
    case 'Observation':
      return (resource as Observation).performer?.length ? null : { performer: [user] };
    case 'ProcedureRequest':
      return (resource as ProcedureRequest).requester ? null : { requester: { agent: user } };
    case 'Encounter':
      return withRecorder(resource as Encounter, user);
    case 'Condition':
      return (resource as Condition).asserter ? null : { asserter: user };
    case 'MedicationRequest':
      return (resource as MedicationRequest).recorder ? null : { recorder: user };
    case 'AllergyIntolerance':
      return (resource as AllergyIntolerance).recorder ? null : { recorder: user };
    default:
      return null;
  }
}

function withRecorder({ participant = [] }: Encounter, user: { reference?: string }): object | null {
  const recorded = participant.some(({ type }) => type?.some(({ coding }) => coding?.some(({ code }) => code === RECORDER.code)));
  return recorded ? null : { participant: [...participant, { type: [{ coding: [{ ...RECORDER }] }], individual: user }] };
}
