import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../base/errors.ts';
import { parseConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'gp2gp-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string): string => {
  const path = join(folder, name);
  writeFileSync(path, `contents of ${name}`);
  return path;
};
const yaml = (more = ''): string => `
data: /var/lib/gp2gp
spine: {url: https://spine.example/reliablemessaging/intermediary, tls: {certificate: ${file('c.pem')}, key: ${file('k.pem')}, authorities: [${file('a.pem')}, ${file('b.pem')}]}}
sds: {url: https://sds.example}
pds: {url: https://pds.example/FHIR/R4, token: a-token}
practices:
  - {ods: z81001, asid: "200000000001", partyKey: Z81001-0000001, apiKey: a-key-of-this-practice, gpSystem: {connectUrl: http://gp.example/fhir, filingUrl: http://gp.example/filing, key: k}}
${more}`;

function problemsOf(text: string | null, environment: Record<string, string> = {}): string {
  try {
    parseConfig(text, environment);
  } catch (error) {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'config.invalid');
    return error.message;
  }
  return '';
}

test('a short file is enough: everything else has a default, and secrets are not kept as they came', () => {
  const config = parseConfig(yaml(), {});
  assert.equal(config.objects.folder, '/var/lib/gp2gp/objects');
  assert.equal(config.work.messages, 8);
  assert.equal(config.spine.tls?.ca, 'contents of a.pem\ncontents of b.pem');
  const [practice] = config.practices;
  assert.equal(practice?.ods, 'Z81001');
  assert.equal(practice?.messageLimit, 5_000_000);
  assert.match(practice?.apiKeySha256 ?? '', /^[0-9a-f]{64}$/);
  assert.doesNotMatch(JSON.stringify(config.practices), /a-key-of-this-practice/);
});

test('objects are in a folder or in a bucket, and half of either is named', () => {
  const { objects } = parseConfig(yaml('objects: {s3: {bucket: gp2gp-records, prefix: node/}}'), {});
  assert.deepEqual([objects.folder, objects.s3?.pathStyle, objects.s3?.region], ['/var/lib/gp2gp/spool', false, 'eu-west-2']);
  const own = parseConfig(yaml(), {
    GP2GP_OBJECTS_S3_BUCKET: 'records',
    GP2GP_OBJECTS_S3_ENDPOINT: 'https://s3.example',
    GP2GP_OBJECTS_S3_ACCESS_KEY_ID: 'id',
    GP2GP_OBJECTS_S3_SECRET_ACCESS_KEY: 'secret',
  });
  assert.deepEqual([own.objects.s3?.pathStyle, own.objects.s3?.secretAccessKey], [true, 'secret']);
  assert.match(
    problemsOf(yaml('objects: {s3: {endpoint: "https://s3.example"}}')),
    /GP2GP_OBJECTS_S3_BUCKET \(objects\.s3\.bucket\): is missing/,
  );
  assert.match(problemsOf(yaml('objects: {s3: {bucket: records, accessKeyId: id}}')), /objects\.s3\.secretAccessKey\): is missing/);
  assert.match(problemsOf(yaml('objects: {folder: /data, s3: {bucket: records}}')), /only one of them/);
  assert.match(problemsOf(yaml('objects: {s3: {bucket: records, prefix: node}}')), /each end with a slash/);
});

test('a variable wins over the file, whatever its depth', () => {
  const config = parseConfig(yaml('work: {leaseSeconds: 20}'), {
    GP2GP_WORK_LEASE_SECONDS: '40',
    GP2GP_DATABASE_URL: 'postgresql://db.example/gp2gp',
    GP2GP_SPINE_PEER_NAMES: 'spine.example, *.spine.example',
    GP2GP_API_CONSOLE: 'true',
    GP2GP_TERMINOLOGY_FILE: '/data/snomed.terminology',
    PATH: '/bin',
  });
  assert.equal(config.work.leaseSeconds, 40);
  assert.equal(config.database.url, 'postgresql://db.example/gp2gp');
  assert.deepEqual(config.spine.peerNames, ['spine.example', '*.spine.example']);
  assert.equal(config.api.console, true);
  assert.equal(config.terminology.file, '/data/snomed.terminology');
});

