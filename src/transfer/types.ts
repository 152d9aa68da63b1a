/**
 * The shapes of a transfer: what may be known in which state, what can happen, what follows. A collecting transfer has a core,
 * an ended one an outcome; states do not become flags. `switch` over `state` and `kind` ends in `never`.
 */
import type { Content, NonEmpty, ObjectRef } from '../base/content.ts';
import type { ConversationId, DocumentId, Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { ReportSummary } from '../base/report.ts';

/** GP2GP response codes ("EhrRequestAckCode"); what each means stands in `codes.ts`. */
export type ResponseCode =
  | '06'
  | '07'
  | '08'
  | '09'
  | '10'
  | '11'
  | '12'
  | '13'
  | '14'
  | '15'
  | '17'
  | '18'
  | '19'
  | '20'
  | '21'
  | '23'
  | '24'
  | '25'
  | '26'
  | '28'
  | '29'
  | '30'
  | '31'
  | '99';

export type Interaction = 'request' | 'extract' | 'continue' | 'index' | 'piece' | 'acknowledgement';

// ---- messages, as read and as intended

/** What a manifest reference says of an attachment. */
export type Announced = {
  readonly documentId?: DocumentId;
  readonly filename?: string;
  readonly contentType?: string;
  readonly compressed: boolean;
  /** `LargeAttachment=Yes`: the message referred to is an index. Never relied on when reading. */
  readonly large?: boolean;
  readonly skeleton: boolean;
  readonly length?: number;
};
export type Part = { readonly contentId: string; readonly contentType: string; readonly content: Content };
export type Reference = Announced &
  ({ readonly at: 'here'; readonly part: Part } | { readonly at: 'message'; readonly messageId: MessageId });
export type Document = Announced & { readonly content: Content };
/** A message of the sender's ledger: its id is fixed before the core leaves. `under` is the core's id, or that of its index. */
export type OutgoingPart = Announced & {
  readonly kind: 'index' | 'piece';
  /** The attachment or slice; an index has none (its children travel as messages of their own). */
  readonly content: Content | null;
  readonly messageId: MessageId;
  readonly under: MessageId;
  readonly order: number;
};
export type Answer = { readonly accepted: true } | { readonly accepted: false; readonly code: ResponseCode | null; readonly raw: string };

export type Body =
  | { readonly interaction: 'request'; readonly requestId: string; readonly nhsNumber: NhsNumber; readonly from: Ods; readonly to: Ods }
  | {
      readonly interaction: 'extract';
      readonly version: 'UK06' | 'UK07';
      readonly extractId: string;
      readonly nhsNumber: NhsNumber | null;
      /** The whole payload: `RCMR_IN030000UK06` or `UK07`, wrapper included. */
      readonly hl7: Content;
      readonly references: readonly Reference[];
    }
  | { readonly interaction: 'continue'; readonly of: MessageId | null; readonly from: Ods; readonly to: Ods }
  | {
      readonly interaction: 'index';
      readonly children: NonEmpty<Reference>;
      readonly announced: Announced;
      readonly from: Ods;
      readonly to: Ods;
    }
  | { readonly interaction: 'piece'; readonly part: Part; readonly announced: Announced; readonly from: Ods; readonly to: Ods }
  | { readonly interaction: 'acknowledgement'; readonly of: MessageId; readonly answer: Answer };

export type Envelope = {
  readonly messageId: MessageId;
  /** Every other id by which the message may be referred to: the HL7 id, the extract's id. */
  readonly aliases: readonly string[];
  readonly conversationId: ConversationId;
  readonly at: Instant;
};
/** Who sent it and to whom, as the message says. Authority comes from SDS and PDS, never from this alone. */
export type Addressed = {
  readonly fromPartyKey: string;
  readonly toPartyKey: string;
  readonly fromAsid: string | null;
  readonly toAsid: string | null;
};
export type Received = Envelope & { readonly addressed: Addressed } & (
    | Body
    /** Spine's own word that a message of ours never reached the other practice. */
    | { readonly interaction: 'undelivered'; readonly of: MessageId; readonly fault: string }
    /** `parts`: what came, envelope first, where the parts could be told apart: somebody will want to see them. */
    | { readonly interaction: 'unreadable'; readonly action: string; readonly fault: string; readonly parts?: readonly Part[] }
  );
/** Intended: id and time are fixed by the decision. */
export type Message = Envelope & Body;

// ---- transfers

/** How messages of one interaction are carried to a party: from its SDS endpoint record. Durations in seconds. */
export type Contract = {
  readonly cpaId: string;
  readonly retries: number;
  readonly retryIntervalSeconds: number;
  readonly persistSeconds: number;
  readonly duplicateElimination: boolean;
  readonly ackRequested: boolean;
  readonly actor: string;
  readonly syncReply: boolean;
  /** Where SDS says that its messages are posted; a configured address stands above it. */
  readonly address?: string;
};
export type Contracts = {
  readonly request: Contract | null;
  readonly extract: Contract | null;
  readonly part: Contract | null;
  readonly acknowledgement: Contract | null;
};
/** The other practice, looked up once by a "may" job and kept beside the transfer. */
export type Peer = {
  readonly ods: Ods;
  readonly asid: string;
  readonly partyKey: string;
  /** SDS shows RCMR_IN030000UK07 for it. */
  readonly takesRedactions: boolean;
  readonly contracts: Contracts;
};
export type Common = {
  readonly id: TransferId;
  readonly version: number;
  readonly conversationId: ConversationId;
  /** The local practice: part of every key, path, label and role. */
  readonly practice: Ods;
  readonly nhsNumber: NhsNumber;
  readonly startedAt: Instant;
};
export type Core = { readonly messageId: MessageId; readonly at: Instant; readonly version: 'UK06' | 'UK07'; readonly hl7: Content };
/** `version` and the bundle's hash are what the filing handshake agrees on. */
export type ConvertedRecord = {
  readonly bundle: ObjectRef;
  readonly report: ObjectRef;
  readonly documents: ObjectRef;
  /** What was degraded, as management information tells it; left out where nothing was. */
  readonly degrades?: ObjectRef;
  readonly summary: ReportSummary;
};

export type RequestingOutcome =
  | { readonly kind: 'notEligible'; readonly reason: string }
  | { readonly kind: 'internal' }
  | { readonly kind: 'integrated'; readonly answer: 'AA' | '15' | '26' }
  | { readonly kind: 'rejected'; readonly code: '17' | '28' }
  | { readonly kind: 'notIntegrated'; readonly code: '11' }
  | { readonly kind: 'refusedBySender'; readonly code: ResponseCode | null }
  | { readonly kind: 'unusable'; readonly code: '21' | '29' | '30' | '31' | '99' }
  | { readonly kind: 'timedOut'; readonly waitingFor: 'extract' | 'parts' }
  | { readonly kind: 'undeliverable'; readonly fault: string }
  | { readonly kind: 'withdrawn' };
export type Requesting = Common & { readonly role: 'requesting'; readonly previousPractice: Ods | null } & (
    | { readonly state: 'checking' }
    | {
        readonly state: 'waitingForExtract';
        readonly peer: Peer;
        readonly request: MessageId;
        readonly requestId: string;
        readonly acknowledged: Instant | null;
      }
    | {
        readonly state: 'collecting';
        readonly peer: Peer;
        readonly request: MessageId;
        readonly core: Core;
        readonly outstanding: number;
      }
    | { readonly state: 'converting'; readonly peer: Peer; readonly request: MessageId; readonly core: Core }
    | {
        readonly state: 'waitingForDecision';
        readonly peer: Peer;
        readonly request: MessageId;
        readonly core: Core;
        readonly record: ConvertedRecord;
        readonly reasons: readonly string[];
      }
    | {
        readonly state: 'filing';
        readonly peer: Peer;
        readonly request: MessageId;
        readonly core: Core;
        readonly record: ConvertedRecord;
        readonly by: Actor;
        readonly as: 'integrate' | 'suppress' | 'fileAsAttachment';
        /** The practice has a record of its own of this patient, from before. */
        readonly returning?: true;
      }
    | {
        readonly state: 'ended';
        readonly outcome: RequestingOutcome;
        readonly at: Instant;
        readonly core: Core | null;
        readonly peer: Peer | null;
        readonly request: MessageId | null;
        readonly record: ConvertedRecord | null;
      }
  );

export type SendingOutcome =
  /** `missingDocuments`: null where an earlier core was answered while the record was being sent again. */
  | { readonly kind: 'acknowledged'; readonly answer: 'AA' | '15' | '26'; readonly missingDocuments: number | null }
  | { readonly kind: 'refusedByUs'; readonly code: ResponseCode }
  | { readonly kind: 'refusedByRequester'; readonly code: ResponseCode | null }
  | { readonly kind: 'undeliverable'; readonly fault: string }
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'superseded'; readonly by: TransferId };
/** `parts` counts the messages that wait for the continue; with 0 none is awaited. */
export type Offer = {
  readonly core: MessageId;
  readonly sentAt: Instant | null;
  readonly parts: number;
  readonly missingDocuments: number;
  /** What the conversion of the record said. */
  readonly report: ObjectRef;
  /** Bytes of the structured record alone, and what became of each document: for management information once the core has left. */
  readonly structuredBytes?: number;
  readonly documents?: ObjectRef;
};
export type Sending = Common & {
  readonly role: 'sending';
  readonly request: MessageId;
  readonly requestId: string;
} /** `peer`: known where a record is sent again; whether it may be is asked anew. */ & (
    | { readonly state: 'checking'; readonly peer: Peer | null }
    | { readonly state: 'fetching'; readonly peer: Peer }
    | { readonly state: 'converting'; readonly peer: Peer; readonly bundle: ObjectRef; readonly documents: ObjectRef }
    | { readonly state: 'sendingCore'; readonly peer: Peer; readonly offer: Offer }
    | { readonly state: 'waitingForContinue'; readonly peer: Peer; readonly offer: Offer }
    | { readonly state: 'sendingParts'; readonly peer: Peer; readonly offer: Offer; readonly unsent: number }
    | { readonly state: 'waitingForAnswer'; readonly peer: Peer; readonly offer: Offer }
    | {
        readonly state: 'ended';
        readonly outcome: SendingOutcome;
        readonly at: Instant;
        readonly peer: Peer | null;
        readonly offer: Offer | null;
      }
  );
