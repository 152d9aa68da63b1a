/** A node's surroundings, whole at first, then broken in one place at a time: the doctor names it and what to do. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { stringify } from 'yaml';
import { startS3 } from '../../objects/s3-testing.ts';
import { type Certificates, makeCertificates } from '../../simulator/certificates.ts';
import { type Hub, startHub } from '../../simulator/hub/hub.ts';
import { tlsOf } from '../../simulator/hub/testing.ts';
import { type Mesh, startMesh } from '../../simulator/mesh/mesh.ts';
import { type MiService, startMi } from '../../simulator/mi.ts';
import { type Pds, startPds } from '../../simulator/pds.ts';
import { type Sds, startSds } from '../../simulator/sds.ts';
import { testStore } from '../../store/testing.ts';
import { testAuthority } from '../../web/testing.ts';
import type { TlsIdentity } from '../../web/tls.ts';
import { inWords } from '../doctor.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose } from './diagnose.ts';
import type { Finding } from './finding.ts';

const NAME = 'node.example.test';
const PRACTICE = { ods: 'A12345', asid: '200000000001', partyKey: 'A12345-000001' };

let folder: string;
let good: TlsIdentity;
let hub: Hub;
let sds: Sds;
let pds: Pds;
let mi: MiService;
let mesh: Mesh;
let store: Awaited<ReturnType<typeof testStore>>;
let settings: Record<string, Record<string, unknown>>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-doctor-'));
  const made = await makeCertificates(join(folder, 'certificates'), [{ name: 'spine' }, { name: 'node', hosts: [NAME] }]);
  good = await identityOf(made, 'node');
  hub = await startHub({ folder: join(folder, 'hub'), tls: tlsOf(made, 'spine'), routes: {} });
  sds = await startSds({ organisations: [{ ...PRACTICE, fqdn: NAME }], intermediaryUrl: hub.url, apiKey: 'key' });
  pds = await startPds({ folder: join(folder, 'pds'), people: [], tokens: { token: 'application' } });
  mi = await startMi({ folder: join(folder, 'mi'), apiKeys: ['mi key'] });
  mesh = await startMesh({ folder: join(folder, 'mesh'), sharedKey: 'shared', mailboxes: [{ id: 'NODE1', password: 'p' }] });
  store = await testStore();
  const tls = await files('node', good);
  settings = {
    database: { url: store.url },
    spine: { url: hub.url.replace('127.0.0.1', 'localhost'), registeredName: NAME, tls },
    sds: { url: sds.url, apiKey: 'key' },
    pds: { url: pds.url, token: 'token' },
    mi: {
      url: mi.url,
      apiKey: 'mi key',
      supplier: 'ZZ901',
      files: { url: mesh.url, mailbox: 'NODE1', password: 'p', sharedKey: 'shared', to: 'NATIONAL1', workflow: 'W' },
    },
  };
});

after(async () => {
  await Promise.all([hub.close(), sds.close(), pds.close(), mi.close(), mesh.close(), store.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function identityOf(made: Certificates, name: string): Promise<TlsIdentity> {
  const { certificate, key, authorities } = tlsOf(made, name);
  const [cert, own, ca] = await Promise.all([certificate, key, authorities[0] ?? ''].map((path) => readFile(path, 'utf8')));
  return { cert: cert ?? '', key: own ?? '', ca: ca ?? '' };
}

/** Of another authority, which Spine does not know; like ours in everything else. */
async function foreignIdentity(): Promise<TlsIdentity> {
  return identityOf(await makeCertificates(join(folder, 'foreign'), [{ name: 'node', hosts: [NAME] }]), 'node');
}

async function files(name: string, { cert, key, ca }: TlsIdentity) {
  const at = (end: string) => join(folder, `${name}.${end}`);
  await Promise.all([writeFile(at('pem'), cert), writeFile(at('key'), key, { mode: 0o600 }), writeFile(at('ca.pem'), ca)]);
  return { certificate: at('pem'), key: at('key'), authorities: at('ca.pem') };
}

