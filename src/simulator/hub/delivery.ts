import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { reasonOf } from '../../base/errors.ts';
import type { SimulatedClock } from '../clock.ts';
import type { MutualTls } from '../http.ts';
import { pourFile } from '../rooms.ts';
import { EnvelopeFault, type HubEnvelope, readHubEnvelope } from './envelope.ts';

/**
 * A message in safe keeping: the file holds a `Content-Type` line, an empty line, then the body from `bodyAt`, and behind it what was there
 * before.
 */
export type Kept = {
  readonly number: number;
  /** Of its file in the spool. */
  readonly name: string;
  readonly file: string;
  readonly bodyAt: number;
  readonly bytes: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly envelope: HubEnvelope;
  /** The same body, where it is small and has just come. */
  readonly body?: Buffer;
};

/** What became of a message in the end; `status` is the recipient's last HTTP status, 0 where it never answered. */
export type Fate = {
  readonly delivered: boolean;
  readonly status: number;
  readonly url: string;
  readonly attempts: number;
  readonly reason: string | null;
};

export type Delivery = {
  /** Delivers in the background; `fate` is called once, unless the hub is closed first. */
  enqueue(message: Kept, notBefore: number, fate: (fate: Fate) => Promise<void>): void;
  readonly pending: number;
  close(): Promise<void>;
};

export type DeliveryOptions = {
  /** The recipient's nodes, in the order to try them; null for a party that is not known (any more). */
  readonly urlsOf: (partyKey: string) => readonly string[] | null;
  readonly tls: MutualTls;
  readonly retry: { readonly firstMs: number; readonly mostMs: number };
  /** How long a message is tried. */
  readonly livesMs: (envelope: HubEnvelope) => number;
  /** Messages on their way to one party at the same time. */
  readonly concurrency: number;
  readonly clock: SimulatedClock;
  readonly log: (line: string) => void;
};

const ANSWER_LIMIT = 262_144;
const ANSWER_MS = 60_000;

/** Carries kept messages to their recipients until each is acknowledged, refused, or too old. */
export function startDelivery(options: DeliveryOptions): Delivery {
  const agent = new Agent({
    cert: readFileSync(options.tls.certificate),
    key: readFileSync(options.tls.key),
    ca: options.tls.authorities.map((path) => readFileSync(path)),
    keepAlive: true,
    maxSockets: 64,
  });
  const closing = new AbortController();
  const lanes = new Map<string, { active: number; queue: (() => Promise<void>)[] }>();
  const running = new Set<Promise<void>>();
  let pending = 0;

  function run(partyKey: string, job: () => Promise<void>): void {
    const lane = lanes.get(partyKey) ?? { active: 0, queue: [] };
    lanes.set(partyKey, lane);
    lane.queue.push(job);
    fill(lane);
  }

  function fill(lane: { active: number; queue: (() => Promise<void>)[] }): void {
    while (lane.active < options.concurrency && !closing.signal.aborted) {
      const job = lane.queue.shift();
      if (!job) return;
      lane.active++;
      const work = job()
        .catch((thrown: unknown) => options.log(`delivery: ${reasonOf(thrown)}`))
        .finally(() => {
          lane.active--;
          running.delete(work);
          fill(lane);
        });
      running.add(work);
    }
  }

  let turn = 0;
  async function attempt(message: Kept): Promise<Outcome> {
    const urls = options.urlsOf(message.envelope.to);
    if (!urls?.length) return { kind: 'unavailable', status: 0, url: '', reason: `no address for ${message.envelope.to}` };
    const first = turn++ % urls.length;
    let last: Outcome | null = null;
    for (let i = 0; i < urls.length && !closing.signal.aborted; i++) {
      last = await post(message, urls[(first + i) % urls.length] ?? '', agent, closing.signal);
      if (last.kind !== 'unavailable') return last;
    }
    return last ?? { kind: 'unavailable', status: 0, url: '', reason: 'closing' };
  }

  function enqueue(message: Kept, notBefore: number, fate: (fate: Fate) => Promise<void>): void {
    pending++;
    const now = () => options.clock.now().getTime();
    const since = now();
    let attempts = 0;
    const again = (ms: number): void => {
      const wait = options.clock
        .sleep(Math.max(0, ms), closing.signal)
        .then(() => run(message.envelope.to, once))
        .catch(() => undefined)
        .finally(() => running.delete(wait));
      running.add(wait);
    };
    const once = async (): Promise<void> => {
      const outcome = await attempt(message);
      attempts++;
      if (closing.signal.aborted && outcome.kind === 'unavailable') return;
      const tooOld = now() - since > options.livesMs(message.envelope);
      if (outcome.kind === 'unavailable' && !tooOld) {
        if (attempts === 1 || attempts % 20 === 0)
          options.log(`${message.envelope.action} to ${message.envelope.to}: ${outcome.reason}; attempt ${attempts}, trying again`);
        return again(Math.min(options.retry.mostMs, options.retry.firstMs * 2 ** Math.min(attempts - 1, 20)));
      }
      pending--;
      await fate({
        delivered: outcome.kind === 'delivered',
        status: outcome.status,
        url: outcome.url,
        attempts,
        reason: outcome.kind === 'unavailable' ? `gave up: ${outcome.reason}` : outcome.reason,
      });
    };
    if (notBefore > since) again(notBefore - since);
    else run(message.envelope.to, once);
  }

  return {
    enqueue,
    get pending() {
      return pending;
    },
    close: async () => {
      closing.abort();
      agent.destroy();
      await Promise.allSettled([...running]);
    },
  };
}