export type Transfer = Requesting | Sending;

// ---- events, facts, decisions

export type Actor =
  | { readonly kind: 'system' }
  | { readonly kind: 'person'; readonly user: string; readonly role: string }
  | { readonly kind: 'peer' };
/** What the practice's system says of a registration; management information is made from it. */
export type Registration = {
  readonly type: 'newRegistration' | 'changeOfType';
  readonly permanent: boolean;
  readonly returning: boolean;
  readonly authenticated: boolean;
  readonly traceMatched: boolean;
  /** Why no person of PDS was chosen; left out where one was. */
  readonly traceReason?: 'noResults' | 'noneSelected' | 'noTrace';
  readonly gpLinksComplete: boolean;
};
export type JobResult =
  | {
      readonly job: 'mayWeAsk';
      readonly answer:
        | { readonly ask: true; readonly peer: Peer }
        | { readonly ask: false; readonly reason: string; readonly internal?: boolean };
    }
  | {
      readonly job: 'mayTheyAsk';
      readonly answer:
        | { readonly send: true; readonly peer: Peer }
        | { readonly send: false; readonly code: ResponseCode; readonly peer: Peer | null };
    }
  /** `documents`: a list of what became of each document, itself an object. */
  | {
      readonly job: 'fetch';
      readonly answer:
        | { readonly fetched: true; readonly bundle: ObjectRef; readonly documents: ObjectRef }
        | { readonly fetched: false; readonly code: ResponseCode };
    }
  | {
      readonly job: 'toHl7';
      readonly answer:
        | {
            readonly converted: true;
            readonly version: 'UK06' | 'UK07';
            readonly extractId: string;
            /** The id that stands in the payload: the core's message id, fixed by the job that wrote it. */
            readonly messageId: MessageId;
            readonly hl7: Content;
            /** The whole message gzipped and the skeleton that stands for it, where `hl7` is too large for one message. */
            readonly large: { readonly compressed: Content; readonly skeleton: Content; readonly documentId: DocumentId } | null;
            readonly documents: readonly Document[];
            readonly report: ObjectRef;
            readonly summary: ReportSummary;
          }
        | { readonly converted: false; readonly code: ResponseCode; readonly fault: string };
    }
  | {
      readonly job: 'toFhir';
      readonly answer:
        | { readonly converted: true; readonly record: ConvertedRecord; readonly holds: readonly string[] }
        | { readonly converted: false; readonly code: '21' | '29' | '30' | '31' | '99'; readonly fault: string };
    }
  | { readonly job: 'file'; readonly answer: 'filed' | 'refused'; readonly reason: string | null };
