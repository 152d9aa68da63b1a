import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectRef } from '../base/content.ts';
import { Fault, reasonOf } from '../base/errors.ts';
import { type Bytes, demandAddress, type ObjectEntry, type ObjectHead, type Objects } from './objects.ts';
import { isAbsent, loadSdk, openClient, type S3Settings, s3Fault, statusOf } from './s3-client.ts';

/** The least that S3 takes as a part that is not the last. What is smaller goes in one request, under its address at once. */
const PART_BYTES = 5 * 1024 * 1024;
const FIRST_BYTES = 65_536;
/** Rooms for a whole part that are kept for the next object. */
const SPARE_ROOMS = 4;
const ATTEMPTS = 4;
/** A piece that is cut off is asked for from there on, unless nothing at all came so many times. */
const BROKEN = 3;
/** Longer than anything that `expire` has asked for can still take. */
const STALE_MS = 60_000;
/** By the clocks of two machines. */
const LONG_AGO_MS = 600_000;
const LOOK_AGAIN_MS = 50;
/** How long the store is taken to be there after it has answered. */
const ANSWERED_MS = 10_000;
const DAY_MS = 86_400_000;

/**
 * Objects in an S3-compatible store, under `ab/abcd…` below a prefix, for nodes on any number of machines. An object that is larger than a
 * part goes to `incoming/` while its hash is being made, and is copied to its address by the store; no more of it than one part is in
 * memory. S3 keeps what it has answered for, so that there is nothing to sync.
 */
