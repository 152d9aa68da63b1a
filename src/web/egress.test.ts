import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createClient, discard } from './client.ts';
import { checkUrl, type Egress, guardedLookup } from './egress.ts';
import { createServer, listen } from './server.ts';
import { testAuthority, testIdentity } from './testing.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

const SPINE: Egress = { hosts: ['.spine.test', 'exact.test'] };
/** Any host, so that only the address counts. */
const ANY_HOST = (host: string): Egress => ({ hosts: [host] });

/** Every spelling that leads, or may lead, inside; and addresses that are none of ours to call. */
const INWARD = [
  'https://127.0.0.1/',
  'https://127.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.0.0.1./',
  'https://127.255.255.254/',
  'https://0/',
  'https://0.0.0.0/',
  'https://0.1.2.3/',
  'https://10.0.0.1/',
  'https://10.255.255.255/',
  'https://172.16.0.1/',
  'https://172.31.255.255/',
  'https://192.168.0.1/',
  'https://192.168.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://0xa9fea9fe/',
  'https://2852039166/',
  'https://100.64.0.1/',
  'https://100.127.255.255/',
  'https://192.0.0.192/',
  'https://192.0.2.1/',
  'https://198.18.0.1/',
  'https://198.19.255.255/',
  'https://198.51.100.7/',
  'https://203.0.113.9/',
  'https://224.0.0.1/',
  'https://239.255.255.250/',
  'https://240.0.0.1/',
  'https://255.255.255.255/',
  'https://[::1]/',
  'https://[::]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[::ffff:8.8.8.8]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[64:ff9b::a00:1]/',
  'https://[fe80::1]/',
  'https://[fc00::1]/',
  'https://[fd00:ec2::254]/',
  'https://[ff02::1]/',
  'https://[2001:db8::1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001:0:7f00:1::]/',
  'https://[100::1]/',
];
/** Refused as they are written, whatever their host resolves to. */
const WRITTEN = [
  'http://msg.spine.test/',
  'ftp://msg.spine.test/',
  'file:///etc/passwd',
  'gopher://msg.spine.test/',
  'javascript:alert(1)',
  'msg.spine.test',
  '',
  'https://user@msg.spine.test/',
  'https://user:secret@msg.spine.test/',
  'https://msg.spine.test:8443/',
  'https://msg.spine.test:5432/',
  'https://msg.spine.test.evil.test/',
  'https://evilspine.test/',
  'https://evil.test/#.spine.test',
  'https://evil.test/?.spine.test',
  'https://evil.test\\@msg.spine.test/',
  'https://localhost/',
  'https://metadata.google.internal/',
  'https://notexact.test/',
  'https://a.exact.test/',
];

test('no spelling of an inward address is called, even where its host is allowed by name', () => {
  assert.ok(INWARD.length + WRITTEN.length >= 60);
  for (const url of INWARD) {
    const host =
      URL.parse(url)
        ?.hostname.replace(/^\[|\]$/g, '')
        .replace(/\.$/, '') ?? '';
    assert.throws(() => checkUrl(url, ANY_HOST(host)), { code: 'egress.refused' }, url);
  }
  for (const url of ['https://8.8.8.8/', 'https://[2a00:1450:4009::1]/']) {
    const host = URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
    checkUrl(url, ANY_HOST(host));
  }
});

test('scheme, port, user and host are looked at as they are written', () => {
  for (const url of WRITTEN) assert.throws(() => checkUrl(url, SPINE), { code: 'egress.refused' }, url);
  for (const url of ['https://msg.spine.test/', 'https://MSG.SPINE.TEST./reliablemessaging/intermediary', 'https://exact.test:443/x'])
    checkUrl(url, SPINE);
  checkUrl('https://msg.spine.test:8443/', { ...SPINE, ports: [8443] });
});

test('private networks are called only where they are named', () => {
  const hscn = { hosts: ['10.1.2.3', '10.2.2.3'], networks: ['10.1.0.0/16', 'fd00:1::/32'] };
  checkUrl('https://10.1.2.3/', hscn);
  assert.throws(() => checkUrl('https://10.2.2.3/', hscn), { code: 'egress.refused' });
  checkUrl('https://[fd00:1::5]/', { ...hscn, hosts: ['fd00:1::5'] });
});

test('a name that leads inside with any of its addresses leads nowhere, and it is the checked address that is connected to', async () => {
  const resolved = (addresses: readonly string[]) =>
    new Promise<string>((done) => {
      const resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      guardedLookup({ ...SPINE, resolve })('msg.spine.test', {}, (error, address) =>
        done(error ? `${(error as { code?: string }).code}` : String(address)),
      );
    });
  assert.equal(await resolved(['8.8.8.8', '8.8.4.4']), '8.8.8.8');
  for (const inward of ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1', '64:ff9b::7f00:1'])
    assert.equal(await resolved(['8.8.8.8', inward]), 'egress.refused', inward);
  assert.equal(await resolved([]), 'egress.refused');
});

test('a client that is guarded connects to nothing inside, and to what it may call whatever the name said before', async () => {
  const authority = await testAuthority('Spine');
  const tls = await testIdentity(authority, 'msg.spine.test');
  let requests = 0;
  let connections = 0;
  const server = createServer({ tls });
  server.get('/', async () => `${++requests}`);
  server.server.on('connection', () => connections++);
  const port = Number(new URL(await listen(server)).port);
  closers.push(() => server.close());
  // First outward, then inward: what an attacker's name server does between a check and a connection.
  const answers = ['127.0.0.1', '8.8.8.8', '127.0.0.1'];
  const resolve = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
  const guarded = (networks: readonly string[]) => {
    const client = createClient({ tls, egress: { hosts: ['.spine.test'], networks, ports: [port], resolve }, connectMs: 300 });
    closers.push(() => client.close());
    return client;
  };
  const url = `https://msg.spine.test:${port}/`;
  await assert.rejects(guarded([]).request({ method: 'GET', url }), { code: 'egress.refused' });
  await assert.rejects(guarded([]).request({ method: 'GET', url: `https://127.0.0.1:${port}/` }), { code: 'egress.refused' });
  assert.equal(connections, 0);
  answers.shift();
  const answer = await guarded(['127.0.0.0/8']).request({ method: 'GET', url });
  await discard(answer);
  assert.deepEqual([answer.status, requests], [200, 1]);
});
