import pg from 'pg';
import { SIDES, type Side } from '../demo/cast.ts';
import type { World } from '../demo/world.ts';

export type TransferRow = {
  readonly side: Side;
  readonly practice: string;
  readonly id: string;
  readonly role: 'requesting' | 'sending';
  readonly conversation: string;
  readonly registration: string | null;
  readonly state: string;
  readonly outcome: string | null;
  readonly version: number;
};
/** Both sides at one moment. `open`: messages and jobs still to be done. */
export type Snapshot = { readonly transfers: readonly TransferRow[]; readonly open: number };

export type Progress = {
  /** Null while the database is away. */
  look(): Promise<Snapshot | null>;
  close(): Promise<void>;
};

/** Looks at both sides' tables from the outside, since a node that is dead answers nothing. */
export function createProgress(world: World): Progress {
  const pools = SIDES.map((side) => {
    const pool = new pg.Pool({ connectionString: world.databaseUrls[side], max: 1, connectionTimeoutMillis: 5_000 });
    // The server is killed on purpose; the next look connects again.
    pool.on('error', () => undefined);
    return { side, pool };
  });
  return {
    async look() {
      try {
        const parts = await Promise.all(
          pools.map(async ({ side, pool }) => {
            const transfers = await pool.query<Omit<TransferRow, 'side'>>(
              `select practice, id, role, conversation_id as conversation, registration_id as registration, state, outcome, version
               from transfers`,
            );
            const open = await pool.query<{ open: string }>(
              `select (select count(*) from outbox where kind in ('message', 'job') and dead_at is null)
                    + (select count(*) from inbox where done_at is null and dead_at is null) as open`,
            );
            return { transfers: transfers.rows.map((row) => ({ side, ...row })), open: Number(open.rows[0]?.open ?? 0) };
          }),
        );
        return { transfers: parts.flatMap((part) => part.transfers), open: parts.reduce((sum, part) => sum + part.open, 0) };
      } catch {
        // Killed, or not up yet. A table that is not there is told by the count at the end.
        return null;
      }
    },
    close: async () => {
      await Promise.all(pools.map(({ pool }) => pool.end()));
    },
  };
}
