/**
 * A made-up release of the size of a national one, as files: `node bench/terminology-release.ts FOLDER CONCEPTS`. 4.3 descriptions, a
 * language row for each, 1.7 is-a and as many other relationships for each concept; terms of eight words, all different.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

const [folder = '', concepts = '350000'] = process.argv.slice(2);
const CONCEPTS = Number(concepts);
const DESCRIPTIONS = Math.round(CONCEPTS * 4.2858);
const RELATIONSHIPS = Math.round(CONCEPTS * 1.7);
const WORDS = 'acute bladder chronic distal elbow fracture gastric hernia infection joint kidney left muscle nerve open plasma renal'.split(
  ' ',
);
const MODULE = '999000011000000103';

/** The same at each run. */
let seed = 1;
const draw = (below: number) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const concept = (at: number) => `${at % 5 === 0 ? 10_000_000_000 + at * 10_000 : 1_000_000 + at}${at % 5 === 0 ? '10' : '00'}${at % 10}`;
const description = (at: number) =>
  `${at % 5 === 0 ? 20_000_000_000 + at * 10_000 : 1_000_000 + at}${at % 5 === 0 ? '11' : '01'}${at % 10}`;
const active = () => (draw(5) ? '1' : '0');

async function file(name: string, columns: string, rows: number, row: (at: number) => string): Promise<void> {
  const out = createWriteStream(join(folder, name), { highWaterMark: 4 << 20 });
  out.write(`${columns.replaceAll(' ', '\t')}\r\n`);
  for (let at = 0, block = ''; at < rows; at++) {
    block += `${row(at)}\r\n`;
    if (block.length < 1 << 20 && at < rows - 1) continue;
    if (!out.write(block)) await once(out, 'drain');
    block = '';
  }
  out.end();
  await once(out, 'finish');
}

const RELATIONSHIP = 'id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId';
const BEHIND = '0\tTYPE\t900000000000011006\t900000000000451002';
await file('sct2_Concept_MONOSnapshot_GB_20240925.txt', 'id effectiveTime active moduleId definitionStatusId', CONCEPTS, (at) =>
  [concept(at), '20240101', active(), MODULE, '900000000000074008'].join('\t'),
);
await file(
  'sct2_Description_MONOSnapshot-en_GB_20240925.txt',
  'id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId',
  DESCRIPTIONS,
  (at) => {
    const words = Array.from({ length: 7 }, () => WORDS[draw(WORDS.length)]).join(' ');
    const type = Math.floor(at / CONCEPTS) === 1 ? '900000000000003001' : '900000000000013009';
    return [description(at), '20240101', active(), MODULE, concept(at % CONCEPTS), 'en', type, `${words} ${at}`, '900000000000448009'].join(
      '\t',
    );
  },
);
await file(
  'der2_cRefset_LanguageMONOSnapshot-en_GB_20240925.txt',
  'id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId',
  DESCRIPTIONS,
  (at) => {
    const id = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
    const acceptability = at < CONCEPTS ? '900000000000548007' : '900000000000549004';
    return [id, '20240101', active(), MODULE, '999001261000000100', description(at), acceptability].join('\t');
  },
);
await file('sct2_Relationship_MONOSnapshot_GB_20240925.txt', RELATIONSHIP, RELATIONSHIPS * 2, (at) => {
  const child = 1 + draw(CONCEPTS - 1);
  const parent = at % 1000 === 0 ? '787859002' : concept(draw(child));
  const type = at % 2 === 0 ? '116680003' : '363698007';
  return [`${10_000_000 + at}02${at % 10}`, '20240101', active(), MODULE, concept(child), parent, BEHIND.replace('TYPE', type)].join('\t');
});
