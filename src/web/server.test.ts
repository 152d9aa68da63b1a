import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Fault } from '../base/errors.ts';
import { createClient, discard, HttpFault, readBody } from './client.ts';
import { Problem } from './problem.ts';
import { createServer, listen, SERVER_LIMITS, type ServerOptions } from './server.ts';
import { testAuthority, testIdentity } from './testing.ts';
import { clientTls, mutualTls } from './tls.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

async function serving(options: ServerOptions = {}) {
  const server = createServer(options);
  server.get('/', async () => 'hello');
  server.post('/', async (request) => ({ got: request.body }));
  server.get('/teapot', async () => {
    throw new Problem(422, 'tea.short', 'no tea left', { remedy: 'buy some' });
  });
  server.get('/broken', async () => {
    throw new Error('secret inside');
  });
  const url = await listen(server);
  closers.push(() => server.close());
  return { url, server };
}

function client(options: Parameters<typeof createClient>[0] = {}) {
  const made = createClient(options);
  closers.push(() => made.close());
  return made;
}

/** What a server says to bytes that no client library would send. */
async function raw(url: string, text: string, ms = 5_000): Promise<string> {
  return await new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    socket.setTimeout(ms, () => socket.destroy(new Error('silent')));
    socket.on('data', (data) => {
      said += String(data);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
  });
}

test('every limit that fastify leaves open is set', async () => {
  const { server } = await serving();
  const { requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxRequestsPerSocket, maxConnections, maxHeadersCount } =
    server.server;
  assert.deepEqual(
    { requestTimeout, headersTimeout, keepAliveTimeout, timeout, maxRequestsPerSocket, maxConnections, maxHeadersCount },
    {
      requestTimeout: 300_000,
      headersTimeout: 15_000,
      keepAliveTimeout: 15_000,
      timeout: 120_000,
      maxRequestsPerSocket: 1_000,
      maxConnections: 500,
      maxHeadersCount: 100,
    },
  );
  assert.equal(server.initialConfig.bodyLimit, SERVER_LIMITS.bodyBytes);
});

