/**
 * What one node's database keeps, in memory. A transaction takes effect whole or not at all: whatever it wrote is undone where it does
 * not commit. Nothing outside a committed transaction outlives a crash.
 */
import type { ConversationId, MessageId, TransferId } from '../../base/ids.ts';
import type { Event, Interaction, Job, OutgoingPart, Received, Timer, Transfer } from '../../transfer/types.ts';
import type { Ledger } from './ledger.ts';

export type Claim = { readonly id: number; readonly owner: string; readonly claims: number };
type Claimable = {
  readonly id: number;
  readonly owner: string | null;
  readonly claims: number;
  readonly attempts: number;
  /** By the node's own clock, milliseconds. */
  readonly dueAt: number;
  readonly dead: boolean;
};
export type InboxRow = Claimable & {
  readonly key: string;
  readonly message: Received;
  readonly receivedAt: number;
  readonly done: boolean;
};
export type OutboxRow = Claimable & {
  readonly transfer: TransferId;
  readonly queuedAt: number;
  readonly until: number | null;
} & (
    | {
        readonly kind: 'message';
        readonly messageId: MessageId;
        readonly interaction: Interaction;
        readonly tellWhenSent: boolean;
        /** Exactly what is posted, as this system writes it; empty where its habit is to say nothing. */
        readonly wire: readonly Received[];
      }
    | { readonly kind: 'job'; readonly job: Job }
    | { readonly kind: 'timer'; readonly timer: Timer }
  );
export type Sent = { readonly transfer: TransferId; readonly interaction: Interaction; readonly message: MessageId };
export type Happened = { readonly id: string; readonly event: Event };

export type Tables = {
  readonly transfers: Map<TransferId, Transfer>;
  readonly conversations: Map<string, TransferId>;
  readonly inbox: Map<string, InboxRow>;
  readonly outbox: Map<number, OutboxRow>;
  readonly sent: Map<string, Sent>;
  readonly ledgers: Map<TransferId, Ledger>;
  readonly reserved: Map<TransferId, readonly OutgoingPart[]>;
  readonly history: Map<TransferId, readonly Happened[]>;
  readonly happened: Map<string, true>;
  readonly tasks: Map<TransferId, ReadonlySet<string>>;
};

/** How a transaction ends. After `lostAnswer` it is durable, but who waited for it is gone. */
export type Fate = 'commit' | 'crash' | 'lostAnswer';
export class Crashed extends Error {}

export function makeStore() {
  const tables: Tables = {
    transfers: new Map(),
    conversations: new Map(),
    inbox: new Map(),
    outbox: new Map(),
    sent: new Map(),
    ledgers: new Map(),
    reserved: new Map(),
    history: new Map(),
    happened: new Map(),
    tasks: new Map(),
  };
  let undo: (() => void)[] = [];
  let committed: (() => void)[] = [];

  function put<K, V>(table: Map<K, V>, key: K, value: V): void {
    const had = table.has(key);
    const before = table.get(key) as V;
    undo.push(() => (had ? table.set(key, before) : table.delete(key)));
    table.set(key, value);
  }
  function remove<K, V>(table: Map<K, V>, key: K): void {
    if (!table.has(key)) return;
    const before = table.get(key) as V;
    undo.push(() => table.set(key, before));
    table.delete(key);
  }
  /** Done when, and only if, the transaction commits. */
  function onCommit(run: () => void): void {
    committed.push(run);
  }
  function transaction<T>(body: () => T, fate: () => Fate): T {
    [undo, committed] = [[], []];
    let end: Fate = 'crash';
    try {
      const result = body();
      end = fate();
      if (end === 'crash') throw new Crashed();
      for (const run of committed) run();
      if (end === 'lostAnswer') throw new Crashed();
      return result;
    } finally {
      if (end === 'crash') for (const back of undo.reverse()) back();
    }
  }
  return { tables, put, remove, onCommit, transaction };
}
export type WorldStore = ReturnType<typeof makeStore>;

export const conversationKey = (role: Transfer['role'], id: ConversationId) => `${role} ${id}`;
