/** Parts that HL7 statements of several concepts share. Child order is the schema's and is the caller's to keep. */
import type { Hl7Time } from '../../base/hl7-time.ts';
import { attr, child, children, h, textOf, type XmlElement } from '../../xml/element.ts';
import type { Uuid } from '../types.ts';
import { timeElement, timeOf } from './times.ts';

// ---- sending

/** A statement inside another one. `conducts` says that the context of the outer one holds inside. */
export function component(statement: XmlElement, conducts = false): XmlElement {
  return h('component', { typeCode: 'COMP', contextConductionInd: conducts ? 'true' : null }, statement);
}

export function id(root: Uuid): XmlElement {
  return h('id', { root });
}

export function statusComplete(): XmlElement {
  return h('statusCode', { code: 'COMPLETE' });
}

/** `<Participant>` for an agent of the directory; null where there is neither an agent nor a time to tell. */
export function participant(typeCode: 'PRF' | 'AUT' | 'ENT', agent: Uuid | null, at: Hl7Time | null = null): XmlElement | null {
  if (agent === null && at === null) return null;
  return h('Participant', { typeCode, contextControlCode: 'OP' }, at === null ? null : timeElement('time', at), agentRef(agent));
}

/** `<agentRef>`; an agent nobody knows is written as unknown where the schema demands one. */
export function agentRef(agent: Uuid | null): XmlElement {
  return h('agentRef', { classCode: 'AGNT' }, agent === null ? h('id', { nullFlavor: 'UNK' }) : id(agent));
}

/** `<pertinentInformation>` with an annotation; null where there are no words. */
export function annotation(text: string, sequence = '+1'): XmlElement | null {
  if (text === '') return null;
  return h(
    'pertinentInformation',
    { typeCode: 'PERT' },
    h('sequenceNumber', { value: sequence }),
    h('pertinentAnnotation', { classCode: 'OBS', moodCode: 'EVN' }, h('text', null, text)),
  );
}

/**
 * A NarrativeStatement. `text` is words, or a `<text>` element of the caller's; `after` what follows `availabilityTime`:
 * confidentiality, participants, references, in that order.
 */
export function narrative(
  statementId: Uuid,
  text: string | XmlElement,
  availability: XmlElement,
  ...after: readonly (XmlElement | null)[]
): XmlElement {
  return h(
    'NarrativeStatement',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(statementId),
    typeof text === 'string' ? h('text', null, text) : text,
    statusComplete(),
    availability,
    after,
  );
}

// ---- requesting

/** The root of the first `id` of a statement, as it stands. '' for none. */
export function idOf(statement: XmlElement | undefined): Uuid {
  return attr(child(statement, 'id'), 'root') ?? '';
}

/** The ids of a statement after its first: `root` and `extension`. */
export function furtherIds(statement: XmlElement): { root: string; extension: string }[] {
  return children(statement, 'id')
    .slice(1)
    .map((element) => ({ root: attr(element, 'root') ?? '', extension: attr(element, 'extension') ?? '' }));
}

/** Statements that stand directly inside a composition or a compound statement, in order. */
export function statementsIn(parent: XmlElement): XmlElement[] {
  return children(parent, 'component').flatMap((element) => children(element).filter((inner) => STATEMENTS.has(inner.name)));
}

const STATEMENTS: ReadonlySet<string> = new Set([
  'CompoundStatement',
  'EhrEmpty',
  'LinkSet',
  'MedicationStatement',
  'NarrativeStatement',
  'ObservationStatement',
  'PlanStatement',
  'RegistrationStatement',
  'RequestStatement',
]);

/** Every statement below a composition or compound statement, outer before inner, in document order. */
export function* allStatementsIn(parent: XmlElement): Generator<XmlElement> {
  for (const statement of statementsIn(parent)) {
    yield statement;
    if (statement.name === 'CompoundStatement') yield* allStatementsIn(statement);
  }
}

export const textIn = (statement: XmlElement) => textOf(child(statement, 'text'));

/** First of `classCode` or `typeCode`, which may be lists. */
export function firstCode(element: XmlElement | undefined, name: 'classCode' | 'typeCode' | 'moodCode'): string {
  return (attr(element, name) ?? '').trim().split(/\s+/)[0] ?? '';
}

/** The agent that did it: PPRF before PRF among the statement's participants, else whoever took part in the composition. */
export function performerOf(statement: XmlElement, composition: XmlElement): Uuid | undefined {
  const own = participantsOf(statement, 'Participant');
  const best = own.find((p) => p.type === 'PPRF') ?? own.find((p) => p.type === 'PRF') ?? participantsOf(composition, 'Participant2')[0];
  return best?.agent;
}

/** Participants with an agent, in order; null-flavoured ones are left out. */
export function participantsOf(of: XmlElement, name: 'Participant' | 'Participant2'): { readonly type: string; readonly agent: Uuid }[] {
  return children(of, name).flatMap((element) => {
    const agent = attr(element, 'nullFlavor') === undefined ? agentIn(element) : undefined;
    return agent === undefined ? [] : [{ type: firstCode(element, 'typeCode'), agent }];
  });
}

/** The agent of a participant, author or responsible party; undefined where unknown. */
export function agentIn(element: XmlElement | undefined): Uuid | undefined {
  return attr(child(child(element, 'agentRef'), 'id'), 'root');
}

/** Who recorded a composition, and when. */
export function authorOf(composition: XmlElement): { agent: Uuid | undefined; time: XmlElement | undefined } {
  const author = child(composition, 'author');
  if (attr(author, 'nullFlavor') !== undefined) return { agent: undefined, time: undefined };
  const time = child(author, 'time');
  return { agent: agentIn(author), time: timeOf(time) === undefined ? undefined : time };
}
