import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { straightPem } from '../../web/identity.ts';
import { isOwnVariable, variableFor } from '../config/names.ts';
import type { NodeConfig } from '../config/parts.ts';
import { parseConfig } from '../config.ts';
import { readEnvFile } from './env-file.ts';
import { type Line, mapPeerSettings } from './map.ts';

export type PeerSettings = {
  /** The text of the settings file of the existing adaptors. */
  readonly file: string;
  readonly yaml: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly profile: 'live' | 'test';
  /** Where data lie if nothing says otherwise. */
  readonly defaultData: string;
};
export type FromPeer = { readonly config: NodeConfig; readonly report: readonly Line[] };

const PDS_URL = 'https://api.service.nhs.uk/personal-demographics/FHIR/R4';

/**
 * A node's configuration from a settings file of the existing adaptors, unchanged. Our own variables, in the file or the environment, say what
 * the old ones do not know; one that contradicts an old name is refused. Throws a `Fault` `config.invalid` that lists every refusal.
 */
export function configFromPeer({ file, yaml, environment, profile, defaultData }: PeerSettings): FromPeer {
  const values = readEnvFile(file);
  const mapped = mapPeerSettings(values, isOwnVariable, profile);
  const refusals = [...mapped.refusals];
  const report = [...mapped.report];
  const variables: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(environment)) if (isOwnVariable(name)) variables[name] = value;
  for (const [name, value] of values) if (isOwnVariable(name)) variables[name] ??= value;
  const given = new Set(Object.keys(variables));
  const set = (path: string, value: string): void => {
    const name = variableFor(path);
    if (name === null) return;
    const own = variables[name];
    const old = report.find(({ said }) => said.includes(`is ${path} = `))?.name;
    // A default of the old adaptors gives way; a value that its file names does not.
    if (own !== undefined && own !== value && given.has(name) && old !== undefined)
      refusals.push(`${name} and ${old} both stand for ${path} and differ: leave one of them out`);
    variables[name] ??= value;
  };
  for (const [path, value] of mapped.settings) set(path, value);
  set('data', defaultData);
  const notes: Line[] = [];
  if (!/^\s*pds\s*:/m.test(yaml ?? '') && !Object.keys(variables).some((name) => name.startsWith('GP2GP_PDS_'))) {
    set('pds.url', PDS_URL);
    set('pds.token', 'none');
    notes.push({
      name: 'GP2GP_PDS_CLIENT_ID',
      kind: 'ignored',
      said: 'is not set, nor any other access to PDS: no transfer begins before it is, since PDS says whose patient it is',
    });
  }
  if (!/^\s*practices\s*:/m.test(yaml ?? '') && variables['GP2GP_PRACTICES'] === undefined && variables['GP2GP_RELAY_PORT'] === undefined)
    notes.push({
      name: 'GP2GP_PRACTICES',
      kind: 'ignored',
      said: 'is not set: the old adaptor took messages for whoever they were addressed to; this node serves the practices that it is told of',
    });
  if (variables['GP2GP_RELAY_PORT'] !== undefined && variables['GP2GP_RELAY_HOST'] === undefined)
    notes.push({
      name: 'GP2GP_RELAY_HOST',
      kind: 'ignored',
      said: 'is 127.0.0.1: the interface has no authentication; with GP2GP_RELAY_ALLOW_UNAUTHENTICATED=true it may be an address of a private network',
    });
  if (refusals.length > 0)
    throw new Fault(
      'config.invalid',
      `the settings file has ${refusals.length} problem${refusals.length === 1 ? '' : 's'}:\n${refusals.map((each) => `  ${each}`).join('\n')}`,
      {
        remedy: 'Correct the file; nothing was started.',
      },
    );
  if (mapped.identity) keepIdentity(join(variables['GP2GP_DATA'] ?? defaultData, 'identity'), mapped.identity, set);
  return { config: parseConfig(yaml, variables, mapped.practices), report: [...report, ...notes] };
}

/** The PEM texts as files, so that they can be exchanged while the node runs. */
function keepIdentity(
  folder: string,
  { certificate, key, authorities }: { readonly certificate: string; readonly key: string; readonly authorities: string },
  set: (path: string, value: string) => void,
): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keep = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, straightPem(pem), { mode: 0o600 });
    return path;
  };
  set('spine.tls.certificate', keep('certificate.pem', certificate));
  set('spine.tls.key', keep('key.pem', key));
  set('spine.tls.authorities', keep('authorities.pem', authorities));
}

/** What was done with each name, in lines; values of secrets are not among them. */
export function reportLines(report: readonly Line[]): string[] {
  const width = Math.max(0, ...report.map(({ name }) => name.length));
  return report.map(({ name, said }) => `${name.padEnd(width)}  ${said}`);
}
