/** What becomes of one patient's move: who asks whom, what the record is, and what stands in the way. */
import type { DocumentId, Ods } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import { CODES } from '../../transfer/codes.ts';
import type { Contract, Document, Job, OwnPractice, Peer } from '../../transfer/types.ts';
import type { Chance } from '../patients/chance.ts';
import { type Habits, NO_HABITS, named, someHabits } from './habits.ts';
import type { Story, WorldNode } from './types.ts';

const HOURS = 3600;
const JOBS = ['mayWeAsk', 'mayTheyAsk', 'fetch', 'toHl7', 'toFhir', 'file'] as const satisfies readonly Job[];

/** A practice: the first ones run as this project's node does, the others have habits of other suppliers. */
export function practice(chance: Chance, number: number): { readonly own: OwnPractice; readonly asPeer: Peer; readonly habits: Habits } {
  const ods = `W${10_000 + number}` as Ods;
  const asid = `2000000${10_000 + number}`;
  const partyKey = `${ods}-900001`;
  const contract = (persistSeconds: number): Contract => ({
    cpaId: 'CPA',
    retries: 2,
    retryIntervalSeconds: 1800,
    persistSeconds,
    duplicateElimination: true,
    ackRequested: true,
    actor: 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH',
    syncReply: false,
  });
  const usual = contract(chance.pick([4, 6, 24]) * HOURS);
  // A practice without an agreement for parts cannot be sent any, nor sent a continue.
  const part = chance.happens(0.04) ? null : contract(chance.pick([1, 7, 24]) * HOURS);
  const own: OwnPractice = {
    ods,
    asid,
    partyKey,
    redactions: 'auto',
    filing: chance.happens(0.6) ? 'automatic' : 'byHand',
    messageLimit: chance.pick([5_000_000, 5_000_000, 200_000]),
  };
  const asPeer: Peer = {
    ods,
    asid,
    partyKey,
    takesRedactions: chance.happens(0.5),
    contracts: { request: usual, extract: usual, part, acknowledgement: usual },
  };
  return { own, asPeer, habits: number < 2 ? NO_HABITS : someHabits(chance) };
}

export function story(chance: Chance, number: number, nodes: readonly WorldNode[]): Story {
  const [requester, sender] = chance.some(nodes, 2) as [WorldNode, WorldNode];
  const count = chance.pick([0, 0, 1, 1, 2, 3, 5]);
  const documents = Array.from({ length: count }, (_, at) => document(chance, number, at, sender));
  const never = <T>(probability: number, value: () => T): T | null => (chance.happens(probability) ? value() : null);
  return {
    number,
    nhsNumber: String(9_000_000_000 + number) as NhsNumber,
    requester,
    sender,
    hl7Bytes: chance.happens(0.12) ? sender.own.messageLimit + chance.between(1, 40_000_000) : chance.between(2000, 150_000),
    documents,
    missingDocuments: documents.length > 0 && chance.happens(0.1) ? 1 : 0,
    trace: chance.happens(0.02) ? chance.pick(['elsewhere', 'unknown']) : 'right',
    failing: never(0.02, () => chance.pick(JOBS)),
    answers: {
      fetch: never(0.01, () => chance.pick(['06', '10', '20'] as const)),
      check: never(0.09, () => chance.pick(Object.keys(CODES))),
      read: never(0.01, () => chance.pick(['21', '99'] as const)),
    },
    otherPatient: chance.happens(0.01),
    returning: chance.happens(0.05),
    noisy: chance.happens(0.3),
    registrations: 0,
  };
}

function document(chance: Chance, story: number, at: number, { own }: WorldNode): Document {
  const bytes = chance.happens(0.3) ? chance.between(own.messageLimit, own.messageLimit * 4) : chance.between(1, own.messageLimit);
  const id = `D${story}-${at}`;
  const compressed = chance.happens(0.2);
  const content = { ...named(id, bytes), gzip: compressed };
  const filename = chance.happens(0.2) ? 'Untitled' : `${id}.pdf`;
  return { documentId: id as DocumentId, filename, contentType: 'application/pdf', compressed, skeleton: false, content };
}
