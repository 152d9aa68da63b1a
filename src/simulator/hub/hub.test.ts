import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Certificates, makeCertificates } from '../certificates.ts';
import { type HubOptions, startHub } from './hub.ts';
import type { LedgerLine } from './ledger.ts';
import { message, postTo, recipient, tlsOf, until } from './testing.ts';

let folder = '';
let certificates: Certificates;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-'));
  certificates = await makeCertificates(join(folder, 'certificates'), [{ name: 'hub' }, { name: 'a' }, { name: 'b' }]);
});
after(() => rm(folder, { recursive: true, force: true }));

let count = 0;
const options = (more: Partial<HubOptions> = {}): HubOptions => ({
  folder: join(folder, `hub-${++count}`),
  tls: tlsOf(certificates, 'hub'),
  routes: { 'A-001': { urls: [] }, 'B-001': { urls: [] } },
  retry: { firstMs: 20, mostMs: 50, giveUpAfterMs: 60_000 },
  ...more,
});
const ledgerOf = async (path: string): Promise<LedgerLine[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LedgerLine);

test('a message is acknowledged and reaches its recipient byte for byte, with the headers it came with', async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const hub = await startHub(options({ routes: { 'A-001': { urls: [] }, 'B-001': { urls: [b.url] } } }));
  const sent = message({ id: 'M1', pad: randomBytes(300_000) });
  const answer = await postTo(hub.url, tlsOf(certificates, 'a'), sent);
  assert.equal(answer.status, 202);
  assert.match(answer.body, /<eb:Acknowledgment .*<eb:RefToMessageId>M1</);
  await until(() => b.received.length === 1, 'the message arrives');
  assert.ok(b.received[0]?.body.equals(sent.body));
  assert.equal(b.received[0]?.headers['content-type'], sent.contentType);
  assert.equal(b.received[0]?.headers['soapaction'], sent.soapAction);
  await until(() => hub.pending === 0 && hub.counters.delivered === 1, 'the ledger says so');
  const lines = await ledgerOf(hub.ledgerFile);
  assert.deepEqual(
    lines.map(({ direction, from, to, messageId, conversationId, interaction, bytes }) => ({
      direction,
      from,
      to,
      messageId,
      conversationId,
      interaction,
      bytes,
    })),
    ['accepted', 'delivered'].map((direction) => ({
      direction,
      from: 'A-001',
      to: 'B-001',
      messageId: 'M1',
      conversationId: 'C1',
      interaction: 'RCMR_IN010000UK05',
      bytes: sent.body.byteLength,
    })),
  );
  await hub.close();
  await b.close();
});

test('a message that comes again is acknowledged again and delivered once', async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const hub = await startHub(options({ routes: { 'A-001': { urls: [] }, 'B-001': { urls: [b.url] } } }));
  const sent = message({ id: 'M2' });
  const answers = await Promise.all([1, 2, 3].map(() => postTo(hub.url, tlsOf(certificates, 'a'), sent)));
  answers.push(await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'm2' })));
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [202, 202, 202, 202],
  );
  await until(() => hub.counters.delivered === 1 && hub.pending === 0, 'delivery');
  assert.equal(b.received.length, 1);
  assert.equal(hub.counters.duplicates, 3);
  await hub.close();
  await b.close();
});

test('the kept wire is a complete MIME entity for every request, in order', async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const keepWire = join(folder, 'wire');
  const hub = await startHub(options({ keepWire, routes: { 'A-001': { urls: [] }, 'B-001': { urls: [b.url] } } }));
  const first = message({ id: 'W1' });
  const second = message({ id: 'W2', action: 'COPC_IN000001UK01', pad: randomBytes(100_000) });
  await postTo(hub.url, tlsOf(certificates, 'a'), first);
  await postTo(hub.url, tlsOf(certificates, 'a'), second);
  await until(() => hub.counters.delivered === 2, 'delivery');
  const names = (await readdir(keepWire)).sort();
  assert.deepEqual(names, ['0001-A-001-RCMR_IN010000UK05.mime', '0002-A-001-COPC_IN000001UK01.mime']);
  const kept = await readFile(join(keepWire, names[1] ?? ''));
  assert.ok(kept.equals(Buffer.concat([Buffer.from(`Content-Type: ${second.contentType}\r\n\r\n`), second.body])));
  await hub.close();
  await b.close();
});

