/** Look-ups over a built terminology, in the memory it was read into: nothing is unpacked, and only what is given out is allocated. */
import { DRUG_ALLERGIES, OTHER_ALLERGIES } from './allergies.ts';
import { builtInTerminology } from './built-in.ts';
import { finder, number } from './columns.ts';
import { type About, FLAG, NONE, readTerminology } from './file.ts';
import { HISTORY, type HistoryKind } from './history.ts';
import { CTV3, hasKey, keyOf, READ_V2 } from './read-codes.ts';
import { highOf, idText, lowOf } from './sctid.ts';

export type Successor = { readonly conceptId: string; readonly kind: HistoryKind };
export type Mapped = { readonly conceptId: string; readonly descriptionId: string | undefined; readonly assured: boolean };

export type Meaning = { readonly conceptId: string; readonly descriptionId?: string };

export type Release = {
  readonly about: About;
  /** What people call it. */
  readonly release: string;
  /** Whether it has all that a release is to have: every well-known immunisation. */
  readonly complete: boolean;
  /** By the id of a concept or of a description. Where the release is not whole, the built-in list counts too. */
  isImmunisation(snomedId: string): boolean;
  preferredTerm(conceptId: string): string | undefined;
  conceptOfDescription(descriptionId: string): { readonly conceptId: string; readonly term: string } | undefined;
  /** The id of the concept's description with exactly this term, capital and small letters differing; an active one before others. */
  descriptionOf(conceptId: string, term: string): string | undefined;
  hasConcept(conceptId: string): boolean;
  /** Undefined where the release does not say: it has not the concept, or no file of concepts was in it. */
  isActive(conceptId: string): boolean | undefined;
  /** Whether the first is the second or below it, by active relationships. */
  isA(conceptId: string, ancestorId: string): boolean;
  /** What took the place of a concept that is no longer used. */
  successorsOf(conceptId: string): readonly Successor[];
  /** What a code of Read v2 or CTV3, with or without its term code, was mapped to: assured mappings first. */
  mapped(system: 'readV2' | 'ctv3', code: string): readonly Mapped[];
  /**
   * The one concept in use that a code surely means: all assured mappings agree, and where their concept is no longer used, one other is the same
   * or replaces it.
   */
  meaningOf(system: 'readV2' | 'ctv3', code: string): Meaning | undefined;
  /** By the id of a concept or of a description, of an allergy or of a substance. */
  allergyKind(snomedId: string): 'drug' | 'other' | undefined;
};

/** A term of SNOMED CT has at most 4096 bytes. */
const LONGEST_TERM = 4096;

