/** Looks for alerts every so often, says what it finds, and posts it to whoever wants to hear. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../../web/client.ts';
import type { Alert } from '../store/alerts.ts';
import type { PlatformDb } from '../store/open.ts';
import { lookForAlerts } from './look.ts';
import { titleOf } from './rules.ts';
import { deliverNext, type Webhook } from './webhook.ts';

export type WatchOptions = {
  readonly everyMs: number;
  readonly failurePercent: number;
  readonly webhook: Webhook | null;
  /** One line of what happened; nothing in it is about a patient or names a transfer. */
  readonly say: (line: string) => void;
  readonly onFault: (thrown: unknown, where: string) => void;
  /** Whether all that came is folded: a transfer whose events wait is not late. */
  readonly upToDate: () => boolean;
};

const RATES_MS = 3_600_000;
const DELIVER_MS = 1_000;
/** Lines of one look; more are counted. */
const LINES = 20;

/** Runs until it is stopped; the promise resolves when it has ended. */
export async function watchAlerts(db: PlatformDb, stopped: AbortSignal, options: WatchOptions): Promise<void> {
  const { webhook } = options;
  await Promise.all([lookUntil(db, stopped, options), webhook && deliverUntil(db, stopped, webhook, options)]);
}

async function lookUntil(db: PlatformDb, stopped: AbortSignal, options: WatchOptions): Promise<void> {
  const { everyMs, failurePercent, webhook, say, onFault } = options;
  let ratesAt = Number.NEGATIVE_INFINITY;
  while (!stopped.aborted) {
    if (options.upToDate()) {
      const now = new Date();
      const rates = now.getTime() - ratesAt >= RATES_MS;
      try {
        const looked = await lookForAlerts(db, { now, failurePercent, rates, posted: webhook !== null });
        if (looked && rates) ratesAt = now.getTime();
        if (looked) for (const line of [...linesOf('cleared', looked.cleared), ...linesOf('raised', looked.raised)]) say(line);
      } catch (thrown) {
        onFault(thrown, 'looking for alerts');
      }
    }
    await rest(everyMs, stopped);
  }
}

async function deliverUntil(db: PlatformDb, stopped: AbortSignal, webhook: Webhook, { say, onFault }: WatchOptions): Promise<void> {
  const client = createClient({ connections: 1, headersMs: 30_000 });
  try {
    while (!stopped.aborted) {
      let wait = DELIVER_MS;
      try {
        const delivered = await deliverNext(db, { webhook, client, now: () => new Date() });
        if (delivered?.outcome === 'delivered') wait = 0;
        else if (delivered) say(`alerts were not delivered, ${delivered.outcome}: ${delivered.fault}`);
      } catch (thrown) {
        onFault(thrown, 'delivering alerts');
      }
      await rest(wait, stopped);
    }
  } finally {
    await client.close();
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** `alert 17 raised: Not sent within 20 minutes of the request, Z82002 (SystmOne) > Z81001 (EMIS), since 2026-03-02T09:34:09Z` */
export function linesOf(change: 'raised' | 'cleared', alerts: readonly Alert[]): string[] {
  const lines = alerts.slice(0, LINES).map(({ id, kind, crossedAt, ...alert }) => {
    const side = (practice: string | null, supplier: string | null) =>
      practice === null ? (supplier ?? 'England') : `${practice} (${supplier ?? 'supplier unknown'})`;
    const pathway =
      alert.sending === null && alert.sendingSupplier === null
        ? side(alert.requesting, alert.requestingSupplier)
        : `${side(alert.sending, alert.sendingSupplier)} > ${side(alert.requesting, alert.requestingSupplier)}`;
    const rate = alert.detail ? `, ${alert.detail['percent']} % of ${alert.detail['transfers']}` : '';
    return `alert ${id} ${change}: ${titleOf(kind)}, ${pathway}${rate}, since ${crossedAt}`;
  });
  return alerts.length > LINES ? [...lines, `${alerts.length - LINES} more alerts ${change}`] : lines;
}
