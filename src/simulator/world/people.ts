/** Staff on both sides: they register, withdraw, decide, send again and ask again, late or never, and some clocks go wrong. */
import type { ConversationId, TransferId } from '../../base/ids.ts';
import type { Event, Requesting, Transfer } from '../../transfer/types.ts';
import { noise } from './noise.ts';
import { instantOf, type Story, type World, type WorldNode } from './types.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const REGISTRATION = {
  type: 'newRegistration',
  permanent: true,
  returning: false,
  authenticated: true,
  traceMatched: true,
  gpLinksComplete: true,
} as const;

/** Registers a patient; handed in again until the node has it. */
export function register(world: World, story: Story): void {
  const number = ++story.registrations;
  const node = story.requester;
  const id = `REQUESTING ${story.number}-${number}` as TransferId;
  const conversationId = `C${story.number}-${number}` as ConversationId;
  const handIn = (): void => {
    if (node.isUp()) {
      const at = instantOf(node.now());
      const common = { id, version: 0, conversationId, practice: node.own.ods, nhsNumber: story.nhsNumber, startedAt: at };
      const begin: Requesting = { ...common, role: 'requesting', previousPractice: story.sender.own.ods, state: 'checking' };
      const event: Event = { id: `registered:${number}`, at, by: { kind: 'system' }, kind: 'registered', registration: REGISTRATION };
      node.post({ begin }, event);
    }
    if (!node.store.tables.transfers.has(id)) world.clock.after(30 * SECOND, handIn);
  };
  handIn();
}

/** What people do about a change that was committed. */
export function react(world: World, node: WorldNode, before: Transfer | null, after: Transfer, resent: Map<string, number>): void {
  const { chance, clock } = world;
  const story = world.stories.get(after.nhsNumber);
  if (!story || before?.state === after.state) return;
  for (let more = story.noisy ? chance.pick([0, 1, 2]) : 0; more > 0; more--)
    clock.after(chance.pick([1, 1, 500, 60 * SECOND]), () => noise(world, node, after.id));
  if (chance.happens(0.0004)) jump(world, node);
  // The practice that asked changes its mind while the other is at it.
  if (chance.happens(story.noisy ? 0.012 : 0.002)) clock.after(chance.between(1, 3000), () => changeOfMind(world, story));
  if (after.role === 'requesting') {
    if (after.state === 'waitingForDecision') decideSometime(world, node, after);
    if (after.state === 'ended' && wasNotFiled(after) && story.registrations < 3 && chance.happens(0.4))
      clock.after(chance.between(1, 48) * HOUR, () => register(world, story));
    return;
  }
  const again = resent.get(after.id) ?? 0;
  if (after.state === 'ended' && after.outcome.kind !== 'acknowledged' && again < 2 && chance.happens(0.4)) {
    resent.set(after.id, again + 1);
    clock.after(chance.between(1, 72) * HOUR, () => tell(world, node, after.id, 'resend'));
  }
}

function wasNotFiled({ outcome }: Extract<Requesting, { state: 'ended' }>): boolean {
  return outcome.kind !== 'integrated' && outcome.kind !== 'notEligible' && outcome.kind !== 'withdrawn';
}

function decideSometime(world: World, node: WorldNode, transfer: Extract<Requesting, { state: 'waitingForDecision' }>): void {
  const { chance, clock } = world;
  // Some never do: the record stays in their list.
  if (chance.happens(0.03)) return;
  const decision = transfer.reasons.includes('otherPatient')
    ? chance.pick(['reject', 'integrate'] as const)
    : chance.pick(['integrate', 'integrate', 'integrate', 'suppress', 'fileAsAttachment', 'reject'] as const);
  const ms = chance.happens(0.15) ? chance.between(3, 12) * DAY : chance.between(10, 2000) * 60 * SECOND;
  clock.after(ms, () => tell(world, node, transfer.id, decision));
  if (transfer.reasons.includes('otherPatient')) clock.after(ms + HOUR, () => tell(world, node, transfer.id, 'reject'));
}

type Told = Extract<Event, { kind: 'decided' }>['decision'];

/** A person at a screen tries again while the node is away. */
function tell(world: World, node: WorldNode, transfer: TransferId, decision: Told): void {
  if (!node.isUp()) {
    world.clock.after(600 * SECOND, () => tell(world, node, transfer, decision));
    return;
  }
  const by = { kind: 'person', user: 'a.person', role: 'administrator' } as const;
  node.post({ transfer }, { id: `decided:${world.newId()}`, at: instantOf(node.now()), by, kind: 'decided', decision });
}

function changeOfMind(world: World, story: Story): void {
  const node = story.requester;
  for (const transfer of node.store.tables.transfers.values())
    if (transfer.role === 'requesting' && transfer.nhsNumber === story.nhsNumber && transfer.state !== 'ended')
      tell(world, node, transfer.id, 'withdraw');
  if (story.registrations < 3 && world.chance.happens(0.7)) register(world, story);
}

/** A clock goes wrong by up to nine days, and somebody sets it right again. */
function jump({ chance, clock }: World, node: WorldNode): void {
  const ms = chance.pick([-2 * DAY, -HOUR, HOUR, 9 * HOUR, 9 * DAY]);
  node.jumpClock(ms);
  clock.after(chance.between(1, 12) * HOUR, () => node.jumpClock(-ms));
}
