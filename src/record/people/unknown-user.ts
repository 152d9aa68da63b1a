/** GP Connect wants to know who did each thing. Where nobody is named, one user stands in who is said to be unknown. */
import type {
  AllergyIntolerance,
  Condition,
  Encounter,
  MedicationRequest,
  Observation,
  Practitioner,
  ProcedureRequest,
  Reference,
  Resource,
} from '../../fhir/types.ts';
import { ref } from '../shared/resources.ts';
import { RECORDER } from './terms.ts';

/** Stands in wherever a member that names somebody is missing. */
export class UnknownUser {
  readonly #user: Practitioner;
  #used = false;

  constructor(id: string) {
    this.#user = { resourceType: 'Practitioner', id, name: [{ family: 'Unknown User' }] };
  }

  /** The resource, with this user where nobody is named. */
  standsIn(resource: Resource): Resource {
    const missing = missingIn(resource, ref(`Practitioner/${this.#user.id}`));
    if (missing === null) return resource;
    this.#used = true;
    return { ...resource, ...missing };
  }

  /** The user, where needed. */
  get resource(): Practitioner | undefined {
    return this.#used ? this.#user : undefined;
  }
}

function missingIn(resource: Resource, user: Reference): object | null {
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

function withRecorder({ participant = [] }: Encounter, user: Reference): object | null {
  const recorded = participant.some(({ type }) => type?.some(({ coding }) => coding?.some(({ code }) => code === RECORDER.code)));
  return recorded ? null : { participant: [...participant, { type: [{ coding: [{ ...RECORDER }] }], individual: user }] };
}
