/** Settings files of the existing adaptors, every name of them with its default or an example, start a node as they are. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../base/errors.ts';
import { freePorts } from '../../cli/demo/ports.ts';
import { testStore } from '../../store/testing.ts';
import { testAuthority } from '../../web/testing.ts';
import { startNode } from '../serve.ts';
import { readEnvFile } from './env-file.ts';
import { configFromPeer, reportLines } from './settings.ts';
import { PEER_SETTINGS } from './table.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const folder = await mkdtemp(join(tmpdir(), 'gp2gp-peer-'));
closers.push(() => rm(folder, { recursive: true, force: true }));

const SEND = `
GP2GP_SERVER_PORT=8080
GP2GP_ROOT_LOGGING_LEVEL=WARN
GP2GP_LOGGING_LEVEL=INFO
GP2GP_LOGGING_FORMAT="%d{yyyy-MM-dd HH:mm:ss.SSS} Level=%-5level"
GP2GP_REDACTIONS_ENABLED=true
GP2GP_LARGE_ATTACHMENT_THRESHOLD=4500000
GP2GP_LARGE_EHR_EXTRACT_THRESHOLD=4500000
GP2GP_MONGO_URI=mongodb://localhost:27017
GP2GP_MONGO_DATABASE_NAME=gp2gp
GP2GP_MONGO_HOST=
GP2GP_MONGO_PORT=
GP2GP_MONGO_USERNAME=
GP2GP_MONGO_PASSWORD=
GP2GP_MONGO_OPTIONS=
GP2GP_MONGO_AUTO_INDEX_CREATION=true
GP2GP_MONGO_TTL=P84D
GP2GP_COSMOS_DB_ENABLED=false
GP2GP_DOCUMENTDB_ENABLED=false
GP2GP_SSL_TRUST_STORE_URL=
GP2GP_SSL_TRUST_STORE_PASSWORD=
GP2GP_STORAGE_TYPE=S3
GP2GP_STORAGE_CONTAINER_NAME=records
GP2GP_AZURE_STORAGE_CONNECTION_STRING=
AWS_ACCESS_KEY_ID=an-id
AWS_SECRET_ACCESS_KEY=storage-secret
AWS_REGION=eu-west-2
GP2GP_AMQP_BROKERS=amqp://localhost:5672
GP2GP_AMQP_USERNAME=user
GP2GP_AMQP_PASSWORD=queue-secret
GP2GP_AMQP_MAX_REDELIVERIES=3
GP2GP_MHS_INBOUND_QUEUE=gp2gpInboundQueue
GP2GP_MHS_INBOUND_QUEUE_CONSUMER_CONCURRENCY=1
GP2GP_TASK_QUEUE=gp2gpTaskQueue
GP2GP_TASK_QUEUE_CONSUMER_CONCURRENCY=1
GP2GP_GPC_GET_URL=http://localhost:8090/@ODS_CODE@/STU3/1/gpconnect
GP2GP_GPC_STRUCTURED_FHIR_BASE=/fhir
GP2GP_GPC_OVERRIDE_NHS_NUMBER=
GP2GP_GPC_MAX_REQUEST_SIZE=150000000
GP2GP_REQUESTING_PRACTITIONER_SDS_USER_ID=UNK
GP2GP_REQUESTING_PRACTITIONER_SDS_ROLE_PROFILE_ID=UNK
GP2GP_REQUESTING_PRACTITIONER_FAMILY_NAME=ADAPTOR
GP2GP_REQUESTING_PRACTITIONER_GIVEN_NAME=GP2GP
GP2GP_GPC_CLIENT_MAX_BACKOFF_ATTEMPTS=6
GP2GP_GPC_CLIENT_MIN_BACKOFF_SECONDS=5
GP2GP_GPC_CLIENT_TIMEOUT_SECONDS=1200
GP2GP_MHS_OUTBOUND_URL=http://localhost:8081/mock-mhs-endpoint
GP2GP_MHS_CLIENT_MAX_BACKOFF_ATTEMPTS=6
GP2GP_MHS_CLIENT_MIN_BACKOFF_SECONDS=5
GP2GP_MHS_CLIENT_TIMEOUT_SECONDS=120
TIMEOUT_CRON_TIME=0 0 */12 * * *
`;
const REQ = `
GPC_FACADE_SERVER_PORT=8081
GP2GP_TRANSLATOR_SERVER_PORT=8085
SSL_ENABLED=false
KEY_STORE=certs/keystore.jks
KEY_STORE_PASSWORD=store-secret
KEY_PASSWORD=key-secret
TRUST_STORE=certs/truststore.jks
TRUST_STORE_PASSWORD=trust-secret
PS_LOGGING_LEVEL=INFO
PS_DB_URL=jdbc:postgresql://localhost:5436
GPC_FACADE_USER_DB_PASSWORD=db-secret-1
GP2GP_TRANSLATOR_USER_DB_PASSWORD=db-secret-2
POSTGRES_PASSWORD=db-secret-3
PS_DB_OWNER_NAME=postgres
PS_DB_HOST=localhost
PS_DB_PORT=5436
PS_QUEUE_NAME=pssQueue
PS_AMQP_BROKER=amqp://localhost:5672
PS_AMQP_USERNAME=user
PS_AMQP_PASSWORD=queue-secret-1
PS_AMQP_MAX_REDELIVERIES=3
MHS_QUEUE_NAME=mhsQueue
MHS_AMQP_BROKER=amqp://localhost:5672
MHS_AMQP_USERNAME=user
MHS_AMQP_PASSWORD=queue-secret-2
MHS_AMQP_MAX_REDELIVERIES=3
MHS_DLQ_PREFIX=DLQ.
PS_DAISY_CHAINING_ACTIVE=false
GP2GP_MHS_INBOUND_QUEUE=gp2gpInboundQueue
GP2GP_AMQP_BROKERS=amqp://localhost:5672
GP2GP_AMQP_USERNAME=
GP2GP_AMQP_PASSWORD=
MHS_BASE_URL=http://localhost:8080
STORAGE_TYPE=S3
STORAGE_REGION=eu-west-2
STORAGE_CONTAINER_NAME=
STORAGE_REFERENCE=
STORAGE_SECRET=
STORAGE_RETRY_LIMIT=3
SDS_API_KEY=sds-secret
SDS_BASE_URL=https://api.service.nhs.uk/spine-directory/FHIR/R4
TIMEOUT_CRON_TIME=0 0 */2 * * *
TIMEOUT_SDS_POLL_FREQUENCY=3
TIMEOUT_EHR_EXTRACT_WEIGHTING=1
TIMEOUT_COPC_WEIGHTING=1
MIGRATION_TIMEOUT_OVERRIDE=false
`;
const MHS = `
MHS_LOG_LEVEL=INFO
MHS_LOG_FORMAT=
MHS_SECRET_PARTY_KEY=A11111-000001
MHS_STATE_TABLE_NAME=mhs_state
MHS_SYNC_ASYNC_STATE_TABLE_NAME=sync_async_state
MHS_STATE_STORE_MAX_RETRIES=3
MHS_STATE_STORE_RETRY_DELAY=100
MHS_SYNC_ASYNC_STORE_MAX_RETRIES=3
MHS_SYNC_ASYNC_STORE_RETRY_DELAY=100
MHS_DB_ENDPOINT_URL=http://dynamodb:8000
MHS_PERSISTENCE_ADAPTOR=dynamodb
MHS_CLOUD_REGION=eu-west-2
MHS_DB_CA_CERTS=
MHS_INBOUND_SERVER_PORT=443
MHS_INBOUND_HEALTHCHECK_SERVER_PORT=80
MHS_INBOUND_USE_SSL=True
MHS_INBOUND_QUEUE_BROKERS=amqp://localhost:5672,amqp://standby:5672
MHS_INBOUND_QUEUE_NAME=inbound
MHS_SECRET_INBOUND_QUEUE_USERNAME=guest
MHS_SECRET_INBOUND_QUEUE_PASSWORD=queue-secret-3
MHS_INBOUND_QUEUE_MAX_RETRIES=3
MHS_INBOUND_QUEUE_RETRY_DELAY=100
MHS_INBOUND_QUEUE_MESSAGE_TTL_IN_SECONDS=0
MHS_OUTBOUND_SERVER_PORT=80
MHS_OUTBOUND_TRANSMISSION_MAX_RETRIES=3
MHS_OUTBOUND_TRANSMISSION_RETRY_DELAY=100
MHS_OUTBOUND_VALIDATE_CERTIFICATE=True
MHS_OUTBOUND_HTTP_PROXY=
MHS_OUTBOUND_HTTP_PROXY_PORT=3128
MHS_FORWARD_RELIABLE_ENDPOINT_URL=https://msg.example.test/reliablemessaging/intermediary
MHS_ASYNCHRONOUS_RELIABLE_ENDPOINT_URL=
MHS_ASYNCHRONOUS_EXPRESS_ENDPOINT_URL=
MHS_SYNCHRONOUS_ENDPOINT_URL=
MHS_SPINE_ORG_CODE=YES
MHS_SPINE_REQUEST_MAX_SIZE=4999600
MHS_OUTBOUND_ROUTING_LOOKUP_METHOD=SPINE_ROUTE_LOOKUP
MHS_SDS_API_URL=https://sds.example.test/spine-directory
MHS_SDS_API_KEY=sds-secret-2
MHS_SPINE_ROUTE_LOOKUP_URL=http://route
MHS_SPINE_ROUTE_LOOKUP_VALIDATE_CERT=True
MHS_SPINE_ROUTE_LOOKUP_HTTP_PROXY=
MHS_SPINE_ROUTE_LOOKUP_HTTP_PROXY_PORT=3128
MHS_SECRET_SPINE_ROUTE_LOOKUP_CLIENT_CERT=
MHS_SECRET_SPINE_ROUTE_LOOKUP_CLIENT_KEY=
MHS_SECRET_SPINE_ROUTE_LOOKUP_CA_CERTS=
MHS_RESYNC_RETRIES=20
MHS_RESYNC_INTERVAL=1
MHS_RESYNC_INITIAL_DELAY=0
MAX_RESYNC_RETRIES=20
MHS_SPINE_ROUTE_LOOKUP_SERVER_PORT=80
MHS_SDS_URL=ldaps://ldap.example.test
MHS_SDS_SEARCH_BASE=ou=services,o=nhs
MHS_DISABLE_SDS_TLS=
MHS_LAZY_LDAP=True
MHS_LDAP_CONNECTION_RETRIES=3
MHS_LDAP_CONNECTION_TIMEOUT_IN_SECONDS=5
MHS_SDS_CACHE_EXPIRY_TIME=900
MHS_SDS_REDIS_CACHE_HOST=redis
MHS_SDS_REDIS_CACHE_PORT=6379
MHS_SDS_REDIS_DISABLE_TLS=
MHS_LDAP_MOCK_DATA_URL=
MHS_FAKE_SPINE_URL=
TCP_PORTS=443
SERVICE_PORTS=443
`;
const GPCC = `
GPC_CONSUMER_SERVER_PORT=8090
GPC_CONSUMER_ROOT_LOGGING_LEVEL=WARN
GPC_CONSUMER_LOGGING_LEVEL=INFO
GPC_CONSUMER_LOGGING_FORMAT=
GPC_CONSUMER_SPINE_CLIENT_CERT=
GPC_CONSUMER_SPINE_CLIENT_KEY=
GPC_CONSUMER_SPINE_ROOT_CA_CERT=
GPC_CONSUMER_SPINE_SUB_CA_CERT=
GPC_CONSUMER_SSP_URL=
GPC_CONSUMER_SDS_URL=https://api.service.nhs.uk/spine-directory/FHIR/R4
GPC_CONSUMER_SDS_APIKEY=sds-secret-4
GPC_SUPPLIER_ODS_CODE=SUP01
GPC_CONSUMER_GPC_STRUCTURED_PATH=/*/STU3/1/gpconnect/fhir/Patient/$gpc.getstructuredrecord
GPC_CONSUMER_GPC_GET_DOCUMENT_PATH=/*/STU3/1/gpconnect/documents/fhir/Binary/**
GPC_CONSUMER_GPC_GET_PATIENT_PATH=/*/STU3/1/gpconnect/documents/fhir/Patient
GPC_CONSUMER_SEARCH_DOCUMENTS_PATH=/*/STU3/1/gpconnect/documents/fhir/Patient/*/DocumentReference
GPC_CONSUMER_GPC_MIGRATE_STRUCTURED_PATH=/*/STU3/1/gpconnect/fhir/Patient/$gpc.migratestructuredrecord
`;

/** As secrets come through a container: PEM in one line, its ends written out. */
async function identity(): Promise<string> {
  const authority = await testAuthority('Spine');
  const { cert, key } = await authority.issue('node.test');
  const inline = (pem: string): string => `"${pem.replace(/\n/g, '\\n')}"`;
  return `MHS_SECRET_CLIENT_CERT=${inline(cert)}\nMHS_SECRET_CLIENT_KEY='${key}'\nMHS_SECRET_CA_CERTS=${inline(authority.cert)}\n`;
}

