import { type Content, joinContents, type NonEmpty, type Piece } from '../base/content.ts';
import type { MessageId } from '../base/ids.ts';
import type { Announced } from './types.ts';

/** One line of a requesting transfer's ledger: a message that was announced, or that came before its announcement. */
export type LedgerPart = {
  /** Message id, or for a part that rode inside a core or index a key of our own: content ids repeat in every message. */
  readonly key: string;
  /** The core or index that announced it; null while nobody has. */
  readonly under: MessageId | null;
  readonly order: number;
  readonly announced: Announced;
  readonly content: Content | null;
  /** An index: its content is that of its children. Told by the manifest, never by LargeAttachment. */
  readonly index: boolean;
};

export type Attachment = { readonly announced: Announced; readonly content: Content | null; readonly missing: readonly string[] };

/** Deeper nesting than this is nobody's habit and somebody's attack. */
const DEPTH = 4;

/**
 * The attachments that a core announced, in its order, each joined from its leaves in manifest order. No byte is copied or
 * decoded: joining makes a list. What never came is named in `missing`. Metadata is the core's; only its flag says whether the
 * joined bytes are a gzip stream.
 */
export function assemble(core: MessageId, ledger: readonly LedgerPart[]): readonly Attachment[] {
  const under = new Map<string, LedgerPart[]>();
  for (const part of ledger) {
    if (part.under === null) continue;
    const siblings = under.get(part.under);
    if (siblings) siblings.push(part);
    else under.set(part.under, [part]);
  }
  for (const siblings of under.values()) siblings.sort((a, b) => a.order - b.order);
  return (under.get(core) ?? []).map((part) => {
    const leaves: Content[] = [];
    const missing: string[] = [];
    collect(part, under, leaves, missing, 0);
    const [first, ...rest] = leaves;
    const content = missing.length === 0 && first ? joined([first, ...rest], part.announced.compressed) : null;
    return { announced: part.announced, content, missing };
  });
}

/** Whether what was to come in the place of a skeleton is not whole: then there is no record, only documents. */
export function recordMissing(core: MessageId, ledger: readonly LedgerPart[]): boolean {
  return assemble(core, ledger).some(({ announced, content }) => announced.skeleton && content === null);
}

function collect(part: LedgerPart, under: ReadonlyMap<string, LedgerPart[]>, leaves: Content[], missing: string[], depth: number): void {
  const children = under.get(part.key) ?? [];
  if (children.length > 0 && depth < DEPTH) {
    for (const child of children) collect(child, under, leaves, missing, depth + 1);
  } else if (part.content && children.length === 0) leaves.push(part.content);
  else missing.push(part.key);
}

/**
 * Leaves of which one did not decode by itself are base64 text together: groups of four lie across a cut, and a leaf between two cuts may
 * have decoded to something that nobody meant.
 */
function joined(leaves: NonEmpty<Content>, compressed: boolean): Content {
  if (!leaves.some(({ stored }) => stored === 'base64')) return joinContents(leaves, compressed);
  const [first, ...others] = leaves.map((leaf) => (leaf.stored === 'base64' ? leaf : asText(leaf)));
  return joinContents(first ? [first, ...others] : leaves, compressed);
}

function asText({ pieces: [first, ...others], gzip }: Content): Content {
  const marked = (piece: Piece): Piece => ({ ...piece, as: 'base64' });
  return { pieces: [marked(first), ...others.map(marked)], stored: 'base64', gzip };
}
