/** Keeps so many transfers on their way: when one has ended on both sides, the next begins. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SyntheticPatient } from '../../../simulator/patients/patient.ts';
import type { World } from '../../demo/world.ts';
import { beginTransfer } from '../begin.ts';
import type { Plan, PlannedTransfer } from '../plan.ts';
import { createProgress, type Snapshot } from '../progress.ts';
import { giveRecord } from '../records.ts';

export type Running = {
  /** Those that were begun, in the plan's order. */
  readonly begun: readonly PlannedTransfer[];
  /** How many are on their way now, and the fewest since `watch`. */
  readonly now: number;
  readonly fewest: number;
  watch(): void;
  /** From now on none begins. */
  enough(): void;
  /** Resolves when all have ended and nothing is left to be done; false: nothing has moved for so long. */
  ended(patienceMs: number): Promise<boolean>;
  close(): Promise<void>;
};

const LOOK_MS = 200;

export function keepRunning(
  { world, plan, patients, keep }: { world: World; plan: Plan; patients: ReadonlyMap<number, SyntheticPatient>; keep: string },
  atOnce: number,
): Running {
  const progress = createProgress(world);
  const closing = new AbortController();
  const begun: PlannedTransfer[] = [];
  let latest: Snapshot | null = null;
  let failure: { readonly thrown: unknown } | null = null;
  let running = 0;
  let fewest = Number.POSITIVE_INFINITY;
  let more = true;
  let watching = false;
  const begin = async (transfer: PlannedTransfer): Promise<void> => {
    const patient = patients.get(transfer.number);
    if (!patient) return;
    await giveRecord(world, transfer, patient, keep);
    await beginTransfer(world, plan, transfer, patient.nhsNumber, () => latest, closing.signal);
  };
  const loop = (async () => {
    while (!closing.signal.aborted) {
      latest = (await progress.look()) ?? latest;
      const ended = latest ? endedIn(latest) : new Set<string>();
      running = latest
        ? begun.filter(({ registrationId }) => isThere(latest as Snapshot, registrationId) && !ended.has(registrationId)).length
        : 0;
      if (watching) fewest = Math.min(fewest, running);
      while (more && begun.length - ended.size < atOnce) {
        const next = plan.transfers[begun.length];
        if (!next) break;
        begun.push(next);
        begin(next).catch((thrown: unknown) => {
          if (!closing.signal.aborted) failure ??= { thrown };
        });
      }
      await sleep(LOOK_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();
  return {
    begun,
    get now() {
      if (failure) throw failure.thrown;
      return running;
    },
    get fewest() {
      return fewest;
    },
    watch() {
      watching = true;
    },
    enough() {
      more = false;
      watching = false;
    },
    async ended(patienceMs) {
      let before = '';
      for (let moved = Date.now(); ; ) {
        if (failure) throw (failure as { thrown: unknown }).thrown;
        if (latest && latest.open === 0 && endedIn(latest).size === begun.length) return true;
        const print = latest ? `${latest.open} ${latest.transfers.reduce((sum, { version }) => sum + version, 0)}` : '';
        if (print !== before) [before, moved] = [print, Date.now()];
        if (Date.now() - moved > patienceMs) return false;
        await sleep(LOOK_MS);
      }
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      await loop;
      await progress.close();
    },
  };
}

function isThere({ transfers }: Snapshot, registrationId: string): boolean {
  return transfers.some(({ registration }) => registration === registrationId);
}

/** Registrations whose transfer has ended on both sides. */
function endedIn({ transfers }: Snapshot): Set<string> {
  const sending = new Map(transfers.filter(({ role }) => role === 'sending').map((row) => [row.conversation, row.state]));
  return new Set(
    transfers
      .filter(({ role, state, conversation }) => role === 'requesting' && state === 'ended' && sending.get(conversation) === 'ended')
      .map(({ registration }) => registration ?? ''),
  );
}
