/**
 * Every setting of the existing adaptors by name, and what becomes of it here. Nobody's settings file may be half understood: a name that
 * is honoured says where, one that is not says why, and one whose neglect would be unsafe is refused.
 */

export type Component = 'SEND' | 'REQ' | 'MHS' | 'GPCC';
export type Treatment =
  /** The same meaning, under one of our paths. */
  | { readonly how: 'honoured'; readonly as: string }
  /** Accepted and without effect, for a reason. */
  | { readonly how: 'ignored'; readonly why: string };
/** What a file says beside the setting in question. */
export type InFile = {
  readonly get: (name: string) => string | undefined;
  readonly components: ReadonlySet<Component>;
  readonly of: readonly Component[];
};
export type PeerSetting = {
  readonly of: readonly Component[];
  readonly treatment: Treatment;
  /** Never printed. */
  readonly secret?: true;
  /** Values that stop the start, with the reason; `live`: not in a test profile. */
  readonly refuse?: (value: string, profile: 'live' | 'test') => string | null;
  /** Why it has no effect in a file that says all of this; `null`: it has. */
  readonly needs?: (file: InFile) => string | null;
  /** What is said beside an accepted value. */
  readonly warn?: (value: string) => string | null;
};

const honoured = (as: string): Treatment => ({ how: 'honoured', as });
const ignored = (why: string): Treatment => ({ how: 'ignored', why });
const one = (of: Component, treatment: Treatment, more: Omit<PeerSetting, 'of' | 'treatment'> = {}): PeerSetting => ({
  of: [of],
  treatment,
  ...more,
});

const LOCAL_MOCK: NonNullable<PeerSetting['refuse']> = (value, profile) =>
  /^localmock$/i.test(value) && profile === 'live'
    ? 'a mock of an object store is for tests only; name S3 or Azure, or leave it out'
    : null;
const THRESHOLD: NonNullable<PeerSetting['refuse']> = (value) =>
  Number(value) > 5_000_000 || !/^\d+$/.test(value) ? 'Spine takes 5,000,000 bytes in one message at most' : null;
const debug: NonNullable<PeerSetting['warn']> = (value) =>
  /^(debug|trace|all)$/i.test(value) ? 'payloads are never logged, at no level' : null;
const onlyTrue =
  (why: string): NonNullable<PeerSetting['refuse']> =>
  (value, profile) =>
    /^(false|no|0)$/i.test(value) && profile === 'live' ? why : null;
const set =
  (why: string): NonNullable<PeerSetting['refuse']> =>
  (value, profile) =>
    value !== '' && profile === 'live' ? why : null;

const STATE = 'state of the old system is not read; new conversations only';
const FILES = 'objects are kept in the data folder: no bucket of S3 is named';
const OWN_DATABASE = 'the node has a PostgreSQL of its own (GP2GP_DATABASE_URL names another)';
const OWN_WAITS = 'repetitions and time limits are the node’s own';
const NO_FACE = 'this face of the old adaptor is not offered';
const NO_LOOK_UP = 'the directory is asked by its API; its LDAP is not spoken';
const EXACT = 'limits are kept to the second, no timetable is needed';
const INTERNAL = 'the queue between the old adaptor’s own parts is not needed';
const PATTERN = 'log lines are JSON';

/** Only with a bucket: without one the old adaptor kept nothing there either. */
const inS3: NonNullable<PeerSetting['needs']> = ({ get, of }) => {
  const before = of.includes('SEND') ? 'GP2GP_' : '';
  return /^s3$/i.test(get(`${before}STORAGE_TYPE`) ?? '') && get(`${before}STORAGE_CONTAINER_NAME`) ? null : FILES;
};
/** The consumer's own identity and port are the node's where nothing else in the file says what these are. */
const alone: NonNullable<PeerSetting['needs']> = ({ components }) => (components.size === 1 ? null : NO_FACE);

