import { createHash, timingSafeEqual } from 'node:crypto';
import { type Ods, ods as toOds } from '../base/ids.ts';
import { type Practice, readPractices } from '../store/practices.ts';
import type { Store } from '../store/tables.ts';

/** The practices this node serves, as the database has them: they come and go while it runs. */
export type Practices = {
  byOds(ods: Ods): Promise<Practice | null>;
  /** To whom a message is addressed. Several practices may share a party key; then the ASID tells. */
  addressed(partyKey: string, asid: string | null): Promise<Practice | null>;
  ownsPartyKey(partyKey: string): Promise<boolean>;
  /** The practice whose system shows this bearer key. */
  withKey(ods: string, key: string): Promise<Practice | null>;
  all(): Promise<readonly Practice[]>;
  forget(): void;
};

export function createPractices(store: Store, options: { readonly freshMs?: number; readonly now?: () => number } = {}): Practices {
  const { freshMs = 5_000, now = Date.now } = options;
  let held: { readonly at: number; readonly read: Promise<readonly Practice[]> } | null = null;
  const all = (): Promise<readonly Practice[]> => {
    if (held && now() - held.at < freshMs) return held.read;
    const read = readPractices(store);
    const mine = { at: now(), read };
    held = mine;
    // A read that failed is not remembered.
    read.catch(() => {
      if (held === mine) held = null;
    });
    return read;
  };
  const find = async (fits: (practice: Practice) => boolean): Promise<Practice | null> => (await all()).find(fits) ?? null;
  return {
    all,
    byOds: (wanted) => find(({ ods }) => ods === wanted),
    async addressed(partyKey, asid) {
      const candidates = (await all()).filter((practice) => practice.partyKey === partyKey);
      return candidates.find((practice) => practice.asid === asid) ?? (candidates.length === 1 ? (candidates[0] ?? null) : null);
    },
    ownsPartyKey: async (partyKey) => (await find((practice) => practice.partyKey === partyKey)) !== null,
    async withKey(ods, key) {
      const practice = await find((each) => each.ods === toOds(ods));
      if (!practice) return null;
      const shown = createHash('sha256').update(key).digest();
      const known = Buffer.from(practice.apiKeySha256, 'hex');
      return known.length === shown.length && timingSafeEqual(known, shown) ? practice : null;
    },
    forget: () => {
      held = null;
    },
  };
}