/** `memory`: the file, already checked by whoever read it. */
export function openRelease(memory: ArrayBufferLike): Release {
  const { about, tables } = readTerminology(memory);
  const { conceptIds, conceptFlags, conceptPreferred, conceptFirst, conceptDescriptions, descriptionIds, descriptionConcepts } = tables;
  const { descriptionTerms, parentsFirst, parents, history, mapKeys, mapTargets } = tables;
  const terms = Buffer.from(tables.terms.buffer, tables.terms.byteOffset, tables.terms.byteLength);
  const wanted = Buffer.alloc(LONGEST_TERM * 3);

  const conceptAt = finder(conceptIds);
  const descriptionAt = finder(descriptionIds);
  const concept = (id: string): number => {
    const high = highOf(id);
    return high < 0 ? -1 : conceptAt(high, lowOf(id));
  };
  const description = (id: string): number => {
    const high = highOf(id);
    return high < 0 ? -1 : descriptionAt(high, lowOf(id));
  };
  const idAt = (pairs: Uint32Array, at: number) => idText(number(pairs, 2 * at), number(pairs, 2 * at + 1));
  const termAt = (at: number) => terms.toString('utf8', number(descriptionTerms, at), number(descriptionTerms, at + 1));

  const release: Release = {
    about,
    release: about.release,
    complete: about.lacks.length === 0,
    isImmunisation(snomedId) {
      const own = concept(snomedId);
      const described = own < 0 ? description(snomedId) : -1;
      const at = described < 0 ? own : number(descriptionConcepts, described);
      if (at >= 0 && (number(conceptFlags, at) & FLAG.immunisation) !== 0) return true;
      return about.lacks.length > 0 && builtInTerminology.isImmunisation(snomedId);
    },
    preferredTerm(conceptId) {
      const at = concept(conceptId);
      const preferred = at < 0 ? NONE : number(conceptPreferred, at);
      return preferred === NONE ? undefined : termAt(preferred);
    },
    conceptOfDescription(descriptionId) {
      const at = description(descriptionId);
      return at < 0 ? undefined : { conceptId: idAt(conceptIds, number(descriptionConcepts, at)), term: termAt(at) };
    },
    descriptionOf(conceptId, term) {
      const at = concept(conceptId);
      if (at < 0 || term.length > LONGEST_TERM) return undefined;
      const bytes = wanted.write(term);
      for (let next = number(conceptFirst, at); next < number(conceptFirst, at + 1); next++) {
        const one = number(conceptDescriptions, next);
        const start = number(descriptionTerms, one);
        const end = number(descriptionTerms, one + 1);
        if (end - start === bytes && terms.compare(wanted, 0, bytes, start, end) === 0) return idAt(descriptionIds, one);
      }
      return undefined;
    },
    hasConcept: (conceptId) => concept(conceptId) >= 0,
    isActive(conceptId) {
      const at = concept(conceptId);
      return at < 0 || about.counts.activeConcepts === 0 ? undefined : (number(conceptFlags, at) & FLAG.active) !== 0;
    },
    isA(conceptId, ancestorId) {
      const ancestor = concept(ancestorId);
      const own = concept(conceptId);
      if (ancestor < 0 || own < 0) return false;
      const seen = new Set<number>([own]);
      for (const one of seen) {
        if (one === ancestor) return true;
        for (let at = number(parentsFirst, one); at < number(parentsFirst, one + 1); at++) seen.add(number(parents, at));
      }
      return false;
    },
    successorsOf(conceptId) {
      const at = concept(conceptId);
      const found: Successor[] = [];
      for (let row = firstRow(history, 3, [at]); at >= 0 && history[3 * row] === at; row++) {
        const { kind } = HISTORY[number(history, 3 * row + 2)] ?? HISTORY[0];
        found.push({ conceptId: idAt(conceptIds, number(history, 3 * row + 1)), kind });
      }
      return found;
    },
    mapped(system, code) {
      if (!hasKey(code)) return [];
      const key = keyOf(system === 'ctv3' ? CTV3 : READ_V2, code);
      const found: Mapped[] = [];
      for (let row = firstRow(mapKeys, 3, key); key.every((word, at) => mapKeys[3 * row + at] === word); row++) {
        const [high = 0, low = 0, descriptionHigh = 0, descriptionLow = 0, assured] = mapTargets.subarray(5 * row, 5 * row + 5);
        found.push({
          conceptId: idText(high, low),
          descriptionId: descriptionHigh + descriptionLow > 0 ? idText(descriptionHigh, descriptionLow) : undefined,
          assured: assured === 1,
        });
      }
      return found;
    },
    meaningOf(system, code) {
      const [first, ...others] = release.mapped(system, code).filter(({ assured }) => assured);
      if (!first || others.some(({ conceptId }) => conceptId !== first.conceptId) || concept(first.conceptId) < 0) return undefined;
      if (release.isActive(first.conceptId) !== false) {
        const same = others.every(({ descriptionId }) => descriptionId === first.descriptionId);
        return { conceptId: first.conceptId, ...(same && first.descriptionId !== undefined && { descriptionId: first.descriptionId }) };
      }
      const [heir, ...more] = release.successorsOf(first.conceptId).filter(({ kind }) => kind === 'sameAs' || kind === 'replacedBy');
      return heir && more.length === 0 && release.isActive(heir.conceptId) ? { conceptId: heir.conceptId } : undefined;
    },
    allergyKind(snomedId) {
      const conceptId = release.conceptOfDescription(snomedId)?.conceptId ?? snomedId;
      if (DRUG_ALLERGIES.some((root) => release.isA(conceptId, root))) return 'drug';
      return OTHER_ALLERGIES.some((root) => release.isA(conceptId, root)) ? 'other' : undefined;
    },
  };
  return release;
}

/** The first row whose leading numbers are not before `key`, in a table of rows of so many numbers in ascending order. */
function firstRow(table: Uint32Array, width: number, key: readonly number[]): number {
  let from = 0;
  let to = table.length / width;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const differs = key.findIndex((word, at) => table[width * middle + at] !== word);
    if (differs >= 0 && number(table, width * middle + differs) < (key[differs] ?? 0)) from = middle + 1;
    else to = middle;
  }
  return from;
}
