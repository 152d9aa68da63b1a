import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { type Mesh as MeshDouble, startMesh } from '../simulator/mesh/mesh.ts';
import { createClient, type HttpClient } from '../web/client.ts';
import { createMesh, type MeshFault, type MeshFile } from './mesh.ts';

let folder: string;
let double: MeshDouble;
let client: HttpClient;
const bytes = Buffer.from('0123456789'.repeat(5));
const file = (over: Partial<MeshFile> = {}): MeshFile => ({
  to: 'NATIONAL1',
  workflow: 'MI_FILES',
  filename: 'Stats10_ABCDEF.dat',
  localId: randomUUID(),
  bytes,
  ...over,
});
const open = (over: { password?: string; sharedKey?: string; now?: () => Date; chunkBytes?: number } = {}) =>
  createMesh({
    url: double.url,
    mailbox: 'NODE1',
    password: 'secret',
    sharedKey: 'environment',
    client,
    now: () => new Date(),
    newId: randomUUID,
    chunkBytes: 20,
    ...over,
  });
const code = (expected: string) => (thrown: unknown) => (thrown as MeshFault).code === expected;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-mesh-'));
  double = await startMesh({
    folder,
    sharedKey: 'environment',
    mailboxes: [
      { id: 'NODE1', password: 'secret' },
      { id: 'NATIONAL1', password: 'other', workflows: ['MI_FILES'] },
    ],
    chunkBytes: 20,
  });
  client = createClient();
});
after(async () => {
  await client.close();
  await double.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => double.setSwitches({}));

test('a mailbox lets us in by its password and the key of the environment, and by nothing else', async () => {
  await open().handshake();
  await assert.rejects(open({ password: 'wrong' }).handshake(), code('mesh.refused'));
  await assert.rejects(open({ sharedKey: 'wrong' }).handshake(), code('mesh.refused'));
  await assert.rejects(open({ now: () => new Date(Date.now() - 3 * 3_600_000) }).handshake(), /clock|403/);
});

test('a file goes in chunks, comes out whole, and is tracked until it is fetched', async () => {
  const sent = file();
  const messageId = await open().send(sent);
  const kept = double.messages().find(({ id }) => id === messageId);
  assert.deepEqual([kept?.chunks, kept?.state], [3, 'accepted']);
  assert.equal(kept?.headers['mex-filename'], 'Stats10_ABCDEF.dat');
  assert.deepEqual(await open().track(sent.localId), { messageId, status: 'accepted' });
  const receiver = createMesh({
    url: double.url,
    mailbox: 'NATIONAL1',
    password: 'other',
    sharedKey: 'environment',
    client,
    now: () => new Date(),
    newId: randomUUID,
  });
  await receiver.handshake();
  assert.equal(await open().track(randomUUID()), null);
});

test('a file that was taken before its answer was lost is not sent twice', async () => {
  const sent = file({ bytes: bytes.subarray(0, 10) });
  double.setSwitches({ loseAnswer: true, times: 1 });
  await assert.rejects(open().send(sent), code('mesh.unavailable'));
  const messageId = await open().send(sent);
  assert.equal(double.messages().filter(({ headers }) => headers['mex-localid'] === sent.localId).length, 1);
  assert.equal((await open().track(sent.localId))?.messageId, messageId);
});

test('a file that was left unfinished is sent under another local id', async () => {
  const sent = file();
  double.setSwitches({ loseAnswer: true, times: 1 });
  await assert.rejects(open().send(sent), code('mesh.unavailable'));
  await assert.rejects(open().send(sent), code('mesh.unfinished'));
  await open().send({ ...sent, localId: `${sent.localId}-1` });
});

test('what may pass is told from what somebody has to mend', async () => {
  for (const status of [500, 503, 429]) {
    double.setSwitches({ status });
    await assert.rejects(open().send(file()), code('mesh.unavailable'));
  }
  double.setSwitches({ outage: true });
  await assert.rejects(open().send(file()), code('mesh.unavailable'));
  double.setSwitches({});
  await assert.rejects(open().send(file({ to: 'NOBODY' })), code('mesh.refused'));
  await assert.rejects(open().send(file({ workflow: 'OTHER' })), code('mesh.refused'));
});
