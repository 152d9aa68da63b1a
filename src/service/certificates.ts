/** The node's certificate, key and authorities: read, checked, exchanged while the node runs, and watched for their last day. */
import { readFile } from 'node:fs/promises';
import { Fault, reasonOf } from '../base/errors.ts';
import { daysLeft, type Expiry, expiriesOf, identityProblems, straightPem } from '../web/identity.ts';
import type { TlsIdentity } from '../web/tls.ts';

/** Paths of PEM files. */
export type IdentityFiles = { readonly certificate: string; readonly key: string; readonly authorities: readonly string[] };
export type CertificatesOptions = {
  readonly identity: TlsIdentity;
  /** Where the identity lies; `null` where it came as text and cannot change. */
  readonly files: IdentityFiles | null;
  /** The name under which the endpoint is registered. */
  readonly host?: string;
  readonly now: () => Date;
  /** Takes another identity into use; throws where it cannot. */
  readonly apply: (identity: TlsIdentity) => void;
  /** What an operator should see: `certificate.exchanged`, `certificate.unusable`, `certificate.expires`. */
  readonly tell: (code: string, text: string, remedy?: string) => void;
  readonly lookMs?: number;
  readonly expiryMs?: number;
};
export type Certificates = {
  current(): TlsIdentity;
  expiries(): readonly Expiry[];
  /** Looks at the files now, instead of at the next turn. */
  look(): Promise<void>;
  close(): void;
};

const LOOK_MS = 2_000;
const HOUR_MS = 3_600_000;
/** Days before the end at which it is said, once each. */
const WARN_DAYS = [30, 7, 0];

/** The files as one identity. Throws a `Fault` `certificate.unreadable` that names the file. */
export async function readIdentity({ certificate, key, authorities }: IdentityFiles): Promise<TlsIdentity> {
  const read = async (path: string): Promise<string> => {
    try {
      return straightPem(await readFile(path, 'utf8'));
    } catch (cause) {
      throw new Fault('certificate.unreadable', `${path}: cannot be read (${reasonOf(cause)})`, { cause });
    }
  };
  return { cert: await read(certificate), key: await read(key), ca: (await Promise.all(authorities.map(read))).join('\n') };
}

/**
 * Watches the identity. Another one in the files is checked first and taken only where it can work; else the one in use goes on and an
 * operator is told, once for each state of the files, and not before the files have kept that state for one turn: certificate and key
 * are two files and are not replaced in one moment.
 */
export function watchCertificates(options: CertificatesOptions): Certificates {
  const { files, host, now, apply, tell } = options;
  let current = options.identity;
  let refused: { readonly as: string; told: boolean } | null = null;
  let looking: Promise<void> | null = null;
  const warned = new Map<string, number>();

  async function lookNow(at: IdentityFiles): Promise<void> {
    let found: TlsIdentity | null = null;
    let problems: string[];
    try {
      found = await readIdentity(at);
      if (isSame(found, current)) {
        refused = null;
        return;
      }
      problems = identityProblems(found, now(), host);
      if (problems.length === 0) apply(found);
    } catch (error) {
      problems = [reasonOf(error)];
    }
    if (problems.length === 0 && found) {
      current = found;
      refused = null;
      tell('certificate.exchanged', 'another certificate, key or authority is in use from now on');
      expiryNow();
      return;
    }
    const as = JSON.stringify([found, problems]);
    if (refused?.as !== as) refused = { as, told: false };
    else if (!refused.told) {
      refused.told = true;
      tell('certificate.unusable', `the new certificate cannot be used, the one before goes on: ${problems.join('; ')}`);
    }
  }
  const look = async (): Promise<void> => {
    if (!files) return;
    looking ??= lookNow(files).finally(() => {
      looking = null;
    });
    await looking;
  };
  function expiryNow(): void {
    for (const expiry of expiriesOf(current)) {
      const left = daysLeft(expiry, now());
      const threshold = WARN_DAYS.findLast((days) => left <= days);
      const key = `${expiry.purpose} ${expiry.subject} ${expiry.endsAt.toISOString()}`;
      if (threshold === undefined || (warned.get(key) ?? Number.POSITIVE_INFINITY) <= threshold) continue;
      warned.set(key, threshold);
      const day = expiry.endsAt.toISOString().slice(0, 10);
      const what = expiry.purpose === 'authority' ? 'the authority' : 'the certificate';
      const text =
        left < 0 ? `${what} ${expiry.subject} ended on ${day}` : `${what} ${expiry.subject} ends on ${day}, in ${Math.floor(left)} days`;
      tell('certificate.expires', text, REMEDY[expiry.purpose]);
    }
  }
  const timers = [setInterval(() => void look(), options.lookMs ?? LOOK_MS), setInterval(expiryNow, options.expiryMs ?? HOUR_MS)];
  for (const timer of timers) timer.unref();
  const hangUp = (): void => void look();
  process.on('SIGHUP', hangUp);
  expiryNow();
  return {
    current: () => current,
    expiries: () => expiriesOf(current),
    look,
    close() {
      for (const timer of timers) clearInterval(timer);
      process.off('SIGHUP', hangUp);
    },
  };
}

const REMEDY = {
  own: 'have a new certificate issued and put it with its key in the place of the old files: the node takes it while it runs',
  chain: 'put the new certificate of the issuing authority behind our own',
  authority: 'add the new certificate of the authority beside the old one, before peers change',
} as const;

function isSame(a: TlsIdentity, b: TlsIdentity): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
