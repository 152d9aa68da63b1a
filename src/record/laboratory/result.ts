/** A result inside a report: its statement, its comments, and the members of a test group. */
import type { Observation, Reference } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { noteText } from '../observation/annotation.ts';
import { interpretationToHl7 } from '../observation/interpretation.ts';
import { membersOf } from '../observation/panel.ts';
import { rangeToHl7 } from '../observation/range.ts';
import { reportBroken } from '../observation/statement.ts';
import { isCommentNote } from '../observation/terms.ts';
import { codedToHl7 } from '../shared/coded.ts';
import { PMIP } from '../shared/comment.ts';
import { madeOrWords } from '../shared/degrade.ts';
import { quantityToHl7, uncertaintyToHl7 } from '../shared/quantity.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { component, id, statusComplete } from '../shared/statements.ts';
import { availabilityTime, availableOfObservation, effectiveOfObservation, hl7Time } from '../shared/times.ts';
import type { ToHl7, Uuid } from '../types.ts';
import { resultTexts } from './comment.ts';
import { pmipNarrative } from './narrative.ts';
import { PLACEHOLDER } from './terms.ts';

/** `mine`: whether a member stands in this report. `written`: what stands in it already, so that nothing stands twice and rings end. */
export type Inside = {
  readonly s: ToHl7;
  readonly mine: (reference: Reference) => boolean;
  readonly written: Set<Observation>;
  /** What the report lists itself. */
  readonly listed?: ReadonlySet<Observation>;
  readonly reportStatus?: string | undefined;
};

/**
 * The statements of one result directly under its specimen. A result with comments is a CLUSTER of both; one with members a
 * BATTERY, or a CLUSTER where its members are comments only. `apart`: comments stand beside the result, not in a cluster with it;
 * that is for results that no report names.
 */
export function resultStatements(result: Observation, statementId: Uuid, inside: Inside, apart = false): readonly XmlElement[] {
  return guarded(result, statementId, inside, () => wholeResult(result, statementId, inside, apart));
}

/** A faulty result costs itself: its members stand beside its words. */
function guarded(result: Observation, statementId: Uuid, inside: Inside, made: () => readonly XmlElement[]): readonly XmlElement[] {
  const { s, mine, written } = inside;
  written.add(result);
  const before = written.size;
  return madeOrWords(result, statementId, s, made, () => {
    for (const lost of [...written].slice(before)) written.delete(lost);
    const members = membersOf(result, s.find).filter((member) => mine(member.reference));
    return members.flatMap((member) => memberStatements(member.observation, member.reference, inside));
  });
}

function wholeResult(result: Observation, statementId: Uuid, inside: Inside, apart: boolean): XmlElement[] {
  reportBroken(result, inside.s);
  const parts = partsOf(result, inside);
  const isGroup = parts.members.some(({ observation }) => isCoded(observation));
  const ids = idsFrom(statementId, inside.s);
  const hasWords = resultTexts(result, false, QUIET, inside.reportStatus).length > 0;
  const isWordsOnly = !result.code && !result.valueQuantity && hasWords;
  if (!result.code && !isWordsOnly) inside.s.report({ code: 'code.degraded', text: 'A result without a code; it travels as unknown.' });
  if (parts.members.length === 0 && (apart || isWordsOnly || !hasWords))
    return [...(isWordsOnly ? [] : [statement(result, ids(), parts)]), ...narratives(result, ids, parts, false, inside)];
  const compoundId = isGroup ? ids() : inside.s.newId();
  const own = isGroup ? [] : [statement(result, ids(), parts)];
  const inner = [
    ...own,
    ...narratives(result, ids, parts, isGroup, inside),
    ...parts.members.flatMap(({ reference, observation }) => memberStatements(observation, reference, inside)),
  ];
  return [compound(isGroup ? 'BATTERY' : 'CLUSTER', result, compoundId, parts, inner)];
}

/** Stands where a report has a specimen without any result. */
export function emptyResult(s: ToHl7): XmlElement {
  return pmipNarrative(s.newId(), PMIP.aggregate, 'UNK', PLACEHOLDER.report, availabilityTime(null));
}

/** A comment of a user: of whoever filed a report or looked at a result. */
export function userComment(statementId: Uuid, comment: string, parts: Pick<Parts, 'available' | 'redaction'>): XmlElement {
  return pmipNarrative(statementId, PMIP.user, dateOf(parts.available), comment, parts.available, parts.redaction);
}

type Parts = {
  readonly effective: XmlElement;
  readonly available: XmlElement;
  readonly redaction: XmlElement | null;
  readonly members: readonly { readonly reference: Reference; readonly observation: Observation }[];
};

