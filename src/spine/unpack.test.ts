import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant, Ods } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { EbxmlMessage } from '../ebxml/envelope.ts';
import { writeAcknowledgement } from '../hl7v3/acknowledgement.ts';
import { writeRequest } from '../hl7v3/request.ts';
import type { PayloadFault } from '../hl7v3/wrapper.ts';
import { writeXml } from '../xml/write.ts';
import type { ReceivedParts } from './receive-parts.ts';
import { unpack } from './unpack.ts';
import type { ObjectReader } from './wire-bytes.ts';

const NOW = '2026-01-05T09:30:00.000Z' as Instant;
const WRAPPING = { messageId: '0F3C0A10-0000-4000-8000-000000000001', createdAt: NOW, fromAsid: '200000009902', toAsid: '200000009901' };
const CORE = '0F3C0A10-0000-4000-8000-000000000002';
const REQUEST = { requestId: CORE, nhsNumber: '9000000009' as NhsNumber, from: 'B99902' as Ods, to: 'A99901' as Ods };
const NOTHING_STORED: ObjectReader = { get: () => assert.fail('nothing of this is in the store') };

function received(action: string, payload: string): ReceivedParts {
  const envelope: EbxmlMessage = {
    kind: 'message',
    fromPartyKey: 'B99902-900001',
    toPartyKey: 'A99901-900001',
    cpaId: 'S1',
    conversationId: 'C1',
    service: 'urn:nhs:names:services:gp2gp',
    action,
    messageId: WRAPPING.messageId,
    timestamp: NOW,
    refToMessageId: null,
    timeToLive: null,
    duplicateElimination: true,
    ackRequested: null,
    syncReply: false,
    references: [],
  };
  return { envelope, envelopeText: '', payload: { small: Buffer.from(payload) }, attachments: [], digest: 'd' };
}

const fails = (code: string) => (thrown: unknown) => (thrown as PayloadFault).code === code;

test('an acknowledgement is positive where it says AA and negative where it says AE or AR; anything else cannot be read', async () => {
  const written = writeXml(writeAcknowledgement(WRAPPING, { of: CORE, typeCode: 'AA', issue: null }));
  const read = async (type: string) =>
    await unpack(received('MCCI_IN010000UK13', written.replace('typeCode="AA"', type)), NOW, NOTHING_STORED);
  const answer = async (type: string) => {
    const message = await read(type);
    return message.interaction === 'acknowledgement' ? message.answer : message.interaction;
  };
  assert.deepEqual(await answer('typeCode="AA"'), { accepted: true });
  for (const type of ['AE', 'AR']) assert.deepEqual(await answer(`typeCode="${type}"`), { accepted: false, code: null, raw: type });
  for (const type of ['typeCode="XX"', 'typeCode=""', '']) await assert.rejects(read(type), fails('hl7.missing'), type);
});

test('a request without a patient, or with a number that is none, cannot be read', async () => {
  const written = writeXml(writeRequest(WRAPPING, REQUEST));
  for (const number of ['', '123', '90000000\\9', 'ABCDEFGHIJ']) {
    const wrong = written.replace('extension="9000000009"', `extension="${number}"`);
    await assert.rejects(unpack(received('RCMR_IN010000UK05', wrong), NOW, NOTHING_STORED), fails('hl7.missing'), number);
  }
});
