/** Builds the package: the program in `dist/`, and beside it the licences of the libraries whose code is in it. */
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundle, writeBundle } from '../src/cli/bundle.ts';

const HOME = join(import.meta.dirname, '..');
const DIST = join(HOME, 'dist');

rmSync(DIST, { recursive: true, force: true });
const made = await bundle(HOME, DIST, true);
await writeBundle(made, HOME, DIST);
writeFileSync(join(DIST, 'LICENCES.txt'), made.libraries.map(licenceOf).join('\n'));

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(HOME, folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const texts = globSync(join(HOME, folder, '{LICENSE,LICENCE,License,license,COPYING,NOTICE}*'))
    .filter((file) => !/\.[jt]s$/.test(basename(file)))
    .map((file) => readFileSync(file, 'utf8'));
  return `${'='.repeat(80)}\n${String(name)} ${String(version)}: ${String(license)}\n\n${texts.join('\n')}`;
}
