/** The queue carried out: messages posted, jobs run, timers told. A result counts only while its claim does. */
import type { MessageId } from '../../base/ids.ts';
import type { Event, Job } from '../../transfer/types.ts';
import { claimOf, type Inside, LEASE_MS, LostClaim } from './inside.ts';
import { isHeld, type PostIn } from './post.ts';
import type { OutboxRow } from './store.ts';
import { instantOf } from './types.ts';

const SECOND = 1000;
/** How long a message that could never leave is made anew. */
const WAITED_MS = 8 * 86_400 * SECOND;
/** Attempts of a job before its transfer is told: a conversion that fails will fail again. */
const ATTEMPTS: Readonly<Record<Job, number>> = { mayWeAsk: 12, mayTheyAsk: 12, fetch: 12, toHl7: 3, toFhir: 3, file: 12 };

type MessageRow = Extract<OutboxRow, { kind: 'message' }>;

export function makeWork({ world, node, transaction, later, look }: Inside, post: PostIn): (row: OutboxRow) => void {
  const { chance, coverage, machine, watch } = world;
  const { tables, put, remove, onCommit } = node.store;
  const event = <E extends object>(id: string, what: E) =>
    ({ id, at: instantOf(node.now()), by: { kind: 'system' }, ...what }) as unknown as Event;

  return (row) => {
    const stalled = chance.happens(0.002);
    if (stalled) coverage.fault('stalled worker');
    const ms = stalled ? LEASE_MS * 2 : 0;
    switch (row.kind) {
      case 'message':
        later(ms + chance.between(5, 400), () => message(row));
        return;
      case 'timer':
        return later(ms + 1, () => {
          const what = event(`due:${row.id}:${row.claims}`, { kind: 'due', timer: row.timer });
          post({ transfer: row.transfer }, what, { queue: 'outbox', claim: claimOf(row) });
        });
      case 'job':
        later(ms + chance.between(10, 40_000), () => job(row));
        return;
    }
  };

  function message(row: MessageRow): void {
    const expired = row.until !== null && row.until <= node.now();
    if (expired && row.attempts === 0 && node.now() - row.queuedAt < WAITED_MS) {
      renew(row);
      return;
    }
    if (expired) {
      giveUp(row);
      return;
    }
    const answer = world.hub.post(node, row.wire);
    if (chance.happens(0.001)) {
      coverage.fault('crash after posting');
      node.crash();
      return;
    }
    switch (answer) {
      case 'delivered':
        delivered(row);
        return;
      case 'refused':
        giveUp(row);
        return;
      case 'unreachable':
        retry(row, chance.between(1, 60) * SECOND, false);
        return;
      case 'unknown': {
        if (!machine.keeps.unknown) {
          delivered(row);
          return;
        }
        const again = machine.keeps.ids ? row : renamed(row);
        retry(again, row.attempts < 2 ? 1800 * SECOND : Number.POSITIVE_INFINITY, true);
        return;
      }
    }
  }

  function delivered(row: MessageRow): void {
    watch.left(row.messageId);
    if (!row.tellWhenSent) {
      complete(row);
      return;
    }
    const known = tables.sent.get(row.messageId)?.message ?? row.messageId;
    const what = event(`sent:${row.messageId}`, { kind: 'sent', messageId: known, interaction: row.interaction });
    post({ transfer: row.transfer }, what, { queue: 'outbox', claim: claimOf(row) });
  }

  function giveUp(row: MessageRow): void {
    const known = tables.sent.get(row.messageId)?.message ?? row.messageId;
    const what = { kind: 'notSent', messageId: known, interaction: row.interaction, fault: 'given up' };
    post({ transfer: row.transfer }, event(`notSent:${row.messageId}:${row.claims}`, what), {
      queue: 'outbox',
      claim: claimOf(row),
      putAside: true,
    });
  }

  /** Made anew, its time being over before it ever left: under a new id, unless the id was promised in the core. */
  function renew(row: MessageRow): void {
    coverage.fault('renewed');
    const keepId = row.interaction === 'index' || row.interaction === 'piece';
    const now = node.now();
    const next = {
      ...(keepId ? row : renamed(row)),
      owner: null,
      attempts: 0,
      dueAt: now,
      until: now + ((row.until ?? now) - row.queuedAt),
    };
    held(row, () => {
      const known = tables.sent.get(row.messageId);
      if (known && !keepId) put(tables.sent, next.messageId, known);
      set(next);
      if (!keepId) onCommit(() => watch.renamed(row.messageId, next.messageId));
    });
  }

  function renamed(row: MessageRow): MessageRow {
    const messageId = world.newId() as MessageId;
    return { ...row, messageId, wire: row.wire.map((each) => ({ ...each, messageId })) };
  }

  function job(row: Extract<OutboxRow, { kind: 'job' }>): void {
    const transfer = tables.transfers.get(row.transfer);
    if (!transfer) {
      complete(row);
      return;
    }
    const run = chance.happens(0.03)
      ? ({ outcome: 'fault', fault: 'by chance' } as const)
      : world.runJob(node, transfer, row.job, row.attempts);
    const because = { queue: 'outbox', claim: claimOf(row) } as const;
    switch (run.outcome) {
      case 'done':
        post({ transfer: row.transfer }, event(`done:${row.id}:${row.claims}`, { kind: 'done', result: run.result }), because);
        return;
      case 'moot':
        complete(row);
        return;
      case 'again':
        retry(row, run.afterMs, false);
        return;
      case 'fault': {
        coverage.fault('job fault');
        if (row.attempts + 1 < ATTEMPTS[row.job]) {
          retry(row, Math.min(300, 2 ** row.attempts) * SECOND, true);
          return;
        }
        const what = { kind: 'failed', job: row.job, fault: run.fault };
        post({ transfer: row.transfer }, event(`failed:${row.id}:${row.claims}`, what), { ...because, putAside: true });
        return;
      }
    }
  }

  // ---- rows

  function held(row: OutboxRow, body: () => void): void {
    transaction(() => {
      const current = tables.outbox.get(row.id);
      if (!current || !isHeld(current, claimOf(row))) throw new LostClaim();
      body();
    });
  }

  function set(row: OutboxRow): void {
    put(tables.outbox, row.id, row);
    onCommit(() => look(row));
  }

  function complete(row: OutboxRow): void {
    held(row, () => remove(tables.outbox, row.id));
  }

  function retry(row: OutboxRow, afterMs: number, counts: boolean): void {
    const dueAt = Math.min(node.now() + afterMs, row.until ?? Number.POSITIVE_INFINITY);
    held(row, () => set({ ...row, owner: null, attempts: row.attempts + (counts ? 1 : 0), dueAt }));
  }
}
