import { type CopySession, copyLine, copySession } from '../../database/copy.ts';
import { ensureMonths, type LoadedDegrades, monthOfEvent, type StoredEvent, writeLoadedDegrades } from './events.ts';
import type { PlatformDb } from './open.ts';

/** Rows that go in with one transaction. */
const CHUNK = 200_000;
/** Lines that are sent together: a write for each would cost more than the line. */
const TOGETHER = 500;
/** Lists of degrades that are written together. */
const DEGRADES = 1_000;
const COLUMNS = 'at, event_id, digest, type, conversation, supplier, reporting, requesting, sending, payload';

export type Loaded = { readonly read: number; readonly written: number };

/**
 * Loads many events and degrades; those that are there already are passed over. `url` is the database of `db`: COPY wants connections of
 * its own. Two take turns: while one puts its rows among the others, the next rows are made and sent on the other. Nothing but the rows
 * under way is in memory. Folding comes afterwards (`foldAll`). Gives how many were read and how many were new.
 */
export async function loadEvents(
  db: PlatformDb,
  url: string,
  events: AsyncIterable<StoredEvent | LoadedDegrades> | Iterable<StoredEvent | LoadedDegrades>,
  onProgress: (read: number) => void = () => undefined,
): Promise<Loaded> {
  const source = Symbol.asyncIterator in events ? events[Symbol.asyncIterator]() : events[Symbol.iterator]();
  const known = new Set<string>();
  const sessions: CopySession[] = [];
  let degrades: LoadedDegrades[] = [];
  let read = 0;
  let written = 0;
  let ended = false;
  // What the other connection is doing.
  let putting: Promise<void> = Promise.resolve();

  const keepDegrades = async () => {
    written += await writeLoadedDegrades(db, degrades);
    degrades = [];
  };
  /** The next lines, at most a chunk of them; notes the months they lie in. */
  const chunk = async function* (months: Set<string>): AsyncGenerator<string> {
    let text = '';
    for (let lines = 0; lines < CHUNK; ) {
      const next = await source.next();
      if (next.done) {
        ended = true;
        break;
      }
      const event = next.value;
      read++;
      if ('degrades' in event) {
        degrades.push(event);
        if (degrades.length >= DEGRADES) await keepDegrades();
        continue;
      }
      months.add(monthOfEvent(event));
      const { at, eventId, digest, type, conversation, supplier, reporting, requesting, sending, payload } = event;
      text += copyLine([at, eventId, digest, type, conversation, supplier, reporting, requesting, sending, payload]);
      if (++lines % TOGETHER > 0) continue;
      yield text;
      text = '';
    }
    if (text !== '') yield text;
  };
  const put = async (session: CopySession, months: Set<string>, upto: number) => {
    const fresh = [...months].filter((month) => !known.has(month));
    await ensureMonths(db, fresh);
    for (const month of fresh) known.add(month);
    await session.run('begin');
    written += await session.run(
      `insert into platform.events (${COLUMNS}) select ${COLUMNS} from arriving order by at, event_id, digest on conflict do nothing`,
    );
    await session.run('truncate arriving');
    await session.run('commit');
    onProgress(upto);
  };

  try {
    for (let turn = 0; !ended; turn++) {
      const session = sessions[turn % 2] ?? (await arrivals(url));
      sessions[turn % 2] = session;
      const months = new Set<string>();
      // A fault of the other connection is heard below; it must not end the process before.
      putting.catch(() => undefined);
      await session.copy(`copy arriving (${COLUMNS}) from stdin`, chunk(months));
      await putting;
      putting = put(session, months, read);
    }
    await putting;
    await keepDegrades();
    return { read, written };
  } finally {
    await putting.catch(() => undefined);
    await Promise.all(sessions.map((session) => session.end()));
  }
}

/** A connection with a table of its own, which is neither logged nor seen by others. */
async function arrivals(url: string): Promise<CopySession> {
  const session = await copySession(url);
  await session.run("set work_mem = '128MB'");
  await session.run('create temp table arriving (like platform.events)');
  await session.run('alter table arriving alter received_at drop not null, alter batch drop not null');
  return session;
}
