import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type PdsOptions, startPds } from './pds.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'pds-'));
});
after(() => rm(root, { recursive: true, force: true }));

const NHS = '9990000018';
const person = (more: object = {}): PdsOptions['people'][number] => ({
  nhsNumber: NHS,
  family: 'Example',
  given: ['Sam'],
  birthDate: '1970-02-03',
  gender: 'female',
  practice: { ods: 'A11111', start: '2020-01-01' },
  ...more,
});
let count = 0;
const start = (more: Partial<PdsOptions> = {}) => startPds({ folder: join(root, String(++count)), people: [person()], ...more });

async function ask(url: string, path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  const headers = { authorization: 'Bearer t', 'x-request-id': randomUUID(), ...init.headers };
  const answer = await fetch(`${url}${path}`, { ...init, headers });
  return {
    status: answer.status,
    etag: answer.headers.get('etag'),
    body: (await answer.json()) as Record<string, never> & { id?: string },
  };
}

const move = (id: string | undefined, ods: string, ifMatch: string, requestId: string = randomUUID()) => ({
  method: 'PATCH',
  headers: { 'content-type': 'application/json-patch+json', 'if-match': ifMatch, 'x-request-id': requestId },
  body: JSON.stringify({
    patches: [
      {
        op: 'replace',
        path: '/generalPractitioner/0',
        value: {
          id,
          type: 'Organization',
          identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods, period: { start: '2026-01-05' } },
        },
      },
    ],
  }),
});
const gpOf = (body: unknown) => (body as { generalPractitioner: { id: string; identifier: { value: string } }[] }).generalPractitioner[0];

test('the registered practice is changed under its version, once per request id', async (t) => {
  const pds = await start();
  t.after(() => pds.close());
  const read = await ask(pds.url, `/Patient/${NHS}`);
  assert.equal(read.etag, 'W/"1"');
  const requestId = randomUUID();
  const patched = await ask(pds.url, `/Patient/${NHS}`, move(gpOf(read.body)?.id, 'B22222', 'W/"1"', requestId));
  assert.equal(patched.status, 200);
  assert.equal(patched.etag, 'W/"2"');
  assert.equal(gpOf(patched.body)?.identifier.value, 'B22222');
  const again = await ask(pds.url, `/Patient/${NHS}`, move(gpOf(read.body)?.id, 'B22222', 'W/"1"', requestId));
  assert.deepEqual([again.status, again.etag], [200, 'W/"2"']);
  const stale = await ask(pds.url, `/Patient/${NHS}`, move(gpOf(patched.body)?.id, 'C33333', 'W/"1"'));
  assert.equal(stale.status, 409);
  assert.match(JSON.stringify(stale.body), /RESOURCE_VERSION_MISMATCH/);
  const careless = move(gpOf(patched.body)?.id, 'C33333', 'W/"2"');
  assert.equal((await ask(pds.url, `/Patient/${NHS}`, { ...careless, headers: { ...careless.headers, 'if-match': '' } })).status, 412);
  assert.equal((await ask(pds.url, `/Patient/${NHS}`, move('WRONG', 'C33333', 'W/"2"'))).status, 400);
});

test('a second run goes on where the first stopped', async () => {
  const first = await start();
  const folder = join(root, String(count));
  const read = await ask(first.url, `/Patient/${NHS}`);
  await ask(first.url, `/Patient/${NHS}`, move(gpOf(read.body)?.id, 'B22222', 'W/"1"'));
  await first.close();
  const second = await startPds({ folder, people: [person()] });
  const back = await ask(second.url, `/Patient/${NHS}`);
  assert.equal(back.etag, 'W/"2"');
  assert.equal(gpOf(back.body)?.identifier.value, 'B22222');
  await second.close();
});

