import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Fault, reasonOf } from '../../base/errors.ts';
import { documentBytes } from '../gp-system/documents.ts';
import { type Conversation, type Desk, REFUSALS } from './desk.ts';
import { type RecordToWrite, recordComponents, skeletonComponents, writeExtract } from './extract.ts';
import { type FollowingMessage, filled, type OutgoingDocument, pack, skeletonDocument } from './packing.ts';
import { writeAnswer, writeCover, writeExtractMessage } from './payloads.ts';
import type { Party } from './post.ts';
import { type AnswerRead, hasSpaceBetweenElements, type Incoming, isContinue, type RequestRead, readAnswer, readRequest } from './read.ts';

/** A record that a simulated system holds. Its documents are made when they are sent. */
export type VendorRecord = {
  readonly nhsNumber: string;
  /** Consultations, each with a note of about so many characters. */
  readonly consultations: number;
  readonly noteCharacters: number;
  readonly documents: readonly VendorDocument[];
};
export type VendorDocument = {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly compressed?: boolean;
  /** It is not there any more: a placeholder goes in its place (P 4.3). */
  readonly absent?: boolean;
};

type Sending = Conversation & {
  readonly request: string;
  core: { readonly messageId: string; readonly hl7Id: string; readonly extractId: string } | null;
  following: readonly FollowingMessage[];
};

