import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { wholeObject } from '../base/content.ts';
import { Fault } from '../base/errors.ts';
import { documentId, type Instant, messageId } from '../base/ids.ts';
import { readEnvelope } from '../ebxml/envelope.ts';
import type { Message } from '../transfer/types.ts';
import { createClient, readBody } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { testAuthority, testIdentity } from '../web/testing.ts';
import { type EndpointAlert, type EndpointOptions, type Inbound, messageEndpoint } from './endpoint.ts';
import { createSender } from './send.ts';
import { bytesOf, ENVELOPE, EXTRACT_XML, memoryObjects, OWN, PEER, packed, requestMessage } from './testing.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const client = createClient();
closers.push(() => client.close());

const NOW = new Date('2026-01-05T09:31:00.000Z');

/** A node that owns the peer's party key, with an inbox in memory. */
async function node(options: Partial<EndpointOptions> = {}, server: FastifyInstance = createServer()) {
  const objects = memoryObjects();
  const inbox = new Map<string, Inbound>();
  const alerts: EndpointAlert[] = [];
  const acknowledged: string[] = [];
  await messageEndpoint(server, {
    objects,
    accept: async (inbound) => {
      const key = `${inbound.fromPartyKey} ${inbound.messageId}`;
      const first = inbox.get(key);
      inbox.set(key, first ?? inbound);
      const { receivedAt, refused } = first ?? inbound;
      return { fate: !first ? 'new' : first.digest === inbound.digest ? 'duplicate' : 'altered', receivedAt, refused };
    },
    isOurs: async (_partyKey, id) => id === 'OURS',
    acknowledged: async (_partyKey, id) => void acknowledged.push(id),
    ownsPartyKey: (partyKey) => partyKey === PEER.partyKey,
    now: () => NOW,
    forward: null,
    alert: (alert) => alerts.push(alert),
    ...options,
  });
  const url = await listen(server);
  closers.push(() => server.close());
  return { url, objects, inbox, alerts, acknowledged };
}

const ACTION = 'urn:nhs:names:services:gp2gp/RCMR_IN010000UK05';
const SIGNAL = 'urn:oasis:names:tc:ebxml-msg:service/Acknowledgment';

/** What a sender says in the header about the envelope in this body, where a header can carry it: no control characters. */
function actionIn(body: Buffer | string): string {
  const [, service, action] =
    /<eb:Service>([\x20-\x7e]*?)<\/eb:Service><eb:Action>([\x20-\x7e]*?)<\/eb:Action>/.exec(Buffer.from(body).toString('latin1')) ?? [];
  return service ? `${service}/${action}` : ACTION;
}

async function post(url: string, body: Buffer | string, contentType: string, soapAction = actionIn(body)) {
  const answer = await client.request({
    method: 'POST',
    url: `${url}/reliablemessaging/intermediary`,
    headers: { 'content-type': contentType, soapaction: soapAction },
    body,
  });
  const read = await readBody(answer, 1e6);
  return { status: answer.status, type: answer.headers.get('content-type') ?? '', body: read };
}

/** A core with documents of these sizes inside. */
async function core(objects: ReturnType<typeof memoryObjects>, ...sizes: number[]): Promise<ReturnType<typeof packed>> {
  const references = [];
  for (const [at, size] of sizes.entries()) {
    const content = wholeObject(await objects.put(randomBytes(size)));
    references.push({
      documentId: documentId(`${at}1111111-1111-4111-8111-111111111111`),
      filename: `scan ${at}.tif`,
      contentType: 'image/tiff',
      compressed: false,
      skeleton: false,
      at: 'here',
      part: { contentId: `C-${at}`, contentType: 'image/tiff', content },
    } as const);
  }
  const hl7 = wholeObject(await objects.put(Buffer.from(EXTRACT_XML)));
  return packed({ ...ENVELOPE, interaction: 'extract', version: 'UK07', extractId: 'E', nhsNumber: null, hl7, references } as Message);
}

