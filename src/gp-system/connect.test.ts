import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { ods } from '../base/ids.ts';
import { nhsNumber } from '../base/nhs-number.ts';
import { openObjects } from '../objects/objects.ts';
import { startGpSystems } from '../simulator/gp-system/gp-systems.ts';
import { NHS, smallBundle } from '../simulator/gp-system/testing.ts';
import { createClient } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { readBinary } from './binary.ts';
import { createGpConnect, type GpConnectOptions } from './connect.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const client = createClient();
closers.push(() => client.close());
const folder = await mkdtemp(join(tmpdir(), 'connect-'));
closers.push(() => rm(folder, { recursive: true }));
const objects = await openObjects(join(folder, 'objects'));
const patient = nhsNumber(NHS);
assert.ok(patient);
const ask = { nhsNumber: patient, requester: ods('A11111'), traceId: '0F3C0A10-0000-4000-8000-00000000C001' };

function connect(base: string, options: Partial<GpConnectOptions> = {}) {
  return createGpConnect({
    base,
    client,
    objects,
    fromAsid: '200000000001',
    toAsid: '200000000002',
    consumer: { url: 'https://node.test', product: 'Open GP2GP', version: '0.1.0' },
    now: () => new Date(),
    waits: [],
    ...options,
  });
}

type Given = { status?: number; type?: string; body: string | Buffer | (() => AsyncIterable<Uint8Array>) };

/** A provider that gives these answers in turn, the last for ever. */
async function provider(...answers: Given[]) {
  const asked: { url: string; headers: IncomingHttpHeaders; body: unknown }[] = [];
  const server = createServer();
  server.addContentTypeParser('application/fhir+json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, JSON.parse(String(body))),
  );
  server.all('*', async (request, reply) => {
    asked.push({ url: request.url, headers: request.headers, body: request.body });
    const given = answers[Math.min(asked.length, answers.length) - 1];
    reply.code(given?.status ?? 200).header('content-type', given?.type ?? 'application/fhir+json');
    return reply.send(typeof given?.body === 'function' ? Readable.from(given.body(), { objectMode: false }) : given?.body);
  });
  const url = await listen(server);
  closers.push(() => server.close());
  return { url: `${url}/B22222/STU3/1/gpconnect/fhir`, asked };
}

function outcome(status: number, code: string, display = ''): Given {
  const coding = [{ system: 'https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1', code, ...(display && { display }) }];
  return {
    status,
    body: JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ details: { coding }, diagnostics: 'patient 9990000018' }] }),
  };
}

async function stored(ref: { sha256: string; bytes: number }): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of objects.get(ref)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('a simulated practice gives its record and its documents, byte for byte', async () => {
  const systems = await startGpSystems({
    folder: join(folder, 'practice'),
    practices: [{ ods: 'B22222', asid: '200000000002', nodeUrls: [], apiKey: 'k' }],
    pdsUrl: null,
  });
  closers.push(() => systems.close());
  await systems.addRecord('B22222', JSON.stringify(smallBundle([{ id: 'd1', contentType: 'image/tiff', size: 1_000_000 }])));
  const system = connect(systems.gpConnectBase('B22222'));
  const record = await system.fetchRecord(ask);
  assert.ok(record.fetched, JSON.stringify(record));
  assert.equal(JSON.parse(String(await stored(record.bundle))).resourceType, 'Bundle');
  const document = await system.fetchBinary({ ...ask, url: 'https://elsewhere.test/Binary/d1' });
  assert.ok(document.fetched, JSON.stringify(document));
  const [served] = systems.served;
  assert.deepEqual([document.object.sha256, document.object.bytes, document.contentType], [served?.sha256, 1_000_000, 'image/tiff']);
  assert.deepEqual(await system.fetchBinary({ ...ask, url: '/Binary/other' }), {
    fetched: false,
    missing: 'NO_RECORD_FOUND',
    file: 'notFound',
    trouble: false,
  });
});

