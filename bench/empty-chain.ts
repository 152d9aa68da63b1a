import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from '../src/cli/demo/world.ts';
import type { Order } from './bare-chain.ts';
import { spent } from './processor-time.ts';

export type EmptyChain = {
  /** Carries messages of so many bytes from the sender through the hub to the receiver; the seconds until the last was acknowledged there. */
  carry(sizes: readonly number[]): Promise<number>;
  /** Highest memory so far, in bytes. */
  peaks(): Promise<{ readonly sender: number; readonly receiver: number }>;
  /** Processor time so far, of its three processes together, in ms. */
  spent(): Promise<number>;
  stop(): void;
};

/** The chain without logic, beside a world: its certificates, its disk, its PostgreSQL. */
export async function startEmptyChain(world: World): Promise<EmptyChain> {
  const certificates = join(world.folder, 'certificates');
  const folder = join(world.folder, 'empty-chain');
  await mkdir(folder, { recursive: true });
  const children: ChildProcess[] = [];
  const part = (role: string, ...where: readonly string[]): ChildProcess => {
    const child = fork(join(import.meta.dirname, 'bare-chain.ts'), [role, certificates, folder, ...where]);
    children.push(child);
    return child;
  };
  const said = async (child: ChildProcess): Promise<unknown> => ((await once(child, 'message')) as [unknown])[0];
  const receiver = part('receive', world.databaseUrls.south);
  const hub = part('hub', String(await said(receiver)));
  const sender = part('send', String(await said(hub)));
  const peakOf = async (child: ChildProcess): Promise<number> => {
    child.send('peak');
    return ((await said(child)) as { peak: number }).peak;
  };
  return {
    async carry(sizes) {
      const from = performance.now();
      let left = sizes.length;
      const all = new Promise<void>((done, fail) => {
        hub.on('message', () => {
          if (--left === 0) done();
        });
        for (const child of children) child.once('exit', () => fail(new Error('the empty chain broke')));
      });
      sender.send({ sizes } satisfies Order);
      await all;
      hub.removeAllListeners('message');
      return (performance.now() - from) / 1000;
    },
    spent: async () => (await Promise.all(children.map(({ pid }) => spent(pid ?? 0)))).reduce((sum, ms) => sum + ms, 0),
    peaks: async () => ({ sender: await peakOf(sender), receiver: await peakOf(receiver) }),
    stop() {
      for (const child of children) {
        child.removeAllListeners('exit');
        child.kill();
      }
    },
  };
}
