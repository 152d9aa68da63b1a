import type { Instant, Ods, TransferId } from '../base/ids.ts';
import { type HistoryEntry, readHistory } from '../store/history.ts';
import { type DeadLetter, searchDeadLetters } from '../store/reads/dead-letters.ts';
import { listTransfers, readLine, type TransferLine, unfinishedRequests } from '../store/reads/transfers.ts';
import type { Store } from '../store/tables.ts';
import { type OpenTask, tasksOf } from '../store/tasks.ts';
import type { Practices } from './practices.ts';

/** What pages read. Every read names the practice. */
export type ConsoleReads = {
  practices(): Promise<readonly { readonly ods: Ods }[]>;
  transfers(practice: Ods, limit: number): Promise<readonly TransferLine[]>;
  /** Records asked for by registrations that began before, and not filed yet; the oldest first. */
  unfiled(practice: Ods, startedBefore: Instant, limit: number): Promise<readonly TransferLine[]>;
  transfer(
    practice: Ods,
    id: TransferId,
  ): Promise<{ readonly line: TransferLine; readonly history: readonly HistoryEntry[]; readonly tasks: readonly OpenTask[] } | null>;
  deadLetters(practice: Ods, limit: number): Promise<readonly DeadLetter[]>;
};

export function consoleReads(db: Store, practices: Practices): ConsoleReads {
  return {
    practices: () => practices.all(),
    transfers: (practice, limit) => listTransfers(db, practice, {}, limit),
    unfiled: (practice, startedBefore, limit) => unfinishedRequests(db, practice, startedBefore, limit),
    deadLetters: (practice, limit) => searchDeadLetters(db, { practice }, limit),
    async transfer(practice, id) {
      const line = await readLine(db, practice, id);
      if (!line) return null;
      return { line, history: await readHistory(db, practice, id), tasks: await tasksOf(db, practice, id) };
    },
  };
}
