import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { XmlElement } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import { type Described, readDescribed } from './description.ts';
import { type Conversation, type Desk, REFUSALS } from './desk.ts';
import { writeAnswer, writeContinue, writeRequest } from './payloads.ts';
import type { Party } from './post.ts';
import { type Incoming, readAnswer, readExtract } from './read.ts';

/** What came of a record, put together. */
export type ReceivedRecord = {
  readonly conversation: Conversation;
  /** The payload, the record itself in place of a skeleton. */
  readonly record: Buffer;
  readonly documents: readonly { readonly name: string; readonly bytes: Buffer }[];
};

type Requesting = Conversation & {
  readonly request: string;
  core: Core | null;
  /** What came in messages of its own, by message id; a piece may come before whatever announces it. */
  readonly arrived: Map<string, Arrived>;
};
type Core = {
  readonly messageId: string;
  readonly hl7Id: string;
  readonly payload: XmlElement;
  readonly bytes: Buffer;
  readonly announced: readonly Announced[];
};
type Announced = Described & { readonly leaf: Leaf };
/** Content that is here, or the message that it comes in. */
type Leaf = { readonly bytes: Buffer } | { readonly message: string };
type Arrived = { readonly leaves: readonly Leaf[] };

const FIRST_CHARACTERS = 100;

