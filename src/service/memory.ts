/** The memory of a node as a process: how far its heaps may grow before they are cleared, and what a thread gives back. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const LOOK_MS = 100;
/** Of the bytes that are left: this thread's heap is not the only one, and buffers are no part of it. */
const SHARE = 0.5;
/** Per cent. A heap that is cleared more often takes too much time, and one that grows further spares hardly any. */
const [LEAST, MOST] = [15, 200];
/** What the command line says; 0: nothing, V8 decides. */
const FIRST = Number(/^--heap-growing-percent=(\d+)$/m.exec(process.execArgv.join('\n'))?.[1] ?? 0);

let current = FIRST;

/**
 * Keeps this process below so many bytes of memory where it can, and quick where it is far below: each heap may grow by half of what is
 * left before it is cleared. With one growth for all times a node either spent a tenth of its time on clearing or took 40 MB more for a record
 * of a thousand documents. Calling what it returns ends it.
 */
export function stayBelow(bytes: number): () => void {
  const look = (): void => {
    const { rss, heapTotal, heapUsed } = process.memoryUsage();
    const room = Math.max(0, bytes - rss) * SHARE + (heapTotal - heapUsed);
    growBy(Math.min(MOST, Math.max(LEAST, Math.round((100 * room) / heapUsed))));
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    growBy(FIRST);
  };
}

/**
 * What clears this thread's heap and gives the room back to the machine: V8 clears a heap only while something is put into it. It takes some
 * 20 ms.
 */
export function heapClearer(): () => void {
  // There only while the flag is set, which nobody else shall see.
  setFlagsFromString('--expose-gc');
  const clear: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof clear !== 'function') throw new Error('the engine has no collector that can be called');
  return () => void clear({ type: 'major', flavor: 'last-resort' });
}

/** The collector reads it each time when it has cleared a heap, of whichever thread. */
function growBy(percent: number): void {
  if (percent === current) return;
  current = percent;
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
