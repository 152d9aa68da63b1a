/** A server's write-ahead log while it is written, like `pg_receivewal`. */
import { type Lsn, lsnNumber, lsnText } from './lsn.ts';
import { openReplication, type Replication } from './replication.ts';

export type LogPiece = { readonly at: bigint; readonly data: Buffer };
export type LogStream = {
  /** Where it begins: at the beginning of a segment. */
  readonly from: bigint;
  /** What has come since the last call; waits until something has, at most `ms`. Throws when the connection is lost. */
  take(ms: number): Promise<readonly LogPiece[]>;
  /** The log up to here is safe: the server may forget it. */
  confirm(lsn: bigint): void;
  close(): Promise<void>;
};

export const SLOT = 'gp2gp_backup';
/** The server waits while more than this has not been taken. */
const HOLD_BYTES = 16 * 1_048_576;
/** The server ends a connection that is silent for a minute. */
const STATUS_MS = 5_000;
/** Microseconds from 1970 to PostgreSQL's own epoch, 2000. */
const EPOCH_MICROS = 946_684_800_000_000n;

/**
 * Streams from `from`, or, with `null`, from where the server still has its log. A replication slot keeps the server from removing what is not
 * confirmed; `once`: it goes with the connection, so that the log is not held for a backup that never comes back.
 */
export async function streamLog(
  url: string,
  options: { readonly from: bigint | null; readonly timeline: number; readonly segmentBytes: number; readonly once: boolean },
): Promise<LogStream> {
  const replication = await openReplication(url);
  try {
    const slot = await ensureSlot(replication, options.once);
    const segment = BigInt(options.segmentBytes);
    const wanted = options.from ?? slot.from;
    return await started(replication, slot.name, (wanted / segment) * segment, options.timeline);
  } catch (error) {
    await replication.close();
    throw error;
  }
}

async function ensureSlot(replication: Replication, once: boolean): Promise<{ name: string; from: bigint }> {
  const name = once ? `${SLOT}_once_${process.pid}` : SLOT;
  if (!once) {
    const known = await replication.rows(`READ_REPLICATION_SLOT ${SLOT}`);
    const [type, lsn] = known[0] ?? [];
    if (type && lsn) return { name, from: lsnNumber(lsn) };
    // Given up by the server because too much log was held for it.
    if (type) await replication.rows(`DROP_REPLICATION_SLOT ${SLOT}`);
  }
  const before = await position(replication);
  await replication.rows(`CREATE_REPLICATION_SLOT ${name} ${once ? 'TEMPORARY ' : ''}PHYSICAL (RESERVE_WAL)`);
  const [, lsn] = (await replication.rows(`READ_REPLICATION_SLOT ${name}`))[0] ?? [];
  return { name, from: lsn ? lsnNumber(lsn) : before };
}

async function position(replication: Replication): Promise<bigint> {
  const [row] = await replication.rows('IDENTIFY_SYSTEM');
  return lsnNumber((row?.[2] ?? '0/0') as Lsn);
}

async function started(replication: Replication, slot: string, from: bigint, timeline: number): Promise<LogStream> {
  let pieces: LogPiece[] = [];
  let bytes = 0;
  let confirmed = from;
  let wake: (() => void) | null = null;
  let failed: unknown = null;
  const status = (): void => {
    const message = Buffer.alloc(34);
    message.write('r', 0, 'latin1');
    for (const place of [1, 9, 17]) message.writeBigInt64BE(confirmed, place);
    message.writeBigInt64BE(BigInt(Date.now()) * 1_000n - EPOCH_MICROS, 25);
    if (failed === null) replication.say(message);
  };
  const { copying: running } = await new Promise<{ copying: Promise<unknown> }>((resolve, reject) => {
    const copying = replication.copy(
      `START_REPLICATION SLOT ${slot} PHYSICAL ${lsnText(from)} TIMELINE ${timeline}`,
      (message) => {
        const kind = String.fromCharCode(message[0] ?? 0);
        if (kind === 'k' && message[17] === 1) status();
        if (kind !== 'w') return;
        const data = message.subarray(25);
        pieces.push({ at: message.readBigUInt64BE(1), data });
        bytes += data.byteLength;
        if (bytes > HOLD_BYTES) replication.hold(true);
        wake?.();
      },
      () => resolve({ copying }),
    );
    copying.catch(reject);
  });
  const timer = setInterval(status, STATUS_MS);
  void running
    .then(
      () => (failed = new Error('Connection terminated: the server has ended its log')),
      (error: unknown) => (failed = error),
    )
    .then(() => {
      clearInterval(timer);
      wake?.();
    });
  return {
    from,
    async take(ms) {
      if (pieces.length === 0 && failed === null)
        await new Promise<void>((done) => {
          const late = setTimeout(done, ms);
          wake = () => {
            clearTimeout(late);
            done();
          };
        });
      wake = null;
      if (pieces.length === 0 && failed !== null) throw failed;
      const taken = pieces;
      pieces = [];
      bytes = 0;
      if (failed === null) replication.hold(false);
      return taken;
    },
    confirm(lsn) {
      confirmed = lsn;
      status();
    },
    async close() {
      clearInterval(timer);
      failed ??= new Error('Connection terminated');
      await replication.close();
    },
  };
}
