/** What a supplier's system does with messages that another would not send: written by hand and given to it without a network. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { writeDescribed } from './description.ts';
import type { Desk } from './desk.ts';
import type { ReferenceToWrite } from './envelope.ts';
import { writeExtract } from './extract.ts';
import type { PartToWrite } from './mime.ts';
import { writeAnswer, writeCover, writeExtractMessage, writeRequest } from './payloads.ts';
import { compose, type MessageToSend } from './post.ts';
import type { VendorProfile } from './profile.ts';
import { PROFILES } from './profiles.ts';
import { type Incoming, readAnswer, readIncoming } from './read.ts';
import { createRequester, type ReceivedRecord } from './requesting.ts';
import { createSender, type VendorRecord } from './sending.ts';

const NHS = '9990000018';
const OTHER = { ods: 'A11111', asid: '200000000001', partyKey: 'A11111-000001' };
const newId = () => randomUUID().toUpperCase();
const WRITER: VendorProfile = PROFILES.vision;

function desk(profile: VendorProfile): Desk & { readonly sent: MessageToSend[] } {
  const sent: MessageToSend[] = [];
  const send = (message: MessageToSend) => void sent.push(message);
  return {
    ods: 'B22222',
    asid: '200000000002',
    partyKey: 'B22222-000002',
    profile,
    now: () => new Date(),
    sleep: async () => {},
    newId,
    send,
    log: () => {},
    sent,
  };
}

type Written = {
  readonly conversationId: string;
  readonly messageId?: string;
  readonly action: string;
  readonly payload: string;
  readonly references?: readonly ReferenceToWrite[];
  readonly parts?: readonly PartToWrite[];
};

/** A message of the other practice's, written and read again. */
function incoming(of: Written): Incoming {
  const to = { ods: 'B22222', asid: '200000000002', partyKey: 'B22222-000002' };
  const message: MessageToSend = { kind: 'copc', to, messageId: of.messageId ?? newId(), ...of };
  const mime = compose(WRITER, OTHER, 'cpa', message, { now: new Date(), newId });
  return readIncoming(mime.contentType, mime.body);
}

function extract(nhsNumber: string, document: { id: string; name: string }): string {
  const of = {
    extractId: newId(),
    requestId: newId(),
    nhsNumber,
    from: 'A11111',
    to: 'B22222',
    at: new Date(),
    notes: [],
    documents: [],
    newId,
  };
  const reference = `<component><x><referredToExternalDocument><text><reference value="file://localhost/${document.name}"/></text></referredToExternalDocument></x></component>`;
  const wrapping = { id: newId(), at: new Date(), fromAsid: OTHER.asid, toAsid: '200000000002' };
  return writeExtractMessage(
    WRITER,
    wrapping,
    writeExtract(WRITER, of, () => reference),
  );
}

function described(filename: string, large: boolean): string {
  const of = { filename, contentType: 'image/png', compressed: false, large, originalBase64: false, length: 4, skeleton: false };
  return writeDescribed(of);
}

/** A requester that was sent a core with one document outside; the message id of that. */
async function afterCore(profile: VendorProfile, name = 'x.png', announcedAs = name) {
  const at = desk(profile);
  const received: ReceivedRecord[] = [];
  const requester = createRequester(at, { answerAfterMs: () => 0, received: async (record) => void received.push(record) });
  const conversation = requester.request(NHS, OTHER);
  const { conversationId } = conversation;
  const part = newId();
  await requester.onExtract(
    incoming({
      conversationId,
      action: 'RCMR_IN030000UK06',
      payload: extract(NHS, { id: newId(), name }),
      references: [{ href: `mid:${part}`, id: `_${newId()}`, description: described(announcedAs, true) }],
    }),
  );
  const copc = (messageId: string, references: readonly ReferenceToWrite[], parts: readonly PartToWrite[]) => {
    const wrapping = { id: messageId, at: new Date(), fromAsid: OTHER.asid, toAsid: at.asid };
    const payload = writeCover(WRITER, wrapping, { name, from: 'A11111', to: 'B22222', bodyId: newId() });
    return requester.onCopc(incoming({ conversationId, messageId, action: 'COPC_IN000001UK01', payload, references, parts }));
  };
  return { at, conversation, received, part, copc, requester };
}

