/**
 * A node in the place of the existing message adaptor: a client posts messages to its HTTP interface and takes those that come from its
 * queue. Both ways a message is durable before anybody hears that we have it, and leaves by a row of its own.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { wholeObject } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import { instant, type MessageId, type Ods } from '../base/ids.ts';
import { type Db, transaction } from '../database/connect.ts';
import { contentBytes, readStored } from '../objects/content.ts';
import type { Objects } from '../objects/objects.ts';
import type { QueueSettings } from '../spine/adaptor/brokers.ts';
import { adaptorFace, type FaceAnswer } from '../spine/adaptor/face.ts';
import { createPublisher } from '../spine/adaptor/publish.ts';
import { writeQueueMessage } from '../spine/adaptor/queue-message.ts';
import { packRelayed, type RelayRequest } from '../spine/adaptor/relay-pack.ts';
import type { Accepted, EndpointOptions, Inbound } from '../spine/endpoint.ts';
import type { Sds } from '../spine/sds.ts';
import type { Sender } from '../spine/send.ts';
import {
  claimRelayedIn,
  claimRelayedOut,
  endRelayed,
  endRelayedIn,
  endRelayedOut,
  findRelayed,
  type RelayedIn,
  type RelayedOut,
  relayIn,
  relayOut,
  retryRelayedIn,
  retryRelayedOut,
} from '../store/relayed.ts';
import type { Tables } from '../store/tables.ts';
import type { Contract } from '../transfer/types.ts';
import { startLane } from './lane.ts';
import type { Metrics } from './metrics.ts';

export type RelayOptions = {
  readonly partyKey: string;
  readonly queue: QueueSettings;
  /** Seconds after which the broker drops what nobody took; 0: never. */
  readonly messageSeconds: number;
  /** Whether a client is answered when Spine has answered, or as soon as its message is durable here. */
  readonly acceptMode: 'spine' | 'durable';
  readonly waitSeconds: number;
  readonly messageLimit: number;
  readonly spineOds: Ods;
  readonly spineUrl: string | null;
  readonly db: Db<Tables>;
  readonly objects: Objects;
  readonly sds: Sds;
  readonly sender: Sender;
  readonly owner: string;
  readonly leaseSeconds: number;
  readonly pollMs: number;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly log: Logger;
};
export type Relay = {
  /** Adds the adaptor's interface to a server. */
  face(server: FastifyInstance): Promise<void>;
  readonly endpoint: NonNullable<EndpointOptions['relay']>;
  /** Keeps what cannot be read, so that its sender is told the same each time. What Spine gives up an operator was told of. */
  keepUnqueued(inbound: Inbound): Promise<Accepted>;
  isKnown(id: MessageId): Promise<boolean>;
  /** An acknowledgement that came by itself. */
  acknowledged(id: MessageId): Promise<void>;
  stop(): Promise<void>;
};

const PAYLOAD_BYTES = 64 * 1024 * 1024;
const OUT_AT_ONCE = 4;
const IN_AT_ONCE = 2;
const LOOK_MS = 100;
const LONGEST_PAUSE_SECONDS = 60;

