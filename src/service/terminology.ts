/** A built terminology, read at one go into memory that threads share, and read anew when its file is replaced. */
import { open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Logger } from 'pino';
import { Fault, reasonOf } from '../base/errors.ts';
import { type About, readTerminology } from '../terminology/file.ts';

export type LoadedTerminology = { readonly memory: SharedArrayBuffer; readonly about: About };

/** Reads the file and checks it whole. Throws a `Fault` `input.terminology` that names the file and says what to do. */
export async function loadTerminology(file: string): Promise<LoadedTerminology> {
  const memory = await readShared(file);
  try {
    return { memory, about: readTerminology(memory, crc32).about };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('input.terminology', `${file}: ${error.message}`, { cause: error, ...(error.remedy && { remedy: error.remedy }) });
  }
}

async function readShared(file: string): Promise<SharedArrayBuffer> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const memory = new SharedArrayBuffer(size);
    const bytes = new Uint8Array(memory);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await handle.read(bytes, at, size - at, at);
      if (bytesRead === 0) throw new Error(`it ended after ${at} of ${size} bytes`);
      at += bytesRead;
    }
    return memory;
  } catch (error) {
    throw new Fault('input.terminology', `${file}: cannot be read (${reasonOf(error)})`, { cause: error });
  }
}

export type WatchedTerminology = {
  /** The latest that could be used. */
  current(): LoadedTerminology;
  /** Looks at the file now, instead of at the next turn. */
  look(): Promise<void>;
  close(): void;
};
export type WatchOptions = {
  onChange(loaded: LoadedTerminology): void;
  /** The file is gone, or not what it should be. Said once for each state of the file. */
  onFault(error: unknown): void;
  readonly everyMs?: number;
};

const EVERY_MS = 2_000;

/**
 * Loads a terminology and looks from time to time whether another file lies in its place: that works on every file system, through
 * links, and in a container. A file that is still being written is no whole one, and is looked at again when it has changed.
 * Conversions that have begun keep what they began with. Throws as `loadTerminology` where there is nothing to begin with.
 */
export async function watchTerminology(file: string, options: WatchOptions): Promise<WatchedTerminology> {
  let seen = await stateOf(file);
  let current = await loadTerminology(file);
  let looking: Promise<void> | null = null;

  async function lookNow(): Promise<void> {
    try {
      const state = await stateOf(file);
      if (state === seen) return;
      seen = state;
      current = await loadTerminology(file);
      options.onChange(current);
    } catch (error) {
      options.onFault(error);
    }
  }
  // One look at a time: a slow disk must not load the same file twice.
  const look = (): Promise<void> => {
    looking ??= lookNow().finally(() => {
      looking = null;
    });
    return looking;
  };
  const timer = setInterval(() => void look(), options.everyMs ?? EVERY_MS);
  timer.unref();
  return { current: () => current, look, close: () => clearInterval(timer) };
}

/** Changes whenever other bytes may lie there. */
async function stateOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs}`;
  } catch {
    // Why it cannot be looked at, reading it will tell.
    return 'none';
  }
}

/** The terminology that the settings name, and whatever takes its place while the node runs; the log and the operator are told. */
export async function followTerminology(file: string, log: Logger, alert: (code: string) => void): Promise<WatchedTerminology> {
  const tell = ({ about: { release, lacks } }: LoadedTerminology): void => {
    if (lacks.length === 0) log.info({ file, release }, 'terminology loaded');
    else log.warn({ file, release, lacks }, 'terminology loaded, which is not whole: vaccinations may be read as observations');
  };
  const watched = await watchTerminology(file, {
    onChange: tell,
    onFault: (error) => {
      alert('terminology.unusable');
      log.error({ file, fault: reasonOf(error) }, 'the new terminology cannot be used; the one before goes on');
    },
  });
  tell(watched.current());
  return watched;
}
