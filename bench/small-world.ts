/** A world for speed runs: patients without documents or with some, moved from the north to the south, nobody watching each of them. */
import { mkdtemp, readFile, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { NhsNumber } from '../src/base/nhs-number.ts';
import { cast } from '../src/cli/demo/cast.ts';
import { ask } from '../src/cli/demo/moves.ts';
import { personOf } from '../src/cli/demo/patient.ts';
import { startWorld, type World, type WorldOptions } from '../src/cli/demo/world.ts';
import { writeJson } from '../src/fhir/json.ts';
import type { Patient } from '../src/fhir/types.ts';
import { makePatient, type PatientOptions } from '../src/simulator/patients/patient.ts';
import { fillFreeMemory } from './memory.ts';

/** Left out, documents are as many and as large as the national spread has them, and consultations those of some years. */
export type Patients = {
  readonly count: number;
  /** Of each document, in their order in the record. */
  readonly sizes?: readonly number[];
} & Pick<PatientOptions, 'documents' | 'documentBytes' | 'consultations' | 'consultationsOnly'>;
/** Their messages have some 66 kB together. */
export const SMALL = { documents: 0, consultations: 4, consultationsOnly: true } as const;
/** One of them: his record is in the first practice's system. */
export type BenchPatient = { readonly nhsNumber: string; readonly documents: number; readonly documentBytes: number };
export type Side = 'north' | 'south';

/** Nodes take no message when 5 GB are left, and then everything waits; a program writes up to 8 GB. */
const NEEDED_BYTES = 13e9;
/** Counting ended transfers is work of the database that is measured. */
const WATCH_MS = 200;

/**
 * Starts a world in which the first practice holds the records of so many patients, lets `work` use it, and ends it. Its files stay in the
 * folder that `bench` gave this program, until all is measured: for some minutes ext4 looks at each file that was deleted before it
 * makes a new one, which then costs ten times as much.
 */
export async function inWorld<Result>(
  { count, sizes, ...kind }: Patients,
  work: (world: World, patients: readonly BenchPatient[]) => Promise<Result>,
  settings: Pick<WorldOptions, 'nodeSettings' | 'practiceSettings' | 'environment'> = {},
): Promise<Result> {
  const home = process.argv[2] ?? tmpdir();
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < NEEDED_BYTES)
    throw new Error(`${home} has ${Math.round((bavail * bsize) / 1e9)} GB free; it takes ${NEEDED_BYTES / 1e9}`);
  const folder = await mkdtemp(join(home, 'world-'));
  await fillFreeMemory(folder);
  const [from] = cast(2);
  if (!from) throw new Error('there are practices');
  const made = Array.from({ length: count }, (_, i) => makePatient({ seed: 100 + i, ods: from.ods, practiceName: from.name, ...kind }));
  const world = await startWorld({
    folder,
    practices: 2,
    nodesPerSide: 1,
    people: made.map(({ nhsNumber, bundle }) => ({
      ...personOf(
        nhsNumber as NhsNumber,
        (bundle.entry ?? []).map(({ resource }) => resource).find((one): one is Patient => one?.resourceType === 'Patient') ?? {
          resourceType: 'Patient',
        },
      ),
      practice: { ods: from.ods, start: '2010-01-01' },
    })),
    ...(kind.documentBytes !== undefined && { documentBytes: kind.documentBytes }),
    ...settings,
  });
  try {
    for (const { nhsNumber, bundle } of made) {
      const file = join(folder, `record-${nhsNumber}.json`);
      let next = 0;
      await writeFile(
        file,
        sizes ? writeJson(bundle).replace(/"size":\d+/g, (size) => `"size":${sizes[next++] ?? size}`) : writeJson(bundle),
      );
      const given = kind.documentBytes === undefined ? {} : { documentBytes: kind.documentBytes };
      await ask(`${world.systemUrl.north}/control/records`, { method: 'POST', body: JSON.stringify({ ods: from.ods, file, ...given }) });
    }
    return await work(
      world,
      made.map(({ nhsNumber, documents }) => ({
        nhsNumber,
        documents: documents.length,
        documentBytes: (sizes ?? documents.map(({ bytes }) => bytes)).reduce((sum, bytes) => sum + bytes, 0),
      })),
    );
  } finally {
    await world.stop();
  }
}

/**
 * Registers patients at the second practice, so many at a time: the next when one of them has ended at both nodes. Waits until all have, and
 * gives the seconds it took.
 */