export async function openS3Objects(settings: S3Settings): Promise<Objects> {
  const sdk = await loadSdk();
  const { bucket: Bucket, prefix } = settings;
  const client = openClient(sdk, settings, ATTEMPTS);
  // A delete that was repeated could come after somebody has stored the object again.
  const once = openClient(sdk, settings, 1);
  const counters = { written: 0, kept: 0, refused: 0 };
  const rooms: Buffer[] = [];
  const keyOf = (ref: ObjectRef): string => `${prefix}${demandAddress(ref).slice(0, 2)}/${ref.sha256}`;
  const markOf = (ref: ObjectRef): string => `${prefix}expiring/${ref.sha256}`;

  async function headOf(Key: string): Promise<ObjectHead | null> {
    try {
      const { ContentLength = 0, LastModified } = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }));
      return { bytes: ContentLength, modifiedAt: LastModified ?? new Date(0) };
    } catch (thrown) {
      if (isAbsent(thrown)) return null;
      throw s3Fault(thrown, `cannot look for ${Key}`);
    }
  }
  const head = (ref: ObjectRef): Promise<ObjectHead | null> => headOf(keyOf(ref));
  const write = async (Key: string, Body: Uint8Array): Promise<void> => {
    await client.send(new sdk.PutObjectCommand({ Bucket, Key, Body, ContentLength: Body.byteLength }));
  };
  /** False: there is such a key already. A store that knows no conditions writes all the same. */
  const writeNew = async (Key: string, Body: Uint8Array): Promise<boolean> => {
    try {
      await once.send(new sdk.PutObjectCommand({ Bucket, Key, Body, ContentLength: Body.byteLength, IfNoneMatch: '*' }));
      return true;
    } catch (thrown) {
      if (statusOf(thrown) === 412 || statusOf(thrown) === 409) return false;
      throw thrown;
    }
  };
  const remove = (Key: string) => client.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
  /** Within the store. Onto itself it refreshes the time, which takes that something is said to be different. */
  const copy = async (from: string, Key: string): Promise<boolean> => {
    const CopySource = `${Bucket}/${from}`.split('/').map(encodeURIComponent).join('/');
    try {
      await client.send(new sdk.CopyObjectCommand({ Bucket, Key, CopySource, MetadataDirective: 'REPLACE' }));
      return true;
    } catch (thrown) {
      if (isAbsent(thrown)) return false;
      throw thrown;
    }
  };

  /**
   * Ends with the object in the store and its time fresh. False: it was there before. One that is being expired at this moment is waited
   * for: after its mark is gone it is either away, and written anew, or safe, because the next expiry sees its new time. What is not there
   * at all nobody is about to delete: one expiry at a time has the mark, and deletes once.
   */
  async function settle(ref: ObjectRef, store: () => Promise<void>): Promise<boolean> {
    const key = keyOf(ref);
    for (;;) {
      if (!(await head(ref))) {
        await store();
        return true;
      }
      if (!(await copy(key, key))) continue;
      const from = performance.now();
      while (await headOf(markOf(ref))) {
        // Whoever set it has died.
        if (performance.now() - from > STALE_MS) await remove(markOf(ref));
        else await sleep(LOOK_AGAIN_MS);
      }
      if (await head(ref)) return false;
    }
  }

  async function put(source: Bytes, limit = Number.POSITIVE_INFINITY): Promise<ObjectRef> {
    const hash = createHash('sha256');
    let room: Buffer = Buffer.allocUnsafe(0);
    let held = 0;
    let bytes = 0;
    let upload: Upload | null = null;
    const keep = async (chunk: Uint8Array): Promise<void> => {
      for (let from = 0; from < chunk.byteLength; ) {
        if (held === room.byteLength) room = grown(room, held, rooms);
        const piece = chunk.subarray(from, from + room.byteLength - held);
        room.set(piece, held);
        held += piece.byteLength;
        from += piece.byteLength;
        if (held < PART_BYTES) continue;
        upload ??= await beginUpload();
        await upload.part(room);
        held = 0;
      }
    };
    try {
      for await (const chunk of source instanceof Uint8Array ? [source] : named(source)) {
        bytes += chunk.byteLength;
        if (bytes > limit) {
          counters.refused++;
          throw new Fault('objects.tooLarge', `more than ${limit} bytes`);
        }
        hash.update(chunk);
        await keep(chunk);
      }
      const ref: ObjectRef = { sha256: hash.digest('hex'), bytes };
      const whole = upload as Upload | null;
      if (whole && held > 0) await whole.part(room.subarray(0, held));
      await whole?.complete();
      const isNew = await settle(ref, async () => {
        if (!whole) await write(keyOf(ref), room.subarray(0, held));
        else if (!(await copy(whole.key, keyOf(ref)))) throw new Fault('objects.failed', `${whole.key} was deleted while it was stored`);
      });
      counters.written += whole || isNew ? bytes : 0;
      counters.kept += isNew ? bytes : 0;
      // What stays behind is deleted by a later start.
      if (whole) await remove(whole.key).catch(() => undefined);
      return ref;
    } catch (thrown) {
      await (upload as Upload | null)?.abandon();
      throw s3Fault(thrown, 'cannot store an object');
    } finally {
      if (room.byteLength === PART_BYTES && rooms.length < SPARE_ROOMS) rooms.push(room);
    }
  }

  type Upload = { readonly key: string; part(body: Uint8Array): Promise<void>; complete(): Promise<void>; abandon(): Promise<void> };

  async function beginUpload(): Promise<Upload> {
    const Key = `${prefix}incoming/${randomUUID()}`;
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key }));
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    let completed = false;
    return {
      key: Key,
      async part(Body) {
        const PartNumber = Parts.length + 1;
        const ContentLength = Body.byteLength;
        const { ETag } = await client.send(new sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ContentLength }));
        Parts.push({ PartNumber, ETag });
      },
      async complete() {
        await client.send(new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
        completed = true;
      },
      async abandon() {
        const leave = completed ? remove(Key) : client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        // The store itself may be what failed; what stays behind is deleted by a later start.
        await leave.catch(() => undefined);
      },
    };
  }

  async function* get(ref: ObjectRef, from = 0, to = ref.bytes): AsyncGenerator<Uint8Array, void, void> {
    if (from >= to && !(await head(ref))) throw missing(ref, Bucket);
    for (let at = from, broken = 0; at < to; ) {
      const body = await ask(ref, at, to);
      const before = at;
      let cut: unknown = null;
      try {
        for await (const chunk of body as AsyncIterable<Buffer>) {
          at += chunk.byteLength;
          yield chunk;
        }
      } catch (thrown) {
        cut = thrown;
      } finally {
        body.destroy();
      }
      if (at >= to) return;
      if (cut === null) throw new Fault('objects.short', `object ${ref.sha256} ends at byte ${at}, before ${to}`);
      broken = at > before ? 0 : broken + 1;
      if (broken === BROKEN) throw s3Fault(cut, `cannot read object ${ref.sha256}`);
    }
  }

  async function ask(ref: ObjectRef, from: number, to: number): Promise<Readable> {
    try {
      const { Body, ContentRange } = await client.send(
        new sdk.GetObjectCommand({ Bucket, Key: keyOf(ref), Range: `bytes=${from}-${to - 1}` }),
      );
      if (!ContentRange?.startsWith(`bytes ${from}-`)) {
        (Body as Readable | undefined)?.destroy();
        throw new Fault('objects.failed', `the store gives other bytes of object ${ref.sha256} than those that were asked for`);
      }
      return Body as Readable;
    } catch (thrown) {
      if (isAbsent(thrown)) throw missing(ref, Bucket);
      if (statusOf(thrown) === 416) throw new Fault('objects.short', `object ${ref.sha256} ends before byte ${from}`);
      throw s3Fault(thrown, `cannot read object ${ref.sha256}`);
    }
  }

  async function* list(below = prefix): AsyncGenerator<{ readonly key: string } & ObjectHead, void, void> {
    for (let token: string | undefined; ; ) {
      const page = await client
        .send(new sdk.ListObjectsV2Command({ Bucket, Prefix: below, ...(token !== undefined && { ContinuationToken: token }) }))
        .catch((thrown: unknown) => {
          throw s3Fault(thrown, `cannot list ${below}`);
        });
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? [])
        yield { key: Key, bytes: Size, modifiedAt: LastModified ?? new Date(0) };
      if (!page.IsTruncated) return;
      token = page.NextContinuationToken;
    }
  }

  /** What killed processes left half-written. */
  async function clear(): Promise<void> {
    const isOld = (when: Date | undefined) => when !== undefined && when.getTime() < Date.now() - DAY_MS;
    for await (const { key, modifiedAt } of list(`${prefix}incoming/`)) if (isOld(modifiedAt)) await remove(key);
    const { Uploads } = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: `${prefix}incoming/` }));
    for (const { Key, UploadId, Initiated } of Uploads ?? [])
      if (isOld(Initiated)) await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }

  async function identify(): Promise<string> {
    const Key = `${prefix}store-id`;
    const read = async (): Promise<string | null> => {
      try {
        const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket, Key }));
        return (await Body?.transformToString()) ?? '';
      } catch (thrown) {
        if (isAbsent(thrown)) return null;
        throw thrown;
      }
    };
    const there = await read();
    if (there !== null) return there.trim();
    await writeNew(Key, Buffer.from(randomUUID()));
    return (await read())?.trim() ?? '';
  }

  let storeId: string;
  try {
    storeId = await identify();
    await clear();
  } catch (thrown) {
    throw s3Fault(thrown, `cannot use the object store ${Bucket}`);
  }
  if (!storeId) throw new Fault('objects.storeId', `${prefix}store-id in ${Bucket} is empty`, { remedy: 'Restore it from a backup.' });
  let answered = performance.now();

  return {
    storeId,
    counters,
    put,
    get,
    head,
    async delete(ref) {
      try {
        await remove(keyOf(ref));
      } catch (thrown) {
        throw s3Fault(thrown, `cannot delete object ${ref.sha256}`);
      }
    },
    async expire(ref, before) {
      const mark = markOf(ref);
      try {
        // Said first: whoever stores the same bytes looks for it after it has refreshed their time.
        if (!(await writeNew(mark, Buffer.alloc(0)))) {
          // Another sweep is at it, or one died here long ago.
          const set = await headOf(mark);
          if (set && set.modifiedAt.getTime() < Date.now() - LONG_AGO_MS) await remove(mark);
          return false;
        }
        const there = await head(ref);
        const stays = there !== null && there.modifiedAt >= before;
        if (there && !stays) await once.send(new sdk.DeleteObjectCommand({ Bucket, Key: keyOf(ref) }));
        await remove(mark);
        return !stays;
      } catch (thrown) {
        throw s3Fault(thrown, `cannot delete object ${ref.sha256}`);
      }
    },
    async *list(): AsyncGenerator<ObjectEntry, void, void> {
      for await (const { key, bytes, modifiedAt } of list()) {
        const [, sha256] = /^[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(key.slice(prefix.length)) ?? [];
        if (sha256 !== undefined) yield { ref: { sha256, bytes }, modifiedAt };
      }
    },
    async space() {
      if (performance.now() - answered > ANSWERED_MS) {
        if (!(await headOf(`${prefix}store-id`))) throw new Fault('objects.storeId', `${prefix}store-id is no longer in ${Bucket}`);
        answered = performance.now();
      }
      return { free: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY };
    },
  };
}

