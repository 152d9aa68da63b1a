/** Tells somebody's server of alerts: signed, tried again until it has taken them, in the order in which they were raised. */
import { createHmac } from 'node:crypto';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type HttpClient, readBody } from '../../web/client.ts';
import { type AlertPost, claimPost, settlePost } from '../store/alerts.ts';
import type { PlatformDb } from '../store/open.ts';

export type Webhook = {
  readonly url: string;
  /** Both sides know it; whoever gets a post can tell that it is ours and whole. */
  readonly secret: string;
};
export type DeliverOptions = { readonly webhook: Webhook; readonly client: HttpClient; readonly now: () => Date };
export type Delivered = { readonly outcome: 'delivered' | 'later' | 'given up'; readonly fault: string | null };

/** Longer than a request takes at most: no other program takes the same post meanwhile. */
const LEASE_SECONDS = 120;
const REQUEST_MS = 30_000;
const ANSWER_BYTES = 64 * 1024;
const LONGEST_PAUSE = 900;
/** After so many days an alert is no news. */
const GIVEN_UP_MS = 3 * 86_400_000;

/** `sha256=` and the HMAC of time, delivery and body, with a dot between each: none of them can be exchanged for another's. */
export function signatureOf(secret: string, timestamp: string, delivery: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${delivery}.${body}`, 'utf8').digest('hex')}`;
}

/**
 * Posts what is due, one post; `null`: nothing is. A post that was answered with 2xx is never made again. One of whose answer nothing is known
 * is, with the same delivery id and the same bytes, by which whoever has it already knows it.
 */
export async function deliverNext(db: PlatformDb, { webhook, client, now }: DeliverOptions): Promise<Delivered | null> {
  const post = await claimPost(db, now(), LEASE_SECONDS);
  if (!post) return null;
  const fault = await faultOf(post, webhook, client, now());
  if (fault === null) {
    await settlePost(db, now(), post, { state: 'delivered', fault });
    return { outcome: 'delivered', fault };
  }
  const old = now().getTime() - Date.parse(post.madeAt) > GIVEN_UP_MS;
  const afterSeconds = Math.min(LONGEST_PAUSE, 5 * 2 ** Math.min(post.attempts - 1, 10));
  await settlePost(db, now(), post, { state: old ? 'given up' : 'waiting', fault, afterSeconds });
  return { outcome: old ? 'given up' : 'later', fault };
}

async function faultOf({ id, body }: AlertPost, { url, secret }: Webhook, client: HttpClient, at: Date): Promise<string | null> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  try {
    const answer = await client.request({
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        'x-gp2gp-delivery': id,
        'x-gp2gp-timestamp': timestamp,
        'x-gp2gp-signature': signatureOf(secret, timestamp, id, body),
      },
      body,
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    await readBody(answer, ANSWER_BYTES);
    return answer.status >= 200 && answer.status < 300 ? null : `HTTP ${answer.status}`;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return reasonOf(thrown).slice(0, 500);
  }
}