export async function move(
  world: World,
  patients: readonly BenchPatient[],
  { atOnce = patients.length, limitMs = 300_000 }: { readonly atOnce?: number; readonly limitMs?: number } = {},
): Promise<number> {
  const to = world.practices[1];
  const seen = { north: await watch(world, 'north'), south: await watch(world, 'south') };
  const registering: Promise<unknown>[] = [];
  const register = ({ nhsNumber }: BenchPatient): void => {
    const asked = ask(`${world.systemUrl.south}/control/register`, { method: 'POST', body: JSON.stringify({ ods: to?.ods, nhsNumber }) });
    // Heard when all have ended.
    asked.catch(() => undefined);
    registering.push(asked);
  };
  try {
    const from = performance.now();
    for (;;) {
      const [north, south] = [await seen.north.ended(), await seen.south.ended()];
      const ended = Math.min(north.all, south.all);
      if (ended >= patients.length) {
        const good = Math.min(north.good, south.good);
        if (good < patients.length) throw new Error(`${patients.length - good} transfers ended otherwise than integrated`);
        await Promise.all(registering);
        return (performance.now() - from) / 1000;
      }
      if (performance.now() - from > limitMs)
        throw new Error(`${north.all} and ${south.all} of ${patients.length} transfers have ended so far, which is too slow`);
      for (const patient of patients.slice(registering.length, ended + atOnce)) register(patient);
      await sleep(WATCH_MS);
    }
  } finally {
    await seen.north.close();
    await seen.south.close();
  }
}

/** A side's transfers that end from now on, asked of its database: asking the node would cost what is to be measured. */
async function watch(world: World, side: Side) {
  const client = new pg.Client({ connectionString: world.databaseUrls[side] });
  await client.connect();
  const { rows: clock } = await client.query<{ now: string }>('select clock_timestamp()::text as now');
  const from = clock[0]?.now;
  return {
    async ended(): Promise<{ readonly all: number; readonly good: number }> {
      const { rows } = await client.query<{ all: string; good: string }>(
        `select count(*) as all, count(*) filter (where outcome in ('integrated', 'acknowledged')) as good from transfers where ended_at >= $1`,
        [from],
      );
      return { all: Number(rows[0]?.all), good: Number(rows[0]?.good) };
    },
    close: () => client.end(),
  };
}

/** Transactions that a side's node counts of itself. */
export async function transactions(world: World, side: Side): Promise<number> {
  const text = await (await fetch(`${world.nodeUrls[side][0]}/metrics`)).text();
  return Number(/^gp2gp_transactions_total (\S+)$/m.exec(text)?.[1]);
}

/** Bytes of the messages that have crossed the hub since its line `from`, in their order; and how many lines there are. */
export async function crossed(world: World, from = 0): Promise<{ readonly sizes: readonly number[]; readonly lines: number }> {
  const lines = (await readFile(world.ledgerFile, 'utf8')).trim().split('\n');
  const sizes = lines.slice(from).flatMap((line) => {
    const { direction, bytes } = JSON.parse(line) as { direction: string; bytes: number };
    return direction === 'accepted' ? [bytes] : [];
  });
  return { sizes, lines: lines.length };
}

/** How many documents the new practice's system has with the SHA-256 with which the previous one's gave them away. */
export async function sameDocuments(world: World): Promise<number> {
  const [here, there] = await Promise.all(
    (['north', 'south'] as const).map(
      async (side) =>
        (await ask(`${world.systemUrl[side]}/control/state`)) as {
          served: readonly { sha256: string }[];
          filed: readonly { documents: readonly { sha256: string; missing: boolean }[] }[];
        },
    ),
  );
  const left = new Set(here?.served.map(({ sha256 }) => sha256));
  const arrived = (there?.filed ?? []).flatMap(({ documents }) => documents);
  // Each by itself: two documents may be of the same bytes.
  return arrived.filter(({ sha256, missing }) => !missing && left.has(sha256)).length;
}

/** Highest memory of a side's node so far. */
export function peakOf(world: World, side: Side): number {
  return Math.max(...world.nodeNames[side].map((name) => world.programs.get(name)?.peakRss() ?? 0));
}

/** Of the larger of the nodes. */
export function peakOfNodes(world: World): number {
  return Math.max(peakOf(world, 'north'), peakOf(world, 'south'));
}
