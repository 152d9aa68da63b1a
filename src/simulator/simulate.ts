import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { Fault, reasonOf } from '../base/errors.ts';
import { type EndpointName, makeCertificates } from './certificates.ts';
import { type SimulationConfig, simulationSchema } from './config.ts';
import { startGpSystems } from './gp-system/gp-systems.ts';
import type { MutualTls } from './http.ts';
import { startHub } from './hub/hub.ts';
import { startPds } from './pds.ts';
import { startSds } from './sds.ts';

/** Where everything that was started is to be found: the ready line of a simulator process. */
export type SimulationUrls = {
  readonly hub?: { readonly url: string; readonly controlUrl: string; readonly ledgerFile: string };
  readonly sds?: { readonly url: string };
  readonly pds?: { readonly url: string };
  readonly gpSystem?: { readonly url: string };
};
export type Simulation = { readonly urls: SimulationUrls; close(): Promise<void> };

/** Starts what a configuration names: hub, SDS, PDS, GP systems. What was started before a failure is ended again. */
export async function simulate(config: SimulationConfig, log: (line: string) => void): Promise<Simulation> {
  const read = simulationSchema.safeParse(config);
  if (!read.success) throw new Fault('simulator.config', `the configuration is not usable:\n${z.prettifyError(read.error)}`);
  const { hub, sds, pds, gpSystem } = read.data;
  const made = read.data.certificates ? await certify(read.data.certificates) : null;
  const started: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const one of started.reverse()) await one.close();
  };
  const urls: { -readonly [K in keyof SimulationUrls]: SimulationUrls[K] } = {};
  try {
    if (hub) {
      const tls = hub.tls ?? made?.hub;
      if (!tls) throw new Fault('simulator.config', 'the hub needs a certificate', { remedy: 'Name hub.tls, or certificates.folder.' });
      const running = await startHub({ ...hub, tls, log });
      started.push(running);
      urls.hub = { url: running.url, controlUrl: running.controlUrl, ledgerFile: running.ledgerFile };
    }
    if (sds) {
      const running = await startSds({ ...sds, intermediaryUrl: sds.intermediaryUrl ?? urls.hub?.url ?? '', log });
      started.push(running);
      urls.sds = { url: running.url };
    }
    if (pds) {
      const running = await startPds({ ...pds, log });
      started.push(running);
      urls.pds = { url: running.url };
    }
    if (gpSystem) {
      const running = await startGpSystems({ ...gpSystem, pdsUrl: gpSystem.pdsUrl ?? urls.pds?.url ?? null, log });
      started.push(running);
      urls.gpSystem = { url: running.url };
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { urls, close };
}

async function certify(config: { readonly folder: string; readonly endpoints: readonly EndpointName[] }): Promise<{ hub: MutualTls }> {
  const { authority, endpoints } = await makeCertificates(config.folder, [{ name: 'hub' }, ...config.endpoints]);
  const files = endpoints.get('hub');
  if (!files) throw new Fault('simulator.certificates', 'no certificate was made for the hub');
  return { hub: { certificate: files.certificate, key: files.key, authorities: [authority] } };
}

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