test('a file of the spool is used again, also by what a later life delivers, and nothing of an older message travels', async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const [there, away] = [
    { 'A-001': { urls: [] }, 'B-001': { urls: [b.url] } },
    { 'A-001': { urls: [] }, 'B-001': { urls: [] } },
  ];
  const spool = async () => readdir(join(folder, `hub-${count}`, 'spool'));
  const first = await startHub(options({ routes: there }));
  const long = message({ id: 'S1', pad: randomBytes(700_000) });
  const short = message({ id: 'S2', pad: randomBytes(300_000) });
  const last = message({ id: 'S3', pad: randomBytes(100_000) });
  for (const [index, one] of [long, short].entries()) {
    await postTo(first.url, tlsOf(certificates, 'a'), one);
    await until(() => first.counters.delivered === index + 1, 'delivery');
    assert.equal((await spool()).length, 1);
  }
  first.setRoute('B-001', away['B-001']);
  await postTo(first.url, tlsOf(certificates, 'a'), last);
  assert.equal((await spool()).length, 1);
  await first.close();
  const keepWire = join(folder, 'later-wire');
  const second = await startHub({ ...options({ routes: there, keepWire }), folder: join(folder, `hub-${count - 1}`) });
  await until(() => second.counters.delivered === 3, 'delivery in the later life');
  assert.deepEqual(
    b.received.map(({ body }) => body.toString('latin1')),
    [long, short, last].map(({ body }) => body.toString('latin1')),
  );
  const [name] = await readdir(keepWire);
  const whole = await readFile(join(keepWire, name ?? ''));
  assert.ok(whole.equals(Buffer.concat([Buffer.from(`Content-Type: ${last.contentType}\r\n\r\n`), last.body])));
  await second.close();
  await b.close();
});

test('delivery is tried again until the acknowledgment is a good one, and moves to another node', async () => {
  const down = await recipient(tlsOf(certificates, 'b'));
  const downUrl = down.url;
  await down.close();
  const b = await recipient(tlsOf(certificates, 'b'), (_body, turn) => {
    if (turn === 1) return { status: 503, body: '' };
    return turn === 2 ? { status: 202, body: '' } : null;
  });
  const hub = await startHub(options({ routes: { 'A-001': { urls: [] }, 'B-001': { urls: [downUrl, b.url] } } }));
  await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'R1' }));
  await until(() => hub.counters.delivered === 1, 'delivery at the third answer');
  assert.equal(b.received.length, 3);
  await hub.close();
  await b.close();
});

test('an ebXML error of the recipient is final, and the sender is told', async () => {
  const error =
    '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:e="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"><S:Header><e:MessageHeader e:version="2.0"><e:From><e:PartyId>B</e:PartyId></e:From><e:To><e:PartyId>A</e:PartyId></e:To><e:CPAId>c</e:CPAId><e:ConversationId>C</e:ConversationId><e:Service>urn:oasis:names:tc:ebxml-msg:service</e:Service><e:Action>MessageError</e:Action><e:MessageData><e:MessageId>E</e:MessageId><e:Timestamp>2026-01-05T09:30:01Z</e:Timestamp></e:MessageData></e:MessageHeader><e:ErrorList><e:Error e:errorCode="ValueNotRecognized" e:severity="Error"/></e:ErrorList></S:Header><S:Body/></S:Envelope>';
  const a = await recipient(tlsOf(certificates, 'a'));
  const b = await recipient(tlsOf(certificates, 'b'), () => ({ status: 200, body: error }));
  const hub = await startHub(options({ routes: { 'A-001': { urls: [a.url] }, 'B-001': { urls: [b.url] } } }));
  await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'E1' }));
  await until(() => a.received.length === 1, 'the notice');
  assert.match(a.received[0]?.body.toString() ?? '', /eb:errorCode="DeliveryFailure"/);
  assert.match(a.received[0]?.body.toString() ?? '', /<eb:RefToMessageId>E1</);
  assert.equal(b.received.length, 1);
  await hub.close();
  await a.close();
  await b.close();
});

test('Spine refuses what it would refuse: a stranger, a missing action, a party nobody knows, more than its limit', async () => {
  const foreign = await makeCertificates(join(folder, 'foreign'), [{ name: 'x' }]);
  const hub = await startHub(options({ maxBytes: 10_000 }));
  const stranger = { ...tlsOf(foreign, 'x'), authorities: tlsOf(certificates, 'a').authorities };
  await assert.rejects(postTo(hub.url, stranger, message({ id: 'X1' })));
  const own = tlsOf(certificates, 'a');
  const { soapAction: _, ...silent } = message({ id: 'X2' });
  assert.equal((await postTo(hub.url, own, silent)).status, 500);
  const unknown = await postTo(hub.url, own, message({ id: 'X3', to: 'NOBODY' }));
  assert.match(unknown.body, /501314:Invalid To Party Type attribute/);
  await assert.rejects(
    postTo(hub.url, own, message({ id: 'X4', pad: randomBytes(20_000) })).then((answer) => {
      if (answer.status === 413) throw new Error('refused');
    }),
  );
  assert.equal(hub.counters.messages, 0);
  await hub.close();
});

