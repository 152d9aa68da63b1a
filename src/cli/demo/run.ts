import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DemoOptions } from '../demo.ts';
import type { CastPractice } from './cast.ts';
import { ask, carryOut, type Move } from './moves.ts';
import type { Mover } from './patient.ts';
import { countEvents, type EventCount } from './reporting.ts';
import { type DocumentFate, type MoveSummary, summarise } from './summary.ts';
import type { World } from './world.ts';

export type DemoRun = DemoOptions & { readonly folder: string; readonly say: (line: string) => void; readonly started: number };

/** The line that \`--json\` prints. */
export type DemoSummary = {
  readonly outcome: string;
  readonly conversationId: string;
  readonly elapsedMs: number;
  /** That crossed the hub, and their bytes. */
  readonly messages: number;
  readonly bytes: number;
  readonly issues: number;
  readonly recordFile: string | null;
  readonly documents: readonly DocumentFate[];
  readonly missing: readonly string[];
  readonly counts: MoveSummary['counts'];
  readonly peakRssBytes: { readonly sendingNode: number; readonly receivingNode: number };
  /** Of each side's object store: bytes written since the start, and bytes it keeps. */
  readonly objectStore: { readonly sending: StoreCount; readonly receiving: StoreCount };
  /** Events of these transfers that were told to national reporting. */
  readonly mi: EventCount | null;
  readonly outcomes?: Readonly<Record<string, number>>;
  readonly transfers?: readonly MoveSummary[];
};
export type StoreCount = { readonly written: number; readonly kept: number };
export type DemoResult = {
  readonly summary: DemoSummary;
  readonly moves: readonly MoveSummary[];
  readonly holders: Readonly<Record<string, string>>;
};

/** Gives the records to the practices that hold them, registers every patient at the next practice, waits for all, and sums up. */
export async function runMoves(
  world: World,
  run: DemoRun,
  movers: readonly Mover[],
  holders: Readonly<Record<string, string>>,
  firstTime: boolean,
): Promise<DemoResult> {
  const moves = movers.map((mover) => moveOf(world.practices, mover, holders));
  for (const [i, mover] of movers.entries()) {
    const move = moves[i];
    if (!move || mover.record === null) continue;
    await giveRecord(world, run, move, mover.record, firstTime);
  }
  // The hub counts on over a restart; what crossed it before is not of these moves.
  const before = (await ask(`${world.spineControl}/control/state`)) as { messages: number; bytes: number };
  const one = moves.length === 1;
  let finished = 0;
  const moved = await Promise.all(
    moves.map(async (move) => {
      if (one)
        run.say(
          `${since(run)}  ${move.nhsNumber} registers at ${move.to.name} (${move.to.ods}); the record is at ${move.from.name} (${move.from.ods})`,
        );
      const result = await carryOut(world, move, (practice, entry) => {
        if (one) run.say(`${since(run)}  ${practice.ods}: ${entry.note}`);
      });
      finished++;
      if (!one)
        run.say(
          `${since(run)}  ${finished} of ${moves.length}: ${move.nhsNumber} from ${move.from.ods} to ${move.to.ods}: ${result.requesting.outcome?.kind}`,
        );
      return result;
    }),
  );
  const elapsedMs = Date.now() - run.started;
  const summaries = await summarise(world, moved);
  const hub = (await ask(`${world.spineControl}/control/state`)) as { messages: number; bytes: number };
  const { reporting, databaseUrls } = world;
  const told = moved.map(({ conversationId }) => conversationId);
  const mi = reporting && (await countEvents(reporting.databaseUrl, [databaseUrls.north, databaseUrls.south], told));
  const [first] = moves;
  const from = first?.from.side ?? 'north';
  const to = first?.to.side ?? 'south';
  const peak = (side: 'north' | 'south') => Math.max(0, ...world.nodeNames[side].map((name) => world.programs.get(name)?.peakRss() ?? 0));
  const outcomes: Record<string, number> = {};
  for (const { outcome } of summaries) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const [head] = summaries;
  const summary: DemoSummary = {
    outcome: summaries.find((each) => each.outcome !== 'integrated')?.outcome ?? 'integrated',
    conversationId: head?.conversationId ?? '',
    elapsedMs,
    messages: hub.messages - before.messages,
    bytes: hub.bytes - before.bytes,
    issues: summaries.reduce((sum, each) => sum + each.issues, 0),
    recordFile: head?.recordFile ?? null,
    documents: head?.documents ?? [],
    missing: head?.missing ?? [],
    counts: head?.counts ?? [],
    peakRssBytes: { sendingNode: peak(from), receivingNode: peak(to) },
    objectStore: { sending: await storeCount(world, from), receiving: await storeCount(world, to) },
    mi,
    ...(!one && { outcomes, transfers: summaries }),
  };
  const arrived = summaries.flatMap((each, i) => (each.outcome === 'integrated' ? [[each.nhsNumber, moves[i]?.to.ods ?? '']] : []));
  return { summary, moves: summaries, holders: { ...holders, ...Object.fromEntries(arrived) } };
}

/** Every patient moves to the next practice in the list, so that with an even number each move crosses from one side to the other. */
function moveOf(practices: readonly CastPractice[], mover: Mover, holders: Readonly<Record<string, string>>): Move {
  const at = practices.findIndex((practice) => practice.ods === holders[mover.nhsNumber]);
  const from = practices[Math.max(0, at)];
  const to = practices[(Math.max(0, at) + 1) % practices.length];
  if (!from || !to) throw new Error('a demonstration has at least two practices');
  return { nhsNumber: mover.nhsNumber, from, to };
}

async function giveRecord(world: World, run: DemoRun, move: Move, record: Uint8Array, firstTime: boolean): Promise<void> {
  const file = join(run.folder, `record-${move.nhsNumber}.json`);
  await writeFile(file, record);
  const system = world.systemUrl[move.from.side];
  const given = run.documentBytes === undefined ? {} : { documentBytes: run.documentBytes };
  await ask(`${system}/control/records`, { method: 'POST', body: JSON.stringify({ ods: move.from.ods, file, ...given }) });
  if (!firstTime) run.say(`${since(run)}  the record of ${move.nhsNumber} was given to ${move.from.name}`);
}

/** From the nodes' own counters, since they started. */
async function storeCount(world: World, side: 'north' | 'south'): Promise<StoreCount> {
  const count = { written: 0, kept: 0 };
  for (const url of world.nodeUrls[side]) {
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const line of text.split('\n')) {
      const match = /^gp2gp_object_bytes_(written|kept) (\S+)$/.exec(line);
      if (match?.[1] === 'written') count.written += Number(match[2]);
      else if (match?.[1] === 'kept') count.kept += Number(match[2]);
    }
  }
  return count;
}

function since(run: DemoRun): string {
  return `${((Date.now() - run.started) / 1000).toFixed(1).padStart(6)} s`;
}
