import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../base/errors.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { startPds } from '../simulator/pds.ts';
import { createClient, type HttpClient } from '../web/client.ts';
import { type AccessOptions, createAccess } from './access.ts';
import { createPds } from './pds.ts';

const PATH = '/personal-demographics/FHIR/R4';
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const client = createClient();
closers.push(() => client.close());
const folder = await mkdtemp(join(tmpdir(), 'gp2gp-access-'));
closers.push(() => rm(folder, { recursive: true, force: true }));
/** A platform that was written without our signer, and checks what the real one checks. */
const platform = await startPds({
  folder: join(folder, 'pds'),
  people: [{ nhsNumber: '9990000018', family: 'Example', given: ['Ada'], birthDate: '1970-01-01', gender: 'female', practice: null }],
  clients: { app: { kid: 'key-1', publicKey } },
});
closers.push(() => platform.close());

/** Counts what goes to the token endpoint. */
function counted(answer: HttpClient['request'] = client.request): HttpClient & { tokens: number } {
  const own = {
    tokens: 0,
    request: async (request: Parameters<HttpClient['request']>[0]) => {
      own.tokens++;
      return await answer(request);
    },
    close: async () => undefined,
  };
  return own;
}

function access(change: Partial<AccessOptions> = {}) {
  return createAccess({
    tokenUrl: `${platform.url}/oauth2/token`,
    clientId: 'app',
    key: privateKey,
    keyId: 'key-1',
    client,
    newId: randomUUID,
    now: () => new Date(),
    ...change,
  });
}

test('an assertion signed by us is good for a token, and the token for a patient', async () => {
  const pds = createPds({ url: platform.url + PATH, client, token: access(), newId: randomUUID, now: () => new Date() });
  const read = await pds.patient('9990000018' as NhsNumber);
  assert.ok('patient' in read, JSON.stringify(read));
});

test('one token serves until its last minute, and one request however many wait for it', async () => {
  // The platform's clock cannot be moved.
  const given = () => JSON.stringify({ access_token: randomUUID(), expires_in: '599' });
  const http = counted(async () => ({ status: 200, headers: new Map(), body: one(given()) }));
  let at = Date.now();
  const token = access({ client: http, now: () => new Date(at) });
  const all = await Promise.all(Array.from({ length: 20 }, () => token(false)));
  assert.equal(new Set(all).size, 1);
  assert.equal(http.tokens, 1);
  at += 530_000;
  assert.equal(await token(false), all[0]);
  at += 10_000;
  assert.notEqual(await token(false), all[0], 'ten minutes less one second, and the minute before');
  assert.equal(http.tokens, 2);
});

test('a token that the service refuses is exchanged, but not one that has just been given', async () => {
  const http = counted();
  let at = Date.now();
  const token = access({ client: http, now: () => new Date(at) });
  const first = await token(false);
  assert.equal(await token(true), first);
  at += 5_000;
  const [second, third] = await Promise.all([token(true), token(true)]);
  assert.notEqual(second, first);
  assert.equal(second, third);
  assert.equal(http.tokens, 2);
});

test('each refusal says what to look at; trouble that passes is told from it', async () => {
  const code = async (change: Partial<AccessOptions>): Promise<string> => {
    try {
      await access(change)(false);
      return 'given';
    } catch (thrown) {
      assert.ok(thrown instanceof Fault, String(thrown));
      return `${thrown.code} ${thrown.message}`;
    }
  };
  assert.match(await code({ keyId: 'key-2' }), /^access.refused .*401.*no matching public key/);
  assert.match(await code({ clientId: 'nobody' }), /^access.refused .*iss\/sub/);
  assert.match(await code({ now: () => new Date(Date.now() - 3_600_000) }), /^access.refused .*expired/);
  assert.match(await code({ now: () => new Date(Date.now() + 3_600_000) }), /^access.refused .*5 minutes/);
  assert.match(await code({ key: 'nonsense' }), /^access.key /);
  assert.match(await code({ tokenUrl: 'http://127.0.0.1:9/oauth2/token' }), /^access.unavailable /);
  const page = (status: number): HttpClient => ({
    request: async () => ({ status, headers: new Map(), body: one('<html>') }),
    close: async () => undefined,
  });
  assert.match(await code({ client: page(503) }), /^access.unavailable /);
  assert.match(await code({ client: page(404) }), /^access.refused /);
  assert.match(await code({ client: page(200) }), /^access.unavailable /);
});

test('without access PDS gives no answer, and says whether that passes', async () => {
  const failed = async (token: (renew: boolean) => Promise<string>) => {
    const pds = createPds({ url: platform.url + PATH, client, token, newId: randomUUID, now: () => new Date(), waits: [] });
    const read = await pds.patient('9990000018' as NhsNumber);
    return 'failed' in read ? read.failed : 'read';
  };
  assert.equal(await failed(access({ keyId: 'key-2' })), 'denied');
  assert.equal(await failed(access({ tokenUrl: 'http://127.0.0.1:9/oauth2/token' })), 'unavailable');
});

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
