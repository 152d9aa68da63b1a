/** The GP Registrations MI API: one POST for each event, nothing to read back. */
import { Fault, reasonOf } from '../base/errors.ts';
import type { EventPath } from '../mi/terms.ts';
import { type HttpAnswer, type HttpClient, HttpFault, readBody } from '../web/client.ts';

/**
 * What became of a post.
 * - `refused`: the service does not take this event as it is, and says why.
 * - `barred`: somebody has to mend a setting first; every other event would fare the same.
 * - `away`: it was not taken, and will be later; `afterSeconds` where the service said when.
 * - `unknown`: it may have been taken.
 */
export type MiAnswer =
  | { readonly outcome: 'taken'; readonly eventId: string }
  | { readonly outcome: 'refused' | 'barred' | 'unknown'; readonly fault: string }
  | { readonly outcome: 'away'; readonly fault: string; readonly afterSeconds: number | null };
export type MiApi = { post(path: EventPath, body: object, apiKey: string): Promise<MiAnswer> };
export type MiApiOptions = { readonly url: string; readonly client: HttpClient; readonly now: () => Date };

const ANSWER_BYTES = 64 * 1024;
/** Before the service has anything to do with it: the platform in front of it says so. */
const BARRED: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 415]);
/** What stands in front of the service gave up waiting for it: it may have taken the event. */
const GATEWAY: ReadonlySet<number> = new Set([502, 504]);
const FAULT_LENGTH = 1_000;

export function createMiApi({ url, client, now }: MiApiOptions): MiApi {
  const base = url.replace(/\/+$/, '');
  return {
    async post(path, body, apiKey) {
      let answer: HttpAnswer;
      let text: string;
      try {
        const headers = { apikey: apiKey, 'content-type': 'application/json', accept: 'application/json' };
        answer = await client.request({ method: 'POST', url: `${base}/${path}`, headers, body: JSON.stringify(body) });
        text = new TextDecoder().decode(await readBody(answer, ANSWER_BYTES));
      } catch (thrown) {
        return withoutAnswer(thrown);
      }
      const { status, headers } = answer;
      if (status === 200) {
        const eventId = eventIdIn(text);
        // Whatever answered so is not the service, or not as it is published.
        return eventId === null
          ? { outcome: 'unknown', fault: 'HTTP 200 without an event id: does mi.url lead to the service?' }
          : { outcome: 'taken', eventId };
      }
      const fault = `HTTP ${status}${saidIn(text)}`;
      if (BARRED.has(status)) return { outcome: 'barred', fault };
      if (GATEWAY.has(status)) return { outcome: 'unknown', fault };
      if (status === 408 || status === 425 || status === 429 || status >= 500)
        return { outcome: 'away', fault, afterSeconds: retryAfter(headers.get('retry-after'), now()) };
      if (status >= 400) return { outcome: 'refused', fault };
      return { outcome: 'barred', fault: `${fault}: no answer that the service gives` };
    },
  };
}

function withoutAnswer(thrown: unknown): MiAnswer {
  if (!(thrown instanceof Fault)) throw thrown;
  const fault = reasonOf(thrown);
  if (!(thrown instanceof HttpFault)) return { outcome: 'unknown', fault };
  switch (thrown.kind) {
    case 'unreachable':
      return { outcome: 'away', fault, afterSeconds: null };
    case 'configuration':
      return { outcome: 'barred', fault };
    case 'unknown':
      return { outcome: 'unknown', fault };
  }
}

function eventIdIn(text: string): string | null {
  const { eventId } = readObject(text);
  return typeof eventId === 'string' && eventId !== '' ? eventId.slice(0, 100) : null;
}

/** `Failed to validate fields: payload.ehr: must not be null; …` */
function saidIn(text: string): string {
  const { message, errors } = readObject(text);
  const said = [
    ...(typeof message === 'string' ? [message] : []),
    ...(Array.isArray(errors) ? [errors.filter((each) => typeof each === 'string').join('; ')] : []),
  ]
    .filter((each) => each !== '')
    .join(': ');
  return said === '' ? '' : `: ${said.replace(/\s+/g, ' ').slice(0, FAULT_LENGTH)}`;
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // No JSON says nothing; the status has said enough.
    return {};
  }
}

/** Seconds, or the time of a date; `null` where neither is there. */
function retryAfter(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  if (/^\d{1,7}$/.test(value.trim())) return Number(value);
  const at = Date.parse(value);
  return Number.isFinite(at) ? Math.max(0, (at - now.getTime()) / 1000) : null;
}
