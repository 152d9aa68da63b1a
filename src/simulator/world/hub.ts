/** Spine as it may be: it loses, repeats, delays and reorders, and says so or does not. */
import type { MessageId } from '../../base/ids.ts';
import type { Received } from '../../transfer/types.ts';
import { instantOf, type World, type WorldNode } from './types.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
/** How long Spine tries to deliver. */
const PATIENCE_MS = 7 * HOUR;

export type Hub = {
  /** What the sender learns of its post. */
  post(from: WorldNode, wire: readonly Received[]): 'delivered' | 'refused' | 'unknown' | 'unreachable';
  /** Messages that were taken and never came anywhere. */
  readonly swallowed: ReadonlySet<MessageId>;
  /** Messages of which the sender was told, in Spine's own name, that they did not arrive. */
  readonly returned: ReadonlySet<MessageId>;
};

export function makeHub(world: World): Hub {
  const { clock, chance, coverage } = world;
  const swallowed = new Set<MessageId>();
  const returned = new Set<MessageId>();

  function post(from: WorldNode, wire: readonly Received[]): ReturnType<Hub['post']> {
    const [message] = wire;
    if (!message) return 'delivered';
    const luck = chance.number();
    if (luck < 0.01) {
      coverage.fault('unreachable');
      return 'unreachable';
    }
    if (luck < 0.0105) {
      coverage.fault('refused by Spine');
      return 'refused';
    }
    if (luck < 0.02) {
      coverage.fault('lost on the way');
      return 'unknown';
    }
    world.watch.posted(from, message);
    world.observer.taken?.(message, clock.now());
    carry(from, message);
    if (from.habits.twice || chance.happens(0.02)) {
      coverage.fault('delivered twice');
      carry(from, message);
    }
    if (luck < 0.035) {
      coverage.fault('answer lost');
      return 'unknown';
    }
    return 'delivered';
  }

  function carry(from: WorldNode, message: Received): void {
    if (chance.happens(0.0006)) {
      coverage.fault('swallowed');
      swallowed.add(message.messageId);
      return;
    }
    const to = world.nodes.find(({ own }) => own.partyKey === message.addressed.toPartyKey && own.asid === message.addressed.toAsid);
    if (!to) return;
    const isDelayed = chance.happens(0.04);
    if (isDelayed) coverage.fault('delayed');
    const until = clock.now() + PATIENCE_MS;
    const ms = isDelayed ? chance.between(60, 6 * 3600) * SECOND : chance.between(50, 8000);
    clock.after(ms, () => attempt(from, to, message, until, 10 * SECOND));
  }

  function attempt(from: WorldNode, to: WorldNode, message: Received, until: number, wait: number): void {
    if (to.accept(message) === 'accepted') return;
    if (clock.now() < until) {
      clock.after(wait, () => attempt(from, to, message, until, Math.min(wait * 2, 1800 * SECOND)));
      return;
    }
    // A copy may have come all the same: Spine speaks of this one.
    coverage.fault('undelivered');
    returned.add(message.messageId);
    if (message.interaction !== 'undelivered') giveBack(from, message.messageId, message.conversationId);
  }

  function giveBack(to: WorldNode, of: MessageId, conversationId: Received['conversationId']): void {
    const notice: Received = {
      messageId: world.newId() as MessageId,
      aliases: [],
      conversationId,
      at: instantOf(clock.now()),
      addressed: { fromPartyKey: 'SPINE-000001', toPartyKey: to.own.partyKey, fromAsid: null, toAsid: to.own.asid },
      interaction: 'undelivered',
      of,
      fault: 'Spine AR 506',
    };
    clock.after(SECOND, () => attempt(to, to, notice, clock.now() + 40 * 24 * HOUR, 10 * SECOND));
  }

  return { post, swallowed, returned };
}
