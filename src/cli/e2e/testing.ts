/** A whole world for tests: every program a process of its own, on a folder that is removed at the end. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NhsNumber } from '../../base/nhs-number.ts';
import { writeJson } from '../../fhir/json.ts';
import type { Bundle, Patient } from '../../fhir/types.ts';
import { makePatient } from '../../simulator/patients/patient.ts';
import { type CastPractice, cast } from '../demo/cast.ts';
import { ask, carryOut, type Move, type Moved } from '../demo/moves.ts';
import { personOf } from '../demo/patient.ts';
import { type MoveSummary, summarise } from '../demo/summary.ts';
import { startWorld, type World, type WorldOptions } from '../demo/world.ts';

/** A patient who moves from one practice of the cast to another, counted from 0. */
export type Story = {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Bytes of each document. */
  readonly documents?: readonly number[];
  readonly consultations?: number;
};
export type Told = { readonly move: Move; readonly bundle: Bundle };

export type TestWorld = {
  readonly world: World;
  readonly folder: string;
  readonly wire: string;
  /** Gives the record to the practice that holds it; resolves with what the system says it holds. */
  give(name: string): Promise<{ readonly recordFile: string }>;
  move(name: string): Promise<{ readonly moved: Moved; readonly summary: MoveSummary }>;
  told(name: string): Told;
  end(): Promise<void>;
};

export async function startTestWorld(
  stories: Readonly<Record<string, Story>>,
  options: Omit<WorldOptions, 'folder' | 'people' | 'nodesPerSide' | 'keepWire'>,
): Promise<TestWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-e2e-'));
  const wire = join(folder, 'wire');
  await mkdir(wire);
  const practices = cast(options.practices);
  const all = new Map(Object.entries(stories).map(([name, story]) => [name, tell(story, practices)]));
  const told = (name: string): Told => {
    const found = all.get(name);
    assert.ok(found, `no story ${name}`);
    return found;
  };
  let world: World;
  try {
    world = await startWorld({
      ...options,
      folder,
      keepWire: wire,
      nodesPerSide: 1,
      people: [...all.values()].map(({ move, bundle }) => ({
        ...personOf(move.nhsNumber as NhsNumber, patientOf(bundle)),
        practice: { ods: move.from.ods, start: '2010-01-01' },
      })),
    });
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
  return {
    world,
    folder,
    wire,
    told,
    async give(name) {
      const { move, bundle } = told(name);
      const file = join(folder, `${name}.json`);
      await writeFile(file, writeJson(bundle));
      const body = JSON.stringify({ ods: move.from.ods, file });
      return (await ask(`${world.systemUrl[move.from.side]}/control/records`, { method: 'POST', body })) as { recordFile: string };
    },
    async move(name) {
      const moved = await carryOut(world, told(name).move, () => undefined);
      const [summary] = await summarise(world, [moved]);
      assert.ok(summary);
      return { moved, summary };
    },
    async end() {
      await world.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function tell({ seed, from, to, documents = [], consultations = 12 }: Story, practices: readonly CastPractice[]): Told {
  const [old, next] = [practices[from], practices[to]];
  assert.ok(old && next);
  const patient = makePatient({
    seed,
    ods: old.ods,
    practiceName: old.name,
    documents: documents.length,
    consultations,
    documentBytes: 2000,
  });
  let at = 0;
  const entry = (patient.bundle.entry ?? []).map((one) => {
    const resource = one.resource as { resourceType?: string; content?: { attachment: object }[] } | undefined;
    if (resource?.resourceType !== 'DocumentReference' || !resource.content?.[0]) return one;
    const attachment = { ...resource.content[0].attachment, size: documents[at++] };
    return { ...one, resource: { ...resource, content: [{ attachment }] } };
  });
  assert.equal(at, documents.length);
  return { move: { nhsNumber: patient.nhsNumber, from: old, to: next }, bundle: { ...patient.bundle, entry } as Bundle };
}

function patientOf(bundle: Bundle): Patient {
  const found = (bundle.entry ?? []).map(({ resource }) => resource).find((one) => one?.resourceType === 'Patient');
  assert.ok(found);
  return found as Patient;
}

/** Waits until it holds; fails with `what` after so long. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`not within ${ms / 1000} s: ${what}`);
    await sleep(100);
  }
}
