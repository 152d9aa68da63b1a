import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Certificates, makeCertificates } from './certificates.ts';
import type { SimulationConfig } from './config.ts';
import { documentSha256 } from './gp-system/documents.ts';
import { consumer, fakeNode, MIGRATE_BINARY, NHS, smallBundle } from './gp-system/testing.ts';
import { message, postTo, recipient, tlsOf, until } from './hub/testing.ts';
import type { SimulationUrls } from './simulate.ts';

let root = '';
let certificates: Certificates;
const children = new Set<ChildProcess>();
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'simulator-'));
  certificates = await makeCertificates(join(root, 'certificates'), [{ name: 'hub' }, { name: 'a' }, { name: 'b' }]);
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

type Started = { child: ChildProcess; urls: SimulationUrls; end(signal: NodeJS.Signals): Promise<number | null> };

async function start(name: string, config: SimulationConfig): Promise<Started> {
  await mkdir(join(root, name), { recursive: true });
  const file = join(root, name, 'config.json');
  await writeFile(file, JSON.stringify(config));
  const child = fork(join(import.meta.dirname, 'process.ts'), ['--config', file], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  children.add(child);
  let said = '';
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const urls = await new Promise<SimulationUrls>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('\n')) resolve(JSON.parse(said.split('\n')[0] ?? '') as SimulationUrls);
    });
    void ended.then((code) => reject(new Error(`ended with ${code}: ${errors}`)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { child, urls, end };
}

test('what the hub acknowledged is delivered after kill -9, each message once in effect', { timeout: 30_000 }, async () => {
  const b = await recipient(tlsOf(certificates, 'b'));
  const port = b.port;
  await b.close();
  const config: SimulationConfig = {
    hub: {
      folder: join(root, 'hub-data'),
      tls: tlsOf(certificates, 'hub') as { certificate: string; key: string; authorities: string[] },
      routes: { 'A-001': { urls: [] }, 'B-001': { urls: [`https://127.0.0.1:${port}`] } },
      retry: { firstMs: 20, mostMs: 100 },
    },
  };
  const sent = new Map<string, string>();
  const own = tlsOf(certificates, 'a');
  const first = await start('hub', config);
  const send = async (hub: Started, id: string) => {
    const one = message({ id });
    assert.equal((await postTo(hub.urls.hub?.url ?? '', own, one)).status, 202);
    sent.set(id, createHash('sha256').update(one.body).digest('hex'));
  };
  for (let i = 0; i < 20; i++) await send(first, `K${i}`);
  await first.end('SIGKILL');

  const second = await start('hub', config);
  await send(second, 'K3');
  await send(second, 'K20');
  const back = await recipient(tlsOf(certificates, 'b'), () => null, port);
  await until(() => new Set(back.received.map((one) => one.sha256)).size === 21, 'all arrive', 20_000);
  await second.end('SIGKILL');

  // Killed in the middle of delivering: what is delivered a second time is the same bytes, so that the recipient can tell.
  const third = await start('hub', config);
  const state = async () =>
    (await (await fetch(`${third.urls.hub?.controlUrl}/control/state`)).json()) as { pending: number; delivered: number; messages: number };
  await until(async () => (await state()).pending === 0, 'nothing is pending');
  assert.deepEqual(new Set(back.received.map((one) => one.sha256)), new Set(sent.values()));
  assert.equal((await state()).messages, 21);
  assert.equal((await state()).delivered, 21);
  assert.equal(await third.end('SIGTERM'), 0);
  await back.close();
});

test('a practice system killed while it files ends what it began, and the node is told', { timeout: 30_000 }, async (t) => {
  const documents = new Map(Array.from({ length: 6 }, (_, i) => [`D${i}`, Buffer.alloc(50_000, i)] as const));
  const node = await fakeNode(smallBundle(), documents, 'key');
  t.after(() => node.close());
  node.hold(150);
  const practice = { ods: 'B22222', asid: '200000000002', nodeUrls: [node.url], apiKey: 'key' };
  const config: SimulationConfig = { gpSystem: { folder: join(root, 'gp-data'), practices: [practice] } };
  const first = await start('gp', config);
  const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
  const body = JSON.stringify(node.offerOf('T-9'));
  await fetch(`${first.urls.gpSystem?.url}/B22222/filing/records/T-9`, { method: 'PUT', headers, body });
  await until(() => node.fetched() === 3, 'half of the documents');
  await first.end('SIGKILL');
  assert.equal(node.answers.length, 0);
  const second = await start('gp', config);
  await until(() => node.answers.length === 1, 'the node is told without asking');
  const asked = await fetch(`${second.urls.gpSystem?.url}/B22222/filing/records/T-9`, { headers });
  assert.equal(((await asked.json()) as { answer: string }).answer, 'filed');
  await second.end('SIGTERM');
});

test('a document of 300 MB is streamed: the system that sends it does not grow', {
  timeout: 60_000,
  skip: !existsSync('/proc/self/status'),
}, async () => {
  const practice = { ods: 'A11111', asid: '200000000001', apiKey: 'key' };
  const gp = await start('big', { gpSystem: { folder: join(root, 'big-data'), practices: [practice] } });
  const bytes = 300_000_000;
  const bundle = JSON.stringify(smallBundle([{ id: 'BIG', contentType: 'image/tiff', size: bytes }]));
  const url = gp.urls.gpSystem?.url ?? '';
  assert.equal((await fetch(`${url}/control/records/A11111`, { method: 'PUT', body: bundle })).status, 200);
  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gp.child.pid}/status`, 'utf8'))?.[1]) * 1024;
  const before = peak();
  const answer = await fetch(`${url}/A11111/STU3/1/gpconnect/fhir/Binary/BIG`, { headers: consumer(practice.asid, NHS, MIGRATE_BINARY) });
  const hash = createHash('sha256');
  let text = '';
  let started = false;
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString('latin1');
    if (!started) {
      const at = text.indexOf('"content":"');
      if (at < 0) continue;
      text = text.slice(at + 11);
      started = true;
    }
    const whole = text.length - (text.length % 4) - 4;
    if (whole <= 0) continue;
    hash.update(Buffer.from(text.slice(0, whole), 'base64'));
    text = text.slice(whole);
  }
  hash.update(Buffer.from(text.replace(/"}$/, ''), 'base64'));
  assert.equal(hash.digest('hex'), documentSha256({ id: 'BIG', contentType: 'image/tiff', bytes }));
  const grown = peak() - before;
  // The engine lets up to 64 MB of used buffers lie before it collects them.
  assert.ok(grown < 90_000_000, `grew by ${Math.round(grown / 1e6)} MB`);
  await gp.end('SIGTERM');
});

test('without certificates of its own the simulation makes them, for the hub and for who is named', async () => {
  const certificatesFolder = join(root, 'made');
  const all = await start('all', {
    certificates: { folder: certificatesFolder, endpoints: [{ name: 'supplier', hosts: ['node.supplier.test'] }] },
    hub: { folder: join(root, 'all-hub'), routes: { 'A-001': { urls: [] }, 'B-001': { urls: [] } } },
    sds: { organisations: [{ ods: 'A11111', asid: '200000000001', partyKey: 'A-001' }] },
    pds: { folder: join(root, 'all-pds') },
  });
  const own = {
    certificate: join(certificatesFolder, 'supplier.pem'),
    key: join(certificatesFolder, 'supplier.key'),
    authorities: [join(certificatesFolder, 'authority.pem')],
  };
  assert.equal((await postTo(all.urls.hub?.url ?? '', own, message({ id: 'S1' }))).status, 202);
  const query = 'identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|A-001&organization=https://fhir.nhs.uk/Id/ods-organization-code|A11111';
  const endpoint = await fetch(`${all.urls.sds?.url}/Endpoint?${query}`, { headers: { apikey: 'k' } });
  assert.ok((await endpoint.text()).includes(`"address":"${all.urls.hub?.url}"`), 'the directory names the hub of the same file');
  assert.equal(await all.end('SIGTERM'), 0);
});

test('a configuration with faults starts nothing and names each of them', async () => {
  await assert.rejects(
    start('faulty', { pds: { folder: join(root, 'x'), port: 99_999 }, sds: { colour: 'blue' } as object }),
    /port[\s\S]*colour|colour[\s\S]*port/,
  );
});
