/** The older process: a file each week with the rows of every practice that is still in it, by MESH, until it is acknowledged there. */
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type ObjectRef, wholeObject } from '../../base/content.ts';
import { Fault, reasonOf } from '../../base/errors.ts';
import { instant } from '../../base/ids.ts';
import type { RequestRecord, SendRecord } from '../../mi/files/columns.ts';
import { fileName, practiceLines } from '../../mi/files/file.ts';
import { type PlaceholderCounts, requestRecord, sendRecord } from '../../mi/files/records.ts';
import { type Monday, weekBefore, weekOf } from '../../mi/files/week.ts';
import { placeholdersOf } from '../../mi/lists.ts';
import { contentBytes } from '../../objects/content.ts';
import type { Objects } from '../../objects/objects.ts';
import { type Mesh, MeshFault } from '../../spine/mesh.ts';
import { claimMiFile, keepMiFile, lastMiFile, type MiFile, noteMiFile, transfersOfWeek, type WeekTransfer } from '../../store/mi-files.ts';
import type { Practice } from '../../store/practices.ts';
import { readStored } from '../../store/stored-json.ts';
import type { Store } from '../../store/tables.ts';

export type WeeklyOptions = {
  readonly db: Store;
  readonly objects: Objects;
  readonly practices: () => Promise<readonly Practice[]>;
  readonly mesh: Mesh;
  /** Mailbox of the receiver, and the workflow that was agreed with it. */
  readonly to: string;
  readonly workflow: string;
  readonly supplier: string;
  /** `Supplier_System_Version`. */
  readonly software: string;
  readonly now: () => Date;
  readonly alert: (code: 'mi.fileUndelivered' | 'mi.fileRefused') => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
};

/** So long after a week's end its file is made: what came late on Sunday has settled. */
const SETTLE_MS = 6 * 3_600_000;
const LOOK_AGAIN_MINUTES = 10;
const FILE_BYTES = 1_000_000_000;
const LIST_BYTES = 64 * 1024 * 1024;

/** Makes the files that are due and looks after those that are on their way. */
export async function weekly(options: WeeklyOptions): Promise<void> {
  for (const week of await weeksDue(options)) await makeFile(options, week);
  for (let file = await claimMiFile(options.db, LOOK_AGAIN_MINUTES); file; file = await claimMiFile(options.db, LOOK_AGAIN_MINUTES))
    await lookAfter(options, file);
}

/** Every whole week since the last file; without one, the last. */
async function weeksDue({ db, practices, now }: WeeklyOptions): Promise<Monday[]> {
  if (!(await practices()).some(({ mi }) => mi?.files)) return [];
  const last = await lastMiFile(db);
  const weeks: Monday[] = [];
  for (
    let week = weekBefore(weekOf(instant(new Date(now().getTime() - SETTLE_MS))));
    last === null || week > last;
    week = weekBefore(week)
  ) {
    weeks.unshift(week);
    if (last === null) break;
  }
  return weeks;
}

async function makeFile({ db, objects, practices, supplier, software, log }: WeeklyOptions, week: Monday): Promise<void> {
  const lines: string[] = [];
  let [reporting, requests, sends] = [0, 0, 0];
  for (const practice of await practices()) {
    if (!practice.mi?.files) continue;
    const records = await practiceRecords({ db, objects }, practice, week);
    lines.push(...practiceLines(practice, week, software, records));
    reporting++;
    requests += records.requests.length;
    sends += records.sends.length;
  }
  const object = await objects.put(Buffer.from(`${lines.join('\r\n')}\r\n`));
  const mark = createHash('sha256').update(`${supplier} ${week}`).digest('hex').slice(0, 6).toUpperCase();
  const name = fileName(week, mark);
  await keepMiFile(db, { week, name, object, practices: reporting, requests, sends });
  log.info({ file: name, week, practices: reporting, requests, sends }, 'the weekly file of management information is made');
}

