/** What a practice's own system may read and do: each function looks at that practice's rows alone, and acts through the door. */
import { type ObjectRef, storedLength, wholeObject } from '../base/content.ts';
import { instant, type Ods, type TransferId } from '../base/ids.ts';
import type { PracticeActions } from '../gp-system/api.ts';
import { contentBytes, readContent } from '../objects/content.ts';
import type { Objects } from '../objects/objects.ts';
import { readHistory } from '../store/history.ts';
import { listTransfers, type TransferLine } from '../store/reads/transfers.ts';
import { readStored } from '../store/stored-json.ts';
import type { Store } from '../store/tables.ts';
import { readTransfer } from '../store/transfers.ts';
import type { ConvertedRecord, Transfer } from '../transfer/types.ts';
import type { ReceivedDocumentEntry } from './conversions/tasks.ts';
import { RECORD_VERSION } from './jobs/file.ts';
import type { Post } from './post.ts';
import { printList } from './print-list.ts';
import { register } from './registrations.ts';

export type PracticeActionsOptions = {
  readonly db: Store;
  readonly objects: Objects;
  readonly post: Post;
  readonly now: () => Date;
  readonly newId: () => string;
};

const LIST_BYTES = 64 * 1024 * 1024;
/** So many lists, of up to so many bytes each. */
const REMEMBERED = 8;
const REMEMBERED_BYTES = 1024 * 1024;
/** For so long a record that was found is taken to be that of its transfer. */
const RECENT_MS = 1_000;

