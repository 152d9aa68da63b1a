import type { Logger } from 'pino';
import { reasonOf } from '../base/errors.ts';

/** Tells the log of requests that failed for a reason that nobody foresaw. */
export function onFault(log: Logger, listener: string) {
  return (thrown: unknown, where: { readonly method: string; readonly route: string }): void => {
    log.error({ listener, ...where, fault: reasonOf(thrown), ...stackOf(thrown) }, 'a request failed');
  };
}

/** Where in the program it happened; an error's own text may hold what a log may not. */
export function stackOf(thrown: unknown): { at?: string[] } {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  return stack
    ? {
        at: stack
          .split('\n')
          .filter((line) => line.trimStart().startsWith('at '))
          .slice(0, 6),
      }
    : {};
}