export type Job = JobResult['job'];
/** `id` makes a repeated event change nothing. */
export type Event = { readonly id: string; readonly at: Instant; readonly by: Actor } & (
  | { readonly kind: 'registered'; readonly registration: Registration }
  | { readonly kind: 'arrived'; readonly message: Received }
  | { readonly kind: 'sent'; readonly messageId: MessageId; readonly interaction: Interaction }
  | { readonly kind: 'notSent'; readonly messageId: MessageId; readonly interaction: Interaction; readonly fault: string }
  | { readonly kind: 'done'; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly job: Job; readonly fault: string }
  | { readonly kind: 'due'; readonly timer: Timer }
  /** `reason`: in a person's own words, for the audit. */
  | {
      readonly kind: 'decided';
      readonly decision: 'integrate' | 'suppress' | 'fileAsAttachment' | 'reject' | 'withdraw' | 'resend';
      readonly reason?: string;
    }
  /** Another transfer for the same patient and requester was begun. */
  | { readonly kind: 'superseded'; readonly successor: TransferId }
);
export type Timer = 'extractLate' | 'partsLate' | 'answerLate' | 'undecided';
/** What the ledger knows of the message that arrived. */
export type PartFacts = {
  /** Some core or index announced this message id. */
  readonly expected: boolean;
  /** Its content is in the ledger already. */
  readonly seen: boolean;
  /** Messages still missing once this one is counted, its own announced children included. What only a stray index names does not count. */
  readonly outstandingAfter: number;
  /** All messages that make the record beside its core, as far as they are known once this one is counted. */
  readonly messages: number;
};
export type Facts = {
  readonly now: Instant;
  readonly newId: () => string;
  /** For an arriving extract, index or piece. */
  readonly part: PartFacts | null;
  /** For a time-out: whether what is missing is the record itself, which was to come in the place of a skeleton. */
  readonly recordMissing: boolean;
  /** For an acknowledgement, an undelivered message or a continue: what the message of ours was to which it refers. */
  readonly refersTo: Interaction | null;
  /** The practice's ODS code, ASID and party key, and how it wants records filed. */
  readonly own: OwnPractice;
};
export type OwnPractice = {
  readonly ods: Ods;
  readonly asid: string;
  readonly partyKey: string;
  readonly redactions: 'auto' | 'on' | 'off';
  readonly filing: 'automatic' | 'byHand';
  /** Bytes that one message to Spine may have, all parts and headers together. */
  readonly messageLimit: number;
};