/** The consumer adaptor's file with all four of its certificates and keys. */
async function consumersIdentity(): Promise<string> {
  const [authority, other] = [await testAuthority('Spine'), await testAuthority('Root')];
  const { cert, key } = await authority.issue('node.test');
  return Object.entries({ CLIENT_CERT: cert, CLIENT_KEY: key, ROOT_CA_CERT: other.cert, SUB_CA_CERT: authority.cert }).reduce(
    (file, [name, pem]) => file.replace(`SPINE_${name}=\n`, () => `SPINE_${name}="${pem.replace(/\n/g, '\\n')}"\n`),
    GPCC,
  );
}

let folders = 0;
function from(file: string, options: { profile?: 'live' | 'test'; environment?: Record<string, string>; yaml?: string } = {}) {
  const { profile = 'live', environment = {}, yaml = null } = options;
  return configFromPeer({ file, yaml, environment, profile, defaultData: join(folder, `data-${folders++}`) });
}

test('every name of every adaptor is known, and the report says of each what was done with it', async () => {
  const all = { SEND, REQ, MHS: MHS + (await identity()), GPCC };
  const seen = new Set<string>();
  for (const [component, file] of Object.entries(all)) {
    const base = component === 'GPCC' ? `${SEND}${file}` : file;
    const { report } = from(base);
    const names = [...readEnvFile(base).keys()];
    for (const name of names) {
      seen.add(name);
      const line = report.find((each) => each.name === name);
      assert.ok(line && line.kind !== 'unknown' && line.said.length > 5, `${component} ${name}`);
    }
  }
  assert.deepEqual(
    [...PEER_SETTINGS.keys()].filter((name) => !seen.has(name)),
    [],
  );
  // None of the secrets is told.
  for (const file of Object.values(all))
    assert.doesNotMatch(reportLines(from(file === GPCC ? SEND + GPCC : file).report).join('\n'), /-secret|BEGIN|mongodb:/);
});

