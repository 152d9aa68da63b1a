import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '../../../base/errors.ts';
import { isCleanUpgrade, upgrade } from './upgrade.ts';
import { programIn } from './versions.ts';

export type UpgradeCommand = {
  readonly json?: boolean;
  readonly transfers: number;
  readonly rate: number;
  readonly seed: number;
  readonly previous?: string;
};

/** Long enough for every transfer to last while all nodes are replaced, and others to end meanwhile. */
const HOLD_MS = 15_000;
const PAUSE_MS = 3_000;
/** Longer than the balancer takes to notice, also on a busy machine. */
const DRAIN_SECONDS = 2;

/** `torture --upgrade`: the run with its evidence in `keep`, the figures in words or as a line of JSON; the exit code. */
export async function runUpgrade(
  { json, transfers, rate, seed, previous }: UpgradeCommand,
  { keep, isKept, say, interrupted }: { keep: string; isKept: boolean; say: (line: string) => void; interrupted: Promise<void> },
): Promise<number> {
  const from = previous === undefined ? null : resolve(previous);
  if (from !== null && programIn(from) === null)
    throw new Fault('torture.previous', `there is no gp2gp in ${from}`, { remedy: 'Name a checkout or an installed package.' });
  say(`${transfers} transfers on their way, ${rate} messages a second beside theirs, seed ${seed}; folder ${keep}`);
  const upgraded = await upgrade({
    running: transfers,
    perSecond: rate,
    seed,
    holdMs: HOLD_MS,
    pauseMs: PAUSE_MS,
    drainSeconds: DRAIN_SECONDS,
    ...(from !== null && { previous: from }),
    keep,
    say,
    interrupted,
  });
  if (!upgraded) {
    say(`interrupted; what was there is in ${keep}`);
    return 1;
  }
  const { line, findings } = upgraded;
  const good = isCleanUpgrade(line);
  for (const finding of findings.slice(0, 50)) say(finding);
  if (good && !isKept) await rm(keep, { recursive: true, force: true });
  else {
    await writeFile(join(keep, 'findings.json'), `${JSON.stringify(upgraded, null, 1)}\n`);
    if (good) await rm(join(keep, 'world'), { recursive: true, force: true });
    say(`kept: ${keep}`);
  }
  if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
  else
    say(
      `${line.transfers} transfers, never fewer than ${line.fewestRunning} on their way: ${line.integrated} integrated, ${line.lost} lost, ` +
        `${line.duplicated} duplicated, ${line.stuck} stuck; ${line.messages} messages: ${line.refused} refused, ${line.turnedAway} turned ` +
        `away by one node and taken by another, 99 % within ${line.p99Ms} ms, all within ${line.mostMs} ms`,
    );
  return good ? 0 : 1;
}
