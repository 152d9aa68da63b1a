/** A node behind the existing message adaptor: what it posts, what it takes from the queue, and what becomes of what it cannot use. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { wholeObject } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { documentId, type Instant, messageId } from '../../base/ids.ts';
import type { Message, Received } from '../../transfer/types.ts';
import { createClient } from '../../web/client.ts';
import { createServer, listen } from '../../web/server.ts';
import type { Inbound } from '../endpoint.ts';
import { receiveParts } from '../receive-parts.ts';
import { bytesOf, ENVELOPE, EXTRACT_XML, memoryObjects, OWN, PEER, packed, requestMessage, type TestObjects } from '../testing.ts';
import { unpack } from '../unpack.ts';
import type { Message as QueueMessage } from './amqp.ts';
import { addressOf, readBrokers } from './brokers.ts';
import { packForAdaptor } from './pack.ts';
import { bodyText, readQueueMessage, writeQueueMessage } from './queue-message.ts';
import { createAdaptorSender } from './send.ts';
import { createTake } from './take.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const client = createClient();
closers.push(() => client.close());

type Posted = { readonly headers: Record<string, unknown>; readonly body: Record<string, unknown> };
const TYPES =
  /^(text\/(plain|html|xml|rtf)|application\/(pdf|xml|msword|octet-stream)|audio\/(basic|mpeg)|image\/(png|gif|jpeg|tiff)|video\/mpeg)$/;

/** The adaptor's HTTP interface with the checks that its published contract names, and none of ours. */
async function adaptor(answer: () => { status: number; body?: string } = () => ({ status: 202 })) {
  const posted: Posted[] = [];
  const raw: Buffer[] = [];
  const server = createServer({ limits: { bodyBytes: 20e6 } });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.post('/', async (request, reply) => {
    const { headers } = request;
    if (!headers['interaction-id']) return reply.code(404).send('Required Interaction-Id header not found');
    if (headers['wait-for-response'] !== 'false') return reply.code(400).send('wait-for-response');
    if (headers['content-type'] !== 'application/json') return reply.code(415).send('Unsupported content type');
    raw.push(request.body as Buffer);
    const body = JSON.parse((request.body as Buffer).toString('utf8')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(body).sort(), ['attachments', 'external_attachments', 'payload'], 'an unknown field is refused');
    for (const each of body['attachments'] as Record<string, unknown>[]) {
      assert.deepEqual(
        Object.keys(each).filter((key) => !['content_type', 'is_base64', 'description', 'payload', 'document_id'].includes(key)),
        [],
      );
      assert.equal(each['is_base64'], true);
      assert.match(String(each['content_type']), TYPES);
      assert.ok(String(each['description']).length > 0 && String(each['payload']).length > 0);
    }
    for (const each of body['external_attachments'] as Record<string, unknown>[])
      for (const key of ['message_id', 'description', 'document_id']) assert.ok(String(each[key] ?? '').length > 0, key);
    posted.push({ headers, body });
    const { status, body: text = '' } = answer();
    return reply
      .code(status)
      .type(status < 400 ? 'text/xml' : 'text/plain')
      .send(text);
  });
  const url = await listen(server);
  closers.push(() => server.close());
  return { url, posted, raw };
}

const said = (filename: string) => ({
  documentId: documentId('11111111-1111-4111-8111-111111111111'),
  filename,
  contentType: 'image/tiff',
  compressed: false,
  skeleton: false,
});

async function core(objects: TestObjects, text = EXTRACT_XML): Promise<Message> {
  // Cut inside a character of two bytes, as slices of an object may be.
  const bytes = Buffer.from(text);
  const object = await objects.put(bytes);
  const cut = bytes.indexOf(0xc3) + 1 || 10;
  const hl7 = {
    pieces: [
      { in: 'store', object, from: 0, to: cut },
      { in: 'store', object, from: cut, to: object.bytes },
    ],
    stored: 'bytes',
    gzip: false,
  } as const;
  const content = wholeObject(await objects.put(randomBytes(100_001)));
  return {
    ...ENVELOPE,
    interaction: 'extract',
    version: 'UK07',
    extractId: 'E',
    nhsNumber: null,
    hl7,
    references: [
      { ...said('scan "a".tif'), at: 'here', part: { contentId: 'C-0', contentType: 'image/tiff', content } },
      { ...said('large.tif'), large: true, at: 'message', messageId: messageId('0F3C0A10-0000-4000-8000-0000000000F1') },
    ],
  };
}