test('what the old names mean is what the node does', async () => {
  const yaml =
    'practices: [{ods: B22222, asid: "200000000002", partyKey: B22222-000002, apiKey: a-key-of-some-length, gpSystem: {filingUrl: "http://gp/filing", key: k}}]';
  const send = from(SEND, { yaml }).config;
  assert.deepEqual(
    [send.api.port, send.adaptor.url, send.adaptor.queue?.queue.queue, send.adaptor.queue?.queue.brokers[0]?.username],
    [8080, 'http://localhost:8081/mock-mhs-endpoint', 'gp2gpInboundQueue', 'user'],
  );
  const [practice] = send.practices;
  assert.deepEqual(
    [practice?.redactions, practice?.messageLimit, practice?.gpSystem.connectUrl],
    ['on', 5_000_000, 'http://localhost:8090/B22222/STU3/1/gpconnect/fhir'],
  );
  assert.deepEqual([send.retention.metadataDays, send.adaptor.queue?.atOnce], [84, 1]);
  assert.deepEqual(send.objects.s3 && { ...send.objects.s3, secretAccessKey: undefined }, {
    bucket: 'records',
    pathStyle: false,
    prefix: 'open-gp2gp/',
    region: 'eu-west-2',
    accessKeyId: 'an-id',
    secretAccessKey: undefined,
  });
  const other = from(SEND.replace('P84D', 'PT960H').replace('CONCURRENCY=1', 'CONCURRENCY=2-8').replace('TYPE=S3', 'TYPE=Azure')).config;
  assert.deepEqual([other.retention.metadataDays, other.adaptor.queue?.atOnce, other.objects.s3], [40, 8, null]);
  const stored = from(
    REQ.replace('CONTAINER_NAME=', 'CONTAINER_NAME=files')
      .replace('REFERENCE=', 'REFERENCE=an-id')
      .replace('STORAGE_SECRET=', 'STORAGE_SECRET=k'),
  ).config;
  assert.deepEqual([stored.objects.s3?.bucket, stored.objects.s3?.accessKeyId], ['files', 'an-id']);
  const req = from(REQ).config;
  assert.equal(req.objects.s3, null);
  assert.deepEqual(
    [req.api.port, req.adaptor.url, req.adaptor.queue?.deadLetters, req.adaptor.queue?.forward, req.sds.apiKey],
    [8085, 'http://localhost:8080', 'DLQ.mhsQueue', null, 'sds-secret'],
  );
  const chained = from(REQ.replace('ACTIVE=false', 'ACTIVE=true')).config;
  assert.deepEqual([chained.adaptor.queue?.queue.queue, chained.adaptor.queue?.forward?.queue], ['mhsQueue', 'gp2gpInboundQueue']);
  const mhs = from(MHS + (await identity())).config;
  assert.ok(mhs.relay && mhs.spine.tls && mhs.spine.tlsFiles);
  assert.deepEqual(
    [
      mhs.spine.port,
      mhs.relay.port,
      mhs.api.port,
      mhs.spine.url,
      mhs.relay.partyKey,
      mhs.relay.queue.brokers.length,
      mhs.relay.messageLimit,
      mhs.sds.url,
    ],
    [
      443,
      80,
      80,
      'https://msg.example.test/reliablemessaging/intermediary',
      'A11111-000001',
      2,
      4_999_600,
      'https://sds.example.test/spine-directory',
    ],
  );
  assert.equal((await stat(mhs.spine.tlsFiles.key)).mode & 0o777, 0o600);
});

