/** Two nodes and a simulated Spine between them: real listeners, real TLS, real database, real files. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { Fault } from '../base/errors.ts';
import { startTestServer, TEST_DATABASE } from '../database/testing.ts';
import { startS3 } from '../objects/s3-testing.ts';
import type { ConversionReport } from '../record/types.ts';
import { makeCertificates } from '../simulator/certificates.ts';
import { type GpSystems, startGpSystems } from '../simulator/gp-system/gp-systems.ts';
import { type Hub, startHub } from '../simulator/hub/hub.ts';
import { type Pds, startPds } from '../simulator/pds.ts';
import { startSds } from '../simulator/sds.ts';
import { built, conceptId, description, descriptionId, filesOf } from '../terminology/testing.ts';
import { type NodeConfig, parseConfig } from './config.ts';
import { type RunningNode, startNode } from './serve.ts';

const PDS_PATH = '/personal-demographics/FHIR/R4';
const NORTH = { ods: 'N82001', asid: '200000000001', partyKey: 'N82001-800001', apiKey: 'key-of-the-north-practice' };
const SOUTH = { ods: 'S82001', asid: '200000000002', partyKey: 'S82001-800001', apiKey: 'key-of-the-south-practice' };
const ENDED_MS = 60_000;

let folder: string;
const closers: (() => Promise<unknown>)[] = [];
let hub: Hub;
let pds: Pds;
/** Doors before the services that both nodes ask. */
const gates = new Map<'sds' | 'pds', Gate>();
const systems = new Map<string, GpSystems>();
const nodes = new Map<string, RunningNode>();
const configs = new Map<string, NodeConfig>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-two-nodes-'));
  await chmod(folder, 0o755);
  const server = process.env[TEST_DATABASE] ? null : await startTestServer();
  if (server) closers.push(() => server.stop());
  const adminUrl = process.env[TEST_DATABASE] ?? server?.url ?? '';
  const certificates = await makeCertificates(
    join(folder, 'certificates'),
    ['spine', 'north', 'south'].map((name) => ({ name, hosts: [`${name}.gp2gp.invalid`] })),
  );
  const tlsOf = (name: string) => {
    const files = certificates.endpoints.get(name);
    assert.ok(files);
    return { certificate: files.certificate, key: files.key, authorities: [certificates.authority] };
  };
  const ports = await freePorts(6);
  const port = (i: number): number => ports[i] ?? 0;
  const spinePort = { N82001: port(0), S82001: port(1) };
  const apiPort = { N82001: port(2), S82001: port(3) };
  const practices = [NORTH, SOUTH];
  hub = await startHub({
    folder: join(folder, 'hub'),
    tls: tlsOf('spine'),
    routes: Object.fromEntries(
      practices.map(({ ods, partyKey, asid }) => [
        partyKey,
        { asid, urls: [`https://127.0.0.1:${spinePort[ods as keyof typeof spinePort]}/reliablemessaging/intermediary`] },
      ]),
    ),
    retry: { firstMs: 100, mostMs: 500 },
  });
  closers.push(() => hub.close());
  const s3 = await startS3();
  closers.push(() => s3.close());
  const sds = await startSds({
    organisations: practices.map(({ ods, asid, partyKey }) => ({ ods, asid, partyKey })),
    intermediaryUrl: hub.url,
  });
  closers.push(() => sds.close());
  pds = await startPds({ folder: join(folder, 'pds'), people: [] });
  closers.push(() => pds.close());
  for (const [name, url] of [
    ['sds', sds.url],
    ['pds', pds.url],
  ] as const) {
    const gate = await openGate(url);
    closers.push(() => gate.close());
    gates.set(name, gate);
  }
  for (const practice of practices) {
    const { ods, asid, partyKey, apiKey } = practice;
    const api = apiPort[ods as keyof typeof apiPort];
    const system = await startGpSystems({
      folder: join(folder, `system-${ods}`),
      practices: [{ ods, asid, apiKey, nodeUrls: [`http://127.0.0.1:${api}`] }],
      pdsUrl: pds.url,
    });
    closers.push(() => system.close());
    systems.set(ods, system);
    const name = ods === NORTH.ods ? 'north' : 'south';
    const databaseUrl = await newDatabase(adminUrl, `node_${name}_${process.pid}`);
    closers.push(() => dropDatabase(adminUrl, `node_${name}_${process.pid}`));
    const config = parseConfig(
      JSON.stringify({
        name,
        data: join(folder, name),
        // One of each kind.
        ...(ods === SOUTH.ods && { objects: { s3: s3.settings } }),
        log: process.env['GP2GP_TEST_LOG'] ?? 'silent',
        database: { url: databaseUrl },
        spine: {
          url: hub.url,
          tls: tlsOf(name),
          host: '127.0.0.1',
          port: spinePort[ods as keyof typeof spinePort],
          peerNames: ['spine.gp2gp.invalid'],
        },
        sds: { url: gateOf('sds').url },
        pds: { url: `${gateOf('pds').url}${PDS_PATH}`, token: 'application', perSecond: 50 },
        api: { port: api },
        ...(ods === NORTH.ods && { terminology: { file: await placeTerminology('made-up release 1') } }),
        practices: [
          {
            ods,
            asid,
            partyKey,
            apiKey,
            gpSystem: { connectUrl: `${system.url}/${ods}/STU3/1/gpconnect/fhir`, filingUrl: `${system.url}/${ods}/filing`, key: apiKey },
          },
        ],
      }),
      {},
    );
    configs.set(ods, config);
    const node = await startNode(config);
    closers.push(() => node.close());
    nodes.set(ods, node);
  }
});

