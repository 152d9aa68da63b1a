import { type Micros, roundHalfEven, SECOND } from '../micros.ts';
import { assemble, byConversation, type Conversation, type Notes, requestedWithin } from './conversation.ts';
import { CORE_WITH_REDACTIONS, type SpineMessage } from './message.ts';
import { codesOf, effectiveOf, type FailureReason, isSuccess, outcomeOf, type Status, slaOf } from './outcome.ts';

/** Who an ASID belongs to. */
export type Organisation = {
  readonly ods: string;
  readonly name: string | null;
  readonly sicblOds: string | null;
  readonly sicblName: string | null;
};
export type Party = { readonly asid: string | null; readonly supplier: string | null } & (
  | Organisation
  | { readonly ods: null; readonly name: null; readonly sicblOds: null; readonly sicblName: null }
);

/** One transfer with its outcome: the row of the existing pipeline, and what it cannot say. */
export type ClassifiedTransfer = {
  readonly conversationId: string;
  /** Whole seconds from the core to the acknowledgement that decided. */
  readonly slaDuration: number | null;
  readonly requesting: Party;
  readonly sending: Party;
  readonly senderErrorCodes: readonly (number | null)[];
  readonly finalErrorCodes: readonly (number | null)[];
  readonly intermediateErrorCodes: readonly number[];
  readonly status: Status;
  readonly failureReason: FailureReason | null;
  readonly requestedAt: Micros;
  readonly completedAt: Micros | null;
  readonly lastSenderMessageAt: Micros | null;
  /** The first core; with the request it gives the second clock. */
  readonly coreAt: Micros | null;
  /** The core that counts, or the first, was one with redactions. */
  readonly redactions: boolean;
  /** Common messages were exchanged: the record was too large for one message. */
  readonly large: boolean;
};

export type OrganisationOf = (asid: string, requestedAt: Micros) => Organisation | null;
export type ClassifyOptions = {
  /** Start of the first day, and end of the last (exclusive). */
  readonly start: Micros;
  readonly end: Micros;
  readonly cutoffDays: number;
  readonly organisationOf: OrganisationOf;
  readonly note: Notes;
};

/**
 * The transfers requested within some days, from the rows of these days and of as many after them as the cut-off has; in order of their
 * first rows. Rows of earlier days must not be among them: what began there would look like a conversation without a request.
 */
export function classify(rows: Iterable<SpineMessage>, options: ClassifyOptions): ClassifiedTransfer[] {
  return [...byConversation(rows).values()].flatMap((group) => classifyConversation(group, options) ?? []);
}

/** The transfer of one conversation, from its rows in order of time; `null` where it is none, or of other days. */
export function classifyConversation(rows: readonly SpineMessage[], options: ClassifyOptions): ClassifiedTransfer | null {
  const conversation = assemble(rows, options.cutoffDays, options.note);
  return conversation && requestedWithin(conversation, options.start, options.end)
    ? transferOf(conversation, options.organisationOf, options.note)
    : null;
}

export function transferOf(conversation: Conversation, organisationOf: OrganisationOf, note: Notes): ClassifiedTransfer {
  const { id, request, cores, continues, fragments } = conversation;
  const { message } = request;
  const effective = effectiveOf(conversation);
  const sla = effective ? slaOf(effective) : null;
  if (sla !== null && sla < 0) note({ code: 'NEGATIVE_SLA_DETECTED', conversationId: id, detail: String(sla / SECOND) });
  const party = (asid: string, supplier: string | null): Party => {
    const found = organisationOf(asid, message.at);
    if (found) return { asid, supplier, ...found };
    note({ code: 'UNKNOWN_ODS_CODE_FOR_CONVERSATION', conversationId: id, detail: asid });
    return { asid, supplier, ods: null, name: null, sicblOds: null, sicblName: null };
  };
  return {
    conversationId: id,
    slaDuration: sla === null ? null : roundHalfEven(Math.max(sla, 0) / SECOND),
    requesting: party(message.from, message.fromSystem),
    sending: party(message.to, message.toSystem),
    senderErrorCodes: codesOf([request]),
    finalErrorCodes: codesOf(cores),
    intermediateErrorCodes: codesOf(fragments).filter((code) => code !== null),
    ...outcomeOf(conversation),
    requestedAt: message.at,
    completedAt: effective?.acknowledgement.at ?? null,
    lastSenderMessageAt: lastSenderMessage(conversation),
    coreAt: cores[0]?.message.at ?? null,
    redactions: (effective?.core ?? cores[0]?.message)?.interaction === CORE_WITH_REDACTIONS,
    large: continues.length + fragments.length > 0,
  };
}

/** When the sender was last heard of; what it sends after the record was integrated says nothing any more. */
function lastSenderMessage(conversation: Conversation): Micros | null {
  const sender = conversation.request.message.to;
  const effective = effectiveOf(conversation);
  const until = effective && isSuccess(effective.acknowledgement) ? effective.acknowledgement.at : Number.POSITIVE_INFINITY;
  let last: Micros | null = null;
  for (const { from, at } of conversation.messages) if (from === sender && at <= until && (last === null || at > last)) last = at;
  return last;
}
