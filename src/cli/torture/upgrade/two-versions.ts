/**
 * A node of the previous version until it has been upgraded, then of the new one. Started in a rolling upgrade in place of `gp2gp`, with the
 * same arguments (`serve --config FILE`). No setting of a real node leads here.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { argv, env } from 'node:process';
import { pathToFileURL } from 'node:url';
import { Fault, reasonOf } from '../../../base/errors.ts';
import { parseConfig } from '../../../service/config.ts';
import { serve } from '../../../service/serve.ts';
import { markOf, migrationsOfNext, PREVIOUS, programIn } from './versions.ts';

const { [PREVIOUS]: previous, ...environment } = env;
const settings = readFileSync(argv[argv.indexOf('--config') + 1] ?? '', 'utf8');
const configured = () => parseConfig(settings, { ...environment, GP2GP_WORK_DRAIN_SECONDS: environment['TORTURE_DRAIN'] });
try {
  const config = configured();
  const isUpgraded = existsSync(markOf(config.data, config.name));
  if (previous === undefined) {
    const migrations = isUpgraded ? migrationsOfNext() : null;
    process.once('exit', () => migrations && rmSync(migrations, { recursive: true, force: true }));
    await serve(config, migrations ? { migrations } : {});
  } else if (isUpgraded) await serve(config);
  else {
    const program = programIn(previous);
    if (program === null) throw new Fault('torture.previous', `there is no program in ${previous}`);
    await import(pathToFileURL(program).href);
  }
} catch (thrown) {
  process.stderr.write(`${reasonOf(thrown)}\n`);
  process.exitCode = 1;
}
