/** The nine endpoints of the GP Registrations MI API, as the national service offers them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { reasonOf } from '../../base/errors.ts';
import { type CheckMode, checkEventText } from '../../mi/check.ts';
import { EVENT_PATHS, type EventPath } from '../../mi/terms.ts';
import { ensureMonths, monthOfEvent, type StoredEvent, storedEvent, unkeepable, writeDegrades, writeEvents } from '../store/events.ts';
import type { PlatformDb } from '../store/open.ts';
import { allowance } from './allowance.ts';
import { createGroup } from './group.ts';
import { keyring } from './submitters.ts';

export type IngestOptions = {
  readonly db: PlatformDb;
  /** What is taken: what the national service takes, or only what its specification allows. */
  readonly mode: CheckMode;
  /** Events a second that one key may send, and how many of them at once. */
  readonly perSecond?: number;
  readonly burst?: number;
  readonly now?: () => Date;
  /** Told of events that could not be written; whoever sent them is asked to come again. */
  readonly onFault?: (thrown: unknown) => void;
};
type Row = StoredEvent & { readonly submitter: number };

/** National addresses have this before the paths; both are served. */
const BASE = '/gp-registrations-mi';
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
};

/** Puts the endpoints on a server. An event is on disk before it is answered; one that comes again gets the same answer. */
export async function ingestApi(server: FastifyInstance, options: IngestOptions): Promise<{ idle(): Promise<void> }> {
  const { db, mode, now = () => new Date(), onFault = () => undefined } = options;
  const submitterOf = keyring(db);
  const allowed = allowance(options.perSecond ?? 2_000, options.burst ?? 4_000);
  const months = new Set<string>();
  const group = createGroup<Row>(async (rows) => {
    const fresh = new Set(rows.map(monthOfEvent).filter((month) => !months.has(month)));
    await ensureMonths(db, fresh);
    for (const month of fresh) months.add(month);
    // In the order of their key: two groups that hold the same events must not wait for each other.
    await writeEvents(db, rows.toSorted(byKey));
  });

  const take = async (path: EventPath, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const key = request.headers['apikey'] ?? request.headers['x-api-key'];
    try {
      const submitter = typeof key === 'string' && key !== '' ? await submitterOf(key) : null;
      if (!submitter) return answer(reply, 401, { status: 'UNAUTHORIZED', message: 'The API key is missing or not known', errors: [] });
      const wait = allowed(submitter.id);
      if (wait > 0)
        return answer(reply.header('retry-after', String(Math.ceil(wait))), 429, {
          status: 'TOO_MANY_REQUESTS',
          message: 'More events than this key may send',
          errors: [],
        });
      const at = now();
      const checked = checkEventText(path, String(request.body ?? ''), mode, at.getTime() / 1000);
      if ('fault' in checked) return answer(reply, 400, checked.fault);
      const { event } = checked;
      if (event.path === 'ehr-degrades') return answer(reply, 200, { eventId: await writeDegrades(db, event.body, at) });
      const row = storedEvent(event);
      const unkept = unkeepable(row);
      if (unkept !== null) return answer(reply, 400, { status: 'BAD_REQUEST', message: 'Invalid request field', errors: [unkept] });
      await group.write({ ...row, submitter: submitter.id });
      return answer(reply, 200, { eventId: row.eventId });
    } catch (thrown) {
      onFault(thrown);
      return answer(reply.header('retry-after', '5'), 503, {
        status: 'SERVICE_UNAVAILABLE',
        message: 'The event was not kept; send it again',
        errors: [],
      });
    }
  };

  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The text itself is wanted: what is wrong with it is said in the national service's words.
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, text));
    for (const base of ['', BASE]) {
      for (const path of EVENT_PATHS) scope.post(`${base}/${path}`, (request, reply) => take(path, request, reply));
      scope.get(`${base}/_ping`, (_request, reply) => answer(reply, 200, { status: 'pass' }));
      scope.get(`${base}/_status`, async (_request, reply) => {
        try {
          await db.selectNoFrom((each) => each.lit(1).as('one')).execute();
          return answer(reply, 200, { status: 'pass' });
        } catch (thrown) {
          return answer(reply, 503, { status: 'fail', reason: reasonOf(thrown) });
        }
      });
    }
  });
  return { idle: () => group.idle() };
}

function answer(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).headers(HEADERS).send(JSON.stringify(body));
}

function byKey(a: StoredEvent, b: StoredEvent): number {
  const [left, right] = [`${a.at} ${a.eventId} ${a.digest}`, `${b.at} ${b.eventId} ${b.digest}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