test('a message sent over mutual TLS is accepted once and acknowledged each time, by the same bytes', async () => {
  const authority = await testAuthority('Spine');
  const server = createServer({ tls: await testIdentity(authority, 'node.test'), peerNames: ['hub.test'] });
  const { url, inbox } = await node({}, server);
  const hub = createClient({ tls: await testIdentity(authority, 'hub.test') });
  closers.push(() => hub.close());
  const objects = memoryObjects();
  const sender = createSender({ client: hub, objects });
  const of = packed(requestMessage());
  assert.deepEqual(await sender.send(of, `${url}/in`), { outcome: 'delivered' });
  assert.deepEqual(await sender.send(of, `${url}/in`), { outcome: 'delivered' });
  assert.equal(inbox.size, 1);
  const [inbound] = inbox.values();
  assert.equal(inbound?.message.interaction, 'request');
  assert.equal(inbound?.wire, of.contentLength);
  assert.equal(inbound?.message.addressed.fromAsid, OWN.asid);

  const body = await bytesOf(of, objects);
  const post = async () =>
    readBody(await hub.request({ method: 'POST', url, headers: { 'content-type': of.contentType, soapaction: ACTION }, body }), 1e5);
  const first = await post();
  assert.equal(Buffer.compare(first, await post()), 0);
  const acknowledgement = readEnvelope(first);
  assert.ok(acknowledgement.kind === 'acknowledgement');
  assert.deepEqual(
    [acknowledgement.of, acknowledgement.fromPartyKey, acknowledgement.toPartyKey, acknowledgement.cpaId],
    ['0F3C0A10-0000-4000-8000-000000000001', PEER.partyKey, OWN.partyKey, 'CPA0001'],
  );
});

test('a core arrives with its documents, byte for byte, in the store', async () => {
  const { url, objects, inbox, alerts } = await node();
  const theirs = memoryObjects();
  const of = await core(theirs, 1_000_000, 10);
  const answer = await post(url, await bytesOf(of, theirs), of.contentType);
  assert.equal(answer.status, 200);
  assert.deepEqual(alerts, []);
  const [inbound] = inbox.values();
  assert.ok(inbound?.message.interaction === 'extract');
  const { message } = inbound;
  assert.deepEqual([message.version, message.extractId, message.nhsNumber], ['UK07', '0F3C0A10-0000-4000-8000-0000000000AA', '9000000009']);
  assert.deepEqual(message.aliases, ['0F3C0A10-0000-4000-8000-0000000000AA']);
  assert.deepEqual([...objects.held.keys()].sort(), [...theirs.held.keys()].sort());
  assert.deepEqual(
    message.references.map(({ filename }) => filename),
    ['scan 0.tif', 'scan 1.tif'],
  );
});

test('nothing is acknowledged while it is not durable: a full disk or a lost database asks to send again', async () => {
  for (const trouble of ['disk', 'database'] as const) {
    const { url, objects, alerts } = await node({
      ...(trouble === 'database' && { accept: () => Promise.reject(new Error('connection terminated')) }),
    });
    if (trouble === 'disk') objects.fail = new Fault('objects.noSpace', 'the disk is full');
    const theirs = memoryObjects();
    const of = await core(theirs, 50);
    const answer = await post(url, await bytesOf(of, theirs), of.contentType);
    assert.equal(answer.status, 503, trouble);
    assert.match(answer.type, /problem\+json/);
    assert.equal(alerts.length, 1);
    const sender = createSender({ client, objects: theirs });
    assert.equal((await sender.send(of, url)).outcome, 'unknown');
  }
});

test('the same id with other content is acknowledged, kept apart and shown to an operator', async () => {
  const { url, inbox, alerts } = await node();
  const theirs = memoryObjects();
  for (const requestId of ['0F3C0A10-0000-4000-8000-0000000000E1', '0F3C0A10-0000-4000-8000-0000000000E2']) {
    const of = packed({ ...requestMessage(), requestId } as Message);
    assert.equal((await post(url, await bytesOf(of, theirs), of.contentType)).status, 200);
  }
  assert.equal(inbox.size, 1);
  assert.deepEqual(
    alerts.map(({ code }) => code),
    ['endpoint.altered'],
  );
});

