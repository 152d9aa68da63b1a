/** The processes of a demonstration: each program runs as it would in earnest, in a process of its own, and can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Fault } from '../../base/errors.ts';
import { bundled } from '../bundle.ts';

export type Running = {
  readonly name: string;
  readonly pid: number;
  /** What the program said of itself when it was ready. */
  readonly ready: Record<string, unknown>;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Highest resident memory so far in bytes, worker threads included; 0 where the system does not tell. */
  peakRss(): number;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after ten seconds. */
  stop(): Promise<void>;
};

/**
 * glibc keeps a heap for each of a dozen threads, and lets what it gives back at once shrink to what is larger than 32 MB as soon as
 * something large was freed. With these two, large buffers go back at once and the rest comes from two heaps. Smaller limits cost system
 * time: each buffer is then mapped, touched and unmapped for itself. Other libraries of C do not read them.
 */
const SMALL_MEMORY = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072' };

/**
 * New objects of a node get 4 MB instead of 16, for its peak is its price; 2 MB would cost a tenth of its time. Its heap is cleared when it
 * has grown by a quarter until it has started; from then on `work.memoryBytes` decides.
 */
const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=25'];

/** Children of this process that have not ended: none may outlive it. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * Starts `gp2gp ARGUMENT…`, or another program file in its place, and waits for its ready line, one JSON object with `"ready": true` on standard output. What it prints goes
 * to `logFile`. Throws a `Fault` with its last words where it ends before.
 */
export async function startProgram(
  name: string,
  args: readonly string[],
  logFile: string,
  environment: Readonly<Record<string, string>> = {},
  programFile?: string,
): Promise<Running> {
  const file = programFile ?? (await program());
  await mkdir(dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile, { flags: 'a' });
  // The IPC channel is a lifeline: a child that loses it ends, so that a killed parent leaves nothing behind.
  const flags = args[0] === 'serve' ? NODE_FLAGS : [];
  const child = spawn(process.execPath, [...flags, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...(args[0] === 'serve' && SMALL_MEMORY), ...process.env, ...environment },
  });
  children.add(child);
  const { pid, stdout, stderr } = child;
  if (pid === undefined || !stdout || !stderr) throw new Fault('demo.spawn', `${name} could not be started`);
  const lastWords: string[] = [];
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, highWater(pid));
    return peak;
  };
  const watch = setInterval(look, 500);
  watch.unref();
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => {
      clearInterval(watch);
      children.delete(child);
      resolve({ code, signal });
    });
  });
  stderr.on('data', (chunk: Buffer) => {
    log.write(chunk);
    lastWords.push(...chunk.toString('utf8').split('\n').filter(Boolean));
    lastWords.splice(0, Math.max(0, lastWords.length - 5));
  });
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: stdout }).on('line', (line) => {
      log.write(`${line}\n`);
      const said = readyLine(line);
      if (said) resolve(said);
    });
    void ended.then(({ code, signal }) =>
      reject(
        new Fault('demo.ended', `${name} ended before it was ready (${signal ?? code}): ${lastWords.join(' | ')}`, {
          remedy: `Its log is ${logFile}.`,
        }),
      ),
    );
  });
  return {
    name,
    pid,
    ready,
    ended,
    peakRss: look,
    kill: (signal) => {
      look();
      child.kill(signal);
    },
    async stop() {
      look();
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(force);
    },
  };
}

let built: Promise<string> | null = null;
/** This program itself: beside this file in a package, put together once from the sources in a checkout. */
function program(): Promise<string> {
  const beside = join(import.meta.dirname, 'gp2gp.js');
  built ??= existsSync(beside) ? Promise.resolve(beside) : bundled(join(import.meta.dirname, '..', '..', '..'));
  return built;
}

function readyLine(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'ready' in value && value.ready === true ? { ...value } : null;
  } catch {
    return null;
  }
}

function highWater(pid: number): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    // Only Linux has it, and only while the process lives.
    return 0;
  }
}
