import { createHash } from 'node:crypto';
import { type Content, type ObjectRef, storedLength } from '../../base/content.ts';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type DocumentId, documentId } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import { createRooms } from '../../base/rooms.ts';
import { extractHead } from '../../hl7v3/extract.ts';
import { putInPlace } from '../../hl7v3/skeleton.ts';
import { degradesOf } from '../../mi/lists.ts';
import { readContent } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { openWriterAt } from '../../objects/place.ts';
import { isPlaceholder, PLACEHOLDER_SENTENCE } from '../../record/document/terms.ts';
import { writeFhir } from '../../record/to-fhir.ts';
import type { ConversionReport, DocumentLink, ReceivedDocument, Terminology } from '../../record/types.ts';
import { writeStored } from '../../store/stored-json.ts';
import type { XmlElement } from '../../xml/element.ts';
import { readXmlFrom } from '../../xml/read.ts';
import { jsonPieces } from './json-pieces.ts';
import type { ReceivedAttachment, ReceivedDocumentEntry, ToFhirAnswer, ToFhirTask } from './tasks.ts';
import type { ThreadContext } from './to-hl7.ts';

/**
 * Reads a record that has come whole: puts what came for a skeleton in its place, converts, stores bundle, report and the list of
 * documents. A document that never came costs that document.
 */
export async function convertToFhir(context: ThreadContext, task: ToFhirTask, terminology: Terminology): Promise<ToFhirAnswer> {
  const { objects, newId } = context;
  let root: XmlElement;
  try {
    root = await readXmlFrom(readContent(objects, task.hl7));
  } catch (error) {
    return unusable('21', error);
  }
  for (const attachment of task.attachments) {
    if (!attachment.announced.skeleton) continue;
    if (!attachment.content)
      return { converted: false, code: '31', fault: 'the record that belongs in the place of the skeleton did not come' };
    try {
      const embedded = await readXmlFrom(readContent(objects, attachment.content));
      root = putInPlace(root, embedded, attachment.announced.documentId ?? '');
    } catch (error) {
      return unusable('31', error);
    }
  }
  const nhsNumber = patientIn(root);
  const entries = await receivedDocuments(
    objects,
    task.attachments.filter(({ announced }) => !announced.skeleton),
  );
  const kinds = new Map<DocumentId, string>();
  const kindOf = ({ documentId: id }: ReceivedDocumentEntry) => (kinds.has(id) ? { kind: kinds.get(id) } : {});
  const writer = openWriterAt(context.place, context.objects);
  let report: ConversionReport;
  let bundle: ObjectRef;
  try {
    const documents = lookUpIn(entries, task.documentsUrl, kinds);
    const options = { newId, losingPractice: task.losingPractice, terminology, documents };
    const conversion = writeFhir(root, options, (piece) => writer.write(piece));
    if ('refused' in conversion) {
      writer.abandon();
      return { converted: false, code: '21', fault: conversion.text };
    }
    ({ report } = conversion);
    const ended = await writer.end();
    bundle = ended.ref;
    context.counted.written += ended.written;
    context.counted.kept += ended.kept;
  } catch (error) {
    writer.abandon();
    throw error;
  }
  // Apart from the report, which tells of everything: whoever reports management information need not read all of that.
  const degrades = degradesOf(report.issues);
  return {
    converted: true,
    bundle,
    ...(degrades.length > 0 && { degrades: await objects.put(Buffer.from(writeStored(degrades))) }),
    report: await objects.put(jsonPieces(report)),
    documents: await objects.put(Buffer.from(writeStored(entries.map((entry) => ({ ...entry, ...kindOf(entry) }))))),
    summary: report.summary,
    nhsNumber,
    undelivered: entries.filter(({ content }) => content === null).length,
  };
}

/** What is wrong with the bytes is the sender's; what is wrong with our store is ours, and passes. */
function unusable(code: '21' | '31', error: unknown): ToFhirAnswer {
  if (!(error instanceof Fault) || error.code.startsWith('objects.')) throw error;
  return { converted: false, code, fault: reasonOf(error) };
}

function patientIn(root: XmlElement): NhsNumber | null {
  try {
    return extractHead(root).nhsNumber;
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}

async function receivedDocuments(objects: Objects, attachments: readonly ReceivedAttachment[]): Promise<ReceivedDocumentEntry[]> {
  const used = new Set<string>();
  const entries: ReceivedDocumentEntry[] = [];
  for (const { announced, content, missing } of attachments) {
    const name = announced.filename ?? '';
    const about = {
      documentId: ownId(announced.documentId, entries.length + 1, used),
      name,
      contentType: announced.contentType ?? 'application/octet-stream',
    };
    let measured: { bytes: number; sha256: string } | null = null;
    let why = isPlaceholder(name) ? PLACEHOLDER_SENTENCE : null;
    if (!content) why = missing.length > 0 ? `${missing.length} of its messages did not come` : 'its pieces do not fit together';
    else {
      try {
        measured = await measure(objects, content);
      } catch (error) {
        if (!(error instanceof Fault) || error.code.startsWith('objects.')) throw error;
        why = `it came damaged: ${reasonOf(error)}`;
      }
    }
    entries.push({
      ...about,
      bytes: measured?.bytes ?? 0,
      sha256: measured?.sha256 ?? '',
      missing: why,
      content: measured ? content : null,
    });
  }
  return entries;
}

/** Ids of documents come from outside: two may be alike, and they become part of an address. */
function ownId(announced: DocumentId | undefined, number: number, used: Set<string>): DocumentId {
  const usable = announced !== undefined && /^[A-Z0-9.-]{1,64}$/.test(announced) && !used.has(announced);
  const id = usable ? announced : documentId(`DOCUMENT-${number}`);
  used.add(id);
  return id;
}

/** The pieces of a large record would else lie about by the dozen megabytes. */
const ROOMS = createRooms(262_144, 1);

/** Length and hash of the bytes that the content means. Of one whole object both are known; nothing is written. */
async function measure(objects: Objects, content: Content): Promise<{ bytes: number; sha256: string }> {
  const [first, ...others] = content.pieces;
  if (
    !content.gzip &&
    content.stored === 'bytes' &&
    others.length === 0 &&
    first.in === 'store' &&
    storedLength(content) === first.object.bytes
  ) {
    return { bytes: first.object.bytes, sha256: first.object.sha256 };
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const room = ROOMS.take();
  for await (const chunk of readContent(objects, content, { into: room })) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  ROOMS.give(room);
  return { bytes, sha256: hash.digest('hex') };
}

/** By its id; else by the file name, where only one document has it. What the extract calls its kind is put into `kinds`. */
function lookUpIn(
  entries: readonly ReceivedDocumentEntry[],
  documentsUrl: string,
  kinds: Map<DocumentId, string>,
): (link: DocumentLink) => ReceivedDocument | undefined {
  const byId = new Map(entries.map((entry) => [entry.documentId as string, entry]));
  const byName = new Map<string, ReceivedDocumentEntry | null>();
  for (const entry of entries) byName.set(entry.name.toLowerCase(), byName.has(entry.name.toLowerCase()) ? null : entry);
  return (link) => {
    const entry = byId.get(documentId(link.documentId ?? '')) ?? byName.get((link.filename ?? '').toLowerCase());
    if (!entry) return undefined;
    if (link.kind) kinds.set(entry.documentId, link.kind);
    const { name, bytes, missing } = entry;
    return { filename: name, url: `${documentsUrl}/${encodeURIComponent(entry.documentId)}`, bytes: entry.content ? bytes : null, missing };
  };
}