test('a message for another party is refused with 501314', async () => {
  const { url, inbox, alerts } = await node({ ownsPartyKey: () => false });
  const of = packed(requestMessage());
  const error = readEnvelope((await post(url, await bytesOf(of, memoryObjects()), of.contentType)).body);
  assert.ok(error.kind === 'error');
  assert.deepEqual(
    error.errors.map(({ code, description }) => [code, description]),
    [['ValueNotRecognized', '501314:Invalid To Party Type attribute']],
  );
  assert.equal(error.of, '0F3C0A10-0000-4000-8000-000000000001');
  assert.equal(inbox.size, 0);
  assert.equal(alerts.length, 1);
});

test('a payload that is no XML is refused for good, and its transfer hears of it', async () => {
  const { url, inbox } = await node();
  const of = packed(requestMessage());
  const body = (await bytesOf(of, memoryObjects())).toString().replace('</RCMR_IN010000UK05>', '');
  const error = readEnvelope((await post(url, body, of.contentType)).body);
  assert.ok(error.kind === 'error' && error.final);
  const [inbound] = inbox.values();
  assert.ok(inbound?.message.interaction === 'unreadable');
  assert.equal(inbound.message.action, 'RCMR_IN010000UK05');
  // What could not be read is kept as it came, for whoever has to find out why.
  const [envelope, payload, ...others] = inbound.message.parts ?? [];
  assert.ok(envelope?.content.pieces[0].in === 'row' && payload?.content.pieces[0].in === 'row');
  assert.ok(body.includes(Buffer.from(envelope.content.pieces[0].data).toString()));
  const kept = Buffer.from(payload.content.pieces[0].data).toString();
  assert.ok(kept.startsWith('<') && body.includes(kept) && !kept.includes('</RCMR_IN010000UK05>'));
  assert.deepEqual(others, []);
});

test('a manifest that names what did not come is refused for good', async () => {
  const { url, inbox } = await node();
  const theirs = memoryObjects();
  const of = await core(theirs, 30);
  const body = (await bytesOf(of, theirs)).toString('latin1').replace('Content-Id: <C-0@', 'Content-Id: <other@');
  const error = readEnvelope((await post(url, Buffer.from(body, 'latin1'), of.contentType)).body);
  assert.ok(error.kind === 'error');
  assert.equal([...inbox.values()][0]?.message.interaction, 'unreadable');
});

test('a body without its end is a MimeProblem, never a short attachment', async () => {
  const { url, inbox } = await node();
  const theirs = memoryObjects();
  const of = await core(theirs, 3_000);
  const body = (await bytesOf(of, theirs)).subarray(0, of.contentLength - 2_000);
  const error = readEnvelope((await post(url, body, of.contentType)).body);
  assert.ok(error.kind === 'error');
  assert.equal(error.errors[0]?.code, 'MimeProblem');
  assert.deepEqual(
    [...inbox.values()].map(({ message }) => message.interaction),
    ['unreadable'],
  );
});

test('what has no readable envelope is answered by a SOAP fault that says not to send it again', async () => {
  const { url, inbox, alerts } = await node();
  for (const body of [
    '',
    'nonsense',
    '--b\r\nContent-Type: text/xml\r\n\r\n<not an envelope/>\r\n--b--\r\n',
    '--b\r\n\r\n<a>\r\n--b--\r\n',
  ]) {
    const answer = await post(url, body, 'multipart/related; boundary=b; type="text/xml"');
    assert.equal(answer.status, 500, body);
    const fault = readEnvelope(answer.body);
    assert.ok(fault.kind === 'fault' && !fault.retriable);
  }
  const untyped = await client.request({ method: 'POST', url, headers: { soapaction: ACTION }, body: 'text' });
  await readBody(untyped, 1e5);
  assert.equal(untyped.status, 500, 'without a content type');
  assert.equal(inbox.size, 0);
  assert.equal(alerts.length, 5);
});