test('the provider sees the headers, the parameters and a token that is good for five minutes', async () => {
  const { url, asked } = await provider({ body: '{}' });
  const now = new Date('2026-01-05T09:30:00.900Z');
  await connect(url, { now: () => now }).fetchRecord(ask);
  assert.equal(asked[0]?.url, '/B22222/STU3/1/gpconnect/fhir/Patient/$gpc.migratestructuredrecord');
  const headers = asked[0]?.headers ?? {};
  assert.equal(headers['ssp-interactionid'], 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.migratestructuredrecord-1');
  assert.deepEqual([headers['ssp-from'], headers['ssp-to'], headers['ssp-traceid']], ['200000000001', '200000000002', ask.traceId]);
  assert.deepEqual(asked[0]?.body, {
    resourceType: 'Parameters',
    parameter: [
      { name: 'patientNHSNumber', valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: NHS } },
      { name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: true }] },
    ],
  });
  const token = /^Bearer ([^.]+)\.([^.]+)\.$/.exec(headers.authorization ?? '');
  assert.deepEqual(JSON.parse(String(Buffer.from(token?.[1] ?? '', 'base64url'))), { alg: 'none', typ: 'JWT' });
  const claims = JSON.parse(String(Buffer.from(token?.[2] ?? '', 'base64url')));
  assert.deepEqual([claims.iat, claims.exp], [1767605400, 1767605700]);
  assert.deepEqual([claims.reason_for_request, claims.requested_scope, claims.aud], ['migration', 'patient/*.read conf/R', url]);
  assert.equal(claims.requesting_organization.identifier[0].value, 'A11111');
  assert.equal(claims.sub, claims.requesting_practitioner.id);
});

test('each attempt shows a token of its own', async () => {
  const { url, asked } = await provider({ status: 503, body: '<html>' }, { status: 500, body: '' }, { body: '{"resourceType":"Bundle"}' });
  let seconds = 0;
  const got = await connect(url, { waits: [5, 5, 5], now: () => new Date(1_767_605_400_000 + 400_000 * seconds++) }).fetchRecord(ask);
  assert.equal(got.fetched, true);
  assert.equal(new Set(asked.map(({ headers }) => headers.authorization)).size, 3);
});

test('each refusal of a record has the code that the other practice is told', async () => {
  const cases: [Given, string][] = [
    [outcome(404, 'PATIENT_NOT_FOUND'), '06'],
    [outcome(403, 'NO_RELATIONSHIP'), '19'],
    [outcome(400, 'INVALID_NHS_NUMBER'), '19'],
    [outcome(400, 'INVALID_PATIENT_DEMOGRAPHICS'), '20'],
    [outcome(400, 'BAD_REQUEST'), '18'],
    [outcome(422, 'INVALID_RESOURCE'), '18'],
    [outcome(422, 'INVALID_PARAMETER'), '18'],
    [outcome(403, 'ACCESS_DENIED'), '20'],
    [outcome(400, 'CONFLICTING_VALUES'), '20'],
    [{ status: 404, type: 'text/html', body: '<html>no such page</html>' }, '20'],
    [{ status: 501, body: '' }, '20'],
    [{ status: 502, type: 'text/html', body: '<html>Bad Gateway</html>' }, '20'],
    [{ body: Buffer.alloc(2_000, ' ') }, '10'],
  ];
  for (const [given, code] of cases) {
    const { url } = await provider(given);
    const got = await connect(url, { recordBytes: 1_000 }).fetchRecord(ask);
    assert.equal(got.fetched ? 'fetched' : got.code, code, String(given.body).slice(0, 100));
  }
  const silent = await connect('http://127.0.0.1:1').fetchRecord(ask);
  assert.equal(silent.fetched ? 'fetched' : silent.code, '99');
});