/** What a store of this kind says to somebody who only looks: the id that nodes know it by, or null where none has used it. */
export async function lookAtS3(settings: S3Settings): Promise<string | null> {
  const sdk = await loadSdk();
  const client = openClient(sdk, settings, 1);
  const { bucket: Bucket, prefix } = settings;
  try {
    // Somebody who may not list is told that what is missing is forbidden.
    const { Contents } = await client.send(new sdk.ListObjectsV2Command({ Bucket, Prefix: `${prefix}store-id` }));
    if (!Contents?.some(({ Key }) => Key === `${prefix}store-id`)) return null;
    const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket, Key: `${prefix}store-id` }));
    return (await Body?.transformToString())?.trim() ?? '';
  } catch (thrown) {
    throw s3Fault(thrown, `cannot use the object store ${Bucket}`);
  } finally {
    client.destroy();
  }
}

/** Gives a store that has no id yet the id of another, whose objects are to come here; the id that it has then. */
export async function claimS3(settings: S3Settings, storeId: string): Promise<string> {
  const there = await lookAtS3(settings);
  if (there !== null) return there;
  const sdk = await loadSdk();
  const client = openClient(sdk, settings, 1);
  const { bucket: Bucket, prefix } = settings;
  const Body = Buffer.from(storeId);
  try {
    await client.send(
      new sdk.PutObjectCommand({ Bucket, Key: `${prefix}store-id`, Body, ContentLength: Body.byteLength, IfNoneMatch: '*' }),
    );
  } catch (thrown) {
    // A node was started on it at this very moment.
    if (statusOf(thrown) !== 412 && statusOf(thrown) !== 409) throw s3Fault(thrown, `cannot use the object store ${Bucket}`);
  } finally {
    client.destroy();
  }
  return (await lookAtS3(settings)) ?? '';
}

/** A fault of the source (a client that went away, a bad encoding) is its own, and none of the store. */
async function* named(source: Exclude<Bytes, Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* source;
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault('objects.source', reasonOf(cause), { cause });
  }
}

/** Four times as much room, at most one part. */
function grown(room: Buffer, held: number, rooms: Buffer[]): Buffer {
  const bytes = Math.min(PART_BYTES, Math.max(FIRST_BYTES, room.byteLength * 4));
  const next = (bytes === PART_BYTES ? rooms.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
  next.set(room.subarray(0, held));
  return next;
}

function missing(ref: ObjectRef, bucket: string): Fault {
  return new Fault('objects.missing', `object ${ref.sha256} is not in the store ${bucket}`, {
    remedy: 'Restore the objects from a backup; it must not be older than that of the database.',
  });
}
