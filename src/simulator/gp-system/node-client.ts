import { setTimeout as sleep } from 'node:timers/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Answer, ask, type Question } from '../ask.ts';

/** A simulated practice: who it is, and how its system reaches the nodes that serve it, which may move while it runs. */
export type Practice = { readonly ods: string; readonly asid: string; nodeUrls: readonly string[]; readonly apiKey: string };

/** What a node said for good. */
export class NodeRefusal extends Fault {
  readonly status: number;
  constructor(status: number, message: string) {
    super('simulator.node', message);
    this.name = 'NodeRefusal';
    this.status = status;
  }
}

const FIRST_MS = 100;
const MOST_MS = 2_000;
/** A 409 says "not now": after half a minute of them it is taken for "never". */
const CONFLICTS = 20;

/**
 * Asks the nodes of a practice in turn, again and again, until one answers with 2xx; `path` may be absolute. A 4xx is final
 * (408, 425 and 429 are not, nor at first 409: they ask for patience) and throws `NodeRefusal`, an abort throws what `ask` throws.
 */
export async function askNode(practice: Practice, path: string, init: Question, signal: AbortSignal): Promise<Answer> {
  let conflicts = 0;
  for (let attempt = 0; ; attempt++) {
    const urls = urlsFor(practice, path);
    const url = urls[attempt % Math.max(1, urls.length)];
    try {
      if (url === undefined) throw new Fault('simulator.node', `practice ${practice.ods} has no node yet`);
      const answer = await ask(url, { ...init, signal, headers: { authorization: `Bearer ${practice.apiKey}`, ...init.headers } });
      if (answer.ok) return answer;
      const text = (await answer.text()).slice(0, 500);
      if (answer.status === 409) conflicts++;
      if ((answer.status >= 400 && answer.status < 500 && ![408, 409, 425, 429].includes(answer.status)) || conflicts > CONFLICTS)
        throw new NodeRefusal(answer.status, `${init.method ?? 'GET'} ${url}: ${answer.status} ${text}`);
    } catch (thrown) {
      if (thrown instanceof NodeRefusal || signal.aborted) throw thrown;
    }
    if ((attempt + 1) % Math.max(1, urls.length) === 0)
      await sleep(Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10)), undefined, { signal });
  }
}

/** The address as given, then the same path at each node: the one that made the offer may be gone for good. */
function urlsFor(practice: Practice, path: string): string[] {
  const nodes = practice.nodeUrls.map((url) => url.replace(/\/+$/, ''));
  if (!/^https?:/.test(path)) return nodes.map((url) => `${url}${path}`);
  const given = new URL(path);
  return [...new Set([path, ...nodes.map((url) => `${new URL(url).origin}${given.pathname}${given.search}`)])];
}

/** The body of an answer; a broken connection says which answer it was. */
export async function* bodyOf(answer: Answer, url: string): AsyncGenerator<Uint8Array> {
  try {
    yield* answer.body;
  } catch (cause) {
    throw new Fault('simulator.node', `${url}: ${reasonOf(cause)}`, { cause });
  }
}
