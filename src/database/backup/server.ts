import pg from 'pg';
import { Fault } from '../../base/errors.ts';
import { type Lsn, lsnNumber } from './lsn.ts';

export type ServerIdentity = {
  /** Of the cluster; the log of another one is of no use. */
  readonly system: string;
  readonly timeline: number;
  readonly major: string;
  readonly segmentBytes: number;
  /** Under which it is asked after a restore. */
  readonly user: string;
  readonly database: string;
};
/** How far the log is on the server's own disk, and since when: all that was said to be committed before `at` lies before `lsn`. */
export type Position = { readonly lsn: bigint; readonly at: string };
export type Server = {
  readonly identity: ServerIdentity;
  position(): Promise<Position>;
  /** Whether what is named is this connection's alone from now on; another's goes when its process or its machine does. */
  holdAlone(name: string): Promise<boolean>;
  close(): Promise<void>;
};

/** The programs copy by the protocol of this version on. */
const OLDEST = 15;

/** An ordinary connection to the server that is backed up. */
export async function openServer(url: string): Promise<Server> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'gp2gp backup',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // A server that does not answer is away.
    query_timeout: 30_000,
  });
  // The next statement tells of it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<ServerIdentity>(`
      select (select system_identifier::text from pg_control_system()) as system,
        (select timeline_id from pg_control_checkpoint()) as timeline,
        (current_setting('server_version_num')::int / 10000)::text as major,
        (select setting::int * (case unit when '8kB' then 8192 else 1 end) from pg_settings where name = 'wal_segment_size') as "segmentBytes",
        current_user::text as "user", current_database()::text as database`);
    const [identity] = rows;
    if (!identity) throw new Fault('backup.answer', 'the server does not say who it is');
    if (Number(identity.major) < OLDEST)
      throw new Fault('backup.version', `the server is PostgreSQL ${identity.major}; a backup needs ${OLDEST} or newer`, {
        remedy: 'Upgrade the server, or back it up with its own tools, and the objects beside it.',
      });
    return {
      identity,
      async position() {
        // In this order: first the time, then the place.
        const { rows: found } = await client.query<{ at: string; lsn: Lsn }>(
          `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, pg_current_wal_flush_lsn()::text as lsn`,
        );
        const [position] = found;
        if (!position) throw new Fault('backup.answer', 'the server does not say how far its log is');
        return { at: position.at, lsn: lsnNumber(position.lsn) };
      },
      async holdAlone(name) {
        // The turn of a machine that is gone is not kept for the two hours of an operating system.
        const { rows: found } = await client.query<{ mine: boolean }>(
          `select set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false),
             set_config('tcp_keepalives_count', '3', false), pg_try_advisory_lock(hashtextextended($1, 0)) as mine`,
          [name],
        );
        return found[0]?.mine === true;
      },
      close: () => client.end().catch(() => undefined),
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
