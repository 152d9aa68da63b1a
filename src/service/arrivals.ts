/** Messages between the wire and their transfer: kept once, routed, posted; parked where nobody knows their conversation yet. */
import { createHash } from 'node:crypto';
import { ROW_BYTES, wholeObject } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import { instant, type MessageId, ods, type TransferId, transferId } from '../base/ids.ts';
import { type Db, isDatabaseAway } from '../database/connect.ts';
import { contentBytes } from '../objects/content.ts';
import type { Objects } from '../objects/objects.ts';
import type { Inbound } from '../spine/endpoint.ts';
import { type Acceptance, type Accepted, type Arrival, accept, buryArrival, type KeptMessage, parkArrival } from '../store/inbox.ts';
import { findExpected } from '../store/parts.ts';
import type { Practice } from '../store/practices.ts';
import { findSent } from '../store/sent-messages.ts';
import { readStored, writeStored } from '../store/stored-json.ts';
import type { Store, Tables } from '../store/tables.ts';
import { findConversation, runningTransfers } from '../store/transfers.ts';
import { begunBy, supersededBy } from '../transfer/decide.ts';
import { type LookUp, route } from '../transfer/routing.ts';
import type { Event, Received } from '../transfer/types.ts';
import { NOTHING, type Post, type Queued } from './post.ts';
import type { Practices } from './practices.ts';
import type { Place } from './workers.ts';

export type ArrivalOptions = {
  readonly db: Db<Tables>;
  readonly objects: Objects;
  readonly practices: Practices;
  readonly post: Post;
  readonly now: () => Date;
  /** This process's name. */
  readonly owner: string;
  /** Wakes this process's workers after a commit. */
  readonly committed: (queued: Queued) => void;
  /** Whether this process's inbox worker has a hand free for a message that is being accepted; left out: it waits for its claim. */
  readonly arrivalHands?: () => Place<Arrival> | null;
};

const INBOX: Queued = new Set(['inbox']);
/** How long a message may wait for its conversation to appear. Spine's own longest persistence of a part. */
const PARKED_SECONDS = 7 * 3600;
/** At least so many tries, however long the node was down. */
const TRIES = 3;
/** A message that needs more than a row is kept as an object; the largest legal core names 2,000 documents. */
const MESSAGE_BYTES = 4 * 1024 * 1024;

/** For the endpoint: keeps a message; durable when it resolves. */
export function createAccept({
  db,
  objects,
  practices,
  owner: node,
  committed,
  arrivalHands,
}: ArrivalOptions): (inbound: Inbound) => Promise<Acceptance> {
  return async (inbound) => {
    const { message } = inbound;
    const practice = await practices.addressed(inbound.toPartyKey, message.addressed.toAsid);
    // One party key, several practices, and an ASID of none: kept for an operator, under the party key's first practice.
    const owner = practice ?? (await practices.all()).find(({ partyKey }) => partyKey === inbound.toPartyKey);
    if (!owner) throw new Fault('arrival.nobody', `no practice has the party key ${inbound.toPartyKey}`);
    const text = writeStored(message);
    const kept: KeptMessage = {
      ...(text.length > ROW_BYTES ? { kept: await objects.put(Buffer.from(text)) } : { message }),
      ...(inbound.refused && { refused: inbound.refused }),
    };
    const accepted: Accepted = {
      fromPartyKey: inbound.fromPartyKey,
      messageId: inbound.messageId,
      practice: owner.ods,
      conversationId: message.conversationId,
      action: inbound.action,
      digest: inbound.digest,
      bytes: inbound.wire,
      receivedAt: inbound.receivedAt,
      message: kept,
    };
    const place = arrivalHands?.() ?? null;
    let taken: Arrival | null = null;
    try {
      const { arrival, ...acceptance } = await accept(db, accepted, place && { owner: node, leaseSeconds: place.leaseSeconds });
      taken = arrival;
      committed(acceptance.fate === 'new' && !arrival ? INBOX : NOTHING);
      return acceptance;
    } finally {
      if (taken) place?.start(taken);
      else place?.free();
    }
  };
}

/** Whether a message belongs to a transfer of this node, or is a request that begins one. */
export function createIsMine({ db, practices }: Pick<ArrivalOptions, 'db' | 'practices'>): (message: Received) => Promise<boolean> {
  return async (message) => {
    const practice = await practices.addressed(message.addressed.toPartyKey, message.addressed.toAsid);
    if (!practice) return false;
    const { lookUps, unfound } = route(message);
    return unfound === 'begin' || (await firstHit(db, practice, lookUps, sentOnce(db, practice))) !== null;
  };
}

