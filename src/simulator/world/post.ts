/** The one door in a world: lock, decide, write what follows and close the row that caused it, in one transaction. */
import type { TransferId } from '../../base/ids.ts';
import { unsendable } from '../../transfer/decide.ts';
import { measuredOf } from '../../transfer/measured.ts';
import { recordMissing } from '../../transfer/parts.ts';
import { beginsAfresh } from '../../transfer/requesting-arrivals.ts';
import type { Event, Facts, Interaction, PartFacts, Received, Transfer } from '../../transfer/types.ts';
import { makeEffects } from './effects.ts';
import { type Inside, LostClaim } from './inside.ts';
import { ledgerFacts } from './ledger.ts';
import { type Claim, conversationKey } from './store.ts';
import { instantOf } from './types.ts';

export type Cause =
  | { readonly queue: 'inbox'; readonly key: string; readonly claim: Claim }
  | { readonly queue: 'outbox'; readonly claim: Claim; readonly putAside?: true };
export type PostIn = (target: { readonly transfer: TransferId } | { readonly begin: Transfer }, event: Event, cause: Cause | null) => void;

export function makePost(inside: Inside): PostIn {
  const { world, node, transaction } = inside;
  const { store, own } = node;
  const { tables, put, remove, onCommit } = store;
  const { machine, coverage, watch, observer } = world;
  const apply = makeEffects(inside);

  return (target, event, cause) => {
    transaction(() => inTransaction(target, event, cause));
  };

  function inTransaction(target: Parameters<PostIn>[0], event: Event, cause: Cause | null): void {
    const begun = 'begin' in target ? begin(target.begin) : null;
    const id = 'transfer' in target ? target.transfer : (begun?.id ?? ('' as TransferId));
    const before = tables.transfers.get(id);
    if (cause) close(cause);
    if (!before) return;
    const happened = `${id} ${event.id}`;
    if (tables.happened.has(happened) && machine.keeps.once) return;
    put(tables.happened, happened, true);
    let transfer = before;
    for (let events: Event[] = [event]; events[0]; ) {
      const [next, ...rest] = events as [Event, ...Event[]];
      const decision = machine.decide(transfer, next, factsFor(transfer, next));
      coverage.decided(transfer, next);
      const notSent = apply(transfer, decision, next);
      put(tables.history, id, [...(tables.history.get(id) ?? []), { id: next.id, event: next }]);
      const [was, is] = [transfer, { ...decision.transfer, version: transfer.version + 1 }];
      if (observer.entry) {
        const measured = measuredOf(was, next, decision);
        onCommit(() => observer.entry?.({ node, transfer: is, at: next.at, measured }));
      }
      transfer = is;
      events = [...rest, ...notSent.map((message) => unsendable(message, 'no agreement with the other practice', instantOf(node.now())))];
    }
    const after = transfer;
    put(tables.transfers, id, after);
    onCommit(() => {
      watch.changed(node, before, after, event);
      world.changed(node, begun ? null : before, after);
    });
  }

  /** The transfer of a conversation that is new here, or the one that exists. */
  function begin(transfer: Transfer): Transfer {
    const key = conversationKey(transfer.role, transfer.conversationId);
    const existing = tables.conversations.get(key);
    if (existing) return tables.transfers.get(existing) ?? transfer;
    put(tables.conversations, key, transfer.id);
    put(tables.transfers, transfer.id, transfer);
    return transfer;
  }

  function close(cause: Cause): void {
    if (cause.queue === 'inbox') {
      const row = tables.inbox.get(cause.key);
      if (!row || !isHeld(row, cause.claim) || row.done) throw new LostClaim();
      put(tables.inbox, cause.key, { ...row, done: true, owner: null });
      return;
    }
    const row = tables.outbox.get(cause.claim.id);
    if (!row || !isHeld(row, cause.claim)) throw new LostClaim();
    if (cause.putAside) put(tables.outbox, row.id, { ...row, owner: null, dead: true });
    else remove(tables.outbox, row.id);
  }

  // ---- facts

  function factsFor(transfer: Transfer, event: Event): Facts {
    const arrived = event.kind === 'arrived' ? event.message : null;
    const late = event.kind === 'due' && event.timer === 'partsLate' && transfer.role === 'requesting' && transfer.state === 'collecting';
    return {
      now: instantOf(node.now()),
      newId: () => world.newId(),
      part: arrived && partOf(transfer, arrived),
      refersTo: arrived && referent(transfer, arrived),
      recordMissing: late && recordMissing(transfer.core.messageId, [...(tables.ledgers.get(transfer.id)?.values() ?? [])]),
      own,
    };
  }

  function partOf(transfer: Transfer, message: Received): PartFacts | null {
    const ledger = tables.ledgers.get(transfer.id) ?? new Map();
    switch (message.interaction) {
      case 'extract':
        return ledgerFacts(ledger, message.messageId, message.references, beginsAfresh(transfer) ? 'afresh' : 'core');
      case 'index':
        return ledgerFacts(ledger, message.messageId, message.children, 'part');
      case 'piece':
        return ledgerFacts(ledger, message.messageId, [], 'part');
      default:
        return null;
    }
  }

  function referent(transfer: Transfer, message: Received): Interaction | null {
    const of = 'of' in message ? message.of : null;
    const sent = of === null ? undefined : tables.sent.get(of);
    return sent?.transfer === transfer.id ? sent.interaction : null;
  }
}

export function isHeld(row: { readonly owner: string | null; readonly claims: number }, claim: Claim): boolean {
  return row.owner === claim.owner && row.claims === claim.claims;
}