export function startRelay(options: RelayOptions): Relay {
  const { db, objects, sds, sender, owner, leaseSeconds, pollMs, now, metrics, log } = options;
  const publisher = createPublisher(options.queue);
  const trouble = (what: string) => (error: unknown) => {
    metrics.fault(what);
    log.warn({ what, fault: reasonOf(error) }, 'a relayed message is tried again');
  };
  const out = startLane<RelayedOut>({
    limit: OUT_AT_ONCE,
    claim: (limit) => claimRelayedOut(db, owner, limit, leaseSeconds),
    work: send,
    pollMs,
    onFault: trouble('relay out'),
  });
  const into = startLane<RelayedIn>({
    limit: IN_AT_ONCE,
    claim: (limit) => claimRelayedIn(db, owner, limit, leaseSeconds),
    work: publish,
    pollMs,
    onFault: trouble('relay in'),
  });

  async function send(row: RelayedOut): Promise<void> {
    const { packed, url, attempts } = row;
    if (row.expired) return endRelayedOut(db, row, { status: 500, body: "500: Didn't get expected response from Spine" });
    const began = performance.now();
    const sent = await sender.send(packed, url);
    metrics.sent(sent.outcome, packed.contentLength ?? 0);
    switch (sent.outcome) {
      case 'delivered':
        return endRelayedOut(db, row, { status: 202, body: '' });
      case 'refused':
        log.warn({ message: packed.messageId, fault: sent.fault }, 'Spine refused a relayed message');
        return endRelayedOut(db, row, { status: 500, body: refusal(sent.fault) });
      case 'unreachable':
        return retryRelayedOut(db, row, {
          afterSeconds: Math.min(LONGEST_PAUSE_SECONDS, 2 ** Math.min(row.claim.claims, 10)),
          counts: false,
        });
      case 'accepted':
      case 'unknown': {
        const left = Math.max(0, packed.everySeconds - (performance.now() - began) / 1000);
        return retryRelayedOut(db, row, { afterSeconds: attempts < packed.retries ? left : Number.POSITIVE_INFINITY, counts: true });
      }
    }
  }

  async function publish(row: RelayedIn): Promise<void> {
    try {
      const body = textOf(await contentBytes(objects, wholeObject(row.object), PAYLOAD_BYTES));
      await publisher.publish({
        body,
        durable: true,
        content_type: 'application/json',
        message_id: randomUUID(),
        correlation_id: row.conversationId,
        ...(options.messageSeconds > 0 && { ttl: options.messageSeconds * 1000 }),
        application_properties: { 'message-id': row.messageId, 'correlation-id': row.conversationId },
      });
      await endRelayedIn(db, row.claim);
    } catch (error) {
      trouble('relay in')(error);
      await retryRelayedIn(db, row.claim, Math.min(LONGEST_PAUSE_SECONDS, 2 ** Math.min(row.attempts, 10)), reasonOf(error));
    }
  }

  async function relay(request: RelayRequest, digest: string): Promise<FaceAnswer | null> {
    const known = await findRelayed(db, request.messageId);
    if (known && known.digest !== digest) return null;
    if (!known) {
      let row: { digest: string; packed: Awaited<ReturnType<typeof packRelayed>>; url: string };
      try {
        const found = await lookUp(sds, request);
        const url = options.spineUrl ?? found?.contract.address;
        if (!found || url === undefined) return { status: 500, body: '500: Error obtaining outbound URL' };
        const packed = await packRelayed(request, {
          fromPartyKey: options.partyKey,
          toPartyKey: found.partyKey,
          contract: found.contract,
          at: instant(now()),
          objects,
          limit: options.messageLimit,
        });
        row = { digest, packed, url };
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        log.warn({ message: request.messageId, fault: error.message }, 'a message of the client cannot be sent');
        if (error.code === 'pack.tooLarge') return { status: 400, body: `400: ${error.message}` };
        return {
          status: 500,
          body: error.code.startsWith('sds.') ? '500: Error obtaining outbound URL' : '500: Error serialising outbound message',
        };
      }
      // Two posts of the same id at the same moment: the first wins, the other waits for its outcome.
      if ((await relayOut(db, row)) === 'other') return null;
      out.wake();
    }
    const until = performance.now() + (options.acceptMode === 'durable' ? 0 : options.waitSeconds * 1000);
    for (;;) {
      const outcome = (await findRelayed(db, request.messageId))?.outcome;
      if (outcome) return outcome;
      // Durable, and it may have reached Spine: never an error from here on.
      if (performance.now() >= until) return { status: 202, body: '' };
      await sleep(LOOK_MS);
    }
  }

  return {
    face: (server) => adaptorFace(server, { relay, spineOds: options.spineOds }),
    endpoint: {
      owns: (partyKey) => partyKey === options.partyKey,
      async keep(parts, receivedAt) {
        const { envelope, envelopeText, attachments, digest } = parts;
        const payload = textOf(
          'small' in parts.payload ? parts.payload.small : await contentBytes(objects, parts.payload.stored, PAYLOAD_BYTES),
        );
        const object = await objects.put(
          writeQueueMessage({ envelope, envelopeText, payload, attachments }, (content) => readStored(objects, content)),
        );
        const { fromPartyKey, messageId, conversationId } = envelope;
        const kept = await transaction(db, (store) =>
          relayIn(store, { fromPartyKey, messageId: messageId.toUpperCase(), conversationId, digest, receivedAt, object }),
        );
        into.wake();
        return kept;
      },
    },
    async keepUnqueued({ fromPartyKey, messageId, conversationId, digest, receivedAt, refused }) {
      if (!refused) return { fate: 'new', receivedAt, refused };
      return await transaction(db, (store) => relayIn(store, { fromPartyKey, messageId, conversationId, digest, receivedAt, refused }));
    },
    isKnown: async (id) => (await findRelayed(db, id)) !== null,
    acknowledged: (id) => endRelayed(db, id, { status: 202, body: '' }),
    async stop() {
      await Promise.all([out.stop(), into.stop()]);
      await publisher.close();
    },
  };
}

async function lookUp(sds: Sds, { ods, interaction }: RelayRequest): Promise<{ partyKey: string; contract: Contract } | null> {
  const kind = KINDS[interaction];
  if (!kind) return null;
  for (const need of kind === 'part' || kind === 'acknowledgement' ? (['request', 'extract'] as const) : ([kind] as const)) {
    const peer = await sds.peer(ods, need);
    const contract = 'ods' in peer ? peer.contracts[kind] : null;
    if ('ods' in peer && contract) return { partyKey: peer.partyKey, contract };
  }
  return null;
}

const KINDS: Readonly<Record<string, 'request' | 'extract' | 'part' | 'acknowledgement'>> = {
  RCMR_IN010000UK05: 'request',
  RCMR_IN030000UK06: 'extract',
  RCMR_IN030000UK07: 'extract',
  COPC_IN000001UK01: 'part',
  MCCI_IN010000UK13: 'acknowledgement',
};

/** In the words in which the existing adaptor tells what Spine said. */
function refusal(fault: string): string {
  const soap = fault.startsWith('SOAP fault');
  if (!soap && !fault.startsWith('ebXML error')) return "500: Didn't get expected response from Spine";
  const said = fault.replace(/^(SOAP fault|ebXML error) /, '');
  const [code = '', ...words] = said.split(' ');
  return JSON.stringify({
    error_message: 'Error(s) received from Spine. Contact system administrator.',
    process_key: soap ? 'SOAP_ERROR_HANDLER0002' : 'EBXML_ERROR_HANDLER0005',
    errors: [
      {
        errorCode: code,
        severity: 'Error',
        codeContext: soap ? 'urn:nhs:names:error:tms' : 'urn:oasis:names:tc:ebxml-msg:service:errors',
        ...(soap ? { description: words.join(' ') } : { Description: words.join(' ') }),
        errorType: soap ? 'soap_fault' : 'ebxml_error',
      },
    ],
  });
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