after(async () => {
  for (const close of closers.reverse()) await close();
  await rm(folder, { recursive: true, force: true });
});

// First of all tests: by the others the directory's answers are remembered.
for (const service of ['sds', 'pds'] as const) {
  test(`while ${service.toUpperCase()} is away a registration waits, and goes on by itself when it is back`, async () => {
    const nhsNumber = service === 'sds' ? '9990000042' : '9990000050';
    await registeredAt(nhsNumber, SOUTH.ods);
    await system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, [1_000])));
    const messages = hub.counters.messages;
    gateOf(service).shut();
    let transferId: string;
    try {
      transferId = await registered(nhsNumber);
      await new Promise((done) => setTimeout(done, 1_500));
      assert.equal((await ask(NORTH, `/transfers/${transferId}`))['state'], 'checking');
      assert.equal(hub.counters.messages, messages, 'nothing was asked for');
    } finally {
      gateOf(service).open();
    }
    const transfer = await ended(NORTH, transferId);
    assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });
  });

  test(`while ${service.toUpperCase()} is away a request for a record waits at the other practice, and is answered when it is back`, async () => {
    const nhsNumber = service === 'sds' ? '9990000077' : '9990000085';
    await registeredAt(nhsNumber, SOUTH.ods);
    await system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, [1_000])));
    const id = await registered(nhsNumber);
    const deadline = Date.now() + ENDED_MS;
    while ((await ask(NORTH, `/transfers/${id}`))['state'] === 'checking') {
      if (Date.now() > deadline) assert.fail('the request did not leave');
      await new Promise((done) => setTimeout(done, 2));
    }
    gateOf(service).shut();
    await new Promise((done) => setTimeout(done, 1_500));
    gateOf(service).open();
    const transfer = await ended(NORTH, id);
    assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });
  });
}

test('while the object store is away nothing is acknowledged; what was refused comes again and the transfer completes', async () => {
  const nhsNumber = '9990000069';
  await registeredAt(nhsNumber, SOUTH.ods);
  await system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, [300_000, 2_000_000])));
  const [here, away] = [join(folder, 'north', 'objects'), join(folder, 'north', 'objects-away')];
  await rename(here, away);
  let transferId: string;
  try {
    transferId = await registered(nhsNumber);
    await new Promise((done) => setTimeout(done, 2_500));
    assert.notEqual((await ask(NORTH, `/transfers/${transferId}`))['state'], 'ended');
  } finally {
    await rename(away, here);
  }
  const transfer = await ended(NORTH, transferId);
  assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });
});

for (const { ods, kind } of [
  { ods: NORTH.ods, kind: 'folder' },
  { ods: SOUTH.ods, kind: 'bucket' },
]) {
  test(`a second node of the same database with objects of its own, where the first has a ${kind}, is refused in words`, async () => {
    const config = configs.get(ods);
    assert.ok(config);
    const own = join(folder, `second-${ods}`);
    const second = { ...config, name: 'second', objects: { folder: own, s3: null }, api: { ...config.api, port: 0 } };
    await assert.rejects(startNode({ ...second, spine: { ...config.spine, port: 0 } }), (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.code, 'store.otherObjects');
      assert.match(error.message, /this database belongs to the object store [0-9a-f-]{36}; the configured one is [0-9a-f-]{36}/);
      assert.ok(error.remedy);
      return true;
    });
  });
}

