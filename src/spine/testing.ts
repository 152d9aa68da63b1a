/** A small world for this room's tests: two practices, an object store in memory, messages between them. */
import { createHash } from 'node:crypto';
import type { ObjectRef } from '../base/content.ts';
import { Fault } from '../base/errors.ts';
import { conversationId, type Instant, messageId, ods } from '../base/ids.ts';
import { nhsNumber } from '../base/nhs-number.ts';
import type { Packed } from '../base/wire.ts';
import type { Bytes, Objects } from '../objects/objects.ts';
import type { Contract, Envelope, Message, OwnPractice, Peer } from '../transfer/types.ts';
import { pack } from './pack.ts';
import { wireBytes } from './wire-bytes.ts';

export type TestObjects = Objects & { readonly held: Map<string, Buffer>; fail: Fault | null };

/** Objects in memory. `fail` makes each put fail, as a full disk does. */
export function memoryObjects(): TestObjects {
  const held = new Map<string, Buffer>();
  const objects: TestObjects = {
    storeId: 'memory',
    counters: { written: 0, kept: 0, refused: 0 },
    held,
    fail: null,
    async put(source: Bytes, limit = Number.POSITIVE_INFINITY): Promise<ObjectRef> {
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of source instanceof Uint8Array ? [source] : source) {
        bytes += piece.byteLength;
        if (bytes > limit) throw new Fault('objects.tooLarge', `more than ${limit} bytes`);
        pieces.push(Uint8Array.from(piece));
      }
      if (objects.fail) throw objects.fail;
      const all = Buffer.concat(pieces);
      const sha256 = createHash('sha256').update(all).digest('hex');
      held.set(sha256, all);
      return { sha256, bytes: all.byteLength };
    },
    async *get(ref, from = 0, to = ref.bytes) {
      const all = held.get(ref.sha256);
      if (!all) throw new Fault('objects.missing', `object ${ref.sha256} is not in the store`);
      // Steps that are no multiple of three, as a disk gives them.
      for (let at = from; at < to; at += 1_000) yield all.subarray(at, Math.min(at + 1_000, to));
    },
    async head(ref) {
      const all = held.get(ref.sha256);
      return all ? { bytes: all.byteLength, modifiedAt: new Date(0) } : null;
    },
    async delete(ref) {
      held.delete(ref.sha256);
    },
    async expire(ref) {
      held.delete(ref.sha256);
      return true;
    },
    async *list() {},
    async space() {
      return { free: 1e12, total: 1e12 };
    },
  };
  return objects;
}

const contract: Contract = {
  cpaId: 'CPA0001',
  retries: 2,
  retryIntervalSeconds: 7200,
  persistSeconds: 15_000,
  duplicateElimination: true,
  ackRequested: true,
  actor: 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH',
  syncReply: false,
};

export const OWN: OwnPractice = {
  ods: ods('A11111'),
  asid: '200000000001',
  partyKey: 'A11111-000001',
  redactions: 'auto',
  filing: 'automatic',
  messageLimit: 5_000_000,
};

export const PEER: Peer = {
  ods: ods('B22222'),
  asid: '200000000002',
  partyKey: 'B22222-000002',
  takesRedactions: true,
  contracts: { request: contract, extract: contract, part: contract, acknowledgement: contract },
};

export const BOUNDARY = '=_0123456789abcdef0123456789abcdef';

export const ENVELOPE: Envelope = {
  messageId: messageId('0F3C0A10-0000-4000-8000-000000000001'),
  aliases: [],
  conversationId: conversationId('0F3C0A10-0000-4000-8000-00000000C001'),
  at: '2026-01-05T09:30:00.000Z' as Instant,
};

export function requestMessage(): Message {
  const number = nhsNumber('9000000009');
  if (!number) throw new Error('not a number');
  return {
    ...ENVELOPE,
    interaction: 'request',
    requestId: '0F3C0A10-0000-4000-8000-0000000000E1',
    nhsNumber: number,
    from: OWN.ods,
    to: PEER.ods,
  };
}

export const EXTRACT_XML =
  '<RCMR_IN030000UK07 xmlns="urn:hl7-org:v3"><id root="0F3C0A10-0000-4000-8000-000000000001"/>' +
  '<communicationFunctionRcv typeCode="RCV"><device classCode="DEV"><id root="1.2.826.0.1285.0.2.0.107" extension="200000000002"/></device></communicationFunctionRcv>' +
  '<communicationFunctionSnd typeCode="SND"><device classCode="DEV"><id root="1.2.826.0.1285.0.2.0.107" extension="200000000001"/></device></communicationFunctionSnd>' +
  '<ControlActEvent><subject><EhrExtract><id root="0F3C0A10-0000-4000-8000-0000000000AA"/>' +
  '<recordTarget><patient><id root="2.16.840.1.113883.2.1.4.1" extension="9000000009"/></patient></recordTarget>' +
  '<component><ehrFolder><id root="X"/></ehrFolder></component></EhrExtract></subject></ControlActEvent></RCMR_IN030000UK07>';

export function packed(message: Message, options: Partial<Parameters<typeof pack>[1]> = {}): ReturnType<typeof pack> {
  return pack(message, { own: OWN, peer: PEER, boundary: BOUNDARY, timeToLive: false, ...options });
}

export async function bytesOf(of: Packed, objects: Objects): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of wireBytes(of.body, objects)) pieces.push(piece);
  return Buffer.concat(pieces);
}
