/** How long is waited for what. Every duration is that of the sender's own contracts, as SDS shows them (protocol chapter 6.3). */
import type { Instant } from '../base/ids.ts';
import type { Core, Peer } from './types.ts';

/** Where SDS names no duration. Seconds. */
export const PERSIST = { extract: 15_000, part: 7 * 3600 } as const;
/** A record of hundreds of messages would be waited for for months; on the eighth day its sender prints it. Seconds. */
export const LONGEST_SECONDS = 8 * 86_400;

/** When an extract that was asked for is late: its persist duration after the last that was heard. */
export function extractLateAt(peer: Peer, since: Instant): Instant {
  return after(since, extractSeconds(peer));
}

/**
 * When the messages that a core announced are late: the extract's persist duration and a part's for each message, from the time that
 * stands in the core. `messages` counts all that is known of, so an index that announces pieces makes it later. A sender whose clock
 * says that it wrote the core before it was asked, or after we had it, is wrong about that.
 */
export function partsLateAt(
  peer: Peer,
  core: Pick<Core, 'at'>,
  messages: number,
  { askedAt, now }: { readonly askedAt: Instant; readonly now: Instant },
): Instant {
  const part = peer.contracts.part?.persistSeconds ?? PERSIST.part;
  const from = core.at < askedAt ? askedAt : core.at > now ? now : core.at;
  return after(from, Math.min(LONGEST_SECONDS, extractSeconds(peer) + messages * part));
}

function extractSeconds(peer: Peer): number {
  return peer.contracts.extract?.persistSeconds ?? PERSIST.extract;
}

export function after(now: Instant, seconds: number): Instant {
  return new Date(Date.parse(now) + seconds * 1000).toISOString() as Instant;
}