test('faults can be switched on: drop loses, duplicate doubles, a lost answer makes the sender come again', async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const hub = await startHub(options({ routes: { 'A-001': { urls: [] }, 'B-001': { urls: [b.url] } } }));
  const own = tlsOf(certificates, 'a');
  const set = async (rules: unknown) => {
    const answer = await fetch(`${hub.controlUrl}/control/faults`, { method: 'PUT', body: JSON.stringify(rules) });
    assert.equal(answer.status, 200);
  };
  await set([{ fault: 'drop', times: 1 }]);
  await postTo(hub.url, own, message({ id: 'F1' }));
  await set([{ fault: 'duplicate', times: 1 }]);
  await postTo(hub.url, own, message({ id: 'F2' }));
  await until(() => b.received.length === 2, 'two copies');
  await set([{ fault: 'loseAnswer', times: 1 }]);
  await assert.rejects(postTo(hub.url, own, message({ id: 'F3' })));
  assert.equal((await postTo(hub.url, own, message({ id: 'F3' }))).status, 202);
  await until(() => b.received.length === 3, 'one more');
  await set([{ fault: 'status', status: 503, times: 1 }]);
  assert.equal((await postTo(hub.url, own, message({ id: 'F4' }))).status, 503);
  assert.equal((await fetch(`${hub.controlUrl}/control/faults`, { method: 'PUT', body: '[{"fault":"meteor"}]' })).status, 400);
  await hub.close();
  await b.close();
});

test('a message can be answered by a SOAP fault, by nothing, or be acknowledged later in a message of its own', async () => {
  const a = await recipient(tlsOf(certificates, 'a'));
  const b = await recipient(tlsOf(certificates, 'b'));
  const faults = [
    { fault: 'soapFault', code: '208', times: 1 },
    { fault: 'emptyAnswer', times: 1, match: { conversationId: 'EMPTY' } },
    { fault: 'ackLater', ms: 50, times: 1, match: { conversationId: 'LATER' } },
  ] as const;
  const hub = await startHub(options({ routes: { 'A-001': { urls: [a.url] }, 'B-001': { urls: [b.url] } }, faults }));
  const post = (id: string, conversation?: string) =>
    postTo(hub.url, tlsOf(certificates, 'a'), message({ id, ...(conversation !== undefined && { conversation }) }));
  const fault = await post('S1');
  assert.deepEqual([fault.status, /<nasp:errorCode>(\d+)</.exec(fault.body)?.[1]], [500, '208']);
  assert.match((await post('S1')).body, /Acknowledgment/);
  for (const conversation of ['EMPTY', 'LATER']) {
    const { status, body } = await post(conversation, conversation);
    assert.deepEqual([status, body], [202, '']);
  }
  await until(() => a.received.length === 1 && b.received.length === 3, 'all have come, and the acknowledgement');
  assert.equal(a.received[0]?.headers['soapaction'], '"urn:oasis:names:tc:ebxml-msg:service/Acknowledgment"');
  assert.match(a.received[0]?.body.toString() ?? '', /<eb:Acknowledgment .*<eb:RefToMessageId>LATER</);
  await hub.close();
  await Promise.all([a.close(), b.close()]);
});

test('Spine can refuse a message after it took it: the sender gets an application acknowledgement that names it', async () => {
  const a = await recipient(tlsOf(certificates, 'a'));
  const b = await recipient(tlsOf(certificates, 'b'));
  const hub = await startHub(
    options({
      routes: { 'A-001': { urls: [a.url], asid: '200000000001' }, 'B-001': { urls: [b.url] } },
      faults: [{ fault: 'negative', match: { interaction: 'RCMR_IN010000UK05' }, times: 1 }],
    }),
  );
  const answer = await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'N1' }));
  assert.equal(answer.status, 202);
  await until(() => a.received.length === 1, 'the negative');
  const said = a.received[0]?.body.toString() ?? '';
  assert.equal(a.received[0]?.headers['soapaction'], '"urn:nhs:names:services:gp2gp/MCCI_IN010000UK13"');
  assert.match(said, /<acknowledgement typeCode="AR">.*code="506".*<messageRef><id root="n1"\/>/);
  assert.match(said, /<eb:RefToMessageId>N1</);
  assert.equal(b.received.length, 0);
  await until(() => hub.counters.failed === 1, 'the end of the refused one');
  await hub.close();
  await a.close();
  await b.close();
});

test('a message held back on purpose is overtaken by a later one', async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const faults = [{ fault: 'latency' as const, ms: 300, match: { conversationId: 'SLOW' } }];
  const hub = await startHub(options({ faults, routes: { 'A-001': { urls: [] }, 'B-001': { urls: [b.url] } } }));
  await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'O1', conversation: 'slow' }));
  await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'O2' }));
  await until(() => b.received.length === 2, 'both');
  assert.match(b.received[0]?.body.toString('latin1') ?? '', /<e:MessageId>O2</);
  await hub.close();
  await b.close();
});

test('a recipient that is never there costs the message in the end, and the sender is told', async () => {
  const a = await recipient(tlsOf(certificates, 'a'));
  const hub = await startHub(
    options({
      routes: { 'A-001': { urls: [a.url] }, 'B-001': { urls: ['https://127.0.0.1:9'] } },
      retry: { firstMs: 10, mostMs: 20, giveUpAfterMs: 150 },
    }),
  );
  await postTo(hub.url, tlsOf(certificates, 'a'), message({ id: 'G1' }));
  await until(() => a.received.length === 1, 'the notice');
  assert.match(a.received[0]?.body.toString() ?? '', /DeliveryFailure.*gave up/);
  await hub.close();
  await a.close();
});
