/**
 * Mistakes that a transfer engine may have, each put into a world that has none: a wrapper around one pure function, or one promise of
 * the store broken. A world that does not catch them would not catch ours.
 */

import { storedLength } from '../../base/content.ts';
import type { MessageId } from '../../base/ids.ts';
import type { Answer, Decision, Effect, Event, Facts, Message, Transfer } from '../../transfer/types.ts';
import type { Machine } from './types.ts';
import { MACHINE } from './world.ts';

type Next = (transfer: Transfer, event: Event, facts: Facts) => Decision<Transfer>;

/** The decisions, with one of them taken otherwise. */
function deciding(otherwise: (next: Next, transfer: Transfer, event: Event, facts: Facts) => Decision<Transfer>): Machine {
  const decide: Machine['decide'] = (transfer, event, facts) => otherwise(MACHINE.decide, transfer, event, facts);
  return { ...MACHINE, decide };
}

/** The decisions, with something else made of their effects. */
function effecting(
  change: (effects: readonly Effect[], before: Transfer, decision: Decision<Transfer>, event: Event) => readonly Effect[],
): Machine {
  return deciding((next, transfer, event, facts) => {
    const decision = next(transfer, event, facts);
    return { ...decision, effects: change(decision.effects, transfer, decision, event) };
  });
}

/** The decisions, told something else about the message that came. */
function hearing(change: (event: Event, transfer: Transfer, facts: Facts) => Event): Machine {
  return deciding((next, transfer, event, facts) => next(transfer, change(event, transfer, facts), facts));
}

function breaking(promise: keyof Machine['keeps']): Machine {
  return { ...MACHINE, keeps: { ...MACHINE.keeps, [promise]: false } };
}

const ignored = (transfer: Transfer): Decision<Transfer> => ({ transfer, effects: [], note: 'overlooked' });
const without = (what: Effect['do']) => effecting((effects) => effects.filter((effect) => effect.do !== what));
const isFinal = (event: Event, facts: Facts) =>
  event.kind === 'arrived' && event.message.interaction === 'acknowledgement' && facts.refersTo === 'extract';

/** Acknowledgements written otherwise. */
function answering(change: (message: Message & { readonly answer: Answer }, before: Transfer) => Message): Machine {
  return effecting((effects, before) =>
    effects.map((effect) =>
      effect.do === 'send' && effect.message.interaction === 'acknowledgement'
        ? { ...effect, message: change(effect.message, before) }
        : effect,
    ),
  );
}

function coded(answer: Answer, code: '21' | '30'): Answer {
  return answer.accepted || answer.code === '12' ? answer : { accepted: false, code, raw: code };
}