test('more bytes than a message may have are refused, announced or not', async () => {
  const { url, inbox, alerts } = await node({ bodyBytes: 100_000 });
  const theirs = memoryObjects();
  const of = await core(theirs, 100_000);
  const body = await bytesOf(of, theirs);
  assert.equal((await post(url, body, of.contentType)).status, 413);
  async function* chunks() {
    for (let at = 0; at < body.byteLength; at += 10_000) yield body.subarray(at, at + 10_000);
  }
  const unannounced = await client.request({
    method: 'POST',
    url,
    headers: { 'content-type': of.contentType, soapaction: actionIn(body) },
    body: chunks(),
  });
  assert.equal(unannounced.status, 413);
  await readBody(unannounced, 1e5);
  assert.equal(inbox.size, 0);
  assert.deepEqual(
    alerts.map(({ code }) => code),
    ['endpoint.tooLarge', 'endpoint.tooLarge'],
  );
});

test('a sender that breaks off leaves nothing behind, and the next message is taken', async () => {
  const { url, inbox, alerts } = await node();
  const theirs = memoryObjects();
  const of = await core(theirs, 3_000);
  const body = await bytesOf(of, theirs);
  await new Promise<void>((done) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(
        `POST / HTTP/1.1\r\nHost: x\r\nSOAPAction: ${actionIn(body)}\r\nContent-Type: ${of.contentType}\r\nContent-Length: ${body.byteLength}\r\n\r\n`,
      );
      socket.write(body.subarray(0, body.byteLength - 500), () => socket.destroy());
    });
    socket.on('close', () => done());
  });
  assert.equal((await post(url, body, of.contentType)).status, 200);
  assert.deepEqual(
    [...inbox.values()].map(({ message }) => message.interaction),
    ['extract'],
  );
  assert.deepEqual(alerts, []);
});

const signal = (action: string, block: string, of = 'ours') =>
  `<SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"><SOAP:Header><eb:MessageHeader><eb:From><eb:PartyId>YES-0000806</eb:PartyId></eb:From><eb:To><eb:PartyId>${PEER.partyKey}</eb:PartyId></eb:To><eb:CPAId>C</eb:CPAId><eb:ConversationId>CONV</eb:ConversationId><eb:Service>urn:oasis:names:tc:ebxml-msg:service</eb:Service><eb:Action>${action}</eb:Action><eb:MessageData><eb:MessageId>S1</eb:MessageId><eb:Timestamp>2026-01-05T09:30:00</eb:Timestamp><eb:RefToMessageId>${of}</eb:RefToMessageId></eb:MessageData></eb:MessageHeader>${block}</SOAP:Header><SOAP:Body/></SOAP:Envelope>`;
const acknowledgmentOf = (of: string) =>
  signal('Acknowledgment', `<eb:Acknowledgment><eb:RefToMessageId>${of}</eb:RefToMessageId></eb:Acknowledgment>`, of);
const ERROR_LIST =
  '<eb:ErrorList><eb:Error eb:errorCode="DeliveryFailure" eb:severity="Error"><eb:Description>gave up</eb:Description></eb:Error></eb:ErrorList>';

test('a bare Acknowledgment reaches the outbox, a bare MessageError the transfer, and neither is answered by a signal', async () => {
  const { url, inbox, alerts, acknowledged } = await node();
  const known = await post(url, acknowledgmentOf('ours'), 'text/xml', SIGNAL);
  assert.deepEqual([known.status, known.body.byteLength, inbox.size, acknowledged], [200, 0, 0, ['OURS']]);
  const unknown = await post(url, acknowledgmentOf('nobody'), 'text/xml', `"urn:${SIGNAL}"`);
  assert.deepEqual([unknown.status, unknown.body.byteLength, acknowledged.length], [200, 0, 1]);
  const failed = await post(url, signal('MessageError', ERROR_LIST), 'text/xml; charset=utf-8', SIGNAL);
  assert.deepEqual([failed.status, failed.body.byteLength], [200, 0]);
  const [inbound] = inbox.values();
  assert.ok(inbound?.message.interaction === 'undelivered');
  assert.deepEqual([inbound.message.of, inbound.message.fault], [messageId('ours'), 'DeliveryFailure gave up']);
  assert.equal(alerts[0]?.code, 'endpoint.undelivered');
  assert.equal((await post(url, '<hello/>', 'text/xml', SIGNAL)).status, 400);
});

