/** What happens to a queued message beside its being sent: it is acknowledged by itself, or made anew. */
import type { MessageId } from '../base/ids.ts';
import { type Db, transaction } from '../database/connect.ts';
import type { Objects } from '../objects/objects.ts';
import { renewPacked } from '../spine/renew.ts';
import { complete, replaceMessage, takeMessage, type Work, wake } from '../store/outbox.ts';
import { findSent, rememberSent } from '../store/sent-messages.ts';
import type { Store, Tables } from '../store/tables.ts';
import type { Post, Queued } from './post.ts';
import type { Practices } from './practices.ts';
import { delivered, type Outgoing } from './work.ts';

export type OutgoingOptions = {
  readonly db: Db<Tables>;
  readonly objects: Objects;
  readonly practices: Practices;
  readonly post: Post;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly owner: string;
  /** Wakes this process's workers. */
  readonly committed: (queued: Queued) => void;
};

const MESSAGE: Queued = new Set(['message']);

/** Whether a practice of this party key has sent a message of this id. */
export function createIsOurs({ db, practices }: Pick<OutgoingOptions, 'db' | 'practices'>) {
  return async (partyKey: string, id: MessageId): Promise<boolean> => (await senderOf(db, practices, partyKey, id)) !== null;
}

/** An acknowledgement that came as a message of its own: nobody has to send again. */
export function createAcknowledged(options: OutgoingOptions) {
  const { db, practices, owner } = options;
  return async (partyKey: string, id: MessageId): Promise<void> => {
    const sender = await senderOf(db, practices, partyKey, id);
    const work = sender && (await takeMessage(db, sender.practice.ods, sender.transfer, id, owner));
    if (work?.task.kind === 'message') await delivered({ ...options, end: (claim) => complete(db, claim) }, work, work.task);
  };
}

async function senderOf(store: Store, practices: Practices, partyKey: string, id: MessageId) {
  for (const practice of await practices.all()) {
    if (practice.partyKey !== partyKey) continue;
    const sent = await findSent(store, practice.ods, id);
    if (sent) return { practice, transfer: sent.transfer };
  }
  return null;
}

/**
 * Queues a message anew whose time is over. Under a new id, so that nobody takes it for the old one, which may have arrived; answers to
 * either find the transfer. The ids of parts were promised in the core and stay.
 */
export function createRenew({ db, objects, now, newId, owner, committed }: OutgoingOptions) {
  return async (work: Work, { stale: _stale, ...task }: Outgoing): Promise<void> => {
    const { interaction } = task;
    const keepId = interaction === 'index' || interaction === 'piece';
    const packed = await renewPacked(task.packed, { now: now(), newId, keepId, objects });
    await transaction(db, async (store) => {
      if (!(await replaceMessage(store, work.claim, { ...task, packed }))) return;
      if (!keepId) {
        const message = (await findSent(store, work.practice, task.packed.messageId))?.message ?? task.packed.messageId;
        await rememberSent(store, work.practice, work.transfer, [{ id: packed.messageId, message, interaction }]);
      }
      await wake(store, owner, MESSAGE);
    });
    committed(MESSAGE);
  };
}
