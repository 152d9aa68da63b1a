import type { ColumnType, Generated } from 'kysely';
import type { Content } from '../base/content.ts';
import type { ConversationId, Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { Runner } from '../database/connect.ts';
import type { Basis } from '../transfer/basis.ts';
import type { Actor, Announced, Event, Interaction, Measured, Registration, Transfer } from '../transfer/types.ts';

/** Written as text by `writeStored`, read back as a value. */
type Json<T> = ColumnType<T, string, string>;
/** Set by the database's clock where it is left out. */
type Now = ColumnType<Instant, Instant | undefined, Instant>;

/** What began a transfer, kept beside it for the job that checks whether it may go on. */
export type Origin =
  | { readonly began: 'registration'; readonly registrationId: string; readonly registration: Registration }
  | { readonly began: 'request'; readonly requester: Ods; readonly requesterAsid: string | null; readonly addressedTo: Ods };

export type Tables = {
  settings: { name: string; value: string };
  practices: { ods: Ods; asid: string; party_key: string; enabled: boolean; settings: Json<unknown>; changed_at: Now };
  transfers: {
    practice: Ods;
    id: TransferId;
    role: Transfer['role'];
    conversation_id: ConversationId;
    nhs_number: NhsNumber;
    other_practice: Ods | null;
    registration_id: string | null;
    origin: Json<Origin>;
    version: number;
    state: Transfer['state'];
    outcome: string | null;
    body: Json<Record<string, unknown>>;
    started_at: Instant;
    changed_at: Now;
    ended_at: Instant | null;
    content_erased_at: Generated<Instant | null>;
  };
  erasures: { sha256: string; bytes: number; since: Now };
  past_transfers: { practice: Ods; role: Transfer['role']; outcome: string; month: string; transfers: number };
  inbox: {
    from_party_key: string;
    message_id: MessageId;
    id: Generated<number>;
    practice: Ods;
    conversation_id: ConversationId;
    action: string;
    digest: string;
    bytes: number;
    message: Json<unknown>;
    received_at: Now;
    transfer: TransferId | null;
    due_at: Now;
    owner: string | null;
    claims: Generated<number>;
    attempts: Generated<number>;
    fault: string | null;
    done_at: Instant | null;
    dead_at: Instant | null;
  };
  outbox: {
    id: Generated<number>;
    practice: Ods;
    transfer: TransferId;
    kind: 'message' | 'job' | 'timer' | 'notice' | 'mi';
    name: string;
    body: Json<unknown>;
    queued_at: Now;
    due_at: Instant;
    until: Instant | null;
    owner: string | null;
    claims: Generated<number>;
    attempts: Generated<number>;
    fault: string | null;
    dead_at: Instant | null;
  };
  sent_messages: { practice: Ods; id: string; transfer: TransferId; interaction: Interaction; message_id: MessageId };
  parts: {
    practice: Ods;
    transfer: TransferId;
    key: string;
    under: MessageId | null;
    number: number;
    announced: Json<Announced>;
    is_index: boolean;
    content: Json<Content> | null;
    came_at: Instant | null;
  };
  outgoing_parts: {
    practice: Ods;
    transfer: TransferId;
    message_id: MessageId;
    under: MessageId;
    number: number;
    kind: 'index' | 'piece';
    announced: Json<Announced>;
    content: Json<Content> | null;
    answer: string | null;
  };
  history: {
    practice: Ods;
    transfer: TransferId;
    number: number;
    event_id: string;
    kind: Event['kind'];
    at: Instant;
    by: Json<Actor>;
    from_state: Transfer['state'] | null;
    to_state: Transfer['state'];
    note: string;
    measured: Json<Measured>;
    basis: Json<Basis> | null;
  };
  tasks: {
    id: Generated<number>;
    practice: Ods;
    transfer: TransferId;
    task: string;
    raised_at: Now;
    due_at: Instant | null;
    closed_at: Instant | null;
  };
  audit: {
    id: Generated<number>;
    at: Now;
    practice: Ods | null;
    transfer: TransferId | null;
    actor: string;
    action: string;
    detail: Json<unknown>;
  };
};

/** The pool, or the transaction of which a statement is a part. */
export type Store = Runner<Tables>;

/** The owner of a claim and its number: what a statement that ends the work must still find. */
export type Claim = { readonly id: number; readonly owner: string; readonly claims: number };