/** The rows of one practice for one week. */
export async function practiceRecords(
  { db, objects }: Pick<WeeklyOptions, 'db' | 'objects'>,
  { ods }: Practice,
  week: Monday,
): Promise<{ requests: RequestRecord[]; sends: SendRecord[] }> {
  const requests: RequestRecord[] = [];
  const sends: SendRecord[] = [];
  for (const transfer of await transfersOfWeek(db, ods, week)) {
    const about = { practice: ods, otherPractice: transfer.otherPractice, conversationId: transfer.conversationId };
    const { entries } = transfer;
    if (transfer.role === 'requesting') {
      const record = requestRecord(about, entries);
      if (record) requests.push(record);
    } else {
      const record = sendRecord(about, entries, await placeholderCounts(objects, entries));
      if (record) sends.push(record);
    }
  }
  return { requests, sends };
}

async function placeholderCounts(objects: Objects, entries: WeekTransfer['entries']): Promise<PlaceholderCounts> {
  const { measured } = entries.findLast((entry) => entry.measured['left'] === 'core') ?? {};
  const list = measured && { sha256: String(measured['documents'] ?? ''), bytes: Number(measured['documentsBytes'] ?? 0) };
  // Content that was kept long enough is gone: then the row says no more than that there was a core.
  if (!list?.sha256 || !(await objects.head(list))) return {};
  const counts: Partial<Record<keyof PlaceholderCounts, number>> = {};
  for (const { reason } of placeholdersOf(await documentsIn(objects, list))) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

async function documentsIn(objects: Objects, list: ObjectRef) {
  return readStored(new TextDecoder().decode(await contentBytes(objects, wholeObject(list), LIST_BYTES))) as Parameters<
    typeof placeholdersOf
  >[0];
}

/** Sends a file, or asks what became of it. A fault that may pass is waited out. */
async function lookAfter({ db, objects, mesh, to, workflow, alert, log }: WeeklyOptions, file: MiFile): Promise<void> {
  const localId = `${file.name}-${file.week}-${file.tries}`;
  try {
    if (file.state === 'made' && file.object) {
      const bytes = await contentBytes(objects, wholeObject(file.object), FILE_BYTES);
      const messageId = await mesh.send({ to, workflow, filename: file.name, localId, bytes });
      await noteMiFile(db, file.week, { state: 'sent', messageId });
      log.info({ file: file.name, messageId }, 'the weekly file of management information is sent');
      return;
    }
    const tracked = await mesh.track(localId);
    if (tracked?.status === 'acknowledged') await noteMiFile(db, file.week, { state: 'acknowledged' });
    if (tracked?.status !== 'undeliverable') return;
    const fault = 'nobody has fetched the file from the mailbox in five days';
    alert('mi.fileUndelivered');
    log.warn({ file: file.name }, fault);
    await noteMiFile(db, file.week, { state: 'undeliverable', fault });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const unfinished = error instanceof MeshFault && error.code === 'mesh.unfinished';
    if (error.code === 'mesh.refused') alert('mi.fileRefused');
    log.warn({ file: file.name, fault: reasonOf(error) }, 'the weekly file of management information will be tried again');
    await noteMiFile(db, file.week, { fault: reasonOf(error), ...(unfinished && { tries: file.tries + 1 }) });
  }
}

const EVERY_MS = 10 * 60_000;

export function startWeekly(options: WeeklyOptions): { close(): Promise<void> } {
  let working: Promise<void> = Promise.resolve();
  const run = (): void => {
    working = working
      .then(() => weekly(options))
      .catch((error: unknown) => options.log.warn({ fault: reasonOf(error) }, 'the weekly file of management information is not made yet'));
  };
  const timer = setInterval(run, EVERY_MS);
  timer.unref();
  run();
  return {
    async close() {
      clearInterval(timer);
      await working;
    },
  };
}
