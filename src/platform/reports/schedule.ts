/** Reports and publications at their times, by whichever program runs; what was missed is made up for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../base/errors.ts';
import { monthText } from '../metrics/month.ts';
import { DAY, dayStart, type Micros, SECOND } from '../micros.ts';
import type { PlatformDb } from '../store/open.ts';
import { publishedMonths } from '../store/publish.ts';
import { oldestRequest, writtenAt } from '../store/written-files.ts';
import { type Due, daysOf, dueBetween, dueText, NATIONAL_SCHEDULE, type Schedule } from './due.ts';
import { metricsPath, publishDue, type Written, writeDue } from './write.ts';

export type ScheduleOptions = {
  /** Where report files go; `null`: none are written. */
  readonly folder: string | null;
  /** Open months to the public by themselves where the gate lets them through. */
  readonly publish: { readonly leastTransfers: number } | null;
  readonly schedule?: Schedule;
  readonly gaps?: boolean;
  readonly onWritten?: (due: Due, written: Written | null) => void;
  /** Why something that is due is not done. It is tried again. */
  readonly onFault: (thrown: unknown, due: Due) => void;
};

/** How long after its time something is still made up for. */
const MISSED_DAYS = 62;
/** Until something that failed is tried again. */
const AGAIN: Micros = 15 * 60 * SECOND;
const TICK_MS = 20_000;

/** What is due and not done yet, oldest first. Nothing is due for days before the first transfer. */
export async function outstanding(
  db: PlatformDb,
  now: Micros,
  { folder, publish, schedule }: Pick<ScheduleOptions, 'folder' | 'publish' | 'schedule'>,
): Promise<Due[]> {
  const oldest = await oldestRequest(db);
  if (oldest === null) return [];
  const due = dueBetween(Math.max(now - MISSED_DAYS * DAY, dayStart(oldest)), now, schedule ?? NATIONAL_SCHEDULE).filter((each) =>
    each.kind === 'publication' ? true : daysOf(each).start >= dayStart(oldest),
  );
  const pathOf = (each: Due) => (each.kind === 'publication' ? metricsPath(each.month, 'practiceMetrics') : each.path);
  const written = await writtenAt(db, due.map(pathOf));
  const open = await publishedMonths(db);
  return due.filter((each) => {
    if (each.kind !== 'publication') return folder !== null && !written.has(each.path);
    const isOpen = open.has(monthText(each.month));
    return isOpen ? folder !== null && !written.has(pathOf(each)) : publish !== null;
  });
}

/** A program's part in the schedule: which attempts failed and when they are to be tried again. */
export function scheduler(db: PlatformDb, options: ScheduleOptions) {
  const { folder, publish, gaps = false, onWritten, onFault } = options;
  const failed = new Map<string, { readonly again: Micros; readonly reason: string }>();
  return {
    /** Does everything that is due at a time, until it is stopped. What cannot be done does not keep the rest from being done. */
    async run(now: Micros, stopped?: AbortSignal): Promise<void> {
      for (const due of await outstanding(db, now, options)) {
        if (stopped?.aborted) return;
        const key = `${due.kind} ${dueText(due)}`;
        const before = failed.get(key);
        if (before && before.again > now) continue;
        try {
          if (due.kind === 'publication') {
            await publishDue(db, due.month, { leastTransfers: publish?.leastTransfers ?? 0, folder });
            onWritten?.(due, null);
          } else if (folder !== null) {
            const written = await writeDue(db, due, { folder, now, gaps });
            onWritten?.(due, written);
          }
          failed.delete(key);
        } catch (thrown) {
          const reason = thrown instanceof Error ? thrown.message : String(thrown);
          failed.set(key, { again: now + AGAIN, reason });
          // Said once and not every quarter of an hour.
          if (before?.reason !== reason) onFault(thrown, due);
          // What a window lacks concerns its file alone; a database that is away or a folder that is full, the others too.
          if (!(thrown instanceof Fault) || thrown.code === 'files.write') return;
        }
      }
    },
  };
}

/** Runs until it is stopped. */
export async function keepSchedule(
  db: PlatformDb,
  stopped: AbortSignal,
  options: ScheduleOptions & { readonly onBroken: (thrown: unknown) => void; readonly now?: () => Micros },
): Promise<void> {
  const { now = () => Date.now() * 1000, onBroken } = options;
  const { run } = scheduler(db, options);
  while (!stopped.aborted) {
    try {
      await run(now(), stopped);
    } catch (thrown) {
      onBroken(thrown);
    }
    await sleep(TICK_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
}