type Outcome = {
  readonly kind: 'delivered' | 'refused' | 'unavailable';
  readonly status: number;
  readonly url: string;
  readonly reason: string | null;
};

async function post(message: Kept, url: string, agent: Agent, closing: AbortSignal): Promise<Outcome> {
  try {
    const answer = await exchange(message, url, agent, closing);
    return { ...judge(message.envelope, answer.status, answer.body), status: answer.status, url };
  } catch (thrown) {
    return { kind: 'unavailable', status: 0, url, reason: reasonOf(thrown) };
  }
}

/**
 * The original headers and body, byte for byte, streamed from the file. An answer is given when nobody reads the file any more: it will be
 * another's.
 */
function exchange(message: Kept, url: string, agent: Agent, closing: AbortSignal): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const to = new URL(url);
    let poured = Promise.resolve();
    let answered = false;
    const outgoing = httpsRequest(
      to,
      {
        method: 'POST',
        agent,
        signal: closing,
        timeout: ANSWER_MS,
        headers: [...message.headers.flat(), 'Host', to.host, 'Content-Length', String(message.bytes)],
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.byteLength;
          if (bytes > ANSWER_LIMIT) answer.destroy(new Error(`an answer of more than ${ANSWER_LIMIT} bytes`));
          else chunks.push(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () => {
          answered = true;
          const give = () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) });
          poured.then(give, give);
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    outgoing.on('error', reject);
    if (message.body) {
      outgoing.end(message.body);
      return;
    }
    poured = pourFile(message.file, message.bodyAt, message.bytes, outgoing);
    poured.catch((thrown: Error) => {
      if (!outgoing.destroyed) outgoing.destroy(thrown);
      // An answer may have come before the end of what it answers.
      if (!answered) reject(thrown);
    });
  });
}

/** Only an Acknowledgment of this very message counts; a 5xx asks for another attempt, a 4xx and an ebXML error are final. */
function judge(sent: HubEnvelope, status: number, body: Buffer): { kind: Outcome['kind']; reason: string | null } {
  if (status >= 500 || status === 408 || status === 425 || status === 429) return { kind: 'unavailable', reason: `HTTP ${status}` };
  if (status >= 300 || status < 200) return { kind: 'refused', reason: `HTTP ${status}` };
  if (sent.signal) return { kind: 'delivered', reason: null };
  let answer: HubEnvelope;
  try {
    if (body.byteLength === 0) return { kind: 'unavailable', reason: `HTTP ${status} without an acknowledgment` };
    answer = readHubEnvelope(body);
  } catch (thrown) {
    if (thrown instanceof EnvelopeFault) return { kind: 'unavailable', reason: `HTTP ${status} with ${thrown.message}` };
    throw thrown;
  }
  const error = answer.errors.find((one) => one.severity === 'Error');
  if (error) return { kind: 'refused', reason: `${error.code}: ${error.text}` };
  if (answer.acknowledges?.toUpperCase() === sent.messageId.toUpperCase()) return { kind: 'delivered', reason: null };
  return { kind: 'unavailable', reason: `an answer about ${answer.acknowledges ?? 'nothing'} instead of an acknowledgment` };
}
