import { sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import { copyLine, copySession } from '../../database/copy.ts';
import { readOutcome } from '../classify/outcome.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { type Micros, microsOf, utcText } from '../micros.ts';
import type { PlatformSchema } from './open.ts';

const COLUMNS = [
  'conversation',
  'requested_at',
  'core_at',
  'completed_at',
  'last_sender_message_at',
  'sla_seconds',
  'requesting',
  'requesting_asid',
  'requesting_supplier',
  'sending',
  'sending_asid',
  'sending_supplier',
  'sender_codes',
  'final_codes',
  'intermediate_codes',
  'status',
  'failure_reason',
  'large',
  'redactions',
  'cutoff_days',
] as const;
const CHUNK = 100_000;

/**
 * Keeps transfers that were classified from the Spine's log; one that is there already is replaced. Folding comes afterwards. `url` is the
 * platform's database. Gives how many there were.
 */
export async function loadTransfers(
  url: string,
  transfers: AsyncIterable<ClassifiedTransfer> | Iterable<ClassifiedTransfer>,
  cutoffDays: number,
): Promise<number> {
  const session = await copySession(url);
  const columns = COLUMNS.join(', ');
  let all = 0;
  try {
    await session.run('create temp table arriving (like platform.spine_transfers)');
    await session.run('alter table arriving alter batch drop not null, add position bigserial');
    let lines: string[] = [];
    const flush = async () => {
      await session.run('begin');
      await session.copy(`copy arriving (${columns}) from stdin`, lines);
      await session.run(`insert into platform.spine_transfers (${columns})
        select distinct on (conversation) ${columns} from arriving order by conversation, position desc
        on conflict (conversation) do update set batch = excluded.batch, ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(', ')}`);
      await session.run('truncate arriving');
      await session.run('commit');
      lines = [];
    };
    for await (const transfer of transfers) {
      lines.push(lineOf(transfer, cutoffDays));
      all++;
      if (lines.length >= CHUNK) await flush();
    }
    if (lines.length > 0) await flush();
    return all;
  } finally {
    await session.end();
  }
}

function lineOf(transfer: ClassifiedTransfer, cutoffDays: number): string {
  const { requesting, sending } = transfer;
  const time = (at: Micros | null) => (at === null ? null : utcText(at));
  return copyLine([
    transfer.conversationId,
    time(transfer.requestedAt),
    time(transfer.coreAt),
    time(transfer.completedAt),
    time(transfer.lastSenderMessageAt),
    transfer.slaDuration,
    requesting.ods,
    requesting.asid,
    requesting.supplier,
    sending.ods,
    sending.asid,
    sending.supplier,
    transfer.senderErrorCodes,
    transfer.finalErrorCodes,
    transfer.intermediateErrorCodes,
    transfer.status,
    transfer.failureReason,
    transfer.large,
    transfer.redactions,
    cutoffDays,
  ]);
}

/**
 * Transfers as the national definitions see them, requested within a window, in order of their requests: what reports are made from. Names
 * and locations are those of now.
 */
export async function transfersWithin(
  db: Runner<PlatformSchema>,
  { start, end }: { readonly start: Micros; readonly end: Micros },
): Promise<ClassifiedTransfer[]> {
  const { rows } = await sql<Row>`
    select t.conversation, t.requesting_asid, t.requesting_supplier, t.requesting, rp.name as requesting_name,
      rs.code as requesting_sicbl, rs.name as requesting_sicbl_name, t.sending_asid, t.sending_supplier, t.sending, sp.name as sending_name,
      ss.code as sending_sicbl, ss.name as sending_sicbl_name, t.sender_codes, t.final_codes, t.intermediate_codes, t.status,
      t.failure_reason, t.sla_seconds, to_char(coalesce(s.requested_at, t.requested_at, t.started_at), ${FORM}) as requested_at,
      to_char(coalesce(s.completed_at, t.ended_at), ${FORM}) as completed_at,
      to_char(coalesce(s.last_sender_message_at, t.responded_at), ${FORM}) as last_sender_message_at,
      to_char(coalesce(s.core_at, t.responded_at), ${FORM}) as core_at, coalesce(s.large, t.documents > 0) as large,
      coalesce(s.redactions, false) as redactions
    from platform.transfers as t left join platform.spine_transfers as s using (conversation)
      left join platform.organisations as rp on rp.code = t.requesting left join platform.organisations as rs on rs.code = rp.parent
      left join platform.organisations as sp on sp.code = t.sending left join platform.organisations as ss on ss.code = sp.parent
    where t.status is not null and t.month_utc >= date_trunc('month', ${utcText(start)}::timestamptz at time zone 'UTC')
      and t.month_utc <= (${utcText(end)}::timestamptz at time zone 'UTC')
      and coalesce(s.requested_at, t.requested_at, t.started_at) >= ${utcText(start)}::timestamptz
      and coalesce(s.requested_at, t.requested_at, t.started_at) < ${utcText(end)}::timestamptz
    order by coalesce(s.requested_at, t.requested_at, t.started_at), t.conversation`.execute(db);
  return rows.map((row) => ({
    conversationId: row.conversation,
    slaDuration: row.sla_seconds,
    requesting: partyOf(row, 'requesting'),
    sending: partyOf(row, 'sending'),
    senderErrorCodes: row.sender_codes,
    finalErrorCodes: row.final_codes,
    intermediateErrorCodes: row.intermediate_codes,
    ...readOutcome(row.status, row.failure_reason),
    requestedAt: microsOf(row.requested_at),
    completedAt: row.completed_at === null ? null : microsOf(row.completed_at),
    lastSenderMessageAt: row.last_sender_message_at === null ? null : microsOf(row.last_sender_message_at),
    coreAt: row.core_at === null ? null : microsOf(row.core_at),
    redactions: row.redactions,
    large: row.large,
  }));
}

const FORM = 'YYYY-MM-DD"T"HH24:MI:SS.US';
type Row = {
  readonly conversation: string;
  readonly sender_codes: readonly (number | null)[];
  readonly final_codes: readonly (number | null)[];
  readonly intermediate_codes: readonly number[];
  readonly status: string;
  readonly failure_reason: string | null;
  readonly sla_seconds: number | null;
  readonly requested_at: string;
  readonly completed_at: string | null;
  readonly last_sender_message_at: string | null;
  readonly core_at: string | null;
  readonly large: boolean;
  readonly redactions: boolean;
} & Readonly<Record<`${'requesting' | 'sending'}${'' | '_asid' | '_supplier' | '_name' | '_sicbl' | '_sicbl_name'}`, string | null>>;

function partyOf(row: Row, role: 'requesting' | 'sending'): ClassifiedTransfer['requesting'] {
  const who = { asid: row[`${role}_asid`], supplier: row[`${role}_supplier`] };
  const ods = row[role];
  if (ods === null) return { ...who, ods, name: null, sicblOds: null, sicblName: null };
  return { ...who, ods, name: row[`${role}_name`], sicblOds: row[`${role}_sicbl`], sicblName: row[`${role}_sicbl_name`] };
}
