import { loadTerminology } from '../service/terminology.ts';
import { openRelease, type Release } from '../terminology/release.ts';

/** The built terminology that a command was given. Throws a `Fault` `input.terminology` that names the file. */
export async function terminologyAt(file: string): Promise<Release> {
  return openRelease((await loadTerminology(file)).memory);
}
