import { sql } from 'kysely';
import { reasonOf } from '../base/errors.ts';
import type { Objects } from '../objects/objects.ts';
import { miSpool } from '../store/mi-events.ts';
import { queueDepths } from '../store/outbox.ts';
import type { Store } from '../store/tables.ts';
import type { About } from '../terminology/file.ts';
import { daysLeft, type Expiry } from '../web/identity.ts';
import { spoolFault } from './mi/watch.ts';

export type Check = { readonly name: string; readonly ok: boolean; readonly said: string };
export type Health = { readonly ok: boolean; readonly checks: readonly Check[] };

/** Below this a node takes no more messages: a tenth of the disk, or 5 GiB where that is less. */
const FLOOR_BYTES = 5 * 1024 ** 3;
const CERTIFICATE_DAYS = 30;

export async function hasRoom(objects: Objects): Promise<boolean> {
  const { free, total } = await objects.space();
  return free >= Math.min(total / 10, FLOOR_BYTES);
}

/** Whether the node can do its work now, and what stands in the way. Dead letters and a certificate near its end only warn. */
export async function checkHealth(options: {
  readonly db: Store;
  readonly objects: Objects;
  /** Of our certificate and those beside it, the first to end first. */
  readonly expiries: readonly Expiry[] | null;
  /** What the terminology says about itself, where there is one. */
  readonly terminology: About | null;
  /** After how many minutes an event that waits is late; `null`: management information is not sent. */
  readonly miAlertMinutes: number | null;
  /** The node has been told to stop: whoever shares out messages is to send it no more. */
  readonly isStopping: boolean;
  readonly now: () => Date;
}): Promise<Health> {
  const { db, objects, expiries, terminology, miAlertMinutes, isStopping, now } = options;
  const checks = await Promise.all([
    check('running', () =>
      Promise.resolve({ ok: !isStopping, said: isStopping ? 'is being stopped: send it nothing new' : 'takes messages' }),
    ),
    check('database', async () => {
      await sql`select 1`.execute(db);
      return { ok: true, said: 'answers' };
    }),
    check('objects', async () => {
      const { free } = await objects.space();
      const ok = await hasRoom(objects);
      if (free === Number.POSITIVE_INFINITY) return { ok, said: 'answers' };
      return { ok, said: `${Math.floor(free / 1e6)} MB free${ok ? '' : ': too little, no message is accepted'}` };
    }),
    check('certificate', async () => {
      if (!expiries) return { ok: true, said: 'none: a message adaptor stands between us and Spine' };
      const [first] = expiries;
      if (!first) return { ok: false, said: 'there is none' };
      const days = Math.floor(daysLeft(first, now()));
      const what = first.purpose === 'own' ? '' : `${first.subject} (${first.purpose}) `;
      const said =
        days < 0
          ? `${what}is out of date: connections are refused`
          : `${what}is good for ${days} days${days < CERTIFICATE_DAYS ? ': renew it' : ''}`;
      // An authority that ended beside a newer one of its name does no harm.
      const own = expiries.find(({ purpose }) => purpose === 'own');
      return { ok: own !== undefined && daysLeft(own, now()) >= 0, said };
    }),
    check('terminology', async () => {
      if (!terminology) return { ok: true, said: 'none: codes are carried as they come' };
      const { release, lacks } = terminology;
      return { ok: true, said: `${release}${lacks.length > 0 ? `: not whole, ${lacks.length} well-known immunisations are missing` : ''}` };
    }),
    check('deadLetters', async () => {
      let dead = 0;
      for (const depth of await queueDepths(db)) dead += depth.dead;
      return { ok: true, said: dead === 0 ? 'none' : `${dead} wait for an operator` };
    }),
    check('managementInformation', async () => {
      if (miAlertMinutes === null) return { ok: true, said: 'none is sent' };
      const spool = await miSpool(db);
      return {
        ok: true,
        said: spoolFault(spool, miAlertMinutes, now()) ?? (spool.waiting === 0 ? 'all is told' : `${spool.waiting} events wait`),
      };
    }),
  ]);
  return { ok: checks.every(({ ok }) => ok), checks };
}

async function check(name: string, look: () => Promise<{ ok: boolean; said: string }>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    return { name, ok: false, said: reasonOf(error) };
  }
}
