import type { SimulatedClock } from '../clock.ts';
import type { GpSystems } from '../gp-system/gp-systems.ts';
import type { Hub } from '../hub/hub.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { MiService } from '../mi.ts';
import type { Pds } from '../pds.ts';
import type { Sds } from '../sds.ts';
import { PROFILES } from '../vendors/profiles.ts';
import type { Vendors } from '../vendors/vendors.ts';

/** What of the simulation runs in this process. */
export type Services = {
  readonly clock: SimulatedClock;
  readonly hub: Hub | null;
  readonly sds: Sds | null;
  readonly pds: Pds | null;
  readonly gpSystem: GpSystems | null;
  readonly vendors: Vendors | null;
  readonly mesh: Mesh | null;
  readonly mi: MiService | null;
};
/** Those that can be away. */
export const OUTAGES = ['hub', 'sds', 'pds', 'mesh', 'mi'] as const;
export type OutageName = (typeof OUTAGES)[number];

/** Whether a service is away on purpose; null where it does not run here. */
export function isOut({ hub, sds, pds, mesh, mi }: Services, name: OutageName): boolean | null {
  if (name === 'hub') return hub ? hub.faults.list().some(isWholeOutage) : null;
  const service = { sds, pds, mesh, mi }[name];
  return service ? (service.switches().outage ?? false) : null;
}

export function isWholeOutage(rule: { readonly fault: string; readonly match?: object; readonly times?: number }): boolean {
  return rule.fault === 'outage' && rule.match === undefined && rule.times === undefined;
}

/** Everything that can be seen, for programs. */
export function stateOf(services: Services): unknown {
  const { clock, hub, sds, pds, gpSystem, vendors, mesh, mi } = services;
  return {
    clock: clock.state(),
    addresses: addressesOf(services),
    outages: Object.fromEntries(OUTAGES.map((name) => [name, isOut(services, name)])),
    ...(hub && { hub: { ...hub.counters, pending: hub.pending, faults: hub.faults.list(), routes: hub.routes(), recent: hub.recent } }),
    ...(sds && { sds: { switches: sds.switches(), organisations: sds.organisations() } }),
    ...(pds && { pds: { switches: pds.switches(), people: pds.people() } }),
    ...(gpSystem && { gpSystem: { filed: gpSystem.served.length } }),
    ...(vendors && { vendors: vendors.practices.map((practice) => vendorState(practice)) }),
    ...(mesh && { mesh: { switches: mesh.switches(), messages: mesh.messages() } }),
    ...(mi && { mi: { switches: mi.switches(), events: mi.events().length } }),
  };
}

function vendorState(practice: Vendors['practices'][number]): unknown {
  const { ods, partyKey, profileName, profile, troubles } = practice;
  const differs = Object.entries(profile).filter(([name, value]) => Reflect.get(PROFILES[profileName], name) !== value);
  return { ods, partyKey, profile: profileName, differs: Object.fromEntries(differs), conversations: practice.conversations(), troubles };
}

export function addressesOf({ hub, sds, pds, gpSystem, vendors, mesh, mi }: Services): Readonly<Record<string, string>> {
  return {
    ...(hub && { hub: hub.url }),
    ...(sds && { sds: sds.url }),
    ...(pds && { pds: pds.url }),
    ...(gpSystem && { gpSystem: gpSystem.url }),
    ...(vendors && { vendors: vendors.url }),
    ...(mesh && { mesh: mesh.url }),
    ...(mi && { mi: mi.url }),
  };
}
