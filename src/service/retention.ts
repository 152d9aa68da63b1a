/**
 * What is kept for how long: content some days after the end, metadata longer, a wrong patient's record not at all. One node at a time
 * sweeps, whichever gets the lock; a sweep that is interrupted is carried on by the next.
 */
import type { Logger } from 'pino';
import { type ObjectRef, wholeObject } from '../base/content.ts';
import { reasonOf } from '../base/errors.ts';
import { type Db, transaction } from '../database/connect.ts';
import { contentBytes } from '../objects/content.ts';
import type { Objects } from '../objects/objects.ts';
import {
  addReferenced,
  contentDue,
  deletePast,
  deletePastMessages,
  documentLists,
  endErasures,
  eraseContent,
  gatherReferenced,
  isTimeFor,
  markErased,
  mayErase,
  pendingErasures,
  rejectedDue,
  unreferenced,
} from '../store/retention.ts';
import type { Store, Tables } from '../store/tables.ts';

export type RetentionOptions = {
  readonly db: Db<Tables>;
  readonly objects: Objects;
  /** Days after a transfer's end for which its content is kept, and those for which it is known at all. */
  readonly contentDays: number;
  readonly metadataDays: number;
  readonly now: () => Date;
};
export type Swept = { readonly erased: number; readonly forgotten: number; readonly objects: number };

/** Transfers in one transaction. */
const BATCH = 50;
/** Objects that are looked up together. */
const LOOK_UP = 1_000;
/** Longer than any message is received, document fetched or record converted: what is unreferenced for so long never will be. */
const GRACE_MS = 24 * 3_600_000;
/** The same for what has to go at once: the longest that a request or a conversion of usual size takes. */
const SHORT_GRACE_MS = 15 * 60_000;
const LIST_BYTES = 64 * 1024 * 1024;
const SNAPSHOT = { snapshot: true };

/** A wrong patient's content: out of the rows in the transaction that follows the rejection, and its objects as soon as may be. */
export async function eraseRejected(options: RetentionOptions): Promise<number> {
  const { db, objects } = options;
  let erased = 0;
  for (let batch = BATCH; batch === BATCH; ) {
    batch = await transaction(db, async (store) => {
      const due = await rejectedDue(store, BATCH);
      for (const transfer of due) {
        await markErased(store, transfer, await listedObjects(objects, await documentLists(store, transfer)));
        await eraseContent(store, transfer);
      }
      return due.length;
    });
    erased += batch;
  }
  await eraseMarked(options);
  return erased;
}

/** Objects that were marked go now, unless another transfer points at the same bytes or somebody may be about to. */
async function eraseMarked({ db, objects, now }: RetentionOptions): Promise<void> {
  const marked = await pendingErasures(db, LOOK_UP);
  if (marked.length === 0) return;
  await transaction(
    db,
    async (store) => {
      if (!(await mayErase(store))) return;
      await referencedNow(store, objects);
      const free = await unreferenced(
        store,
        marked.map(({ sha256 }) => sha256),
      );
      const before = new Date(now().getTime() - SHORT_GRACE_MS);
      const gone: string[] = [];
      // What another transfer points at is that one's, and goes with it.
      for (const ref of marked) if (!free.has(ref.sha256) || (await objects.expire(ref, before))) gone.push(ref.sha256);
      await endErasures(store, gone);
    },
    SNAPSHOT,
  );
}

/** Everything that is due: content, metadata, and once a day the objects that nobody points at. */
export async function sweep(options: RetentionOptions): Promise<Swept> {
  const { db, contentDays, metadataDays } = options;
  let erased = await eraseRejected(options);
  let forgotten = 0;
  for (let batch = BATCH; batch === BATCH; ) {
    batch = await transaction(db, async (store) => {
      const due = await contentDue(store, contentDays, BATCH);
      for (const transfer of due) await eraseContent(store, transfer);
      return due.length;
    });
    erased += batch;
  }
  for (let batch = BATCH; batch === BATCH; ) {
    batch = await transaction(db, (store) => deletePast(store, metadataDays, BATCH));
    forgotten += batch;
  }
  await deletePastMessages(db, metadataDays);
  const objects = (await isTimeFor(db, 'objects_swept', 24)) ? await sweepObjects(options) : 0;
  return { erased, forgotten, objects };
}

/**
 * Deletes objects that nobody points at and nobody has stored for a day. A reference that appears after the look belongs to somebody who
 * has stored the object meanwhile, which its time shows.
 */
export async function sweepObjects({ db, objects, now }: RetentionOptions): Promise<number> {
  return await transaction(
    db,
    async (store) => {
      if (!(await mayErase(store))) return 0;
      const before = new Date(now().getTime() - GRACE_MS);
      await referencedNow(store, objects);
      let deleted = 0;
      let some: ObjectRef[] = [];
      const deal = async (): Promise<void> => {
        const free = await unreferenced(
          store,
          some.map(({ sha256 }) => sha256),
        );
        for (const ref of some) if (free.has(ref.sha256) && (await objects.expire(ref, before))) deleted++;
        some = [];
      };
      for await (const { ref, modifiedAt } of objects.list()) {
        if (modifiedAt < before) some.push(ref);
        if (some.length === LOOK_UP) await deal();
      }
      await deal();
      return deleted;
    },
    SNAPSHOT,
  );
}

/** Gathers every object that a row points at, straight or through a list, into a table of this transaction. */
export async function referencedNow(store: Store, objects: Objects): Promise<void> {
  for (const list of await gatherReferenced(store))
    await addReferenced(
      store,
      (await listedObjects(objects, [list])).map(({ sha256 }) => sha256),
    );
}

/** The objects that lists point at, which are objects themselves. A list that is gone points at nothing. */
async function listedObjects(objects: Objects, lists: readonly ObjectRef[]): Promise<ObjectRef[]> {
  const found: ObjectRef[] = [];
  for (const list of lists) {
    if (!(await objects.head(list))) continue;
    const text = new TextDecoder().decode(await contentBytes(objects, wholeObject(list), LIST_BYTES));
    for (const [, sha256 = '', bytes] of text.matchAll(/"sha256":"([0-9a-f]{64})","bytes":(\d+)/g))
      found.push({ sha256, bytes: Number(bytes) });
  }
  return found;
}

export type Retention = {
  /** A person has rejected a record: what came of it is erased now. */
  rejected(): void;
  stop(): Promise<void>;
};

/** Sweeps every so often, and at once where something has to go. */
export function startRetention(options: RetentionOptions & { readonly everyMs: number; readonly log: Logger }): Retention {
  const { log } = options;
  let working: Promise<void> = Promise.resolve();
  let stopping = false;
  const run = (what: () => Promise<void>): void => {
    if (stopping) return;
    working = working.then(what).catch((error: unknown) => log.warn({ fault: reasonOf(error) }, 'a sweep failed and will be tried again'));
  };
  const all = (): void =>
    run(async () => {
      const swept = await sweep(options);
      if (swept.erased + swept.forgotten + swept.objects > 0) log.info(swept, 'what was kept long enough is erased');
    });
  const timer = setInterval(all, options.everyMs);
  timer.unref();
  all();
  return {
    rejected: () => run(async () => void (await eraseRejected(options))),
    async stop() {
      stopping = true;
      clearInterval(timer);
      await working;
    },
  };
}
