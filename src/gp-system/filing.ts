import { z } from 'zod';
import { Fault, reasonOf } from '../base/errors.ts';
import type { ConversationId, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { readJson } from '../fhir/json.ts';
import { type HttpAnswer, type HttpClient, HttpFault, readBody } from '../web/client.ts';

/** A record offered to the practice's system: version and hash are what both sides agree on. */
export type Offer = {
  readonly transferId: TransferId;
  readonly conversationId: ConversationId;
  readonly nhsNumber: NhsNumber;
  readonly version: number;
  /** Of the bundle's bytes, lower-case hexadecimal. */
  readonly sha256: string;
  readonly recordUrl: string;
  readonly documentsUrl: string;
  readonly as: 'integrate' | 'suppress' | 'fileAsAttachment';
};
/** `leased`: the system has the record in hand and answers later, by itself or when asked. `unknown`: it never heard of the offer. */
export type FilingAnswer =
  | { readonly answer: 'filed'; readonly version: number; readonly sha256: string }
  | { readonly answer: 'refused'; readonly version: number; readonly sha256: string; readonly reason: string | null }
  | { readonly answer: 'leased'; readonly leaseUntil: string }
  | { readonly answer: 'unknown' };
export type Filing = {
  offer(offer: Offer): Promise<Exclude<FilingAnswer, { answer: 'unknown' }>>;
  /** Asks what became of an offer, after a crash of either side. */
  ask(transferId: TransferId): Promise<FilingAnswer>;
  /** A thin word that transfers changed, in the order in which they did; the system reads a transfer if it wants to know more. */
  notify(events: readonly { readonly transferId: TransferId; readonly state: string }[]): Promise<void>;
};
export type FilingOptions = { readonly url: string; readonly apiKey: string; readonly client: HttpClient };

const ANSWER_BYTES = 65_536;

const answerSchema = z.discriminatedUnion('answer', [
  z.object({ answer: z.literal('filed'), version: z.coerce.number(), sha256: z.string() }),
  z.object({ answer: z.literal('refused'), version: z.coerce.number(), sha256: z.string(), reason: z.string().max(1000).nullish() }),
  z.object({ answer: z.literal('leased'), leaseUntil: z.string().max(64) }),
]);

/**
 * The filing interface of a practice's system. Offering the same record twice is one filing there. Throws `Fault` `filing.unavailable`
 * where asking again may help, `filing.refused` where somebody has to look, `filing.otherRecord` where the answer is about another
 * version or other bytes than were offered.
 */
export function createFiling(options: FilingOptions): Filing {
  const base = options.url.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${options.apiKey}`, 'content-type': 'application/json', accept: 'application/json' };

  async function call(method: 'GET' | 'PUT' | 'POST', path: string, body?: object): Promise<{ status: number; body: Buffer }> {
    let answer: HttpAnswer;
    let read: Buffer;
    try {
      answer = await options.client.request({ method, url: `${base}${path}`, headers, ...(body && { body: JSON.stringify(body) }) });
      read = await readBody(answer, ANSWER_BYTES);
    } catch (cause) {
      const settings = cause instanceof HttpFault && cause.kind === 'configuration';
      throw new Fault(settings ? 'filing.refused' : 'filing.unavailable', `the practice's system cannot be reached: ${reasonOf(cause)}`, {
        cause,
      });
    }
    const { status } = answer;
    if (status >= 500 || status === 408 || status === 429)
      throw new Fault('filing.unavailable', `the practice's system answered HTTP ${status}`);
    return { status, body: read };
  }

  return {
    async offer(offer) {
      const { status, body } = await call('PUT', `/records/${encodeURIComponent(offer.transferId)}`, offer);
      const answer = answerOf(status, body);
      if (answer.answer !== 'leased' && (answer.version !== offer.version || answer.sha256.toLowerCase() !== offer.sha256))
        throw new Fault(
          'filing.otherRecord',
          `the practice's system answered about version ${answer.version}, offered was ${offer.version}`,
          {
            remedy: 'ask the supplier of the system; the record is not acknowledged until both sides mean the same one',
          },
        );
      return answer;
    },
    async ask(transferId) {
      const { status, body } = await call('GET', `/records/${encodeURIComponent(transferId)}`);
      return status === 404 ? { answer: 'unknown' } : answerOf(status, body);
    },
    async notify(events) {
      const { status } = await call('POST', '/events', { events });
      if (status >= 300) throw new Fault('filing.refused', `the practice's system answered HTTP ${status} to events`);
    },
  };
}

function answerOf(status: number, body: Buffer): Exclude<FilingAnswer, { answer: 'unknown' }> {
  if (status !== 200 && status !== 202) throw new Fault('filing.refused', `the practice's system answered HTTP ${status} to a record`);
  let json: unknown;
  try {
    json = readJson(body);
  } catch (cause) {
    throw new Fault('filing.refused', `the practice's system answered no JSON: ${reasonOf(cause)}`, { cause });
  }
  const read = answerSchema.safeParse(json);
  if (!read.success) throw new Fault('filing.refused', `the practice's system answered what is no answer: ${z.prettifyError(read.error)}`);
  return read.data.answer === 'refused' ? { ...read.data, reason: read.data.reason ?? null } : read.data;
}
