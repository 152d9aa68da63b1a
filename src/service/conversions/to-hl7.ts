import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { type Content, type ObjectRef, type Piece, ROW_BYTES, storedLength, wholeObject } from '../../base/content.ts';
import { toHl7Seconds } from '../../base/hl7-time.ts';
import { type DocumentId, documentId, messageId } from '../../base/ids.ts';
import { extractFrame } from '../../hl7v3/extract.ts';
import { skeletonPayload } from '../../hl7v3/skeleton.ts';
import { contentBytes, putAsContent, readStored } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { type ObjectsPlace, openWriterAt } from '../../objects/place.ts';
import { toHl7, type WrittenExtract } from '../../record/to-hl7.ts';
import type { ConversionReport, DocumentFate } from '../../record/types.ts';
import { readStored as readStoredJson } from '../../store/stored-json.ts';
import { jsonPieces } from './json-pieces.ts';
import { readBundle } from './list-documents.ts';
import type { FetchedDocument, ToHl7Answer, ToHl7Task } from './tasks.ts';

export type ThreadContext = {
  readonly objects: Objects;
  readonly place: ObjectsPlace;
  readonly newId: () => string;
  readonly counted: { written: number; kept: number };
};

/** A list of documents; ten thousand of them. */
const LIST_BYTES = 64 * 1024 * 1024;
/** What the envelope and the multipart heads of one message take besides its payload. */
const AROUND_BYTES = 8_192;

/**
 * Writes a record as a whole extract message. The compositions go to an object while they are mapped; head and tail, known at the end,
 * are put around it as a list of slices.
 */
export async function convertToHl7(context: ThreadContext, task: ToHl7Task): Promise<ToHl7Answer> {
  const { objects, newId } = context;
  const now = new Date(task.now);
  const fates = new Map<string, DocumentFate>();
  for (const { fate } of await readDocuments(objects, task.documents)) fates.set(fate.reference, fate);
  const written = await writeBody(context, task, fates);
  if ('fault' in written) return { converted: false, fault: written.fault };
  const { out, report, body } = written;
  const core = messageId(newId());
  const wrapping = { messageId: core, createdAt: task.now, fromAsid: task.fromAsid, toAsid: task.toAsid, version: task.version };
  const frame = extractFrame(wrapping);
  const hl7: Content = {
    pieces: [
      await inRowOrStore(objects, frame.head + out.head),
      { in: 'store', object: body, from: 0, to: body.bytes },
      await inRowOrStore(objects, out.tail + frame.tail),
    ],
    stored: 'bytes',
    gzip: false,
  };
  let large: { compressed: Content; skeleton: Content; documentId: DocumentId } | null = null;
  if (storedLength(hl7) + AROUND_BYTES > task.messageLimit) {
    const document = documentId(newId());
    const skeleton = skeletonPayload({ frame, extract: out, documentId: document, availableAt: toHl7Seconds(now) });
    large = {
      compressed: await putAsContent(objects, compressed(objects, hl7), { gzip: true }),
      skeleton: await putAsContent(objects, Buffer.from(skeleton)),
      documentId: document,
    };
  }
  return {
    converted: true,
    extractId: out.extractId,
    messageId: core,
    hl7,
    large,
    report: await objects.put(jsonPieces(report)),
    summary: report.summary,
  };
}

type WrittenBody = { readonly out: WrittenExtract; readonly report: ConversionReport; readonly body: ObjectRef };

/** The compositions as an object, and what stands around them. The record's tree is gone when this ends, and with it most of the memory. */
async function writeBody(
  context: ThreadContext,
  task: ToHl7Task,
  documents: ReadonlyMap<string, DocumentFate>,
): Promise<WrittenBody | { readonly fault: string }> {
  const { newId } = context;
  const writer = openWriterAt(context.place, context.objects);
  try {
    const conversion = toHl7(await readBundle(context.objects, task.bundle), {
      newId,
      now: new Date(task.now),
      nhsNumber: task.nhsNumber,
      requestId: task.requestId,
      fromOds: task.requester,
      toOds: task.own,
      redactions: task.version === 'UK07',
      documents,
      write: (chunk) => writer.write(chunk),
    });
    if ('refused' in conversion) {
      writer.abandon();
      return { fault: conversion.text };
    }
    const { ref: body, written, kept } = await writer.end();
    context.counted.written += written;
    context.counted.kept += kept;
    return { ...conversion, body };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

export async function readDocuments(objects: Objects, list: ObjectRef): Promise<FetchedDocument[]> {
  const bytes = await contentBytes(objects, wholeObject(list), LIST_BYTES);
  return readStoredJson(new TextDecoder().decode(bytes)) as FetchedDocument[];
}

async function inRowOrStore(objects: Objects, text: string): Promise<Piece> {
  const data = Buffer.from(text, 'utf8');
  if (data.byteLength <= ROW_BYTES) return { in: 'row', data: new Uint8Array(data) };
  const object = await objects.put(data);
  return { in: 'store', object, from: 0, to: object.bytes };
}

/** XML only is ever compressed: gzip of base64 would cost more time than everything else together. */
function compressed(objects: Objects, content: Content): AsyncIterable<Uint8Array> {
  return Readable.from(readStored(objects, content), { objectMode: false }).compose(createGzip({ level: 6 })) as AsyncIterable<Uint8Array>;
}
