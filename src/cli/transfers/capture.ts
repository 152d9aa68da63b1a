/** Gathers what a transfer's decisions and conversions were made from. Nothing of the node is changed. */
import { wholeObject } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { contentBytes } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { readDocuments } from '../../service/conversions/to-hl7.ts';
import { documentsToSend, toHl7Task } from '../../service/jobs/to-hl7.ts';
import { readBases, readHistory } from '../../store/history.ts';
import type { KeptMessage } from '../../store/inbox.ts';
import { readLedger } from '../../store/parts.ts';
import { readPractices } from '../../store/practices.ts';
import { readDetails } from '../../store/reads/transfer-details.ts';
import type { FoundTransfer } from '../../store/reads/transfer-search.ts';
import { readStored } from '../../store/stored-json.ts';
import type { Store } from '../../store/tables.ts';
import { readTransfer } from '../../store/transfers.ts';
import type { Basis } from '../../transfer/basis.ts';
import { begunBy } from '../../transfer/decide.ts';
import { assemble } from '../../transfer/parts.ts';
import type { Document, Received, Transfer } from '../../transfer/types.ts';
import { type Step, stepAgain } from './again.ts';
import type { Ended, Exported, ExportedConversion, ExportedEntry } from './exported.ts';

/** A message as it is kept outside its row; the largest legal core names 2,000 documents. */
const MESSAGE_BYTES = 4 * 1024 * 1024;
/** Below which the practice's system would fetch the documents; of no consequence for what comes of the record. */
const DOCUMENTS_URL = 'https://replay.invalid/documents';

/** `objects`: the node's; null where it is not known, then what lies there is missing. */
export async function capture(db: Store, objects: Objects | null, found: FoundTransfer): Promise<Exported> {
  const { practice, id } = found;
  const transfer = await readTransfer(db, practice, id);
  if (!transfer) throw new Fault('input.transfer', `the transfer ${id} is gone`);
  const history = await readHistory(db, practice, id);
  const bases = new Map((await readBases(db, practice, id)).map((row) => [row.number, row]));
  const messages = await arrivedMessages(db, objects, found);

  const entries: ExportedEntry[] = [];
  const conversions: ExportedConversion[] = [];
  const begun = begunAs(transfer);
  let state: Transfer | null = begun;
  for (const entry of history) {
    const row = bases.get(entry.number);
    const basis = row?.basis ?? null;
    const arrived = basis?.event.kind === 'arrived' ? (messages.get(`${basis.event.fromPartyKey}/${basis.event.messageId}`) ?? null) : null;
    const documents: readonly Document[] | null = basis && state && isWritten(basis) ? await fetchedBefore(objects, state) : null;
    const whole: ExportedEntry = { ...entry, eventId: row?.eventId ?? '', basis, message: arrived, documents };
    entries.push(whole);
    if (basis && state) {
      const conversion = await conversionAt(db, state, entry.number, basis);
      if (conversion) conversions.push(conversion);
    }
    const step: Step | null = state && stepAgain(state, whole);
    state = step && 'after' in step ? step.after : null;
  }
  if (state?.state === 'converting') conversions.push(await conversionNow(db, state));
  return {
    practice,
    transfer: id,
    outcome: found.outcome,
    code: found.code,
    begun,
    state: transfer.state,
    entries,
    details: await readDetails(db, practice, id),
    conversions,
  };
}

/** As it was before anything happened to it. */
function begunAs(transfer: Transfer): Transfer {
  const { id, practice, nhsNumber, conversationId, startedAt: now } = transfer;
  if (transfer.role === 'sending') {
    const { request: messageId, requestId } = transfer;
    return begunBy({ messageId, conversationId, nhsNumber, requestId }, { id, practice, now });
  }
  const { role, previousPractice } = transfer;
  return { id, version: 0, conversationId, practice, nhsNumber, startedAt: now, role, previousPractice, state: 'checking' };
}

async function arrivedMessages(db: Store, objects: Objects | null, { practice, id }: FoundTransfer): Promise<Map<string, Received>> {
  const rows = await db
    .selectFrom('inbox')
    .select(['from_party_key as from', 'message'])
    .where('practice', '=', practice)
    .where('transfer', '=', id)
    .execute();
  const found = new Map<string, Received>();
  for (const { message: row } of rows) {
    const kept = row as KeptMessage;
    const message = 'message' in kept ? kept.message : 'kept' in kept && objects ? await keptOutside(objects, kept.kept) : null;
    if (message) found.set(`${message.addressed.fromPartyKey}/${message.messageId}`, message);
  }
  return found;
}

async function keptOutside(objects: Objects, ref: Parameters<typeof wholeObject>[0]): Promise<Received | null> {
  if (!(await objects.head(ref))) return null;
  return readStored(new TextDecoder().decode(await contentBytes(objects, wholeObject(ref), MESSAGE_BYTES))) as Received;
}

function isWritten({ event }: Basis): boolean {
  return event.kind === 'done' && event.result.job === 'toHl7' && event.result.answer.converted;
}

async function fetchedBefore(objects: Objects | null, before: Transfer): Promise<readonly Document[] | null> {
  if (!objects || before.role !== 'sending' || before.state !== 'converting' || !(await objects.head(before.documents))) return null;
  return documentsToSend(await readDocuments(objects, before.documents));
}

/** What was converted, where this entry says how that ended. */
async function conversionAt(db: Store, before: Transfer, entry: number, { event, own, now }: Basis): Promise<ExportedConversion | null> {
  if (before.state !== 'converting') return null;
  const job = before.role === 'sending' ? 'toHl7' : 'toFhir';
  const ended = endOf(event, job);
  if (!ended) return null;
  return { entry, ended, task: before.role === 'sending' ? { do: 'toHl7', ...toHl7Task(before, own, now) } : await toFhir(db, before) };
}

function endOf(event: Basis['event'], job: 'toHl7' | 'toFhir'): Ended | null {
  if (event.kind === 'failed') return event.job === job ? { ended: 'failed', fault: event.fault } : null;
  if (event.kind !== 'done' || event.result.job !== job) return null;
  const { answer } = event.result;
  if (!answer.converted) return { ended: 'refused', code: answer.code, fault: answer.fault };
  return { ended: 'converted', summary: { ...('record' in answer ? answer.record.summary : answer.summary) } };
}

/** It is being converted now, perhaps again and again in vain. */
async function conversionNow(db: Store, before: Extract<Transfer, { state: 'converting' }>): Promise<ExportedConversion> {
  if (before.role === 'requesting') return { entry: null, ended: null, task: await toFhir(db, before) };
  const own = (await readPractices(db)).find(({ ods }) => ods === before.practice);
  if (!own) throw new Fault('input.practice', `the practice ${before.practice} is not served by this node any more`);
  return { entry: null, ended: null, task: { do: 'toHl7', ...toHl7Task(before, own, before.startedAt) } };
}

type Reading = Extract<Transfer, { role: 'requesting'; state: 'converting' }>;

async function toFhir(db: Store, { core, peer, practice, id }: Reading): Promise<ExportedConversion['task']> {
  const attachments = assemble(core.messageId, await readLedger(db, practice, id));
  return { do: 'toFhir', hl7: core.hl7, attachments, losingPractice: peer.ods, documentsUrl: DOCUMENTS_URL };
}
