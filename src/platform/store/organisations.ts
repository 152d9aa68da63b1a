import { sql } from 'kysely';
import { type Runner, transaction } from '../../database/connect.ts';
import type { Organisation, OrganisationOf } from '../classify/transfer.ts';
import { monthText } from '../metrics/month.ts';
import { type OrganisationMetadata, organisationLookup } from '../organisations.ts';
import { recountAbove } from './months.ts';
import type { PlatformDb, PlatformSchema } from './open.ts';

export type OrganisationRow = {
  readonly code: string;
  readonly kind: 'practice' | 'sicbl' | 'icb' | 'region';
  readonly name: string | null;
  /** The one above: of a practice its sub ICB location, of a location its board, of a board its region. */
  readonly parent: string | null;
  readonly active?: boolean;
  readonly address?: readonly string[];
  readonly postcode?: string | null;
  readonly supplier?: string | null;
};

/** So many that the server's picture of the table is another. */
const MANY_ORGANISATIONS = 500;

/**
 * Writes organisations over those of the same code; what a row does not say is kept. Everything above practices is counted anew, because
 * a practice may have moved. Gives how many were written.
 */
export async function writeOrganisations(db: PlatformDb, rows: readonly OrganisationRow[]): Promise<number> {
  await transaction(db, async (trx) => {
    // The last of a code counts; one statement must not meet a row twice.
    const distinct = [...new Map(rows.map((row) => [row.code, row])).values()];
    for (let from = 0; from < distinct.length; from += 2_000) {
      const some = distinct.slice(from, from + 2_000);
      await sql`
        insert into platform.organisations as o (code, kind, name, parent, active, address, postcode, supplier)
        select code, kind, name, parent, coalesce(active, true), array(select jsonb_array_elements_text(coalesce(address, '[]'))), postcode,
          supplier
        from jsonb_to_recordset(${JSON.stringify(some)}::jsonb) as each (code text, kind text, name text, parent text, active boolean,
          address jsonb, postcode text, supplier text)
        on conflict (code) do update set kind = excluded.kind, name = coalesce(excluded.name, o.name),
          parent = coalesce(excluded.parent, o.parent), active = excluded.active,
          address = case when excluded.address = '{}' then o.address else excluded.address end,
          postcode = coalesce(excluded.postcode, o.postcode), supplier = coalesce(excluded.supplier, o.supplier)`.execute(trx);
    }
    await recountAbove(trx);
    if (distinct.length >= MANY_ORGANISATIONS) await sql`analyze platform.organisations`.execute(trx);
  });
  return rows.length;
}

/** Keeps who an ASID belonged to in the month of the file, and what the file says of practices and locations now. */
export async function writeMetadata(db: PlatformDb, file: OrganisationMetadata): Promise<number> {
  const find = organisationLookup([file]);
  const at = Date.UTC(file.year, file.month - 1, 1) * 1000;
  const asids = file.practices.flatMap((practice) => practice.asids);
  const found = asids.flatMap((asid) => {
    const organisation = find(asid, at);
    return organisation ? [{ asid, ...organisation }] : [];
  });
  const month = `${monthText(file)}-01`;
  await sql`
    insert into platform.asids (month, asid, ods, name, sicbl_ods, sicbl_name)
    select distinct on (asid) ${month}::date, asid, ods, name, "sicblOds", "sicblName"
    from jsonb_to_recordset(${JSON.stringify(found)}::jsonb) as each (asid text, ods text, name text, "sicblOds" text, "sicblName" text)
    on conflict (month, asid) do update set ods = excluded.ods, name = excluded.name, sicbl_ods = excluded.sicbl_ods,
      sicbl_name = excluded.sicbl_name`.execute(db);
  const locationOf = new Map(file.sicbls.flatMap((sicbl) => sicbl.practices.map((practice) => [practice, sicbl.ods_code] as const)));
  return writeOrganisations(db, [
    ...file.sicbls.map(({ ods_code: code, name }): OrganisationRow => ({ code, kind: 'sicbl', name, parent: null })),
    ...file.practices.map(
      ({ ods_code: code, name }): OrganisationRow => ({ code, kind: 'practice', name, parent: locationOf.get(code) ?? null }),
    ),
  ]);
}

/** Who ASIDs belong to, by month; as `organisationLookup`. */
export async function readAsids(
  db: Runner<PlatformSchema>,
  onFallback: (month: string) => void = () => undefined,
): Promise<OrganisationOf> {
  const { rows } = await sql<Organisation & { month: string; asid: string }>`
    select to_char(month, 'YYYY-MM') as month, asid, ods, name, sicbl_ods as "sicblOds", sicbl_name as "sicblName" from platform.asids`.execute(
    db,
  );
  const files = [...Map.groupBy(rows, ({ month }) => month)].map(([month, group]): OrganisationMetadata => {
    const [year = 0, number = 0] = month.split('-').map(Number);
    return {
      year,
      month: number,
      practices: group.map(({ ods, name, asid }) => ({ ods_code: ods, name, asids: [asid] })),
      sicbls: [...Map.groupBy(group, ({ sicblOds }) => sicblOds)].flatMap(([code, members]) =>
        code === null ? [] : [{ ods_code: code, name: members[0]?.sicblName ?? null, practices: members.map(({ ods }) => ods) }],
      ),
    };
  });
  return organisationLookup(files, (month) => onFallback(monthText(month)));
}
