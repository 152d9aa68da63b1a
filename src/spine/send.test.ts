import assert from 'node:assert/strict';
import { createServer as createTcpServer } from 'node:net';
import { after, test } from 'node:test';
import { wholeObject } from '../base/content.ts';
import type { Instant } from '../base/ids.ts';
import { writeAcknowledgement } from '../ebxml/acknowledgement.ts';
import { type EbxmlErrorCode, writeMessageError } from '../ebxml/message-error.ts';
import { writeSoapFault } from '../ebxml/soap-fault.ts';
import { createClient } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { testAuthority, testIdentity } from '../web/testing.ts';
import { createSender, type SendOutcome } from './send.ts';
import { bytesOf, ENVELOPE, memoryObjects, OWN, PEER, packed, requestMessage } from './testing.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const client = createClient();
closers.push(() => client.close());

const received = {
  fromPartyKey: OWN.partyKey,
  toPartyKey: PEER.partyKey,
  cpaId: 'CPA0001',
  conversationId: ENVELOPE.conversationId,
  messageId: ENVELOPE.messageId,
};
const signal = { received, messageId: 'S1', at: '2026-01-05T09:30:01.000Z' as Instant };
const error = (code: EbxmlErrorCode) => writeMessageError(signal, [{ code, description: '501319:Unknown eb:CPAId' }]);
const fault = (...codes: string[]) =>
  writeSoapFault(
    codes.map((code) => ({ codeContext: 'urn:nhs:names:error:tms', code, severity: 'Error', location: 'here', description: '' })),
  );

/** Spine as a server that gives one answer and keeps what came. */
async function spine(status: number, body: string, type = 'text/xml') {
  const bodies: Buffer[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = createServer();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 9e6 }, (_request, read, done) => done(null, read));
  server.post('*', async (request, reply) => {
    bodies.push(request.body as Buffer);
    headers.push(request.headers);
    return reply.code(status).header('content-type', type).send(body);
  });
  const url = await listen(server);
  closers.push(() => server.close());
  return { url, bodies, headers };
}

test('each answer of Spine means what the contract says', async () => {
  const cases: [status: number, body: string, outcome: SendOutcome['outcome'], says: RegExp][] = [
    [202, '', 'delivered', /^$/],
    [200, '', 'delivered', /^$/],
    [200, writeAcknowledgement(signal), 'delivered', /^$/],
    [202, 'Message accepted', 'delivered', /^$/],
    [200, '<html>log in</html>', 'unknown', /HTTP 200 with a body that is no ebXML/],
    [200, writeAcknowledgement({ ...signal, received: { ...received, messageId: 'OTHER' } }), 'unknown', /another message, OTHER/],
    [202, error('ValueNotRecognized'), 'refused', /ValueNotRecognized 501319:Unknown eb:CPAId/],
    [500, error('DeliveryFailure'), 'refused', /DeliveryFailure/],
    [202, error('Inconsistent').replaceAll('"Error"', '"Warning"'), 'delivered', /^$/],
    [500, fault('200'), 'unknown', /SOAP fault 200/],
    [500, fault('206', '208'), 'unknown', /206 here; 208/],
    [500, fault('206', '300'), 'refused', /300/],
    [500, fault(), 'refused', /Application Exception/],
    [500, '<not-a-fault/>', 'unknown', /HTTP 500/],
    [503, '', 'unknown', /HTTP 503 without a body/],
    [429, '', 'unknown', /HTTP 429/],
    [404, 'nothing here', 'refused', /HTTP 404/],
    [302, '', 'refused', /HTTP 302/],
  ];
  for (const [status, body, outcome, says] of cases) {
    const { url } = await spine(status, body, status === 500 ? 'text/xml; charset=utf-8' : 'text/xml');
    const got = await createSender({ client, objects: memoryObjects() }).send(packed(requestMessage()), url);
    assert.equal(got.outcome, outcome, `${status} ${body.slice(0, 200)}`);
    assert.match('fault' in got ? got.fault : '', says);
  }
});

