import type { Logger } from 'pino';
import { reasonOf } from '../../base/errors.ts';
import { type MiSpool, miSpool } from '../../store/mi-events.ts';
import type { Store } from '../../store/tables.ts';

/** What an operator is told of the spool; `null`: nothing. */
export function spoolFault({ waiting, oldest, refused }: MiSpool, alertMinutes: number, now: Date): string | null {
  const minutes = oldest === null ? 0 : Math.floor((now.getTime() - Date.parse(oldest)) / 60_000);
  const late = minutes >= alertMinutes ? `${waiting} events of management information wait, the oldest for ${minutes} minutes` : null;
  const dead = refused > 0 ? `${refused} were refused by the national service and wait for an operator` : null;
  return late && dead ? `${late}; ${dead}` : (late ?? dead);
}

const EVERY_MS = 60_000;

/** Looks at the spool each minute: one that grows is told when it begins to be late, and each hour again. */
export function watchSpool(options: {
  readonly db: Store;
  readonly alertMinutes: number;
  readonly alert: (code: 'mi.spoolLate') => void;
  readonly log: Logger;
  readonly now: () => Date;
  readonly everyMs?: number;
}): { close(): Promise<void> } {
  let toldAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const { alertMinutes, now } = options;
    try {
      const spool = await miSpool(options.db);
      const fault = spoolFault({ ...spool, refused: 0 }, alertMinutes, now());
      if (fault === null) toldAt = Number.NEGATIVE_INFINITY;
      else if (now().getTime() - toldAt >= 3_600_000) {
        toldAt = now().getTime();
        options.alert('mi.spoolLate');
        options.log.warn({ waiting: spool.waiting, oldest: spool.oldest }, fault);
      }
    } catch (error) {
      options.log.warn({ fault: reasonOf(error) }, 'the spool of management information cannot be looked at');
    }
  };
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, options.everyMs ?? EVERY_MS);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}
