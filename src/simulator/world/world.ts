/**
 * A world: practices with nodes of the real decisions, Spine and people between them, under one clock and one seed. It runs until nothing
 * is left to happen, and is looked at after each step.
 */
import { decide } from '../../transfer/decide.ts';
import { assemble } from '../../transfer/parts.ts';
import { route } from '../../transfer/routing.ts';
import { makeChance } from '../patients/chance.ts';
import { makeWorldClock } from './clock.ts';
import { type Coverage, makeCoverage } from './coverage.ts';
import { makeHub } from './hub.ts';
import { runJob } from './jobs.ts';
import { makeNode } from './node.ts';
import { react, register } from './people.ts';
import { practice, story } from './stories.ts';
import type { Machine, Observer, World } from './types.ts';
import { Violation } from './violation.ts';
import { makeWatch } from './watch.ts';

export const MACHINE: Machine = {
  decide,
  route,
  assemble,
  keeps: { once: true, durableFirst: true, timers: true, parked: true, unknown: true, ids: true, together: true },
};
/** Of one world. A thousand conversations are twenty worlds, so that one that fails is small enough to look at. */
export const CONVERSATIONS = 50;
const PRACTICES = 5;
const START = Date.parse('2026-01-05T08:00:00.000Z');
const DAY = 86_400_000;
/** Conversations begin on two days, so that many are under way at the same time. */
const DAYS = 2;
/** When everything that waits for something has either had it or given up. */
const END_MS = 200 * DAY;

export type WorldResult = {
  readonly seed: number;
  readonly steps: number;
  readonly violation: string | null;
  readonly coverage: Coverage;
};

export type WorldOptions = {
  readonly machine?: Machine;
  readonly conversations?: number;
  /** Told of every change of every transfer. */
  readonly trace?: (line: string) => void;
  readonly observer?: Observer;
  /** Days on which conversations begin. */
  readonly days?: number;
};

export function runWorld(
  seed: number,
  { machine = MACHINE, conversations = CONVERSATIONS, trace, observer = {}, days = DAYS }: WorldOptions = {},
): WorldResult {
  const chance = makeChance(seed);
  const clock = makeWorldClock(START);
  const coverage = makeCoverage();
  const resent = new Map<string, number>();
  let ids = 0;
  const base = {
    clock,
    chance,
    machine,
    coverage,
    observer,
    nodes: [] as World['nodes'],
    stories: new Map() as World['stories'],
    newId: () => `ID${++ids}`,
  };
  const world: World = {
    ...base,
    get hub() {
      return hub;
    },
    get watch() {
      return watch;
    },
    runJob: (node, transfer, job) => runJob(world, node, transfer, job),
    changed: (node, before, after) => react(world, node, before, after, resent),
  };
  const watch = makeWatch(world, trace);
  const hub = makeHub(world);
  for (let number = 0; number < PRACTICES; number++) {
    const made = practice(chance, number);
    coverage.habit(made.habits.title);
    world.nodes.push(makeNode(world, made));
  }
  for (let number = 0; number < conversations; number++) {
    const told = story(chance, number, world.nodes);
    world.stories.set(told.nhsNumber, told);
    clock.after(chance.between(0, days * DAY), () => register(world, told));
  }
  let steps = 0;
  let violation: string | null = null;
  try {
    while (clock.now() < START + END_MS && clock.step()) steps++;
    watch.ended();
  } catch (thrown) {
    if (!(thrown instanceof Violation)) throw thrown;
    violation = `${new Date(clock.now()).toISOString()}, step ${steps}: ${thrown.message}`;
  }
  return { seed, steps, violation, coverage };
}
