import type { Instant } from '../base/ids.ts';
import type { Occurrence } from './from-history.ts';
import { freeMoment } from './moments.ts';
import type { EventPath } from './terms.ts';

/** What a transfer has told already. */
export type ToldSoFar = {
  /** Keys that were told, among those of the occurrences. */
  readonly known: ReadonlySet<string>;
  /** The latest time of each path. */
  readonly last: ReadonlyMap<EventPath, Instant>;
};

/** Of what an entry means, what was not told before: events, each at a moment of its own, and lists that become events. */
export function untold(
  role: 'requesting' | 'sending',
  occurrences: readonly Occurrence[],
  { known, last }: ToldSoFar,
): { readonly events: Occurrence[]; readonly lists: (Occurrence & { readonly list: NonNullable<Occurrence['list']> })[] } {
  const told = new Set(known);
  const latest = new Map(last);
  const events: Occurrence[] = [];
  const lists: (Occurrence & { list: NonNullable<Occurrence['list']> })[] = [];
  for (const occurrence of occurrences) {
    const { path, key, list, beside } = occurrence;
    if (list && list.of !== 'placeholders') {
      if (beside === undefined || !known.has(beside)) lists.push({ ...occurrence, list });
      continue;
    }
    if (told.has(key)) continue;
    told.add(key);
    const at = freeMoment(path, role, occurrence.at, latest.get(path) ?? null);
    latest.set(path, at);
    events.push({ ...occurrence, at });
  }
  return { events, lists };
}
