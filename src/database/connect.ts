import type { Writable } from 'node:stream';
import { type CompiledQuery, type DatabaseConnection, DummyDriver, Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { Fixed } from './fixed.ts';

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
    Client: PreparingClient,
    // Statements that do not wait for each other travel together.
    pipeline: true,
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
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  POOLS.set(db, pool);
  return db;
}

const POOLS = new WeakMap<object, pg.Pool>();

/** Statements that a connection keeps prepared at most; a program that makes up new texts all the time gains nothing by it. */
const PREPARED = 400;

/** Reads and plans each statement with parameters once for a connection, not every time: more than half of what a small one costs the server. */
class PreparingClient extends pg.Client {
  static readonly #names = new Map<string, string>();

  // pg overloads `query` with callbacks and streams, which nobody here uses.
  override query(...given: readonly unknown[]): never {
    this.#together();
    const [text, values] = given;
    if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0) return super.query(...(given as [string])) as never;
    const names = PreparingClient.#names;
    let name = names.get(text);
    if (name === undefined && names.size < PREPARED) {
      name = `s${names.size}`;
      names.set(text, name);
    }
    return super.query({ text, values: values as unknown[], ...(name !== undefined && { name }) }) as never;
  }

  /** Statements of the same moment go to the server in one write: each write is a call of the system that wakes the server up. */
  #together(): void {
    const { stream } = (this as unknown as { connection: { stream: Writable } }).connection;
    if (stream.writableCorked > 0) return;
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
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

/** Something that is written and whose result nobody waits for; the transaction fails with the first of them that does. */
export type Later = (written: Promise<unknown>) => void;
/** The last statement of a transaction: it travels together with the commit. Its rows, when both have succeeded. */
export type Finish = <Row>(statement: Fixed<Row>) => Promise<readonly Row[]>;

/**
 * Runs `work` in one transaction: committed when it returns or when `finish` was called, rolled back when it throws. Statements that do
 * not wait for each other travel together: a `select` at the beginning with `begin`, those given to `later` with one another, in no
 * certain order, and the one given to `finish` with the commit. A statement that was neither awaited nor given to `later` fails: it
 * must not reach the server outside the transaction.
 */
export async function transaction<Schema, Result>(
  db: Db<Schema>,
  work: (trx: Kysely<Schema>, later: Later, finish: Finish) => Promise<Result>,
  /** `snapshot`: every statement sees what the first one sees, and the transaction may think for as long as it likes. */
  { snapshot = false }: { readonly snapshot?: boolean } = {},
): Promise<Result> {
  const pool = POOLS.get(db);
  if (!pool) throw new Error('transactions need the pool itself');
  const client = await pool.connect();
  let broken = false;
  let finished = false;
  const written: Promise<unknown>[] = [];
  const later: Later = (promise) => {
    // Heard below; one that fails before the work has ended must not end the process.
    promise.catch(() => undefined);
    written.push(promise);
  };
  const begun = client.query(
    snapshot ? 'begin isolation level repeatable read; set local idle_in_transaction_session_timeout = 0' : 'begin',
  );
  begun.catch(() => undefined);
  const { trx, end } = onlyOn(db, client, begun);
  const settled = async (): Promise<void> => {
    await begun;
    const failed = await failures(written);
    if (failed.length > 0) throw failed[0];
    end();
  };
  const finish: Finish = async (statement) => {
    const { sql: text, parameters } = statement;
    await settled();
    // A commit behind a statement that failed ends the transaction without it.
    const [last, commit] = await Promise.allSettled([client.query(text, [...parameters]), client.query('commit')]);
    if (last.status === 'rejected') throw last.reason;
    if (commit.status === 'rejected') throw commit.reason;
    demandCommitted(commit.value.command);
    finished = true;
    return last.value.rows;
  };
  try {
    const result = await work(trx, later, finish);
    if (!finished) {
      await settled();
      demandCommitted((await client.query('commit')).command);
    }
    return result;
  } catch (error) {
    const cause = isAftermath(error) ? ((await failures(written))[0] ?? error) : error;
    await Promise.allSettled(written);
    end();
    if (!finished) await client.query('rollback').catch(() => (broken = true));
    throw cause;
  } finally {
    client.release(broken);
  }
}

/** PostgreSQL ends an aborted transaction with another word. */
function demandCommitted(command: string): void {
  if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command}`);
}

/** What failed, the cause before what only failed because of it. */
async function failures(written: readonly Promise<unknown>[]): Promise<unknown[]> {
  const reasons = (await Promise.allSettled(written)).flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  return [...reasons.filter((each) => !isAftermath(each)), ...reasons.filter(isAftermath)];
}

/** Statements behind one that failed: the transaction is aborted, or the statement could not be prepared for that reason. */
function isAftermath(error: unknown): boolean {
  return ['25P02', '26000'].includes(String((error as { code?: unknown } | null)?.code ?? ''));
}

/** Statements on one connection that do not wait for each other, until `end`. */
function onlyOn<Schema>(
  db: Db<Schema>,
  client: pg.PoolClient,
  begun: Promise<unknown>,
): { readonly trx: Kysely<Schema>; readonly end: () => void } {
  let ended = false;
  const connection: DatabaseConnection = {
    async executeQuery<Row>({ sql: text, parameters }: CompiledQuery) {
      // What changes something must not reach the server outside the transaction, should that not have begun.
      if (!/^\s*select\b/i.test(text)) await begun;
      if (ended) throw new Error('a statement came after the end of its transaction');
      const { rows, rowCount } = await client.query(text, parameters as unknown[]);
      return { rows: rows as Row[], numAffectedRows: BigInt(rowCount ?? 0) };
    },
    streamQuery() {
      throw new Error('rows are not streamed in a transaction');
    },
  };
  const executor = db.getExecutor().withConnectionProvider({ provideConnection: (consumer) => consumer(connection) });
  return {
    trx: new Kysely<Schema>({ config: { dialect: WITHIN }, dialect: WITHIN, driver: new DummyDriver(), executor }),
    end: () => {
      ended = true;
    },
  };
}

/** Never asked for a connection of its own: a transaction has one. */
const WITHIN = new PostgresDialect({
  pool: async () => {
    throw new Error('a transaction has its connection');
  },
});

/**
 * Whether the database itself was away (connection refused, server shutting down or starting, out of connections or of space):
 * the same statement may succeed later. Anything else is a fault of the statement.
 */
export function isDatabaseAway(error: unknown): boolean {
  const { code: given, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  const code = String(given ?? '');
  // A socket that is not there, and not a file.
  if (code === 'ENOENT') return syscall === 'connect';
  if (/^(08|53|57P|58)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH'].includes(code)) return true;
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
