/** Organisations from files: the existing pipeline's metadata, or a table of codes, kinds, names, parents, addresses and postcodes. */
import { Fault } from '../base/errors.ts';
import { damaged, readCsv } from './csv.ts';
import type { BrokenRow } from './load-spine.ts';
import type { OrganisationRow } from './store/organisations.ts';

export const ODS_COLUMNS = ['code', 'kind', 'name', 'parent', 'address', 'postcode', 'supplier', 'active'] as const;
const KINDS = ['practice', 'sicbl', 'icb', 'region'] as const;

/**
 * Rows of a table whose first line names its columns, `code` and `kind` among them; lines of an address stand behind one another with
 * semicolons. A row that is broken is told and left out.
 */
export async function* readOrganisations(
  pieces: AsyncIterable<string | Uint8Array>,
  onBroken: (row: BrokenRow) => void,
): AsyncGenerator<OrganisationRow> {
  let head: string[] | null = null;
  for await (const row of readCsv(pieces)) {
    if ('fault' in row) {
      onBroken(row);
      continue;
    }
    if (!head) {
      head = row.cells.map((cell) => cell.trim().toLowerCase());
      for (const name of ['code', 'kind'])
        if (!head.includes(name))
          throw new Fault('input.organisations', `line 1 names no column ${name}`, { remedy: `Columns are ${ODS_COLUMNS.join(', ')}.` });
      continue;
    }
    const names = head;
    const cell = (name: (typeof ODS_COLUMNS)[number]) => row.cells[names.indexOf(name)]?.trim() || null;
    const fault = damaged(names, row.cells);
    const [code, kind] = [cell('code'), KINDS.find((each) => each === cell('kind'))];
    if (fault !== null) onBroken({ line: row.line, fault });
    else if (code === null || !/^[A-Z0-9]{2,10}$/.test(code))
      onBroken({ line: row.line, fault: `code is no ODS code: ${JSON.stringify(code)}` });
    else if (!kind) onBroken({ line: row.line, fault: `kind is none of ${KINDS.join(', ')}: ${JSON.stringify(cell('kind'))}` });
    else
      yield {
        code,
        kind,
        name: cell('name'),
        parent: cell('parent'),
        address: (cell('address') ?? '').split(';').flatMap((line) => line.trim() || []),
        postcode: cell('postcode'),
        supplier: cell('supplier'),
        active: !/^(false|no|0|inactive|closed)$/i.test(cell('active') ?? ''),
      };
  }
}
