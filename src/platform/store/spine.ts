import { copyLine, copySession } from '../../database/copy.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { type Micros, utcText } from '../micros.ts';

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