/** What the adaptor of the other practice puts on its queue for what was posted here: the envelope is the adaptor's own. */
function queued({ headers, body }: Posted): string {
  const id = String(headers['message-id']);
  const attachments = body['attachments'] as Record<string, string>[];
  const external = body['external_attachments'] as Record<string, string>[];
  const escaped = (text = ''): string => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
  const reference = (href: string, description = '', documentId = '') =>
    `<eb:Reference xlink:href="${href}" eb:id="${escaped(documentId)}"><eb:Description xml:lang="en">${escaped(description)}</eb:Description></eb:Reference>`;
  const ebXML = `<SOAP:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd" xmlns:hl7ebxml="urn:hl7-org:transport/ebXML/DSTUv1.0" xmlns:xlink="http://www.w3.org/1999/xlink"><SOAP:Header><eb:MessageHeader eb:version="2.0" SOAP:mustUnderstand="1"><eb:From><eb:PartyId>${OWN.partyKey}</eb:PartyId></eb:From><eb:To><eb:PartyId>${PEER.partyKey}</eb:PartyId></eb:To><eb:CPAId>CPA</eb:CPAId><eb:ConversationId>${headers['correlation-id']}</eb:ConversationId><eb:Service>urn:nhs:names:services:gp2gp</eb:Service><eb:Action>${headers['interaction-id']}</eb:Action><eb:MessageData><eb:MessageId>${id}</eb:MessageId><eb:Timestamp>2026-01-05T09:30:00Z</eb:Timestamp></eb:MessageData></eb:MessageHeader></SOAP:Header><SOAP:Body><eb:Manifest eb:version="2.0">${[
    `<eb:Reference xlink:href="cid:${id}@spine.nhs.uk"><hl7ebxml:Payload style="HL7" encoding="XML" version="3.0"/></eb:Reference>`,
    ...attachments.map((each, at) => reference(`cid:A${at}@spine.nhs.uk`, each['description'], each['document_id'])),
    ...external.map((each) => reference(`mid:${each['message_id']}`, each['description'], each['document_id'])),
  ].join('')}</eb:Manifest></SOAP:Body></SOAP:Envelope>`;
  return JSON.stringify({
    ebXML,
    payload: body['payload'],
    attachments: attachments.map((each, at) => ({
      payload: each['payload'],
      is_base64: true,
      content_id: `A${at}@spine.nhs.uk`,
      content_type: each['content_type'],
      description: each['description'],
    })),
    external_attachments: external.map((each) => ({ ...each, title: 'x' })),
  });
}

test('what is posted to one adaptor and comes by the queue of another says what it said', async () => {
  const theirs = memoryObjects();
  const { url, posted, raw } = await adaptor();
  const sender = createAdaptorSender({ client, objects: theirs });
  const text = EXTRACT_XML.replace('<component>', '<!-- "quoted" \\ Ünïcødé \t -->\n<component>');
  const content = wholeObject(await theirs.put(randomBytes(5_000)));
  const messages: Message[] = [
    requestMessage(),
    await core(theirs, text),
    { ...ENVELOPE, interaction: 'continue', of: messageId('0F3C0A10-0000-4000-8000-000000000001'), from: OWN.ods, to: PEER.ods },
    {
      ...ENVELOPE,
      interaction: 'piece',
      part: { contentId: 'P', contentType: 'image/tiff', content },
      announced: said('a.tif'),
      from: OWN.ods,
      to: PEER.ods,
    },
    {
      ...ENVELOPE,
      interaction: 'index',
      children: [{ ...said('a.tif'), at: 'message', messageId: messageId('0F3C0A10-0000-4000-8000-0000000000F2') }],
      announced: said('a.tif'),
      from: OWN.ods,
      to: PEER.ods,
    },
    {
      ...ENVELOPE,
      interaction: 'acknowledgement',
      of: messageId('0F3C0A10-0000-4000-8000-000000000001'),
      answer: { accepted: false, code: '30', raw: 'AE 30' },
    },
  ];
  for (const message of messages) {
    const of = packForAdaptor(message, { own: OWN, peer: PEER });
    for (let attempt = 0; attempt < 2; attempt++) assert.deepEqual(await sender.send(of, url), { outcome: 'delivered' });
    assert.equal(Buffer.compare(raw.at(-1) ?? Buffer.alloc(1), raw.at(-2) ?? Buffer.alloc(2)), 0, 'the same bytes each time');
    const last = posted.at(-1);
    assert.ok(last);
    assert.deepEqual(
      [last.headers['ods-code'], last.headers['message-id'], last.headers['correlation-id']],
      [PEER.ods, message.messageId, message.conversationId],
    );

    // The same message straight over Spine is read as the same.
    const ours = memoryObjects();
    const received = await unpack(await readQueueMessage(queued(last), ours), message.at, ours);
    const direct = packed(message);
    const straight = memoryObjects();
    const body = await bytesOf(direct, theirs);
    const parts = await receiveParts(
      one(body) as never,
      direct.contentType,
      straight,
      async () => undefined,
      () => undefined,
    );
    const other = await unpack(parts, message.at, straight);
    assert.deepEqual(comparable(received), comparable(other), message.interaction);
    if (message.interaction === 'extract') assert.equal(String(last.body['payload']), text);
  }
});