const PIECE: PartToWrite = { contentId: 'a@test', contentType: 'image/png', encoding: 'base64', bytes: 'QUJD' };
const TO_PIECE: ReferenceToWrite = { href: 'cid:a@test', id: null, description: 'Attachment' };

/** Codes of the answers that were sent, `AA` where there is none. */
function answers(sent: readonly MessageToSend[]): string[] {
  return sent.filter(({ kind }) => kind === 'acknowledgement').map(({ payload }) => /<code code="(\d+)"/.exec(payload)?.[1] ?? 'AA');
}

test('an index with a single reference is an index for EMIS, and for the requesting adaptor a part without content', async () => {
  for (const [profile, state, codes] of [
    [PROFILES.emis, 'closed', ['AA', 'AA', 'AA']],
    [PROFILES['adaptor-requesting'], 'failed', ['30', '31', 'AA']],
  ] as const) {
    const { at, conversation, part, copc } = await afterCore(profile);
    const piece = newId();
    await copc(part, [{ href: `mid:${piece}`, id: null, description: described('x_0.png', false) }], []);
    await copc(piece, [TO_PIECE], [PIECE]);
    assert.equal(conversation.state, state, conversation.steps.join('; '));
    assert.deepEqual(answers(at.sent), codes);
  }
});

test('a piece may come before its index, and whatever comes twice is one', async () => {
  const { conversation, received, part, copc } = await afterCore(PROFILES.systmone);
  const [first, second] = [newId(), newId()];
  await copc(second, [TO_PIECE], [{ ...PIECE, bytes: 'REVG' }]);
  await copc(first, [TO_PIECE], [PIECE]);
  await copc(first, [TO_PIECE], [PIECE]);
  assert.equal(conversation.state, 'waitingForParts');
  await copc(
    part,
    [first, second].map((id) => ({ href: `mid:${id}`, id: null, description: described('Untitled', false) })),
    [],
  );
  assert.equal(conversation.state, 'closed');
  assert.deepEqual(
    received.map(({ documents }) => documents.map(({ bytes }) => bytes.toString())),
    [['ABCDEF']],
  );
});

test('a document that the record does not speak of fails the whole transfer at the requesting adaptor only', async () => {
  for (const [profile, state, code] of [
    [PROFILES.emis, 'closed', null],
    [PROFILES['adaptor-requesting'], 'failed', '31'],
  ] as const) {
    const { conversation, part, copc } = await afterCore(profile, 'x.png', 'other.png');
    await copc(part, [TO_PIECE], [PIECE]);
    assert.deepEqual([conversation.state, conversation.reason], [state, code]);
  }
});

test('an attachment above the limit becomes a note, and more than can be held in all is refused', async () => {
  const note = await afterCore({ ...PROFILES.emis, attachmentLimit: 2 });
  await note.copc(note.part, [TO_PIECE], [PIECE]);
  assert.match(note.received[0]?.documents[0]?.bytes.toString() ?? '', /larger than this system can file/);
  const refused = await afterCore({ ...PROFILES.emis, totalLimit: 2 });
  await refused.copc(refused.part, [TO_PIECE], [PIECE]);
  assert.deepEqual([refused.conversation.state, refused.conversation.reason], ['failed', '30']);
});

test('a second record of one conversation is refused with 12, one of another patient with 21 or 31, one that nobody asked for with 09', async () => {
  const { at, requester, conversation } = await afterCore(PROFILES.vision);
  const again = extract(NHS, { id: newId(), name: 'x.png' });
  await requester.onExtract(incoming({ conversationId: conversation.conversationId, action: 'RCMR_IN030000UK06', payload: again }));
  await requester.onExtract(incoming({ conversationId: newId(), action: 'RCMR_IN030000UK06', payload: again }));
  const other = requester.request('9990000026', OTHER);
  await requester.onExtract(incoming({ conversationId: other.conversationId, action: 'RCMR_IN030000UK06', payload: again }));
  assert.deepEqual(answers(at.sent), ['12', '09', '21']);
});

const RECORD: VendorRecord = { nhsNumber: NHS, consultations: 1, noteCharacters: 20, documents: [] };