export type Effect =
  | { readonly do: 'send'; readonly message: Message; readonly tellWhenSent: boolean }
  /** Message ids fixed before the core leaves. */
  | { readonly do: 'reserve'; readonly parts: NonEmpty<OutgoingPart> }
  /** Pack and queue what was reserved. */
  | { readonly do: 'sendParts' }
  /** Strike from the outbox whatever of this transfer has not left: the other side no longer wants it. */
  | { readonly do: 'stopSending' }
  | { readonly do: 'expect'; readonly under: MessageId; readonly references: NonEmpty<Reference> }
  | { readonly do: 'keepPart'; readonly messageId: MessageId; readonly part: Part; readonly announced: Announced }
  /** Forget the ledger of an earlier, failed delivery. */
  | { readonly do: 'forgetParts' }
  | { readonly do: 'partAnswered'; readonly messageId: MessageId; readonly answer: Answer }
  | { readonly do: 'run'; readonly job: Job }
  | { readonly do: 'wake'; readonly timer: Timer; readonly at: Instant }
  | { readonly do: 'rest'; readonly timer: Timer }
  | { readonly do: 'raise'; readonly task: string; readonly due: Instant | null }
  | { readonly do: 'close'; readonly task: string }
  /** Tell the practice's system that the transfer changed; the body is a thin pointer. */
  | { readonly do: 'notify' };
export type Measured = Readonly<Record<string, string | number>>;
export type Decision<T extends Transfer> = {
  readonly transfer: T;
  readonly effects: readonly Effect[];
  readonly note: string;
  readonly measured?: Measured;
};
export type Decide<T extends Transfer> = (transfer: T, event: Event, facts: Facts) => Decision<T>;
