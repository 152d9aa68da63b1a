import { type RawBuilder, sql } from 'kysely';

/** What a supplier is called: by its ODS code, and as the Spine logs it. One supplier sends a number in place of its code. */
export function supplierName(column: string): RawBuilder<unknown> {
  const name = sql.ref(column);
  return sql`case
    when ${name} = 'YGJ' or ${name} ~ '^[0-9]+$' or ${name} like 'EMIS%' then 'EMIS'
    when ${name} in ('YGA', 'TPP') or ${name} like 'SystmOne%' then 'SystmOne'
    when ${name} in ('YGC', 'INPS') or ${name} like 'Vision%' then 'Vision'
    when ${name} = 'YGMYW' then 'Medicus'
    else ${name} end`;
}
