import type { DocumentLink } from '../types.ts';
import { filenameIn } from './terms.ts';

/** What is known of an attachment that came: its id from the manifest, and its name. */
export type Arrived = { readonly documentId?: string | null | undefined; readonly filename?: string | null | undefined };

/**
 * Finds the attachment that a reference in an extract means: by document id, then by decoded name, then by that without regard to
 * case, then by name without a document id in front. Of two with one name the first wins, and none is given for two references
 * with different ids.
 */
export function attachmentFinder<A extends Arrived>(arrived: readonly A[]): (link: DocumentLink) => A | undefined {
  const byId = new Map<string, A>();
  const byName = new Map<string, A>();
  for (const one of arrived) {
    const id = idKey(one.documentId);
    if (id && !byId.has(id)) byId.set(id, one);
    // A later, weaker name never takes the place of an earlier, stronger one.
    for (const name of namesOf(one.filename)) if (!byName.has(name)) byName.set(name, one);
  }
  return ({ documentId, filename }) => {
    const own = byId.get(idKey(documentId));
    if (own) return own;
    for (const name of namesOf(filename)) {
      const found = byName.get(name);
      if (found) return found;
    }
    return undefined;
  };
}

/** Ids are compared without case; manifests put an underscore in front, which XML demands of an attribute of type ID. */
function idKey(id: string | null | undefined): string {
  return (id ?? '').trim().replace(/^_/, '').toUpperCase();
}

function namesOf(filename: string | null | undefined): string[] {
  const decoded = filenameIn((filename ?? '').trim());
  if (decoded === '') return [];
  const lower = decoded.toLowerCase();
  return [decoded, `i:${lower}`, `b:${lower.replace(ID_PREFIX, '')}`];
}

const ID_PREFIX = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_/;