test('a node can be configured by variables alone', () => {
  const config = parseConfig(null, {
    GP2GP_DATA: '/data',
    GP2GP_SPINE_URL: 'https://spine.example',
    GP2GP_SPINE_TLS_CERTIFICATE: file('c.pem'),
    GP2GP_SPINE_TLS_KEY: file('k.pem'),
    GP2GP_SPINE_TLS_AUTHORITIES: file('a.pem'),
    GP2GP_SDS_URL: 'https://sds.example',
    GP2GP_PDS_URL: 'https://pds.example',
    GP2GP_PDS_TOKEN: 'a-token',
    GP2GP_PRACTICES: '[]',
  });
  assert.deepEqual(config.practices, []);
});

test('every problem is listed at once, each by the name of its variable', () => {
  const problems = problemsOf('spine:\n  url: nope\n  prot: 3\nwork: {messages: 900}\npractices: [{ods: A1, asid: "12"}]', {
    GP2GP_SPIN_URL: 'x',
    GP2GP_API_PORT: '99999999',
  });
  for (const expected of [
    'GP2GP_SPIN_URL: there is no such setting',
    'GP2GP_DATA (data): is missing',
    'GP2GP_SPINE_URL (spine.url): is to be an http or https address',
    'GP2GP_SPINE_PROT (spine.prot): there is no such setting',
    'GP2GP_SPINE_TLS_KEY (spine.tls.key): is missing',
    'GP2GP_SDS_URL (sds.url): is missing',
    'GP2GP_API_PORT (api.port)',
    'GP2GP_WORK_MESSAGES (work.messages)',
    'practices.0.asid: is to have 12 digits',
    'practices.0.gpSystem: is missing',
  ])
    assert.ok(problems.includes(expected), `${expected}\n---\n${problems}`);
});

test('a missing file, a practice named twice and a broken file are problems with a place', () => {
  assert.match(problemsOf(yaml().replace(file('k.pem'), join(folder, 'gone.pem'))), /GP2GP_SPINE_TLS_KEY \(spine\.tls\.key\): .*gone\.pem/);
  const twice = yaml(
    '  - {ods: Z81001, asid: "200000000009", partyKey: Z81001-0000002, apiKey: another-key-altogether, gpSystem: {connectUrl: http://a.example, filingUrl: http://a.example, key: k}}',
  );
  assert.match(problemsOf(twice), /practices\.1\.ods: Z81001 is there twice/);
  assert.match(problemsOf('data: [unclosed'), /has 1 problem:\n {2}the configuration file: no YAML/);
  assert.match(problemsOf('just text'), /the configuration file/);
});