test('what would be unsafe to pass over is refused by name; in a test profile mocks are not', async () => {
  const refused = (file: string, profile: 'live' | 'test' = 'live'): string => {
    try {
      from(file, { profile });
      return '';
    } catch (thrown) {
      assert.ok(thrown instanceof Fault && thrown.code === 'config.invalid', String(thrown));
      return thrown.message;
    }
  };
  const mhs = MHS + (await identity());
  const cases: readonly [RegExp, string, string][] = [
    [/GP2GP_STORAGE_TYPE: a mock/, SEND.replace('TYPE=S3', 'TYPE=LocalMock'), 'only live'],
    [/STORAGE_TYPE: a mock/, REQ.replace('TYPE=S3', 'TYPE=LocalMock'), 'only live'],
    [/OVERRIDE_NHS_NUMBER: it would put/, SEND.replace('NHS_NUMBER=', 'NHS_NUMBER=9000000009'), 'only live'],
    [/VALIDATE_CERTIFICATE: records would be sent/, mhs.replace('CERTIFICATE=True', 'CERTIFICATE=False'), 'only live'],
    [/USE_SSL: without TLS/, mhs.replace('USE_SSL=True', 'USE_SSL=False'), 'only live'],
    [/MHS_FAKE_SPINE_URL/, mhs.replace('SPINE_URL=', 'SPINE_URL=http://fake'), 'only live'],
    [/ATTACHMENT_THRESHOLD: Spine takes/, SEND.replace('ATTACHMENT_THRESHOLD=4500000', 'ATTACHMENT_THRESHOLD=5000001'), 'both'],
    [/MONGO_TTL: it is a time such as/, SEND.replace('TTL=P84D', 'TTL=84'), 'both'],
    [/CONSUMER_CONCURRENCY: it is a number/, SEND.replace('QUEUE_CONSUMER_CONCURRENCY=1', 'QUEUE_CONSUMER_CONCURRENCY=many'), 'both'],
    [/DAISY_CHAINING_ACTIVE: it is true or false/, REQ.replace('ACTIVE=false', 'ACTIVE=yes'), 'both'],
    [/TIMEOUT_OVERRIDE: it is true or false/, REQ.replace('OVERRIDE=false', 'OVERRIDE=172800'), 'both'],
    [/HTTP_PROXY: no proxy is spoken to/, mhs.replace('OUTBOUND_HTTP_PROXY=', 'OUTBOUND_HTTP_PROXY=proxy'), 'both'],
    [/GPC_CONSUMER_SPINE_\*/, SEND + GPCC.replace('SPINE_CLIENT_KEY=', 'SPINE_CLIENT_KEY=x'), 'both'],
    [
      /SDS_BASE_URL and GPC_CONSUMER_SDS_URL both stand for sds.url/,
      REQ + GPCC.replace('https://api.service', 'https://other.service'),
      'both',
    ],
  ];
  for (const [says, file, when] of cases) {
    assert.match(refused(file), says);
    if (when === 'only live') assert.equal(refused(file, 'test'), '', String(says));
    else assert.match(refused(file, 'test'), says);
  }
  assert.throws(
    () => from(SEND, { environment: { GP2GP_API_PORT: '9999' } }),
    /GP2GP_API_PORT and GP2GP_SERVER_PORT both stand for api.port/,
  );
  // The same said twice, or said only by us, is no contradiction.
  assert.equal(from(SEND, { environment: { GP2GP_API_PORT: '8080', GP2GP_API_HOST: '127.0.0.2' } }).config.api.host, '127.0.0.2');
});

