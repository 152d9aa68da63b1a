/**
 * What a decision was made from, small enough to be kept beside it: with the transfer as it was before, the same decision can be made
 * again, elsewhere and later. A message is named, it is in the inbox; bytes are counted, they are in the object store.
 */
import { type Content, type NonEmpty, type Piece, pieceLength } from '../base/content.ts';
import { messageId } from '../base/ids.ts';
import type { Document, Event, Facts, JobResult, Received } from './types.ts';

type Body<E extends Event> = E extends Event ? Omit<E, 'id' | 'at' | 'by'> : never;
type Written = Extract<Extract<JobResult, { job: 'toHl7' }>['answer'], { converted: true }>;
type KeptResult =
  | Exclude<JobResult, { job: 'toHl7' }>
  /** The documents are those of the list that was fetched. */
  | {
      readonly job: 'toHl7';
      readonly answer: Exclude<Extract<JobResult, { job: 'toHl7' }>['answer'], Written> | Omit<Written, 'documents'>;
    };
export type KeptEvent =
  | Exclude<Body<Event>, { kind: 'arrived' } | { kind: 'done' }>
  /** `of`: what it answers, by the id under which the transfer knows that. */
  | { readonly kind: 'arrived'; readonly fromPartyKey: string; readonly messageId: string; readonly of?: string | null }
  | { readonly kind: 'done'; readonly result: KeptResult };
export type Basis = Pick<Facts, 'now' | 'part' | 'recordMissing' | 'refersTo' | 'own'> & {
  readonly event: KeptEvent;
  /** The ids that the decision drew, in order; of a record's many parts only the first. */
  readonly drawn: readonly string[];
};

/** Ids that are kept. What draws more numbers the parts of a record, which are known by their own table. */
const DRAWN = 64;

/** Facts that remember the ids which are drawn from them. */
export function remembering(facts: Facts): { readonly facts: Facts; readonly drawn: readonly string[] } {
  const drawn: string[] = [];
  const newId = (): string => {
    const id = facts.newId();
    if (drawn.length < DRAWN) drawn.push(id);
    return id;
  };
  return { facts: { ...facts, newId }, drawn };
}

export function basisOf(event: Event, { now, part, recordMissing, refersTo, own }: Facts, drawn: readonly string[]): Basis {
  const { ods, asid, partyKey, redactions, filing, messageLimit } = own;
  return {
    event: kept(event),
    now,
    part,
    recordMissing,
    refersTo,
    own: { ods, asid, partyKey, redactions, filing, messageLimit },
    drawn,
  };
}

function kept(event: Event): KeptEvent {
  const { id: _id, at: _at, by: _by, ...body } = event;
  if (body.kind === 'arrived') {
    const { message } = body;
    const of = 'of' in message ? { of: message.of } : {};
    return { kind: 'arrived', fromPartyKey: message.addressed.fromPartyKey, messageId: message.messageId, ...of };
  }
  if (body.kind !== 'done') return body;
  const { result } = body;
  if (result.job !== 'toHl7' || !result.answer.converted) return { kind: 'done', result: result as KeptResult };
  const { documents: _documents, hl7, large, ...answer } = result.answer;
  const counted = large && { ...large, compressed: withoutBytes(large.compressed), skeleton: withoutBytes(large.skeleton) };
  return { kind: 'done', result: { job: 'toHl7', answer: { ...answer, hl7: withoutBytes(hl7), large: counted } } };
}

/** A content of the same length whose row bytes are nowhere. */
export function withoutBytes(content: Content): Content {
  const [first, ...others] = content.pieces.map((piece): Piece => {
    if (piece.in === 'store') return piece;
    const bytes = pieceLength(piece);
    return { in: 'store', object: { sha256: '', bytes }, from: 0, to: bytes, ...(piece.as && { as: piece.as }) };
  });
  return first ? { ...content, pieces: [first, ...others] satisfies NonEmpty<Piece> } : content;
}

/** The event as it was. `message`: the one that arrived; `documents`: what was fetched to be sent. Null: what is needed is gone. */
export function eventAgain(
  about: Pick<Event, 'id' | 'at' | 'by'>,
  { event }: Basis,
  given: { readonly message: Received | null; readonly documents: readonly Document[] | null },
): Event | null {
  if (event.kind === 'arrived') {
    const { message } = given;
    if (!message) return null;
    const of = 'of' in message && event.of !== undefined ? { of: event.of === null ? null : messageId(event.of) } : {};
    return { ...about, kind: 'arrived', message: { ...message, ...of } as Received };
  }
  if (event.kind !== 'done') return { ...about, ...event };
  const { result } = event;
  if (result.job !== 'toHl7') return { ...about, kind: 'done', result };
  const { answer } = result;
  if (!answer.converted) return { ...about, kind: 'done', result: { job: 'toHl7', answer } };
  if (!given.documents) return null;
  return { ...about, kind: 'done', result: { job: 'toHl7', answer: { ...answer, documents: given.documents } } };
}

/** The facts as they were. An id beyond those that are kept comes from `newId`. */
export function factsAgain({ event: _event, drawn, ...facts }: Basis, newId: () => string): Facts {
  let next = 0;
  return { ...facts, newId: () => drawn[next++] ?? newId() };
}
