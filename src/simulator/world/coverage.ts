/** What was met: each pair of state and event, each response code, each fault, each habit. */
import { CODES } from '../../transfer/codes.ts';
import type { Event, Transfer } from '../../transfer/types.ts';

const STATES = {
  requesting: ['checking', 'waitingForExtract', 'collecting', 'converting', 'waitingForDecision', 'filing', 'ended'],
  sending: ['checking', 'fetching', 'converting', 'sendingCore', 'waitingForContinue', 'sendingParts', 'waitingForAnswer', 'ended'],
} as const satisfies Record<Transfer['role'], readonly Transfer['state'][]>;
export const ARRIVALS = ['request', 'extract', 'continue', 'index', 'piece', 'acknowledgement', 'undelivered', 'unreadable'] as const;
export const TIMERS = ['extractLate', 'partsLate', 'answerLate', 'undecided'] as const;
export const DECISIONS = ['integrate', 'suppress', 'fileAsAttachment', 'reject', 'withdraw', 'resend'] as const;
const EVENTS = [
  'registered',
  ...ARRIVALS.map((kind) => `arrived ${kind}`),
  'sent',
  'notSent',
  'done',
  'failed',
  ...TIMERS.map((timer) => `due ${timer}`),
  ...DECISIONS.map((decision) => `decided ${decision}`),
  'superseded',
];
export const FAULTS = [
  'crash before commit',
  'crash after commit',
  'crash after posting',
  'node down',
  'stalled worker',
  'lost claim',
  'clock forward',
  'clock back',
  'unreachable',
  'refused by Spine',
  'lost on the way',
  'answer lost',
  'delivered twice',
  'delayed',
  'undelivered',
  'swallowed',
  'job fault',
  'stranger',
  'parked',
  'put aside',
  'renewed',
] as const;
export type WorldFault = (typeof FAULTS)[number];

export function eventName(event: Event): string {
  switch (event.kind) {
    case 'arrived':
      return `arrived ${event.message.interaction}`;
    case 'due':
      return `due ${event.timer}`;
    case 'decided':
      return `decided ${event.decision}`;
    default:
      return event.kind;
  }
}

type Counts = Map<string, number>;
type Tables = {
  readonly pairs: Counts;
  readonly codes: Counts;
  readonly faults: Counts;
  readonly outcomes: Counts;
  readonly habits: Counts;
};
export type Coverage = Tables & {
  decided(transfer: Transfer, event: Event): void;
  code(code: string): void;
  fault(fault: WorldFault): void;
  outcome(outcome: string): void;
  habit(habit: string): void;
  /** Adds what another world met. */
  join(other: Tables): void;
  /** What was never met, of what there is. */
  missing(): string[];
};

export function makeCoverage(): Coverage {
  const pairs = new Map<string, number>();
  const codes = new Map<string, number>(Object.keys(CODES).map((code) => [code, 0]));
  const faults = new Map<string, number>(FAULTS.map((fault) => [fault, 0]));
  const outcomes = new Map<string, number>();
  const habits = new Map<string, number>();
  for (const [role, states] of Object.entries(STATES))
    for (const state of states) for (const event of EVENTS) pairs.set(`${role} ${state} × ${event}`, 0);
  const add = (table: Map<string, number>, key: string, by = 1) => table.set(key, (table.get(key) ?? 0) + by);
  return {
    pairs,
    codes,
    faults,
    outcomes,
    habits,
    decided: (transfer: Transfer, event: Event) => add(pairs, `${transfer.role} ${transfer.state} × ${eventName(event)}`),
    code: (code: string) => add(codes, code),
    fault: (fault: WorldFault) => add(faults, fault),
    outcome: (outcome: string) => add(outcomes, outcome),
    habit: (habit: string) => add(habits, habit),
    join(other) {
      for (const name of ['pairs', 'codes', 'faults', 'outcomes', 'habits'] as const)
        for (const [key, count] of other[name]) add({ pairs, codes, faults, outcomes, habits }[name], key, count);
    },
    missing: () => [pairs, codes, faults].flatMap((table) => [...table].flatMap(([key, count]) => (count === 0 ? [key] : []))),
  };
}
