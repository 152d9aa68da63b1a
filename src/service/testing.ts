import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { instant, messageId, type Ods, ods, transferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { Db } from '../database/connect.ts';
import { type Objects, openObjects } from '../objects/objects.ts';
import { type Practice, putPractice } from '../store/practices.ts';
import type { Tables } from '../store/tables.ts';
import { testStore } from '../store/testing.ts';
import type { Event, Peer, Received, Transfer } from '../transfer/types.ts';
import { createRecordMi } from './mi/record.ts';
import { createPost, type Post } from './post.ts';
import { createPractices, type Practices } from './practices.ts';

export type TestNode = {
  readonly db: Db<Tables>;
  readonly url: string;
  readonly folder: string;
  readonly objects: Objects;
  readonly practices: Practices;
  readonly post: Post;
  /** Transactions of `post` so far. */
  readonly commits: () => number;
  close(): Promise<void>;
};

export function testPractice(code: string): Practice {
  return {
    ods: ods(code),
    asid: `2000000${code.slice(1)}`,
    partyKey: `${code}-0000001`,
    redactions: 'auto',
    filing: 'automatic',
    messageLimit: 5_000_000,
    enabled: true,
    gpSystem: { connectUrl: 'http://127.0.0.1:9/connect', filingUrl: 'http://127.0.0.1:9/filing', key: 'ours' },
    apiKeySha256: createHash('sha256').update(`key of ${code}`).digest('hex'),
    mi: { events: false, files: false },
  };
}

const CONTRACT = {
  cpaId: 'S2001',
  retries: 2,
  retryIntervalSeconds: 1,
  persistSeconds: 600,
  duplicateElimination: true,
  ackRequested: true,
  actor: 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH',
  syncReply: true,
};

export function peerOf(practice: Practice): Peer {
  const contracts = { request: CONTRACT, extract: CONTRACT, part: CONTRACT, acknowledgement: CONTRACT };
  return { ods: practice.ods, asid: practice.asid, partyKey: practice.partyKey, takesRedactions: true, contracts };
}

/** A node's inside: a database and an object store of its own, and the door. No network. */
export async function testNode(practices: readonly Practice[]): Promise<TestNode> {
  const store = await testStore();
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-node-'));
  const objects = await openObjects(join(folder, 'objects'));
  for (const practice of practices) await putPractice(store.db, practice);
  const served = createPractices(store.db);
  let commits = 0;
  const post = createPost({
    db: store.db,
    objects,
    practice: served.byOds,
    now: () => new Date(),
    newId: randomUUID,
    owner: 'test',
    recordMi: createRecordMi('test'),
    committed: () => commits++,
  });
  return {
    db: store.db,
    url: store.url,
    folder,
    objects,
    practices: served,
    post,
    commits: () => commits,
    async close() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const uuid = (): string => randomUUID().toUpperCase();
export const PATIENT = '9990000018' as NhsNumber;

type EventBody = Event extends infer Each ? (Each extends Event ? Omit<Each, 'id' | 'at' | 'by'> : never) : never;
export function event(what: EventBody, id: string = uuid()): Event {
  return { id, at: instant(new Date()), by: { kind: 'system' }, ...what };
}

/** Posts a registration; the transfer stands in `checking`. */
export async function register(node: Pick<TestNode, 'post'>, practice: Ods, previous: Ods, registrationId = uuid()): Promise<Transfer> {
  const registration = {
    type: 'newRegistration',
    permanent: true,
    returning: false,
    authenticated: true,
    traceMatched: true,
    gpLinksComplete: true,
  } as const;
  const id = transferId(uuid());
  const { transfer } = await node.post({
    practice,
    begin: {
      id,
      version: 0,
      conversationId: uuid() as Transfer['conversationId'],
      practice,
      nhsNumber: PATIENT,
      startedAt: instant(new Date()),
      role: 'requesting',
      previousPractice: previous,
      state: 'checking',
    },
    origin: { began: 'registration', registrationId, registration },
    event: event({ kind: 'registered', registration }, `registered:${registrationId}`),
  });
  if (!transfer) throw new Error('not begun');
  return transfer;
}

/** A message as the endpoint hands it on, from one practice to another. */
export function from(sender: Practice, receiver: Practice, transfer: Transfer, body: MessageBody): Received {
  return {
    messageId: messageId(uuid()),
    aliases: [],
    conversationId: transfer.conversationId,
    at: instant(new Date()),
    addressed: { fromPartyKey: sender.partyKey, toPartyKey: receiver.partyKey, fromAsid: sender.asid, toAsid: receiver.asid },
    ...body,
  };
}
type MessageBody = Received extends infer Each
  ? Each extends Received
    ? Omit<Each, 'messageId' | 'aliases' | 'conversationId' | 'at' | 'addressed'>
    : never
  : never;
