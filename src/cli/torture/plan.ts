import { seeded } from '../../simulator/seeded.ts';
import { type CastPractice, cast } from '../demo/cast.ts';

/**
 * What a transfer is made to be. `plain` and `documents` fit into one message, `external` has documents that travel as messages of
 * their own, `pieces` one that is too large for any message. The others must be rejected: the previous practice does not hold the
 * patient, holds a record that cannot be read, is asked by a practice that PDS does not show any more, or the new one's system refuses.
 */
export const KINDS = ['plain', 'documents', 'external', 'pieces', 'notThere', 'unreadable', 'movedOn', 'refused'] as const;
export type Kind = (typeof KINDS)[number];
export type PlannedTransfer = {
  readonly number: number;
  readonly kind: Kind;
  /** Of the synthetic patient; no two transfers move the same one. */
  readonly patient: number;
  readonly from: CastPractice;
  readonly to: CastPractice;
  readonly registrationId: string;
  /** How it may end as the new practice sees it, the first being what is meant; `integrated` or an outcome with its code. */
  readonly ends: readonly string[];
};
export type PlannedKill = {
  readonly number: number;
  /** A program's name, or `database`. */
  readonly target: string;
  /** Due once so many transfers have ended, and after this pause. */
  readonly afterEnded: number;
  readonly pauseMs: number;
  /** After the pause the kill waits for the next message that the target acknowledges, and meets it right behind that. */
  readonly afterDelivery: boolean;
  /** How long the process is down before it is started again. */
  readonly downMs: number;
};
/** What goes wrong for a while without anybody being killed; see `troubles.ts` and `ways.ts`. */
export const TROUBLES = ['stall', 'refuse', 'hang', 'cut', 'diskFull'] as const;
export type PlannedTrouble = {
  readonly number: number;
  readonly trouble: (typeof TROUBLES)[number];
  /** A program's name, or `database`; of a disk `north-objects`, `south-objects` or `database`. */
  readonly target: string;
  readonly afterEnded: number;
  readonly pauseMs: number;
  readonly forMs: number;
};
export type Plan = {
  readonly practices: readonly CastPractice[];
  readonly transfers: readonly PlannedTransfer[];
  readonly kills: readonly PlannedKill[];
  readonly troubles: readonly PlannedTrouble[];
};
export type PlanOptions = {
  readonly transfers: number;
  readonly kills: number;
  readonly troubles?: number;
  readonly seed: number;
  readonly nodesPerSide: number;
  /** `nodes`: only these are killed. */
  readonly targets?: 'all' | 'nodes';
  /** Kinds that take turns, in place of the usual mixture. */
  readonly kinds?: readonly Kind[];
};

/** Four practices on each side; the last of each side has a system that refuses every record. */
const PRACTICES = 8;
const REFUSING = 2;

const ENDS: Readonly<Record<Kind, readonly string[]>> = {
  plain: ['integrated'],
  documents: ['integrated'],
  external: ['integrated'],
  pieces: ['integrated'],
  notThere: ['refusedBySender 06'],
  unreadable: ['refusedBySender 10'],
  // The patient moves on while the request is on its way. Where a kill holds this test up, the request is faster or never made.
  movedOn: ['refusedBySender 19', 'notEligible NOT_REGISTERED_HERE', 'integrated'],
  // The system does not file it, and a person rejects it for that: docs/reliability.md.
  refused: ['notIntegrated 11'],
};
const REJECTIONS = ['notThere', 'unreadable', 'movedOn', 'refused'] as const;

/** Who moves where, what is killed and when: the same seed gives the same plan. */
export function makePlan(options: PlanOptions): Plan {
  const random = seeded(options.seed);
  const practices = cast(PRACTICES);
  const transfers = Array.from({ length: options.transfers }, (_, i) => plannedTransfer(i, practices, options, random));
  return { practices, transfers, kills: plannedKills(options, random), troubles: plannedTroubles(options, random) };
}

