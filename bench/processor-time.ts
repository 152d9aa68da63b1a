/**
 * Processor time of other processes, in milliseconds, threads and the collector of garbage included: what can be compared on a machine
 * that others use too. Of a process that starts others, as a database server does, theirs as well.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { World } from '../src/cli/demo/world.ts';

/** Linux counts in hundredths of a second, whatever its clock. */
const TICK_MS = 10;

export type Spent = {
  readonly sendingNode: number;
  readonly receivingNode: number;
  readonly hub: number;
  readonly sendingSystem: number;
  readonly receivingSystem: number;
  readonly database: number;
};

/** What the processes of a world have spent so far. */
export async function spentBy({ programs, nodeNames, database }: World): Promise<Spent> {
  const of = async (...names: readonly string[]) =>
    (await Promise.all(names.map((name) => spent(programs.get(name)?.pid ?? 0)))).reduce((sum, ms) => sum + ms, 0);
  return {
    sendingNode: await of(...nodeNames.north),
    receivingNode: await of(...nodeNames.south),
    hub: await of('spine'),
    sendingSystem: await of('north-system'),
    receivingSystem: await of('south-system'),
    database: await spent(database.pid),
  };
}

/** 0 where the system does not tell. */
export async function spent(pid: number): Promise<number> {
  const own = await timesOf(pid);
  if (!own) return 0;
  const others = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((name) => timesOf(Number(name))));
  const children = others.reduce((sum, other) => sum + (other?.parent === pid ? other.own : 0), 0);
  return (own.own + own.ended + children) * TICK_MS;
}

/** `man 5 proc`: the fields behind the name, which may hold anything. */
async function timesOf(pid: number): Promise<{ readonly parent: number; readonly own: number; readonly ended: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  const fields = text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (field: number): number => fields?.[field - 3] ?? 0;
  return fields ? { parent: at(4), own: at(14) + at(15), ended: at(16) + at(17) } : null;
}
