import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { ROOTS, WELL_KNOWN } from '../terminology/immunisations.ts';
import {
  association,
  concept,
  conceptId,
  description,
  descriptionId,
  filesOf,
  isA,
  preferred,
  type SmallRelease,
} from '../terminology/testing.ts';
import { type ZipEntry, zipOf } from './terminology/testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'gp2gp-terminology-'));
after(() => rmSync(folder, { recursive: true }));

const [COUGH, COUGH_TERM] = [conceptId(1), descriptionId(1)];
const SMALL: SmallRelease = {
  descriptions: [description(COUGH_TERM, COUGH, 'Cough'), description(descriptionId(2), COUGH, 'Coughing')],
  languages: [preferred(COUGH_TERM)],
  relationships: WELL_KNOWN.map((id) => isA(id, ROOTS[0] ?? '')),
};
const DESCRIPTIONS = 'sct2_Description_MONOSnapshot-en_GB_20240925.txt';

function unzipped(name: string, release: SmallRelease, change: (file: string, text: string) => string = (_, text) => text): string {
  const root = join(folder, name);
  for (const [file, text] of filesOf(release)) {
    const at = join(root, 'SnomedCT_MonolithRF2', 'Snapshot', file.startsWith('der2') ? 'Refset' : 'Terminology');
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, file), change(file, text));
  }
  return root;
}
function zipped(name: string, change: (entry: ZipEntry) => ZipEntry = (entry) => entry, release = SMALL): string {
  const path = join(folder, name);
  const entries = [...filesOf(release)].map(([file, content]) => change({ name: `SnomedCT/Snapshot/${file}`, content }));
  writeFileSync(path, zipOf([{ name: 'SnomedCT/', content: '' }, { name: 'SnomedCT/Readme.txt', content: 'read me' }, ...entries]));
  return path;
}
function gp2gp(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/gp2gp.ts', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
const build = (target: string, ...sources: readonly string[]) =>
  gp2gp('terminology', 'build', ...sources, '-o', join(folder, target), '--json');
const inspected = (target: string) => JSON.parse(gp2gp('terminology', 'inspect', join(folder, target), '--json').stdout);

test('a release is built from its zip and from the folder it was unzipped into, with the same result', () => {
  const fromZip = build('zip.terminology', zipped('uk_sct2mo_42.0.0.zip'));
  assert.equal(fromZip.status, 0, fromZip.stderr);
  const { seconds, bytes, files, file, ...said } = JSON.parse(fromZip.stdout);
  assert.equal(file, join(folder, 'zip.terminology'));
  assert.equal(bytes, readFileSync(file).byteLength);
  assert.ok(seconds >= 0);
  assert.deepEqual(
    files.map((one: { name: string; rows: number }) => [one.name, one.rows]),
    [
      [DESCRIPTIONS, 2],
      ['sct2_Relationship_MONOSnapshot_GB_20240925.txt', 16],
      ['der2_cRefset_LanguageMONOSnapshot-en_GB_20240925.txt', 1],
    ],
  );
  assert.deepEqual([said.release, said.effectiveTime, said.complete, said.lacks], ['uk_sct2mo_42.0.0', '20240925', true, []]);
  assert.equal(said.counts.preferredTerms, 1);
  assert.match(fromZip.stderr, /^reading sct2_Description_MONOSnapshot-en_GB_20240925\.txt$/m);

  assert.equal(build('folder.terminology', unzipped('uk_sct2mo_42.0.0', SMALL)).status, 0);
  assert.deepEqual(readFileSync(join(folder, 'folder.terminology')), readFileSync(file));
  assert.deepEqual(inspected('zip.terminology'), { ...said, bytes });
});

test('several releases become one, and each is named', () => {
  const more = { descriptions: [description(descriptionId(3), conceptId(3), 'Wheeze')], languages: [preferred(descriptionId(3))] };
  const { status, stderr } = build('both.terminology', zipped('uk_sct2cl_1.zip'), unzipped('uk_sct2dr_1', more));
  assert.equal(status, 0, stderr);
  const { release, counts } = inspected('both.terminology');
  assert.equal(release, 'uk_sct2cl_1 + uk_sct2dr_1');
  assert.deepEqual([counts.descriptions, counts.preferredTerms], [3, 2]);
});

test('a release that is not whole is built with a warning, and inspecting it says what is missing', () => {
  const { descriptions = [], languages = [] } = SMALL;
  const target = join(folder, 'partial.terminology');
  const built = gp2gp('terminology', 'build', unzipped('partial', { descriptions, languages }), '-o', target);
  assert.equal(built.status, 0);
  assert.match(built.stdout, /^release: partial, files up to 20240925$/m);
  assert.match(built.stdout, /^written: .*partial\.terminology, 0\.0 MB in [\d.]+ s$/m);
  assert.match(built.stderr, /is the Relationship file missing/);
  assert.match(built.stderr, /the release is not whole: vaccinations may be read as observations/);
  const inspecting = gp2gp('terminology', 'inspect', target);
  assert.equal(inspecting.status, 1);
  assert.match(inspecting.stdout, /^check: immunisations missing: 787859002, 127785005, /m);
});

test('a line that is wrong is named with its file, and what was built before stays', () => {
  const target = join(folder, 'kept.terminology');
  writeFileSync(target, 'what was there');
  const wrong = unzipped('wrong', SMALL, (file, text) => (file === DESCRIPTIONS ? text.replace(descriptionId(2), '22x') : text));
  const { status, stdout, stderr } = build('kept.terminology', wrong);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, new RegExp(`^gp2gp: ${wrong}/.*/${DESCRIPTIONS}, line 3: id “22x” is no SNOMED CT identifier$`, 'm'));
  assert.equal(readFileSync(target, 'utf8'), 'what was there');
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('.part')),
    [],
  );
});

