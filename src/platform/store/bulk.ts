import { copyLine, copySession } from '../../database/copy.ts';
import { ensureMonths, monthOfEvent, type StoredEvent } from './events.ts';
import type { PlatformDb } from './open.ts';

/** Rows that go in with one transaction. */
const CHUNK = 200_000;
const COLUMNS = 'at, event_id, digest, type, conversation, supplier, reporting, requesting, sending, payload';

/**
 * Loads many events; those that are there already are passed over. `url` is the database of `db`: COPY wants a connection of its own.
 * Folding comes afterwards (`foldAll`). Gives how many were read and how many were new.
 */
export async function loadEvents(
  db: PlatformDb,
  url: string,
  events: AsyncIterable<StoredEvent> | Iterable<StoredEvent>,
  onProgress: (read: number) => void = () => undefined,
): Promise<{ readonly read: number; readonly written: number }> {
  const session = await copySession(url);
  const known = new Set<string>();
  let read = 0;
  let written = 0;
  try {
    await session.run(`create temp table arriving (like platform.events)`);
    await session.run('alter table arriving alter received_at drop not null, alter batch drop not null');
    let lines: string[] = [];
    let months = new Set<string>();
    const flush = async () => {
      const fresh = [...months].filter((month) => !known.has(month));
      await ensureMonths(db, fresh);
      for (const month of fresh) known.add(month);
      await session.run('begin');
      await session.copy(`copy arriving (${COLUMNS}) from stdin`, joined(lines));
      written += await session.run(
        `insert into platform.events (${COLUMNS}) select ${COLUMNS} from arriving order by at on conflict do nothing`,
      );
      await session.run('truncate arriving');
      await session.run('commit');
      read += lines.length;
      lines = [];
      months = new Set();
      onProgress(read);
    };
    for await (const event of events) {
      months.add(monthOfEvent(event));
      const { at, eventId, digest, type, conversation, supplier, reporting, requesting, sending, payload } = event;
      lines.push(copyLine([at, eventId, digest, type, conversation, supplier, reporting, requesting, sending, payload]));
      if (lines.length >= CHUNK) await flush();
    }
    if (lines.length > 0) await flush();
    return { read, written };
  } finally {
    await session.end();
  }
}

/** A few hundred lines at a time: a write for each would cost more than the line. */
function* joined(lines: readonly string[]): Generator<string> {
  for (let from = 0; from < lines.length; from += 500) yield lines.slice(from, from + 500).join('');
}
