/** Only the part of a node that sends what is queued, as a process of its own for tests that kill it: `URL FOLDER SPINE EMPTY-IS-FINAL`. */
import { randomUUID } from 'node:crypto';
import { openObjects } from '../objects/objects.ts';
import { createSender } from '../spine/send.ts';
import { openStore } from '../store/open.ts';
import { createClient } from '../web/client.ts';
import { createRenew } from './outgoing.ts';
import { createPost } from './post.ts';
import { createPractices } from './practices.ts';
import { createWork, type RunJob } from './work.ts';
import { startWorkers, type Workers } from './workers.ts';

export type SendingPart = {
  readonly url: string;
  readonly objectsFolder: string;
  readonly spineUrl: string;
  readonly emptyIsFinal: boolean;
};

export async function startSendingPart({ url, objectsFolder, spineUrl, emptyIsFinal }: SendingPart): Promise<{ close(): Promise<void> }> {
  const db = openStore(url);
  const objects = await openObjects(objectsFolder);
  const practices = createPractices(db);
  const client = createClient();
  const owner = `sender ${process.pid} ${randomUUID()}`;
  const now = (): Date => new Date();
  let workers: Workers | null = null;
  const committed = (): void => workers?.wake();
  const common = { db, objects, practices, now, newId: randomUUID, owner, committed };
  const post = createPost({ ...common, practice: practices.byOds });
  const none: RunJob = async () => ({ outcome: 'moot' });
  workers = startWorkers({
    db,
    databaseUrl: url,
    owner,
    deliver: async () => undefined,
    carryOut: createWork({
      ...common,
      post,
      sender: createSender({ client, objects, emptyIsFinal, connectWaits: [] }),
      spineUrl,
      renew: createRenew({ ...common, post }),
      refused: async () => undefined,
      jobs: { mayWeAsk: none, mayTheyAsk: none, fetch: none, toHl7: none, toFhir: none, file: none },
      notify: async () => undefined,
      onFault: (what, error) => console.error(what, error),
    }),
    atOnce: { inbox: 0, message: 4, job: 0, timer: 0, notice: 0, mi: 1 },
    leaseSeconds: 1,
    pollMs: 50,
    onFault: (what, error) => console.error(what, error),
  });
  const running = workers;
  return {
    async close() {
      await running.stop();
      await client.close();
      await db.destroy();
    },
  };
}

if (import.meta.main) {
  const [, , url = '', objectsFolder = '', spineUrl = '', empty = ''] = process.argv;
  await startSendingPart({ url, objectsFolder, spineUrl, emptyIsFinal: empty === 'true' });
  process.stdout.write('ready\n');
}