test('a document that cannot be had says why, in place of failing the transfer', async () => {
  const fetch = async (given: Given, options: Partial<GpConnectOptions> = {}) =>
    await connect((await provider(given)).url, options).fetchBinary({ ...ask, url: 'Binary/d1' });
  const binary = (content: string) => ({ body: `{"resourceType":"Binary","contentType":"text/plain","content":"${content}"}` });
  const missing = async (given: Given, options?: Partial<GpConnectOptions>) => {
    const got = await fetch(given, options);
    assert.ok(!got.fetched, JSON.stringify(got));
    return [got.missing, got.trouble];
  };
  assert.deepEqual(await missing(outcome(404, 'NO_RECORD_FOUND', 'larger than 100 MB')), ['larger than 100 MB', false]);
  assert.deepEqual(await missing(outcome(403, 'NO_RELATIONSHIP')), ['NO_RELATIONSHIP', true]);
  assert.deepEqual(await missing({ status: 502, body: '<html>' }), ["the practice's system answered 502", true]);
  assert.deepEqual(await missing(binary('')), ['it is empty', false]);
  assert.deepEqual(await missing({ body: '{"resourceType":"Binary"}' }), ['it is empty', false]);
  assert.deepEqual(await missing(binary('A!==')), ['it could not be read', false]);
  assert.deepEqual(await missing({ body: '<html>' }), ['it could not be read', false]);
  assert.deepEqual(await missing(binary('QUJD'.repeat(1_000)), { binaryBytes: 1_000 }), ['it is too large to be sent', false]);
  assert.deepEqual(await missing({ body: '{"resourceType":"Patient","content":"QUJD"}' }), ['it could not be read', false]);
  const elsewhere = await connect('http://127.0.0.1:1').fetchBinary({ ...ask, url: 'https://inside.test/admin?x=Binary' });
  assert.deepEqual(elsewhere, { fetched: false, missing: 'its address in the record names no document', trouble: false });
});

test('an answer that breaks off is asked for again', async () => {
  const half = { body: '{"resourceType":"Binary","contentType":"text/plain","content":"QUJ' };
  const whole = { body: '{"resourceType":"Binary","content":"QUJD","contentType":"text/plain"}' };
  const { url, asked } = await provider(half, whole);
  const got = await connect(url, { waits: [5] }).fetchBinary({ ...ask, url: 'Binary/d1' });
  assert.ok(got.fetched);
  assert.equal(String(await stored(got.object)), 'ABC');
  assert.equal(asked.length, 2);
});

test('a document of 30 MB passes in little memory', async () => {
  // Garbage that nobody has collected yet is not memory that is needed: it is collected before each look.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const needed = (): number => {
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return arrayBuffers + heapUsed;
  };
  const megabyte = randomBytes(786_432);
  const hash = createHash('sha256');
  const looks: number[] = [];
  async function* body() {
    yield Buffer.from('{"resourceType":"Binary","id":"d1","content":"');
    const text = Buffer.from(megabyte.toString('base64').replaceAll('/', '\\/'));
    for (let at = 0; at < 40; at++) {
      if (at % 13 === 12) looks.push(needed() - before);
      hash.update(megabyte);
      yield text;
    }
    yield Buffer.from('","contentType":"image/tiff"}');
  }
  const { url } = await provider({ body });
  const before = needed();
  const got = await connect(url).fetchBinary({ ...ask, url: 'Binary/d1' });
  assert.ok(got.fetched, JSON.stringify(got));
  assert.deepEqual([got.object.bytes, got.contentType], [31_457_280, 'image/tiff']);
  assert.equal(got.object.sha256, hash.digest('hex'));
  assert.equal(looks.length, 3);
  for (const bytes of looks) assert.ok(bytes < 12_000_000, `${bytes} bytes needed for a document of 31,457,280`);
});

test('wherever its bytes are cut and whatever stands beside it, the content of a Binary is found', async () => {
  const text = fc.string({ maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.dictionary(text, fc.oneof(text, fc.array(text), fc.record({ content: text }), fc.integer(), fc.constant(null)), { maxKeys: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (bytes, beside, first, step) => {
        for (const key of ['content', 'contentType', 'resourceType', '__proto__']) delete beside[key];
        const own = { resourceType: 'Binary', content: Buffer.from(bytes).toString('base64'), contentType: 'a/"b' };
        const all = first ? { ...own, ...beside } : { ...beside, ...own };
        const json = Buffer.from(JSON.stringify(all, null, step % 3).replaceAll('+', '\\u002b'));
        async function* cut() {
          for (let at = 0; at < json.byteLength; at += step) yield json.subarray(at, at + step);
        }
        const binary = readBinary(cut());
        const pieces: Uint8Array[] = [];
        for await (const piece of binary.bytes) pieces.push(piece);
        assert.deepEqual(Buffer.concat(pieces), Buffer.from(bytes));
        assert.deepEqual(binary.frame(), { contentType: 'a/"b', hasContent: true });
      },
    ),
    { numRuns: 300 },
  );
});