/** For the inbox worker: brings one message to its transfer, or gives it back to wait. */
export function createDeliver(options: ArrivalOptions): (arrival: Arrival) => Promise<void> {
  const { db, objects } = options;
  return async (arrival) => {
    try {
      const practice = await options.practices.byOds(arrival.practice);
      if (!practice) throw new Fault('arrival.nobody', `the practice ${arrival.practice} is not served any more`);
      const sent = sentOnce(db, practice);
      const as = await received(objects, arrival.message);
      const named = 'of' in as && as.of !== null ? await sent(as.of) : null;
      // Whichever of its ids an answer names, its transfer knows the message by one.
      const message = named ? { ...as, of: named.message } : as;
      const event: Event = {
        id: `arrived:${arrival.fromPartyKey}/${message.messageId}`,
        at: instant(options.now()),
        by: { kind: 'peer' },
        kind: 'arrived',
        message,
      };
      const cause = { queue: 'inbox', claim: arrival.claim } as const;
      const { lookUps, unfound } = route(message);
      const transfer = await firstHit(db, practice, lookUps, sent);
      if (transfer) await options.post({ practice: practice.ods, transfer, event, cause, named });
      else if (unfound === 'begin' && message.interaction === 'request') await begin(options, practice, arrival, message, event);
      else await park(db, arrival, `nobody here knows the conversation ${message.conversationId}`);
    } catch (error) {
      // Without a database nothing can be parked either: the lease ends by itself and the message is taken again.
      if (isDatabaseAway(error)) throw error;
      await park(db, arrival, reasonOf(error));
    }
  };
}

async function received(objects: Objects, row: KeptMessage): Promise<Received> {
  if ('message' in row) return row.message;
  const bytes = await contentBytes(objects, wholeObject(row.kept), MESSAGE_BYTES);
  return readStored(new TextDecoder().decode(bytes)) as Received;
}

type FindSent = (id: MessageId) => ReturnType<typeof findSent>;

/** For one message: what it names is looked up once. */
function sentOnce(store: Store, { ods: practice }: Practice): FindSent {
  const known = new Map<MessageId, ReturnType<typeof findSent>>();
  return (id) => {
    const found = known.get(id) ?? findSent(store, practice, id);
    known.set(id, found);
    return found;
  };
}

async function firstHit(store: Store, { ods: practice }: Practice, lookUps: readonly LookUp[], sent: FindSent): Promise<TransferId | null> {
  for (const lookUp of lookUps) {
    const hit =
      lookUp.by === 'sentMessage'
        ? ((await sent(lookUp.id))?.transfer ?? null)
        : lookUp.by === 'expectedPart'
          ? await findExpected(store, practice, lookUp.id)
          : await findConversation(store, practice, lookUp.role, lookUp.id);
    if (hit) return hit;
  }
  return null;
}

type Request = Extract<Received, { interaction: 'request' }>;

async function begin(options: ArrivalOptions, practice: Practice, arrival: Arrival, message: Request, event: Event): Promise<void> {
  const { db, post } = options;
  const requester = ods(message.from);
  // Drawn from the conversation: a request that is delivered again after a crash begins the same transfer.
  const id = transferIdOf(practice, message);
  const transfer = begunBy(message, { id, practice: practice.ods, now: instant(options.now()) });
  // A newer request of the same practice for the same patient takes the place of one that still runs.
  const earlier = await runningTransfers(db, practice.ods, 'sending', message.nhsNumber, requester);
  for (const other of earlier) {
    if (other !== id) await post({ practice: practice.ods, transfer: other, event: supersededBy(id, event.at) });
  }
  await post({
    practice: practice.ods,
    begin: transfer,
    origin: { began: 'request', requester, requesterAsid: message.addressed.fromAsid, addressedTo: ods(message.to) },
    event,
    cause: { queue: 'inbox', claim: arrival.claim },
  });
}

function transferIdOf({ ods: practice }: Practice, { conversationId }: Request): TransferId {
  const hex = createHash('sha256').update(`sending ${practice} ${conversationId}`).digest('hex').toUpperCase();
  return transferId(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`);
}

async function park(store: Store, arrival: Arrival, fault: string): Promise<void> {
  if (arrival.ageSeconds > PARKED_SECONDS && arrival.attempts + 1 >= TRIES) await buryArrival(store, arrival.claim, fault);
  else await parkArrival(store, arrival.claim, Math.min(60, 2 ** Math.min(arrival.attempts, 6)), fault);
}