type Change = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What the doctor says of the good settings with some of them changed. */
async function look(change: Change = {}, options: Partial<DiagnoseOptions> = {}, practice: object = {}): Promise<Diagnosis> {
  const sections = Object.fromEntries(
    Object.keys({ ...settings, ...change }).map((name) => [name, { ...settings[name], ...change[name] }]),
  );
  const gpSystem = { connectUrl: `${pds.url}/connect`, filingUrl: 'http://127.0.0.1:9/filing', key: 'k' };
  const practices = [{ ...PRACTICE, apiKey: 'a key of sixteen characters', gpSystem, ...practice }];
  const yaml = stringify({ data: join(folder, 'data'), ...sections, practices });
  const space = async () => ({ free: 500e9, total: 1000e9 });
  return diagnose(yaml, {}, { now: () => new Date(), newId: randomUUID, space, ...options });
}

/** The one finding that is not as it should be; the warning about a terminology that is not named does not count. */
async function only(change: Change, options?: Partial<DiagnoseOptions>, practice?: object): Promise<Finding> {
  const { checks } = await look(change, options, practice);
  const bad = checks.filter(({ check, result }) => result !== 'ok' && check !== 'terminology');
  assert.equal(bad.length, 1, JSON.stringify(bad, null, 1));
  return bad[0] ?? assert.fail();
}

async function fails(what: string, words: RegExp, remedy: RegExp, change: Change, options?: Partial<DiagnoseOptions>, practice?: object) {
  const { check, result, said, remedy: todo } = await only(change, options, practice);
  assert.deepEqual([check, result], [what, 'fail'], said);
  assert.match(said, words);
  assert.match(todo ?? '', remedy);
}

