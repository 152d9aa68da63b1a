/**
 * Builds a terminology from the files of one or more releases. Of a component that several releases have, the newest row counts. Beyond that
 * rows are taken as GP2GP's rules take them, which is not always as RF2 means them: inactive descriptions, language rows and is-a
 * relationships count too, the first two only where there is no active one.
 */
import { Fault } from '../base/errors.ts';
import { type Collected, createCollection, readerOf } from './collect.ts';
import { find, type Ids, type Numbers, number, orderOf } from './columns.ts';
import { type About, FLAG, NONE, type Tables } from './file.ts';
import { ROOTS, WELL_KNOWN } from './immunisations.ts';
import type { LineReader } from './lines.ts';
import { CTV3, READ_V2 } from './read-codes.ts';
import { tableOf } from './rf2.ts';
import { highOf, lowOf } from './sctid.ts';

export type TerminologyBuilder = {
  /** A reader for a file of a release, by its name without folders; undefined for a file that is not needed. `shown` is how messages name it. */
  open(name: string, shown: string): LineReader | undefined;
  /** After all files. `release`: what people call what was read. Throws a `Fault` `input.terminology` where the descriptions are missing. */
  finish(release: string): { readonly about: About; readonly tables: Tables };
};

export function createTerminologyBuilder(): TerminologyBuilder {
  const collected = createCollection();
  let effectiveTime = '';
  return {
    open(name, shown) {
      const known = tableOf(name);
      if (!known) return undefined;
      if (known.date > effectiveTime) effectiveTime = known.date;
      return readerOf(known.table, shown, collected);
    },
    finish(release) {
      if (collected.descriptions.id.length === 0)
        throw new Fault('input.terminology', `${release}: there are no descriptions in it`, {
          remedy: 'Name the release as it came (a zip), or the folder it was unzipped into: RF2 with its Snapshot files.',
        });
      return finish(collected, release, effectiveTime);
    },
  };
}

function finish(collected: Collected, release: string, effectiveTime: string): { about: About; tables: Tables } {
  const { descriptions } = collected;
  const conceptIds = conceptsOf(collected);
  const rowOf = (ids: Ids, at: number) => find(conceptIds, number(ids.high.values(), at), number(ids.low.values(), at));

  const kept = newest(descriptions);
  const descriptionIds = pairs(descriptions.id, kept);
  const descriptionConcepts = kept.map((at) => rowOf(descriptions.concept, at));
  const { terms, descriptionTerms } = termsOf(descriptions, kept);
  const active = kept.map((at) => number(descriptions.active.values(), at));
  const concepts = conceptIds.length / 2;
  const { first: conceptFirst, list: conceptDescriptions } = listed(
    concepts,
    descriptionConcepts,
    orderOf(
      descriptionConcepts,
      active.map((flag) => 1 - flag),
    ),
  );
  const conceptPreferred = preferredOf(collected, { concepts, descriptionIds, descriptionConcepts, kept });

  const conceptFlags = new Uint8Array(concepts);
  for (const at of newest(collected.concepts))
    if (number(collected.concepts.active.values(), at)) conceptFlags[rowOf(collected.concepts.id, at)] = FLAG.active;
  const { isA } = collected;
  const child = Uint32Array.from({ length: isA.id.length }, (_, at) => rowOf(isA.from, at));
  const parent = Uint32Array.from({ length: isA.id.length }, (_, at) => rowOf(isA.to, at));
  const immunisations = markImmunisations(conceptIds, conceptFlags, child, parent);
  const edges = withoutTwins(
    newest(isA).filter((at) => number(isA.active.values(), at) === 1),
    child,
    parent,
  );
  const { first: parentsFirst, list: parents } = listed(
    concepts,
    edges.map((at) => number(child, at)),
    edges.map((_, at) => at),
    edges.map((at) => number(parent, at)),
  );
  const history = historyOf(collected, rowOf);
  const { mapKeys, mapTargets } = mapsOf(collected);

  const tables: Tables = {
    conceptIds,
    conceptFlags,
    conceptPreferred,
    conceptFirst,
    conceptDescriptions,
    parentsFirst,
    parents,
    descriptionIds,
    descriptionConcepts,
    descriptionTerms,
    terms,
    history,
    mapKeys,
    mapTargets,
  };
  const lacks = WELL_KNOWN.filter((id) => {
    const at = find(conceptIds, highOf(id), lowOf(id));
    return at < 0 || (number(conceptFlags, at) & FLAG.immunisation) === 0;
  });
  const mapped = (system: number) => mapKeys.reduce((sum, key, at) => sum + (at % 3 === 0 && key >>> 24 === system ? 1 : 0), 0);
  const counts: About['counts'] = {
    concepts,
    activeConcepts: conceptFlags.reduce((sum, flags) => sum + (flags & FLAG.active), 0),
    descriptions: kept.length,
    activeDescriptions: active.reduce((sum, flag) => sum + flag, 0),
    preferredTerms: conceptPreferred.reduce((sum, at) => sum + (at === NONE ? 0 : 1), 0),
    isA: edges.length,
    immunisations,
    history: history.length / 3,
    readMaps: mapped(READ_V2),
    ctv3Maps: mapped(CTV3),
  };
  return { about: { release, effectiveTime, counts, lacks }, tables };
}

