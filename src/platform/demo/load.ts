import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { addMonths, type Month, monthOf, monthStart } from '../metrics/month.ts';
import { DAY, localText, type Micros } from '../micros.ts';
import { loadEvents } from '../store/bulk.ts';
import { countAllDays } from '../store/days.ts';
import { type StoredEvent, writeDegradeRows } from '../store/events.ts';
import { foldWritten } from '../store/fold.ts';
import type { PlatformDb } from '../store/open.ts';
import { type OrganisationRow, writeOrganisations } from '../store/organisations.ts';
import { publishMonth } from '../store/publish.ts';
import { loadTransfers } from '../store/spine.ts';
import { chanceOf } from './chance.ts';
import { degradesOfDay } from './degrades.ts';
import { type SyntheticEngland, syntheticEngland } from './england.ts';
import { eventsOf, registrationOf } from './events.ts';
import { transfersOf } from './transfers.ts';

export type DemoSize = { readonly seed: number; readonly practices: number; readonly months: number };
export type Loaded = { readonly england: SyntheticEngland; readonly transfers: number; readonly events: number };
/** How far it is: steps done of all, and what was done last. */
export type Progress = { readonly done: number; readonly of: number; readonly what: string };

/** Judged as the site's figures are. */
const CUTOFF_DAYS = 14;
/** Transfers of the newest month of which events are made too; of all England only some practices tell theirs. */
const TOLD = 40_000;
/** What is on its way when somebody looks. */
const LIVE_DAYS = 9;
/** Registrations without a transfer, of a hundred with one. */
const WITHOUT = 40;

/**
 * A synthetic England in the platform's database: its transfers, month by month, as the Spine's log has them; the events of some practices in
 * the newest month and in the days up to now; degrades. All goes the way of real data: loaded, folded, counted, published.
 */
export async function loadDemo(
  db: PlatformDb,
  url: string,
  { seed, practices, months: count }: DemoSize,
  now: Micros,
  onStep: (progress: Progress) => void = () => undefined,
): Promise<Loaded> {
  const england = syntheticEngland(seed, practices);
  const here = monthOf(now, 'UTC');
  const newest = addMonths(here, -1);
  let done = 0;
  const of = 2 * count + 2;
  const step = (what: string) => onStep({ done: ++done, of, what });
  await writeOrganisations(db, organisationsOf(england));
  let transfers = 0;
  for (let back = count; back > 0; back--) {
    const month = addMonths(here, -back);
    transfers += await loadTransfers(url, transfersOf(england, month, seed), CUTOFF_DAYS);
    step(`transfers of ${text(month)}`);
    await foldWritten(db);
    step(`figures of ${text(month)}`);
  }
  const { written: events } = await loadEvents(db, url, toldOf(england, newest, here, seed, now));
  await writeDegradesOf(db, newest, now, seed);
  step('events');
  await foldWritten(db);
  await countAllDays(db);
  const published = await publishMonth(db, newest, 1);
  if ('faults' in published) throw new Error(published.faults.slice(0, 3).join('; '));
  step('counts of days');
  return { england, transfers, events };
}

function organisationsOf({ areas, practices }: SyntheticEngland): OrganisationRow[] {
  return [
    ...areas.map(({ code, kind, name, parent }) => ({ code, kind, name, parent: parent?.code ?? null })),
    ...practices.map(
      ({ code, name, address, postcode, supplier, sicbl }): OrganisationRow => ({
        code,
        kind: 'practice',
        name,
        address,
        postcode,
        supplier,
        parent: sicbl.code,
      }),
    ),
  ];
}

function* toldOf(england: SyntheticEngland, newest: Month, here: Month, seed: number, now: Micros): Generator<StoredEvent> {
  const chance = chanceOf(seed ^ 0x0e1e);
  const share = Math.min(1, (TOLD / 220_000) * (6500 / england.practices.length));
  // A practice tells all of its registrations or none.
  const tells = new Set(england.practices.filter(() => chance.next() < share).map(({ code }) => code));
  const told = function* (transfer: ClassifiedTransfer) {
    if (!tells.has(transfer.requesting.ods ?? '')) return;
    yield* eventsOf(transfer, now, chance);
    if (chance.below(100) < WITHOUT) yield* registrationOf(transfer, now, chance);
  };
  for (const transfer of transfersOf(england, newest, seed)) yield* told(transfer);
  // What the Spine's log says of these days is not there yet.
  const from = Math.max(now - LIVE_DAYS * DAY, monthStart(here, 'UTC'));
  for (const transfer of transfersOf(england, here, seed))
    if (transfer.requestedAt >= from && transfer.requestedAt <= now) yield* told(transfer);
}

async function writeDegradesOf(db: PlatformDb, newest: Month, now: Micros, seed: number): Promise<void> {
  for (let at = monthStart(newest, 'UTC'); at <= now; at += DAY)
    await writeDegradeRows(db, degradesOfDay(localText(at).slice(0, 10), seed));
}

function text({ year, month }: Month): string {
  return `${year}-${String(month).padStart(2, '0')}`;
}
