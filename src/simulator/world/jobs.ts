/** What the jobs of a node find: PDS, SDS, the practices' systems and the record itself, by the rules of the practices. */
import type { ObjectRef } from '../../base/content.ts';
import type { DocumentId, MessageId } from '../../base/ids.ts';
import { holdsOf } from '../../practice/checks.ts';
import { mayTheyAsk } from '../../practice/may-they-ask.ts';
import { mayWeAsk, type TraceFacts } from '../../practice/may-we-ask.ts';
import type { Attachment } from '../../transfer/parts.ts';
import type { Document, Job, JobResult, ResponseCode, Transfer } from '../../transfer/types.ts';
import { named } from './habits.ts';
import type { JobRun, Story, World, WorldNode } from './types.ts';

const object = (name: string, bytes = 1000): ObjectRef => ({ sha256: name, bytes });
const done = (result: JobResult): JobRun => ({ outcome: 'done', result });
const MOOT: JobRun = { outcome: 'moot' };

export function runJob(world: World, node: WorldNode, transfer: Transfer, job: Job): JobRun {
  const story = world.stories.get(transfer.nhsNumber);
  if (!story) return MOOT;
  if (story.failing === job) return { outcome: 'fault', fault: 'whenever it is tried' };
  switch (job) {
    case 'mayWeAsk':
      return transfer.role === 'requesting' && transfer.state === 'checking' ? askWhom(node, transfer, story) : MOOT;
    case 'mayTheyAsk':
      return transfer.role === 'sending' && transfer.state === 'checking' ? whoAsks(node, story) : MOOT;
    case 'fetch':
      return transfer.role === 'sending' && transfer.state === 'fetching' ? fetched(story) : MOOT;
    case 'toHl7':
      return transfer.role === 'sending' && transfer.state === 'converting' ? written(world, story) : MOOT;
    case 'toFhir':
      return transfer.role === 'requesting' && transfer.state === 'converting' ? read(world, node, transfer, story) : MOOT;
    case 'file':
      return transfer.role === 'requesting' && transfer.state === 'filing' ? file(world, transfer, story) : MOOT;
  }
}

function traceOf({ trace, requester, sender }: Story): TraceFacts {
  if (trace === 'unknown') return { found: false };
  const registeredAt = trace === 'right' ? requester.own.ods : sender.own.ods;
  return { found: true, restricted: false, deceased: false, registeredAt, managingOrganisation: null };
}

function askWhom({ own, store }: WorldNode, transfer: Transfer, story: Story): JobRun {
  const asked = [...store.tables.transfers.values()].some(
    (other) =>
      other.role === 'requesting' &&
      other.state !== 'ended' &&
      other.nhsNumber === transfer.nhsNumber &&
      (other.startedAt < transfer.startedAt || (other.startedAt === transfer.startedAt && other.id < transfer.id)),
  );
  // PDS may change its mind between the two checks: then only the sender sees that somebody else has the patient.
  const trace = story.number % 2 === 0 ? traceOf(story) : traceOf({ ...story, trace: 'right' });
  const decision = mayWeAsk({ own: own.ods, permanent: true, trace, previousPractice: story.sender.own.ods, asked });
  return done({ job: 'mayWeAsk', answer: decision.ask ? { ask: true, peer: story.sender.asPeer } : decision });
}

function whoAsks({ own }: WorldNode, story: Story): JobRun {
  const requester = story.requester.asPeer;
  const trace = traceOf(story);
  const decision = mayTheyAsk({
    enabled: true,
    addressedHere: own.ods === story.sender.own.ods,
    requester: requester.ods,
    asidOwner: requester.ods,
    trace,
  });
  if (!decision.send) return done({ job: 'mayTheyAsk', answer: { send: false, code: decision.code, peer: requester } });
  // Systems of other suppliers refuse for reasons of their own.
  const code = story.answers.check as ResponseCode | null;
  return done({ job: 'mayTheyAsk', answer: code ? { send: false, code, peer: requester } : { send: true, peer: requester } });
}

