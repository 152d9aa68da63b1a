import { checkEvent } from '../mi/check.ts';
import { EVENT_PATHS, EVENTS, type EventPath } from '../mi/terms.ts';
import { lines } from './csv.ts';
import type { BrokenRow } from './load-spine.ts';
import { type StoredEvent, storedEvent } from './store/events.ts';

const PATHS: ReadonlyMap<string, EventPath> = new Map(EVENT_PATHS.map((path) => [EVENTS[path].type, path]));

/**
 * Events from a text with one a line, `{"eventType":"EHR_REQUESTS","body":{…}}`, the body as it was posted. A line that the endpoints
 * would refuse is told and left out, and so are degrades: nothing in them says whether they were there before.
 */
export async function* readEvents(
  pieces: AsyncIterable<string | Uint8Array>,
  onBroken: (row: BrokenRow) => void,
): AsyncGenerator<StoredEvent> {
  let line = 0;
  for await (const text of lines(pieces)) {
    line++;
    if (text.trim() === '') continue;
    const read = readLine(text);
    if (typeof read === 'string') onBroken({ line, fault: read });
    else yield read;
  }
}

/** The event, or what is wrong with it. */
function readLine(text: string): StoredEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return 'the line is no JSON';
  }
  const { eventType, body } = Object(value) as { readonly eventType?: unknown; readonly body?: unknown };
  const path = PATHS.get(String(eventType));
  if (!path) return `eventType is none of ${[...PATHS.keys()].join(', ')}`;
  const checked = checkEvent(path, body, 'compatible', 0);
  if ('fault' in checked) return checked.fault.errors.join('; ');
  if (checked.event.path === 'ehr-degrades') return 'degrades are taken by the API only';
  const row = storedEvent(checked.event);
  // The calendar of the database begins with the year 1.
  return row.at < '0001' ? 'registrationEventDateTime: must be a date and time' : row;
}