export const BUGS: Readonly<Record<string, Machine>> = {
  'messages and events are taken as often as they come': breaking('once'),
  'a message is acknowledged before it is durable': breaking('durableFirst'),
  'timers are lost at a restart': breaking('timers'),
  'a message that nobody knows yet is dropped': breaking('parked'),
  'a post of unknown fate counts as sent': breaking('unknown'),
  'a repeated post gets a new id': breaking('ids'),
  'what follows is not written in the same transaction': breaking('together'),
  'the first final acknowledgement is lost': deciding((next, transfer, event, facts) =>
    isFinal(event, facts) && transfer.state === 'waitingForAnswer' ? ignored(transfer) : next(transfer, event, facts),
  ),
  'a late acknowledgement does not heal the eighth day': deciding((next, transfer, event, facts) =>
    isFinal(event, facts) && transfer.state === 'ended' ? ignored(transfer) : next(transfer, event, facts),
  ),
  'a later final acknowledgement wins over the first': deciding((next, transfer, event, facts) => {
    const isRefused = transfer.role === 'sending' && transfer.state === 'ended' && transfer.outcome.kind === 'acknowledged';
    return isRefused && isFinal(event, facts)
      ? { ...ignored(transfer), transfer: { ...transfer, outcome: { kind: 'refusedByRequester', code: null } } }
      : next(transfer, event, facts);
  }),
  'a duplicate (12) ends a transfer': hearing((event, _transfer, facts) =>
    isFinal(event, facts) &&
    event.kind === 'arrived' &&
    event.message.interaction === 'acknowledgement' &&
    !event.message.answer.accepted &&
    event.message.answer.code === '12'
      ? { ...event, message: { ...event.message, answer: { accepted: false, code: '21', raw: '21' } } }
      : event,
  ),
  'a suppressed record (15) counts as refused': hearing((event) =>
    event.kind === 'arrived' &&
    event.message.interaction === 'acknowledgement' &&
    !event.message.answer.accepted &&
    event.message.answer.code === '15'
      ? { ...event, message: { ...event.message, answer: { accepted: false, code: '11', raw: '11' } } }
      : event,
  ),
  'anybody is believed to be the other practice': hearing((event, transfer) => {
    const peer = 'peer' in transfer ? transfer.peer : null;
    if (event.kind !== 'arrived' || !peer) return event;
    return {
      ...event,
      message: { ...event.message, addressed: { ...event.message.addressed, fromPartyKey: peer.partyKey, fromAsid: peer.asid } },
    };
  }),
  'a piece before its core is dropped': effecting((effects, before) =>
    before.state === 'waitingForExtract' ? effects.filter(({ do: what }) => what !== 'keepPart' && what !== 'expect') : effects,
  ),
  'a piece before its index is dropped': deciding((next, transfer, event, facts) => {
    const decision = next(transfer, event, facts);
    const isEarly = event.kind === 'arrived' && event.message.interaction === 'piece' && facts.part?.expected === false;
    return isEarly ? { ...decision, effects: decision.effects.filter(({ do: what }) => what !== 'keepPart') } : decision;
  }),
  'a part that came is counted twice': deciding((next, transfer, event, facts) =>
    next(
      transfer,
      event,
      facts.part && transfer.state === 'collecting'
        ? { ...facts, part: { ...facts.part, outstandingAfter: Math.max(0, facts.part.outstandingAfter - 1) } }
        : facts,
    ),
  ),
  'pieces are joined in the order in which they came': {
    ...MACHINE,
    assemble: (core, ledger) =>
      MACHINE.assemble(
        core,
        ledger.map((part, order) => ({ ...part, order })),
      ),
  },
  'each piece is taken for a gzip stream of its own': {
    ...MACHINE,
    assemble: (core, ledger) =>
      MACHINE.assemble(core, ledger).map((attachment) =>
        attachment.content && attachment.content.pieces.length > 1
          ? { ...attachment, content: { ...attachment.content, gzip: !attachment.content.gzip } }
          : attachment,
      ),
  },
  'a document with a hole counts as whole': {
    ...MACHINE,
    assemble: (core, ledger) =>
      MACHINE.assemble(
        core,
        ledger.filter(({ content, index }) => index || (content !== null && storedLength(content) > 0)),
      ),
  },
  'parts leave with the core': deciding((next, transfer, event, facts) => {
    const decision = next(transfer, event, facts);
    const after = decision.transfer;
    if (after.role !== 'sending' || after.state !== 'waitingForContinue' || transfer.state !== 'sendingCore') return decision;
    const parts: Transfer = { ...after, state: 'sendingParts', unsent: after.offer.parts };
    return { ...decision, transfer: parts, effects: [...decision.effects, { do: 'sendParts' }] };
  }),
  'no continue is sent': effecting((effects) =>
    effects.filter((effect) => effect.do !== 'send' || effect.message.interaction !== 'continue'),
  ),
  'the core is acknowledged before it is filed': effecting((effects, before, { transfer }, event) =>
    transfer.role === 'requesting' && transfer.state === 'filing' && before.state === 'converting' && 'core' in transfer
      ? [...effects, { do: 'send', tellWhenSent: false, message: early(transfer.core.messageId, transfer, event) }]
      : effects,
  ),
  'a refusal bears the wrong code': answering((message) => ({ ...message, answer: coded(message.answer, '30') }) as Message),
  'an acknowledgement names the conversation, not the message': answering(
    (message, { conversationId }) => ({ ...message, of: conversationId as string as MessageId }) as Message,
  ),
  'the acknowledgement of the request moves a transfer back': deciding((next, transfer, event, facts) => {
    const isAck = event.kind === 'arrived' && event.message.interaction === 'acknowledgement' && facts.refersTo === 'request';
    return isAck && transfer.role === 'requesting' && transfer.state === 'collecting'
      ? { ...ignored(transfer), transfer: { ...transfer, state: 'waitingForExtract', requestId: '', acknowledged: event.at } as Transfer }
      : next(transfer, event, facts);
  }),
  'no timer is set': without('wake'),
  'a failure is put in nobody’s list': without('raise'),
  'the record is sent again without being asked for again': deciding((next, transfer, event, facts) => {
    const decision = next(transfer, event, facts);
    const after = decision.transfer;
    return transfer.state === 'ended' && after.role === 'sending' && after.state === 'checking' && after.peer
      ? { ...decision, transfer: { ...after, state: 'fetching', peer: after.peer } }
      : decision;
  }),
};

function early(of: MessageId, { conversationId }: Transfer, { id, at }: Event): Message {
  return {
    messageId: `EARLY-${id}` as MessageId,
    aliases: [],
    conversationId,
    at,
    interaction: 'acknowledgement',
    of,
    answer: { accepted: true },
  };
}