/** Without ids of parts, which each side makes for itself. */
function comparable(message: Received): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value: unknown) =>
      key === 'contentId' || key === 'addressed' || key === 'originalBase64' ? undefined : value,
    ),
  );
}

test('each answer of the adaptor means what its callers know of it', async () => {
  const cases: readonly [number, string, string][] = [
    [202, '', 'delivered'],
    [400, 'Invalid request. Validation errors: {…Longer than maximum length 98…}', 'refused'],
    [404, 'Unknown interaction ID', 'refused'],
    [409, '', 'refused'],
    [500, 'Error making outbound request', 'unknown'],
    [500, '{"error_message":"…","process_key":"EBXML_ERROR_HANDLER0005","errors":[]}', 'unknown'],
    [503, '', 'unknown'],
    [200, '', 'unknown'],
    [429, '', 'unknown'],
  ];
  for (const [status, body, outcome] of cases) {
    const { url } = await adaptor(() => ({ status, body }));
    const got = await createAdaptorSender({ client, objects: memoryObjects() }).send(
      packForAdaptor(requestMessage(), { own: OWN, peer: PEER }),
      url,
    );
    assert.equal(got.outcome, outcome, `${status} ${body}`);
  }
  const nobody = await createAdaptorSender({ client, objects: memoryObjects(), connectWaits: [] }).send(
    packForAdaptor(requestMessage(), { own: OWN, peer: PEER }),
    'http://127.0.0.1:9/',
  );
  assert.equal(nobody.outcome, 'unreachable');
});

test('what the adaptor would refuse for its size is not packed', async () => {
  const objects = memoryObjects();
  const message = await core(objects, EXTRACT_XML.replace('<component>', `<!--${'x'.repeat(5_000_000)}--><component>`));
  assert.throws(() => packForAdaptor(message, { own: OWN, peer: PEER }), { code: 'pack.tooLarge' });
  const content = wholeObject(await objects.put(Buffer.from('x')));
  const many = {
    ...(await core(objects)),
    references: Array.from({ length: 99 }, () => ({
      ...said('a'),
      at: 'here',
      part: { contentId: 'c', contentType: 'text/plain', content },
    })),
  } as Message;
  assert.throws(() => packForAdaptor(many, { own: OWN, peer: PEER }), { code: 'pack.tooManyParts' });
});

test('a body is read in every form that clients send: text, bytes, data sections, base64 of the whole', () => {
  const text = '{"a":"é"}';
  const bytes = Buffer.from(text);
  for (const body of [
    text,
    bytes,
    { typecode: 0x75, content: bytes },
    { typecode: 0x75, content: [bytes.subarray(0, 7), bytes.subarray(7)] },
    bytes.toString('base64'),
  ])
    assert.equal(bodyText(body), text);
  assert.equal(bodyText(undefined), null);
  assert.equal(bodyText(42), null);
});

