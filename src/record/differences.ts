/**
 * Why a record has other numbers of resources after its transfer than before: told from the reports of the two conversions alone,
 * which name what each thing was made from. What no report accounts for is said to be unaccounted for, never passed over.
 */
import type { ConversionReport, Origin } from './types.ts';

/** One side of a transfer: its conversion's report, and how many resources of each type its bundle has. */
export type Side = { readonly report: ConversionReport; readonly counts: ReadonlyMap<string, number> };
/** `names` are resources of the sent record: what is missing, or what gave rise to more. Of the received one where none did. */
export type Reason = { readonly more: boolean; readonly why: string; readonly names: readonly string[] };
export type Difference = {
  readonly type: string;
  readonly sent: number;
  readonly received: number;
  readonly reasons: readonly Reason[];
};

/** By type, only types whose resources cannot be paired one by one. The reasons of a type add up to its difference. */
export function differences(sent: Side, received: Side): readonly Difference[] {
  const pairs = pairing(sent.report, received.report);
  return [...new Set([...sent.counts.keys(), ...received.counts.keys()])].sort().flatMap((type) => {
    const [left, arrived] = [sent.counts.get(type) ?? 0, received.counts.get(type) ?? 0];
    const told = [...(pairs.more.get(type) ?? []), ...(pairs.less.get(type) ?? [])];
    const reasons = grouped([...told, ...unaccounted(arrived - left, told)]);
    return reasons.length ? [{ type, sent: left, received: arrived, reasons }] : [];
  });
}

/** `11 Encounters more: It stands in no consultation; … (Observation/…, and 10 more)`. Names beyond the first few are counted only. */
export function inWords({ type, reasons }: Difference): string {
  return reasons
    .map(({ more, why, names }) => {
      const distinct = [...new Set(names)];
      const others = distinct.length - NAMED;
      const list = [...distinct.slice(0, NAMED), ...(others > 0 ? [`and ${others} more`] : [])].join(', ');
      return `${names.length} ${type}${names.length > 1 ? 's' : ''} ${more ? 'more' : 'fewer'}: ${why} (${list})`;
    })
    .join(' ');
}

const NAMED = 3;

type One = { readonly more: boolean; readonly why: string; readonly name: string };

function pairing(sent: ConversionReport, received: ConversionReport) {
  const sources = Map.groupBy(sent.origins, ({ target }) => target.toUpperCase());
  const more = new Map<string, One[]>();
  const less = new Map<string, One[]>();
  const paired = new Map<string, string>();
  for (const [target, origins] of Map.groupBy(received.origins, (one) => one.target)) {
    const type = typeOf(target);
    const written = origins.flatMap(({ from }) => sources.get(from.id.toUpperCase()) ?? []);
    const same = written.filter(({ from, why }) => why === undefined && from.kind === type && !from.id.includes('#'));
    const free = same.find(({ from }) => !paired.has(from.id));
    if (free) paired.set(free.from.id, target);
    else add(more, type, oneMore(target, origins, written, same));
  }
  const said = new Set<string>();
  for (const { target, from, why } of sent.origins) {
    if (why !== undefined || said.has(from.id) || paired.has(from.id) || from.id.includes('#')) continue;
    said.add(from.id);
    add(less, from.kind, { more: false, name: from.id, why: whyLess(target, from, sources, paired) });
  }
  for (const { from, why } of sent.left) if (!from.id.includes('#')) add(less, from.kind, { more: false, name: from.id, why });
  return { more, less };
}

type Origins = ConversionReport['origins'];

function oneMore(target: string, origins: Origins, written: Origins, same: Origins): One {
  const type = typeOf(target);
  const source = same[0] ?? written[0];
  const forForm = written.find(({ why }) => why !== undefined);
  if (forForm?.why !== undefined) return { more: true, name: forForm.from.id, why: forForm.why };
  const made = origins.find(({ why }) => why !== undefined);
  if (made?.why !== undefined) return { more: true, name: target, why: made.why };
  if (!source) return { more: true, name: target, why: UNKNOWN };
  return { more: true, name: source.from.id, why: whyMore(type, source.from.kind) };
}

function whyMore(type: string, kind: string): string {
  if (isPeople(type)) return kind === 'Organization' && type === 'Practitioner' ? AS_PERSON : ONE_AGENT;
  return kind === type ? 'One resource of the record arrives as several.' : `A part of a ${kind} arrives as a resource of its own.`;
}

const isPeople = (type: string) => ['Practitioner', 'Organization', 'PractitionerRole'].includes(type);
const AS_PERSON = 'An extract’s list of people names an organisation as if it were a person.';
const ONE_AGENT = 'An extract’s list of people names an organisation with each person who works there.';

/** What was written, and yet is no resource of its own where it arrived. */
function whyLess(target: string, from: Origin, sources: ReadonlyMap<string, Origins>, paired: ReadonlyMap<string, string>): string {
  const sharing = (sources.get(target.toUpperCase()) ?? []).filter((one) => one.from.id !== from.id && one.why === undefined);
  const same = sharing.find((one) => one.from.kind === from.kind && paired.has(one.from.id));
  if (from.kind === 'Organization') return AS_PERSON;
  if (same) return 'It arrives as one with another that says the same or that it belongs to.';
  if (sharing.length) return `What it says stands in the ${sharing[0]?.from.kind} that it belongs to.`;
  return 'It arrives as something else: an extract has no form for it alone.';
}

const UNKNOWN = 'No report accounts for it.';

/** What the reasons leave open: nothing, unless a report forgot something. */
function unaccounted(difference: number, told: readonly One[]): One[] {
  const open = difference - told.reduce((sum, { more }) => sum + (more ? 1 : -1), 0);
  return Array.from({ length: Math.abs(open) }, () => ({ more: open > 0, why: UNKNOWN, name: 'unknown' }));
}

function grouped(all: readonly One[]): Reason[] {
  const groups = Map.groupBy(all, ({ more, why }) => `${more} ${why}`);
  return [...groups.values()].flatMap(([first, ...others]) =>
    first ? [{ more: first.more, why: first.why, names: [first, ...others].map(({ name }) => name) }] : [],
  );
}

const typeOf = (reference: string) => reference.split('/')[0] ?? '';

function add(to: Map<string, One[]>, type: string, one: One): void {
  to.set(type, [...(to.get(type) ?? []), one]);
}
