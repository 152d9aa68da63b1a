/** The site's reads over counts held in memory: for a demonstration and for tests, where no database is wanted. */
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { CATEGORIES, type Counts, categoryOf } from '../metrics/counts.ts';
import { type Month, monthOf, monthText } from '../metrics/month.ts';
import type { PracticeCounts } from '../metrics/practices.ts';
import { onTimeShare } from './measures.ts';
import type { AreaKind, Figures, Kind, OperationalReads, Place, Reason, SearchHit, SiteReads, Spread } from './model.ts';

export type MemoryPlace = Place & { readonly parent: string | null };
export type MemoryPractice = MemoryPlace & {
  readonly kind: 'practice';
  readonly address: readonly string[];
  readonly postcode: string | null;
  readonly supplier: string | null;
};
export type MemorySource = {
  readonly areas: readonly MemoryPlace[];
  readonly practices: readonly MemoryPractice[];
  /** Newest first. */
  readonly months: readonly Month[];
  readonly publishedAt: string;
  readonly operational?: OperationalReads;
};
export type Memory = { add(transfer: ClassifiedTransfer): void; readonly reads: SiteReads };

const REASON_MONTHS = 12;
const WIDTH = CATEGORIES.length;

/** Transfers are counted as they are added and not kept. */
export function memoryOf(source: MemorySource): Memory {
  const { areas, practices, months } = source;
  const index = new Map(practices.map(({ code }, at) => [code, at]));
  const monthIndex = new Map(months.map((month, at) => [monthText(month), at]));
  const size = practices.length * months.length * WIDTH;
  const requested = new Int32Array(size);
  const sent = new Int32Array(size);
  const england = new Int32Array(months.length * WIDTH);
  const reasons = practices.map(() => new Map<string, number>());
  const parents = new Map([...areas, ...practices].map(({ code, parent }) => [code, parent]));
  const byCode = new Map(areas.map((area) => [area.code, area]));
  const below = (code: string): number[] =>
    practices.flatMap((practice, at) => (aboveOf(practice.code).some((place) => place.code === code) ? [at] : []));
  const membership = new Map<string, number[]>();

  function aboveOf(code: string): MemoryPlace[] {
    const found: MemoryPlace[] = [];
    for (let parent = parents.get(code) ?? null; parent !== null; parent = parents.get(parent) ?? null) {
      const place = byCode.get(parent);
      if (!place) break;
      found.push(place);
    }
    return found;
  }
  function within(code: string): readonly number[] {
    const known = membership.get(code) ?? below(code);
    membership.set(code, known);
    return known;
  }
  function figures(counts: Int32Array, rows: readonly number[], which: readonly Month[] = months): Figures[] {
    return which.map((month) => {
      const at = monthIndex.get(monthText(month)) ?? -1;
      const sum = new Array<number>(WIDTH).fill(0);
      if (at >= 0)
        for (const row of rows) {
          const from = (row * months.length + at) * WIDTH;
          for (let n = 0; n < WIDTH; n++) sum[n] = (sum[n] ?? 0) + (counts[from + n] ?? 0);
        }
      return { ...month, counts: countsOf(sum) };
    });
  }
  function ofEngland(): Figures[] {
    return figures(england, [0]);
  }
  function reasonsOf(rows: readonly number[]): Reason[] {
    const sum = new Map<string, number>();
    for (const row of rows) for (const [key, transfers] of reasons[row] ?? []) sum.set(key, (sum.get(key) ?? 0) + transfers);
    return [...sum].map(([key, transfers]) => {
      const [status = '', failureReason = null] = key.split('|');
      return { status, failureReason, transfers };
    });
  }
  function members(kind: Kind, parent: string | null, month: Month) {
    const places: readonly MemoryPlace[] = kind === 'practice' ? practices : areas.filter((area) => area.kind === kind);
    return places
      .filter((place) => parent === null || place.parent === parent)
      .map((place) => {
        const rows = place.kind === 'practice' ? [index.get(place.code) ?? -1] : within(place.code);
        return { ...place, figures: figures(requested, rows, [month])[0] as Figures };
      });
  }
  let quartiles: Spread | null | undefined;
  function spread(): Spread | null {
    if (quartiles !== undefined) return quartiles;
    const [newest] = months;
    const shares = newest
      ? practices.flatMap((_, at) => {
          const { counts } = figures(requested, [at], [newest])[0] as Figures;
          const share = Object.values(counts).reduce((sum, each) => sum + each, 0) >= 10 ? onTimeShare(counts) : null;
          return share === null ? [] : [share];
        })
      : [];
    shares.sort((a, b) => a - b);
    const at = (part: number) => shares[Math.floor((shares.length - 1) * part)] ?? 0;
    quartiles = shares.length === 0 ? null : { practices: shares.length, lower: at(0.25), median: at(0.5), upper: at(0.75) };
    return quartiles;
  }

  const reads: SiteReads = {
    published: async () => ({ months, at: source.publishedAt }),
    practice: async (ods) => {
      const at = index.get(ods);
      const practice = at === undefined ? undefined : practices[at];
      if (at === undefined || !practice) return null;
      const above = aboveOf(ods);
      const sicbl = above.find(({ kind }) => kind === 'sicbl');
      return {
        practice: { ...practice, active: true },
        above,
        months: figures(requested, [at]),
        sending: figures(sent, [at]),
        sicbl: sicbl ? figures(requested, within(sicbl.code)) : [],
        england: ofEngland(),
        reasons: reasonsOf([at]),
        spread: spread(),
      };
    },
    area: async (kind, code, month) => {
      const place = areas.find((area) => area.kind === kind && area.code === code);
      if (!place) return null;
      const rows = within(code);
      return {
        place,
        above: aboveOf(code),
        months: figures(requested, rows),
        england: ofEngland(),
        members: members(BELOW[kind], code, month),
        reasons: reasonsOf(rows),
      };
    },
    england: async (by, month) => ({ months: ofEngland(), members: members(by, null, month), reasons: reasonsOf([...practices.keys()]) }),
    search: async (text, limit) => found([...areas, ...practices], text, limit),
    places: async (kind) => areas.filter((area) => area.kind === kind),
    practiceCounts: async (of, which) => {
      const rows = of === null ? [...practices.keys()] : of.kind === 'practice' ? [index.get(of.code) ?? -1] : within(of.code);
      return rows.flatMap((row): PracticeCounts[] => {
        const practice = practices[row];
        if (!practice) return [];
        const sicbl = practice.parent === null ? undefined : byCode.get(practice.parent);
        return [
          {
            ods: practice.code,
            name: practice.name,
            sicblOds: sicbl?.code ?? '',
            sicblName: sicbl?.name ?? null,
            months: figures(requested, [row], which).map(({ counts }) => counts),
          },
        ];
      });
    },
    ...(source.operational && { operational: source.operational }),
  };

  return {
    reads,
    add(transfer) {
      const at = monthIndex.get(monthText(monthOf(transfer.requestedAt, 'UTC')));
      if (at === undefined) return;
      const column = CATEGORIES.indexOf(categoryOf(transfer));
      const bump = (counts: Int32Array, row: number) => {
        const cell = (row * months.length + at) * WIDTH + column;
        counts[cell] = (counts[cell] ?? 0) + 1;
      };
      bump(england, 0);
      const asking = index.get(transfer.requesting.ods ?? '');
      const asked = index.get(transfer.sending.ods ?? '');
      if (asking !== undefined) bump(requested, asking);
      if (asked !== undefined) bump(sent, asked);
      if (asking !== undefined && at < REASON_MONTHS && transfer.failureReason !== null) {
        const key = `${transfer.status}|${transfer.failureReason}`;
        const own = reasons[asking];
        own?.set(key, (own.get(key) ?? 0) + 1);
      }
    },
  };
}

const BELOW: Readonly<Record<AreaKind, Kind>> = { sicbl: 'practice', icb: 'sicbl', region: 'icb' };

function countsOf(sum: readonly number[]): Counts {
  return Object.fromEntries(CATEGORIES.map((category, at) => [category, sum[at] ?? 0])) as Counts;
}

/** Every word that is typed must stand somewhere in the code, the name or the postcode. */
function found(places: readonly (Place & { readonly postcode?: string | null })[], text: string, limit: number): SearchHit[] {
  const words = text.toLowerCase().split(' ');
  const whole = text.toUpperCase();
  const hits: SearchHit[] = [];
  for (const place of places) {
    const { code, kind, name, postcode = null } = place;
    const all = `${code} ${name ?? ''} ${postcode ?? ''} ${postcode?.replace(' ', '') ?? ''}`.toLowerCase();
    if (words.every((word) => all.includes(word))) hits.push({ code, kind, name, postcode });
  }
  return hits.sort((a, b) => Number(b.code === whole) - Number(a.code === whole)).slice(0, limit);
}