function plannedTransfer(
  i: number,
  practices: readonly CastPractice[],
  { seed, kinds }: PlanOptions,
  random: () => number,
): PlannedTransfer {
  const kind = kinds?.[i % kinds.length] ?? kindOf(i, random);
  const to = pick(
    practices.filter((_, at) => at >= PRACTICES - REFUSING === (kind === 'refused')),
    random,
  );
  // Every transfer crosses from one supplier to the other.
  const from = pick(
    practices.filter(({ side }) => side !== to.side),
    random,
  );
  const number = i + 1;
  const id = Math.floor(random() * 0x100000000)
    .toString(16)
    .padStart(8, '0')
    .toUpperCase();
  return { number, kind, patient: (seed % 40) * 10_000 + i, from, to, registrationId: `TORTURE-${number}-${id}`, ends: ENDS[kind] };
}

/** Every twelfth is to be rejected, in turns; of the others some have documents that make the protocol work. */
function kindOf(i: number, random: () => number): Kind {
  if (i % 12 === 5) return REJECTIONS[Math.floor(i / 12) % REJECTIONS.length] ?? 'notThere';
  if (i % 10 === 2) return 'pieces';
  if (i % 20 === 7) return 'external';
  return random() < 0.6 ? 'documents' : 'plain';
}

/**
 * Kills are spread over the transfers: each has its own stretch of them, at a random place. The last is due when the last transfer
 * has begun, which `run.ts` begins only after all other kills.
 */
function plannedKills({ transfers, kills, nodesPerSide, targets }: PlanOptions, random: () => number): PlannedKill[] {
  const nodes = nodeNames(nodesPerSide);
  const span = Math.max(0, transfers - 1);
  return Array.from({ length: kills }, (_, i) => {
    // Nodes are what is tested: half of the kills are theirs, and half of those come when most is at stake.
    const isNode = targets === 'nodes' || random() < 0.5;
    return {
      number: i + 1,
      target: pick(isNode ? nodes : OTHERS, random),
      afterEnded: Math.min(span, Math.floor(((i + random()) / kills) * span * 0.9)),
      // The last one has to meet the last transfer on its way.
      pauseMs: Math.floor(random() * (i === kills - 1 ? 300 : 1_500)),
      afterDelivery: (random() < 0.5 || targets === 'nodes') && isNode && i < kills - 1,
      downMs: 100 + Math.floor(random() * 2_400),
    };
  });
}

const OTHERS = ['spine', 'north-system', 'south-system', 'database'];

function nodeNames(nodesPerSide: number): readonly string[] {
  return ['north', 'south'].flatMap((side) => Array.from({ length: nodesPerSide }, (_, i) => `${side}-${i + 1}`));
}

/**
 * Each kind in its turn, spread over the transfers. A node that stands still does so for longer than its leases last: another takes its
 * work, and what the first one still says when it goes on must count for nothing.
 */
function plannedTroubles({ transfers, troubles = 0, nodesPerSide }: PlanOptions, random: () => number): PlannedTrouble[] {
  const nodes = nodeNames(nodesPerSide);
  const programs = [...nodes, 'spine', 'north-system', 'south-system'];
  const span = Math.max(0, transfers - 1);
  return Array.from({ length: troubles }, (_, i) => {
    const trouble = TROUBLES[i % TROUBLES.length] ?? 'stall';
    const target = pick(
      trouble === 'diskFull' ? ['north-objects', 'south-objects', 'database'] : trouble === 'stall' ? [...programs, 'database'] : programs,
      random,
    );
    const forMs = 1_000 + Math.floor(random() * 4_000) + (trouble === 'stall' && nodes.includes(target) ? 6_000 : 0);
    const afterEnded = Math.floor(((i + random()) / troubles) * span * 0.7);
    return { number: i + 1, trouble, target, afterEnded, pauseMs: Math.floor(random() * 1_500), forMs };
  });
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

/** The practices whose systems refuse every record. */
export function refusingPractices(plan: Plan): readonly CastPractice[] {
  return plan.practices.slice(PRACTICES - REFUSING);
}