export function practiceActions(options: PracticeActionsOptions): PracticeActions {
  const { db, objects, post } = options;
  /** By address, the latest last: a system fetches a thousand documents one after another, each of which is looked up in the same list. */
  const lists = new Map<string, readonly ReceivedDocumentEntry[]>();

  /** The oldest first: a system fetches record, report and every document at once, and each is looked up by its transfer. */
  const recent = new Map<string, { readonly record: ConvertedRecord; readonly at: number }>();

  const recordOf = async (practice: Ods, id: TransferId): Promise<ConvertedRecord | null> => {
    const key = `${practice} ${id}`;
    const now = performance.now();
    // Two that came at once may leave one behind a younger one for a moment.
    for (const [old, { at }] of recent) {
      if (now - at < RECENT_MS) break;
      recent.delete(old);
    }
    const known = recent.get(key);
    if (known && now - known.at < RECENT_MS) return known.record;
    const transfer = await readTransfer(db, practice, id);
    const record = transfer && 'record' in transfer ? transfer.record : null;
    // What is not there may be in a moment.
    if (record) recent.set(key, { record, at: now });
    return record;
  };
  /** What the conversion said on the way out. */
  const reportOfOffer = async (practice: Ods, id: TransferId): Promise<ObjectRef | null> => {
    const transfer = await readTransfer(db, practice, id);
    return transfer && 'offer' in transfer ? (transfer.offer?.report ?? null) : null;
  };
  const whole = (ref: ObjectRef) => ({
    bytes: ref.bytes,
    sha256: ref.sha256,
    body: (into: Uint8Array) => objects.get(ref, 0, ref.bytes, into),
  });
  const documentsOf = async (practice: Ods, id: TransferId): Promise<readonly ReceivedDocumentEntry[] | null> => {
    const record = await recordOf(practice, id);
    if (!record) return null;
    const { sha256 } = record.documents;
    const known = lists.get(sha256);
    // What has been wiped is not told from memory either.
    if (known && (await objects.head(record.documents))) return known;
    const bytes = await contentBytes(objects, wholeObject(record.documents), LIST_BYTES);
    const list = readStored(new TextDecoder().decode(bytes)) as ReceivedDocumentEntry[];
    lists.delete(sha256);
    if (bytes.byteLength <= REMEMBERED_BYTES) lists.set(sha256, list);
    for (const oldest of lists.keys()) if (lists.size > REMEMBERED) lists.delete(oldest);
    return list;
  };

  return {
    register: (practice, { registrationId, nhsNumber, previousPractice, patientClass }) =>
      register(options, practice, {
        registrationId,
        nhsNumber,
        previousPractice,
        registration: {
          type: 'newRegistration',
          permanent: patientClass === 'permanent',
          returning: false,
          authenticated: true,
          traceMatched: true,
          gpLinksComplete: true,
        },
      }),

    async transfers(practice, { limit, state, ...filter }) {
      const lines = await listTransfers(db, practice, { ...filter, ...(state && { state: state as Transfer['state'] }) }, limit);
      return { transfers: lines.map(lineOf) };
    },

    async transfer(practice, id) {
      const transfer = await readTransfer(db, practice, id);
      return transfer && detailsOf(transfer);
    },

    async timeline(practice, id) {
      if (!(await readTransfer(db, practice, id))) return null;
      return { entries: await readHistory(db, practice, id) };
    },

    async record(practice, id) {
      const record = await recordOf(practice, id);
      return record && whole(record.bundle);
    },

    async report(practice, id) {
      const report = (await recordOf(practice, id))?.report ?? (await reportOfOffer(practice, id));
      return report ? whole(report) : null;
    },

    async documents(practice, id) {
      const entries = await documentsOf(practice, id);
      return entries ? entries.map(({ content: _content, ...entry }) => entry) : null;
    },

    printList: (practice, id) => printList(options, practice, id),

    async document(practice, id, wanted) {
      const entry = (await documentsOf(practice, id))?.find(({ documentId }) => documentId === wanted);
      if (!entry?.content) return null;
      const { bytes, sha256, name, content } = entry;
      return { bytes, sha256, name, body: (into) => readContent(objects, content, { into }) };
    },

    async filing(practice, id, word) {
      const transfer = await readTransfer(db, practice, id);
      if (transfer?.role !== 'requesting') return null;
      const record = 'record' in transfer ? transfer.record : null;
      if (!record) return 'notNow';
      if (word.version !== RECORD_VERSION || word.sha256 !== record.bundle.sha256) return 'otherRecord';
      // Told twice, or asked for meanwhile: the end stands.
      if (transfer.state === 'ended') return transfer.outcome.kind === 'integrated' && word.answer === 'filed' ? 'taken' : 'notNow';
      if (transfer.state !== 'filing') return 'notNow';
      await post({
        practice,
        transfer: id,
        event: {
          id: `filing:${transfer.version}:${word.answer}`,
          at: instant(options.now()),
          by: { kind: 'system' },
          kind: 'done',
          result: { job: 'file', answer: word.answer, reason: word.reason ?? null },
        },
      });
      return 'taken';
    },

    async decide(practice, id, { decision, user, role }) {
      const before = await readTransfer(db, practice, id);
      if (!before) return null;
      const { transfer } = await post({
        practice,
        transfer: id,
        event: {
          id: `decided:${options.newId()}`,
          at: instant(options.now()),
          by: { kind: 'person', user, role },
          kind: 'decided',
          decision,
        },
      });
      // A decision that was taken moves the transfer on; one that does not belong to its state is only noted.
      return transfer && transfer.state !== before.state ? 'taken' : 'notNow';
    },
  };
}

function lineOf({ id, ...line }: TransferLine) {
  return { transferId: id, ...line };
}

/** What the system needs to know of one transfer; nothing of how it is kept. */
function detailsOf(transfer: Transfer): object {
  const { id, version, role, conversationId, nhsNumber, startedAt, state } = transfer;
  const record = 'record' in transfer ? transfer.record : null;
  return {
    transferId: id,
    version,
    role,
    conversationId,
    nhsNumber,
    startedAt,
    state,
    otherPractice:
      'peer' in transfer && transfer.peer ? transfer.peer.ods : transfer.role === 'requesting' ? transfer.previousPractice : null,
    ...(transfer.state === 'ended' && { outcome: transfer.outcome, endedAt: transfer.at }),
    ...('outstanding' in transfer && { outstanding: transfer.outstanding }),
    ...('unsent' in transfer && { unsent: transfer.unsent }),
    ...('reasons' in transfer && { reasons: transfer.reasons }),
    ...(record && {
      record: { version: RECORD_VERSION, sha256: record.bundle.sha256, bytes: record.bundle.bytes, summary: record.summary },
    }),
    ...('core' in transfer && transfer.core && { coreBytes: storedLength(transfer.core.hl7) }),
  };
}