test('without a SOAPAction the interaction is not supported, and no repetition helps', async () => {
  const { url, inbox, alerts } = await node();
  const of = packed(requestMessage());
  const body = await bytesOf(of, memoryObjects());
  const answer = await client.request({ method: 'POST', url, headers: { 'content-type': of.contentType }, body });
  const fault = readEnvelope(await readBody(answer, 1e5));
  assert.ok(answer.status === 500 && fault.kind === 'fault' && !fault.retriable);
  assert.equal(fault.errors[0]?.code, '101');
  assert.equal(inbox.size, 0);
  // Quoted, with one `urn:` too many, or about another interaction than the envelope's: the envelope counts.
  for (const action of [`"${ACTION}"`, `urn:${ACTION}`, 'urn:nhs:names:services:gp2gp/MCCI_IN010000UK13'])
    assert.equal((await post(url, body, of.contentType, action)).status, 200);
  assert.deepEqual(
    alerts.map(({ code }) => code),
    ['endpoint.noAction', 'endpoint.action'],
  );
});

test('a repeated id gets the answer of the first time, whatever came with it', async () => {
  const { url, inbox } = await node();
  const of = packed(requestMessage());
  const good = await bytesOf(of, memoryObjects());
  const bad = good.toString().replace('</RCMR_IN010000UK05>', '');
  const refused = await post(url, bad, of.contentType);
  assert.ok(readEnvelope(refused.body).kind === 'error');
  for (const again of [bad, good]) assert.equal(Buffer.compare((await post(url, again, of.contentType)).body, refused.body), 0);
  assert.equal([...inbox.values()][0]?.message.interaction, 'unreadable');

  const other = await node();
  const accepted = await post(other.url, good, of.contentType);
  assert.ok(readEnvelope(accepted.body).kind === 'acknowledgement');
  assert.equal(Buffer.compare((await post(other.url, bad, of.contentType)).body, accepted.body), 0);
  assert.deepEqual(
    [...other.inbox.values()].map(({ message }) => message.interaction),
    ['request'],
  );
});

test('who asks for no acknowledgement gets one by default, or none where it is so configured; the status can be chosen', async () => {
  const of = packed(requestMessage());
  const asking = await bytesOf(of, memoryObjects());
  const silent = asking.toString().replace(/<eb:AckRequested[^>]*\/>/, '');
  assert.ok(silent.length < asking.byteLength);
  const usual = await node();
  assert.equal(readEnvelope((await post(usual.url, silent, of.contentType)).body).kind, 'acknowledgement');
  const strict = await node({ answers: { always: false, status: 202 } });
  const none = await post(strict.url, silent, of.contentType);
  assert.deepEqual([none.status, none.body.byteLength, strict.inbox.size], [202, 0, 1]);
  const asked = await post(strict.url, asking, of.contentType);
  assert.deepEqual([asked.status, readEnvelope(asked.body).kind], [202, 'acknowledgement']);
});

