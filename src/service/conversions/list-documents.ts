import type { ObjectRef } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { readJson } from '../../fhir/json.ts';
import type { Bundle, DocumentReference } from '../../fhir/types.ts';
import type { AbsentDocument } from '../../mi/lists.ts';
import { objectBytes } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { attachmentOf } from '../../record/document/fate.ts';
import { isSupported } from '../../record/document/terms.ts';
import type { ListedDocument } from './tasks.ts';

/** A bundle as the practice's system may give it. */
export const BUNDLE_BYTES = 64 * 1024 * 1024;

/** The documents that a bundle names, in its order. Throws `Fault` `bundle.unreadable`, `json.malformed`. */
export async function listDocuments({ objects }: { readonly objects: Objects }, ref: ObjectRef): Promise<ListedDocument[]> {
  const bundle = await readBundle(objects, ref);
  const documents = (bundle.entry ?? []).flatMap(({ resource }) => (isDocument(resource) ? [resource] : []));
  return documents.map((document) => {
    const reference = `DocumentReference/${document.id}`;
    const found = attachmentOf(document);
    const name = document.description ?? document.content?.[0]?.attachment?.title ?? '';
    if ('absent' in found) return { reference, name, absent: found.absent, as: absentAs(document) };
    return { reference, name, url: found.attachment.url ?? '', contentType: found.attachment.contentType ?? '' };
  });
}

export async function readBundle(objects: Objects, ref: ObjectRef): Promise<Bundle> {
  const json = readJson(await objectBytes(objects, ref, BUNDLE_BYTES));
  if (typeof json !== 'object' || json === null || !('resourceType' in json) || json.resourceType !== 'Bundle') {
    throw new Fault('bundle.unreadable', 'what the practice’s system gave is no FHIR bundle');
  }
  return json as Bundle;
}

/** A title is the system's own word that its file is not there; else it is this send that leaves the document out. */
function absentAs(document: DocumentReference): AbsentDocument {
  const attachment = document.content?.[0]?.attachment;
  const contentType = attachment?.contentType ?? null;
  if (attachment?.title) return { by: 'PRE_EXISTING', reason: 'UNABLE_TO_DETERMINE_PROBLEM', contentType };
  const hasType = contentType !== null && isSupported(contentType);
  return { by: 'SENDER', reason: attachment && !hasType ? 'FILE_TYPE_UNSUPPORTED' : 'FILE_NOT_FOUND', contentType };
}

function isDocument(resource: { readonly resourceType: string } | undefined): resource is DocumentReference {
  return resource?.resourceType === 'DocumentReference';
}
