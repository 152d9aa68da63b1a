/**
 * A release of SNOMED CT with 1.5 million descriptions, made up: building it into a file, reading that, looking up in it. Beside each what the
 * same would take without doing anything with it, or by the means that lie at hand.
 */
import { execFile } from 'node:child_process';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { buildTerminology } from '../src/cli/terminology/build.ts';
import { loadTerminology } from '../src/service/terminology.ts';
import { openRelease } from '../src/terminology/release.ts';
import { type Figure, median, peakRss, print } from './figure.ts';

const [folder = ''] = process.argv.slice(2);
const release = join(folder, 'release');
const file = join(folder, 'made-up.terminology');
const figures: Figure[] = [];
const figure = (name: string, unit: string, value: number, baseline: string, baselineValue: number) =>
  figures.push({ name: `terminology.${name}`, unit, value, baseline, baselineValue, peakRssBytes: peakRss() });
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
};

await mkdir(release);
await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'terminology-release.ts'), release]);
const texts = readdirSync(release).map((name) => join(release, name));
const textBytes = texts.reduce((sum, path) => sum + statSync(path).size, 0);

const silent = { file: () => undefined, read: () => undefined, phase: () => undefined };
let bytes = 0;
let rows = 0;
const building = await seconds(async () => {
  const built = await buildTerminology([release], file, silent);
  bytes = built.bytes;
  rows = built.files.reduce((sum, one) => sum + one.rows, 0);
});
const reading = await seconds(async () => {
  let lines = 0;
  for (const path of texts) for await (const _ of createInterface({ input: createReadStream(path) })) lines++;
  if (lines !== rows + texts.length) throw new Error(`${lines} lines, ${rows} rows were built from`);
});
figure('build', 's', building, 'reading its lines', reading);
figure('file', 'MB', bytes / 1e6, 'its texts', textBytes / 1e6);

const reloads: number[] = [];
const bare: number[] = [];
for (let round = 0; round < 6; round++) {
  reloads.push(await seconds(async () => openRelease((await loadTerminology(file)).memory)));
  bare.push(await seconds(() => readFile(file)));
}
figure('reload', 's', median(reloads), 'reading its bytes', median(bare));

const { isImmunisation, preferredTerm, conceptOfDescription, descriptionOf } = openRelease((await loadTerminology(file)).memory);
const path = texts.find((name) => name.includes('sct2_Description')) ?? '';
const described: { id: string; concept: string; term: string }[] = [];
for await (const line of createInterface({ input: createReadStream(path) })) {
  const [id = '', , , , concept = '', , , term = ''] = line.split('\t');
  if (id !== 'id') described.push({ id, concept, term });
}
const byConcept = new Map(described.map(({ concept, term }) => [concept, term]));
const mapById = new Map(described.map(({ id, concept, term }) => [id, { concept, term }]));
// Every 7,919th, so that no neighbour is in the cache; as strings that no map has met.
const asked = Array.from({ length: 200_000 }, (_, at) => {
  const { id, concept, term } = described[(at * 7919) % described.length] ?? { id: '', concept: '', term: '' };
  return { id: Buffer.from(id).toString(), concept: Buffer.from(concept).toString(), term: Buffer.from(term).toString() };
});
/** Nanoseconds of processor time of each, in turns; the answers are counted, so that nothing is left out. */
function each(works: readonly ((one: (typeof asked)[number]) => unknown)[]): number[] {
  const times = works.map(() => [] as number[]);
  for (let round = 0; round < 6; round++) {
    for (const [which, work] of works.entries()) {
      let found = 0;
      const from = process.cpuUsage();
      for (const one of asked) if (work(one) !== undefined) found++;
      const { user, system } = process.cpuUsage(from);
      times[which]?.push(((user + system) * 1000) / asked.length);
      if (found !== asked.length) throw new Error(`only ${found} of ${asked.length} were found`);
    }
  }
  return times.map((list) => median(list.slice(1)));
}
const [preferred = 0, byId = 0, byTerm = 0, immunisation = 0, mapped = 0, mappedId = 0] = each([
  ({ concept }) => preferredTerm(concept),
  ({ id }) => conceptOfDescription(id),
  ({ concept, term }) => descriptionOf(concept, term),
  ({ concept }) => isImmunisation(concept),
  ({ concept }) => byConcept.get(concept),
  ({ id }) => mapById.get(id),
]);
const MAP = 'a Map of strings';
figure('preferredTerm', 'ns', preferred, MAP, mapped);
figure('description', 'ns', byId, MAP, mappedId);
figure('descriptionByTerm', 'ns', byTerm, MAP, mapped);
figure('immunisation', 'ns', immunisation, MAP, mapped);
print(figures);
