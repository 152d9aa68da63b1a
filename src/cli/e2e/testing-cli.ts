/** Runs a command line in this process: its exit code, and what it said on either stream. */
import { main } from '../main.ts';

export type Said = { readonly code: number; readonly out: string; readonly err: string };

/** One at a time: what is written meanwhile is taken to be the command's. */
export async function run(...argv: readonly string[]): Promise<Said> {
  const written = { out: '', err: '' };
  const kept = { out: process.stdout.write, err: process.stderr.write, log: console.error };
  const into = (stream: 'out' | 'err') =>
    ((chunk: string | Uint8Array): boolean => {
      // The test runner's own reports go the same way, as bytes.
      if (typeof chunk !== 'string') return kept[stream].call(stream === 'out' ? process.stdout : process.stderr, chunk);
      written[stream] += chunk;
      return true;
    }) as typeof process.stdout.write;
  process.stdout.write = into('out');
  process.stderr.write = into('err');
  console.error = (...words: unknown[]) => {
    written.err += `${words.map(String).join(' ')}\n`;
  };
  try {
    return { code: await main(argv), ...written };
  } finally {
    process.stdout.write = kept.out;
    process.stderr.write = kept.err;
    console.error = kept.log;
    process.exitCode = 0;
  }
}
