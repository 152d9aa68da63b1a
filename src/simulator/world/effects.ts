/** What a decision asks for, written in its own transaction; messages as this system has the habit of writing them. */
import { never } from '../../base/errors.ts';
import type { MessageId } from '../../base/ids.ts';
import { partMessage } from '../../transfer/part-message.ts';
import type { Decision, Effect, Event, Interaction, Message, Peer, Received, Transfer } from '../../transfer/types.ts';
import { addressedFrom, isWritten, regrouped, written } from './habits.ts';
import type { Inside } from './inside.ts';
import { expected, withIndex, withPiece } from './ledger.ts';
import type { OutboxRow } from './store.ts';
import { instantOf } from './types.ts';

/** Gives the messages that cannot be sent for want of an agreement with the other practice. */
export type Apply = (before: Transfer, decision: Decision<Transfer>, event: Event) => Message[];

export function makeEffects({ world, node, look }: Inside): Apply {
  const { store, own, habits } = node;
  const { tables, put, remove, onCommit } = store;
  const { machine, watch } = world;
  let rows = 0;

  return (before, decision, event) => {
    const { id } = before;
    const peer = peerOf(decision.transfer) ?? peerOf(before);
    const notSent: Message[] = [];
    for (const effect of decision.effects) {
      if (!machine.keeps.together && effect.do !== 'notify' && world.chance.happens(0.002)) continue;
      perform(effect);
    }
    return notSent;

    function perform(effect: Effect): void {
      switch (effect.do) {
        case 'send': {
          const refersTo = event.kind === 'arrived' ? event.message.interaction : '';
          if (!send(effect.message, effect.tellWhenSent, refersTo)) notSent.push(effect.message);
          break;
        }
        case 'reserve':
          for (const part of effect.parts) remember(part.messageId, part.messageId, part.kind);
          put(tables.reserved, id, effect.parts);
          break;
        case 'sendParts':
          sendParts();
          break;
        case 'stopSending':
          strike();
          break;
        case 'expect':
          expect(effect);
          break;
        case 'keepPart': {
          const ledger = tables.ledgers.get(id) ?? new Map();
          put(tables.ledgers, id, withPiece(ledger, effect.messageId, effect.part.content, effect.announced));
          break;
        }
        case 'forgetParts':
          if (before.role === 'requesting') remove(tables.ledgers, id);
          else remove(tables.reserved, id);
          break;
        case 'run':
          enqueue({ ...fresh(), kind: 'job', job: effect.job });
          break;
        case 'wake': {
          const there = timerRow(effect.timer);
          const dueAt = Date.parse(effect.at);
          if (there) enqueue({ ...there, dueAt, owner: null, claims: there.claims + 1 });
          else enqueue({ ...fresh(), dueAt, kind: 'timer', timer: effect.timer });
          break;
        }
        case 'rest': {
          const there = timerRow(effect.timer);
          if (there) remove(tables.outbox, there.id);
          break;
        }
        case 'raise':
          put(tables.tasks, id, new Set([...(tables.tasks.get(id) ?? []), effect.task]));
          break;
        case 'close':
          put(tables.tasks, id, new Set([...(tables.tasks.get(id) ?? [])].filter((task) => task !== effect.task)));
          break;
        case 'partAnswered':
        case 'notify':
          break;
        default:
          never(effect);
      }
    }

    function strike(): void {
      for (const row of tables.outbox.values()) {
        if (row.transfer !== id || row.kind !== 'message' || row.dead || row.interaction === 'acknowledgement') continue;
        onCommit(() => watch.struck(row));
        remove(tables.outbox, row.id);
      }
    }

    function expect({ under, references }: Extract<Effect, { do: 'expect' }>): void {
      const ledger = tables.ledgers.get(id) ?? new Map();
      const index = event.kind === 'arrived' && event.message.interaction === 'index' ? event.message : null;
      const known = index?.messageId === under ? withIndex(ledger, index.messageId, index.announced) : ledger;
      put(tables.ledgers, id, expected(known, under, references));
    }

    function fresh() {
      const now = node.now();
      return {
        id: ++rows,
        owner: null,
        claims: 0,
        attempts: 0,
        dueAt: now,
        dead: false,
        transfer: id,
        queuedAt: now,
        until: null,
      } as const;
    }

    function enqueue(row: OutboxRow): void {
      put(tables.outbox, row.id, row);
      onCommit(() => look(row));
    }

    function timerRow(timer: string): Extract<OutboxRow, { kind: 'timer' }> | undefined {
      for (const row of tables.outbox.values()) if (row.transfer === id && row.kind === 'timer' && row.timer === timer) return row;
      return undefined;
    }

    function remember(name: string, message: MessageId, interaction: Interaction): void {
      const key = name.toUpperCase();
      if (!tables.sent.has(key)) put(tables.sent, key, { transfer: id, interaction, message });
    }

    function send(intended: Message, tellWhenSent: boolean, refersTo: string): boolean {
      const contract = peer && contractOf(peer, intended.interaction);
      if (!peer || !contract) return false;
      const crossed = intended.interaction === 'extract' && habits.crossedIds ? [`HL7-${intended.messageId}`] : [];
      const message = { ...intended, aliases: [...intended.aliases, ...crossed] };
      for (const name of [message.messageId, ...message.aliases]) remember(name, message.messageId, message.interaction);
      const hl7IdOf = (of: MessageId) => world.watch.hl7Id(of);
      const wire = isWritten(habits, message, refersTo) ? [onTheWire(written(habits, message, hl7IdOf), peer)] : [];
      watch.intended(node, before, message, event, wire.length > 0);
      queue(message.messageId, message.interaction, tellWhenSent, wire, contract.persistSeconds);
      return true;
    }

    function onTheWire(message: Message, to: Peer): Received {
      return { ...message, addressed: addressedFrom(own, to) };
    }

    function queue(
      messageId: MessageId,
      interaction: Interaction,
      tellWhenSent: boolean,
      wire: readonly Received[],
      persist: number,
    ): void {
      const now = node.now();
      enqueue({ ...fresh(), kind: 'message', messageId, interaction, tellWhenSent, wire, until: now + persist * 1000 });
    }

    function sendParts(): void {
      const parts = tables.reserved.get(id) ?? [];
      const contract = peer?.contracts.part;
      if (!peer || !contract) {
        const lost = parts[0];
        if (lost) notSent.push(partMessage(lost, parts, envelope()));
        return;
      }
      const made = parts.map((part) => partMessage(part, parts, envelope()) as Extract<Message, { interaction: 'index' | 'piece' }>);
      const { messages, silent } = regrouped(habits, made, () => world.newId());
      const promised = new Set(parts.map(({ messageId }) => messageId));
      for (const message of messages) {
        const { messageId, interaction } = message;
        remember(messageId, messageId, interaction);
        const tell = promised.has(messageId);
        const wire = silent.has(messageId)
          ? []
          : [
              onTheWire(
                written(habits, message, (of) => of),
                peer,
              ),
            ];
        watch.intended(node, before, message, event, wire.length > 0);
        queue(messageId, interaction, tell, wire, contract.persistSeconds);
      }
    }

    function envelope() {
      const to = peer?.ods ?? own.ods;
      return { conversationId: before.conversationId, now: instantOf(node.now()), from: own.ods, to, newId: () => world.newId() };
    }
  };
}

function peerOf(transfer: Transfer): Peer | null {
  return 'peer' in transfer ? transfer.peer : null;
}

function contractOf({ contracts }: Peer, interaction: Interaction) {
  switch (interaction) {
    case 'request':
      return contracts.request;
    case 'extract':
      return contracts.extract;
    case 'acknowledgement':
      return contracts.acknowledgement;
    case 'continue':
    case 'index':
    case 'piece':
      return contracts.part;
  }
}
