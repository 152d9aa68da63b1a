/**
 * Events out of place: messages of strangers and of confused peers, timers that ring twice, results of work that is over. None of them
 * is a lie that a transfer would have to believe, so none may change what two practices agree on.
 */
import type { ConversationId, Instant, MessageId, TransferId } from '../../base/ids.ts';
import type { Event, Job, Received, Transfer } from '../../transfer/types.ts';
import { ARRIVALS, DECISIONS, TIMERS } from './coverage.ts';
import { addressedFrom, named } from './habits.ts';
import { instantOf, type Story, type World, type WorldNode } from './types.ts';

const KINDS = [...ARRIVALS, ...TIMERS, ...DECISIONS, 'registered', 'sent', 'notSent', 'done', 'failed', 'superseded'] as const;

export function noise(world: World, node: WorldNode, id: TransferId): void {
  const transfer = node.store.tables.transfers.get(id);
  const story = transfer && world.stories.get(transfer.nhsNumber);
  if (!transfer || !story || !node.isUp()) return;
  const event = oddEvent(world, node, transfer, story);
  if (event) node.post({ transfer: id }, event);
}

function oddEvent(world: World, node: WorldNode, transfer: Transfer, story: Story): Event | null {
  const { chance } = world;
  const kind = chance.pick(KINDS);
  const head = { id: `noise:${world.newId()}`, at: instantOf(node.now()), by: { kind: 'system' } } as const;
  const isOver = transfer.state === 'ended';
  switch (kind) {
    case 'registered': {
      const facts = { permanent: true, returning: false, authenticated: true, traceMatched: true, gpLinksComplete: true };
      return { ...head, kind, registration: { type: 'newRegistration', ...facts } };
    }
    case 'sent':
      return { ...head, kind, messageId: 'NOBODY' as MessageId, interaction: 'acknowledgement' };
    case 'notSent':
      return { ...head, kind, messageId: 'NOBODY' as MessageId, interaction: 'acknowledgement', fault: 'noise' };
    case 'done': {
      const job: Job = transfer.role === 'requesting' ? 'mayTheyAsk' : 'mayWeAsk';
      if (job === 'mayWeAsk') return { ...head, kind, result: { job, answer: { ask: false, reason: 'NO_MATCH' } } };
      return { ...head, kind, result: { job, answer: { send: false, code: '99', peer: null } } };
    }
    case 'failed':
      return { ...head, kind, job: transfer.role === 'requesting' ? 'toHl7' : 'toFhir', fault: 'noise' };
    case 'superseded':
      return { ...head, kind, successor: 'NOBODY' as TransferId };
    case 'extractLate':
    case 'partsLate':
    case 'answerLate':
    case 'undecided':
      return { ...head, kind: 'due', timer: kind };
    case 'integrate':
    case 'suppress':
    case 'fileAsAttachment':
    case 'reject':
      return { ...head, kind: 'decided', decision: kind };
    case 'withdraw':
      return transfer.role === 'sending' || isOver || chance.happens(0.2) ? { ...head, kind: 'decided', decision: kind } : null;
    case 'resend':
      return transfer.role === 'requesting' || !isOver ? { ...head, kind: 'decided', decision: kind } : null;
    default:
      return { ...head, by: { kind: 'peer' }, kind: 'arrived', message: oddMessage(world, node, transfer, story, kind, head.at) };
  }
}

function oddMessage(
  world: World,
  node: WorldNode,
  transfer: Transfer,
  { requester, sender, nhsNumber }: Story,
  interaction: (typeof ARRIVALS)[number],
  at: Instant,
): Received {
  const { chance } = world;
  const other = transfer.role === 'requesting' ? sender : requester;
  const strangers = world.nodes.filter((each) => each !== other && each !== node);
  // What the peer itself might say in its confusion, or else a stranger who knows the conversation and the ids.
  const isPeer = isHarmless(interaction, transfer) && chance.happens(0.5);
  const from = isPeer ? other : chance.pick(strangers);
  if (!isPeer) world.coverage.fault('stranger');
  const core = transfer.role === 'requesting' ? coreOf(transfer) : 'offer' in transfer ? (transfer.offer?.core ?? null) : null;
  const envelope = {
    messageId: world.newId() as MessageId,
    aliases: [],
    conversationId: transfer.conversationId as ConversationId,
    at,
    addressed: addressedFrom(from.own, node.asPeer),
  };
  const parties = { from: from.own.ods, to: node.own.ods };
  const announced = { compressed: false, skeleton: false };
  const part = { contentId: 'c', contentType: 'text/plain', content: named('STRAY', 10) };
  const nobody = 'NOBODY' as MessageId;
  switch (interaction) {
    case 'request':
      return { ...envelope, interaction, requestId: 'R', nhsNumber, ...parties };
    case 'extract':
      return { ...envelope, interaction, version: 'UK06', extractId: 'X', nhsNumber, hl7: named('STRAY', 10), references: [] };
    case 'continue':
      return { ...envelope, interaction, of: isPeer ? null : core, ...parties };
    case 'index':
      return {
        ...envelope,
        interaction,
        children: [{ ...announced, at: 'message', messageId: `${envelope.messageId}-CHILD` as MessageId }],
        announced,
        ...parties,
      };
    case 'piece':
      return { ...envelope, interaction, part, announced, ...parties };
    case 'acknowledgement': {
      if (isPeer) {
        const request = 'request' in transfer ? transfer.request : null;
        return { ...envelope, interaction, of: request ?? nobody, answer: { accepted: true } };
      }
      const answer = chance.happens(0.5)
        ? ({ accepted: true } as const)
        : ({ accepted: false, code: chance.pick(['12', '09', '21'] as const), raw: 'AE' } as const);
      return { ...envelope, interaction, of: core ?? nobody, answer };
    }
    case 'undelivered':
      return { ...envelope, interaction, of: nobody, fault: 'noise' };
    case 'unreadable':
      return { ...envelope, interaction, action: 'COPC_IN000001UK01', fault: 'noise' };
  }
}

function coreOf(transfer: Transfer): MessageId | null {
  return 'core' in transfer ? (transfer.core?.messageId ?? null) : null;
}

/** A second core is refused where there is a first, and would be believed where there is none. */
function isHarmless(interaction: (typeof ARRIVALS)[number], transfer: Transfer): boolean {
  if (interaction === 'continue') return transfer.role === 'requesting' || transfer.state !== 'waitingForContinue';
  if (interaction !== 'extract' || transfer.role === 'sending') return true;
  return ['collecting', 'converting', 'waitingForDecision', 'filing'].includes(transfer.state);
}
