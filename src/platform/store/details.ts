/**
 * What a listed transfer's events say one by one: placeholders, documents that did not arrive, errors. Those of one transfer that say the
 * same are one row with their number. Free text stays where it is, but for the code that a reason begins with and what is a type of file.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import type { PlatformSchema } from './open.ts';
import { type Days, inList, type ListName, limited, type Part } from './operational.ts';

/** The lists whose transfers have rows of their own, and what the columns of each say. */
export const DETAILS = {
  placeholders: ['generatedBy', 'clinicalType', 'reason', 'mimeType'],
  'attachments-failed': ['clinicalType', 'reason', 'large', 'mimeType'],
  errors: ['code', 'failurePoint'],
} as const satisfies Partial<Record<ListName, readonly string[]>>;
export type DetailedList = keyof typeof DETAILS;

export type Detail = {
  readonly conversation: string;
  readonly requestingSupplier: string | null;
  readonly sendingSupplier: string | null;
  readonly requesting: string | null;
  readonly sending: string | null;
  /** Of the transfer, all kinds together. */
  readonly all: number;
  /** Of this kind. */
  readonly alike: number;
  /** In the order of `DETAILS`; `null` where nothing was said, or nothing that may be shown. */
  readonly says: readonly (string | null)[];
};

const mimeType = (text: RawBuilder<unknown>) => sql`substring(${text} from '^[A-Za-z0-9.+-]{1,50}/[A-Za-z0-9.+-]{1,100}$')`;
/** Events lie in months: the moments of a transfer say in which. */
const own = (type: string) => sql`platform.events as e where e.conversation = t.conversation and e.at between t.started_at and t.last_at
  and e.type = ${sql.lit(type)}`;
const KINDS: Readonly<
  Record<DetailedList, { readonly all: RawBuilder<unknown>; readonly says: RawBuilder<unknown>; readonly from: RawBuilder<unknown> }>
> = {
  placeholders: {
    all: sql`t.placeholders`,
    says: sql`array[each ->> 'generatedBy', each ->> 'clinicalType', each ->> 'reason', ${mimeType(sql`each ->> 'originalMimeType'`)}]`,
    // A record that was sent again has those of the last time.
    from: sql`(select payload #> '{ehr,placeholders}' as list from ${own('EHR_RESPONSES')} order by at desc, event_id desc, digest desc limit 1) as last
      cross join lateral jsonb_array_elements(case when jsonb_typeof(list) = 'array' then list else '[]' end) as each`,
  },
  'attachments-failed': {
    all: sql`t.documents_failed`,
    says: sql`array[payload #>> '{attachment,clinicalType}', substring(payload #>> '{documentMigration,reason}' from '^[0-9]{1,3}\\y'),
      case when (payload #>> '{attachment,sizeBytes}')::bigint > 104857600 then 'true' else 'false' end,
      ${mimeType(sql`payload #>> '{attachment,mimeType}'`)}]`,
    from: sql`(select payload from ${own('DOCUMENT_RESPONSES')} and payload #>> '{documentMigration,successful}' = 'false') as e`,
  },
  errors: {
    all: sql`t.errors`,
    says: sql`array[payload #>> '{error,errorCode}', payload #>> '{error,failurePoint}']`,
    from: sql`(select payload from ${own('ERROR')}) as e`,
  },
};

/** Of the transfers of a list, in its order; `part` is one of the transfers, and all of them where it is left out. */
export async function listDetails(
  db: Runner<PlatformSchema>,
  list: DetailedList,
  days: Days,
  now: Date,
  part?: Part,
): Promise<readonly Detail[]> {
  const { all, says, from } = KINDS[list];
  const { rows } = await sql<Detail>`
    with t as materialized (select transfers.* ${inList(list, days, now)} order by started_at, conversation ${limited(part)})
    select t.conversation, t.requesting_supplier as "requestingSupplier", t.sending_supplier as "sendingSupplier", t.requesting, t.sending,
      ${all} as all, alike, says
    from t cross join lateral (select ${says}::text[] as says, count(*)::int as alike from ${from} group by 1) as kinds
    order by t.started_at, t.conversation, alike desc, says`.execute(db);
  return rows;
}