test('where all is well every check says so', async () => {
  const diagnosis = await look();
  assert.equal(diagnosis.ok, true);
  const bad = diagnosis.checks.filter(({ result, check }) => result !== 'ok' && check !== 'terminology');
  assert.deepEqual(bad, []);
  const names = diagnosis.checks.map(({ check }) => check);
  for (const name of ['configuration', 'certificate.chain', 'certificate.expiry', 'certificate.key', 'certificate.names', 'clock', 'sds'])
    assert.ok(names.includes(name), name);
  for (const name of [
    'sds.A12345',
    'pds',
    'spine.reach',
    'spine.tls',
    'disk.data',
    'database',
    'database.schema',
    'gpSystem.A12345',
    'mi',
    'mi.files',
  ])
    assert.ok(names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
  assert.match(inWords(diagnosis), /^ok {4}configuration .*\n[\s\S]*none fails, 1 warn\.\n$/);
});

test('a certificate that ended, begins later, is near its end or is not ours', async () => {
  const authority = await testAuthority('Short');
  const tls = async (name: string, days: readonly [number, number]) =>
    files(name, { ...(await authority.issue(NAME, { validDays: [...days] })), ca: authority.cert });
  const ended = { spine: { tls: await tls('ended', [-20, -10]) } };
  const { checks } = await look(ended);
  const expiry = checks.find(({ check }) => check === 'certificate.expiry');
  assert.equal(expiry?.result, 'fail');
  assert.match(expiry.said, /ended on/);
  assert.match(expiry.remedy ?? '', /have a new one issued/);
  // The other side refuses it too, and says what is said of a refusal.
  assert.equal(checks.find(({ check }) => check === 'spine.tls')?.result, 'fail');
  const near = await look({ spine: { tls: await tls('soon', [-20, 10]) } });
  const soon = near.checks.find(({ check }) => check === 'certificate.expiry');
  assert.equal(soon?.result, 'warn');
  assert.match(soon.said, /our certificate ends in (9|10) days/);
  const foreign = await foreignIdentity();
  const wrongKey = await look({ spine: { tls: await files('wrong-key', { ...good, key: foreign.key }) } });
  const key = wrongKey.checks.find(({ check }) => check === 'certificate.key');
  assert.equal(key?.result, 'fail');
  assert.match(key.remedy ?? '', /one of the two files is an old one/);
  const chain = await look({ spine: { tls: await files('chain', { ...good, ca: foreign.ca }) } });
  assert.equal(chain.checks.find(({ check }) => check === 'certificate.chain')?.result, 'fail');
});

test('a certificate for another host, and one of which nobody can tell', async () => {
  await fails('certificate.names', /not for other\.example\.test/, /have one issued for that name/, {
    spine: { registeredName: 'other.example.test' },
  });
  const { checks } = await look({ spine: { registeredName: undefined } });
  assert.equal(checks.find(({ check }) => check === 'certificate.names')?.result, 'warn');
});

test('a key that others can read', async () => {
  const path = join(folder, 'open.key');
  await writeFile(path, good.key);
  await chmod(path, 0o644);
  const finding = await only({}, { keyFile: path });
  assert.deepEqual([finding.check, finding.result, finding.remedy], ['certificate.keyFile', 'warn', `chmod 600 ${path}`]);
});

test('a clock that is off: a little warns, much fails', async () => {
  const off = (ms: number) => ({ now: () => new Date(Date.now() + ms) });
  await fails('clock', /1(19|20)\.\d s ahead of/, /time server/, {}, off(120_000));
  await fails('clock', /1(19|20)\.\d s behind/, /time server/, {}, off(-120_000));
  const little = await only({}, off(20_000));
  assert.deepEqual([little.check, little.result], ['clock', 'warn']);
});

test('SDS: refused, away, and in disagreement with the configuration', async () => {
  await fails('sds', /HTTP 401/, /API key/, { sds: { apiKey: 'other' } });
  await fails('sds', /cannot be/, /sds\.url/, { sds: { url: 'http://127.0.0.1:9' } });
  await fails('sds.A12345', /another ASID than 200000000009/, /Correct the practice/, {}, {}, { asid: '200000000009' });
  await fails('sds.A12345', /party key A12345-000001, not B/, /Correct the practice/, {}, {}, { partyKey: 'B-1' });
  const unknown = await look({}, {}, { ods: 'B99999' });
  assert.match(unknown.checks.find(({ check }) => check === 'sds.B99999')?.said ?? '', /knows no system/);
});

test('PDS: refused and away', async () => {
  await fails('pds', /does not let us ask/, /pds\.token/, { pds: { token: 'other' } });
  await fails('pds', /./, /pds\.url/, { pds: { url: 'http://127.0.0.1:9' } });
});

test('Spine: its port closed, our certificate refused, its certificate not trusted', async () => {
  await fails('spine.reach', /127\.0\.0\.1:9 cannot be reached/, /firewall/, { spine: { url: 'https://127.0.0.1:9/x' } });
  await fails('spine.reach', /no-such-host\.invalid/, /names and routes/, { spine: { url: 'https://no-such-host.invalid/x' } });
  const ours = await foreignIdentity();
  // Whole in itself, and of an authority that Spine does not know.
  await fails('spine.tls', /ours seems to be refused|refuses our certificate/, /registered one/, {
    spine: { tls: await files('foreign', { ...ours, ca: ours.ca + good.ca }) },
  });
  const server = createHttps({ key: ours.key, cert: ours.cert }, (_request, response) => response.end());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await fails('spine.tls', /its certificate/, /authorit/, { spine: { url: `https://127.0.0.1:${port}/x` } });
  } finally {
    server.close();
  }
});

test('a disk that is full, nearly full, or not ours to write', async () => {
  const free = (bytes: number) => ({ space: async () => ({ free: bytes, total: 1000e9 }) });
  const { checks } = await look({}, free(1e9));
  const disk = checks.filter(({ check }) => check.startsWith('disk.'));
  assert.deepEqual(
    disk.map(({ check, result }) => [check, result]),
    [
      ['disk.data', 'fail'],
      ['disk.objects', 'fail'],
    ],
  );
  assert.match(disk[0]?.said ?? '', /below 5\.0 GiB no message is accepted/);
  const near = await look({}, free(8e9));
  assert.equal(near.checks.find(({ check }) => check === 'disk.data')?.result, 'warn');
  assert.equal(near.ok, true);
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const blocked = await look({ objects: { folder: file } });
  assert.match(blocked.checks.find(({ check }) => check === 'disk.objects')?.said ?? '', /is no folder/);
});

