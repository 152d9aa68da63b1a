import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Fault } from '../../base/errors.ts';
import type { Runner } from '../../database/connect.ts';
import type { PlatformSchema } from '../store/open.ts';

/** What a key is for: to send events, or to read the reports that are not for the public. */
export type KeyUse = 'submitters' | 'readers';
export type Submitter = { readonly id: number; readonly name: string };

/** How long a key that was taken away may still be taken, milliseconds. */
const REMEMBERED = 5_000;

const tableOf = (use: KeyUse) => sql.raw(`platform.${use}`);

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** Makes a key. It is shown once; only its hash is kept. */
export async function addSubmitter(db: Runner<PlatformSchema>, name: string, use: KeyUse = 'submitters'): Promise<string> {
  const key = randomBytes(32).toString('base64url');
  const { rows } = await sql`insert into ${tableOf(use)} (name, key_hash) values (${name}, ${hashOf(key)})
    on conflict (name) do nothing returning id`.execute(db);
  if (rows.length === 0)
    throw new Fault('input.submitter', `${name} has a key already`, { remedy: 'Revoke it first, or choose another name.' });
  return key;
}

/** The key is taken no more; what was sent with it stays. Its name is free again. */
export async function revokeSubmitter(db: Runner<PlatformSchema>, name: string, use: KeyUse = 'submitters'): Promise<void> {
  const { rows } = await sql`update ${tableOf(use)} set revoked_at = now(), name = name || ' (revoked ' || now()::text || ')'
    where name = ${name} and revoked_at is null returning id`.execute(db);
  if (rows.length === 0) throw new Fault('input.submitter', `${name} has no key`);
}

/** Everyone who has or had a key, in the order in which they got it. */
export async function listSubmitters(
  db: Runner<PlatformSchema>,
  use: KeyUse = 'submitters',
): Promise<{ readonly name: string; readonly createdAt: string; readonly revokedAt: string | null }[]> {
  const { rows } = await sql<{ name: string; createdAt: string; revokedAt: string | null }>`
    select name, created_at as "createdAt", revoked_at as "revokedAt" from ${tableOf(use)} order by id`.execute(db);
  return rows;
}

/** Whose key this is; `null` where it is nobody's. Answers are remembered for a few seconds. */
export function keyring(
  db: Runner<PlatformSchema>,
  now: () => number = () => performance.now(),
  use: KeyUse = 'submitters',
): (key: string) => Promise<Submitter | null> {
  const known = new Map<string, { readonly submitter: Promise<Submitter | null>; readonly until: number }>();
  return (key) => {
    const hash = hashOf(key);
    const name = hash.toString('base64');
    const found = known.get(name);
    if (found && found.until > now()) return found.submitter;
    // Whoever tries keys by the million must not fill the memory.
    if (known.size > 10_000) known.clear();
    const submitter = find(db, hash, use);
    submitter.catch(() => known.delete(name));
    known.set(name, { submitter, until: now() + REMEMBERED });
    return submitter;
  };
}

async function find(db: Runner<PlatformSchema>, hash: Buffer, use: KeyUse): Promise<Submitter | null> {
  const { rows } = await sql<Submitter>`select id, name from ${tableOf(use)} where key_hash = ${hash} and revoked_at is null`.execute(db);
  return rows[0] ?? null;
}
