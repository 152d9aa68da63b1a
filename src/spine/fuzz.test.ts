/** Requests by the thousand, each answer held against the rules of the transport; a sample unless GP2GP_LONG=1 asks for all. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient, readBody } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { type EndpointAlert, type Inbound, messageEndpoint } from './endpoint.ts';
import { memoryObjects } from './testing.ts';
import { chance, type Expected, FUZZ_BODY_BYTES, type FuzzedRequest, fuzzedRequest, OURS } from './testing-fuzz.ts';

const REQUESTS = process.env['GP2GP_LONG'] ? 10_000 : 600;
const SEED = Number(process.env['GP2GP_SEED'] ?? 1);
const AT_ONCE = 4;
/** Heap that may be gained between the first thousand and the last, caches of the runtime included. */
const GROWTH_BYTES = 24e6;
const PATIENCE_MS = 20_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Bytes that stay after collection, the least of a few looks: connections that have ended are let go of at one of the next turns, and
 * their memory is counted until then.
 */
async function heldBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 5; look++) {
    collect();
    await sleep(50);
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

test(`${REQUESTS} requests, sound and spoilt: each gets the answer of the rules, none hangs, and memory stays as it is`, async () => {
  const objects = memoryObjects();
  const inbox = new Map<string, Inbound>();
  const alerts: EndpointAlert[] = [];
  const server = createServer({ onFault: (thrown) => assert.fail(String(thrown)) });
  await messageEndpoint(server, {
    objects,
    accept: async (inbound) => {
      const key = `${inbound.fromPartyKey} ${inbound.messageId}`;
      const first = inbox.get(key);
      inbox.set(key, first ?? inbound);
      const { receivedAt, refused } = first ?? inbound;
      return { fate: !first ? 'new' : first.digest === inbound.digest ? 'duplicate' : 'altered', receivedAt, refused };
    },
    ownsPartyKey: (partyKey) => partyKey === OURS,
    isOurs: async () => false,
    acknowledged: async () => undefined,
    now: () => new Date(),
    forward: null,
    bodyBytes: FUZZ_BODY_BYTES,
    alert: (alert) => alerts.push(alert),
  });
  const url = await listen(server);
  closers.push(() => server.close());
  const client = createClient({ connections: AT_ONCE });
  closers.push(() => client.close());

  const send = async ({ headers, body, chunked }: FuzzedRequest): Promise<{ status: number; text: string }> => {
    const answer = await client.request({
      method: 'POST',
      url,
      headers: { ...headers, ...(!chunked && { 'content-length': String(body.byteLength) }) },
      body: chunked ? inPieces(body) : body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status: answer.status, text: (await readBody(answer, 1e6)).toString('utf8') };
  };

  const random = chance(SEED);
  const met = new Map<string, number>();
  let heapBefore = 0;
  let done = 0;
  const turn = async (): Promise<void> => {
    while (done < REQUESTS) {
      const number = done++;
      const request = fuzzedRequest(random, () => randomUUID().toUpperCase());
      const got = await send(request);
      const wrong = wrongWith(got, request.expected);
      if (wrong)
        assert.fail(
          `request ${number} of seed ${SEED}: ${wrong}\n${request.made}\n${got.status} ${got.text.slice(0, 2_000)}\n\n${request.body.toString('latin1').slice(0, 6_000)}`,
        );
      met.set(request.expected.answer, (met.get(request.expected.answer) ?? 0) + 1);
      // What was answered before is answered so again.
      if (number % 5 === 0 && (request.expected.answer === 'acknowledged' || got.text.includes('501314'))) {
        const again = await send(request);
        assert.equal(again.status, got.status);
        if (request.expected.answer === 'acknowledged') assert.equal(again.text, got.text);
      }
      if (number % 200 === 0) {
        objects.held.clear();
        inbox.clear();
        alerts.splice(0);
      }
      if (number === Math.floor(REQUESTS / 4)) {
        heapBefore = await heldBytes();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
  assert.deepEqual([...met.keys()].sort(), ['acknowledged', 'any', 'fault', 'refused', 'tooLarge'], 'every kind was met');
  assert.ok(
    !alerts.some(({ code }) => code === 'endpoint.trouble'),
    JSON.stringify(alerts.find(({ code }) => code === 'endpoint.trouble')),
  );
  objects.held.clear();
  inbox.clear();
  const grown = (await heldBytes()) - heapBefore;
  assert.ok(grown < GROWTH_BYTES, `${(grown / 1e6).toFixed(1)} MB more than after a quarter of the requests`);
});

/** Why an answer is not what the rules say; read with patterns, not with our own reader. */
function wrongWith({ status, text }: { status: number; text: string }, expected: Expected): string | null {
  const element = (name: string): string => new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(text)?.[1] ?? '';
  const party = (name: string): string => new RegExp(`<(?:\\w+:)?${name}>\\s*<(?:\\w+:)?PartyId[^>]*>([^<]*)<`).exec(text)?.[1] ?? '';
  const signal = element('Action');
  const refersTo = element('RefToMessageId').toUpperCase();
  switch (expected.answer) {
    case 'acknowledged':
      if (status !== 200 || signal !== 'Acknowledgment') return `not acknowledged: ${status} ${signal}`;
      if (refersTo !== expected.id.toUpperCase()) return `another message is acknowledged: ${refersTo}`;
      if (party('From') !== OURS || party('To') !== expected.from) return 'the parties are not exchanged';
      if (element('CPAId') !== expected.cpa) return 'the agreement is another';
      return element('ConversationId').toUpperCase() === expected.conversation.toUpperCase() ? null : 'the conversation is another';
    case 'refused': {
      if (status !== 200 || signal !== 'MessageError') return `not refused: ${status} ${signal}`;
      const code = /errorCode="(\w+)"/.exec(text)?.[1] ?? '';
      if (refersTo !== expected.id.toUpperCase()) return `another message is refused: ${refersTo}`;
      if (!/severity="Error"/.test(text)) return 'it is no error';
      if (!expected.codes.includes(code)) return `${code} is none of ${expected.codes.join(', ')}`;
      return expected.says === undefined || text.includes(expected.says) ? null : `it does not say ${expected.says}`;
    }
    case 'fault':
      if (status !== 500 || !/<(\w+:)?Fault>/.test(text)) return `no SOAP fault: ${status} ${signal}`;
      return element('errorCode') === expected.code ? null : `the fault is ${element('errorCode')}, not ${expected.code}`;
    case 'tooLarge':
      return status === 413 && signal === '' ? null : `not told that it is too large: ${status} ${signal}`;
    case 'any':
      if (status === 200) return signal === 'Acknowledgment' || signal === 'MessageError' ? null : `a 200 without a signal`;
      if (status === 500) return ['101', '201'].includes(element('errorCode')) ? null : 'a fault that asks for the message again';
      return `HTTP ${status}`;
  }
}

async function* inPieces(body: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.byteLength; at += 1_777) yield body.subarray(at, at + 1_777);
}