/** Whole days of an ISO 8601 duration, as the old adaptors read it; `null` where it is none. */
export function daysOf(duration: string): number | null {
  const [matched, days, hours, minutes, seconds] =
    /^P(?=.)(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i.exec(duration)?.map((part) => part ?? '0') ?? [];
  if (matched === undefined) return null;
  return Math.ceil(Number(days) + (Number(hours) + (Number(minutes) + Number(seconds) / 60) / 60) / 24);
}

export const PEER_SETTINGS: ReadonlyMap<string, PeerSetting> = new Map<string, PeerSetting>([
  // ---- SEND
  ['GP2GP_SERVER_PORT', one('SEND', honoured('api.port'))],
  ['GP2GP_ROOT_LOGGING_LEVEL', one('SEND', ignored('libraries write no log of their own'), { warn: debug })],
  ['GP2GP_LOGGING_LEVEL', one('SEND', honoured('log'), { warn: debug })],
  ['GP2GP_LOGGING_FORMAT', one('SEND', ignored(PATTERN))],
  ['GP2GP_REDACTIONS_ENABLED', one('SEND', honoured('practices.*.redactions'))],
  ['GP2GP_LARGE_ATTACHMENT_THRESHOLD', one('SEND', honoured('practices.*.messageLimit'), { refuse: THRESHOLD })],
  ['GP2GP_LARGE_EHR_EXTRACT_THRESHOLD', one('SEND', honoured('practices.*.messageLimit'), { refuse: THRESHOLD })],
  ...['URI', 'DATABASE_NAME', 'HOST', 'PORT', 'USERNAME', 'OPTIONS', 'AUTO_INDEX_CREATION'].map((name): [string, PeerSetting] => [
    `GP2GP_MONGO_${name}`,
    one('SEND', ignored(STATE), name === 'URI' ? { secret: true } : {}),
  ]),
  [
    'GP2GP_MONGO_TTL',
    one('SEND', honoured('retention.metadataDays'), {
      refuse: (value) => (daysOf(value) === null ? 'it is a time such as P84D' : null),
      warn: (value) => ((daysOf(value) ?? 0) < 84 ? 'twelve weeks are what is expected' : null),
    }),
  ],
  ['GP2GP_MONGO_PASSWORD', one('SEND', ignored(STATE), { secret: true })],
  ['GP2GP_COSMOS_DB_ENABLED', one('SEND', ignored(STATE))],
  ['GP2GP_DOCUMENTDB_ENABLED', one('SEND', ignored(STATE))],
  ['GP2GP_SSL_TRUST_STORE_URL', one('SEND', ignored(STATE), { warn: (value) => (value ? 'it was for the old database' : null) })],
  ['GP2GP_SSL_TRUST_STORE_PASSWORD', one('SEND', ignored(STATE), { secret: true })],
  ['GP2GP_STORAGE_TYPE', one('SEND', honoured('objects.s3'), { needs: inS3, refuse: LOCAL_MOCK })],
  ['GP2GP_STORAGE_CONTAINER_NAME', one('SEND', honoured('objects.s3.bucket'), { needs: inS3 })],
  ['GP2GP_AZURE_STORAGE_CONNECTION_STRING', one('SEND', ignored(FILES), { secret: true })],
  ['AWS_ACCESS_KEY_ID', one('SEND', honoured('objects.s3.accessKeyId'), { needs: inS3, secret: true })],
  ['AWS_SECRET_ACCESS_KEY', one('SEND', honoured('objects.s3.secretAccessKey'), { needs: inS3, secret: true })],
  ['AWS_REGION', one('SEND', honoured('objects.s3.region'), { needs: inS3 })],
  ['GP2GP_AMQP_BROKERS', { of: ['SEND', 'REQ'], treatment: honoured('adaptor.brokers') }],
  ['GP2GP_AMQP_USERNAME', { of: ['SEND', 'REQ'], treatment: honoured('adaptor.username') }],
  ['GP2GP_AMQP_PASSWORD', { of: ['SEND', 'REQ'], treatment: honoured('adaptor.password'), secret: true }],
  ['GP2GP_AMQP_MAX_REDELIVERIES', one('SEND', ignored('a message is taken at its first delivery, or comes again without being counted'))],
  ['GP2GP_MHS_INBOUND_QUEUE', { of: ['SEND', 'REQ'], treatment: honoured('adaptor.queue') }],
  [
    'GP2GP_MHS_INBOUND_QUEUE_CONSUMER_CONCURRENCY',
    one('SEND', honoured('adaptor.atOnce'), {
      refuse: (value) => (/^([1-9]\d*-)?[1-9]\d*$/.test(value) ? null : 'it is a number, or the least and the most with a hyphen'),
    }),
  ],
  ['GP2GP_TASK_QUEUE', one('SEND', ignored(INTERNAL))],
  ['GP2GP_TASK_QUEUE_CONSUMER_CONCURRENCY', one('SEND', honoured('work.jobs'))],
  ['GP2GP_GPC_GET_URL', one('SEND', honoured('practices.*.gpSystem.connectUrl'))],
  ['GP2GP_GPC_STRUCTURED_FHIR_BASE', one('SEND', honoured('practices.*.gpSystem.connectUrl'))],
  [
    'GP2GP_GPC_OVERRIDE_NHS_NUMBER',
    one('SEND', ignored('records are asked for under their own number'), {
      refuse: set('it would put one patient’s record under another’s number'),
    }),
  ],
  ['GP2GP_GPC_MAX_REQUEST_SIZE', one('SEND', ignored('documents stream; 150 MB are the limit'))],
  ...['SDS_USER_ID', 'SDS_ROLE_PROFILE_ID', 'FAMILY_NAME', 'GIVEN_NAME'].map((name): [string, PeerSetting] => [
    `GP2GP_REQUESTING_PRACTITIONER_${name}`,
    one('SEND', ignored('the token names the system; nobody sits before a transfer')),
  ]),
  ...['GPC', 'MHS'].flatMap((service) =>
    ['MAX_BACKOFF_ATTEMPTS', 'MIN_BACKOFF_SECONDS', 'TIMEOUT_SECONDS'].map((name): [string, PeerSetting] => [
      `GP2GP_${service}_CLIENT_${name}`,
      one('SEND', ignored(OWN_WAITS)),
    ]),
  ),
  ['GP2GP_MHS_OUTBOUND_URL', one('SEND', honoured('adaptor.url'))],
  ['TIMEOUT_CRON_TIME', { of: ['SEND', 'REQ'], treatment: ignored(EXACT) }],
  // ---- REQ
  ['GPC_FACADE_SERVER_PORT', one('REQ', ignored(NO_FACE))],
  ['GP2GP_TRANSLATOR_SERVER_PORT', one('REQ', honoured('api.port'))],
  ['SSL_ENABLED', one('REQ', ignored(NO_FACE))],
  ...['KEY_STORE', 'TRUST_STORE'].map((name): [string, PeerSetting] => [name, one('REQ', ignored(NO_FACE))]),
  ...['KEY_STORE_PASSWORD', 'KEY_PASSWORD', 'TRUST_STORE_PASSWORD'].map((name): [string, PeerSetting] => [
    name,
    one('REQ', ignored(NO_FACE), { secret: true }),
  ]),
  ['PS_LOGGING_LEVEL', one('REQ', honoured('log'), { warn: debug })],
  ['PS_DB_URL', one('REQ', ignored(OWN_DATABASE), { secret: true })],
  ...['GPC_FACADE_USER_DB_PASSWORD', 'GP2GP_TRANSLATOR_USER_DB_PASSWORD', 'POSTGRES_PASSWORD'].map((name): [string, PeerSetting] => [
    name,
    one('REQ', ignored(OWN_DATABASE), { secret: true }),
  ]),
  ...['PS_DB_OWNER_NAME', 'PS_DB_HOST', 'PS_DB_PORT'].map((name): [string, PeerSetting] => [name, one('REQ', ignored(OWN_DATABASE))]),
  ...['PS_QUEUE_NAME', 'PS_AMQP_BROKER', 'PS_AMQP_USERNAME', 'PS_AMQP_MAX_REDELIVERIES'].map((name): [string, PeerSetting] => [
    name,
    one('REQ', ignored(INTERNAL)),
  ]),
  ['PS_AMQP_PASSWORD', one('REQ', ignored(INTERNAL), { secret: true })],
  ['MHS_QUEUE_NAME', one('REQ', honoured('adaptor.queue'))],
  ['MHS_AMQP_BROKER', one('REQ', honoured('adaptor.brokers'))],
  ['MHS_AMQP_USERNAME', one('REQ', honoured('adaptor.username'))],
  ['MHS_AMQP_PASSWORD', one('REQ', honoured('adaptor.password'), { secret: true })],
  ['MHS_AMQP_MAX_REDELIVERIES', one('REQ', ignored('a message is taken at its first delivery, or comes again without being counted'))],
  ['MHS_DLQ_PREFIX', one('REQ', honoured('adaptor.deadLetterPrefix'))],
  [
    'PS_DAISY_CHAINING_ACTIVE',
    one('REQ', honoured('adaptor.forwardQueue'), {
      refuse: (value) =>
        /^(true|false)$/i.test(value) ? null : 'it is true or false; with anything else the old adaptor read no message at all',
    }),
  ],
  ['MHS_BASE_URL', one('REQ', honoured('adaptor.url'))],
  ['STORAGE_TYPE', one('REQ', honoured('objects.s3'), { needs: inS3, refuse: LOCAL_MOCK })],
  ['STORAGE_REGION', one('REQ', honoured('objects.s3.region'), { needs: inS3 })],
  ['STORAGE_CONTAINER_NAME', one('REQ', honoured('objects.s3.bucket'), { needs: inS3 })],
  ['STORAGE_REFERENCE', one('REQ', honoured('objects.s3.accessKeyId'), { needs: inS3, secret: true })],
  ['STORAGE_SECRET', one('REQ', honoured('objects.s3.secretAccessKey'), { needs: inS3, secret: true })],
  ['STORAGE_RETRY_LIMIT', one('REQ', ignored(OWN_WAITS))],
  ['SDS_API_KEY', one('REQ', honoured('sds.apiKey'), { secret: true })],
  ['SDS_BASE_URL', one('REQ', honoured('sds.url'))],
  ['TIMEOUT_SDS_POLL_FREQUENCY', one('REQ', ignored(EXACT))],
  ['TIMEOUT_EHR_EXTRACT_WEIGHTING', one('REQ', ignored(EXACT))],
  ['TIMEOUT_COPC_WEIGHTING', one('REQ', ignored(EXACT))],
  [
    'MIGRATION_TIMEOUT_OVERRIDE',
    one('REQ', ignored(EXACT), {
      refuse: (value) => (/^\d+$/.test(value) ? 'it is true or false, not seconds, although a guide says so' : null),
      warn: (value) =>
        /^true$/i.test(value) ? 'what the sender’s contracts say is waited for, eight days at most, and not 48 hours' : null,
    }),
  ],
  // ---- MHS
  ['MHS_LOG_LEVEL', one('MHS', honoured('log'), { warn: debug })],
  ['MHS_LOG_FORMAT', one('MHS', ignored(PATTERN))],
  ['MHS_SECRET_PARTY_KEY', one('MHS', honoured('relay.partyKey'))],
  ['MHS_SECRET_CLIENT_CERT', one('MHS', honoured('spine.tls.certificate'), { secret: true })],
  ['MHS_SECRET_CLIENT_KEY', one('MHS', honoured('spine.tls.key'), { secret: true })],
  ['MHS_SECRET_CA_CERTS', one('MHS', honoured('spine.tls.authorities'), { secret: true })],
  ...[
    'MHS_STATE_TABLE_NAME',
    'MHS_SYNC_ASYNC_STATE_TABLE_NAME',
    'MHS_STATE_STORE_MAX_RETRIES',
    'MHS_STATE_STORE_RETRY_DELAY',
    'MHS_SYNC_ASYNC_STORE_MAX_RETRIES',
    'MHS_SYNC_ASYNC_STORE_RETRY_DELAY',
    'MHS_PERSISTENCE_ADAPTOR',
    'MHS_CLOUD_REGION',
  ].map((name): [string, PeerSetting] => [name, one('MHS', ignored(STATE))]),
  ...['MHS_DB_ENDPOINT_URL', 'MHS_DB_CA_CERTS'].map((name): [string, PeerSetting] => [name, one('MHS', ignored(STATE), { secret: true })]),
  ['MHS_INBOUND_SERVER_PORT', one('MHS', honoured('spine.port'))],
  ['MHS_INBOUND_HEALTHCHECK_SERVER_PORT', one('MHS', honoured('api.port'))],
  [
    'MHS_INBOUND_USE_SSL',
    one('MHS', ignored('the listener always speaks TLS'), { refuse: onlyTrue('without TLS anybody could post messages') }),
  ],
  ['MHS_INBOUND_QUEUE_BROKERS', one('MHS', honoured('relay.brokers'))],
  ['MHS_INBOUND_QUEUE_NAME', one('MHS', honoured('relay.queue'))],
  ['MHS_SECRET_INBOUND_QUEUE_USERNAME', one('MHS', honoured('relay.username'), { secret: true })],
  ['MHS_SECRET_INBOUND_QUEUE_PASSWORD', one('MHS', honoured('relay.password'), { secret: true })],
  ['MHS_INBOUND_QUEUE_MAX_RETRIES', one('MHS', ignored('a message is published until the broker has accepted it'))],
  ['MHS_INBOUND_QUEUE_RETRY_DELAY', one('MHS', ignored('a message is published until the broker has accepted it'))],
  [
    'MHS_INBOUND_QUEUE_MESSAGE_TTL_IN_SECONDS',
    one('MHS', honoured('relay.messageSeconds'), {
      warn: (value) => (Number(value) > 0 ? 'a message that nobody takes in that time is lost, and its transfer with it' : null),
    }),
  ],
  ['MHS_OUTBOUND_SERVER_PORT', one('MHS', honoured('relay.port'))],
  ['MHS_OUTBOUND_TRANSMISSION_MAX_RETRIES', one('MHS', ignored('the receiver’s contract decides'))],
  ['MHS_OUTBOUND_TRANSMISSION_RETRY_DELAY', one('MHS', ignored('the receiver’s contract decides'))],
  [
    'MHS_OUTBOUND_VALIDATE_CERTIFICATE',
    one('MHS', ignored('Spine’s certificate is always checked'), { refuse: onlyTrue('records would be sent to whoever answers') }),
  ],
  [
    'MHS_OUTBOUND_HTTP_PROXY',
    one('MHS', ignored('no proxy is spoken to'), { refuse: (value) => (value ? 'no proxy is spoken to: nothing would leave' : null) }),
  ],
  ['MHS_OUTBOUND_HTTP_PROXY_PORT', one('MHS', ignored('no proxy is spoken to'))],
  ['MHS_FORWARD_RELIABLE_ENDPOINT_URL', one('MHS', honoured('spine.url'))],
  ...['MHS_ASYNCHRONOUS_RELIABLE_ENDPOINT_URL', 'MHS_ASYNCHRONOUS_EXPRESS_ENDPOINT_URL', 'MHS_SYNCHRONOUS_ENDPOINT_URL'].map(
    (name): [string, PeerSetting] => [name, one('MHS', ignored('GP2GP goes by the intermediary only'))],
  ),
  ['MHS_SPINE_ORG_CODE', one('MHS', honoured('relay.spineOds'))],
  [
    'MHS_SPINE_REQUEST_MAX_SIZE',
    one('MHS', honoured('relay.messageLimit'), {
      warn: (value) => (Number(value) > 5_000_000 ? 'Spine takes 5,000,000 bytes at most' : null),
    }),
  ],
  [
    'MHS_OUTBOUND_ROUTING_LOOKUP_METHOD',
    one('MHS', ignored('the directory is asked by its API'), {
      warn: (value) => (/^SDS_API$/i.test(value) ? null : 'the look-up service is not called: set MHS_SDS_API_URL and MHS_SDS_API_KEY'),
    }),
  ],
  ['MHS_SDS_API_URL', one('MHS', honoured('sds.url'))],
  ['MHS_SDS_API_KEY', one('MHS', honoured('sds.apiKey'), { secret: true })],
  ...[
    'MHS_SPINE_ROUTE_LOOKUP_URL',
    'MHS_SPINE_ROUTE_LOOKUP_VALIDATE_CERT',
    'MHS_SPINE_ROUTE_LOOKUP_HTTP_PROXY',
    'MHS_SPINE_ROUTE_LOOKUP_HTTP_PROXY_PORT',
    'MHS_SPINE_ROUTE_LOOKUP_SERVER_PORT',
    'MHS_SDS_URL',
    'MHS_SDS_SEARCH_BASE',
    'MHS_LAZY_LDAP',
    'MHS_LDAP_CONNECTION_RETRIES',
    'MHS_LDAP_CONNECTION_TIMEOUT_IN_SECONDS',
    'MHS_SDS_CACHE_EXPIRY_TIME',
    'MHS_SDS_REDIS_CACHE_HOST',
    'MHS_SDS_REDIS_CACHE_PORT',
    'MHS_SDS_REDIS_DISABLE_TLS',
  ].map((name): [string, PeerSetting] => [name, one('MHS', ignored(NO_LOOK_UP))]),
  ...['CERT', 'KEY'].map((name): [string, PeerSetting] => [
    `MHS_SECRET_SPINE_ROUTE_LOOKUP_CLIENT_${name}`,
    one('MHS', ignored(NO_LOOK_UP), { secret: true }),
  ]),
  ['MHS_SECRET_SPINE_ROUTE_LOOKUP_CA_CERTS', one('MHS', ignored(NO_LOOK_UP), { secret: true })],
  [
    'MHS_DISABLE_SDS_TLS',
    one('MHS', ignored(NO_LOOK_UP), {
      refuse: (value, profile) => (value === 'True' && profile === 'live' ? 'whoever answers could name themselves as any practice' : null),
    }),
  ],
  ['MHS_LDAP_MOCK_DATA_URL', one('MHS', ignored(NO_LOOK_UP), { refuse: set('a mock of the directory is for tests only') })],
  ['MHS_FAKE_SPINE_URL', one('MHS', ignored(NO_LOOK_UP), { refuse: set('a mock of Spine is for tests only') })],
  ...['MHS_RESYNC_RETRIES', 'MHS_RESYNC_INTERVAL', 'MHS_RESYNC_INITIAL_DELAY', 'MAX_RESYNC_RETRIES'].map((name): [string, PeerSetting] => [
    name,
    one('MHS', ignored('no interaction of GP2GP waits for its answer')),
  ]),
  ['TCP_PORTS', one('MHS', ignored('it is the load balancer’s'))],
  ['SERVICE_PORTS', one('MHS', ignored('it is the load balancer’s'))],
  // ---- GPCC
  ['GPC_CONSUMER_SERVER_PORT', one('GPCC', honoured('api.port'), { needs: alone })],
  ['GPC_CONSUMER_ROOT_LOGGING_LEVEL', one('GPCC', ignored('libraries write no log of their own'), { warn: debug })],
  ['GPC_CONSUMER_LOGGING_LEVEL', one('GPCC', honoured('log'), { warn: debug })],
  ['GPC_CONSUMER_LOGGING_FORMAT', one('GPCC', ignored(PATTERN))],
  ['GPC_CONSUMER_SPINE_CLIENT_CERT', one('GPCC', honoured('spine.tls.certificate'), { needs: alone, secret: true })],
  ['GPC_CONSUMER_SPINE_CLIENT_KEY', one('GPCC', honoured('spine.tls.key'), { needs: alone, secret: true })],
  ...['ROOT_CA_CERT', 'SUB_CA_CERT'].map((name): [string, PeerSetting] => [
    `GPC_CONSUMER_SPINE_${name}`,
    one('GPCC', honoured('spine.tls.authorities'), { needs: alone, secret: true }),
  ]),
  ['GPC_CONSUMER_SSP_URL', one('GPCC', ignored(NO_FACE))],
  ['GPC_CONSUMER_SDS_URL', one('GPCC', honoured('sds.url'))],
  ['GPC_CONSUMER_SDS_APIKEY', one('GPCC', honoured('sds.apiKey'), { secret: true })],
  ['GPC_SUPPLIER_ODS_CODE', one('GPCC', ignored(NO_FACE))],
  ...['GPC_STRUCTURED_PATH', 'GPC_GET_DOCUMENT_PATH', 'GPC_GET_PATIENT_PATH', 'SEARCH_DOCUMENTS_PATH', 'GPC_MIGRATE_STRUCTURED_PATH'].map(
    (name): [string, PeerSetting] => [`GPC_CONSUMER_${name}`, one('GPCC', ignored(NO_FACE))],
  ),
]);
