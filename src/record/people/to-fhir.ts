/** The agent directory of an extract as Practitioners, Organizations and PractitionerRoles. */
import type {
  Address,
  CodeableConcept,
  ContactPoint,
  HumanName,
  Organization,
  Practitioner,
  PractitionerRole,
  Resource,
} from '../../fhir/types.ts';
import { at, attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { fhirSystem } from '../shared/code-systems.ts';
import { ref } from '../shared/resources.ts';
import { furtherIds, idOf } from '../shared/statements.ts';
import type { Uuid } from '../types.ts';
import { GMP_URI, ODS_OID, ODS_URI, UNKNOWN } from './terms.ts';

type Person = { readonly reference: string; readonly resource: Practitioner };
export type People = {
  readonly resources: readonly Resource[];
  /** By agent id, in upper case. */
  readonly practitioners: ReadonlyMap<Uuid, Person>;
  /** `Organization/…` of agents that are no person, by agent id, in upper case. */
  readonly organisations: ReadonlyMap<Uuid, string>;
  /** `Organization/…` by ODS code. */
  readonly byOds: ReadonlyMap<string, string>;
  /** Who each resource was made from: its agents. */
  readonly agents: readonly (readonly [Resource, XmlElement])[];
  /** The first organisation of the directory: the patient's practice. */
  readonly first: string | undefined;
};

const PROFILE = 'https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-';
const meta = (profile: string) => ({ profile: [`${PROFILE}${profile}`] });

/** All agents of all folders of an extract, in document order. */
export function peopleToFhir(extract: XmlElement): People {
  const resources: Resource[] = [];
  const practitioners = new Map<Uuid, Person>();
  const organisations = new Map<Uuid, string>();
  const byOds = new Map<string, string>();
  const agents: (readonly [Resource, XmlElement])[] = [];
  const add = (resource: Resource, agent: XmlElement) => {
    resources.push(resource);
    agents.push([resource, agent]);
  };

  const organisation = (agent: XmlElement, from: XmlElement, id: string, type: CodeableConcept | undefined): string => {
    const made = organisationToFhir(from, id, type);
    const ods = made.identifier?.[0]?.value?.toUpperCase();
    const known = ods === undefined ? undefined : byOds.get(ods);
    const same = known && resources.find((one) => `Organization/${one.id}` === known);
    if (same) {
      agents.push([same, agent]);
      return known;
    }
    const reference = `Organization/${id}`;
    add(made, agent);
    if (ods !== undefined) byOds.set(ods, reference);
    return reference;
  };

  for (const agent of agentsIn(extract)) {
    const id = idOf(agent);
    const key = id.toUpperCase();
    if (id === '' || practitioners.has(key) || organisations.has(key)) continue;
    const person = child(agent, 'agentPerson');
    const represented = child(agent, 'representedOrganization');
    const itself = child(agent, 'agentOrganization');
    const code = postOf(child(agent, 'code'));
    if (person) {
      const resource = practitionerToFhir(agent, person, id);
      practitioners.set(key, { reference: `Practitioner/${id}`, resource });
      add(resource, agent);
      if (represented) add(role(id, organisation(agent, represented, `${id}-ORG`, undefined), code), agent);
    } else if (itself) organisations.set(key, organisation(agent, itself, id, code));
    else if (represented) organisations.set(key, organisation(agent, represented, id, undefined));
  }
  const first = resources.find(({ resourceType }) => resourceType === 'Organization');
  return { resources, practitioners, organisations, byOds, agents, first: first && `Organization/${first.id}` };
}

function agentsIn(extract: XmlElement): XmlElement[] {
  return children(extract, 'component')
    .flatMap((component) => children(component, 'ehrFolder'))
    .flatMap((folder) => children(at(folder, 'responsibleParty', 'agentDirectory'), 'part'))
    .flatMap((part) => children(part, 'Agent'));
}

function practitionerToFhir(agent: XmlElement, person: XmlElement, id: string): Practitioner {
  const gmp = furtherIds(agent)[0]?.extension;
  return {
    resourceType: 'Practitioner',
    id,
    meta: meta('Practitioner-1'),
    ...(gmp && { identifier: [{ system: GMP_URI, value: gmp }] }),
    name: [{ use: 'official', ...nameToFhir(child(person, 'name')) }],
  };
}

/** By its parts where there is a family name, else as one text. */
function nameToFhir(name: XmlElement | undefined): HumanName {
  const part = (element: string) =>
    children(name, element)
      .map(textOf)
      .filter((text) => text.trim() !== '');
  const [family] = part('family');
  const given = part('given');
  const prefix = part('prefix');
  if (family) return { family, ...(given.length && { given }), ...(prefix.length && { prefix: prefix.slice(0, 1) }) };
  const bare = name?.children
    .filter((node) => typeof node === 'string')
    .join('')
    .trim();
  return { text: [...prefix.slice(0, 1), ...given].join(' ') || bare || UNKNOWN };
}

function organisationToFhir(from: XmlElement, id: string, type: CodeableConcept | undefined): Organization {
  const ods = children(from, 'id').find((one) => attr(one, 'root') === ODS_OID && attr(one, 'extension'));
  const phone = telecomToFhir(child(from, 'telecom'));
  const address = addressToFhir(child(from, 'addr'));
  return {
    resourceType: 'Organization',
    id,
    meta: meta('Organization-1'),
    ...(ods && { identifier: [{ system: ODS_URI, value: attr(ods, 'extension') ?? '' }] }),
    ...(type && { type: [type] }),
    name: textOf(child(from, 'name')) || UNKNOWN,
    ...(phone && { telecom: [phone] }),
    ...(address && { address: [address] }),
  };
}

/** A work number begins with `tel:`, or should. */
export function telecomToFhir(telecom: XmlElement | undefined): ContactPoint | undefined {
  const value = attr(telecom, 'value')?.replace(/^tel:/i, '').trim();
  return value ? { system: 'phone', use: 'work', rank: 1, value } : undefined;
}

export function addressToFhir(addr: XmlElement | undefined): Address | undefined {
  if ((attr(addr, 'use') ?? '').trim().split(/\s+/)[0] !== 'WP') return undefined;
  const line = children(addr, 'streetAddressLine')
    .map(textOf)
    .filter((text) => text !== '');
  const postalCode = textOf(child(addr, 'postalCode'));
  return { use: 'work', type: 'physical', ...(line.length && { line }), ...(postalCode && { postalCode }) };
}

/** What somebody is at their organisation. Only words are certain here, so nothing is looked up. */
function postOf(code: XmlElement | undefined): CodeableConcept | undefined {
  const text = textOf(child(code, 'originalText'));
  const display = attr(code, 'displayName');
  if (!text && !display) return undefined;
  const codeSystem = attr(code, 'codeSystem');
  const value = attr(code, 'code')?.trim();
  const coding = { ...(codeSystem && { system: fhirSystem(codeSystem) }), ...(value && { code: value }), ...(display && { display }) };
  return { ...(Object.keys(coding).length && { coding: [coding] }), ...(text && { text }) };
}

function role(id: string, organisation: string, code: CodeableConcept | undefined): PractitionerRole {
  return {
    resourceType: 'PractitionerRole',
    id: `${id}-PR`,
    meta: meta('PractitionerRole-1'),
    practitioner: ref(`Practitioner/${id}`),
    organization: ref(organisation),
    ...(code && { code: [code] }),
  };
}
