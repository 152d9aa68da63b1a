import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The header of MESH: `NHSMESH mailbox:nonce:count:timestamp:hash`, the hash an HMAC-SHA256 of `mailbox:nonce:count:password:timestamp`
 * under the key that all share; each nonce and count once, the time within two hours.
 */
export type MeshAuthorisation = {
  /** Null where the header lets its mailbox in, else why it does not. */
  refusal(header: string | undefined, mailbox: string): string | null;
};

const FORM = /^NHSMESH ([A-Z0-9]+):([A-Za-z0-9-]+):(\d+):(\d{12}):([0-9a-f]{64})$/;
const WINDOW_MS = 2 * 3_600_000;

export function makeAuthorisation(options: {
  readonly sharedKey: string;
  readonly passwordOf: (mailbox: string) => string | null;
  readonly now: () => Date;
}): MeshAuthorisation {
  const used = new Map<string, number>();
  return {
    refusal: (header, mailbox) => {
      const [, name = '', nonce = '', count = '', stamp = '', hash = ''] = FORM.exec(header ?? '') ?? [];
      if (!name) return 'the Authorization header is not of the form NHSMESH mailbox:nonce:count:timestamp:hash';
      if (name !== mailbox) return `the header is of mailbox ${name}`;
      const password = options.passwordOf(mailbox);
      if (password === null) return 'no such mailbox';
      const now = options.now().getTime();
      const at = Date.parse(stamp.replace(/^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})$/, '$1-$2-$3T$4:$5:00Z'));
      if (!Number.isFinite(at) || Math.abs(at - now) > WINDOW_MS) return 'the timestamp is not within two hours of now';
      const expected = createHmac('sha256', options.sharedKey).update(`${name}:${nonce}:${count}:${password}:${stamp}`).digest();
      if (!timingSafeEqual(expected, Buffer.from(hash, 'hex'))) return 'the hash is wrong';
      for (const [key, until] of used) if (until < now) used.delete(key);
      const key = `${name}:${nonce}:${count}`;
      if (used.has(key)) return 'nonce and count were used before';
      used.set(key, now + 2 * WINDOW_MS);
      return null;
    },
  };
}
