/**
 * Small transfers per second through everything: two nodes, the hub, two practices' systems and PostgreSQL on one machine. Beside it,
 * what the same PostgreSQL could do if a transfer were nothing but its transactions.
 */
import pg from 'pg';
import { print } from './figure.ts';
import { counters, inWorld, move, peakOfNodes } from './small-world.ts';

const TRANSFERS = 60;
const CONNECTIONS = 8;
const MS = 3_000;

await inWorld({ count: TRANSFERS + 4, documents: 0, documentBytes: 1 }, async (world, nhsNumbers) => {
  await move(world, nhsNumbers.slice(0, 4), 0);
  const counted = async () => (await counters(world, 'north')).transactions + (await counters(world, 'south')).transactions;
  const before = await counted();
  const seconds = await move(world, nhsNumbers.slice(4), 4);
  const transactions = ((await counted()) - before) / TRANSFERS;
  print([
    {
      name: 'chain-small',
      unit: 'transfers/s',
      value: TRANSFERS / seconds,
      baseline: `bare PostgreSQL at ${transactions.toFixed(0)} commits each`,
      baselineValue: (await commitsPerSecond(world.databaseUrls.north)) / transactions,
      peakRssBytes: peakOfNodes(world),
    },
  ]);
});

/** Transactions that lock a row, change it and add another, each three round trips, on so many connections. */
async function commitsPerSecond(connectionString: string): Promise<number> {
  const pool = new pg.Pool({ connectionString, max: CONNECTIONS });
  await pool.query('create table bench_commits (id int primary key, version int); create table bench_rows (body text)');
  await pool.query('insert into bench_commits select n, 0 from generate_series(1, $1) n', [CONNECTIONS]);
  const until = performance.now() + MS;
  const commits = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, i) => {
      const client = await pool.connect();
      let count = 0;
      while (performance.now() < until) {
        await client.query(`begin; select version from bench_commits where id = ${i + 1} for update`);
        await client.query('update bench_commits set version = version + 1 where id = $1', [i + 1]);
        await client.query(`insert into bench_rows values (repeat('x', 1000)); commit`);
        count++;
      }
      client.release();
      return count;
    }),
  );
  await pool.end();
  return commits.reduce((sum, count) => sum + count, 0) / (MS / 1000);
}
