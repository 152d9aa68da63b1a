/** Transfers for alerts: events of a conversation at times after a beginning. */
import type { EventPath } from '../../mi/terms.ts';
import { foldWritten, stored, type TestPlatform, write } from '../testing.ts';
import { type Looked, type LookOptions, lookForAlerts } from './look.ts';

export const START = Date.parse('2026-03-02T09:00:00Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export type Told = readonly [path: EventPath, afterMs: number, over?: Readonly<Record<string, unknown>>];

/** Writes what was told of a conversation, and folds it. */
export async function tell({ db }: TestPlatform, conversationId: string, ...told: readonly Told[]): Promise<void> {
  await write(
    db,
    told.map(([path, afterMs, over = {}]) => stored(path, new Date(START + afterMs).toISOString(), { conversationId, ...over })),
  );
  await foldWritten(db);
}

/** One look, so long after the beginning. */
export async function look({ db }: TestPlatform, afterMs: number, over: Partial<LookOptions> = {}): Promise<Looked> {
  const looked = await lookForAlerts(db, { now: new Date(START + afterMs), failurePercent: 5, rates: false, posted: false, ...over });
  if (!looked) throw new Error('another program looks');
  return looked;
}

/** `SENDING_LATE conversation`, sorted. */
export function inWords(alerts: Looked['raised']): string[] {
  return alerts.map(({ kind, subject }) => `${kind} ${subject}`).toSorted();
}

export const incompatible = {
  payload: { transferCompatibilityStatus: { internalTransfer: false, transferCompatible: false, reason: 'NO_ENDPOINT' } },
};
export const internal = { payload: { transferCompatibilityStatus: { internalTransfer: true, transferCompatible: true } } };
