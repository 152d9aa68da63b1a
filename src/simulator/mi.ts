import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { checkEventText } from '../mi/check.ts';
import { EVENT_PATHS, EVENTS, type EventPath } from '../mi/terms.ts';
import { makeClock, type SimulatedClock } from './clock.ts';
import { answerJson, BadRequest, header, readBody, type Served, serve, target } from './http.ts';
import { makeSwitches, TROUBLES } from './switches.ts';

export const miSwitchesSchema = z.strictObject({
  ...TROUBLES,
  /** Goes with a 429 or 503. */
  retryAfterSeconds: z.int().min(0).optional(),
  /** An event is taken, and the connection closed before that is said. */
  loseAnswer: z.boolean().optional(),
});
export type MiSwitches = z.infer<typeof miSwitchesSchema>;

/** An event as the service keeps it. */
export type TakenEvent = {
  readonly eventId: string;
  readonly eventType: string;
  /** Degrades: the day. */
  readonly receivedAt: string;
  readonly body: Readonly<Record<string, unknown>>;
};
export type MiServiceOptions = {
  readonly folder: string;
  /** Left out: any key is let in that is not empty. */
  readonly apiKeys?: readonly string[];
  /** `compatible`: as the national service; `strict`: as its specification, which is how a supplier sees what is missing. */
  readonly mode?: 'compatible' | 'strict';
  readonly port?: number;
  readonly clock?: SimulatedClock;
  readonly log?: (line: string) => void;
};
export type MiService = Served & {
  switches(): MiSwitches;
  setSwitches(switches: MiSwitches): void;
  /** Everything that was posted and taken, repetitions too. */
  posts(): readonly TakenEvent[];
  /** What is kept: of the same id the last one. */
  events(): readonly TakenEvent[];
};

/** The national service for management information: takes events, says an id for each, gives nothing back. */
export async function startMi(options: MiServiceOptions): Promise<MiService> {
  const clock = options.clock ?? makeClock();
  mkdirSync(options.folder, { recursive: true });
  const file = join(options.folder, 'events.jsonl');
  const posts: TakenEvent[] = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as TakenEvent)
    : [];
  const switches = makeSwitches(miSwitchesSchema, {});
  const kept = (): TakenEvent[] => [...new Map(posts.map((event) => [event.eventId, event])).values()];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = target(request);
    if (path.startsWith('/control/')) return control(request, response, path);
    if (switches.current().outage && switches.used()) {
      request.destroy();
      return;
    }
    const { delayMs } = switches.current();
    if (delayMs) await clock.sleep(delayMs);
    if (path === '/_ping') return answerJson(response, 200, { version: 'simulated' });
    const key = header(request, 'apikey') ?? '';
    if (key === '' || (options.apiKeys && !options.apiKeys.includes(key)))
      return answerJson(response, 401, { fault: { faultstring: 'Invalid ApiKey' } });
    const text = (await readBody(request)).toString('utf8');
    const { status, retryAfterSeconds: wait } = switches.current();
    if (status && switches.used()) {
      const fault = status === 400 ? REFUSAL : { status };
      return answerJson(response, status, fault, wait === undefined ? {} : { 'retry-after': String(wait) });
    }
    const event = EVENT_PATHS.find((each) => path === `/${each}`);
    if (!event) return answerJson(response, 404, { status: 'NOT_FOUND' });
    if (request.method !== 'POST') return answerJson(response, 405, { status: 'METHOD_NOT_ALLOWED' });
    const now = clock.now();
    const checked = checkEventText(event, text, options.mode ?? 'strict', now.getTime() / 1000);
    if ('fault' in checked) return answerJson(response, 400, checked.fault);
    const taken = take(event, JSON.parse(text) as Record<string, unknown>, now);
    appendFileSync(file, `${JSON.stringify(taken)}\n`);
    posts.push(taken);
    if (switches.current().loseAnswer && switches.used()) {
      request.socket.destroy();
      return;
    }
    answerJson(response, 200, { eventId: taken.eventId });
  }

  async function control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === '/control/switches' && request.method === 'PUT') return switches.control(request, response);
    if (path === '/control/events' && request.method === 'GET') return answerJson(response, 200, kept());
    throw new BadRequest(404, `no ${request.method} ${path}`);
  }

  const served = await serve(handle, {
    clock,
    ...(options.port !== undefined && { port: options.port }),
    ...(options.log && { log: options.log }),
  });
  return {
    ...served,
    switches: switches.current,
    setSwitches: switches.set,
    posts: () => posts,
    events: kept,
  };
}

/** A 400 on demand names a field, as those of the service do. */
const REFUSAL = {
  status: 'BAD_REQUEST',
  message: 'Failed to validate fields',
  errors: ['reportingSystemSupplier: must not be empty'],
} as const;

function take(path: EventPath, body: Readonly<Record<string, unknown>>, now: Date): TakenEvent {
  const eventType = EVENTS[path].type;
  const receivedAt = now.toISOString();
  // Nobody shall be able to tell by its time whose degrade it was.
  if (path === 'ehr-degrades') return { eventId: randomUUID(), eventType, receivedAt: receivedAt.slice(0, 10), body };
  return {
    eventId: idOf(String(body['conversationId']), eventType, String(body['registrationEventDateTime'])),
    eventType,
    receivedAt,
    body,
  };
}

/**
 * MD5 of conversation, type and time, made into a UUID of version 3. Written here once more, from the published rule: a mistake of the
 * product's own must not be agreed with. The time loses its zone, seconds that are nought, and noughts behind a fraction by threes.
 */
function idOf(conversation: string, type: string, time: string): string {
  const local = new Date(time).toISOString().replace('Z', '');
  const short = local.endsWith(':00.000') ? local.slice(0, 16) : local.replace(/\.000$/, '');
  const hex = createHash('md5').update(`${conversation}${type}${short}`).digest('hex').split('');
  hex[12] = '3';
  hex[16] = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  const text = hex.join('');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}
