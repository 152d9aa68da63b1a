import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, discard, readBody, WAIT_BYTES } from './client.ts';
import { testAuthority, testIdentity } from './testing.ts';
import { mutualTls } from './tls.ts';

const closers: (() => unknown)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});

const authority = await testAuthority('one');
const [server, caller] = [await testIdentity(authority, 'localhost'), await testIdentity(authority, 'caller')];

/** Takes bodies by fits and starts, and says their SHA-256. */
async function slow(tls: boolean): Promise<string> {
  const answer: RequestListener = (request, response) => {
    const hash = createHash('sha256');
    let seen = 0;
    const take = async (body: IncomingMessage): Promise<void> => {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        hash.update(chunk);
        seen += chunk.byteLength;
        if (seen > 500_000) {
          seen = 0;
          await sleep(15);
        }
      }
      response.end(hash.digest('hex'));
    };
    take(request).catch((thrown: Error) => response.destroy(thrown));
  };
  const listener = tls ? createHttps(mutualTls(server), answer) : createHttp(answer);
  closers.push(() => listener.close());
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  return `${tls ? 'https' : 'http'}://localhost:${(listener.address() as AddressInfo).port}/`;
}

for (const tls of [false, true]) {
  test(`a large piece of a body has left ${tls ? 'over TLS' : 'over a plain connection'} when the next is asked for`, async () => {
    const url = await slow(tls);
    const client = createClient({ tls: caller });
    closers.push(() => client.close());
    const whole = randomBytes(64 * WAIT_BYTES);
    const spoiling = async function* () {
      const room = Buffer.alloc(WAIT_BYTES);
      for (let at = 0; at < whole.byteLength; at += WAIT_BYTES) {
        whole.copy(room, 0, at, at + WAIT_BYTES);
        yield room;
        room.fill(0);
      }
    };
    const send = async () => {
      const headers = { 'content-length': String(whole.byteLength) };
      return String(await readBody(await client.request({ method: 'POST', url, headers, body: spoiling() }), 100));
    };
    const expected = createHash('sha256').update(whole).digest('hex');
    assert.deepEqual(await Promise.all([send(), send(), send()]), [expected, expected, expected]);
  });
}

test('a body whose source breaks is no request, and its own fault is what the caller sees', async () => {
  const url = await slow(false);
  const client = createClient();
  closers.push(() => client.close());
  let closed = false;
  async function* broken() {
    try {
      yield Buffer.alloc(100_000);
      throw new RangeError('the disk');
    } finally {
      closed = true;
    }
  }
  await assert.rejects(client.request({ method: 'POST', url, headers: { 'content-length': '200000' }, body: broken() }), /the disk/);
  assert.ok(closed);
  await discard(await client.request({ method: 'POST', url, body: 'and another one' }));
});
