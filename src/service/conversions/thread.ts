/** A worker thread's program: carries out one conversion after another. Trees of large records live here and nowhere else. */
import { randomUUID } from 'node:crypto';
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type ObjectsPlace, openObjectsAt } from '../../objects/place.ts';
import type { Terminology } from '../../record/types.ts';
import { builtInTerminology } from '../../terminology/built-in.ts';
import { openRelease } from '../../terminology/release.ts';
import { heapClearer } from '../memory.ts';
import { listDocuments } from './list-documents.ts';
import type { ConversionTask } from './tasks.ts';
import { convertToFhir } from './to-fhir.ts';
import { convertToHl7 } from './to-hl7.ts';

export type ThreadStart = { readonly place: ObjectsPlace };
export type ThreadAsk = {
  readonly id: number;
  readonly task: ConversionTask;
  /** A built terminology, from this task on; null: no longer any. Left out: the same as before. */
  readonly terminology?: SharedArrayBuffer | null;
};
export type ThreadAnswer = { readonly id: number; readonly written: number; readonly kept: number } & (
  | { readonly answer: unknown }
  | { readonly fault: { readonly code: string; readonly message: string } }
);

/**
 * A heap is cleared when nothing has been converted for so long. With the objects goes the machine code that was made for them, and the next
 * fifty conversions have to wait for it again: where the last few ended within one long span, the thread waits for that.
 */
const IDLE_MS = { short: 250, long: 10_000 };
const FEW = 4;

const { place } = workerData as ThreadStart;
const objects = await openObjectsAt(place);
const context = {
  objects,
  place,
  newId: randomUUID,
  // Bytes that went past `objects`, through a writer.
  counted: { written: 0, kept: 0 },
};
let terminology: Terminology = builtInTerminology;
const clearHeap = heapClearer();
let idle: NodeJS.Timeout | undefined;
/** When the last few conversions ended. */
const ended: number[] = [];

parentPort?.on('message', ({ id, task, terminology: handed }: ThreadAsk) => {
  clearTimeout(idle);
  if (handed !== undefined) terminology = handed ? openRelease(handed) : builtInTerminology;
  carryOut(task).then(
    (answer) => reply(id, { answer }),
    (error: unknown) => reply(id, { fault: { code: error instanceof Fault ? error.code : 'conversion.failed', message: reasonOf(error) } }),
  );
});

// What was compiled is kept in memory until then.
flushCompileCache();

function carryOut(task: ConversionTask): Promise<unknown> {
  switch (task.do) {
    case 'listDocuments':
      return listDocuments(context, task.bundle);
    case 'toHl7':
      return convertToHl7(context, task);
    case 'toFhir':
      return convertToFhir(context, task, terminology);
  }
}

function reply(id: number, what: { answer: unknown } | { fault: { code: string; message: string } }): void {
  const written = objects.counters.written + context.counted.written;
  const kept = objects.counters.kept + context.counted.kept;
  parentPort?.postMessage({ id, written, kept, ...what } satisfies ThreadAnswer);
  const now = performance.now();
  const [before = Number.NEGATIVE_INFINITY] = ended.push(now) > FEW ? ended.splice(0, 1) : [];
  // Nothing is put into this heap now: the room is for the messages that are sent meanwhile.
  idle = setTimeout(clearHeap, now - before < IDLE_MS.long ? IDLE_MS.long : IDLE_MS.short);
}
