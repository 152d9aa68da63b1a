import { cpSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { MIGRATIONS } from '../../../store/open.ts';

/** Names the checkout or package of the version that nodes are upgraded from; without it they are this one with the schema of today. */
export const PREVIOUS = 'TORTURE_PREVIOUS';
/** The program that is the one version or the other, by whether its node has been upgraded. */
export const TWO_VERSIONS = join(import.meta.dirname, `two-versions${extname(import.meta.filename)}`);

/** In a side's data folder: the node is of the new version from its next start on. */
export function markOf(data: string, name: string): string {
  return join(data, `upgraded-${name}`);
}

/** The executable of a checkout, or of an installed package. */
export function programIn(folder: string): string | null {
  return [join(folder, 'bin', 'gp2gp.ts'), join(folder, 'dist', 'gp2gp.js')].find((file) => existsSync(file)) ?? null;
}

/**
 * What a version to come may do to the tables under nodes of before: columns for every table that they write, in the midst of prepared
 * statements; a rule made anew, which takes the table for itself and reads all of it; an index; a table.
 */
const NEXT = `
alter table transfers add column next_stage text not null default 'none';
alter table inbox add column next_route jsonb;
alter table outbox add column next_priority integer not null default 0;
alter table parts add column next_checked_at timestamptz;
alter table history add column next_note text;
alter table sent_messages add column next_note text;
alter table tasks add column next_owner text;
alter table outbox drop constraint outbox_kind_check;
alter table outbox add constraint outbox_kind_check check (kind in ('message', 'job', 'timer', 'notice', 'mi', 'next'));
create index next_stage_of_transfers on transfers (next_stage, id);
create index next_priority_of_outbox on outbox (next_priority desc, id);
create table next_stages (
  transfer text primary key,
  stage text not null,
  at timestamptz not null default now()
);
`;

/** A folder with the migrations of this version and one more, as the next version would have them. */
export function migrationsOfNext(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gp2gp-next-'));
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql'));
  for (const file of files) cpSync(join(MIGRATIONS, file), join(folder, file));
  writeFileSync(join(folder, `${String(files.length + 1).padStart(3, '0')}-next.sql`), NEXT);
  return folder;
}
