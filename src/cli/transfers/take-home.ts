/** The content of a conversion for an export: as it is, or redacted; put into a store of its own, and the task made to point there. */
import { type Content, type ObjectRef, storedLength, wholeObject } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { contentBytes, putAsContent } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { readDocuments } from '../../service/conversions/to-hl7.ts';
import { writeStored } from '../../store/stored-json.ts';
import type { ExportedConversion } from './exported.ts';
import { type Pseudonyms, redactJson, redactXml, scrubName } from './redact.ts';

type Task = ExportedConversion['task'];
type Reading = Extract<Task, { do: 'toFhir' }>;
type Writing = Extract<Task, { do: 'toHl7' }>;
type Stores = { readonly from: Objects; readonly to: Objects };

/** The largest record, unzipped. */
const RECORD_BYTES = 512 * 1024 * 1024;

/** Copies every object that the conversion reads. Throws `objects.missing` where one is erased. */
export async function copyTask(task: Task, stores: Stores): Promise<Task> {
  if (task.do === 'toHl7') {
    await copyObject(task.bundle, stores);
    await copyObject(task.documents, stores);
    return task;
  }
  for (const content of [task.hl7, ...task.attachments.flatMap((attachment) => attachment.content ?? [])])
    await copyContent(content, stores);
  return task;
}

export async function copyContent(content: Content, stores: Stores): Promise<void> {
  for (const piece of content.pieces) if (piece.in === 'store') await copyObject(piece.object, stores);
}

async function copyObject(ref: ObjectRef, { from, to }: Stores): Promise<void> {
  await to.put(from.get(ref));
}

/** The same conversion of a record without its person. What it is asked beside that (`nhsNumber`) is the caller's to change. */
export async function redactTask(task: Task, stores: Stores, pseudonyms: Pseudonyms): Promise<Task> {
  return task.do === 'toHl7' ? await redactWriting(task, stores, pseudonyms) : await redactReading(task, stores, pseudonyms);
}

async function redactWriting(task: Writing, { from, to }: Stores, pseudonyms: Pseudonyms): Promise<Writing> {
  const bundle = await contentBytes(from, wholeObject(task.bundle), RECORD_BYTES);
  // Of the documents only their fates are read.
  const documents = (await readDocuments(from, task.documents)).map((document) => ({
    ...document,
    fate: { ...document.fate, filename: scrubName(document.fate.filename) },
    content: counted(document.content),
  }));
  return {
    ...task,
    bundle: await to.put(redactJson(bundle, pseudonyms)),
    documents: await to.put(Buffer.from(writeStored(documents))),
  };
}

async function redactReading(task: Reading, stores: Stores, pseudonyms: Pseudonyms): Promise<Reading> {
  const { from, to } = stores;
  const hl7 = await putAsContent(to, redactXml(await contentBytes(from, task.hl7, RECORD_BYTES), pseudonyms));
  const attachments: Reading['attachments'][number][] = [];
  for (const { announced, content, missing } of task.attachments) {
    const named = announced.filename === undefined ? announced : { ...announced, filename: scrubName(announced.filename) };
    attachments.push({
      announced: named,
      missing,
      content: content && (await redactAttachment(content, announced.skeleton, stores, pseudonyms)),
    });
  }
  return { ...task, hl7, attachments };
}

/** The record that belongs in a skeleton's place is redacted; of any other document only its length stays. */
async function redactAttachment(content: Content, record: boolean, { from, to }: Stores, pseudonyms: Pseudonyms): Promise<Content> {
  let bytes: Uint8Array;
  try {
    bytes = await contentBytes(from, content, RECORD_BYTES);
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code.startsWith('content.'))) throw thrown;
    return await putAsContent(to, damaged(content), { gzip: content.gzip, stored: content.stored });
  }
  return await putAsContent(to, record ? redactXml(bytes, pseudonyms) : Buffer.alloc(bytes.byteLength, 'x'));
}

/** As long and as unreadable: no base64 where that was wrong, else a gzip that begins and does not go on. */
function damaged(content: Content): Uint8Array {
  const bytes = Buffer.alloc(storedLength(content), content.stored === 'base64' ? '!' : 0);
  if (content.stored === 'bytes') bytes.set([0x1f, 0x8b].slice(0, bytes.byteLength));
  return bytes;
}

function counted(content: Content): Content {
  const bytes = storedLength(content);
  return { pieces: [{ in: 'store', object: { sha256: '', bytes }, from: 0, to: bytes }], stored: 'bytes', gzip: false };
}
