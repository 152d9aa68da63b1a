import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { CastPractice } from './cast.ts';
import type { World } from './world.ts';

/** One patient's move from practice to practice. */
export type Move = { readonly nhsNumber: string; readonly from: CastPractice; readonly to: CastPractice };

/** A transfer as a practice's system sees it through its node. */
export type Seen = {
  readonly transferId: string;
  readonly role: 'requesting' | 'sending';
  readonly conversationId: string;
  readonly state: string;
  readonly outcome?: { readonly kind: string; readonly [detail: string]: unknown };
};
export type TimelineEntry = {
  readonly number: number;
  readonly at: string;
  readonly note: string;
  readonly measured: Readonly<Record<string, string | number>>;
};
export type Moved = {
  readonly move: Move;
  readonly conversationId: string;
  /** As the new practice saw it, and the previous one (null where it never heard of it). */
  readonly requesting: Seen;
  readonly sending: Seen | null;
  readonly timelines: { readonly requesting: readonly TimelineEntry[]; readonly sending: readonly TimelineEntry[] };
};

const POLL_MS = 100;

/** Registers a patient at the new practice and watches both nodes until the transfer has ended on both sides. `tell` hears each step. */
export async function carryOut(world: World, move: Move, tell: (practice: CastPractice, entry: TimelineEntry) => void): Promise<Moved> {
  const registered = (await ask(`${world.systemUrl[move.to.side]}/control/register`, {
    method: 'POST',
    body: JSON.stringify({ ods: move.to.ods, nhsNumber: move.nhsNumber }),
  })) as { transferId: string; conversationId: string };
  const told = { requesting: 0, sending: 0 };
  const timelines: { requesting: readonly TimelineEntry[]; sending: readonly TimelineEntry[] } = { requesting: [], sending: [] };
  let sendingId: string | null = null;
  for (;;) {
    const requesting = (await node(world, move.to, `transfers/${registered.transferId}`)) as Seen;
    sendingId ??= await findSending(world, move, registered.conversationId);
    const sending = sendingId === null ? null : ((await node(world, move.from, `transfers/${sendingId}`)) as Seen);
    for (const [role, practice, id] of [
      ['requesting', move.to, registered.transferId],
      ['sending', move.from, sendingId],
    ] as const) {
      if (id === null) continue;
      const { entries } = (await node(world, practice, `transfers/${id}/timeline`)) as { entries: readonly TimelineEntry[] };
      timelines[role] = entries;
      for (const entry of entries.slice(told[role])) tell(practice, entry);
      told[role] = entries.length;
    }
    // The previous practice has nothing to end where it never heard of the transfer.
    const heard = sending !== null || requesting.outcome?.kind === 'notEligible' || requesting.outcome?.kind === 'internal';
    if (requesting.state === 'ended' && heard && (sending === null || sending.state === 'ended')) {
      return { move, conversationId: registered.conversationId, requesting, sending, timelines };
    }
    await sleep(POLL_MS);
  }
}

async function findSending(world: World, move: Move, conversationId: string): Promise<string | null> {
  const { transfers } = (await node(world, move.from, `transfers?role=sending&nhsNumber=${move.nhsNumber}`)) as {
    transfers: readonly Seen[];
  };
  return transfers.find((transfer) => transfer.conversationId === conversationId)?.transferId ?? null;
}

/** Asks one of a practice's nodes; a node that does not answer is passed over for the next, again and again for a minute. */
export async function node(world: World, practice: CastPractice, path: string): Promise<unknown> {
  const urls = world.nodeUrls[practice.side];
  let last: unknown;
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      return await ask(`${urls[attempt % urls.length]}/api/practices/${practice.ods}/${path}`, {
        headers: { authorization: `Bearer ${practice.apiKey}` },
      });
    } catch (thrown) {
      last = thrown;
      await sleep(200);
    }
  }
  throw last;
}

/** A JSON answer; anything but 2xx is a `Fault` with what was said. */
export async function ask(url: string, init: RequestInit = {}): Promise<unknown> {
  const asked = `${init.method ?? 'GET'} ${url}`;
  const headers = { ...(init.body ? { 'content-type': 'application/json' } : {}), ...init.headers };
  const answer = await fetch(url, { ...init, headers }).catch((thrown: unknown) => {
    throw new Fault('demo.unreachable', `${asked}: ${reasonOf(thrown)}`);
  });
  const text = await answer.text();
  if (!answer.ok) throw new Fault('demo.answer', `${asked}: ${answer.status} ${text.slice(0, 300)}`);
  return text ? JSON.parse(text) : null;
}
