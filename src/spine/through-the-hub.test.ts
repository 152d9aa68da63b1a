import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { wholeObject } from '../base/content.ts';
import { documentId, messageId } from '../base/ids.ts';
import { startHub } from '../simulator/hub/hub.ts';
import type { Message } from '../transfer/types.ts';
import { createClient } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { testAuthority, testIdentity } from '../web/testing.ts';
import type { TlsIdentity } from '../web/tls.ts';
import { type Inbound, messageEndpoint } from './endpoint.ts';
import { createSender } from './send.ts';
import { ENVELOPE, EXTRACT_XML, memoryObjects, OWN, PEER, packed, requestMessage } from './testing.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

/** Our sender, a hub that was written without our reader or writer, our endpoint. */
async function road(faults: Parameters<typeof startHub>[0]['faults'] = []) {
  const authority = await testAuthority('Spine');
  const received: Inbound[] = [];
  const objects = memoryObjects();
  const server = createServer({ tls: await testIdentity(authority, 'node.test'), peerNames: ['hub.test'] });
  await messageEndpoint(server, {
    objects,
    accept: async (inbound) => {
      received.push(inbound);
      return { fate: 'new', receivedAt: inbound.receivedAt, refused: null };
    },
    ownsPartyKey: (partyKey) => partyKey === PEER.partyKey,
    now: () => new Date(),
    isOurs: async () => false,
    acknowledged: async () => undefined,
    forward: null,
    alert: ({ code, text }) => assert.fail(`${code} ${text}`),
  });
  const url = await listen(server);
  closers.push(() => server.close());
  const folder = await mkdtemp(join(tmpdir(), 'hub-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const hub = await startHub({
    folder,
    tls: await files(folder, await testIdentity(authority, 'hub.test')),
    routes: { [PEER.partyKey]: { urls: [url] }, [OWN.partyKey]: { urls: [] } },
    faults,
    retry: { firstMs: 20, mostMs: 100 },
  });
  closers.push(() => hub.close());
  const client = createClient({ tls: await testIdentity(authority, 'sender.test') });
  closers.push(() => client.close());
  const theirs = memoryObjects();
  return { hub, received, objects, theirs, sender: createSender({ client, objects: theirs }) };
}

/** The hub reads its identity from files, as a process of its own does. */
async function files(folder: string, { key, cert, ca }: TlsIdentity) {
  const paths = { certificate: join(folder, 'hub.pem'), key: join(folder, 'hub.key'), authorities: [join(folder, 'authority.pem')] };
  await writeFile(paths.certificate, cert);
  await writeFile(paths.key, key);
  await writeFile(join(folder, 'authority.pem'), ca);
  return paths;
}

async function until(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited += 20) {
    assert.ok(waited < 10_000, 'it did not arrive');
    await new Promise((done) => setTimeout(done, 20));
  }
}

test('every kind of message goes through the hub and says on the other side what it said on this', async () => {
  const { hub, received, objects, theirs, sender } = await road();
  const scan = wholeObject(await theirs.put(randomBytes(2_000_000)));
  const hl7 = wholeObject(await theirs.put(Buffer.from(EXTRACT_XML)));
  const said = {
    documentId: documentId('D1'),
    filename: 'scan (1) é.tif',
    contentType: 'image/tiff',
    compressed: false,
    skeleton: false,
    length: 2_666_668,
  };
  const part = { contentId: 'C1', contentType: 'image/tiff', content: scan };
  const elsewhere = { ...said, documentId: documentId('D2'), at: 'message', messageId: messageId('M-9'), large: true } as const;
  const between = { from: OWN.ods, to: PEER.ods };
  const envelope = (n: number) => ({ ...ENVELOPE, messageId: messageId(`0F3C0A10-0000-4000-8000-00000000000${n}`) });
  const messages: Message[] = [
    { ...requestMessage(), ...envelope(2) },
    {
      ...envelope(1),
      interaction: 'extract',
      version: 'UK07',
      extractId: '0F3C0A10-0000-4000-8000-0000000000AA',
      nhsNumber: null,
      hl7,
      references: [{ ...said, at: 'here', part }, elsewhere],
    },
    { ...envelope(3), ...between, interaction: 'continue', of: messageId('M-1') },
    {
      ...envelope(4),
      ...between,
      interaction: 'index',
      announced: said,
      children: [elsewhere, { ...elsewhere, messageId: messageId('M-8') }],
    },
    { ...envelope(5), ...between, interaction: 'piece', announced: said, part },
    { ...envelope(6), interaction: 'acknowledgement', of: messageId('M-1'), answer: { accepted: true } },
    { ...envelope(7), interaction: 'acknowledgement', of: messageId('M-1'), answer: { accepted: false, code: '06', raw: 'AE 06' } },
  ];
  for (const message of messages)
    assert.deepEqual(await sender.send(packed(message), hub.url), { outcome: 'delivered' }, message.interaction);
  await until(() => received.length === messages.length);
  const by = new Map(received.map((inbound) => [inbound.messageId, inbound.message]));
  const came = messages.map(({ messageId: id }) => by.get(id));
  assert.deepEqual(
    came.map((message) => message?.interaction),
    ['request', 'extract', 'continue', 'index', 'piece', 'acknowledgement', 'acknowledgement'],
  );
  const [request, core, goOn, index, piece, yes, no] = came;
  assert.ok(request?.interaction === 'request' && core?.interaction === 'extract' && goOn?.interaction === 'continue');
  assert.ok(index?.interaction === 'index' && piece?.interaction === 'piece');
  assert.deepEqual([request.nhsNumber, request.from, request.to, request.addressed.fromAsid], ['9000000009', OWN.ods, PEER.ods, OWN.asid]);
  assert.deepEqual([goOn.of, goOn.from, goOn.to], ['M-1', OWN.ods, PEER.ods]);
  const [inside, outside] = core.references;
  assert.deepEqual({ ...inside, part: null, large: undefined }, { ...said, at: 'here', part: null, large: undefined });
  assert.deepEqual({ ...outside, originalBase64: undefined }, { ...elsewhere, originalBase64: undefined });
  assert.deepEqual(
    index.children.map((child) => (child.at === 'message' ? child.messageId : child.at)),
    ['M-9', 'M-8'],
  );
  const [slice] = piece.part.content.pieces;
  const [sent] = scan.pieces;
  assert.ok(slice.in === 'store' && sent.in === 'store');
  assert.equal(slice.object.sha256, sent.object.sha256);
  assert.ok(objects.held.has(sent.object.sha256));
  assert.ok(yes?.interaction === 'acknowledgement' && yes.answer.accepted);
  assert.ok(no?.interaction === 'acknowledgement' && !no.answer.accepted && no.answer.code === '06');
});

test('an answer lost on the way leaves the outcome unknown, and the same bytes again are one message', async () => {
  const { hub, received, sender } = await road([{ fault: 'loseAnswer', times: 1 }]);
  const of = packed(requestMessage());
  assert.equal((await sender.send(of, hub.url)).outcome, 'unknown');
  assert.deepEqual(await sender.send(of, hub.url), { outcome: 'delivered' });
  await until(() => received.length === 1);
  assert.deepEqual([hub.counters.messages, hub.counters.duplicates], [1, 1]);
});

test('a message for nobody that Spine knows is refused for good', async () => {
  const { hub, sender } = await road();
  const got = await sender.send(packed(requestMessage(), { peer: { ...PEER, partyKey: 'NOBODY-000000' } }), hub.url);
  assert.equal(got.outcome, 'refused', JSON.stringify(got));
});
