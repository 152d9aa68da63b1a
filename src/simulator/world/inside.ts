/** What a node's parts share, and the claims by which they hold rows. */
import type { Claim, InboxRow, OutboxRow } from './store.ts';
import type { World, WorldNode } from './types.ts';

/** A claim lasts so long, unless it is prolonged. */
export const LEASE_MS = 60_000;

/** What a node's parts share. */
export type Inside = {
  readonly world: World;
  readonly node: WorldNode;
  /** Runs in one transaction; throws `Crashed` where the process ends in it. */
  transaction<T>(body: () => T): T;
  /** Later, unless the process that meant to has ended by then. */
  later(ms: number, run: () => void): void;
  /** Looks at a row of the queue when it is due. */
  look(row: OutboxRow): void;
  owner(): string;
};

export class LostClaim extends Error {}

export function claimOf({ id, owner, claims }: InboxRow | OutboxRow): Claim {
  return { id, owner: owner ?? '', claims };
}
