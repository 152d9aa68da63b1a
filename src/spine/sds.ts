import { setTimeout as sleep } from 'node:timers/promises';
import type { Ods } from '../base/ids.ts';
import type { Contract, Contracts, Peer } from '../transfer/types.ts';
import { contractFrom } from './contract.ts';
import { lookUp, SDS, type SdsApi, SdsFault, type SdsResource } from './sds-api.ts';

/** What the other practice's system is needed for: to send us a record, or to take one of ours. */
export type Need = 'request' | 'extract';
export type PeerAnswer = Peer | { readonly none: true } | { readonly several: true };
export type Sds = {
  /**
   * The one system of a practice that can do what is needed, and the agreements for writing to it. `asid`, where a message named it,
   * decides between several. Throws `SdsFault` where SDS cannot be asked and nothing usable is remembered.
   */
  peer(ods: Ods, need: Need, asid?: string): Promise<PeerAnswer>;
  /** Whether SDS shows this ASID as the practice's own. Authority: an old answer is never used where SDS is silent. */
  owns(ods: Ods, asid: string): Promise<boolean>;
  /** Supplier of the practice's system, for practices of one system that share records without messages. */
  manufacturer(ods: Ods, need: Need): Promise<string | null>;
  /** Drops what is remembered of a practice, after Spine refused what was sent by it. */
  forget(ods: Ods): void;
};
export type SdsOptions = SdsApi & {
  readonly now: () => Date;
  /** A time-out inside SDS comes out as no hit, so no hit is asked for again after so many milliseconds. */
  readonly zeroHitWaits?: readonly number[];
};

const FRESH_MS = 15 * 60_000;
const NONE_FRESH_MS = 60_000;
const STALE_MS = 24 * 3_600_000;
const REMEMBERED = 20_000;

const SERVICE = 'urn:nhs:names:services:gp2gp:';
const REQUEST = `${SERVICE}RCMR_IN010000UK05`;
const EXTRACT_06 = `${SERVICE}RCMR_IN030000UK06`;
const EXTRACT_07 = `${SERVICE}RCMR_IN030000UK07`;
const PART = `${SERVICE}COPC_IN000001UK01`;
const ACKNOWLEDGEMENT = `${SERVICE}MCCI_IN010000UK13`;

