import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';

/** Typed statements over a pool. Instants come back as ISO text with milliseconds, 64-bit integers as numbers. */
export type Db<Schema> = Kysely<Schema>;
/** What a statement runs on: the pool or one transaction. */
export type Runner<Schema> = Kysely<Schema> | Transaction<Schema>;

export type ConnectOptions = {
  readonly connections?: number;
  readonly onLost?: (error: Error) => void;
  /** Reads `json` and `jsonb` columns; default `JSON.parse`. */
  readonly parseJson?: (text: string) => unknown;
};

/**
 * A pool on a PostgreSQL database. Connections are made when needed: a server that is away costs the statements that want it, and
 * serves the next ones when it is back. `onLost` hears of idle connections that broke.
 */
export function connect<Schema>(url: string, options: ConnectOptions = {}): Db<Schema> {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connections ?? 10,
    connectionTimeoutMillis: 30_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'gp2gp',
    options:
      '-c timezone=UTC -c default_transaction_isolation=read\\ committed -c synchronous_commit=on -c idle_in_transaction_session_timeout=60s',
    types: { getTypeParser: typeParsers(options.parseJson ?? JSON.parse) as typeof pg.types.getTypeParser },
  });
  // Without listeners a connection that breaks, idle or in use, would end the process. The statement in hand gets the error besides.
  pool.on('error', (error) => options.onLost?.(error));
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

const INT8 = 20;
const JSON_TYPES = [114, 3802];
const TIMESTAMPTZ = 1184;

function typeParsers(parseJson: (text: string) => unknown) {
  return (oid: number, format?: 'text' | 'binary'): unknown => {
    if (format !== 'binary') {
      if (oid === INT8) return Number;
      if (oid === TIMESTAMPTZ) return (text: string): string => new Date(text).toISOString();
      if (JSON_TYPES.includes(oid)) return parseJson;
    }
    return pg.types.getTypeParser(oid, format as 'text');
  };
}

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export function transaction<Schema, Result>(db: Db<Schema>, work: (trx: Transaction<Schema>) => Promise<Result>): Promise<Result> {
  return db.transaction().execute(work);
}

/**
 * Whether the database itself was away (connection refused, server shutting down or starting, out of connections or of space):
 * the same statement may succeed later. Anything else is a fault of the statement.
 */
export function isDatabaseAway(error: unknown): boolean {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  if (/^(08|53|57P|58)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH'].includes(code))
    return true;
  const text = error instanceof Error ? error.message : '';
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/.test(text);
}

/**
 * Two transactions met in opposite order, or one lost a race that the server noticed (a row with the same key came first): run again
 * from its beginning, it sees what the other did.
 */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01', '23505'].includes(String((error as { code?: unknown } | null)?.code ?? ''));
}
