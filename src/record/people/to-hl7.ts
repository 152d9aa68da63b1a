/** The agent directory of an extract. */
import type { Address, ContactPoint, HumanName, Organization } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { writeXml } from '../../xml/write.ts';
import { codedAsText } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { id } from '../shared/statements.ts';
import type { Uuid } from '../types.ts';
import type { Agent } from './directory.ts';
import { UNKNOWN } from './terms.ts';

/**
 * `<responsibleParty>` with the directory: the patient's practice first, then everyone who was named. A directory has to name
 * somebody: without any agent it names an unknown one.
 */
export function agentDirectory(practice: Agent | undefined, agents: readonly Agent[], newId: () => Uuid): XmlElement {
  const others = agents.filter((agent) => agent.id !== practice?.id);
  const parts = [...(practice ? [practice] : []), ...others].map(partOrUnknown);
  if (parts.length === 0) parts.push(part(newId(), UNKNOWN, person(h('family', null, UNKNOWN)), null));
  return h('responsibleParty', { typeCode: 'RESP' }, h('agentDirectory', { classCode: 'AGNT' }, parts));
}

/** Somebody whose name is of impossible shape is still somebody, to whom statements refer. */
function partOrUnknown(agent: Agent): XmlElement {
  try {
    const written = agentPart(agent);
    writeXml(written);
    return written;
  } catch {
    return part(agent.id, UNKNOWN, person(h('family', null, UNKNOWN)), null);
  }
}

/** One agent: a person, with the organisation they act for, or an organisation, which is written as a person of that name. */
export function agentPart(agent: Agent): XmlElement {
  const { practitioner, organisation, role } = agent;
  if (practitioner) {
    const coding = role?.code?.[0];
    const post = coding?.coding?.[0]?.display ?? coding?.text ?? UNKNOWN;
    return part(agent.id, post, person(...personName(practitioner.name?.[0])), organisation ? represented(organisation) : null);
  }
  const name = organisation ? organisation.name : agent.named;
  return part(agent.id, UNKNOWN, name ? person(h('family', null, name)) : null, null);
}

function part(agentId: Uuid, post: string, agentPerson: XmlElement | null, organisation: XmlElement | null): XmlElement {
  return h('part', { typeCode: 'PART' }, h('Agent', { classCode: 'AGNT' }, id(agentId), codedAsText(post), agentPerson, organisation));
}

function person(...name: readonly (XmlElement | string)[]): XmlElement {
  return h('agentPerson', { classCode: 'PSN', determinerCode: 'INSTANCE' }, h('name', null, name));
}

/** Names by their parts; a name that is only a text stays one. */
function personName(name: HumanName | undefined): (XmlElement | string)[] {
  // Some systems send one text where FHIR has a list.
  const given = joined([name?.given ?? []].flat());
  const prefix = joined([name?.prefix ?? []].flat());
  const family = name?.family;
  if (!given && !family && name?.text) return [name.text];
  return [
    ...(prefix ? [h('prefix', null, prefix)] : []),
    ...(given ? [h('given', null, given)] : []),
    ...(family || !given ? [h('family', null, family || UNKNOWN)] : []),
  ];
}

/** Without an id: SystmOne does not show people whose organisation carries one. */
function represented(organisation: Organization): XmlElement {
  return h(
    'representedOrganization',
    { classCode: 'ORG', determinerCode: 'INSTANCE' },
    organisation.name ? h('name', null, organisation.name) : null,
    telecom(organisation.telecom),
    address(organisation.address?.[0]),
  );
}

function telecom(points: readonly ContactPoint[] | undefined): XmlElement | null {
  const phone = points?.find((point) => point.system === 'phone' && point.use === 'work' && point.value);
  return phone ? h('telecom', { value: `tel:${phone.value}`, use: 'WP' }) : null;
}

const USES: ReadonlyMap<string, string> = new Map([
  ['home', 'H'],
  ['work', 'WP'],
  ['temp', 'TMP'],
]);

function address(of: Address | undefined): XmlElement | null {
  const lines = [...(of?.line ?? []), of?.city].filter((line) => line);
  if (!of || (lines.length === 0 && !of.postalCode)) return null;
  return h(
    'addr',
    { use: USES.get(of.use ?? '') },
    lines.map((line) => h('streetAddressLine', null, line)),
    of.postalCode ? h('postalCode', null, of.postalCode) : null,
  );
}
