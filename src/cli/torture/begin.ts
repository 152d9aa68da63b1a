import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../base/errors.ts';
import { ask } from '../demo/moves.ts';
import type { World } from '../demo/world.ts';
import type { Plan, PlannedTransfer } from './plan.ts';
import type { Snapshot } from './progress.ts';

const AGAIN_MS = 300;
/** How long the request of a patient who moves on is held up on its way. */
const HOLD_MS = 6_000;

/**
 * Registers the patient at the new practice: the practice's system is asked until it has done it, with the same registration each
 * time, as staff would who see it restart.
 */
export async function beginTransfer(
  world: World,
  plan: Plan,
  transfer: PlannedTransfer,
  nhsNumber: string,
  latest: () => Snapshot | null,
  signal: AbortSignal,
): Promise<void> {
  const { to, registrationId, kind } = transfer;
  if (kind === 'movedOn') await holdRequest(world, transfer, signal);
  await untilDone(`${world.systemUrl[to.side]}/control/register`, 'POST', { ods: to.ods, nhsNumber, registrationId }, signal);
  if (kind === 'movedOn') await moveOn(world, plan, transfer, nhsNumber, latest, signal);
}

async function holdRequest(world: World, { to }: PlannedTransfer, signal: AbortSignal): Promise<void> {
  const rule = { fault: 'latency', ms: HOLD_MS, times: 1, match: { from: to.partyKey, interaction: 'RCMR_IN010000UK05' } };
  await untilDone(`${world.spineControl}/control/faults`, 'POST', rule, signal);
}

/** PDS shows yet another practice once the request is made, and before the previous practice looks. */
async function moveOn(
  world: World,
  plan: Plan,
  transfer: PlannedTransfer,
  nhsNumber: string,
  latest: () => Snapshot | null,
  signal: AbortSignal,
): Promise<void> {
  const asked = () => latest()?.transfers.some((row) => row.registration === transfer.registrationId && row.state !== 'checking') ?? false;
  for (let waited = 0; !asked() && waited < 60_000; waited += 100) await sleep(100, undefined, { signal });
  const elsewhere = plan.practices.find((practice) => practice !== transfer.to && practice !== transfer.from);
  const url = `${pdsUrl(world)}/control/people`;
  for (;;) {
    try {
      const person = (await ask(`${url}/${nhsNumber}`, { signal })) as object;
      await ask(url, {
        method: 'POST',
        body: JSON.stringify({ ...person, practice: { ods: elsewhere?.ods, start: '2026-01-01' } }),
        signal,
      });
      return;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      await sleep(AGAIN_MS, undefined, { signal });
    }
  }
}

/** Its address is the same after each restart. */
function pdsUrl(world: World): string {
  const pds = world.programs.get('spine')?.ready['pds'];
  const url = typeof pds === 'object' && pds !== null && 'url' in pds ? String(pds.url) : '';
  if (!url) throw new Fault('torture.pds', 'the simulated PDS did not say where it listens');
  return new URL(url).origin;
}

/**
 * What a system did not file waits for a person. Gives the function that plays this person: it rejects whatever waits, and again after
 * a while, since the node may have died of it.
 */
export function createRejecter(world: World, plan: Plan, signal: AbortSignal): (seen: Snapshot) => void {
  const refused = new Map(plan.transfers.filter(({ kind }) => kind === 'refused').map((one) => [one.registrationId, one]));
  const asked = new Map<string, number>();
  let turn = 0;
  return ({ transfers }) => {
    for (const row of transfers) {
      const planned = refused.get(row.registration ?? '');
      if (!planned || row.state !== 'waitingForDecision' || Date.now() - (asked.get(row.id) ?? 0) < 2_000) continue;
      asked.set(row.id, Date.now());
      const { to } = planned;
      const urls = world.nodeUrls[to.side];
      ask(`${urls[turn++ % urls.length]}/api/practices/${to.ods}/transfers/${row.id}/decision`, {
        method: 'POST',
        headers: { authorization: `Bearer ${to.apiKey}` },
        body: JSON.stringify({ decision: 'reject', user: 'torture', role: 'records administrator' }),
        signal,
        // A node that is down now is asked again at a later look.
      }).catch(() => undefined);
    }
  };
}

async function untilDone(url: string, method: string, body: object, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await ask(url, { method, body: JSON.stringify(body), signal });
      return;
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      await sleep(AGAIN_MS, undefined, { signal });
    }
  }
}
