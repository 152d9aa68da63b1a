/** A requesting transfer's ledger as the store keeps it: the same rules over rows in memory. */
import type { Content } from '../../base/content.ts';
import type { MessageId } from '../../base/ids.ts';
import type { LedgerPart } from '../../transfer/parts.ts';
import type { Announced, PartFacts, Reference } from '../../transfer/types.ts';

export type LedgerRow = LedgerPart & { readonly came: boolean };
export type Ledger = ReadonlyMap<string, LedgerRow>;

/** What a core or an index announces. The first announcement counts, and content that came before it stays. */
export function expected(ledger: Ledger, under: MessageId, references: readonly Reference[]): Ledger {
  const rows = new Map(ledger);
  for (const [order, reference] of references.entries()) {
    const key = reference.at === 'message' ? reference.messageId : `${under}#${order}`;
    const there = rows.get(key);
    if (there?.under) continue;
    const content = there?.content ?? (reference.at === 'here' ? reference.part.content : null);
    rows.set(key, {
      key,
      under,
      order,
      announced: reference,
      content,
      index: there?.index ?? false,
      came: there?.came ?? content !== null,
    });
  }
  return rows;
}

export function withIndex(ledger: Ledger, key: MessageId, announced: Announced): Ledger {
  const there = ledger.get(key) ?? { key, under: null, order: 0, announced, content: null, index: true, came: true };
  return new Map(ledger).set(key, { ...there, index: true, came: true });
}

/** The first content stays. */
export function withPiece(ledger: Ledger, key: MessageId, content: Content, announced: Announced): Ledger {
  const there = ledger.get(key) ?? { key, under: null, order: 0, announced, content, index: false, came: true };
  return new Map(ledger).set(key, { ...there, content: there.content ?? content, came: true });
}

/** What the ledger says of a core, index or piece that arrives; nothing that only a stray index names makes a transfer wait. */
export function ledgerFacts(
  ledger: Ledger,
  messageId: MessageId,
  announces: readonly Reference[],
  as: 'core' | 'afresh' | 'part',
): PartFacts {
  const children = new Set(announces.flatMap((reference) => (reference.at === 'message' ? [reference.messageId as string] : [])));
  if (as === 'afresh') return { expected: false, seen: false, outstandingAfter: children.size, messages: children.size };
  const own = ledger.get(messageId);
  const isExpected = own !== undefined && own.under !== null;
  const counts = as === 'core' || (own !== undefined && leadsToCore(ledger, own));
  const stray = strays(ledger, counts ? children : new Set());
  let [waiting, known, others] = [0, 0, 0];
  for (const [key, row] of ledger) {
    const isStray = stray.has(key);
    if (!row.came && key !== messageId && !isStray) waiting++;
    if (children.has(key)) known++;
    else if (announces.length > 0 && row.under !== null && !key.includes('#') && !isStray) others++;
  }
  return {
    expected: isExpected,
    seen: own?.came ?? false,
    outstandingAfter: waiting + (counts ? children.size - known : 0),
    messages: others + (counts ? children.size : 0),
  };
}

/** Whether those who announced it, one after the other, end with the core, which has no row of its own. */
function leadsToCore(ledger: Ledger, row: LedgerRow): boolean {
  const seen = new Set<LedgerRow>();
  for (let above: LedgerRow | undefined = row; above && !seen.has(above); above = ledger.get(above.under)) {
    seen.add(above);
    if (above.under === null) return false;
  }
  return true;
}

function strays(ledger: Ledger, announced: ReadonlySet<string>): ReadonlySet<string> {
  const stray = new Set<string>();
  for (const [key, row] of ledger) if (row.index && row.under === null && !announced.has(key)) stray.add(key);
  for (let before = -1; stray.size > 0 && before !== stray.size; ) {
    before = stray.size;
    for (const [key, row] of ledger) if (row.under !== null && stray.has(row.under)) stray.add(key);
  }
  return stray;
}

/** Messages that the record still waits for, once a core is there. */
export function outstanding(ledger: Ledger): number {
  const stray = strays(ledger, new Set());
  let waiting = 0;
  for (const [key, row] of ledger) if (!row.came && !stray.has(key)) waiting++;
  return waiting;
}