test('a database that is not there, of no server, of another password, of a newer program', async () => {
  const other = (name: string) => store.url.replace(/\/[^/?]+(\?|$)/, `/${name}$1`);
  await fails('database', /does not exist/, /createdb/, { database: { url: other('no_such_database') } });
  await fails('database', /./, /Start the database server/, { database: { url: 'postgresql://x@127.0.0.1:9/x' } });
  const client = new pg.Client({ connectionString: store.url });
  await client.connect();
  try {
    await client.query("insert into migrations (name, number, file) values ('node', 999, '999-future.sql')");
    await fails('database.schema', /at 999; this program knows/, /newer version/, {});
  } finally {
    await client.query('delete from migrations where number = 999');
    await client.end();
  }
  const own = await look({ database: { url: undefined } });
  assert.match(own.checks.find(({ check }) => check === 'database')?.said ?? '', /the first start makes it/);
});

test('a bucket that is not there, is not ours, or does not answer; and one that is well', async () => {
  const s3 = await startS3();
  try {
    const wrong = (change: object) => ({ objects: { s3: { ...s3.settings, ...change } } });
    await fails('objects', /NoSuchBucket/, /Make the bucket/, wrong({ bucket: 'no-such-bucket' }));
    await fails('objects', /InvalidAccessKeyId/, /Check the keys/, wrong({ accessKeyId: 'SOMEBODY' }));
    await fails('objects', /ECONNREFUSED/, /objects\.s3\.endpoint/, wrong({ endpoint: 'http://127.0.0.1:9' }));
    const { checks } = await look(wrong({}));
    assert.match(checks.find(({ check }) => check === 'objects')?.said ?? '', /records\/ answers; the first node begins the store there/);
    assert.equal(checks.find(({ check }) => check === 'disk.spool')?.result, 'ok');
    assert.deepEqual([...s3.keys.keys()], [], 'nothing was written');
  } finally {
    await s3.close();
  }
});

test('a practice’s system that does not answer', async () => {
  const gpSystem = { connectUrl: 'http://127.0.0.1:9/fhir', filingUrl: 'http://127.0.0.1:9/filing', key: 'k' };
  await fails('gpSystem.A12345', /cannot be reached/, /connectUrl of practice A12345/, {}, {}, { gpSystem });
});

test('a configuration with faults is told whole, and nothing else is looked at', async () => {
  const diagnosis = await diagnose('data: x\nspine: { url: nonsense }', {}, { now: () => new Date(), newId: randomUUID });
  assert.deepEqual(
    diagnosis.checks.map(({ check, result }) => [check, result]),
    [['configuration', 'fail']],
  );
  assert.match(diagnosis.checks[0]?.said ?? '', /GP2GP_SPINE_URL[\s\S]*GP2GP_SDS_URL/);
  assert.equal(diagnosis.ok, false);
});

test('management information: a key that is not taken, a mailbox that is closed, a service that is away, none at all', async () => {
  await fails('mi', /401/, /key/, { mi: { apiKey: 'another' } });
  const files = { ...(settings['mi']?.['files'] as object), password: 'wrong' };
  await fails('mi.files', /403/, /password/, { mi: { files } });
  const away = await only({ mi: { url: 'http://127.0.0.1:9' } });
  assert.deepEqual([away.check, away.result], ['mi', 'warn']);
  const none = await only({ mi: { url: undefined, files: {} } });
  assert.match(none.said, /is not sent/);
  assert.equal(mi.posts().length, 0, 'nothing was told');
});