/** The taking side with an inbox in memory; `known` conversations are ours. */
function taking(options: { forward?: boolean; known?: readonly string[]; fail?: () => void; owns?: boolean } = {}) {
  const inbox = new Map<string, Inbound>();
  const forwarded: QueueMessage[] = [];
  const dead: QueueMessage[] = [];
  const publisher = (to: QueueMessage[]) => ({
    publish: async (message: QueueMessage) => void to.push(message),
    close: async () => undefined,
  });
  const take = createTake({
    objects: memoryObjects(),
    accept: async (inbound) => {
      options.fail?.();
      const first = inbox.get(inbound.messageId);
      inbox.set(inbound.messageId, first ?? inbound);
      return {
        fate: !first ? 'new' : first.digest === inbound.digest ? 'duplicate' : 'altered',
        receivedAt: inbound.receivedAt,
        refused: null,
      };
    },
    ownsPartyKey: () => options.owns ?? true,
    isMine: async (message) => message.interaction === 'request' || (options.known ?? []).includes(message.conversationId),
    forward: options.forward ? publisher(forwarded) : null,
    dead: publisher(dead),
    now: () => new Date('2026-01-05T09:31:00Z'),
    alert: () => undefined,
  });
  return { take, inbox, forwarded, dead };
}

const posting = async (message: Message): Promise<string> => {
  const { url, posted } = await adaptor();
  await createAdaptorSender({ client, objects: memoryObjects() }).send(packForAdaptor(message, { own: OWN, peer: PEER }), url);
  return queued(posted[0] ?? assert.fail());
};

test('a message is kept once however often the adaptor gives it, and settled only when it is kept', async () => {
  const body = await posting(requestMessage());
  const { take, inbox, dead } = taking();
  for (let time = 0; time < 3; time++) assert.equal(await take({ body }, time), 'accept');
  assert.equal(inbox.size, 1);
  assert.equal([...inbox.values()][0]?.message.interaction, 'request');
  const away = taking({
    fail: () => {
      throw new Error('connection terminated');
    },
  });
  await assert.rejects(away.take({ body }, 0), /connection terminated/);
  assert.deepEqual([dead.length, away.dead.length], [0, 0]);
});

test('what nobody can use is put where an operator looks, with its reason, and never dropped', async () => {
  const body = await posting(requestMessage());
  const { take, inbox, dead } = taking();
  for (const bad of [
    'no JSON',
    '{}',
    '{"ebXML":"<a/>","payload":"<b/>"}',
    body.replace('gp2gp', 'pds'),
    body.replace('RCMR_IN010000UK05', 'RCMR_IN099999UK05'),
  ])
    assert.equal(
      await take({ body: bad, message_id: 'M', correlation_id: 'C', application_properties: { 'message-id': 'X' } }, 2),
      'accept',
    );
  assert.equal(dead.length, 5);
  for (const letter of dead) {
    assert.deepEqual(
      [letter.message_id, letter.correlation_id, letter.durable, letter.application_properties?.['message-id']],
      ['M', 'C', true, 'X'],
    );
    assert.ok(String(letter.application_properties?.['x-gp2gp-reason']).length > 10);
    assert.equal(letter.application_properties?.['x-gp2gp-attempts'], 3);
  }
  assert.equal(dead[0]?.body, 'no JSON');
  // A payload that cannot be read is told to its transfer instead.
  assert.equal(await take({ body: body.replace('</RCMR_IN010000UK05>', '') }, 0), 'accept');
  assert.equal([...inbox.values()][0]?.message.interaction, 'unreadable');
});

test('a conversation of somebody else is passed on unchanged, at once, and not round and round', async () => {
  const message: Message = {
    ...ENVELOPE,
    interaction: 'acknowledgement',
    of: messageId('0F3C0A10-0000-4000-8000-0000000000B1'),
    answer: { accepted: true },
  };
  const body = await posting(message);
  const { take, inbox, forwarded, dead } = taking({ forward: true, known: ['0F3C0A10-0000-4000-8000-00000000C0FF'] });
  const one = {
    body,
    message_id: 'M',
    correlation_id: 'C',
    content_type: 'application/json',
    application_properties: { 'message-id': 'X', 'correlation-id': 'Y' },
  };
  assert.equal(await take(one, 0), 'accept');
  assert.deepEqual(forwarded, [{ ...one, durable: true, application_properties: { ...one.application_properties, 'x-gp2gp-hops': 1 } }]);
  assert.equal(await take({ ...one, application_properties: { 'x-gp2gp-hops': 3 } }, 0), 'accept');
  assert.equal(dead.length, 1);
  assert.match(String(dead[0]?.application_properties?.['x-gp2gp-reason']), /passed on 3 times/);
  // A request begins a transfer of ours; another party's goes on too.
  assert.equal(await take({ body: await posting(requestMessage()) }, 0), 'accept');
  assert.equal(inbox.size, 1);
  const strange = taking({ forward: true, owns: false });
  await strange.take(one, 0);
  assert.equal(strange.forwarded.length, 1);
  // Alone, a node keeps what it does not know yet: its conversation may be on the way.
  const alone = taking();
  await alone.take(one, 0);
  assert.equal(alone.inbox.size, 1);
});