test('a name that nobody knows is listed with the nearest that is known; a name for one component wins over the plain one', () => {
  const { report, config } = from(`${SEND}\nGP2GP_SERVR_PORT=1\nMHS_SOMETHING=x\nUNRELATED=1\nSEND__GP2GP_SERVER_PORT=8099\n`);
  assert.deepEqual(
    report.filter(({ kind }) => kind === 'unknown').map(({ name }) => name),
    ['GP2GP_SERVR_PORT', 'MHS_SOMETHING'],
  );
  assert.match(report.find(({ name }) => name === 'GP2GP_SERVR_PORT')?.said ?? '', /the nearest is GP2GP_SERVER_PORT/);
  assert.equal(config.api.port, 8099);
});

test('a settings file is read as container tools read it', () => {
  const read = readEnvFile('# comment\n\nA=1\nexport B = two words # said\nC="x\\n\\"y\\""\nD=\'line one\nline two\'\nE=\nA=2\n');
  assert.deepEqual(
    [...read],
    [
      ['A', '2'],
      ['B', 'two words'],
      ['C', 'x\n"y"'],
      ['D', 'line one\nline two'],
      ['E', ''],
    ],
  );
  assert.throws(() => readEnvFile('A=1\nnonsense\n'), /line 2/);
  assert.throws(() => readEnvFile('A="1\n'), /line 1/);
});