/** The Spine Directory Service: who a practice's system is and how messages to it are carried. */
export function createSds(options: SdsOptions): Sds {
  const remembered = new Map<string, { readonly at: number; readonly value: Promise<unknown> }>();

  /** One look-up at a time for each key; a failed one is not remembered. */
  async function once<T>(key: string, none: (value: T) => boolean, stale: boolean, work: () => Promise<T>): Promise<T> {
    const known = remembered.get(key);
    const age = known ? options.now().getTime() - known.at : Number.POSITIVE_INFINITY;
    if (known && age < FRESH_MS) {
      const value = (await known.value) as T;
      if (age < (none(value) ? NONE_FRESH_MS : FRESH_MS)) return value;
    }
    const value = work();
    remembered.delete(key);
    remembered.set(key, { at: options.now().getTime(), value });
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    try {
      return await value;
    } catch (thrown) {
      if (remembered.get(key)?.value === value) remembered.delete(key);
      if (!stale || !known || age > STALE_MS || !(thrown instanceof SdsFault)) throw thrown;
      remembered.set(key, known);
      return (await known.value) as T;
    }
  }

  function devices(ods: Ods, need: Need, stale: boolean): Promise<readonly SdsResource[]> {
    return once<readonly SdsResource[]>(`${ods} ${need}`, isEmpty, stale, async () => {
      const all: SdsResource[] = [];
      for (const interaction of need === 'request' ? [REQUEST] : [EXTRACT_06, EXTRACT_07]) {
        for (const device of await certain(ods, interaction))
          if (asidOf(device) && !all.some((one) => isSame(one, device))) all.push(device);
        if (all.length) break;
      }
      return all;
    });
  }

  async function certain(ods: Ods, interaction: string): Promise<SdsResource[]> {
    const identifier = [[SDS.interaction, interaction]] as const;
    let found = await lookUp(options, 'Device', ods, identifier);
    for (const wait of options.zeroHitWaits ?? [1_000]) {
      if (found.length) break;
      await sleep(wait);
      found = await lookUp(options, 'Device', ods, identifier);
    }
    return found;
  }

  function contracts(ods: Ods, partyKey: string, need: Need, redactions: boolean): Promise<Contracts> {
    const one = async (interaction: string, kind: keyof Contracts): Promise<Contract | null> => {
      const found = await lookUp(options, 'Endpoint', null, [
        [SDS.interaction, interaction],
        [SDS.partyKey, partyKey],
      ]);
      // One endpoint has a record for each of its addresses; Spine's intermediary is the address for all of GP2GP.
      const endpoint = found.find((each) => each.identifiers.has(SDS.cpaId));
      if (!endpoint) return null;
      const contract = contractFrom(endpoint.identifiers.get(SDS.cpaId) ?? '', kind, endpoint.reliability);
      return endpoint.address === null ? contract : { ...contract, address: endpoint.address };
    };
    return once<Contracts>(
      `${ods} ${partyKey} ${need} ${redactions}`,
      (value) => Object.values(value).every((each) => each === null),
      true,
      async () => {
        const [request, extract, part, acknowledgement] = await Promise.all([
          need === 'request' ? one(REQUEST, 'request') : null,
          need === 'extract' ? one(redactions ? EXTRACT_07 : EXTRACT_06, 'extract') : null,
          one(PART, 'part'),
          one(ACKNOWLEDGEMENT, 'acknowledgement'),
        ]);
        // The directory puts the intermediary's address in the place of the practice's own, but not for UK07: that of the parts is the same.
        const address = redactions ? (part?.address ?? acknowledgement?.address) : undefined;
        return { request, extract: extract && address !== undefined ? { ...extract, address } : extract, part, acknowledgement };
      },
    );
  }

  return {
    async peer(ods, need, asid) {
      const candidates: (Peer & { readonly owned: boolean })[] = [];
      const found = await devices(ods, need, true);
      for (const device of found) {
        const own = asidOf(device);
        const partyKey = device.identifiers.get(SDS.partyKey);
        if (!own || !partyKey || (asid !== undefined && own !== asid)) continue;
        const takesRedactions = device.interactions.has(EXTRACT_07);
        const read = await contracts(ods, partyKey, need, takesRedactions);
        // Registered without an endpoint: nothing can be sent to it.
        if (read[need] === null) continue;
        candidates.push({ ods, asid: own, partyKey, takesRedactions, contracts: read, owned: isOwner(device, ods) });
      }
      if (candidates.length === 0) return { none: true };
      const left = candidates.length === 1 ? candidates : candidates.filter(({ owned }) => owned);
      const [only, ...others] = left;
      if (!only || others.length > 0) return { several: true };
      const { owned: _owned, ...peer } = only;
      return peer;
    },
    async owns(ods, asid) {
      for (const need of ['extract', 'request'] as const)
        if ((await devices(ods, need, false)).some((device) => asidOf(device) === asid && isOwner(device, ods))) return true;
      return false;
    },
    async manufacturer(ods, need) {
      const suppliers = new Set((await devices(ods, need, true)).map(({ manufacturer }) => manufacturer));
      return suppliers.size === 1 ? ([...suppliers][0] ?? null) : null;
    },
    forget(ods) {
      for (const key of remembered.keys()) if (key.startsWith(`${ods} `)) remembered.delete(key);
    },
  };
}

function isEmpty(value: readonly unknown[]): boolean {
  return value.length === 0;
}

function asidOf(device: SdsResource): string | undefined {
  return device.identifiers.get(SDS.asid);
}

/** One ASID may stand under two party keys, and only one of them leads to its owner. */
function isSame(one: SdsResource, other: SdsResource): boolean {
  return asidOf(one) === asidOf(other) && one.identifiers.get(SDS.partyKey) === other.identifiers.get(SDS.partyKey);
}

function isOwner(device: SdsResource, ods: Ods): boolean {
  return device.organisation?.toUpperCase() === ods;
}
