/** Small made-up releases for tests: identifiers with valid partition and check digits, rows in the form of RF2. */
import { crc32 } from 'node:zlib';
import { createTerminologyBuilder } from './build.ts';
import { type About, writeTerminology } from './file.ts';
import { openRelease, type Release } from './release.ts';

const DIHEDRAL = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const PERMUTATION = '1576283094';

/** Verhoeff's check digit, as SNOMED CT uses it. */
function checkDigit(digits: string): string {
  let check = 0;
  for (const [at, digit] of [...digits].reverse().entries()) {
    let permuted = Number(digit);
    for (let turn = 0; turn <= at % 8; turn++) permuted = Number(PERMUTATION[permuted]);
    check = Number(DIHEDRAL[check]?.[permuted]);
  }
  return String(DIHEDRAL[check]?.indexOf('0'));
}

function identifier(item: number, partition: string): string {
  return `${item}${partition}${checkDigit(`${item}${partition}`)}`;
}
/** Made-up identifiers; those with a namespace (1000000 here) are longer than a number holds exactly. */
export const conceptId = (item: number) => identifier(item, '00');
export const descriptionId = (item: number) => identifier(item, '01');
export const longConceptId = (item: number) => identifier(Number(`${item}1000000`), '10');
export const longDescriptionId = (item: number) => identifier(Number(`${item}1000000`), '11');

export const SYNONYM = '900000000000013009';
export const FULL_NAME = '900000000000003001';
export const PREFERRED = '900000000000548007';
export const ACCEPTABLE = '900000000000549004';
export const NHS_CLINICAL = '999001261000000100';
export const NHS_PHARMACY = '999000691000001104';
export const BRITISH = '900000000000508004';
export const AMERICAN = '900000000000509007';
export const IS_A = '116680003';

type Row = { readonly time?: string; readonly active?: boolean };
const state = ({ time = '20240101', active = true }: Row) => [time, active ? '1' : '0', '999000011000000103'];
let rows = 0;

export const concept = (id: string, row: Row = {}) => [id, ...state(row), '900000000000074008'];
export const description = (id: string, of: string, term: string, row: Row & { type?: string } = {}) => [
  id,
  ...state(row),
  of,
  'en',
  row.type ?? SYNONYM,
  term,
  '900000000000448009',
];
export const isA = (from: string, to: string, row: Row & { id?: string; type?: string } = {}) => [
  row.id ?? identifier(500_000 + rows++, '02'),
  ...state(row),
  from,
  to,
  '0',
  row.type ?? IS_A,
  '900000000000011006',
  '900000000000451002',
];
const member = (row: Row) => [`00000000-0000-4000-8000-${String(rows++).padStart(12, '0')}`, ...state(row)];
export const preferred = (id: string, row: Row & { set?: string; as?: string } = {}) => [
  ...member(row),
  row.set ?? NHS_CLINICAL,
  id,
  row.as ?? PREFERRED,
];
export const association = (set: string, from: string, to: string, row: Row = {}) => [...member(row), set, from, to];
export const simpleMap = (set: string, from: string, to: string, row: Row = {}) => [...member(row), set, from, to];

const COLUMNS = {
  sct2_Concept_: 'id effectiveTime active moduleId definitionStatusId',
  sct2_Description_: 'id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId',
  sct2_Relationship_: 'id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId',
  der2_cRefset_Language: 'id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId',
  der2_cRefset_Association: 'id effectiveTime active moduleId refsetId referencedComponentId targetComponentId',
  der2_sRefset_SimpleMap: 'id effectiveTime active moduleId refsetId referencedComponentId mapTarget',
  rcsctmap2_uk_: 'MapId ReadCode TermCode ConceptId DescriptionId IS_ASSURED EffectiveDate MapStatus',
  ctv3sctmap2_uk_: 'MapId CTV3_CONCEPTID CTV3_TERMID CTV3_TERMTYPE SCT_CONCEPTID SCT_DESCRIPTIONID MAPSTATUS EFFECTIVEDATE IS_ASSURED',
} as const;

/** The text of a file, by the beginning of its name. */
export function fileText(name: string, lines: readonly (readonly string[])[]): string {
  const columns = Object.entries(COLUMNS).find(([beginning]) => name.startsWith(beginning) || name.startsWith(`x${beginning}`))?.[1];
  if (!columns) throw new Error(`${name}: no such file in a release`);
  return `${[columns.split(' '), ...lines].map((line) => line.join('\t')).join('\r\n')}\r\n`;
}

export type SmallRelease = {
  readonly concepts?: readonly (readonly string[])[];
  readonly descriptions?: readonly (readonly string[])[];
  readonly relationships?: readonly (readonly string[])[];
  readonly languages?: readonly (readonly string[])[];
  readonly associations?: readonly (readonly string[])[];
  readonly simpleMaps?: readonly (readonly string[])[];
  readonly readMaps?: readonly (readonly string[])[];
  readonly ctv3Maps?: readonly (readonly string[])[];
};

/** File name -> text, named as the files of the monolith are. */
export function filesOf(release: SmallRelease, date = '20240925'): Map<string, string> {
  const files: [string, readonly (readonly string[])[] | undefined][] = [
    [`sct2_Concept_MONOSnapshot_GB_${date}.txt`, release.concepts],
    [`sct2_Description_MONOSnapshot-en_GB_${date}.txt`, release.descriptions],
    [`sct2_Relationship_MONOSnapshot_GB_${date}.txt`, release.relationships],
    [`der2_cRefset_LanguageMONOSnapshot-en_GB_${date}.txt`, release.languages],
    [`der2_cRefset_AssociationMONOSnapshot_GB_${date}.txt`, release.associations],
    [`der2_sRefset_SimpleMapMONOSnapshot_GB_${date}.txt`, release.simpleMaps],
    [`rcsctmap2_uk_${date}000001.txt`, release.readMaps],
    [`ctv3sctmap2_uk_${date}000001.txt`, release.ctv3Maps],
  ];
  return new Map(files.flatMap(([name, lines]) => (lines ? [[name, fileText(name, lines)] as const] : [])));
}

export type BuiltRelease = { readonly about: About; readonly bytes: Uint8Array<ArrayBuffer>; readonly release: Release };

/** Builds in memory, handing the files over in blocks of a few bytes, as a disk might. */
export function built(files: Iterable<readonly [string, string]>, name = 'made up', blockBytes = 97): BuiltRelease {
  const builder = createTerminologyBuilder();
  for (const [file, text] of files) {
    const reader = builder.open(file, file);
    if (!reader) continue;
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.byteLength; at += blockBytes) reader.push(bytes.subarray(at, at + blockBytes));
    reader.end();
  }
  const { about, tables } = builder.finish(name);
  const bytes = Uint8Array.from(Buffer.concat(writeTerminology(about, tables, crc32)));
  return { about, bytes, release: openRelease(bytes.buffer) };
}