test('a body that never ends does not hold its connection', async () => {
  const { url } = await serving({ limits: { requestMs: 300, headersMs: 200 } });
  const said = await raw(url, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nabc');
  assert.match(said, /^HTTP\/1\.1 408 /);
});

test('two lengths, a length beside chunks and too many headers are refused', async () => {
  const { url } = await serving();
  const post = (headers: string) =>
    raw(url, `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nConnection: close\r\n${headers}\r\n\r\nabc`);
  assert.match(await post('Content-Length: 3\r\nContent-Length: 4'), /^HTTP\/1\.1 400 /);
  assert.match(await post('Content-Length: 3\r\nTransfer-Encoding: chunked'), /^HTTP\/1\.1 400 /);
  assert.match(await post(`X: ${'a'.repeat(20_000)}`), /^HTTP\/1\.1 431 /);
});

test('refusals are problem+json and an unforeseen error tells nothing of itself', async () => {
  const faults: unknown[] = [];
  const { url } = await serving({ onFault: (thrown) => faults.push(thrown) });
  const get = async (path: string, init: object = {}) => {
    const answer = await client().request({ method: 'GET', url: url + path, ...init });
    return { status: answer.status, type: answer.headers.get('content-type'), body: JSON.parse(String(await readBody(answer, 1e5))) };
  };
  assert.deepEqual(await get('/teapot'), {
    status: 422,
    type: 'application/problem+json; charset=utf-8',
    body: {
      type: 'about:blank',
      title: 'Not acceptable as it is',
      status: 422,
      code: 'tea.short',
      detail: 'no tea left',
      remedy: 'buy some',
    },
  });
  assert.equal((await get('/nowhere')).body.code, 'notFound');
  const broken = await get('/broken');
  assert.deepEqual([broken.status, broken.body.detail], [500, 'the request could not be carried out']);
  assert.match(String(faults[0]), /secret inside/);
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
  assert.equal((await get('/', { ...json, body: '{"a":' })).status, 400);
  assert.equal((await get('/', { ...json, body: '{"__proto__":{"a":1}}' })).status, 400);
  assert.equal((await get('/', { ...json, body: JSON.stringify('x'.repeat(1_100_000)) })).status, 413);
});

test('a port in use says what to do', async () => {
  const { url } = await serving();
  const second = createServer();
  closers.push(() => second.close());
  await assert.rejects(
    listen(second, { port: Number(new URL(url).port) }),
    (thrown) => thrown instanceof Fault && thrown.code === 'port.inUse' && /another port/.test(thrown.remedy ?? ''),
  );
});

test('mutual TLS lets in the right name of the right authority, and says to others that it is a matter of settings', async () => {
  const ours = await testAuthority('Ours');
  const theirs = await testAuthority('Theirs');
  const { url } = await serving({ tls: await testIdentity(ours, 'server.test'), peerNames: ['hub.test', '*.spine.test'] });
  const status = async (name: string) => {
    const answer = await client({ tls: await testIdentity(ours, name) }).request({ method: 'GET', url });
    await discard(answer);
    return answer.status;
  };
  assert.equal(await status('hub.test'), 200);
  assert.equal(await status('msg.spine.test'), 200);
  assert.equal(await status('a.msg.spine.test'), 403);
  assert.equal(await status('practice.test'), 403);

  const kind = async (tls: NonNullable<Parameters<typeof createClient>[0]>['tls']) => {
    try {
      await discard(await client({ ...(tls && { tls }) }).request({ method: 'GET', url }));
      return 'let in';
    } catch (thrown) {
      return thrown instanceof HttpFault ? thrown.kind : String(thrown);
    }
  };
  const nobody = { ca: ours.cert } as Parameters<typeof testIdentity>[0] & { key: string; cert: string; ca: string };
  assert.equal(await kind({ ca: nobody.ca, key: undefined as never, cert: undefined as never }), 'configuration', 'no certificate');
  assert.equal(await kind(await testIdentity(theirs, 'hub.test')), 'configuration', 'an authority we do not trust');
  assert.notEqual(await kind(await testIdentity(theirs, 'hub.test', ours)), 'let in', 'an authority that the server does not trust');
  assert.equal(await kind(undefined), 'configuration', 'public authorities only');
  const expired = { ...(await ours.issue('hub.test', { validDays: [-9, -2] })), ca: ours.cert };
  assert.notEqual(await kind(expired), 'let in', 'a certificate of last week');
});

test('no TLS before 1.2 is spoken and no session is resumed', async () => {
  const authority = await testAuthority('Ours');
  const { url } = await serving({ tls: await testIdentity(authority, 'server.test') });
  const identity = await testIdentity(authority, 'hub.test');
  const port = Number(new URL(url).port);
  const shake = (options: object, session?: Buffer) =>
    new Promise<{ reused: boolean; session: Buffer | undefined }>((resolve, reject) => {
      let latest: Buffer | undefined;
      let reused = false;
      const socket = connectTls({ ...clientTls(identity), host: '127.0.0.1', port, ...options, ...(session && { session }) }, () => {
        reused = socket.isSessionReused();
        latest = socket.getSession();
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      });
      socket.on('session', (given) => {
        latest = given;
      });
      socket.on('data', () => undefined);
      socket.on('error', reject);
      socket.on('close', () => resolve({ reused, session: latest }));
    });
  await assert.rejects(shake({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const first = await shake({ maxVersion });
    const second = await shake({ maxVersion }, first.session);
    assert.equal(second.reused, false, maxVersion);
  }
  assert.equal(mutualTls(identity).rejectUnauthorized, true);
});

test('an answer larger than it may be is given up, a redirect is an answer like any other', async () => {
  const { url, server } = await serving();
  void server;
  const other = createServer();
  other.get('/large', async () => 'x'.repeat(1_000_000));
  other.get('/away', async (_request, reply) => reply.redirect(url));
  const at = await listen(other);
  closers.push(() => other.close());
  const answer = await client().request({ method: 'GET', url: `${at}/large` });
  await assert.rejects(readBody(answer, 1_000), { code: 'http.tooLarge' });
  const redirect = await client().request({ method: 'GET', url: `${at}/away` });
  await discard(redirect);
  assert.equal(redirect.status, 302);
  await assert.rejects(client().request({ method: 'GET', url: 'ftp://x' }), { code: 'http.configuration' });
});

test('connections are kept: many requests, one connection', async () => {
  const { url, server } = await serving();
  let connections = 0;
  server.server.on('connection', () => connections++);
  const one = client({ connections: 1 });
  for (let at = 0; at < 20; at++) await discard(await one.request({ method: 'GET', url }));
  assert.equal(connections, 1);
});