/** The practice that has the record: answers requests, sends the parts after the continue, and hears how it ended. */
export function createSender(
  desk: Desk,
  records: ReadonlyMap<string, VendorRecord>,
  /** ODS code of the patient's practice in PDS; null: nobody is asked. */
  practiceOf: ((nhsNumber: string) => Promise<string | null>) | null,
) {
  const { profile } = desk;
  const conversations = new Map<string, Sending>();

  async function onRequest(message: Incoming): Promise<void> {
    const { conversationId, from: partyKey } = message.envelope;
    if (conversations.has(conversationId.toUpperCase())) return;
    let request: RequestRead;
    try {
      request = readRequest(message.payload);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      request = { requestId: '', nhsNumber: '', from: '', to: '' };
    }
    const other: Party = { ods: request.from, asid: message.fromAsid, partyKey };
    const conversation: Sending = {
      conversationId,
      role: 'sending',
      nhsNumber: request.nhsNumber,
      other,
      state: 'waitingForAnswer',
      reason: null,
      documents: [],
      steps: ['A request came'],
      request: message.messageId,
      core: null,
      following: [],
    };
    conversations.set(conversationId.toUpperCase(), conversation);
    const code = await refusalOf(message, request);
    if (code !== null) {
      conversation.state = 'refused';
      conversation.reason = code;
      conversation.steps.push(`Refused with ${code}`);
      return answer(conversation, nameOf(message), code);
    }
    if (profile.requestAck === 'beforeExtract') acknowledge(conversation, message);
    sendCore(conversation, request);
    if (profile.requestAck === 'afterAll' && conversation.following.length === 0) acknowledge(conversation, message);
  }

  async function refusalOf(message: Incoming, request: RequestRead): Promise<string | null> {
    if (profile.refusesWhiteSpace && hasSpaceBetweenElements(message.payloadText)) return '18';
    if (!request.requestId || !request.nhsNumber) return '18';
    if (!records.has(request.nhsNumber)) return '06';
    if (practiceOf && (await practiceOf(request.nhsNumber)) !== request.from) return '19';
    return null;
  }

  function sendCore(conversation: Sending, request: RequestRead): void {
    const record = records.get(request.nhsNumber);
    if (!record) throw new Fault('vendor.record', 'the record went away');
    const { newId } = desk;
    const [first, second] = [newId(), newId()];
    const messageId = first;
    const hl7Id = profile.extractIds === 'crossed' ? second : first;
    const extractId = profile.extractIds === 'message' ? second : first;
    conversation.core = { messageId, hl7Id, extractId };
    const documents = record.documents.map((document) => outgoing(document, conversation));
    const of: RecordToWrite = {
      extractId,
      requestId: request.requestId,
      nhsNumber: request.nhsNumber,
      from: desk.ods,
      to: request.from,
      at: desk.now(),
      notes: notesOf(record),
      documents: documents.map(({ id, name, contentType }, n) => ({ id, name, contentType, text: textOf(record.documents[n]) })),
      newId,
    };
    const wrapping = { id: hl7Id, at: of.at, fromAsid: desk.asid, toAsid: conversation.other.asid };
    const whole = writeExtractMessage(
      profile,
      wrapping,
      writeExtract(profile, of, (doctor) => recordComponents(profile, of, doctor)),
    );
    const large = Buffer.byteLength(whole) > profile.skeletonAbove;
    const skeletonId = newId();
    const payload = large
      ? writeExtractMessage(
          profile,
          wrapping,
          writeExtract(profile, of, () => skeletonComponents(skeletonId, of.at)),
        )
      : whole;
    const packed = pack(profile, [...(large ? [skeletonDocument(skeletonId, whole)] : []), ...documents], newId);
    conversation.following = packed.following;
    conversation.documents = documents.map((document, n) => madeOf(document, record.documents[n]));
    desk.send({
      kind: 'extract',
      action: `RCMR_IN030000${profile.extractVersion}`,
      to: conversation.other,
      conversationId: conversation.conversationId,
      messageId,
      payload,
      references: packed.references,
      parts: packed.parts,
    });
    conversation.state = packed.following.length > 0 ? 'waitingForContinue' : 'waitingForAnswer';
    conversation.steps.push(`The record was sent${large ? ' behind a skeleton' : ''}, ${packed.following.length} messages follow`);
  }

  function outgoing(document: VendorDocument, conversation: Conversation): OutgoingDocument {
    const id = desk.newId();
    if (document.absent) {
      const name = `AbsentAttachment${id}.txt`;
      const text = `The file could not be included with the Electronic Record\n${document.name}\n${desk.ods}:${conversation.conversationId}\nReason:06:Unable to determine problem\n`;
      const coverName = profile.placeholderCoverName === 'documentId' ? `${id}.txt` : name;
      return { id, name, coverName, contentType: 'text/plain', compressed: false, skeleton: false, bytes: Buffer.from(text) };
    }
    const dot = document.name.lastIndexOf('.');
    const name = filled(profile.documentName, { document: id, name: document.name, extension: dot > 0 ? document.name.slice(dot) : '' });
    const content = contentOf(document);
    const bytes = document.compressed ? gzipSync(content) : content;
    return {
      id,
      name,
      coverName: name,
      contentType: document.contentType,
      compressed: document.compressed ?? false,
      skeleton: false,
      bytes,
    };
  }

  function onContinue(message: Incoming): boolean {
    const conversation = conversations.get(message.envelope.conversationId.toUpperCase());
    if (!conversation || !isContinue(message.payloadText)) return false;
    if (conversation.state !== 'waitingForContinue') {
      conversation.steps.push('A continue came that was not waited for');
      return true;
    }
    conversation.steps.push('The continue came');
    for (const { messageId, coverName, references, parts } of conversation.following) {
      const wrapping = { id: messageId, at: desk.now(), fromAsid: desk.asid, toAsid: conversation.other.asid };
      const cover = { name: coverName, from: desk.ods, to: conversation.other.ods, bodyId: desk.newId() };
      desk.send({
        kind: 'copc',
        action: 'COPC_IN000001UK01',
        to: conversation.other,
        conversationId: conversation.conversationId,
        messageId,
        payload: writeCover(profile, wrapping, cover),
        references,
        parts,
      });
    }
    conversation.state = 'waitingForAnswer';
    if (profile.requestAck === 'afterAll') answer(conversation, conversation.request, null);
    return true;
  }

  function onAnswer(message: Incoming): boolean {
    const conversation = conversations.get(message.envelope.conversationId.toUpperCase());
    if (!conversation) return false;
    const read = readAnswer(message.payload);
    const { core } = conversation;
    const closing = core && (read.of === core.messageId || (profile.closesOn === 'any' && [core.hl7Id, core.extractId].includes(read.of)));
    try {
      const code = codeIn(read);
      conversation.steps.push(`${read.type}${code === null ? '' : ` ${code}`} about ${closing ? 'the record' : read.of}`);
      if (!closing || conversation.state === 'closed') return true;
      conversation.state = read.type === 'AA' ? 'closed' : 'refused';
      conversation.reason = code;
    } catch (thrown) {
      conversation.state = 'failed';
      conversation.reason = reasonOf(thrown);
    }
    return true;
  }

  function codeIn(read: AnswerRead): string | null {
    if (read.type === 'AA') return null;
    const found = profile.readsCode === 'anywhere' ? (read.inDetail ?? read.inReason) : read.type === 'AE' ? read.inReason : read.inDetail;
    if (found && profile.needsDisplayName && found.displayName === null)
      throw new Fault('vendor.answer', `the code ${found.code} has no display name`);
    return found?.code ?? null;
  }

  function nameOf(message: Incoming): string {
    return profile.ackNames === 'hl7' ? message.hl7Id : message.messageId;
  }

  function acknowledge(conversation: Sending, message: Incoming): void {
    answer(conversation, nameOf(message), null);
  }

  function answer(conversation: Sending, of: string, code: string | null): void {
    const messageId = desk.newId();
    const wrapping = { id: messageId, at: desk.now(), fromAsid: desk.asid, toAsid: conversation.other.asid };
    const refusal = code === null ? null : { code, text: REFUSALS[code] ?? 'Unexpected condition' };
    desk.send({
      kind: 'acknowledgement',
      action: 'MCCI_IN010000UK13',
      to: conversation.other,
      conversationId: conversation.conversationId,
      messageId,
      payload: writeAnswer(profile, wrapping, { of, refusal }),
    });
    conversation.steps.push(code === null ? 'The request was acknowledged' : `Answered ${code}`);
  }

  return { onRequest, onContinue, onAnswer, list: (): readonly Conversation[] => [...conversations.values()] };
}

function contentOf(document: VendorDocument): Buffer {
  return Buffer.concat([...documentBytes({ id: document.name, contentType: document.contentType, bytes: document.bytes })]);
}

/** As it is to arrive: unzipped. */
function madeOf(document: OutgoingDocument, asked: VendorDocument | undefined): Conversation['documents'][number] {
  const bytes = asked && !asked.absent ? contentOf(asked) : document.bytes;
  return { name: document.name, bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function textOf(document: VendorDocument | undefined): string {
  return document?.absent ? 'Absent Attachment: the file is not available' : `Document: ${document?.name ?? ''}`;
}

const SENTENCE = 'Seen in surgery, well, no change to treatment; to come back if it gets worse. ';

function notesOf({ consultations, noteCharacters }: VendorRecord): string[] {
  return Array.from({ length: consultations }, (_, n) =>
    `Note ${n + 1}. ${SENTENCE.repeat(Math.ceil(noteCharacters / SENTENCE.length))}`.slice(0, Math.max(8, noteCharacters)),
  );
}