test('restricted, superseded, invalidated and unknown people are answered as PDS answers', async (t) => {
  const pds = await start({
    people: [
      person({ restricted: true, postalCode: 'LS1 4AP' }),
      person({ nhsNumber: '9990000026', supersededBy: '9990000034' }),
      person({ nhsNumber: '9990000034', family: 'Other' }),
      person({ nhsNumber: '9990000042', invalidated: true }),
    ],
  });
  t.after(() => pds.close());
  const restricted = await ask(pds.url, `/Patient/${NHS}`);
  assert.match(JSON.stringify(restricted.body), /"code":"R"/);
  assert.equal('generalPractitioner' in restricted.body, false);
  assert.equal((await ask(pds.url, '/Patient/9990000026')).body.id, '9990000034');
  assert.match(JSON.stringify((await ask(pds.url, '/Patient/9990000042')).body), /INVALIDATED_RESOURCE/);
  assert.equal((await ask(pds.url, '/Patient/9990000050')).status, 404);
  assert.equal((await ask(pds.url, '/Patient/9990000051')).status, 400);
  assert.equal((await ask(pds.url, `/Patient/${NHS}`, { headers: { 'x-request-id': 'x' } })).status, 400);
  assert.equal((await ask(pds.url, `/Patient/${NHS}`, { headers: { authorization: '' } })).status, 401);
  const traced = await ask(pds.url, '/Patient?family=OTHER&birthdate=eq1970-02-03');
  assert.match(JSON.stringify(traced.body), /"total":1,.*9990000034/);
});

test('a token of an application reads and may not write; it is given for a well signed assertion once', async (t) => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const pds = await start({ clients: { app: { kid: 'k1', publicKey } } });
  t.after(() => pds.close());
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const assertion = (claims: object = {}) => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const all = { iss: 'app', sub: 'app', aud: `${pds.url}/oauth2/token`, jti: randomUUID(), exp, ...claims };
    const text = `${part({ alg: 'RS512', typ: 'JWT', kid: 'k1' })}.${part(all)}`;
    return `${text}.${sign('sha512', Buffer.from(text), keys.privateKey).toString('base64url')}`;
  };
  const token = async (jwt: string) => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: jwt,
    });
    const answer = await fetch(`${pds.url}/oauth2/token`, { method: 'POST', body });
    return { status: answer.status, body: (await answer.json()) as { access_token?: string } };
  };
  const jwt = assertion();
  const given = await token(jwt);
  assert.equal(given.status, 200);
  assert.equal((await token(jwt)).status, 400, 'the same jti twice');
  assert.equal((await token(assertion({ exp: Math.floor(Date.now() / 1000) + 900 }))).status, 400);
  assert.equal((await token(assertion({ aud: 'https://elsewhere.test/token' }))).status, 401);
  assert.equal((await token(`${jwt.slice(0, -8)}AAAAAAAA`)).status, 401);
  const authorization = `Bearer ${given.body.access_token}`;
  const read = await ask(pds.url, `/Patient/${NHS}`, { headers: { authorization } });
  assert.equal(read.status, 200);
  const patch = move(gpOf(read.body)?.id, 'B22222', 'W/"1"');
  assert.equal((await ask(pds.url, `/Patient/${NHS}`, { ...patch, headers: { ...patch.headers, authorization } })).status, 403);
});

test('an update whose answer was lost is not done again when it is asked for again', async (t) => {
  const pds = await start();
  t.after(() => pds.close());
  const read = await ask(pds.url, `/Patient/${NHS}`);
  const body = JSON.stringify({ commitThenFail: true, times: 1 });
  await fetch(`${pds.url}/control/switches`, { method: 'PUT', body });
  const patch = move(gpOf(read.body)?.id, 'B22222', 'W/"1"', randomUUID());
  assert.equal((await ask(pds.url, `/Patient/${NHS}`, patch)).status, 503);
  const again = await ask(pds.url, `/Patient/${NHS}`, patch);
  assert.deepEqual([again.status, again.etag], [200, 'W/"2"']);
});
