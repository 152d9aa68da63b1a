/**
 * A node as it was before the last migration, until its data folder has a file `upgraded`: then as it is now. Started by the test of a
 * rolling upgrade in place of `gp2gp`, with the same arguments (`serve --config FILE`). No setting of a real node leads here.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, env } from 'node:process';
import { reasonOf } from '../../base/errors.ts';
import { parseConfig } from '../../service/config.ts';
import { serve } from '../../service/serve.ts';
import { MIGRATIONS } from '../../store/open.ts';

const config = parseConfig(readFileSync(argv[argv.indexOf('--config') + 1] ?? '', 'utf8'), env);
if (existsSync(join(config.data, `upgraded-${config.name}`))) await serve(config);
else {
  const migrations = mkdtempSync(join(tmpdir(), 'gp2gp-previous-'));
  const before = readdirSync(MIGRATIONS).sort().slice(0, -1);
  for (const file of before) cpSync(join(MIGRATIONS, file), join(migrations, file));
  try {
    await serve(config, { migrations });
  } catch (thrown) {
    process.stderr.write(`${reasonOf(thrown)}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(migrations, { recursive: true, force: true });
  }
}
