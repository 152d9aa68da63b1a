import { Worker } from 'node:worker_threads';
import { Fault } from '../../base/errors.ts';
import type { ObjectsPlace } from '../../objects/place.ts';
import type { LoadedTerminology } from '../terminology.ts';
import type { ConversionAnswer, ConversionTask } from './tasks.ts';
import type { ThreadAnswer, ThreadAsk, ThreadStart } from './thread.ts';

export type Conversions = {
  /** Runs a task in a thread. `bytes`: the size of the core, which counts against the shared budget while it runs. */
  run<Task extends ConversionTask>(task: Task, bytes: number): Promise<ConversionAnswer[Task['do']]>;
  /** Bytes that the threads wrote to the object store, and of them those that were new. */
  readonly counters: { readonly written: number; readonly kept: number };
  close(): Promise<void>;
};
export type ConversionOptions = {
  readonly place: ObjectsPlace;
  readonly threads: number;
  /** Core bytes in all conversions together. A larger one runs alone. */
  readonly budgetBytes: number;
  /** What a conversion that begins now looks codes up in; null: there is no release. */
  readonly terminology?: () => LoadedTerminology | null;
};

/** A tree takes about six times its text; what a thread has grown to is given back by ending it. */
const LARGE_BYTES = 8 * 1024 * 1024;
const HEAP_MB = 1024;
const YOUNG_MB = 48;
/** Wall time: 120 s, and 5 s for every MB. Beyond, the input is taken to be hostile. */
const BASE_MS = 120_000;
const MS_PER_BYTE = 5_000 / 1_000_000;

type Thread = {
  readonly worker: Worker;
  readonly ended: Promise<unknown>;
  counted: { written: number; kept: number };
  /** What it was handed last. */
  terminology: LoadedTerminology | null;
};
type Waiting = { readonly bytes: number; start(): void };

/** Threads for conversions: started when first needed, so many at most, sharing one budget of bytes. */
export function createConversions(options: ConversionOptions): Conversions {
  const idle: Thread[] = [];
  const all = new Set<Thread>();
  const queue: Waiting[] = [];
  const counters = { written: 0, kept: 0 };
  let running = 0;
  let bytesRunning = 0;
  let nextId = 1;
  let closed = false;

  const admit = (): void => {
    for (let first = queue[0]; first && running < options.threads; first = queue[0]) {
      if (running > 0 && bytesRunning + first.bytes > options.budgetBytes) return;
      queue.shift();
      running++;
      bytesRunning += first.bytes;
      first.start();
    }
  };
  const turn = (bytes: number): Promise<void> =>
    new Promise((start) => {
      queue.push({ bytes, start });
      admit();
    });

  return {
    counters,
    async run<Task extends ConversionTask>(task: Task, bytes: number): Promise<ConversionAnswer[Task['do']]> {
      await turn(bytes);
      try {
        if (closed) throw new Fault('conversion.closed', 'the node is stopping');
        const thread = idle.pop() ?? startThread();
        const answer = await ask(thread, task, bytes);
        if (bytes > LARGE_BYTES) await thread.worker.terminate();
        else idle.push(thread);
        return answer as ConversionAnswer[Task['do']];
      } finally {
        running--;
        bytesRunning -= bytes;
        admit();
      }
    },
    async close() {
      closed = true;
      await Promise.all([...all].map(({ worker }) => worker.terminate()));
    },
  };

  function startThread(): Thread {
    const source = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
    const workerData: ThreadStart = { place: options.place };
    const worker = new Worker(source, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.unref();
    const ended = new Promise((done) => {
      worker.once('error', done);
      worker.once('exit', () => done(new Fault('conversion.ended', 'the conversion was ended')));
    });
    const thread: Thread = { worker, ended, counted: { written: 0, kept: 0 }, terminology: null };
    all.add(thread);
    void ended.then(() => {
      all.delete(thread);
      if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
    });
    return thread;
  }

  async function ask(thread: Thread, task: ConversionTask, bytes: number): Promise<unknown> {
    const id = nextId++;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_done, fail) => {
      const ms = BASE_MS + bytes * MS_PER_BYTE;
      timer = setTimeout(() => {
        fail(new Fault('conversion.late', `the conversion took more than ${Math.round(ms / 1000)} s`));
        void thread.worker.terminate();
      }, ms);
    });
    const answered = new Promise<unknown>((done, fail) => {
      const hear = (said: ThreadAnswer): void => {
        if (said.id !== id) return;
        thread.worker.off('message', hear);
        counters.written += said.written - thread.counted.written;
        counters.kept += said.kept - thread.counted.kept;
        thread.counted = { written: said.written, kept: said.kept };
        if ('fault' in said) fail(new Fault(said.fault.code, said.fault.message));
        else done(said.answer);
      };
      thread.worker.on('message', hear);
      void thread.ended.then((error) => fail(error));
    });
    thread.worker.ref();
    try {
      // The memory is shared, not copied; a thread keeps what it has until there is another.
      const terminology = options.terminology?.() ?? null;
      const changed = terminology !== thread.terminology;
      thread.terminology = terminology;
      thread.worker.postMessage({ id, task, ...(changed && { terminology: terminology?.memory ?? null }) } satisfies ThreadAsk);
      return await Promise.race([answered, late]);
    } catch (error) {
      // A fault that the thread told of leaves it fit for more; one that ended it does not.
      if (all.has(thread) && error instanceof Fault && !error.code.startsWith('conversion.')) idle.push(thread);
      else void thread.worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
      thread.worker.unref();
    }
  }
}
