import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { Fault, reasonOf } from '../base/errors.ts';
import { type EndpointName, makeCertificates } from './certificates.ts';
import { makeClock } from './clock.ts';
import { type SimulationConfig, simulationSchema } from './config.ts';
import { startControl } from './control/control.ts';
import type { Services } from './control/services.ts';
import { startGpSystems } from './gp-system/gp-systems.ts';
import type { MutualTls } from './http.ts';
import { startHub } from './hub/hub.ts';
import { startMesh } from './mesh/mesh.ts';
import { startMi } from './mi.ts';
import { startPds } from './pds.ts';
import { livesMs, startSds } from './sds.ts';
import { startVendors } from './vendors/vendors.ts';

/** Where everything that was started is to be found: the ready line of a simulator process. */
export type SimulationUrls = {
  readonly hub?: { readonly url: string; readonly controlUrl: string; readonly ledgerFile: string };
  readonly sds?: { readonly url: string };
  readonly pds?: { readonly url: string };
  readonly gpSystem?: { readonly url: string };
  readonly vendors?: { readonly url: string; readonly controlUrl: string };
  readonly mesh?: { readonly url: string };
  readonly mi?: { readonly url: string };
  /** The page, and the interface below `/control`. */
  readonly control?: { readonly url: string };
};
export type Simulation = { readonly urls: SimulationUrls; close(): Promise<void> };

/** Starts what a configuration names: hub, SDS, PDS, GP systems, vendors. What was started before a failure is ended again. */
export async function simulate(config: SimulationConfig, log: (line: string) => void): Promise<Simulation> {
  const read = simulationSchema.safeParse(config);
  if (!read.success) throw new Fault('simulator.config', `the configuration is not usable:\n${z.prettifyError(read.error)}`);
  const { hub, sds, pds, gpSystem, vendors, mesh, mi, control } = read.data;
  const clock = makeClock();
  const made = read.data.certificates ? await certify(read.data.certificates) : null;
  const started: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const one of started.reverse()) await one.close();
  };
  const urls: { -readonly [K in keyof SimulationUrls]: SimulationUrls[K] } = {};
  const services: { -readonly [K in keyof Services]: Services[K] } = {
    clock,
    hub: null,
    sds: null,
    pds: null,
    gpSystem: null,
    vendors: null,
    mesh: null,
    mi: null,
  };
  try {
    if (hub) {
      const tls = hub.tls ?? made?.hub;
      if (!tls) throw new Fault('simulator.config', 'the hub needs a certificate', { remedy: 'Name hub.tls, or certificates.folder.' });
      const running = await startHub({
        ...hub,
        tls,
        clock,
        log,
        livesMs: (partyKey, action) => livesMs(services.sds, partyKey, action),
        ...(vendors && { maxBytes: hub.maxBytes ?? PIECE_OF_SYSTMONE }),
      });
      started.push(running);
      services.hub = running;
      urls.hub = { url: running.url, controlUrl: running.controlUrl, ledgerFile: running.ledgerFile };
    }
    if (sds) {
      const running = await startSds({ ...sds, intermediaryUrl: sds.intermediaryUrl ?? urls.hub?.url ?? '', clock, log });
      started.push(running);
      services.sds = running;
      urls.sds = { url: running.url };
    }
    if (pds) {
      const running = await startPds({ ...pds, clock, log });
      started.push(running);
      services.pds = running;
      urls.pds = { url: running.url };
    }
    if (gpSystem) {
      const running = await startGpSystems({ ...gpSystem, pdsUrl: gpSystem.pdsUrl ?? urls.pds?.url ?? null, clock, log });
      started.push(running);
      services.gpSystem = running;
      urls.gpSystem = { url: running.url };
    }
    if (vendors) {
      const tls = vendors.tls ?? made?.vendors;
      const hubUrl = vendors.hubUrl ?? urls.hub?.url;
      const sdsUrl = vendors.sdsUrl ?? urls.sds?.url;
      if (!tls || !hubUrl || !sdsUrl)
        throw new Fault('simulator.config', 'vendors need a certificate, a hub and a directory', {
          remedy: 'Name certificates.folder, hub and sds in the same file, or vendors.tls, vendors.hubUrl and vendors.sdsUrl.',
        });
      const pdsUrl = vendors.pdsUrl ?? urls.pds?.url ?? null;
      const running = await startVendors({ ...vendors, tls, hubUrl, sdsUrl, pdsUrl, clock, log });
      started.push(running);
      services.vendors = running;
      urls.vendors = { url: running.url, controlUrl: running.controlUrl };
      for (const { ods, asid, partyKey, profile } of running.practices) {
        services.hub?.setRoute(partyKey, { urls: [running.url], asid });
        const interactions = profile.roles.includes('sending') ? undefined : RECEIVES_ONLY;
        services.sds?.add({
          ods,
          asid,
          partyKey,
          manufacturer: profile.manufacturer,
          ...(interactions && { interactions: [...interactions] }),
        });
      }
    }
    if (mesh) {
      const { tls, ...others } = mesh;
      const running = await startMesh({ ...others, clock, log, ...(tls && { tls }) });
      started.push(running);
      services.mesh = running;
      urls.mesh = { url: running.url };
    }
    if (mi) {
      const { apiKeys, ...others } = mi;
      const running = await startMi({ ...others, clock, log, ...(apiKeys && { apiKeys }) });
      started.push(running);
      services.mi = running;
      urls.mi = { url: running.url };
    }
    if (control) {
      const running = await startControl(services, { ...control, log });
      started.push(running);
      urls.control = { url: running.url };
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { urls, close };
}

/** SystmOne's pieces are longer than five million bytes, and Spine carries them. */
const PIECE_OF_SYSTMONE = 5_242_880;
/** What a system that only asks for records is registered for. */
const RECEIVES_ONLY = ['RCMR_IN030000UK06', 'RCMR_IN030000UK07', 'COPC_IN000001UK01', 'MCCI_IN010000UK13'] as const;

async function certify(config: { readonly folder: string; readonly endpoints: readonly EndpointName[] }): Promise<Made> {
  const { authority, endpoints } = await makeCertificates(config.folder, [{ name: 'hub' }, { name: 'vendors' }, ...config.endpoints]);
  const filesOf = (name: string): MutualTls => {
    const files = endpoints.get(name);
    if (!files) throw new Fault('simulator.certificates', `no certificate was made for ${name}`);
    return { certificate: files.certificate, key: files.key, authorities: [authority] };
  };
  return { hub: filesOf('hub'), vendors: filesOf('vendors') };
}
type Made = { readonly hub: MutualTls; readonly vendors: MutualTls };

/** Reads a configuration file, YAML or JSON. Throws a `Fault` `input.config` that names file and fault. */
export async function readSimulationConfig(path: string): Promise<SimulationConfig> {
  const remedy = 'gp2gp simulate --help says what the file holds.';
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const what = cause instanceof YAMLParseError ? 'is neither YAML nor JSON' : 'cannot be read';
    throw new Fault('input.config', `${path}: ${what} (${reasonOf(cause)})`, { remedy, cause });
  }
  const read = simulationSchema.safeParse(value);
  if (!read.success) throw new Fault('input.config', `${path} is not usable:\n${z.prettifyError(read.error)}`, { remedy });
  return read.data;
}
