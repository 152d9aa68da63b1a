import { Fault, reasonOf } from '../../base/errors.ts';
import type { NodeConfig } from '../../service/config/parts.ts';
import { parseConfig } from '../../service/config.ts';
import { checkCertificate, checkKeyFile } from './certificates.ts';
import { type Finding, fail, ok } from './finding.ts';
import { checkDatabase, checkDisk, checkObjects, checkTerminology, type Space, spaceOf } from './machine.ts';
import { checkManagementInformation } from './management-information.ts';
import { type Asking, checkClock, checkGpSystems, checkPds, checkSds, checkSpine } from './services.ts';

export type Diagnosis = { readonly ok: boolean; readonly checks: readonly Finding[] };
export type DiagnoseOptions = {
  readonly now: () => Date;
  readonly newId: () => string;
  readonly space?: Space;
  /** Path of the key, whose rights are looked at. */
  readonly keyFile?: string | undefined;
};

/**
 * Looks at everything that a node needs, and changes nothing. `yaml` is the text of the configuration file, null where the environment
 * alone counts. Never throws for what it finds.
 */
export async function diagnose(
  yaml: string | null,
  environment: Readonly<Record<string, string | undefined>>,
  options: DiagnoseOptions,
): Promise<Diagnosis> {
  let config: NodeConfig;
  try {
    config = parseConfig(yaml, environment);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return diagnosis([
      fail('configuration', thrown.message, 'Correct the file or the variables, and look again: nothing else was looked at.'),
    ]);
  }
  const asking: Asking = { config, now: options.now, newId: options.newId, clocks: [] };
  const { spine } = config;
  const found = await Promise.all([
    whole('certificate', async () => (spine.tls ? checkCertificate(spine.tls, spine.registeredName, options.now()) : [])),
    whole('certificate.keyFile', async () => (options.keyFile === undefined ? [] : [await checkKeyFile(options.keyFile)])),
    whole('spine', () => checkSpine(asking)),
    whole('sds', () => checkSds(asking)),
    whole('pds', async () => [await checkPds(asking)]),
    whole('database', () => checkDatabase(config)),
    whole('disk', () => checkDisk(config, options.space ?? spaceOf)),
    whole('objects', () => checkObjects(config)),
    whole('terminology', async () => [await checkTerminology(config)]),
    whole('gpSystem', () => checkGpSystems(asking)),
    whole('mi', () => checkManagementInformation(asking)),
  ]);
  const configured = ok(
    'configuration',
    `${config.practices.length} practice${config.practices.length === 1 ? '' : 's'}, node "${config.name}"`,
  );
  return diagnosis([configured, ...found.flat(), checkClock(asking.clocks)]);
}

function diagnosis(checks: readonly Finding[]): Diagnosis {
  return { ok: checks.every(({ result }) => result !== 'fail'), checks };
}

/** A check that breaks is a failure of its own: the others are told all the same. */
async function whole(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (thrown) {
    return [fail(check, `it could not be looked at: ${reasonOf(thrown)}`, 'This was not foreseen; tell those who make Open GP2GP.')];
  }
}