/** Every concept that any row speaks of, in order. */
function conceptsOf({ concepts, descriptions, isA, history }: Collected): Uint32Array<ArrayBuffer> {
  const columns = [concepts.id, descriptions.concept, isA.from, isA.to, history.from, history.to];
  const rows = columns.reduce((sum, column) => sum + column.length, 0);
  const high = new Uint32Array(rows);
  const low = new Uint32Array(rows);
  let at = 0;
  for (const column of columns) {
    high.set(column.high.values(), at);
    low.set(column.low.values(), at);
    at += column.length;
  }
  const order = orderOf(high, low);
  const same = (a: number, b: number) => number(high, a) === number(high, b) && number(low, a) === number(low, b);
  const single = order.filter((row, position) => position === 0 || !same(row, number(order, position - 1)));
  return paired(high, low, single);
}

function pairs(ids: Ids, rows: Uint32Array): Uint32Array<ArrayBuffer> {
  return paired(ids.high.values(), ids.low.values(), rows);
}

function paired(high: Uint32Array, low: Uint32Array, rows: Uint32Array): Uint32Array<ArrayBuffer> {
  const both = new Uint32Array(rows.length * 2);
  for (let at = 0; at < rows.length; at++) {
    both[2 * at] = number(high, number(rows, at));
    both[2 * at + 1] = number(low, number(rows, at));
  }
  return both;
}

/** One row for each identifier, in the order of these: the newest, of two equally new the active one. */
function newest({ id, time, active }: { id: Ids; time: Numbers; active: Numbers }): Uint32Array<ArrayBuffer> {
  const [high, low, times, flags] = [id.high.values(), id.low.values(), time.values(), active.values()];
  const order = orderOf(high, low);
  let kept = 0;
  for (const row of order) {
    const before = kept === 0 ? row : number(order, kept - 1);
    if (kept === 0 || number(high, before) !== number(high, row) || number(low, before) !== number(low, row)) order[kept++] = row;
    else if (age(row) >= age(before)) order[kept - 1] = row;
  }
  return order.slice(0, kept);

  function age(row: number): number {
    return number(times, row) * 2 + number(flags, row);
  }
}

function termsOf({ terms, termEnd }: Collected['descriptions'], rows: Uint32Array) {
  const [from, ends] = [terms.values(), termEnd.values()];
  const startOf = (row: number) => (row === 0 ? 0 : number(ends, row - 1));
  const starts = new Uint32Array(rows.length + 1);
  for (let at = 0; at < rows.length; at++) {
    const row = number(rows, at);
    starts[at + 1] = number(starts, at) + number(ends, row) - startOf(row);
  }
  const to = new Uint8Array(number(starts, rows.length));
  for (let at = 0; at < rows.length; at++) {
    const row = number(rows, at);
    to.set(from.subarray(startOf(row), number(ends, row)), number(starts, at));
  }
  return { terms: to, descriptionTerms: starts };
}

/** Lists by owner: where each owner's begins, and the items (their row numbers, or `values`) in the given order, which is by owner. */
function listed(owners: number, ownerOf: Uint32Array, order: Uint32Array, values?: Uint32Array) {
  const first = new Uint32Array(owners + 1);
  for (const owner of ownerOf) first[owner + 1] = number(first, owner + 1) + 1;
  for (let owner = 0; owner < owners; owner++) first[owner + 1] = number(first, owner + 1) + number(first, owner);
  return { first, list: values ? order.map((at) => number(values, at)) : order };
}

type Descriptions = {
  readonly concepts: number;
  readonly descriptionIds: Uint32Array;
  readonly descriptionConcepts: Uint32Array;
  /** Of each description, its row among those collected. */
  readonly kept: Uint32Array;
};

/**
 * The preferred description of each concept. The national reference sets decide before any other; then an active description before an
 * inactive one, and what the rules leave open is settled by: an active language row, the newer one, the clinical set before the pharmacy's,
 * the lower identifier.
 */
