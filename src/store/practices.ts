import { sql } from 'kysely';
import type { Ods } from '../base/ids.ts';
import type { OwnPractice } from '../transfer/types.ts';
import { writeStored } from './stored-json.ts';
import type { Store } from './tables.ts';

/** A practice that this node serves: a row, so that it may come and go while the node runs. */
export type Practice = OwnPractice & {
  readonly enabled: boolean;
  /** Where the practice's own system is reached. */
  readonly gpSystem: {
    /** Base of its GP Connect interface. */
    readonly connectUrl: string;
    /** Base of its filing interface; events are told there too. */
    readonly filingUrl: string;
    /** Bearer key that we show it. */
    readonly key: string;
  };
  /** SHA-256, lower-case hexadecimal, of the bearer key that its system shows us. */
  readonly apiKeySha256: string;
  /** Management information; left out: by what the node is told for all. */
  readonly mi?: PracticeMi;
};

export type PracticeMi = {
  /** Events to the national service, as they happen. */
  readonly events: boolean;
  /** The weekly file of the older process. */
  readonly files: boolean;
  /** The key under which this practice's events are posted, where it has one of its own. */
  readonly apiKey?: string;
};

/** Adds or replaces a practice. */
export async function putPractice(store: Store, practice: Practice): Promise<void> {
  const { ods, asid, partyKey, enabled, ...settings } = practice;
  await sql`
    insert into practices (ods, asid, party_key, enabled, settings)
    values (${ods}, ${asid}, ${partyKey}, ${enabled}, ${writeStored(settings)}::jsonb)
    on conflict (ods) do update set asid = excluded.asid, party_key = excluded.party_key, enabled = excluded.enabled,
      settings = excluded.settings, changed_at = now()`.execute(store);
}

export async function readPractices(store: Store): Promise<Practice[]> {
  const rows = await store.selectFrom('practices').select(['ods', 'asid', 'party_key', 'enabled', 'settings']).orderBy('ods').execute();
  return rows.map(
    (row) => ({ ...(row.settings as object), ods: row.ods, asid: row.asid, partyKey: row.party_key, enabled: row.enabled }) as Practice,
  );
}

/** Removes a practice: it takes part no more. Its transfers stay. */
export async function removePractice(store: Store, ods: Ods): Promise<void> {
  await store.deleteFrom('practices').where('ods', '=', ods).execute();
}
