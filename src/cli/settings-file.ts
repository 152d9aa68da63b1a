import { readFile } from 'node:fs/promises';
import { Fault, reasonOf } from '../base/errors.ts';
import type { NodeConfig } from '../service/config/parts.ts';

/** A node's settings: those of a YAML file, or of the environment alone. Throws a `Fault` that says which, and what to do. */
export async function nodeSettings(file: string | undefined): Promise<NodeConfig> {
  const { parseConfig } = await import('../service/config.ts');
  return parseConfig(file === undefined ? null : await readSettings(file), process.env);
}

/** The text of a file that is named on the command line. */
export async function readSettings(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Fault('input.config', `${file}: cannot be read (${reasonOf(cause)})`, {
      cause,
      remedy: 'Name the file that the node is started with.',
    });
  }
}

/** Where neither a file nor a variable says which node is meant, that is what is wrong, not each setting that is missing. */
export function demandNamed(file: string | undefined, environment: Readonly<Record<string, string | undefined>>, how: string): void {
  if (file !== undefined || Object.keys(environment).some((name) => name.startsWith('GP2GP_'))) return;
  throw new Fault('input.config', 'nothing says which node is meant', { remedy: how });
}
