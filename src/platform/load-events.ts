import { createHash } from 'node:crypto';
import { isUuid } from '../base/ids.ts';
import { checkEvent } from '../mi/check.ts';
import { EVENT_PATHS, EVENTS, type EventPath } from '../mi/terms.ts';
import { lines } from './csv.ts';
import type { BrokenRow } from './load-spine.ts';
import { type LoadedDegrades, nameUuid, type StoredEvent, storedEvent, unkeepable } from './store/events.ts';

const PATHS: ReadonlyMap<string, EventPath> = new Map(EVENT_PATHS.map((path) => [EVENTS[path].type, path]));

/**
 * Events from a text with one a line, `{"eventType":"EHR_REQUESTS","body":{…}}`, the body as it was posted. A line that the endpoints
 * would refuse is told and left out. Degrades have neither a time nor an id in their body: both may stand beside it, as the national
 * service keeps them (`eventId`, `eventGeneratedDateTime`). Where they do not, the day is `today` and the id is made of the file's name
 * (`source`), the line and its number, so that a file that is loaded again changes nothing.
 */
export async function* readEvents(
  pieces: AsyncIterable<string | Uint8Array>,
  onBroken: (row: BrokenRow) => void,
  from: { readonly source: string; readonly today: string },
): AsyncGenerator<StoredEvent | LoadedDegrades> {
  let line = 0;
  for await (const text of lines(pieces)) {
    line++;
    if (text.trim() === '') continue;
    const read = readLine(text, () => nameUuid(sha256(`${from.source}\n${line}\n${text}`)), from.today);
    if (typeof read === 'string') onBroken({ line, fault: read });
    else yield read;
  }
}

/** The event, or what is wrong with it. */
function readLine(text: string, idOf: () => string, today: string): StoredEvent | LoadedDegrades | string {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return 'the line is no JSON';
  }
  const { eventType, body, eventId, eventGeneratedDateTime } = Object(value) as Readonly<Record<string, unknown>>;
  const path = PATHS.get(String(eventType));
  if (!path) return `eventType is none of ${[...PATHS.keys()].join(', ')}`;
  const checked = checkEvent(path, body, 'compatible', 0);
  if ('fault' in checked) return checked.fault.errors.join('; ');
  const { event } = checked;
  if (event.path !== 'ehr-degrades') {
    const row = storedEvent(event);
    return unkeepable(row) ?? row;
  }
  if (eventId !== undefined && !(typeof eventId === 'string' && isUuid(eventId))) return 'eventId: must be a UUID';
  const day = eventGeneratedDateTime === undefined ? today : dayOf(eventGeneratedDateTime);
  if (day === null) return 'eventGeneratedDateTime: must be a date, 2026-02-08, with or without a time';
  const { reportingSystemSupplier: supplier, payload } = event.body;
  return { eventId: eventId ?? idOf(), day, supplier, degrades: payload.degrades };
}

function dayOf(value: unknown): string | null {
  const day = typeof value === 'string' ? /^(\d{4}-\d\d-\d\d)(?:T.*)?$/.exec(value)?.[1] : undefined;
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T00:00:00Z`);
  return day !== undefined && Number.isFinite(at) && new Date(at).toISOString().startsWith(day) && day >= '0001' ? day : null;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
