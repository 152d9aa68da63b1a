import { Fault } from '../base/errors.ts';
import { type Mirror, namesBelow, openMirror } from './mirror.ts';
import { openMirrorFrom } from './mirror-s3.ts';
import type { Objects } from './objects.ts';
import type { ObjectsPlace } from './place.ts';
import { claimS3, lookAtS3, openS3Objects } from './s3.ts';
import type { S3Settings } from './s3-client.ts';

/** A node's store as a backup sees it. */
export type Mirrored = {
  openMirror(to: string): Promise<Mirror>;
  /** Every object that is there now. */
  names(): Promise<ReadonlySet<string>>;
  /** How long to wait between two looks: a bucket is asked over the network, and by the request. */
  readonly restMs: number;
};

const REST_MS = { folder: 200, bucket: 2_000 };

/** A store that no node has used yet is a `Fault` `backup.noObjects`: nothing is written into a bucket to find that out. */
export async function mirrored({ folder, s3 }: ObjectsPlace): Promise<Mirrored> {
  if (!s3) return { openMirror: (to) => openMirror(folder, to), names: () => namesBelow(folder), restMs: REST_MS.folder };
  if ((await lookAtS3(s3)) === null)
    throw new Fault('backup.noObjects', `no node has used the bucket ${s3.bucket} below "${s3.prefix}"`, {
      remedy: 'Look at objects.s3 in the node’s settings, or start the node once.',
    });
  const objects = await openS3Objects(s3);
  return {
    openMirror: (to) => openMirrorFrom(objects, to),
    async names() {
      const found = new Set<string>();
      for await (const { ref } of objects.list()) found.add(ref.sha256);
      return found;
    },
    restMs: REST_MS.bucket,
  };
}

/** The store of an id in a bucket that is empty or has it already; another store's is a `Fault` `restore.otherObjects`. */
export async function openStoreAgain(settings: S3Settings, storeId: string): Promise<Objects> {
  const id = await claimS3(settings, storeId);
  if (id === storeId) return await openS3Objects(settings);
  throw new Fault('restore.otherObjects', `the bucket ${settings.bucket} holds another store below "${settings.prefix}" (${id})`, {
    remedy: 'Name an empty bucket or prefix in objects.s3, or the one that the backup was made of.',
  });
}