/** The practice that asks for a record: collects it as its profile can, and answers. */
export function createRequester(
  desk: Desk,
  options: {
    /** Waits so long before the final answer: a person looks at the record first. */
    readonly answerAfterMs: () => number;
    readonly received: (record: ReceivedRecord) => Promise<void>;
  },
) {
  const { profile } = desk;
  const conversations = new Map<string, Requesting>();

  function request(nhsNumber: string, other: Party): Conversation {
    const conversationId = desk.newId();
    const messageId = profile.requestIdIsConversation ? conversationId : desk.newId();
    const conversation: Requesting = {
      conversationId,
      role: 'requesting',
      nhsNumber,
      other,
      state: 'waitingForExtract',
      reason: null,
      documents: [],
      steps: ['The record was asked for'],
      request: messageId,
      core: null,
      arrived: new Map(),
    };
    conversations.set(conversationId, conversation);
    const wrapping = { id: messageId, at: desk.now(), fromAsid: desk.asid, toAsid: other.asid };
    const payload = writeRequest(profile, wrapping, { requestId: desk.newId(), nhsNumber, from: desk.ods, to: other.ods });
    desk.send({ kind: 'request', action: 'RCMR_IN010000UK05', to: other, conversationId, messageId, payload });
    return conversation;
  }

  async function onExtract(message: Incoming): Promise<void> {
    const conversation = conversations.get(message.envelope.conversationId.toUpperCase());
    const other: Party = conversation?.other ?? { ods: '', asid: message.fromAsid, partyKey: message.envelope.from };
    if (!conversation || conversation.core) {
      const code = conversation ? '12' : '09';
      conversation?.steps.push('A second record was refused');
      return answer(message.envelope.conversationId, other, nameOf(message), code);
    }
    const announced = message.attachments.map((attachment): Announced => {
      const described = readDescribed(attachment.description);
      return { ...described, leaf: attachment.part ? { bytes: attachment.part.bytes } : { message: attachment.message ?? '' } };
    });
    const { messageId, hl7Id, payload, payloadText } = message;
    conversation.core = { messageId, hl7Id, payload, bytes: Buffer.from(payloadText), announced };
    conversation.steps.push(`The record came with ${announced.length} attachments`);
    if (announced.some(({ leaf }) => 'message' in leaf)) {
      conversation.state = 'waitingForParts';
      goOn(conversation, messageId);
    }
    await lookAt(conversation);
  }

  function goOn(conversation: Requesting, of: string): void {
    const messageId = desk.newId();
    const wrapping = { id: messageId, at: desk.now(), fromAsid: desk.asid, toAsid: conversation.other.asid };
    const parties = { from: desk.ods, to: conversation.other.ods };
    desk.send({
      kind: 'copc',
      action: 'COPC_IN000001UK01',
      to: conversation.other,
      conversationId: conversation.conversationId,
      messageId,
      payload: writeContinue(profile, wrapping, { of, ...parties, otherId: desk.newId() }),
      ackRequested: profile.continueAckRequested,
    });
  }

  async function onCopc(message: Incoming): Promise<void> {
    const conversation = conversations.get(message.envelope.conversationId.toUpperCase());
    if (!conversation) {
      desk.log(`a part of an unknown conversation ${message.envelope.conversationId}`);
      return;
    }
    const parts = message.attachments;
    // The requesting adaptor takes an index for one only by the number of its parts (D 3).
    const index = profile.indexNeedsTwo ? parts.length > 1 : parts.some((part) => part.message !== null);
    if (!index && !parts[0]?.part) {
      answer(conversation.conversationId, conversation.other, nameOf(message), '30');
      return fail(conversation, '31');
    }
    const leaves = parts.map((part): Leaf => (part.part ? { bytes: part.part.bytes } : { message: part.message ?? '' }));
    const again = conversation.arrived.has(message.messageId);
    conversation.arrived.set(message.messageId, { leaves });
    if (!again) conversation.steps.push(index ? `An index of ${leaves.length} pieces came` : 'A part came');
    if (profile.acknowledgesParts) answer(conversation.conversationId, conversation.other, nameOf(message), null);
    await lookAt(conversation);
  }

  /** Puts the record together once everything that was announced is here, and answers. */
  async function lookAt(conversation: Requesting): Promise<void> {
    const { core } = conversation;
    if (!core || ['closed', 'failed', 'refused', 'waitingForAnswer'].includes(conversation.state)) return;
    const contents = core.announced.map((one) => bytesOf(one.leaf, conversation));
    if (contents.some((one) => one === null)) return;
    conversation.state = 'waitingForAnswer';
    let record: ReceivedRecord;
    try {
      record = assembled(conversation, core, contents as Buffer[]);
    } catch (thrown) {
      conversation.steps.push(`The record is not usable: ${reasonOf(thrown)}`);
      return fail(conversation, core.announced.some(({ leaf }) => 'message' in leaf) ? '31' : '21');
    }
    const total = record.documents.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    if (profile.totalLimit !== null && total > profile.totalLimit) return fail(conversation, '30');
    await options.received(record);
    const close = () => {
      conversation.state = 'closed';
      conversation.steps.push('The record was filed and acknowledged');
      answer(conversation.conversationId, conversation.other, profile.ackNames === 'hl7' ? core.hl7Id : core.messageId, null);
    };
    const wait = options.answerAfterMs();
    // Not waited for: other messages of this practice come meanwhile.
    if (wait > 0) desk.sleep(wait).then(close, () => desk.log(`${desk.ods} ended before it had answered`));
    else close();
  }

  function assembled(conversation: Requesting, core: Core, contents: readonly Buffer[]): ReceivedRecord {
    let { payload, bytes } = core;
    const documents: { name: string; bytes: Buffer }[] = [];
    for (const [n, one] of core.announced.entries()) {
      const content = contents[n] ?? Buffer.alloc(0);
      const whole = one.compressed && content[0] === 0x1f ? gunzipSync(content) : content;
      if (one.skeleton) {
        payload = readXml(whole);
        bytes = whole;
        if (!/RCMR_IN030000UK0[67]/.test(whole.toString('utf8', 0, FIRST_CHARACTERS + 100)))
          throw new Fault('vendor.skeleton', 'what came for the skeleton is no record');
      } else documents.push({ name: one.filename ?? `attachment ${n + 1}`, bytes: limited(one.filename ?? '', whole) });
    }
    const { names, nhsNumber } = readExtract(payload);
    if (nhsNumber !== conversation.nhsNumber) throw new Fault('vendor.patient', `the record is of patient ${nhsNumber}`);
    if (profile.needsNamesInRecord)
      for (const { name } of documents) if (!names.includes(name)) throw new Fault('vendor.names', `the record does not speak of ${name}`);
    conversation.documents = documents.map((one) => ({
      name: one.name,
      bytes: one.bytes.byteLength,
      sha256: createHash('sha256').update(one.bytes).digest('hex'),
    }));
    return { conversation, record: bytes, documents };
  }

  /** An attachment above the limit of the system is not filed; a note stands in its place (P 3.3). */
  function limited(name: string, bytes: Buffer): Buffer {
    if (profile.attachmentLimit === null || bytes.byteLength <= profile.attachmentLimit) return bytes;
    return Buffer.from(`The file ${name} of ${bytes.byteLength} bytes is larger than this system can file.\n`);
  }

  function bytesOf(leaf: Leaf, conversation: Requesting, depth = 0): Buffer | null {
    if ('bytes' in leaf) return leaf.bytes;
    const arrived = conversation.arrived.get(leaf.message);
    if (!arrived || depth > 4) return null;
    const pieces = arrived.leaves.map((one) => bytesOf(one, conversation, depth + 1));
    return pieces.some((one) => one === null) ? null : Buffer.concat(pieces as Buffer[]);
  }

  function fail(conversation: Requesting, code: string): void {
    conversation.state = 'failed';
    conversation.reason = code;
    conversation.steps.push(`Refused with ${code}`);
    const { core, conversationId, other } = conversation;
    if (core) answer(conversationId, other, profile.ackNames === 'hl7' ? core.hl7Id : core.messageId, code);
  }

  function onAnswer(message: Incoming): boolean {
    const conversation = conversations.get(message.envelope.conversationId.toUpperCase());
    if (!conversation) return false;
    const read = readAnswer(message.payload);
    const code = read.inDetail?.code ?? read.inReason?.code ?? null;
    conversation.steps.push(
      `${read.type}${code === null ? '' : ` ${code}`} about ${read.of === conversation.request ? 'the request' : read.of}`,
    );
    if (read.type === 'AA' || read.of !== conversation.request || conversation.core) return true;
    conversation.state = 'refused';
    conversation.reason = code;
    return true;
  }

  function nameOf(message: Incoming): string {
    return profile.ackNames === 'hl7' ? message.hl7Id : message.messageId;
  }

  function answer(conversationId: string, to: Party, of: string, code: string | null): void {
    const messageId = desk.newId();
    const wrapping = { id: messageId, at: desk.now(), fromAsid: desk.asid, toAsid: to.asid };
    const refusal = code === null ? null : { code, text: REFUSALS[code] ?? 'Unexpected condition' };
    const payload = writeAnswer(profile, wrapping, { of, refusal });
    desk.send({ kind: 'acknowledgement', action: 'MCCI_IN010000UK13', to, conversationId, messageId, payload });
  }

  return { request, onExtract, onCopc, onAnswer, list: (): readonly Conversation[] => [...conversations.values()] };
}
