/** One look at everything that an alert may be raised or cleared for. */
import { transaction } from '../../database/connect.ts';
import {
  type Alert,
  clearLate,
  clearRate,
  dayRate,
  forgetOld,
  keepPost,
  mayLook,
  type NewRateAlert,
  openRates,
  type PathwayRates,
  pathwayRates,
  raiseLate,
  raiseRate,
} from '../store/alerts.ts';
import type { PlatformDb } from '../store/open.ts';
import { isAbove, percentOf, type RateAlert, rose, settled } from './rules.ts';

export type LookOptions = {
  readonly now: Date;
  /** Percent of technical failures in a day above which it is told. */
  readonly failurePercent: number;
  /** Rates are looked at too: they change slowly, and cost a read of five weeks. */
  readonly rates: boolean;
  /** Whether what changes is posted to somebody. */
  readonly posted: boolean;
};
export type Looked = { readonly raised: readonly Alert[]; readonly cleared: readonly Alert[] };

/** Alerts in one post. */
const POSTED_TOGETHER = 100;
const PATHWAYS = [
  ['FAILURES_ROSE_DAY', 1],
  ['FAILURES_ROSE_WEEK', 7],
] as const satisfies readonly (readonly [RateAlert, 1 | 7])[];

/** Raises and clears in one transaction, with the posts that tell of it. `null`: another program is at it. */
export async function lookForAlerts(db: PlatformDb, options: LookOptions): Promise<Looked | null> {
  const { now, posted } = options;
  return transaction(db, async (trx) => {
    if (!(await mayLook(trx))) return null;
    const cleared = [...(await clearLate(trx, now))];
    const raised = [...(await raiseLate(trx, now))];
    if (options.rates) {
      await forgetOld(trx, now);
      const open = await openRates(trx);
      for (const [kind, days] of PATHWAYS) {
        const rates = await pathwayRates(trx, now, days);
        const stillHigh = new Set(rates.filter((each) => !settled(each.now, each.before)).map(subjectOf));
        for (const alert of open.filter((each) => each.kind === kind && !stillHigh.has(each.subject)))
          cleared.push(...(await clearRate(trx, now, alert.id)));
        for (const each of rates)
          if (rose(each.now, each.before)) raised.push(...(await raiseRate(trx, now, pathwayAlert(kind, each, now))));
      }
      const yesterday = dayOf(new Date(now.getTime() - 86_400_000));
      const rate = await dayRate(trx, yesterday);
      const above = isAbove(rate, options.failurePercent);
      for (const alert of open.filter(({ kind }) => kind === 'FAILURES_ABOVE'))
        if (!above || alert.episode !== yesterday) cleared.push(...(await clearRate(trx, now, alert.id)));
      const detail = {
        transfers: rate.transfers,
        failed: rate.failed,
        percent: rounded(percentOf(rate)),
        threshold: options.failurePercent,
      };
      if (above)
        raised.push(
          ...(await raiseRate(trx, now, { kind: 'FAILURES_ABOVE', subject: 'England', episode: yesterday, pathway: null, detail })),
        );
    }
    const changes = [...cleared.map((alert) => changeOf('cleared', alert)), ...raised.map((alert) => changeOf('raised', alert))];
    if (posted)
      for (let at = 0; at < changes.length; at += POSTED_TOGETHER)
        await keepPost(trx, now, JSON.stringify({ alerts: changes.slice(at, at + POSTED_TOGETHER) }));
    return { raised, cleared };
  });
}

/** What a post says of an alert. Nothing in it is about a patient. */
function changeOf(change: 'raised' | 'cleared', alert: Alert) {
  return { change, ...alert };
}

function subjectOf({ requestingSupplier, sendingSupplier }: PathwayRates): string {
  return `${sendingSupplier} > ${requestingSupplier}`;
}

function pathwayAlert(kind: RateAlert, rates: PathwayRates, now: Date): NewRateAlert {
  const { now: last, before } = rates;
  return {
    kind,
    subject: subjectOf(rates),
    episode: dayOf(now),
    pathway: rates,
    detail: {
      transfers: last.transfers,
      failed: last.failed,
      percent: rounded(percentOf(last)),
      transfersBefore: before.transfers,
      failedBefore: before.failed,
      percentBefore: rounded(percentOf(before)),
    },
  };
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function rounded(percent: number): number {
  return Math.round(percent * 100) / 100;
}
