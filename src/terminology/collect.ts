/** The rows of RF2 files as columns: what each table has that is needed, and nothing else. */
import { Bytes, Ids, Numbers } from './columns.ts';
import { HISTORY } from './history.ts';
import { type Line, type LineReader, lineReader } from './lines.ts';
import { CTV3, hasKey, keyOf, READ_V2 } from './read-codes.ts';
import type { Table } from './rf2.ts';
import { type Halves, halves } from './sctid.ts';

const SYNONYM = halves('900000000000013009');
const PREFERRED = halves('900000000000548007');
const IS_A = halves('116680003');
const CTV3_SIMPLE_MAP = halves('900000000000497000');

/**
 * The language reference sets that say which term is preferred. First those of the NHS, whose rows outrank everything; a release that is not
 * of the United Kingdom has them not, and there British English comes before American.
 */
const LANGUAGES: readonly { readonly set: Halves; readonly group: number }[] = [
  { set: halves('999001261000000100'), group: 0 }, // NHS realm, clinical
  { set: halves('999000691000001104'), group: 0 }, // NHS realm, pharmacy
  { set: halves('900000000000508004'), group: 1 },
  { set: halves('900000000000509007'), group: 2 },
];

export type Collected = ReturnType<typeof createCollection>;

export function createCollection() {
  return {
    concepts: { id: new Ids(), time: new Numbers(), active: new Numbers() },
    descriptions: {
      id: new Ids(),
      concept: new Ids(),
      time: new Numbers(),
      active: new Numbers(),
      synonym: new Numbers(),
      termEnd: new Numbers(),
      terms: new Bytes(),
    },
    /** Only rows that say “preferred”. `language` is a position in `LANGUAGES`. */
    languages: { description: new Ids(), group: new Numbers(), language: new Numbers(), time: new Numbers(), active: new Numbers() },
    isA: { id: new Ids(), from: new Ids(), to: new Ids(), time: new Numbers(), active: new Numbers() },
    history: { from: new Ids(), to: new Ids(), kind: new Numbers(), time: new Numbers(), active: new Numbers() },
    maps: {
      first: new Numbers(),
      second: new Numbers(),
      third: new Numbers(),
      concept: new Ids(),
      description: new Ids(),
      assured: new Numbers(),
      time: new Numbers(),
    },
  };
}

/** A reader for one file; `file` is how messages name it. */
export function readerOf(table: Table, file: string, into: Collected): LineReader {
  switch (table) {
    case 'concept':
      return lineReader(file, ['id', 'effectiveTime', 'active'], (line) => {
        into.concepts.id.push(line.id(0));
        into.concepts.time.push(line.date(1));
        into.concepts.active.push(line.active(2));
      });
    case 'description':
      return lineReader(file, ['id', 'effectiveTime', 'active', 'conceptId', 'typeId', 'term'], (line) => description(line, into));
    case 'relationship':
      return lineReader(file, ['id', 'effectiveTime', 'active', 'sourceId', 'destinationId', 'typeId'], (line) => relationship(line, into));
    case 'language':
      return lineReader(file, ['effectiveTime', 'active', 'refsetId', 'referencedComponentId', 'acceptabilityId'], (line) =>
        language(line, into),
      );
    case 'association':
      return lineReader(file, ['effectiveTime', 'active', 'refsetId', 'referencedComponentId', 'targetComponentId'], (line) =>
        association(line, into),
      );
    case 'simpleMap':
      return lineReader(file, ['effectiveTime', 'active', 'refsetId', 'referencedComponentId', 'mapTarget'], (line) =>
        simpleMap(line, into),
      );
    case 'readMap':
      return lineReader(file, ['EffectiveDate', 'MapStatus', 'IS_ASSURED', 'ConceptId', 'DescriptionId', 'ReadCode', 'TermCode'], (line) =>
        dataMigration(READ_V2, line, into, line.text(6).trim() === '00'),
      );
    case 'ctv3Map':
      return lineReader(
        file,
        [
          'EFFECTIVEDATE',
          'MAPSTATUS',
          'IS_ASSURED',
          'SCT_CONCEPTID',
          'SCT_DESCRIPTIONID',
          'CTV3_CONCEPTID',
          'CTV3_TERMID',
          'CTV3_TERMTYPE',
        ],
        (line) => dataMigration(CTV3, line, into, line.text(7).trim() === 'P'),
      );
  }
}