test('two attempts send the same bytes with their length, whatever became of the first', async () => {
  const objects = memoryObjects();
  const content = wholeObject(await objects.put(Buffer.alloc(2_000_001, 'x')));
  const announced = { filename: 'a.txt', contentType: 'text/plain', compressed: false, skeleton: false };
  const of = packed({
    ...ENVELOPE,
    interaction: 'piece',
    announced,
    part: { contentId: 'P', contentType: 'text/plain', content },
    from: OWN.ods,
    to: PEER.ods,
  });
  const { url, bodies, headers } = await spine(503, '');
  const sender = createSender({ client, objects });
  await sender.send(of, url);
  await sender.send(of, url);
  assert.equal(bodies.length, 2);
  assert.equal(Buffer.compare(bodies[0] ?? Buffer.alloc(0), bodies[1] ?? Buffer.alloc(1)), 0);
  assert.equal(Buffer.compare(bodies[0] ?? Buffer.alloc(0), await bytesOf(of, objects)), 0);
  assert.equal(headers[0]?.['content-length'], String(of.contentLength));
  assert.equal(headers[0]?.['transfer-encoding'], undefined);
  assert.equal(headers[0]?.['soapaction'], '"urn:nhs:names:services:gp2gp/COPC_IN000001UK01"');
});

test('nobody listening is tried again a few times and then unreachable', async () => {
  const probe = createTcpServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  assert.ok(address && typeof address === 'object');
  const started = Date.now();
  const got = await createSender({ client, objects: memoryObjects(), connectWaits: [40, 40, 40] }).send(
    packed(requestMessage()),
    `http://127.0.0.1:${address.port}`,
  );
  assert.equal(got.outcome, 'unreachable');
  assert.ok(Date.now() - started >= 90, 'it waited between the attempts');
});

test('a connection that ends after the message, without an answer, leaves the outcome unknown', async () => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.once('data', () => socket.destroy());
    socket.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => new Promise((done) => server.close(done)));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const got = await createSender({ client, objects: memoryObjects() }).send(packed(requestMessage()), `http://127.0.0.1:${address.port}`);
  assert.equal(got.outcome, 'unknown');
  assert.equal(connections, 1, 'what may have arrived is not repeated here');
});

test('a certificate that Spine does not take delivers nothing and says so', async () => {
  const authority = await testAuthority('Spine');
  const server = createServer({ tls: await testIdentity(authority, 'spine.test') });
  server.post('*', async () => '');
  const url = await listen(server);
  closers.push(() => server.close());
  const stranger = createClient({ tls: await testIdentity(await testAuthority('Other'), 'node.test') });
  closers.push(() => stranger.close());
  const got = await createSender({ client: stranger, objects: memoryObjects() }).send(packed(requestMessage()), url);
  assert.equal(got.outcome, 'unreachable');
  assert.match('fault' in got ? got.fault : '', /we do not trust its certificate/);
});

test('a body that the store cannot give is our own trouble, not an outcome', async () => {
  const of = packed({
    ...ENVELOPE,
    interaction: 'piece',
    announced: { compressed: false, skeleton: false },
    part: { contentId: 'P', contentType: 'text/plain', content: wholeObject({ sha256: '0'.repeat(64), bytes: 100_000 }) },
    from: OWN.ods,
    to: PEER.ods,
  });
  const { url } = await spine(202, '');
  await assert.rejects(createSender({ client, objects: memoryObjects() }).send(of, url), { code: 'spine.bodyUnreadable' });
});

test('an address of the directory that leads inside is refused, and nothing is connected to', async () => {
  const { url, bodies } = await spine(202, '');
  const guarded = createClient({ egress: { hosts: ['.nhs.uk', '127.0.0.1', 'localhost'] } });
  closers.push(() => guarded.close());
  const sender = createSender({ client: guarded, objects: memoryObjects(), connectWaits: [] });
  for (const address of [
    url,
    url.replace('http:', 'https:'),
    'https://169.254.169.254/',
    'https://localhost/',
    'https://msg.nhs.uk.evil.test/',
  ]) {
    const got = await sender.send(packed(requestMessage()), address);
    assert.ok(got.outcome === 'refused' && /may not be called/.test(got.fault), `${address}: ${JSON.stringify(got)}`);
  }
  assert.equal(bodies.length, 0);
});
