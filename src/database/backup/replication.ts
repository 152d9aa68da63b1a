/**
 * A connection that speaks PostgreSQL's replication protocol: the way in which `pg_basebackup` and `pg_receivewal` copy a server, and the
 * same for the embedded server, which lacks those programs, and one of your own.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import { Fault, reasonOf } from '../../base/errors.ts';

export type ReplicationRow = readonly (string | null)[];
export type Replication = {
  /** A command that gives rows. */
  rows(command: string): Promise<readonly ReplicationRow[]>;
  /**
   * A command that copies: each piece is handed on as it comes, as a copy of its own. Gives the rows of each result around it when the
   * server has said everything. `started` is called where the server begins to stream in both directions.
   */
  copy(command: string, take: (piece: Buffer) => void, started?: () => void): Promise<readonly (readonly ReplicationRow[])[]>;
  /** Says something while the server streams. */
  say(message: Buffer): void;
  /** Stops taking, so that the server waits; `false`: goes on. */
  hold(held: boolean): void;
  close(): Promise<void>;
};

/** What of pg's connection is needed here; its types leave it out. */
type Wire = {
  readonly stream: Socket;
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  once(event: 'replicationStart', listener: () => void): void;
  removeAllListeners(event: 'replicationStart'): void;
};

/** Connects; a server that does not allow it is a `Fault` `backup.*` that says what to change there. */
export async function openReplication(url: string): Promise<Replication> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'gp2gp backup',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    replication: 'true',
  } as pg.ClientConfig);
  // The command in hand tells of it; an idle connection has nobody to tell.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    throw refusal(cause);
  }
  const wire = (client as unknown as { connection: Wire }).connection;

  function copy(command: string, take: (piece: Buffer) => void, started?: () => void): Promise<readonly (readonly ReplicationRow[])[]> {
    return new Promise((resolve, reject) => {
      const results: ReplicationRow[][] = [];
      const broken = (): void => reject(new Error('Connection terminated'));
      const over = (): void => {
        client.removeListener('end', broken);
        wire.removeAllListeners('replicationStart');
      };
      client.once('end', broken);
      if (started) wire.once('replicationStart', started);
      client.query({
        submit: () => void wire.query(command),
        handleRowDescription: () => void results.push([]),
        handleDataRow: ({ fields }: { fields: (string | null)[] }) => void results.at(-1)?.push(fields),
        handleCopyData: ({ chunk }: { chunk: Buffer }) => take(Buffer.from(chunk)),
        handleCommandComplete: () => undefined,
        handleError(error: unknown) {
          over();
          reject(refusal(error));
        },
        handleReadyForQuery() {
          over();
          resolve(results);
        },
      } as unknown as pg.Submittable);
    });
  }

  return {
    copy,
    async rows(command) {
      return (await copy(command, () => undefined)).at(-1) ?? [];
    },
    say: (message) => wire.sendCopyFromChunk(message),
    hold: (held) => void (held ? wire.stream.pause() : wire.stream.resume()),
    async close() {
      // A streaming server would wait for our good-bye in its own way; what was confirmed is confirmed.
      wire.stream.destroy();
      await client.end().catch(() => undefined);
    },
  };
}

const ELSEWHERE = 'Where the server cannot be changed, back it up with its own tools, and the objects beside it.';
const REFUSALS: readonly (readonly [code: RegExp, said: RegExp, fault: string, remedy: string])[] = [
  [
    /^28/,
    /pg_hba|replication/i,
    'backup.notAllowed',
    'Allow it in pg_hba.conf: a line "host replication USER ADDRESS scram-sha-256", then reload.',
  ],
  [/^28/, /./, 'backup.notAllowed', 'Look at user and password in the database’s URL, and at pg_hba.conf.'],
  [/^42501/, /./, 'backup.notAllowed', 'Give the role the right: alter role USER replication.'],
  [/^53300/, /./, 'backup.noSender', 'Raise max_wal_senders on the server; a backup needs two.'],
  [/^53400/, /slot/i, 'backup.noSlot', 'Raise max_replication_slots on the server, or drop a slot that nobody uses.'],
  [/^55006/, /./, 'backup.running', 'Another backup follows this server; one is enough.'],
  [/^55000/, /wal_level/i, 'backup.walLevel', 'Set wal_level to replica on the server and restart it.'],
  [/^58P01/, /removed/i, 'backup.logRemoved', 'The server has removed log that was not copied: a new base backup is needed.'],
  [
    /^(08P01|0A000)/,
    /replication|startup/i,
    'backup.pooler',
    `A connection pooler stands before the server: name the server itself. ${ELSEWHERE}`,
  ],
];

/** The server's words, and what to do about them. */
function refusal(cause: unknown): unknown {
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  const said = reasonOf(cause);
  for (const [codes, words, fault, remedy] of REFUSALS)
    if (codes.test(code) && words.test(said)) return new Fault(fault, `the server refuses to be backed up: ${said}`, { remedy, cause });
  return cause;
}
