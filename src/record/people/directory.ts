/** The agents of one extract: who was named while it was written, each once, with the id it was named by. */
import type { Organization, Practitioner, PractitionerRole, Reference, Resource } from '../../fhir/types.ts';
import { normalised, typeOf } from '../shared/references.ts';
import type { Remark, Uuid } from '../types.ts';

export type Agent = {
  readonly id: Uuid;
  readonly practitioner: Practitioner | undefined;
  readonly organisation: Organization | undefined;
  readonly role: PractitionerRole | undefined;
  /** The words of a reference that leads nowhere. */
  readonly named: string | undefined;
};

export type Directory = {
  /** The agent for a practitioner (or role) and an organisation; null where neither leads to one, which is reported. */
  agent(practitioner: Reference | undefined, organisation: Reference | undefined, s: { report(remark: Remark): void }): Uuid | null;
  /** Everyone who was asked for, in the order of the first question. */
  agents(): readonly Agent[];
};

type Records = {
  find(reference: Reference | string | undefined): Resource | undefined;
  all(resourceType: string): readonly Resource[];
};

/** An empty directory over a record. */
export function directory(records: Records, newId: () => Uuid): Directory {
  const agents = new Map<string, Agent>();
  /** Who was found, by the words of the question: the same few are asked for at every entry. */
  const found = new Map<string, Uuid>();

  const one = (parts: Omit<Agent, 'id'>, key: string): Uuid => {
    const known = agents.get(key);
    if (known) return known.id;
    const agent = { id: newId(), ...parts };
    agents.set(key, agent);
    return agent.id;
  };

  return {
    agent(who, where, s) {
      const words = `${wordsOf(who)} ${wordsOf(where)}`;
      const known = found.get(words);
      if (known !== undefined) return known;
      const { practitioner, organisation } = split(who, where, records);
      const person = find<Practitioner>(practitioner, 'Practitioner', records);
      const place = find<Organization>(organisation, 'Organization', records);
      if (person || place) {
        const role = person && place && roleOf(practitioner, organisation, records);
        const key = `${person ? normalised(practitioner) : ''} ${place ? normalised(organisation) : ''}`;
        const id = one({ practitioner: person, organisation: place, role, named: undefined }, key);
        found.set(words, id);
        return id;
      }
      const named = who?.display || where?.display || undefined;
      const reference = normalised(who) ?? normalised(where);
      if (reference)
        s.report({ code: 'link.broken', text: `${reference} is nobody the record knows${named ? `: named “${named}”` : ''}.` });
      if (named === undefined) return null;
      return one({ practitioner: undefined, organisation: undefined, role: undefined, named }, `named ${named}`);
    },
    agents: () => [...agents.values()],
  };
}

/** No reference at all is another question than one that says nothing. */
function wordsOf(reference: Reference | undefined): string {
  if (reference === undefined) return 'none';
  return typeof reference.reference === 'string' ? `${reference.reference.length}:${reference.reference}` : 'no words';
}

/** A role stands for its practitioner and organisation; a practitioner alone brings the organisation of the first role they have. */
function split(who: Reference | undefined, where: Reference | undefined, records: Records) {
  const type = typeOf(who);
  if (type === 'PractitionerRole') {
    const role = records.find(who) as PractitionerRole | undefined;
    return { practitioner: role?.practitioner, organisation: where ?? role?.organization };
  }
  if (type === 'Organization') return { practitioner: undefined, organisation: who };
  if (type !== 'Practitioner') return { practitioner: undefined, organisation: where };
  return { practitioner: who, organisation: where ?? firstRole(who, records)?.organization };
}

function firstRole(practitioner: Reference | undefined, records: Records): PractitionerRole | undefined {
  return roles(records).find((role) => normalised(role.practitioner) === normalised(practitioner) && role.organization?.reference);
}

function roleOf(practitioner: Reference | undefined, organisation: Reference | undefined, records: Records) {
  return roles(records).find(
    (role) => normalised(role.practitioner) === normalised(practitioner) && normalised(role.organization) === normalised(organisation),
  );
}

const roles = (records: Records) => records.all('PractitionerRole') as readonly PractitionerRole[];

function find<R extends Resource>(reference: Reference | undefined, type: R['resourceType'], records: Records): R | undefined {
  const found = records.find(reference);
  return found?.resourceType === type ? (found as R) : undefined;
}
