/** An operator's search over the transfers of a whole node, and what makes one of them need attention. */
import { type RawBuilder, sql } from 'kysely';
import type { ConversationId, Instant, Ods, TransferId } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { Transfer } from '../../transfer/types.ts';
import type { Store } from '../tables.ts';

export type FoundTransfer = {
  readonly practice: Ods;
  readonly id: TransferId;
  readonly role: Transfer['role'];
  readonly conversationId: ConversationId;
  readonly nhsNumber: NhsNumber;
  readonly otherPractice: Ods | null;
  readonly state: Transfer['state'];
  readonly outcome: string | null;
  /** The response code with which it ended; `AA` for the plain success. */
  readonly code: string | null;
  readonly startedAt: Instant;
  readonly changedAt: Instant;
  readonly endedAt: Instant | null;
  /** Open tasks: what waits for a person. */
  readonly tasks: readonly string[];
  readonly attention: readonly Attention[];
};
/**
 * `deadLetter`: something of it was put aside; `failing`: something was tried several times in vain; `overdue`: a task is past its date;
 * `nothingWakes`: it runs, and no work, timer or task is left that would bring it on.
 */
export type Attention = 'deadLetter' | 'failing' | 'overdue' | 'nothingWakes';

export type TransferSearch = {
  readonly practice?: Ods;
  readonly role?: Transfer['role'];
  readonly state?: Transfer['state'];
  readonly outcome?: string;
  readonly code?: string;
  readonly nhsNumber?: NhsNumber;
  readonly conversationId?: ConversationId;
  readonly olderThanSeconds?: number;
  readonly youngerThanSeconds?: number;
  readonly waiting?: boolean;
  readonly attention?: boolean;
  /** The last line of the page before. */
  readonly after?: { readonly startedAt: Instant; readonly id: TransferId };
};

/** Attempts in vain after which an operator wants to hear of it. */
const FAILING = 3;

const CODE = sql<string | null>`coalesce(t.body#>>'{outcome,code}', t.body#>>'{outcome,answer}')`;
const OF = sql`practice = t.practice and transfer = t.id`;
const IS_DEAD = sql<boolean>`(exists (select from outbox where ${OF} and dead_at is not null) or exists (select from inbox where ${OF} and dead_at is not null))`;
const IS_FAILING = sql<boolean>`exists (select from outbox where ${OF} and dead_at is null and attempts >= ${FAILING})`;
const IS_OVERDUE = sql<boolean>`exists (select from tasks where ${OF} and closed_at is null and due_at < now())`;
/** What is told to others about a transfer does not bring it on. */
const IS_ASLEEP = sql<boolean>`(t.state <> 'ended'
  and not exists (select from outbox where ${OF} and dead_at is null and kind in ('message', 'job', 'timer'))
  and not exists (select from tasks where ${OF} and closed_at is null))`;
const WAITS = sql<boolean>`exists (select from tasks where ${OF} and closed_at is null)`;

type Row = Omit<FoundTransfer, 'attention'> & Readonly<Record<Attention, boolean>>;

/** A page of transfers, newest first; the order is total, so that pages neither overlap nor leave anything out. */
export async function searchTransfers(store: Store, search: TransferSearch, limit: number): Promise<FoundTransfer[]> {
  const { rows } = await sql<Row>`
    select t.practice, t.id, t.role, t.conversation_id as "conversationId", t.nhs_number as "nhsNumber", t.other_practice as "otherPractice",
      t.state, t.outcome, ${CODE} as code, t.started_at as "startedAt", t.changed_at as "changedAt", t.ended_at as "endedAt",
      array(select task from tasks where ${OF} and closed_at is null order by raised_at, id) as tasks,
      ${IS_DEAD} as "deadLetter", ${IS_FAILING} as failing, ${IS_OVERDUE} as overdue, ${IS_ASLEEP} as "nothingWakes"
    from transfers t
    where ${sql.join(conditions(search), sql` and `)}
    order by t.started_at desc, t.id desc limit ${limit}`.execute(store);
  return rows.map(({ deadLetter, failing, overdue, nothingWakes, ...row }) => {
    const attention: Attention[] = [];
    if (deadLetter) attention.push('deadLetter');
    if (failing) attention.push('failing');
    if (overdue) attention.push('overdue');
    if (nothingWakes) attention.push('nothingWakes');
    return { ...row, attention };
  });
}

function conditions(search: TransferSearch): RawBuilder<unknown>[] {
  const { after } = search;
  const all: RawBuilder<unknown>[] = [sql`true`];
  if (search.practice !== undefined) all.push(sql`t.practice = ${search.practice}`);
  if (search.role !== undefined) all.push(sql`t.role = ${search.role}`);
  if (search.state !== undefined) all.push(sql`t.state = ${search.state}`);
  if (search.outcome !== undefined) all.push(sql`t.outcome = ${search.outcome}`);
  if (search.code !== undefined) all.push(sql`${CODE} = ${search.code}`);
  if (search.nhsNumber !== undefined) all.push(sql`t.nhs_number = ${search.nhsNumber}`);
  if (search.conversationId !== undefined) all.push(sql`t.conversation_id = ${search.conversationId}`);
  if (search.olderThanSeconds !== undefined) all.push(sql`t.started_at < now() - make_interval(secs => ${search.olderThanSeconds})`);
  if (search.youngerThanSeconds !== undefined) all.push(sql`t.started_at >= now() - make_interval(secs => ${search.youngerThanSeconds})`);
  if (search.waiting) all.push(WAITS);
  if (search.attention) all.push(sql`(${IS_DEAD} or ${IS_FAILING} or ${IS_OVERDUE} or ${IS_ASLEEP})`);
  if (after) all.push(sql`(t.started_at, t.id) < (${after.startedAt}, ${after.id})`);
  return all;
}

/** The transfers that an id or a conversation id names: a node that serves both practices has one for each role. */
export async function findTransfers(store: Store, id: string): Promise<FoundTransfer[]> {
  const { rows } = await sql<{ id: TransferId; conversation: ConversationId }>`
    select id, conversation_id as conversation from transfers where id = ${id} or conversation_id = ${id}`.execute(store);
  const [first] = rows;
  if (!first) return [];
  const found = await searchTransfers(store, { conversationId: first.conversation }, 10);
  return found.filter((one) => rows.some((row) => row.id === one.id));
}