test('a command below another is refused like any other where its words are wrong', () => {
  const { status, stderr } = gp2gp('terminology', 'build', 'nowhere');
  assert.equal(status, 2);
  assert.match(stderr, /required option '-o, --output <file>' not specified/);
});

test('a zip that is cut off, damaged, hostile or none is refused in words', () => {
  const whole = readFileSync(zipped('whole.zip'));
  const cut = join(folder, 'cut.zip');
  writeFileSync(cut, whole.subarray(0, whole.byteLength - 100));
  assert.match(build('x', cut).stderr, /cut\.zip: it is no whole zip \(.+\)\nFetch the release again/);
  const text = join(folder, 'text.zip');
  writeFileSync(text, 'no zip');
  assert.match(build('x', text).stderr, /text\.zip: it is no whole zip/);
  assert.match(build('x', join(folder, 'none.zip')).stderr, /none\.zip: cannot be read \(ENOENT/);

  const is = (name: string, says: ZipEntry['says']) => (entry: ZipEntry) =>
    entry.name.includes(name) && says ? { ...entry, says } : entry;
  const other = zipped('crc.zip', is('Description', { crc: crc32('something else') }));
  assert.match(build('x', other).stderr, /crc\.zip: SnomedCT\/Snapshot\/sct2_Description.*: it is damaged \(its checksum does not fit\)/);
  const longer = zipped('longer.zip', is('Description', { bytes: 40 }));
  assert.match(build('x', longer).stderr, /longer\.zip: SnomedCT\/Snapshot\/sct2_Description.*: it is damaged \(.*too many bytes/);
  const bomb = zipped('bomb.zip', is('Description', { bytes: 4_000_000_000 }));
  assert.match(build('x', bomb).stderr, /bomb\.zip: SnomedCT\/Snapshot\/sct2_Description.*: it would grow from \d+ to 4000000000 bytes/);
  const garbled = Buffer.from(whole);
  const at = garbled.indexOf(DESCRIPTIONS) + DESCRIPTIONS.length;
  garbled.fill(0xff, at + 10, at + 30);
  writeFileSync(join(folder, 'garbled.zip'), garbled);
  assert.match(build('x', join(folder, 'garbled.zip')).stderr, /garbled\.zip: .*: it is damaged/);
  assert.ok(!readdirSync(folder).includes('x'));
});

test('a zip64 is read', () => {
  const { status, stderr } = build(
    'zip64.terminology',
    zipped('zip64.zip', (entry) => ({ ...entry, zip64: true })),
  );
  assert.equal(status, 0, stderr);
  assert.equal(inspected('zip64.terminology').counts.descriptions, 2);
});

test('a folder without a release is refused with what is wanted', () => {
  mkdirSync(join(folder, 'empty'));
  const { status, stderr } = build('x', join(folder, 'empty'));
  assert.equal(status, 2);
  assert.match(stderr, /empty: there are no descriptions in it\nName the release as it came \(a zip\), or the folder/);
});

test('what a file knows of codes is said one by one', () => {
  const [old, jab] = [conceptId(4), conceptId(5)];
  const release = {
    ...SMALL,
    concepts: [concept(COUGH), concept(old, { active: false })],
    descriptions: [...(SMALL.descriptions ?? []), description(descriptionId(5), jab, 'Jab')],
    relationships: [...(SMALL.relationships ?? []), isA(jab, ROOTS[0] ?? '')],
    associations: [association('900000000000526001', old, COUGH)],
    readMaps: [['1', '171..', '00', COUGH, COUGH_TERM, '1', '20200401', '1']],
  };
  const target = join(folder, 'codes.terminology');
  build('codes.terminology', unzipped('codes', release));
  const asked = gp2gp('terminology', 'inspect', target, COUGH, descriptionId(2), old, jab, '171..', '99');
  assert.equal(asked.status, 0, asked.stderr);
  assert.deepEqual(asked.stdout.trimEnd().split('\n'), [
    `${COUGH}: a concept; preferred term: Cough`,
    `${descriptionId(2)}: a description of ${COUGH}: Coughing; preferred term: Cough`,
    `${old}: a concept; no longer used; preferred term: none; replaced by ${COUGH}`,
    `${jab}: a concept; no longer used; preferred term: none; an immunisation`,
    `171..: mapped from Read v2 to ${COUGH}`,
    '99: not in the release',
  ]);
  const { codes } = JSON.parse(gp2gp('terminology', 'inspect', target, '171..', old, '--json').stdout);
  assert.deepEqual(codes[0], { code: '171..', readV2: [{ conceptId: COUGH, descriptionId: COUGH_TERM, assured: true }], ctv3: [] });
  assert.deepEqual(codes[1].concept.successors, [{ conceptId: COUGH, kind: 'replacedBy' }]);
});

test('a target that cannot be written is named', () => {
  const { status, stderr } = gp2gp('terminology', 'build', zipped('target.zip'), '-o', join(folder, 'no', 'such', 'folder'));
  assert.equal(status, 1);
  assert.match(stderr, /no\/such\/folder: cannot be written \(ENOENT/);
});

test('a record is converted with a release, and the report names it', () => {
  build('convert.terminology', zipped('release-7.zip'));
  const extract = join(folder, 'extract.xml');
  writeFileSync(
    extract,
    `<EhrExtract xmlns="urn:hl7-org:v3"><recordTarget><patient><id extension="9000000009"/></patient></recordTarget><component><ehrFolder>
    <component><ehrComposition><id root="E1"/><code nullFlavor="UNK"/><availabilityTime value="20240310103000"/><component>
    <ObservationStatement classCode="OBS" moodCode="EVN"><id root="O1"/><code code="${descriptionId(2)}" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"/>
    <availabilityTime value="20240310103000"/></ObservationStatement></component></ehrComposition></component></ehrFolder></component></EhrExtract>`,
  );
  const report = join(folder, 'report.json');
  const terminology = join(folder, 'convert.terminology');
  const { status, stdout, stderr } = gp2gp('convert', '--to', 'fhir', extract, '--terminology', terminology, '--report', report);
  assert.equal(status, 0, stderr);
  assert.match(stdout, new RegExp(`"code":\\s*"${COUGH}",\\s*"display":\\s*"Cough"`));
  assert.deepEqual(JSON.parse(readFileSync(report, 'utf8')).terminology, { release: 'release-7', complete: true });

  const line = JSON.stringify({ path: extract, kind: 'extract-to-fhir' });
  const batch = spawnSync(process.execPath, ['bin/gp2gp.ts', 'conformance-batch', '--terminology', terminology], {
    input: line,
    encoding: 'utf8',
  });
  assert.match(JSON.parse(batch.stdout).output, /"display":\s*"Cough"/);

  assert.equal(gp2gp('convert', '--to', 'fhir', extract, '--terminology', extract).status, 2);
  assert.equal(gp2gp('convert', '--to', 'hl7', extract, '--terminology', terminology).status, 2);
});
