/** National reporting beside the nodes: a platform over a database of its own on the same server, to which both tell their events. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { addSubmitter } from '../../platform/ingest/submitters.ts';
import { foldAll } from '../../platform/store/fold.ts';
import { openPlatform } from '../../platform/store/open.ts';
import { type OrganisationRow, writeOrganisations } from '../../platform/store/organisations.ts';
import { publishMonth } from '../../platform/store/publish.ts';
import type { CastPractice, Side } from './cast.ts';
import { type Running, startProgram } from './processes.ts';

/** What became of the events of some conversations. Degrades, which lead back to none, are not among them. */
export type EventCount = {
  /** That the nodes noted; those whose id the platform has answered with; those that it has. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly received: number;
  /** Of those that it has, by type. */
  readonly types: Readonly<Record<string, number>>;
};

export type ReportingDatabase = { readonly url: string; readonly apiKey: string };

/** Brings the platform's database to its newest schema, with the practices in it and a new key for the nodes. */
export async function reportingDatabase(url: string, practices: readonly CastPractice[]): Promise<ReportingDatabase> {
  const db = await openPlatform(url, 1);
  try {
    await writeOrganisations(db, [...AREAS, ...practices.map(organisationOf)]);
    return { url, apiKey: await addSubmitter(db, `demonstration of ${new Date().toISOString()}`) };
  } finally {
    await db.destroy();
  }
}

/** As of any practice in England: a sub ICB location, its board, its region. All invented. */
const AREAS: readonly OrganisationRow[] = [
  { code: 'Y99', kind: 'region', name: 'DEMONSTRATION REGION', parent: null },
  { code: 'QZZ', kind: 'icb', name: 'NHS DEMONSTRATION INTEGRATED CARE BOARD', parent: 'Y99' },
  { code: '99Z', kind: 'sicbl', name: 'NHS DEMONSTRATION ICB - 99Z', parent: 'QZZ' },
];

function organisationOf({ ods, name, side }: CastPractice): OrganisationRow {
  return { code: ods, kind: 'practice', name, parent: '99Z', supplier: supplierOf(side) };
}

/** The supplier's ODS code. */
export function supplierOf(side: Side): string {
  return `SUP${side.toUpperCase()}`;
}

/** `platform serve` as a program of its own; it takes only what the specification of the national service allows. */
export function startPlatform({ url }: ReportingDatabase, port: number, folder: string): Promise<Running> {
  const args = ['platform', 'serve', '--database', url, '--port', String(port), '--mode', 'strict', '--fold-seconds', '1'];
  return startProgram('platform', args, join(folder, 'log', 'platform.log'));
}

/** How long nothing may come through while events wait. */
const PATIENCE_MS = 15_000;

/** Waits until the nodes have told all they have, or nothing comes through any more, and counts the events of these conversations. */
export async function countEvents(
  platformUrl: string,
  nodeDatabases: readonly string[],
  conversations: readonly string[],
): Promise<EventCount> {
  const nodes = await Promise.all(nodeDatabases.map(connected));
  const platform = await connected(platformUrl);
  try {
    let waiting = Number.POSITIVE_INFINITY;
    for (let since = Date.now(); Date.now() - since < PATIENCE_MS; await sleep(50)) {
      const now = await total(nodes, "select count(*) as n from outbox where kind = 'mi' and dead_at is null", []);
      if (now === 0) break;
      if (now < waiting) since = Date.now();
      waiting = now;
    }
    const ours = 'from mi_events where conversation_id = any($1::text[])';
    const sent = await total(nodes, `select count(*) as n ${ours}`, [conversations]);
    const acknowledged = await total(nodes, `select count(*) as n ${ours} and state = 'taken'`, [conversations]);
    const { rows } = await platform.query<{ type: string; n: string }>(
      'select type, count(*) as n from platform.events where conversation = any($1::text[]) group by type order by type',
      [conversations],
    );
    const types = Object.fromEntries(rows.map(({ type, n }) => [type, Number(n)]));
    return { sent, acknowledged, received: Object.values(types).reduce((sum, n) => sum + n, 0), types };
  } finally {
    await Promise.all([...nodes, platform].map((client) => client.end()));
  }
}

async function total(nodes: readonly pg.Client[], query: string, values: readonly unknown[]): Promise<number> {
  let sum = 0;
  for (const node of nodes) sum += Number((await node.query<{ n: string }>(query, [...values])).rows[0]?.n ?? 0);
  return sum;
}

async function connected(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

/** What was just taken is counted once no older transaction is open, on the whole server. */
const FIGURES_MS = 3_000;

/** Counts what came and opens this month to the public, so that the practices' pages show it. False: something speaks against that. */
export async function showFigures(platformUrl: string): Promise<boolean> {
  const db = await openPlatform(platformUrl, 1);
  try {
    const now = new Date();
    const month = { year: now.getUTCFullYear(), month: now.getUTCMonth() + 1 };
    for (const until = Date.now() + FIGURES_MS; Date.now() < until; await sleep(100)) {
      await foldAll(db);
      if (!('faults' in (await publishMonth(db, month, 1)))) return true;
    }
    return false;
  } finally {
    await db.destroy();
  }
}