test('a received message becomes the queue message that the existing adaptor makes of it', async () => {
  const objects = memoryObjects();
  const document = await objects.put(Buffer.from([0, 1, 2, 253, 254]));
  const plain = await objects.put(Buffer.from('plain é "text"'));
  const message = {
    kind: 'message',
    ...({
      fromPartyKey: 'A',
      toPartyKey: 'B',
      cpaId: 'C',
      conversationId: 'D',
      service: 'urn:nhs:names:services:gp2gp',
      action: 'RCMR_IN030000UK06',
      messageId: 'M',
    } as const),
    timestamp: '2026-01-05T09:30:00.000Z' as Instant,
    refToMessageId: null,
    timeToLive: null,
    duplicateElimination: true,
    ackRequested: null,
    syncReply: false,
    references: [
      { href: 'cid:M@x', id: null, description: null, payload: true },
      { href: 'cid:one@x', id: '_1', description: ' Filename="a.tif"\n\tContentType=image/tiff ', payload: false },
      { href: 'mid:OTHER', id: '_2', description: 'Filename="b.tif" LargeAttachment=Yes', payload: false },
    ],
  } as const;
  const pieces: Uint8Array[] = [];
  const attachments = [
    { contentId: 'one@x', contentType: 'image/tiff', encoding: 'base64', content: wholeObject(document) },
    { contentId: 'two@x', contentType: 'text/plain', encoding: '8bit', content: wholeObject(plain) },
  ];
  const source = writeQueueMessage({ envelope: message, envelopeText: '<e a="1"/>', payload: '<p>é</p>', attachments }, (content) => {
    const [piece] = content.pieces;
    return piece.in === 'store' ? objects.get(piece.object) : one(piece.data);
  });
  for await (const piece of source) pieces.push(piece);
  assert.deepEqual(JSON.parse(Buffer.concat(pieces).toString('utf8')), {
    ebXML: '<e a="1"/>',
    payload: '<p>é</p>',
    attachments: [
      {
        payload: 'AAEC/f4=',
        is_base64: true,
        content_id: 'one@x',
        content_type: 'image/tiff',
        description: 'Filename="a.tif"ContentType=image/tiff',
      },
      { payload: 'plain é "text"', is_base64: false, content_id: 'two@x', content_type: 'text/plain', description: '' },
    ],
    external_attachments: [{ document_id: '_2', message_id: 'OTHER', description: 'Filename="b.tif" LargeAttachment=Yes', title: 'b.tif' }],
  });
});

test('brokers are read in every way that suppliers write them', () => {
  assert.deepEqual(readBrokers('amqp://one:5672, amqps://two'), [
    { host: 'one', port: 5672, tls: false },
    { host: 'two', port: 5671, tls: true },
  ]);
  assert.deepEqual(
    readBrokers('failover:(amqp://one,amqp+ssl://two:5671)?failover.maxReconnectAttempts=2', { username: 'u', password: 'p' }),
    [
      { host: 'one', port: 5672, tls: false, username: 'u', password: 'p' },
      { host: 'two', port: 5671, tls: true, username: 'u', password: 'p' },
    ],
  );
  assert.deepEqual(readBrokers('amqps://ns.servicebus.windows.net/;SharedAccessKeyName=policy;SharedAccessKey=ab=='), [
    { host: 'ns.servicebus.windows.net', port: 5671, tls: true, username: 'policy', password: 'ab==' },
  ]);
  for (const bad of ['', 'http://x', 'nonsense']) assert.throws(() => readBrokers(bad), Fault);
  assert.throws(
    () => readBrokers('https://user:secret@x'),
    (thrown) => thrown instanceof Fault && !thrown.message.includes('secret'),
  );
  assert.equal(addressOf({ queue: 'q' }), 'q');
  assert.equal(addressOf({ queue: 'q', address: '/queue/{queue}' }), '/queue/q');
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