test('a name from outside is never more than a name', () => {
  assert.match(problemsOf(`${yaml()}\n__proto__: {polluted: true}`), /__proto__/);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('access to PDS is a token, or an application with its own key; half of one is named', () => {
  const variables = {
    GP2GP_DATA: '/srv/gp2gp',
    GP2GP_SPINE_URL: 'https://spine.example/',
    GP2GP_SPINE_TLS_CERTIFICATE: file('c.pem'),
    GP2GP_SPINE_TLS_KEY: file('k.pem'),
    GP2GP_SPINE_TLS_AUTHORITIES: file('a.pem'),
    GP2GP_SDS_URL: 'https://sds.example/',
    GP2GP_PDS_URL: 'https://pds.example/FHIR/R4',
  };
  const application = { GP2GP_PDS_TOKEN_URL: 'https://api.example/oauth2/token', GP2GP_PDS_CLIENT_ID: 'app', GP2GP_PDS_KEY_ID: 'key-1' };
  const { access } = parseConfig(null, { ...variables, ...application, GP2GP_PDS_KEY_FILE: file('k.pem') }).pds;
  assert.deepEqual(access, { tokenUrl: 'https://api.example/oauth2/token', clientId: 'app', keyId: 'key-1', key: 'contents of k.pem' });
  assert.throws(
    () => parseConfig(null, { ...variables, ...application }),
    /1 problem:\n {2}GP2GP_PDS_KEY_FILE \(pds.keyFile\): is missing/,
  );
  assert.throws(() => parseConfig(null, variables), /1 problem:\n {2}GP2GP_PDS_TOKEN \(pds.token\): is missing/);
});

test('behind a message adaptor a node needs neither certificate nor intermediary, but the queue that messages come by', () => {
  const variables = {
    GP2GP_DATA: '/srv/gp2gp',
    GP2GP_SDS_URL: 'https://sds.example/',
    GP2GP_PDS_URL: 'https://pds.example/FHIR/R4',
    GP2GP_PDS_TOKEN: 'a-token',
    GP2GP_ADAPTOR_URL: 'http://mhs-outbound/',
  };
  assert.throws(() => parseConfig(null, variables), /1 problem:\n {2}GP2GP_ADAPTOR_QUEUE \(adaptor.queue\): is missing/);
  const queue = {
    GP2GP_ADAPTOR_BROKERS: 'amqp://one,amqp://two',
    GP2GP_ADAPTOR_QUEUE: 'mhsQueue',
    GP2GP_ADAPTOR_FORWARD_QUEUE: 'gp2gpInboundQueue',
  };
  const { adaptor, spine } = parseConfig(null, { ...variables, ...queue, GP2GP_ADAPTOR_USERNAME: 'u', GP2GP_ADAPTOR_PASSWORD: 'p' });
  assert.equal(spine.tls, null);
  assert.deepEqual(
    [adaptor.queue?.deadLetters, adaptor.queue?.queue.brokers.length, adaptor.queue?.forward?.queue],
    ['DLQ.mhsQueue', 2, 'gp2gpInboundQueue'],
  );
  assert.equal(adaptor.queue?.forward?.brokers[1]?.username, 'u');
  assert.throws(
    () => parseConfig(null, { ...variables, ...queue, GP2GP_ADAPTOR_BROKERS: 'http://one' }),
    /GP2GP_ADAPTOR_BROKERS .*no address of a broker/,
  );
  assert.throws(() => parseConfig(null, { ...variables, ...queue, GP2GP_SPINE_TLS_KEY: file('k.pem') }), /GP2GP_SPINE_TLS_CERTIFICATE/);
});

test('management information needs a supplier beside its address, and a mailbox needs all of itself', () => {
  const config = parseConfig(yaml('mi: {url: "https://mi.example", supplier: ZZ901, apiKey: k}'), {});
  assert.deepEqual(
    [config.mi?.url, config.mi?.supplier, config.mi?.alertMinutes, config.miFiles],
    ['https://mi.example', 'ZZ901', 60, null],
  );
  assert.deepEqual(config.practices[0]?.mi, { events: true, files: false });
  assert.equal(parseConfig(yaml(), {}).mi, null);
  assert.match(problemsOf(yaml('mi: {url: "https://mi.example"}')), /GP2GP_MI_SUPPLIER \(mi.supplier\): is missing/);
  const some = problemsOf(yaml('mi: {supplier: ZZ901, files: {url: "https://mesh.example", mailbox: NODE1}}'));
  for (const name of ['PASSWORD', 'SHARED_KEY', 'TO', 'WORKFLOW']) assert.match(some, new RegExp(`GP2GP_MI_FILES_${name} `));
  const whole = 'url: "https://mesh.example", mailbox: NODE1, password: p, sharedKey: s, to: NATIONAL1, workflow: W';
  assert.equal(parseConfig(yaml(`mi: {supplier: ZZ901, files: {${whole}}}`), {}).miFiles?.workflow, 'W');
  assert.match(problemsOf(yaml(`mi: {supplier: ZZ901, files: {${whole}, tls: {key: k.pem}}}`)), /mi\.files\.tls\.certificate/);
  const old = yaml().replace('gpSystem:', 'mi: {events: false, files: true}, gpSystem:');
  assert.match(problemsOf(old), /practices\.0\.mi\.files: no mailbox/);
});
