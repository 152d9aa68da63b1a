import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { World } from '../demo/world.ts';
import { FILES } from './count/evidence.ts';
import { nextDelivery } from './deliveries.ts';
import type { PlannedKill } from './plan.ts';
import { isThere, signal, treeOf } from './processes.ts';

export type Killer = {
  /** Kills the target with SIGKILL and has it started again after its pause; resolves when it is dead, not when it is back. */
  kill(planned: PlannedKill): Promise<void>;
  /** Starts the database server again where it has ended by itself. */
  ensureDatabase(): Promise<void>;
  /** Resolves when everything runs that should. */
  allUp(): Promise<void>;
  /** From here on nothing is started again. */
  stop(): Promise<void>;
};

/** How long a kill waits for a message to its target; after that it comes without. */
const DELIVERY_MS = 5_000;
/** A program that cannot be started again within this time ends the test. */
const START_MS = 90_000;
/** Within this time a server that cannot write its log has ended. */
const SETTLE_MS = 1_000;

/** Kills programs and the database, and starts them again. A program that ends by itself is started again too, and told of. */
export function createKiller(world: World, keep: string, say: (line: string) => void): Killer {
  const down = new Map<string, Promise<void>>();
  let stopping = false;
  let broken: unknown = null;

  async function kill(planned: PlannedKill): Promise<void> {
    const { target, number, afterDelivery } = planned;
    // What is not up cannot be killed: it gets up first.
    for (let before = down.get(target); before; before = down.get(target)) await before;
    if (broken) throw broken;
    const url = world.programs.get(target)?.ready['spine'];
    if (afterDelivery && typeof url === 'string') await nextDelivery(world.ledgerFile, url, DELIVERY_MS);
    let dead = (): void => undefined;
    const killed = new Promise<void>((resolve) => {
      dead = resolve;
    });
    const back = (async () => {
      const pid = target === 'database' ? await killDatabase(world) : await killProgram(world, target);
      await appendFile(
        join(keep, FILES.kills),
        `${JSON.stringify({ time: new Date().toISOString(), number, target, pid, signal: 'SIGKILL', downMs: planned.downMs })}\n`,
      );
      say(`kill ${number}: ${target} (process ${pid})`);
      dead();
      await sleep(planned.downMs);
      await startAgain(target);
    })();
    keepDown(target, back);
    await Promise.race([killed, back]);
  }

  function keepDown(target: string, back: Promise<void>): void {
    const settled = back
      .catch((thrown: unknown) => {
        broken ??= thrown;
      })
      .finally(() => {
        if (down.get(target) === settled) down.delete(target);
        watch(target);
      });
    down.set(target, settled);
  }

  async function startAgain(target: string): Promise<void> {
    const since = Date.now();
    while (!stopping) {
      try {
        await (target === 'database' ? world.restartDatabase() : world.restart(target));
        return;
      } catch (thrown) {
        // Its database may be away at this moment, or its port not free yet.
        if (Date.now() - since > START_MS) throw new Fault('torture.start', `${target} does not start again: ${reasonOf(thrown)}`);
        await sleep(500);
      }
    }
  }

  function watch(target: string): void {
    const program = world.programs.get(target);
    if (!program) return;
    void program.ended.then(({ code, signal: by }) => {
      if (stopping || down.has(target) || world.programs.get(target) !== program) return;
      say(`${target} ended by itself (${by ?? `code ${code}`}) and is started again`);
      keepDown(target, startAgain(target));
    });
  }
  for (const target of world.programs.keys()) watch(target);

  return {
    kill,
    async ensureDatabase() {
      const { pid } = world.database;
      // It may be about to end over what it could not write.
      for (const end = Date.now() + SETTLE_MS; Date.now() < end && isThere(pid); ) await sleep(50);
      if (stopping || down.has('database') || isThere(pid)) return;
      say('the database server ended by itself and is started again');
      keepDown('database', startAgain('database'));
    },
    async allUp() {
      while (down.size) await Promise.all(down.values());
      if (broken) throw broken;
    },
    async stop() {
      stopping = true;
      while (down.size) await Promise.all(down.values());
    },
  };
}

async function killProgram(world: World, name: string): Promise<number> {
  const program = world.programs.get(name);
  if (!program) throw new Fault('torture.target', `there is no program ${name}`);
  program.kill('SIGKILL');
  const { signal: by } = await program.ended;
  if (by !== 'SIGKILL') throw new Fault('torture.target', `${name} ended by itself before it could be killed`);
  return program.pid;
}

/** The server and every process it began: as when the machine loses its power, but for what the disk holds. */
async function killDatabase(world: World): Promise<number> {
  const { pid } = world.database;
  const tree = await treeOf(pid);
  for (const one of tree) signal(one, 'SIGKILL');
  const since = Date.now();
  while (tree.some(isThere)) {
    if (Date.now() - since > 20_000) throw new Fault('torture.target', `the database server ${pid} does not die`);
    await sleep(20);
  }
  return pid;
}