function description(line: Line, { descriptions }: Collected): void {
  descriptions.id.push(line.id(0));
  descriptions.time.push(line.date(1));
  descriptions.active.push(line.active(2));
  descriptions.concept.push(line.id(3));
  descriptions.synonym.push(line.is(4, SYNONYM) ? 1 : 0);
  descriptions.terms.push(line.bytes, line.start(5), line.end(5));
  descriptions.termEnd.push(descriptions.terms.length);
}

function relationship(line: Line, { isA }: Collected): void {
  if (!line.is(5, IS_A)) return;
  isA.id.push(line.id(0));
  isA.time.push(line.date(1));
  isA.active.push(line.active(2));
  isA.from.push(line.id(3));
  isA.to.push(line.id(4));
}

function language(line: Line, { languages }: Collected): void {
  if (!line.is(4, PREFERRED)) return;
  const { high, low } = line.id(2);
  const at = LANGUAGES.findIndex(({ set }) => set.high === high && set.low === low);
  const found = LANGUAGES[at];
  if (!found) return;
  languages.group.push(found.group);
  languages.language.push(at);
  languages.time.push(line.date(0));
  languages.active.push(line.active(1));
  languages.description.push(line.id(3));
}

function association(line: Line, { history }: Collected): void {
  const { high, low } = line.id(2);
  const kind = HISTORY.findIndex(({ set }) => set.high === high && set.low === low);
  if (kind < 0) return;
  history.kind.push(kind);
  history.time.push(line.date(0));
  history.active.push(line.active(1));
  history.from.push(line.id(3));
  history.to.push(line.id(4));
}

/** The international release says by which CTV3 code a concept was once known. */
function simpleMap(line: Line, { maps }: Collected): void {
  if (!line.is(2, CTV3_SIMPLE_MAP) || line.active(1) === 0) return;
  const code = line.text(4).trim();
  if (!hasKey(code)) throw line.fault(`mapTarget “${code.slice(0, 40)}” is no CTV3 code`);
  map(maps, CTV3, code, line.date(0), 1);
  maps.concept.push(line.id(3));
  maps.description.push(NO_ID);
}

/**
 * A row of the NHS Data Migration tables, for a code with one of its terms. Without a term the code means what it means with its preferred
 * one. Some codes were never mapped to a concept; they have a word in its place.
 */
function dataMigration(system: number, line: Line, { maps }: Collected, preferredTerm: boolean): void {
  const [date, status, assured, concept, descriptionId, codeColumn, termColumn] = [0, 1, 2, 3, 4, 5, 6] as const;
  if (line.active(status) === 0 || !line.hasId(concept)) return;
  const target = { high: line.high, low: line.low };
  const code = line.text(codeColumn).trim();
  const term = line.text(termColumn).trim();
  if (!hasKey(code + term)) throw line.fault(`“${`${code} ${term}`.slice(0, 40)}” is no code`);
  const described = line.hasId(descriptionId) ? { high: line.high, low: line.low } : NO_ID;
  for (const key of preferredTerm ? [code + term, code] : [code + term]) {
    map(maps, system, key, line.date(date), line.active(assured));
    maps.concept.push(target);
    maps.description.push(described);
  }
}

const NO_ID: Halves = { high: 0, low: 0 };

function map(maps: Collected['maps'], system: number, code: string, time: number, assured: number): void {
  const [first, second, third] = keyOf(system, code);
  maps.first.push(first);
  maps.second.push(second);
  maps.third.push(third);
  maps.time.push(time);
  maps.assured.push(assured);
}
