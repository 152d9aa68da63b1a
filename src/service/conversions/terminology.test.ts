import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { wholeObject } from '../../base/content.ts';
import type { Bundle, Observation } from '../../fhir/types.ts';
import { contentBytes } from '../../objects/content.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import type { ConversionReport } from '../../record/types.ts';
import { ROOTS, WELL_KNOWN } from '../../terminology/immunisations.ts';
import { built, conceptId, description, descriptionId, filesOf, isA, preferred } from '../../terminology/testing.ts';
import { loadTerminology, type WatchedTerminology, watchTerminology } from '../terminology.ts';
import { type Conversions, createConversions } from './conversions.ts';

const [COUGH, COUGH_TERM, JAB] = [conceptId(1), descriptionId(1), conceptId(2)];
const bytesOf = (release: string) =>
  built(
    filesOf({
      descriptions: [description(COUGH_TERM, COUGH, `Cough as in ${release}`)],
      languages: [preferred(COUGH_TERM)],
      relationships: [...WELL_KNOWN, JAB].map((id) => isA(id, ROOTS[0] ?? '')),
    }),
    release,
  ).bytes;

const statement = (id: string, code: string) =>
  `<component><ObservationStatement classCode="OBS" moodCode="EVN"><id root="${id}"/><code code="${code}" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"
  displayName="as sent"/><statusCode code="COMPLETE"/><availabilityTime value="20240310103000"/></ObservationStatement></component>`;
const EXTRACT = `<EhrExtract xmlns="urn:hl7-org:v3"><recordTarget><patient><id extension="9000000009"/></patient></recordTarget><component><ehrFolder>
  <component><ehrComposition><id root="E1"/><code nullFlavor="UNK"/><availabilityTime value="20240310103000"/>
  ${statement('0E2F8D9A-1111-4111-8111-000000000001', COUGH_TERM)}${statement('0E2F8D9A-1111-4111-8111-000000000002', JAB)}
  </ehrComposition></component></ehrFolder></component></EhrExtract>`;

let folder: string;
let objects: Objects;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-terminology-'));
  objects = await openObjects(join(folder, 'objects'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** What one conversion gave: which release it names, what the cough is called, and as what the vaccination was read. */
async function converted(conversions: Conversions) {
  const hl7 = wholeObject(await objects.put(Buffer.from(EXTRACT)));
  const task = { do: 'toFhir', hl7, attachments: [], losingPractice: 'B81001', documentsUrl: 'https://node.example/documents' } as const;
  const answer = await conversions.run(task, EXTRACT.length);
  assert.ok(answer.converted, JSON.stringify(answer));
  const read = async (ref: typeof answer.bundle) => JSON.parse(Buffer.from(await contentBytes(objects, wholeObject(ref), 1e7)).toString());
  const report = (await read(answer.report)) as ConversionReport;
  const bundle = (await read(answer.bundle)) as Bundle;
  const resources = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
  const cough = resources.find(({ id }) => id === '0E2F8D9A-1111-4111-8111-000000000001') as Observation;
  const jab = resources.find(({ id }) => id === '0E2F8D9A-1111-4111-8111-000000000002');
  const shown = cough.code?.coding?.find(({ code }) => code === COUGH)?.display;
  const skipped = report.issues.filter(({ code }) => code === 'lookUp.skipped').map(({ text }) => text);
  return { ...report.terminology, shown, jab: jab?.resourceType, skipped };
}

test('without a release the report says which look-ups were skipped; with one it names it', async () => {
  const without = createConversions({ place: { folder: join(folder, 'objects'), s3: null }, threads: 1, budgetBytes: 1e7 });
  const file = join(folder, 'one');
  await writeFile(file, bytesOf('release one'));
  const loaded = await loadTerminology(file);
  const conversions = createConversions({
    place: { folder: join(folder, 'objects'), s3: null },
    threads: 1,
    budgetBytes: 1e7,
    terminology: () => loaded,
  });
  try {
    const { skipped, ...said } = await converted(without);
    assert.deepEqual(said, { release: null, complete: false, shown: undefined, jab: 'Observation' });
    assert.deepEqual(skipped, [
      'Codes were read without a terminology release: the preferred terms of 1 concept and the concepts of 1 description were not ' +
        'looked up, and vaccinations were told by a short list of codes.',
    ]);
    assert.deepEqual(await converted(conversions), {
      release: 'release one',
      complete: true,
      shown: 'Cough as in release one',
      jab: 'Immunization',
      skipped: [],
    });
  } finally {
    await Promise.all([without.close(), conversions.close()]);
  }
});

test('threads look codes up in one memory, not in copies', async () => {
  const file = join(folder, 'shared');
  await writeFile(file, bytesOf('release one'));
  const loaded = await loadTerminology(file);
  const conversions = createConversions({
    place: { folder: join(folder, 'objects'), s3: null },
    threads: 2,
    budgetBytes: 1e7,
    terminology: () => loaded,
  });
  try {
    await Promise.all([converted(conversions), converted(conversions)]);
    // Whoever shares the memory sees what is written into it.
    const bytes = Buffer.from(loaded.memory);
    bytes.write('C0ugh', bytes.indexOf('Cough as in'));
    const shown = await Promise.all([converted(conversions), converted(conversions)]);
    assert.deepEqual(
      shown.map((one) => one.shown),
      ['C0ugh as in release one', 'C0ugh as in release one'],
    );
  } finally {
    await conversions.close();
  }
});

test('a terminology swapped during 100 conversions fails none of them, and each names the release that it was read with', async () => {
  const file = join(folder, 'swapped');
  await writeFile(file, bytesOf('release 0'));
  const faults: unknown[] = [];
  const terminology: WatchedTerminology = await watchTerminology(file, {
    onChange: () => undefined,
    onFault: (error) => void faults.push(error),
    everyMs: 10,
  });
  const conversions = createConversions({
    place: { folder: join(folder, 'objects'), s3: null },
    threads: 2,
    budgetBytes: 1e7,
    terminology: terminology.current,
  });
  let swaps = 0;
  let going = true;
  const swapping = (async () => {
    while (going) {
      await writeFile(`${file}.new`, bytesOf(`release ${++swaps}`));
      await rename(`${file}.new`, file);
      await terminology.look();
    }
  })();
  try {
    const all = await Promise.all(Array.from({ length: 100 }, () => converted(conversions)));
    going = false;
    await swapping;
    for (const { release, complete, shown, jab, skipped } of all)
      assert.deepEqual([shown, complete, jab, skipped], [`Cough as in ${release}`, true, 'Immunization', []]);
    const releases = new Set(all.map(({ release }) => release));
    assert.ok(releases.size > 2, `only ${[...releases]} were read with, of ${swaps} swaps`);
    assert.deepEqual(faults, []);
  } finally {
    going = false;
    terminology.close();
    await conversions.close();
  }
});
