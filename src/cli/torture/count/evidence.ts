/** What a run of the fault test leaves behind, as files that any tool can read. The count sees these and nothing else. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Fault, reasonOf } from '../../../base/errors.ts';

export type Row = Readonly<Record<string, unknown>>;

/** One transfer as it was meant to be: `plan.json`. */
export type Meant = {
  readonly number: number;
  readonly kind: string;
  readonly nhsNumber: string;
  readonly from: string;
  readonly to: string;
  readonly registrationId: string;
  readonly ends: readonly string[];
};
/** A practice: the side whose node serves it, and the party key by which the hub knows it. */
export type Party = { readonly ods: string; readonly partyKey: string; readonly side: string };
export type PlanFile = { readonly seed: number; readonly practices: readonly Party[]; readonly transfers: readonly Meant[] };

export type Evidence = {
  readonly folder: string;
  readonly plan: PlanFile;
  readonly kills: readonly Row[];
  readonly ledger: readonly Row[];
  /** Rows of a table on a side. */
  rows(side: string, table: Table): readonly Row[];
};

export const TABLES = ['transfers', 'inbox', 'outbox', 'parts', 'outgoing_parts', 'sent_messages', 'history', 'tasks'] as const;
export type Table = (typeof TABLES)[number];

/** Names below the folder; the text is put beside the files for whoever finds them. */
export const FILES = {
  plan: 'plan.json',
  kills: 'kills.jsonl',
  troubles: 'troubles.jsonl',
  ledger: 'ledger.jsonl',
  table: (side: string, table: string) => join('database', side, `${table}.jsonl`),
  sent: (nhsNumber: string) => join('sent', nhsNumber),
  filed: (side: string) => join('filed', side),
} as const;

export const README = `What a run of the fault test left behind. \`gp2gp torture --recount DIR --json\` counts it again from these files alone,
\`python3 witness/recount.py DIR\` does so without any code of this program.

plan.json      the transfers as they were meant: who moves from where to where, and how that may end
kills.jsonl    every kill -9 that was carried out: when, which program, which process
troubles.jsonl what else was done to them: stopped for a while, ways refused, hanging or cut, disks full
ledger.jsonl   the hub's ledger: time, from, to, message id, interaction, status given; one line when a message is accepted,
               one when its recipient has it
database/      both sides' tables after the end, one JSON object a line
sent/NHS/      the record that the previous practice's system held, and its documents with SHA-256
filed/SIDE/    what the new practices' systems filed, below practice, NHS number and transfer
`;

/** Reads the folder. Throws a `Fault` that names the file where one is missing or damaged. */
export async function readEvidence(folder: string): Promise<Evidence> {
  const plan = JSON.parse(await text(join(folder, FILES.plan))) as PlanFile;
  const tables = new Map<string, readonly Row[]>();
  for (const side of new Set(plan.practices.map((practice) => practice.side)))
    for (const table of TABLES) tables.set(`${side} ${table}`, await lines(join(folder, FILES.table(side, table))));
  return {
    folder,
    plan,
    kills: await lines(join(folder, FILES.kills)),
    ledger: await lines(join(folder, FILES.ledger)),
    rows: (side, table) => tables.get(`${side} ${table}`) ?? [],
  };
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Fault('input.evidence', `${path} cannot be read: ${reasonOf(cause)}`, {
      remedy: 'Name a folder that `gp2gp torture --keep DIR` made.',
      cause,
    });
  }
}

async function lines(path: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const source = createReadStream(path);
  try {
    for await (const line of createInterface({ input: source })) if (line) rows.push(JSON.parse(line) as Row);
  } catch (cause) {
    throw new Fault('input.evidence', `${path} cannot be read: ${reasonOf(cause)}`, { cause });
  } finally {
    source.destroy();
  }
  return rows;
}