function preferredOf(collected: Collected, { concepts, descriptionIds, descriptionConcepts, kept }: Descriptions): Uint32Array {
  const { languages, descriptions } = collected;
  const [high, low] = [languages.description.high.values(), languages.description.low.values()];
  const [synonym, isActive] = [descriptions.synonym.values(), descriptions.active.values()];
  const preferred = new Uint32Array(concepts).fill(NONE);
  const chosenRow = new Uint32Array(concepts);
  const rankOf = (row: number, description: number): readonly number[] => [
    number(languages.group.values(), row),
    1 - number(isActive, number(kept, description)),
    1 - number(languages.active.values(), row),
    -number(languages.time.values(), row),
    number(languages.language.values(), row),
    description,
  ];
  for (let row = 0; row < high.length; row++) {
    const description = find(descriptionIds, number(high, row), number(low, row));
    if (description < 0 || number(synonym, number(kept, description)) === 0) continue;
    const concept = number(descriptionConcepts, description);
    const earlier = number(preferred, concept);
    if (earlier !== NONE && !before(rankOf(row, description), rankOf(number(chosenRow, concept), earlier))) continue;
    preferred[concept] = description;
    chosenRow[concept] = row;
  }
  return preferred;
}

function before(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, position) => value !== b[position]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

/** Marks the roots that are there and everything that was ever below them. Gives how many concepts were marked. */
function markImmunisations(conceptIds: Uint32Array, flags: Uint8Array, child: Uint32Array, parent: Uint32Array): number {
  const order = orderOf(parent);
  const { first, list } = listed(flags.length, parent, order, child);
  const open = ROOTS.map((id) => find(conceptIds, highOf(id), lowOf(id))).filter((at) => at >= 0);
  let marked = 0;
  for (let concept = open.pop(); concept !== undefined; concept = open.pop()) {
    if (number(flags, concept) & FLAG.immunisation) continue;
    flags[concept] = number(flags, concept) | FLAG.immunisation;
    marked++;
    for (let at = number(first, concept); at < number(first, concept + 1); at++) open.push(number(list, at));
  }
  return marked;
}

/** The rows by child and parent, each pair once. */
function withoutTwins(rows: Uint32Array<ArrayBuffer>, child: Uint32Array, parent: Uint32Array): Uint32Array<ArrayBuffer> {
  const [children, parents] = [rows.map((at) => number(child, at)), rows.map((at) => number(parent, at))];
  const order = orderOf(children, parents);
  const same = (a: number, b: number) => number(children, a) === number(children, b) && number(parents, a) === number(parents, b);
  return order.filter((row, at) => at === 0 || !same(row, number(order, at - 1))).map((at) => number(rows, at));
}

function historyOf({ history }: Collected, rowOf: (ids: Ids, at: number) => number): Uint32Array {
  const from = Uint32Array.from({ length: history.from.length }, (_, at) => rowOf(history.from, at));
  const to = Uint32Array.from({ length: history.to.length }, (_, at) => rowOf(history.to, at));
  const [kinds, times, active] = [history.kind.values(), history.time.values(), history.active.values()];
  const order = orderOf(from, kinds, to, times, active);
  const same = (a: number, b: number) =>
    number(from, a) === number(from, b) && number(to, a) === number(to, b) && number(kinds, a) === number(kinds, b);
  const last = order.filter((row, at) => at === order.length - 1 || !same(row, number(order, at + 1)));
  const valid = last.filter((row) => number(active, row) === 1);
  const table = new Uint32Array(valid.length * 3);
  for (const [at, row] of valid.entries()) table.set([number(from, row), number(to, row), number(kinds, row)], at * 3);
  return table;
}

/** Assured mappings first, then newer ones; a target is given once. */
function mapsOf({ maps }: Collected): { mapKeys: Uint32Array; mapTargets: Uint32Array } {
  const [first, second, third] = [maps.first.values(), maps.second.values(), maps.third.values()];
  const unassured = maps.assured.values().map((flag) => 1 - flag);
  const older = maps.time.values().map((time) => 99_999_999 - time);
  const target = [maps.concept.high.values(), maps.concept.low.values(), maps.description.high.values(), maps.description.low.values()];
  const order = orderOf(first, second, third, unassured, older, ...target);
  const columns = [first, second, third, ...target];
  const same = (a: number, b: number) => columns.every((column) => number(column, a) === number(column, b));
  const rows: number[] = [];
  for (const row of order) {
    let twin = false;
    for (let at = rows.length - 1; at >= 0 && !twin; at--) {
      const other = rows[at] ?? 0;
      if ([first, second, third].some((column) => number(column, other) !== number(column, row))) break;
      twin = same(other, row);
    }
    if (!twin) rows.push(row);
  }
  const mapKeys = new Uint32Array(rows.length * 3);
  const mapTargets = new Uint32Array(rows.length * 5);
  for (const [at, row] of rows.entries()) {
    mapKeys.set([number(first, row), number(second, row), number(third, row)], at * 3);
    mapTargets.set([...target.map((column) => number(column, row)), number(maps.assured.values(), row)], at * 5);
  }
  return { mapKeys, mapTargets };
}