test('a record with documents of every size goes from one practice to the other, every byte of it', async () => {
  const nhsNumber = '9990000018';
  await registeredAt(nhsNumber, SOUTH.ods);
  const sizes = [10, 200_000, 3_000_000, 12_000_000];
  const record = bundle(nhsNumber, sizes);
  await system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(record));
  const before = { ...hub.counters };
  const { transferId } = await system(NORTH).register(NORTH.ods, nhsNumber);
  const transfer = await ended(NORTH, String(transferId));
  assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });

  const filed = (await system(NORTH).filing.list()).find((each) => each.transferId === transferId);
  assert.equal(filed?.documents.length, sizes.length);
  for (const document of filed?.documents ?? []) {
    assert.ok(document.file);
    const bytes = await readFile(document.file);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), document.sha256);
    assert.ok(sizes.includes(bytes.byteLength), `${bytes.byteLength}`);
  }
  // Asked, accepted, core, continue, index and three pieces, one piece, their answers, the end.
  assert.equal(hub.counters.refused, before.refused);
  const sending = await other(SOUTH, 'sending', nhsNumber);
  assert.deepEqual((sending['outcome'] as { kind: string }).kind, 'acknowledged');

  // Each practice can read what the conversion on its own side said.
  const said = (await ask(SOUTH, `/transfers/${sending['transferId']}/report`)) as ConversionReport;
  const heard = (await ask(NORTH, `/transfers/${transferId}/report`)) as ConversionReport;
  assert.ok(said.origins.some(({ from }) => from.id === 'Observation/o1'));
  assert.ok(heard.origins.some(({ target }) => target.startsWith('Observation/')));
  assert.deepEqual(heard.terminology, { release: 'made-up release 1', complete: false });
});

test('a registration that may not be asked for ends with its reason, and nothing is sent', async () => {
  const nhsNumber = '9990000026';
  await pds.add({ nhsNumber, family: 'Nowhere', given: ['Ada'], birthDate: '1970-01-01', gender: 'female', practice: null });
  const messages = hub.counters.messages;
  const { transferId } = await system(NORTH).register(NORTH.ods, nhsNumber);
  const transfer = await ended(NORTH, String(transferId));
  assert.deepEqual(transfer['outcome'], { kind: 'notEligible', reason: 'NO_PREVIOUS_GP' });
  assert.equal(hub.counters.messages, messages);
});

test('a practice whose patient it is not gets no record', async () => {
  const nhsNumber = '9990000034';
  await registeredAt(nhsNumber, SOUTH.ods);
  // The practice's system has no such record: the answer is code 06, in the words of the protocol.
  const { transferId } = await system(NORTH).register(NORTH.ods, nhsNumber);
  const transfer = await ended(NORTH, String(transferId));
  assert.deepEqual(transfer['outcome'], { kind: 'refusedBySender', code: '06' });
});

test('health and metrics say how the node is', async () => {
  const node = nodes.get(NORTH.ods);
  const health = await fetch(`${node?.ready.api}/health`);
  assert.equal(health.status, 200, await health.clone().text());
  const metrics = await (await fetch(`${node?.ready.api}/metrics`)).text();
  assert.match(metrics, /gp2gp_transactions_total \d+/);
  assert.match(metrics, /gp2gp_queue_depth\{kind="message",state="dead"\} 0/);
  const written = Number(/gp2gp_object_bytes_written (\d+)/.exec(metrics)?.[1]);
  const kept = Number(/gp2gp_object_bytes_kept (\d+)/.exec(metrics)?.[1]);
  assert.ok(kept > 15_000_000 && written <= kept * 1.05, `${written} written, ${kept} kept`);
});

