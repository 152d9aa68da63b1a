import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { SIDES } from '../demo/cast.ts';
import type { World } from '../demo/world.ts';
import { FILES, type PlanFile, README, TABLES } from './count/evidence.ts';
import type { Plan } from './plan.ts';

/** Begins a folder of evidence: what was meant, and room for the kills. */
export async function beginEvidence(keep: string, seed: number, plan: Plan, nhsNumbers: ReadonlyMap<number, string>): Promise<void> {
  await mkdir(keep, { recursive: true });
  // PostgreSQL may run as another user and has to pass through to its own folder.
  await chmod(keep, 0o755);
  const file: PlanFile = {
    seed,
    practices: plan.practices.map(({ ods, partyKey, side }) => ({ ods, partyKey, side })),
    transfers: plan.transfers.map(({ number, kind, from, to, registrationId, ends }) => ({
      number,
      kind,
      nhsNumber: nhsNumbers.get(number) ?? '',
      from: from.ods,
      to: to.ods,
      registrationId,
      ends,
    })),
  };
  await writeFile(join(keep, 'README.txt'), README);
  await writeFile(join(keep, FILES.plan), `${JSON.stringify(file, null, 1)}\n`);
  await writeFile(join(keep, FILES.kills), '');
  await writeFile(join(keep, FILES.troubles), '');
}

/** Gathers what the processes left on disks and in databases; nobody but the database server runs any more. */
export async function gatherEvidence(keep: string, world: World): Promise<void> {
  await copyFile(world.ledgerFile, join(keep, FILES.ledger));
  for (const side of SIDES) {
    await dump(world.databaseUrls[side], (table) => join(keep, FILES.table(side, table)));
    await cp(join(world.folder, side, 'gp-system', 'filed'), join(keep, FILES.filed(side)), { recursive: true });
  }
}

async function dump(url: string, fileOf: (table: string) => string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const table of TABLES) {
      const file = fileOf(table);
      await mkdir(dirname(file), { recursive: true });
      const out = createWriteStream(file);
      const { rows } = await client.query<{ line: string }>(`select row_to_json(one)::text as line from ${table} one`);
      for (const { line } of rows) out.write(`${line}\n`);
      out.end();
      await once(out, 'finish');
    }
  } finally {
    await client.end();
  }
}
