/** Certificate, key and authorities exchanged under load, and what is said when they cannot be. */
import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../base/errors.ts';
import { createClient, discard, HttpFault } from '../web/client.ts';
import { createServer, listen, swapIdentity } from '../web/server.ts';
import { type TestAuthority, testAuthority, testIdentity } from '../web/testing.ts';
import type { TlsIdentity } from '../web/tls.ts';
import { readIdentity, watchCertificates } from './certificates.ts';
import { parseConfig } from './config.ts';
import { startNode } from './serve.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

type Said = { readonly code: string; readonly text: string; readonly remedy: string | undefined };

/** An identity as three files that can be replaced. */
async function files(identity: TlsIdentity) {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-certificates-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const paths = { certificate: join(folder, 'node.pem'), key: join(folder, 'node.key'), authorities: [join(folder, 'authorities.pem')] };
  const put = async (path: string, text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  const replace = async ({ cert, key, ca }: TlsIdentity): Promise<void> => {
    await put(paths.certificate, cert);
    await put(paths.key, key);
    await put(paths.authorities[0] ?? '', ca);
  };
  await replace(identity);
  return { paths, replace, put };
}

/** A listener and a client of one node whose identity lies in files, and what its operator was told. */
async function node(identity: TlsIdentity) {
  const { paths, replace, put } = await files(identity);
  const first = await readIdentity(paths);
  const server = createServer({ tls: first, peerNames: ['hub.test'] });
  server.post('/', async () => 'taken');
  const url = await listen(server);
  closers.push(() => server.close());
  const client = createClient({ tls: first });
  closers.push(() => client.close());
  const said: Said[] = [];
  const certificates = watchCertificates({
    identity: first,
    files: paths,
    now: () => new Date(),
    apply(next) {
      swapIdentity(server, next);
      client.swap(next);
    },
    tell: (code, text, remedy) => said.push({ code, text, remedy }),
    lookMs: 3_600_000,
  });
  closers.push(async () => certificates.close());
  // The authority of the tests lives a month.
  const about = () => said.filter(({ code }) => code !== 'certificate.expires');
  return { url, client, certificates, replace, put, paths, said, about };
}

const both = (one: TestAuthority, other: TestAuthority): string => `${one.cert}\n${other.cert}`;

test('key, certificate and authority are exchanged under load, both ways, and not one request is refused', async () => {
  const [old, next] = [await testAuthority('Old'), await testAuthority('New')];
  const own = await node({ ...(await old.issue('node.test')), ca: both(old, next) });
  // The hub has its own clients, and is called by the node's.
  const hub = createClient({ tls: { ...(await old.issue('hub.test')), ca: both(old, next) } });
  closers.push(() => hub.close());
  const peer = createServer({ tls: { ...(await old.issue('hub.test')), ca: both(old, next) }, peerNames: ['node.test'] });
  peer.post('/', async () => 'taken');
  const peerUrl = await listen(peer);
  closers.push(() => peer.close());

  let stop = false;
  const counts = { in: 0, out: 0 };
  const refused: string[] = [];
  const load = async (direction: 'in' | 'out'): Promise<void> => {
    const [client, url] = direction === 'in' ? [hub, own.url] : [own.client, peerUrl];
    while (!stop) {
      try {
        const answer = await client.request({ method: 'POST', url, body: Buffer.alloc(20_000), headers: { 'content-type': 'text/plain' } });
        await discard(answer);
        if (answer.status !== 200) refused.push(`${direction} ${answer.status}`);
      } catch (thrown) {
        refused.push(`${direction} ${String(thrown)}`);
      }
      counts[direction]++;
    }
  };
  const loads = [load('in'), load('in'), load('in'), load('out'), load('out')];
  for (let round = 0; round < 6; round++) {
    const before = { ...counts };
    while (counts.in < before.in + 20 || counts.out < before.out + 20) await new Promise((done) => setTimeout(done, 5));
    const issuer = round % 2 ? old : next;
    await own.replace({ ...(await issuer.issue('node.test')), ca: both(issuer, issuer === old ? next : old) });
    await own.certificates.look();
  }
  stop = true;
  await Promise.all(loads);
  assert.deepEqual(refused, []);
  assert.deepEqual(
    own.about().map(({ code }) => code),
    Array.from({ length: 6 }, () => 'certificate.exchanged'),
  );
});

test('an authority that is taken away vouches for nobody any more, on open connections neither', async () => {
  const [old, next] = [await testAuthority('Old'), await testAuthority('New')];
  const own = await node({ ...(await old.issue('node.test')), ca: both(old, next) });
  const before = createClient({ tls: { ...(await old.issue('hub.test')), ca: both(old, next) }, connections: 1 });
  const after = createClient({ tls: { ...(await next.issue('hub.test')), ca: both(old, next) }, connections: 1 });
  closers.push(
    () => before.close(),
    () => after.close(),
  );
  const status = async (client: typeof before): Promise<number | string> => {
    try {
      const answer = await client.request({ method: 'POST', url: own.url });
      await discard(answer);
      return answer.status;
    } catch (thrown) {
      return thrown instanceof HttpFault ? thrown.kind : String(thrown);
    }
  };
  assert.deepEqual([await status(before), await status(after)], [200, 200]);
  await own.replace({ ...(await next.issue('node.test')), ca: next.cert });
  await own.certificates.look();
  assert.equal(await status(before), 403, 'the connection that was open');
  assert.notEqual(await status(before), 200, 'a new one');
  assert.deepEqual([await status(after), await status(after)], [200, 200]);
});

test('an identity that cannot work is not taken, the one before goes on, and the operator is told once', async () => {
  const authority = await testAuthority('Ours');
  const own = await node(await testIdentity(authority, 'node.test'));
  const { cert, key } = await authority.issue('node.test');
  await own.put(own.paths.certificate, cert);
  await own.certificates.look();
  assert.deepEqual(own.about(), [], 'the key may be on its way');
  for (let turn = 0; turn < 3; turn++) await own.certificates.look();
  assert.equal(own.about().length, 1);
  assert.match(own.about()[0]?.text ?? '', /the key is not that of the certificate/);
  const expired = await authority.issue('node.test', { validDays: [-9, -2] });
  await own.replace({ ...expired, ca: authority.cert });
  for (let turn = 0; turn < 3; turn++) await own.certificates.look();
  assert.match(own.about()[1]?.text ?? '', /ended on .*have a new one issued/);
  const hub = createClient({ tls: await testIdentity(authority, 'hub.test') });
  closers.push(() => hub.close());
  const answer = await hub.request({ method: 'POST', url: own.url });
  await discard(answer);
  assert.equal(answer.status, 200);
  await own.replace({ cert, key, ca: authority.cert });
  await own.certificates.look();
  assert.equal(own.about()[2]?.code, 'certificate.exchanged');
});

test('the end of a certificate is told thirty days and seven days before, and on its day, once each', async () => {
  const authority = await testAuthority('Ours');
  const identity = { ...(await authority.issue('node.test', { validDays: [-1, 40] })), ca: (await testAuthority('Theirs')).cert };
  const said: Said[] = [];
  let days = 0;
  const certificates = watchCertificates({
    identity,
    files: null,
    now: () => new Date(Date.now() + days * 86_400_000),
    apply: () => undefined,
    tell: (code, text, remedy) => text.includes('node.test') && said.push({ code, text, remedy }),
    expiryMs: 5,
  });
  closers.push(async () => certificates.close());
  const told: [number, number][] = [];
  for (days of [0, 5, 11, 20, 34, 38, 41, 50]) {
    await new Promise((done) => setTimeout(done, 40));
    told.push([days, said.length]);
  }
  assert.deepEqual(told, [
    [0, 0],
    [5, 0],
    [11, 1],
    [20, 1],
    [34, 2],
    [38, 2],
    [41, 3],
    [50, 3],
  ]);
  assert.match(said[0]?.text ?? '', /in 28 days|in 29 days/);
  assert.match(said[2]?.text ?? '', /ended on/);
  assert.match(said[0]?.remedy ?? '', /takes it while it runs/);
});

test('a certificate that is out of date, or of another host, is refused on either side with the remedy in words', async () => {
  const authority = await testAuthority('Ours');
  const client = createClient({ tls: await testIdentity(authority, 'node.test') });
  closers.push(() => client.close());
  const against = async (tls: TlsIdentity): Promise<string> => {
    const server = createServer({ tls });
    const url = await listen(server);
    closers.push(() => server.close());
    try {
      await discard(await client.request({ method: 'GET', url: url.replace('127.0.0.1', 'localhost') }));
      return 'let in';
    } catch (thrown) {
      assert.ok(thrown instanceof HttpFault && thrown.kind === 'configuration', String(thrown));
      return thrown.remedy ?? '';
    }
  };
  assert.match(
    await against({ ...(await authority.issue('hub.test', { validDays: [-9, -2] })), ca: authority.cert }),
    /out of date: whoever runs it has to renew it/,
  );
  assert.match(
    await against({ ...(await authority.issue('hub.test', { only: true })), ca: authority.cert }),
    /for another host: correct the host name/,
  );
  assert.match(
    await against({ ...(await (await testAuthority('Theirs')).issue('hub.test')), ca: authority.cert }),
    /authority .* not among the configured ones/,
  );

  const faults: string[] = [];
  const server = createServer({ tls: await testIdentity(authority, 'node.test'), onTlsFault: ({ remedy }) => faults.push(remedy ?? '') });
  const url = await listen(server);
  closers.push(() => server.close());
  const call = async (tls: TlsIdentity): Promise<void> => {
    const caller = createClient({ tls });
    await assert.rejects(caller.request({ method: 'GET', url }));
    await caller.close();
  };
  await call({ ...(await authority.issue('hub.test', { validDays: [-9, -2] })), ca: authority.cert });
  await call({ ...(await (await testAuthority('Theirs')).issue('hub.test')), ca: authority.cert });
  await call({ ca: authority.cert, key: undefined as never, cert: undefined as never });
  assert.match(faults.join('\n'), /is out of date and has to be renewed there/);
  assert.match(faults.join('\n'), /no configured authority vouches for/);
  assert.match(faults.join('\n'), /has to show a client certificate/);
});

test('a node does not start with a certificate that cannot work, and says what to do', async () => {
  const authority = await testAuthority('Ours');
  const { paths } = await files({ ...(await authority.issue('node.test', { validDays: [-9, -2] })), ca: authority.cert });
  const config = parseConfig(
    JSON.stringify({
      data: join(paths.certificate, '..', 'data'),
      log: 'silent',
      spine: { url: 'https://hub.test/', tls: paths, registeredName: 'registered.test' },
      sds: { url: 'http://127.0.0.1:9' },
      pds: { url: 'http://127.0.0.1:9', token: 'application' },
    }),
    {},
  );
  await assert.rejects(startNode(config), (thrown) => {
    assert.ok(thrown instanceof Fault && thrown.code === 'config.certificate');
    assert.match(thrown.message, /ended on .*have a new one issued/);
    assert.match(thrown.message, /not for registered.test/);
    return true;
  });
});
