/**
 * What stands before the nodes of one side in life: a load balancer that asks each node whether it is well and sends it Spine's messages
 * in turn, the next one where a node does not take it.
 */
import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../../base/errors.ts';
import type { MutualTls } from '../../../simulator/http.ts';
import { readHubEnvelope } from '../../../simulator/hub/envelope.ts';

export type Posted = { readonly id: string; readonly soapAction: string; readonly contentType: string; readonly body: Buffer };
export type BalancedNode = {
  readonly name: string;
  /** Where it takes messages, and where it says how it is. */
  readonly spine: string;
  readonly health: string;
};
/** How one message fared: `refusals` in words, of each round in which no node took it. */
export type Fate = { readonly taken: boolean; readonly refusals: readonly string[]; readonly turnedAway: readonly string[] };
export type Balancer = {
  post(message: Posted): Promise<Fate>;
  isWell(name: string): boolean;
  close(): void;
};

const LOOK_MS = 250;
const HEALTH_MS = 3_000;
const ANSWER_MS = 30_000;
/** Spine comes again, and so do we: what was refused must not also be counted as lost. */
const ROUNDS = 20;
const ROUND_MS = 500;

/** Shows the nodes Spine's own certificate. */
export function startBalancer(nodes: readonly BalancedNode[], tls: MutualTls): Balancer {
  const agent = new Agent({
    cert: readFileSync(tls.certificate),
    key: readFileSync(tls.key),
    ca: tls.authorities.map((path) => readFileSync(path)),
    keepAlive: true,
    maxSockets: 64,
  });
  const well = new Set<string>();
  const look = async ({ name, health }: BalancedNode): Promise<void> => {
    const ok = await fetch(health, { signal: AbortSignal.timeout(HEALTH_MS) }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.ok;
      },
      () => false,
    );
    well[ok ? 'add' : 'delete'](name);
  };
  let closed = false;
  for (const node of nodes)
    void (async () => {
      for (; !closed; await sleep(LOOK_MS)) await look(node);
    })();
  let turn = 0;

  /** All nodes once, those that are well before the others. */
  async function round(message: Posted, turnedAway: string[]): Promise<string | null> {
    const first = turn++;
    const inTurn = nodes.map((_, i) => nodes[(first + i) % nodes.length] as BalancedNode);
    let last = 'there is no node';
    for (const node of [...inTurn.filter(({ name }) => well.has(name)), ...inTurn.filter(({ name }) => !well.has(name))]) {
      const refusal = await exchange(node.spine, agent, message).then(
        (answer) => judge(message, answer),
        (thrown: unknown) => reasonOf(thrown),
      );
      if (refusal === null) return null;
      well.delete(node.name);
      last = `${node.name}: ${refusal}`;
      turnedAway.push(last);
    }
    return last;
  }

  return {
    async post(message) {
      const [refusals, turnedAway]: [string[], string[]] = [[], []];
      for (let i = 0; i < ROUNDS; i++) {
        const refusal = await round(message, turnedAway);
        if (refusal === null) return { taken: true, refusals, turnedAway };
        refusals.push(refusal);
        await sleep(ROUND_MS);
      }
      return { taken: false, refusals, turnedAway };
    },
    isWell: (name) => well.has(name),
    close() {
      closed = true;
      agent.destroy();
    },
  };
}

/** Null: taken. Only an acknowledgement of this very message counts. */
function judge(message: Posted, { status, body }: { readonly status: number; readonly body: Buffer }): string | null {
  if (status < 200 || status > 299) return `HTTP ${status} ${body.toString('utf8', 0, 200)}`;
  const { acknowledges, errors } = readHubEnvelope(body);
  if (acknowledges?.toUpperCase() === message.id) return null;
  return `HTTP ${status}, an answer about ${acknowledges ?? 'nothing'} ${errors.map(({ code, text }) => `${code}: ${text}`).join('; ')}`;
}

function exchange(url: string, agent: Agent, { soapAction, contentType, body }: Posted): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': contentType, 'Content-Length': body.byteLength, SOAPAction: soapAction };
    const outgoing = httpsRequest(url, { method: 'POST', agent, headers, timeout: ANSWER_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
