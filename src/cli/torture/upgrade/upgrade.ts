/**
 * A rolling upgrade with a change of the tables under load: two nodes on each side, each pair over one database, are replaced one after the
 * other while transfers are on their way and messages come at a steady rate. Then everything is counted from the outside.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../../base/errors.ts';
import { SIDES, type Side } from '../../demo/cast.ts';
import { ask } from '../../demo/moves.ts';
import { startWorld, type World } from '../../demo/world.ts';
import { recount } from '../count/count.ts';
import { since } from '../drive.ts';
import { beginEvidence, gatherEvidence } from '../keep.ts';
import { makePlan } from '../plan.ts';
import { patientOf, personOf } from '../records.ts';
import { startAsker } from './asker.ts';
import { type BalancedNode, type Balancer, startBalancer } from './balancer.ts';
import { schemaOf, tryDowngrade, upgradeAll } from './roll.ts';
import { keepRunning } from './running.ts';
import { percentile, startTraffic, type Traffic } from './traffic.ts';
import { PREVIOUS, TWO_VERSIONS } from './versions.ts';

export type UpgradeOptions = {
  /** Transfers on their way at any time. */
  readonly running: number;
  /** Messages a second to the nodes, beside those of the transfers. */
  readonly perSecond: number;
  readonly seed: number;
  /** Each message of a transfer is held up for a random part of this. */
  readonly holdMs: number;
  readonly pauseMs: number;
  readonly drainSeconds: number;
  /** A checkout or installed package of the version that is upgraded; left out, this one with one migration fewer. */
  readonly previous?: string;
  readonly keep: string;
  readonly say: (line: string) => void;
  readonly interrupted?: Promise<void>;
};
/** The last line of a rolling upgrade. */
export type UpgradeLine = {
  readonly transfers: number;
  readonly integrated: number;
  /** The fewest that were on their way at a time while nodes were replaced. */
  readonly fewestRunning: number;
  readonly messages: number;
  /** Messages that no node took at once: its sender had to come again. */
  readonly refused: number;
  /** Attempts at a node that did not take the message, which another took in the same moment. */
  readonly turnedAway: number;
  readonly p99Ms: number;
  readonly mostMs: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly stuck: number;
  /** The number of the newest change of the tables, before and after. */
  readonly schema: readonly [before: number, after: number];
  /** Whether the previous version said afterwards that it does not work with these tables. */
  readonly downgradeRefused: boolean;
};
export type Upgraded = { readonly line: UpgradeLine; readonly findings: readonly string[]; readonly downgradeSaid: string };

const KINDS = ['documents', 'external', 'plain', 'documents', 'pieces'] as const;
/** So many more are on their way than asked for, so that it is never fewer while some end in the same moment and others begin. */
const SPARE = 4;
/** So many times as many as run at once lie ready. */
const READY = 4;
const PATIENCE_MS = 60_000;
/** Before the first node is replaced and after the last. */
const MARGIN_MS = 3_000;
const ANSWERS_MS = 60_000;

export function isCleanUpgrade({
  transfers,
  integrated,
  refused,
  lost,
  duplicated,
  stuck,
  schema,
  downgradeRefused,
}: UpgradeLine): boolean {
  const [before, after] = schema;
  return integrated === transfers && refused + lost + duplicated + stuck === 0 && downgradeRefused === after > before;
}

