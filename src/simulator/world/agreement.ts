/** What both sides of a conversation believe at its end, and who knows of it where they cannot agree. */
import type { ResponseCode, Transfer } from '../../transfer/types.ts';
import { conversationKey } from './store.ts';
import type { Story, World, WorldNode } from './types.ts';
import { violation } from './violation.ts';

export type Said = {
  readonly finals: ReadonlyMap<string, { readonly code: string }>;
  readonly refusals: ReadonlyMap<string, ReadonlySet<ResponseCode>>;
  readonly filings: ReadonlyMap<string, 'leased' | 'filed'>;
};
type Ended<T extends Transfer> = Extract<T, { state: 'ended' }>;
type RequestingEnd = Ended<Extract<Transfer, { role: 'requesting' }>>;
type SendingEnd = Ended<Extract<Transfer, { role: 'sending' }>>;

export function agreement(world: World, said: Said): void {
  for (const node of world.nodes) {
    for (const transfer of node.store.tables.transfers.values()) {
      const story = world.stories.get(transfer.nhsNumber);
      if (transfer.state !== 'ended') {
        // Nothing but a person may keep it.
        if (transfer.state !== 'waitingForDecision' || !openTasks(node, transfer).has('decide'))
          violation(`${node.name} ${transfer.id} is ${transfer.state} for ever`);
        world.coverage.outcome(`${transfer.role} waits for a person`);
        continue;
      }
      const { outcome } = transfer;
      const code = 'code' in outcome && outcome.code ? ` ${outcome.code}` : 'answer' in outcome ? ` ${outcome.answer}` : '';
      world.coverage.outcome(`${transfer.role} ${outcome.kind}${code}`);
      if ('code' in outcome && outcome.code) world.coverage.code(outcome.code);
      if (transfer.role === 'requesting') requested(transfer as RequestingEnd, node, story, said);
      else sent(transfer as SendingEnd, node, story, said);
    }
  }
}

function requested(transfer: RequestingEnd, node: WorldNode, story: Story | undefined, { refusals, filings, finals }: Said): void {
  const where = `${node.name} ${transfer.id} (${transfer.outcome.kind})`;
  const other = story && otherSide(story.sender, 'sending', transfer);
  const isFiled = filings.get(transfer.id) === 'filed';
  const { outcome } = transfer;
  if (isFiled !== (outcome.kind === 'integrated')) violation(`${where}: the system ${isFiled ? 'has' : 'has not'} filed it`);
  switch (outcome.kind) {
    case 'integrated': {
      if (!story || !other) violation(`${where}: nobody sent that`);
      const isHeard = other.state === 'ended' && other.outcome.kind === 'acknowledged' && other.outcome.answer === outcome.answer;
      if (!isHeard && !isSeen(story.sender, other) && openTasks(node, transfer).size === 0)
        violation(`${where}: the sender does not know it is filed, and nobody is told`);
      return;
    }
    case 'refusedBySender': {
      if (openTasks(node, transfer).size === 0) violation(`${where}: nobody is told`);
      if (story?.noisy || outcome.code === null) return;
      if (!other || !refusals.get(other.id)?.has(outcome.code)) violation(`${where}: the sender never refused with ${outcome.code}`);
      return;
    }
    case 'unusable':
    case 'timedOut':
    case 'undeliverable':
      if (openTasks(node, transfer).size === 0 && !wasDecided(node, transfer)) violation(`${where}: nobody is told`);
      refused(transfer, where, other, story, finals);
      return;
    case 'rejected':
    case 'notIntegrated':
    case 'withdrawn':
      refused(transfer, where, other, story, finals);
      return;
    case 'notEligible':
    case 'internal':
      return;
  }
}

/** The sender of a record that was not taken knows the code, or somebody there has it in a list. */
function refused(
  transfer: RequestingEnd,
  where: string,
  other: Transfer | undefined,
  story: Story | undefined,
  finals: Said['finals'],
): void {
  const code = transfer.core && finals.get(`${transfer.practice} ${transfer.core.messageId}`)?.code;
  if (!code || !story) return;
  if (!other) violation(`${where}: refused what nobody sent`);
  if (other.state !== 'ended') violation(`${where}: the sender still waits`);
  if (other.outcome.kind === 'acknowledged') violation(`${where}: the sender believes that it was filed`);
  const isHeard = other.outcome.kind === 'refusedByRequester' && (other.outcome.code === code || other.outcome.code === null);
  if (!isHeard && !isSeen(story.sender, other)) violation(`${where}: the sender does not know of ${code}, and nobody is told`);
}

function sent(transfer: SendingEnd, node: WorldNode, story: Story | undefined, { refusals }: Said): void {
  const where = `${node.name} ${transfer.id} (${transfer.outcome.kind})`;
  const other = story && otherSide(story.requester, 'requesting', transfer);
  const { outcome } = transfer;
  switch (outcome.kind) {
    case 'acknowledged':
      if (other?.state !== 'ended' || other.outcome.kind !== 'integrated' || other.outcome.answer !== outcome.answer)
        violation(`${where}: the requester has not filed it so`);
      return;
    case 'refusedByUs':
      if (openTasks(node, transfer).size === 0) violation(`${where}: nobody is told`);
      if (
        transfer.peer?.contracts.acknowledgement &&
        !refusals.get(transfer.id)?.has(outcome.code) &&
        !openTasks(node, transfer).has('notAnswered')
      )
        violation(`${where}: ${outcome.code} was never said`);
      return;
    case 'refusedByRequester':
    case 'undeliverable':
    case 'unanswered':
      if (openTasks(node, transfer).size === 0) violation(`${where}: nobody is told`);
      return;
    case 'superseded':
      return;
  }
}

function otherSide({ store }: WorldNode, role: Transfer['role'], { conversationId }: Transfer): Transfer | undefined {
  const id = store.tables.conversations.get(conversationKey(role, conversationId));
  return id === undefined ? undefined : store.tables.transfers.get(id);
}

/** Somebody there has it in a list, or it gave way to a newer one. */
function isSeen(node: WorldNode, transfer: Transfer): boolean {
  return openTasks(node, transfer).size > 0 || (transfer.state === 'ended' && transfer.outcome.kind === 'superseded');
}

/** A person ended it. */
function wasDecided({ store }: WorldNode, { id }: Transfer): boolean {
  return (store.tables.history.get(id) ?? []).some(({ event }) => event.kind === 'decided');
}

function openTasks({ store }: WorldNode, { id }: Transfer): ReadonlySet<string> {
  return store.tables.tasks.get(id) ?? new Set();
}