function fetched({ answers, number }: Story): JobRun {
  if (answers.fetch) return done({ job: 'fetch', answer: { fetched: false, code: answers.fetch } });
  return done({ job: 'fetch', answer: { fetched: true, bundle: object(`bundle-${number}`), documents: object(`documents-${number}`) } });
}

function written({ newId }: World, story: Story): JobRun {
  const { hl7Bytes, number, sender, requester, documents, missingDocuments } = story;
  const whole = named(`HL7-${number}`, hl7Bytes);
  const documentId = `SKELETON-${number}` as DocumentId;
  const compressed = { ...named(`GZIP-${number}`, Math.ceil(hl7Bytes / 10)), gzip: true };
  const isLarge = hl7Bytes > sender.own.messageLimit - 40_000;
  return done({
    job: 'toHl7',
    answer: {
      converted: true,
      version: requester.asPeer.takesRedactions ? 'UK07' : 'UK06',
      extractId: `X-${newId()}`,
      messageId: newId() as MessageId,
      hl7: whole,
      large: isLarge ? { compressed, skeleton: named(`SKELETON-${number}`, 9000), documentId } : null,
      documents,
      report: object('report'),
      summary: { issues: 0, degrades: 0, redactions: 0, missingDocuments },
    },
  });
}

type Converting = Extract<Transfer, { role: 'requesting'; state: 'converting' }>;

function read({ machine, watch }: World, { store }: WorldNode, transfer: Converting, story: Story): JobRun {
  const ledger = [...(store.tables.ledgers.get(transfer.id)?.values() ?? [])];
  const attachments = machine.assemble(transfer.core.messageId, ledger);
  const fault = (code: '21' | '31' | '99') => done({ job: 'toFhir', answer: { converted: false, code, fault: 'cannot be used' } });
  if (attachments.some(({ announced, content }) => announced.skeleton && !content)) return fault('31');
  if (story.answers.read) return fault(story.answers.read);
  const sha = watch.recordRead(transfer, attachments);
  const undelivered = attachments.filter(({ announced, content }) => !announced.skeleton && !content).length;
  const found = story.otherPatient ? null : story.nhsNumber;
  const summary = { issues: 0, degrades: 0, redactions: 0, missingDocuments: undelivered };
  const holds = holdsOf({ expected: transfer.nhsNumber, found, returning: story.returning, undelivered, summary });
  const record = { bundle: object(sha), report: object('report'), documents: object('documents'), summary };
  return done({ job: 'toFhir', answer: { converted: true, record, holds } });
}

type Filing = Extract<Transfer, { role: 'requesting'; state: 'filing' }>;

/** The practice's system takes a lease, files or refuses, and says the same again when it is asked again. */
function file({ chance, watch }: World, transfer: Filing, story: Story): JobRun {
  const known = watch.filing(transfer);
  if (known === 'filed') return done({ job: 'file', answer: 'filed', reason: null });
  if (known === null && chance.happens(0.3)) {
    watch.leased(transfer);
    return { outcome: 'again', afterMs: 5000 };
  }
  if (chance.happens(story.noisy ? 0.1 : 0.02)) return done({ job: 'file', answer: 'refused', reason: 'locked' });
  watch.filed(transfer);
  // It has filed; whether its answer arrives is another matter.
  return chance.happens(0.05) ? { outcome: 'fault', fault: 'the answer was lost' } : done({ job: 'file', answer: 'filed', reason: null });
}

/** Whether an attachment came as it was sent: all of its bytes, in their order, and rightly called compressed or not. */
export function isWhole({ announced, content }: Attachment, sent: readonly Document[]): boolean {
  const original = sent.find(({ documentId }) => documentId === announced.documentId);
  if (!original || !content || content.gzip !== original.compressed) return false;
  const [source] = original.content.pieces;
  let at = 0;
  for (const piece of content.pieces) {
    if (piece.in !== 'store' || source.in !== 'store' || piece.object.sha256 !== source.object.sha256 || piece.from !== at) return false;
    at = piece.to;
  }
  return source.in === 'store' && at === source.object.bytes;
}