/** Null: interrupted. */
export async function upgrade(options: UpgradeOptions): Promise<Upgraded | null> {
  const { keep, seed, running: atOnce } = options;
  const started = Date.now();
  const say = (line: string) => options.say(`${since(started)}  ${line}`);
  let stopped = false;
  void options.interrupted?.then(() => {
    stopped = true;
  });
  const interrupted = () => stopped;
  const plan = makePlan({ transfers: (atOnce + SPARE) * READY, kills: 0, seed, nodesPerSide: 2, kinds: KINDS });
  const patients = new Map(plan.transfers.map((transfer) => [transfer.number, patientOf(transfer)]));
  const numbers = new Map([...patients].map(([number, { nhsNumber }]) => [number, nhsNumber]));
  await beginEvidence(keep, seed, plan, numbers);
  const world = await startWorld({
    folder: join(keep, 'world'),
    practices: plan.practices.length,
    nodesPerSide: 2,
    people: plan.transfers.flatMap(({ number, from }) => {
      const patient = patients.get(number);
      return patient ? [personOf(patient, from.ods)] : [];
    }),
    nodeProgram: TWO_VERSIONS,
    environment: { TORTURE_DRAIN: String(options.drainSeconds), ...(options.previous && { [PREVIOUS]: options.previous }) },
    nodeSettings: { log: 'warn', work: { leaseSeconds: 6, conversionThreads: 1 } },
    hubFaults: plan.practices.map(({ partyKey }) => ({ fault: 'reorder', ms: options.holdMs, match: { to: partyKey } })),
  });
  const closers: (() => unknown)[] = [() => world.stop()];
  try {
    const balancers = { north: balancerOf(world, 'north'), south: balancerOf(world, 'south') };
    closers.push(...SIDES.map((side) => () => balancers[side].close()));
    const asker = await startAsker(world);
    closers.push(() => asker.close());
    const before = await schemaOf(world, 'north');
    say(`everything runs: ${world.programs.size} programs and the database`);
    const running = keepRunning({ world, plan, patients, keep }, atOnce + Math.ceil(atOnce / 10) + SPARE);
    closers.push(() => running.close());
    while (running.now < atOnce && !interrupted()) await sleep(100);
    say(`${atOnce} transfers are on their way`);
    const traffic = startTraffic(asker, balancers, plan.practices, options.perSecond);
    closers.push(() => traffic.stop());
    running.watch();
    await sleep(MARGIN_MS);
    await upgradeAll({ world, balancers, pauseMs: options.pauseMs, say, interrupted });
    await sleep(MARGIN_MS);
    running.enough();
    await traffic.stop();
    if (interrupted()) return null;
    const after = await schemaOf(world, 'north');
    say(`all are upgraded; ${running.now} transfers are still on their way`);
    await ask(`${world.spineControl}/control/faults`, { method: 'DELETE' });
    if (!(await running.ended(PATIENCE_MS + options.holdMs))) say(`nothing has moved for ${(PATIENCE_MS + options.holdMs) / 1_000} s`);
    await answered(traffic, asker.answers);
    const downgradeSaid = after > before ? await tryDowngrade(world, 'north', 'north-1', (path) => rm(path)) : null;
    if (downgradeSaid !== null) say(`a node of the previous version says: ${downgradeSaid.split('\n')[0]}`);
    await running.close();
    await Promise.all([...world.programs.values()].map((program) => program.stop()));
    await beginEvidence(keep, seed, { ...plan, transfers: running.begun }, numbers);
    await gatherEvidence(keep, world);
    return await counted({ options, traffic, answers: asker.answers, fewest: running.fewest, schema: [before, after], downgradeSaid });
  } finally {
    for (const closer of closers.reverse()) await Promise.resolve(closer()).catch((thrown: unknown) => say(reasonOf(thrown)));
  }
}

function balancerOf(world: World, side: Side): Balancer {
  const nodes = world.nodeNames[side].map((name): BalancedNode => {
    const ready = world.programs.get(name)?.ready;
    return { name, spine: `${String(ready?.['spine'])}/reliablemessaging/intermediary`, health: `${String(ready?.['api'])}/healthcheck` };
  });
  const file = (name: string) => join(world.folder, 'certificates', name);
  return startBalancer(nodes, { certificate: file('spine.pem'), key: file('spine.key'), authorities: [file('authority.pem')] });
}

/** Waits for the answers to the requests that were taken; what is missing after that is counted. */
async function answered(traffic: Traffic, answers: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
  const taken = traffic.sent.filter((each) => each.taken);
  for (const end = Date.now() + ANSWERS_MS; Date.now() < end; await sleep(200))
    if (taken.every(({ id }) => (answers.get(id)?.size ?? 0) > 0)) return;
}

type ToCount = {
  readonly options: UpgradeOptions;
  readonly traffic: Traffic;
  readonly answers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly fewest: number;
  readonly schema: readonly [number, number];
  readonly downgradeSaid: string | null;
};

async function counted({ options, traffic, answers, fewest, schema, downgradeSaid }: ToCount): Promise<Upgraded> {
  const { line, findings } = await recount(options.keep);
  const { sent } = traffic;
  const refused = sent.filter(({ refusals }) => refusals.length > 0);
  const unanswered = sent.filter(({ id, taken }) => taken && (answers.get(id)?.size ?? 0) === 0);
  const twice = sent.filter(({ id }) => (answers.get(id)?.size ?? 0) > 1);
  const ms = sent.map((each) => each.ms);
  await writeFile(join(options.keep, 'messages.jsonl'), sent.map((each) => `${JSON.stringify(each)}\n`).join(''));
  return {
    line: {
      transfers: line.transfers,
      integrated: line.integrated,
      fewestRunning: fewest,
      messages: sent.length,
      refused: refused.length,
      turnedAway: sent.reduce((sum, each) => sum + each.turnedAway.length, 0),
      p99Ms: Math.round(percentile(ms, 99)),
      mostMs: Math.round(Math.max(...ms)),
      lost: line.lost + unanswered.length,
      duplicated: line.duplicated + twice.length,
      stuck: line.stuck,
      schema,
      downgradeRefused: downgradeSaid !== null,
    },
    findings: [
      ...findings.map(({ kind, text }) => `${kind}: ${text}`),
      ...refused.map(({ id, refusals }) => `refused: request ${id}: ${refusals.join('; ')}`),
      ...unanswered.map(({ id }) => `lost: request ${id} was taken and never answered`),
      ...twice.map(({ id }) => `duplicated: request ${id} was answered more than once`),
    ],
    downgradeSaid: downgradeSaid ?? '',
  };
}