test('a terminology is swapped while the node runs; one that cannot be used is told, and the one before goes on', async () => {
  const said = async () => {
    const { checks } = (await ask(NORTH, '', '/health')) as { checks: { name: string; said: string }[] };
    return checks.find(({ name }) => name === 'terminology')?.said ?? '';
  };
  const within = async (what: () => Promise<boolean>) => {
    for (const end = Date.now() + 20_000; !(await what()); ) {
      assert.ok(Date.now() < end, await said());
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  assert.match(await said(), /^made-up release 1: not whole, 16 well-known immunisations are missing$/);
  await placeTerminology('made-up release 2');
  await within(async () => (await said()).startsWith('made-up release 2'));
  await writeFile(join(folder, 'terminology'), 'not a terminology');
  const metrics = async () => (await fetch(`${nodes.get(NORTH.ods)?.ready.api}/metrics`)).text();
  await within(async () => (await metrics()).includes('gp2gp_alerts_total{code="terminology.unusable"} 1'));
  assert.match(await said(), /^made-up release 2/);
});

/** Puts a built terminology in the place of the one before, as an operator would. */
async function placeTerminology(release: string): Promise<string> {
  const { bytes } = built(filesOf({ descriptions: [description(descriptionId(1), conceptId(1), 'Sample')] }), release);
  const file = join(folder, 'terminology');
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
  return file;
}

async function registered(nhsNumber: string): Promise<string> {
  const { transferId } = await system(NORTH).register(NORTH.ods, nhsNumber);
  return String(transferId);
}

type Gate = { readonly url: string; shut(): void; open(): void; close(): Promise<void> };

/** A door before a service: shut, every connection is cut and none is taken. */
async function openGate(to: string): Promise<Gate> {
  const { hostname, port } = new URL(to);
  let shut = false;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (shut) {
      socket.destroy();
      return;
    }
    const onward = connect(Number(port), hostname);
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    shut() {
      shut = true;
      cut();
    },
    open() {
      shut = false;
    },
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        cut();
      }),
  };
}

function gateOf(service: 'sds' | 'pds'): Gate {
  const gate = gates.get(service);
  assert.ok(gate);
  return gate;
}

function system(practice: { readonly ods: string }): GpSystems {
  const found = systems.get(practice.ods);
  assert.ok(found);
  return found;
}

async function registeredAt(nhsNumber: string, ods: string): Promise<void> {
  await pds.add({
    nhsNumber,
    family: 'Example',
    given: ['Ada'],
    birthDate: '1970-01-01',
    gender: 'female',
    practice: { ods, start: '2020-01-01' },
  });
}

async function ask(practice: typeof NORTH, path: string, at = `/api/practices/${practice.ods}`): Promise<Record<string, unknown>> {
  const url = `${nodes.get(practice.ods)?.ready.api}${at}${path}`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${practice.apiKey}` } });
  assert.equal(answer.status, 200, `${url}: ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function ended(practice: typeof NORTH, transferId: string): Promise<Record<string, unknown>> {
  const deadline = Date.now() + ENDED_MS;
  for (;;) {
    const transfer = await ask(practice, `/transfers/${transferId}`);
    if (transfer['state'] === 'ended') return transfer;
    if (Date.now() > deadline) assert.fail(JSON.stringify(await ask(practice, `/transfers/${transferId}/timeline`), null, 1));
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** The other side's transfer for a patient, once it has ended too. */
async function other(practice: typeof NORTH, role: string, nhsNumber: string): Promise<Record<string, unknown>> {
  const { transfers } = (await ask(practice, `/transfers?role=${role}&nhsNumber=${nhsNumber}`)) as { transfers: { transferId: string }[] };
  return ended(practice, String(transfers[0]?.transferId));
}

function bundle(nhsNumber: string, sizes: readonly number[]): object {
  const encounter = { reference: 'Encounter/e1' };
  const patient = { reference: 'Patient/p' };
  return {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      { resource: { resourceType: 'Patient', id: 'p', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }] } },
      {
        resource: {
          resourceType: 'Observation',
          id: 'o1',
          status: 'final',
          code: { coding: [{ system: 'http://snomed.info/sct', code: '27113001', display: 'Body weight' }] },
          subject: patient,
          effectiveDateTime: '2024-03-01T10:00:00+00:00',
          issued: '2024-03-01T10:00:00+00:00',
          valueQuantity: { value: 71.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
        },
      },
      ...sizes.map((size, i) => ({
        resource: {
          resourceType: 'DocumentReference',
          id: `d${i}`,
          status: 'current',
          created: '2024-03-01T10:00:00+00:00',
          description: `Letter ${i}`,
          context: { encounter },
          content: [{ attachment: { contentType: 'application/pdf', url: `https://elsewhere.test/Binary/d${i}`, size } }],
        },
      })),
    ],
  };
}

async function newDatabase(adminUrl: string, name: string): Promise<string> {
  await admin(adminUrl, `create database ${name}`);
  return adminUrl.replace(/^([a-z]+:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await admin(adminUrl, `drop database ${name} with (force)`);
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
