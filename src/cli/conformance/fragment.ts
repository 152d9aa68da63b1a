import { readFile } from 'node:fs/promises';
import { Fault } from '../../base/errors.ts';
import { readJson } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/types.ts';
import type { Answer, BatchCase } from './case.ts';
import { OPERATIONS, type Told, unpack } from './operations.ts';
import { unitState } from './unit-state.ts';

/** One resource as the fragment that the named operation of the existing adaptor gives. Its names live here alone. */
export async function fragment(asked: BatchCase): Promise<Answer> {
  const resource = await readResource(asked.path);
  const around = (await Promise.all(asked.context.filter((file) => file.endsWith('.json')).map(readResource))).flatMap(unpack);
  const withNotes = await told(asked);
  const state = unitState([...around, ...unpack(resource)], {
    redactions: asked.options.redactions ?? false,
    document: (reference, id) => ({ reference, documentId: id, ...placeholdersOf(withNotes.madeUpId ?? id), present: false, why: REASON }),
  });
  const operation = OPERATIONS.get(asked.options.operation ?? '');
  if (!operation) return { error: `no such operation: ${asked.options.operation}` };
  const output = operation(resource, state, withNotes);
  return { output: withReasonPlaceholder(output), issues: state.issues };
}

// That adaptor writes tokens into the extract and fills them in once the documents are fetched. Ours knows each document's fate
// before: here the fate is the token.
const REASON = 'reason to be filled in';

function placeholdersOf(id: string): { filename: string; contentType: string } {
  return { filename: `\${FILENAME_PLACEHOLDER_ID=${id}}`, contentType: `\${CONTENT_TYPE_PLACEHOLDER_ID=${id}}` };
}

function withReasonPlaceholder(output: string): string {
  const id = /FILENAME_PLACEHOLDER_ID=([^}]*)/.exec(output)?.[1];
  return output.replaceAll(new RegExp(`Absent Attachment: ${REASON}\\s?`, 'g'), `\${ERROR_MESSAGE_PLACEHOLDER_ID=${id}}`);
}

async function told(asked: BatchCase): Promise<Told> {
  if (!asked.file) return { ...asked, madeUpId: null, notes: '' };
  const { mocks, notes } = readJson(await readFile(asked.file)) as { mocks?: { ids?: string }; notes?: string | string[] };
  // The one id that the test gives everything, where it does: the tokens carry it.
  const madeUpId = /^generated ids are ([0-9]+)$/.exec(mocks?.ids ?? '')?.[1] ?? null;
  return { ...asked, madeUpId, notes: [notes ?? []].flat().join('\n') };
}

async function readResource(file: string): Promise<Resource> {
  const read = readJson(await readFile(file));
  if (typeof read !== 'object' || read === null || !('resourceType' in read)) throw new Fault('batch.input', `${file}: no FHIR resource`);
  return read as Resource;
}
