/**
 * When an event happened, so that no two of one conversation and type have the same time: the national service makes their id of
 * conversation, type and time, and the later one would take the place of the earlier.
 */
import type { Instant } from '../base/ids.ts';
import type { EventPath } from './terms.ts';

/**
 * The moment to report: that at which it happened, or the next free millisecond after `last`, the latest of the conversation and type.
 * Errors are reported by both practices: the requester's have an even millisecond and the sender's an odd one, since neither knows the
 * other's.
 */
export function freeMoment(path: EventPath, role: 'requesting' | 'sending', at: Instant, last: Instant | null): Instant {
  const wanted = Date.parse(at);
  let ms = last === null ? wanted : Math.max(wanted, Date.parse(last) + 1);
  if (path === 'errors' && Math.abs(ms % 2) !== (role === 'sending' ? 1 : 0)) ms++;
  return new Date(ms).toISOString() as Instant;
}