function request(payload: (text: string) => string, profile: VendorProfile, practice: string | null = 'A11111') {
  const at = desk(profile);
  const sender = createSender(at, new Map([[NHS, RECORD]]), async () => practice);
  const wrapping = { id: newId(), at: new Date(), fromAsid: OTHER.asid, toAsid: at.asid };
  const text = writeRequest(WRITER, wrapping, { requestId: newId(), nhsNumber: NHS, from: 'A11111', to: 'B22222' });
  const message = incoming({ conversationId: newId(), messageId: wrapping.id, action: 'RCMR_IN010000UK05', payload: payload(text) });
  return { at, sender, message };
}

test('SystmOne refuses a request with white space between its elements, and nobody else does', async () => {
  const spaced = (text: string) => text.replaceAll('><', '>\n <');
  for (const [profile, codes] of [
    [PROFILES.systmone, ['18']],
    [PROFILES.emis, ['AA']],
  ] as const) {
    const { at, sender, message } = request(spaced, profile);
    await sender.onRequest(message);
    assert.deepEqual(answers(at.sent), codes);
  }
  const { at, sender, message } = request((text) => text, PROFILES.systmone);
  await sender.onRequest(message);
  assert.deepEqual(answers(at.sent), ['AA']);
});

test('whoever is not the practice of the patient is refused with 19, in the supplier’s way of refusing', async () => {
  const ways: Readonly<Record<string, string>> = {};
  for (const name of ['emis', 'systmone', 'adaptor-sending'] as const) {
    const { at, sender, message } = request((text) => text, PROFILES[name], 'C33333');
    await sender.onRequest(message);
    const payload = at.sent[0]?.payload ?? '';
    Object.assign(ways, {
      [name]: [...payload.matchAll(/<(?:acknowledgement|acknowledgementDetail) typeCode="(\w+)"/g)].map(([, code]) => code).join(' '),
    });
    assert.match(payload, /code="19"/);
  }
  assert.deepEqual(ways, { emis: 'AR ER', systmone: 'AR AR', 'adaptor-sending': 'AE ER' });
});

test('the sending adaptor reads a code only where it expects it, and fails over one without words', async () => {
  const told = async (profile: VendorProfile, change: (text: string) => string): Promise<readonly [string, string | null]> => {
    const { at, sender, message } = request((text) => text, profile);
    await sender.onRequest(message);
    const core = at.sent.find(({ kind }) => kind === 'extract');
    assert.ok(core);
    const wrapping = { id: newId(), at: new Date(), fromAsid: OTHER.asid, toAsid: at.asid };
    const payload = writeAnswer(PROFILES['adaptor-requesting'], wrapping, { of: core.messageId, refusal: { code: '11', text: 'Failed' } });
    sender.onAnswer(incoming({ conversationId: core.conversationId, action: 'MCCI_IN010000UK13', payload: change(payload) }));
    const [conversation] = sender.list();
    return [conversation?.state ?? '', conversation?.reason ?? null];
  };
  const adaptor = PROFILES['adaptor-sending'];
  assert.deepEqual(await told(adaptor, (text) => text), ['refused', '11']);
  assert.deepEqual(await told(adaptor, (text) => text.replace('typeCode="AE"', 'typeCode="AR"')), ['refused', null]);
  assert.deepEqual(await told(adaptor, (text) => text.replace(' displayName="Failed"', '')), ['failed', 'the code 11 has no display name']);
  assert.deepEqual(await told(PROFILES.emis, (text) => text.replace(' displayName="Failed"', '')), ['refused', '11']);
});

test('what a supplier writes it reads: every answer says of which message it is', () => {
  for (const profile of Object.values(PROFILES)) {
    const of = newId();
    const wrapping = { id: newId(), at: new Date(), fromAsid: OTHER.asid, toAsid: '200000000002' };
    const payload = writeAnswer(profile, wrapping, { of, refusal: { code: '21', text: 'a & b' } });
    const read = readAnswer(incoming({ conversationId: newId(), action: 'MCCI_IN010000UK13', payload }).payload);
    assert.equal(read.of, of);
    assert.equal((read.inReason ?? read.inDetail)?.displayName, 'a & b');
  }
});
