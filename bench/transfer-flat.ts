/**
 * Whether small transfers stay as fast while the database fills: with 10,000 ended transfers in it, beside the same with 1,000. The earlier
 * ones are copies of some that were carried out, with all their rows.
 */
import pg from 'pg';
import { median, print } from './figure.ts';
import { type BenchPatient, inWorld, move, peakOfNodes, SMALL } from './small-world.ts';

const ROUND = 80;
const ROUNDS = 3;
const WARM_UP = 160;
const FEW = 1_000;
const MANY = 10_000;

/** The columns of each table that tell a transfer's rows from those of another; by the first an original is known. */
const IDS: Readonly<Record<string, readonly string[]>> = {
  transfers: ['id', 'conversation_id', 'registration_id'],
  inbox: ['message_id', 'conversation_id', 'transfer'],
  sent_messages: ['id', 'transfer', 'message_id'],
  history: ['transfer'],
  parts: ['transfer', 'key'],
  outgoing_parts: ['transfer', 'message_id'],
};

await inWorld({ count: WARM_UP + 2 * (ROUNDS + 1) * ROUND, ...SMALL }, async (world, patients) => {
  const waiting = [...patients];
  const next = (count: number): readonly BenchPatient[] => waiting.splice(0, count);
  await move(world, next(WARM_UP));
  const rate = async (transfers: number): Promise<number> => {
    for (const url of Object.values(world.databaseUrls)) await fill(url, transfers);
    // What the filling left to be written, and the first touch of each page behind it, are not what is asked.
    await move(world, next(ROUND));
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rates.push(ROUND / (await move(world, next(ROUND))));
    return median(rates);
  };
  const few = await rate(FEW);
  print([
    {
      name: 'transfer.flat',
      unit: 'transfers/s',
      value: await rate(MANY),
      baseline: `at ${FEW} transfers instead of ${MANY}`,
      baselineValue: few,
      peakRssBytes: peakOfNodes(world),
    },
  ]);
});

/** Copies ended transfers, under ids of their own, until there are so many. */
async function fill(connectionString: string, wanted: number): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query<{ all: string; originals: string }>(
      `select count(*) as all, count(*) filter (where id not like '%/%') as originals from transfers`,
    );
    const { all, originals } = { all: Number(rows[0]?.all), originals: Number(rows[0]?.originals) };
    const copies = Math.ceil((wanted - all) / originals);
    if (copies <= 0) return;
    // Marks of copies made before stay apart from those made now.
    const mark = (column: string) => `${column} || '/${all}-' || n`;
    for (const [table, own] of Object.entries(IDS)) {
      const { rows: columns } = await client.query<{ name: string }>(
        `select column_name as name from information_schema.columns
         where table_schema = 'public' and table_name = $1 and is_identity = 'NO' order by ordinal_position`,
        [table],
      );
      const into = columns.map(({ name }) => `"${name}"`);
      const from = columns.map(({ name }) => (own.includes(name) ? mark(`"${name}"`) : `"${name}"`));
      await client.query(
        `insert into ${table} (${into.join(', ')}) select ${from.join(', ')} from ${table}, generate_series(1, ${copies}) n
         where ${own[0]} not like '%/%'`,
      );
    }
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}
