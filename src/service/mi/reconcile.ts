/** What transfers mean, beside what the ledger says was told, beside what the national service says it has. */
import type { ConversationId, Ods } from '../../base/ids.ts';
import { occurrencesOf } from '../../mi/from-history.ts';
import type { EventPath } from '../../mi/terms.ts';
import { countLedger, type LedgerTransfer, ledgerPage, toldIds } from '../../store/reads/mi-ledger.ts';
import type { Store } from '../../store/tables.ts';

export type Reconciliation = {
  /** Of each practice and event: what transfers mean, and what became of it. Degrades and documents are not told one by one by history. */
  readonly practices: readonly {
    readonly practice: Ods;
    readonly path: EventPath;
    readonly taken: number;
    readonly waiting: number;
    readonly refused: number;
    /** Degrades that may have arrived, and were not posted again. */
    readonly unknown: number;
  }[];
  /** What history means and the ledger has not; none unless a practice told nothing for a while. */
  readonly missing: readonly { readonly practice: Ods; readonly conversationId: ConversationId; readonly path: EventPath }[];
  /** With what the service says it has. */
  readonly service: {
    readonly ids: number;
    /** It said it took them, and does not name them. */
    readonly lost: readonly string[];
    /** It names them, and we still wait for its word. */
    readonly unheard: readonly string[];
    /** It names them, and nobody here told them. */
    readonly strange: readonly string[];
  } | null;
  readonly agrees: boolean;
};

const PAGE = 200;

/** `received`: ids that the national service, or whoever keeps its events, says it has of this supplier. */
export async function reconcile(store: Store, received: ReadonlySet<string> | null): Promise<Reconciliation> {
  const counts = new Map<string, Reconciliation['practices'][number]>();
  for (const { practice, path, state, count } of await countLedger(store)) {
    const key = `${practice} ${path}`;
    const row = counts.get(key) ?? { practice, path, taken: 0, waiting: 0, refused: 0, unknown: 0 };
    const name = state === 'posting' ? 'waiting' : state;
    counts.set(key, { ...row, [name]: row[name] + count });
  }
  const missing: Reconciliation['missing'][number][] = [];
  for (let page = await ledgerPage(store, null, PAGE); page.length > 0; ) {
    for (const transfer of page) missing.push(...missingOf(transfer));
    const last = page.at(-1);
    page = last && page.length === PAGE ? await ledgerPage(store, last.id, PAGE) : [];
  }
  const service = received && (await beside(store, received));
  const practices = [...counts.values()];
  const agrees =
    missing.length === 0 &&
    practices.every(({ waiting, refused }) => waiting + refused === 0) &&
    (service === null || service.lost.length + service.unheard.length + service.strange.length === 0);
  return { practices, missing, service, agrees };
}

function missingOf({ practice, role, otherPractice, conversationId, entries, keys }: LedgerTransfer): Reconciliation['missing'][number][] {
  const known = new Set(keys);
  const found = new Map<string, EventPath>();
  for (const entry of entries)
    for (const { key, path, list } of occurrencesOf({ role, otherPractice }, entry))
      if ((!list || list.of === 'placeholders') && !known.has(key)) found.set(key, path);
  return [...found.values()].map((path) => ({ practice, conversationId, path }));
}

async function beside(store: Store, received: ReadonlySet<string>): Promise<NonNullable<Reconciliation['service']>> {
  const ours = new Map((await toldIds(store)).map(({ id, state }) => [id, state]));
  const lost: string[] = [];
  const unheard: string[] = [];
  for (const [id, state] of ours) {
    if (state === 'taken' && !received.has(id)) lost.push(id);
    if (state !== 'taken' && received.has(id)) unheard.push(id);
  }
  return { ids: received.size, lost, unheard, strange: [...received].filter((id) => !ours.has(id)) };
}