test('a node starts from each of the files, and is asked for its health where the old adaptor was', async () => {
  const [sendPort, reqPort, spinePort, relayPort, healthPort, consumerPort] = await freePorts(6);
  const files = [
    // Nobody plays its bucket here.
    SEND.replace('PORT=8080', `PORT=${sendPort}`).replace('TYPE=S3', 'TYPE=Azure'),
    REQ.replace('SERVER_PORT=8085', `SERVER_PORT=${reqPort}`),
    `${MHS.replace('INBOUND_SERVER_PORT=443', `INBOUND_SERVER_PORT=${spinePort}`).replace('HEALTHCHECK_SERVER_PORT=80', `HEALTHCHECK_SERVER_PORT=${healthPort}`).replace('OUTBOUND_SERVER_PORT=80', `OUTBOUND_SERVER_PORT=${relayPort}`)}${await identity()}`,
    (await consumersIdentity()).replace('SERVER_PORT=8090', `SERVER_PORT=${consumerPort}`),
  ];
  for (const [at, file] of files.entries()) {
    const store = await testStore();
    closers.push(() => store.close());
    const { config } = from(file, {
      environment: { GP2GP_DATABASE_URL: store.url, GP2GP_LOG: 'info', ...(at === 3 && { GP2GP_SPINE_PORT: '0' }) },
    });
    const node = await startNode({ ...config, log: 'silent' });
    closers.push(() => node.close());
    const health = await fetch(`http://127.0.0.1:${[sendPort, reqPort, healthPort, consumerPort][at]}/healthcheck`);
    assert.deepEqual([health.status, await health.json()], [200, { status: 'UP' }]);
    assert.equal(node.ready.spine === null, at < 2);
    if (at === 2) {
      const refused = await fetch(`http://127.0.0.1:${relayPort}/`, { method: 'POST' });
      assert.deepEqual([refused.status, await refused.text()], [404, '404: Required Interaction-Id header not found']);
    }
    await node.close();
  }
});

test('gp2gp serve --check-config says what a file means and whether a node would start', async () => {
  const file = join(folder, 'adaptor.env');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['bin/gp2gp.ts', 'serve', '--env-file', file, '--check-config', ...args], {
      encoding: 'utf8',
      env: { ...process.env, XDG_DATA_HOME: folder },
    });
  await writeFile(file, SEND);
  const good = run();
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /GP2GP_SERVER_PORT +is api.port = 8080/);
  assert.match(good.stdout, /GP2GP_MONGO_URI +has no effect: state of the old system is not read/);
  await writeFile(file, SEND.replace('TYPE=S3', 'TYPE=LocalMock'));
  const bad = run();
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /GP2GP_STORAGE_TYPE: a mock/);
  assert.equal(run('--profile', 'test').status, 0);
});