test('a message of another service is passed on unopened, and its answer comes back', async () => {
  const seen: { body: string; action: string | undefined }[] = [];
  const other = createServer();
  other.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  other.post('*', async (request, reply) => {
    seen.push({ body: String(request.body), action: String(request.headers['soapaction']) });
    return reply.code(202).header('content-type', 'text/xml').send('<theirs/>');
  });
  const otherUrl = await listen(other);
  closers.push(() => other.close());
  const { url, inbox } = await node({ forward: { url: otherUrl, client } });
  const of = packed(requestMessage());
  const body = (await bytesOf(of, memoryObjects())).toString().replaceAll('services:gp2gp', 'services:pds');
  const answer = await post(url, body, of.contentType);
  assert.deepEqual([answer.status, String(answer.body)], [202, '<theirs/>']);
  assert.equal(seen[0]?.body, body);
  assert.equal(inbox.size, 0);
  // So are signals about messages that we never sent, and whatever else the SOAPAction says is another service's.
  assert.equal(String((await post(url, acknowledgmentOf('theirs'), 'text/xml', SIGNAL)).body), '<theirs/>');
  assert.equal(String((await post(url, '<anything/>', 'text/xml', 'urn:nhs:names:services:pds/QUPA_IN000008UK02')).body), '<theirs/>');
  assert.deepEqual([seen[1]?.body, seen[2]?.body], [acknowledgmentOf('theirs'), '<anything/>']);
  assert.equal((await post(url, acknowledgmentOf('ours'), 'text/xml', SIGNAL)).body.byteLength, 0);
  assert.equal(seen.length, 3);

  const alone = await node();
  const error = readEnvelope((await post(alone.url, body, of.contentType)).body);
  assert.ok(error.kind === 'error' && error.errors[0]?.code === 'NotSupported');
});

test('a message after its time to live is accepted and shown to an operator', async () => {
  const { url, inbox, alerts } = await node({ now: () => new Date('2026-01-06T00:00:00Z') });
  const of = packed({ ...requestMessage(), at: '2026-01-05T09:30:00.000Z' as Instant }, { timeToLive: true });
  assert.equal((await post(url, await bytesOf(of, memoryObjects()), of.contentType)).status, 200);
  assert.equal(inbox.size, 1);
  assert.equal(alerts[0]?.code, 'endpoint.late');
});

test('more bodies at once than allowed are asked to come again', async () => {
  const { url } = await node({ bodiesAtOnce: 0 });
  const of = packed(requestMessage());
  assert.equal((await post(url, await bytesOf(of, memoryObjects()), of.contentType)).status, 503);
});

test('an attachment is on its way into the store while its sender is still writing', async () => {
  const objects = memoryObjects();
  let stored = 0;
  const put = objects.put;
  objects.put = async (source, limit) => {
    async function* watched() {
      for await (const piece of source instanceof Uint8Array ? [source] : source) {
        stored += piece.byteLength;
        yield piece;
      }
    }
    return await put(watched(), limit);
  };
  const { url, inbox } = await node({ objects });
  const theirs = memoryObjects();
  const of = await core(theirs, 3_000_000);
  const body = await bytesOf(of, theirs);
  const half = body.byteLength / 2;
  async function* slowly() {
    yield body.subarray(0, half);
    // Were the body held until its end, this would wait for ever.
    while (stored < 1_000_000) await new Promise((done) => setTimeout(done, 5));
    yield body.subarray(half);
  }
  const headers = { 'content-type': of.contentType, soapaction: ACTION, 'content-length': String(body.byteLength) };
  const answer = await client.request({ method: 'POST', url, headers, body: slowly() });
  await readBody(answer, 1e5);
  assert.equal(answer.status, 200);
  assert.equal(inbox.size, 1);
});

test('whatever is wrong with a message, its sender is told for good and the node goes on', async () => {
  const { url, alerts } = await node();
  const theirs = memoryObjects();
  const of = await core(theirs, 40);
  const body = await bytesOf(of, theirs);
  const change = fc.record({ at: fc.nat(body.byteLength), drop: fc.nat(60), add: fc.uint8Array({ maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let damaged = body;
      for (const { at, drop, add } of changes) damaged = Buffer.concat([damaged.subarray(0, at), add, damaged.subarray(at + drop)]);
      const answer = await post(url, damaged, of.contentType);
      const signal = readEnvelope(answer.body);
      assert.ok(
        answer.status === 200
          ? signal.kind === 'acknowledgement' || signal.kind === 'error'
          : answer.status === 500 && signal.kind === 'fault',
        `${answer.status} ${signal.kind}`,
      );
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(
    alerts.filter(({ code }) => code === 'endpoint.trouble'),
    [],
  );
});