/** What the statements of one observation share, made once. */
export function partsOf(observation: Observation, inside: Inside): Parts {
  const { s } = inside;
  return {
    effective: effectiveOfObservation(observation, s),
    available: availabilityTime(
      availableOfObservation(observation, s) ?? (isCommentNote(observation.code) ? hl7Time(observation.issued, s) : null),
    ),
    redaction: redactionToHl7(observation, s),
    members: withNotes(observation, inside).filter((member) => inside.mine(member.reference) && !inside.written.has(member.observation)),
  };
}

/** Some systems tell only from the comment what it is a comment on. Those that the report lists are its own. */
function withNotes(observation: Observation, { s, listed }: Inside): Parts['members'] {
  const members = membersOf(observation, s.find);
  const known = new Set([...members.map((member) => member.observation), ...(listed ?? [])]);
  const notes = s.notesOn(`Observation/${observation.id}`).filter((note) => !known.has(note));
  return [...members, ...notes.map((note) => ({ reference: { reference: `Observation/${note.id}` }, observation: note }))];
}

const isCoded = (observation: Observation) => observation.code !== undefined && !isCommentNote(observation.code);
const QUIET = { report: () => {} };

/** The result's own id for the statement that stands for it, others for the rest. */
function idsFrom(statementId: Uuid, s: ToHl7): () => Uuid {
  let unused: Uuid | undefined = statementId;
  return () => {
    const next = unused ?? s.newId();
    unused = undefined;
    return next;
  };
}

function compound(
  classCode: 'BATTERY' | 'CLUSTER',
  of: Observation,
  compoundId: Uuid,
  parts: Parts,
  inner: readonly XmlElement[],
): XmlElement {
  return h(
    'CompoundStatement',
    { classCode, moodCode: 'EVN' },
    id(compoundId),
    codedToHl7(of.code),
    statusComplete(),
    parts.effective,
    parts.available,
    parts.redaction,
    inner.map((one) => component(one, true)),
  );
}

function statement(of: Observation, statementId: Uuid, parts: Parts): XmlElement {
  const value = quantityToHl7(of.valueQuantity);
  return h(
    'ObservationStatement',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(statementId),
    codedToHl7(of.code),
    statusComplete(),
    parts.effective,
    parts.available,
    parts.redaction,
    value && uncertaintyToHl7(of.valueQuantity),
    value,
    interpretationToHl7(of.interpretation),
    value && of.referenceRange?.map((range) => rangeToHl7(range, false)),
  );
}

function narratives(of: Observation, ids: () => Uuid, parts: Parts, group: boolean, { s, reportStatus }: Inside): XmlElement[] {
  return resultTexts(of, group, s, reportStatus).map((text) =>
    pmipNarrative(ids(), PMIP.aggregate, dateOf(parts.available), text, parts.available, parts.redaction),
  );
}

/** The date line of a comment; a comment without a date says so. */
const dateOf = (available: XmlElement) => (available.attributes[0] === 'value' ? (available.attributes[1] ?? 'UNK') : 'UNK');

/** A member of a group: a comment, a result, or a group again. */
export function memberStatements(member: Observation, reference: Reference, inside: Inside): readonly XmlElement[] {
  const { s, written } = inside;
  if (written.has(member)) return [];
  const statementId = s.statementId(reference) ?? s.newId();
  return guarded(member, statementId, inside, () => wholeMember(member, statementId, inside));
}

function wholeMember(member: Observation, statementId: Uuid, inside: Inside): readonly XmlElement[] {
  const { s, written } = inside;
  const parts = partsOf(member, inside);
  if (isCommentNote(member.code)) {
    const answers = parts.members.flatMap(({ reference: to, observation }) => memberStatements(observation, to, inside));
    return [userComment(statementId, noteText(member, [], s), parts), ...answers];
  }
  const comments = parts.members.filter(({ observation }) => isCommentNote(observation.code));
  if (comments.length < parts.members.length || (comments.length > 0 && isCoded(member)))
    return wholeResult(member, statementId, inside, false);
  // One narrative for all comments on a member that has no code of its own, as receivers know it.
  for (const { observation } of comments) written.add(observation);
  const ids = idsFrom(statementId, s);
  const own = isCoded(member) ? [statement(member, ids(), parts)] : [];
  const texts = comments.flatMap(({ observation }) => noteText(observation, [], s) || []);
  const notes = [
    ...narratives(member, ids, parts, false, inside),
    ...(texts.length ? [userComment(ids(), texts.map((text) => `\n${text}`).join(''), parts)] : []),
  ];
  if (own.length === 0 && notes.length === 0) return [statement(member, ids(), parts)];
  return own.length && notes.length ? [compound('CLUSTER', member, s.newId(), parts, [...own, ...notes])] : [...own, ...notes];
}
