/**
 * `compile-node.ts PROGRAM`: loads what a node, which that program is, and its conversion threads consist of, leaves it in the compile cache,
 * and ends.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ThreadStart } from '../../service/conversions/thread.ts';

// What a node begins with, which says how it is called and then waits for nothing.
const [program = ''] = process.argv.splice(2, process.argv.length, 'serve', '--help');
const folder = await mkdtemp(join(tmpdir(), 'gp2gp-compile-'));
try {
  const name = import.meta.filename.endsWith('.ts') ? 'thread.ts' : 'thread.js';
  const workerData: ThreadStart = { place: { folder, s3: null } };
  const worker = new Worker(join(import.meta.dirname, '..', '..', 'service', 'conversions', name), { workerData });
  await Promise.all([
    once(worker, 'message'),
    import(pathToFileURL(program).href),
    import('../../service/config.ts'),
    import('../../service/serve.ts'),
    import('../../console/console.ts'),
  ]);
  await worker.terminate();
  flushCompileCache();
} finally {
  await rm(folder, { recursive: true, force: true });
}
// Nothing that was loaded is to keep it.
process.exit();
