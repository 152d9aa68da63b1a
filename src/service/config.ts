import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { Fault, reasonOf } from '../base/errors.ts';
import { ods } from '../base/ids.ts';
import type { ObjectsPlace } from '../objects/place.ts';
import type { Application } from '../spine/access.ts';
import { type QueueSettings, readBrokers } from '../spine/adaptor/brokers.ts';
import type { Practice } from '../store/practices.ts';
import { straightPem } from '../web/identity.ts';
import type { TlsIdentity } from '../web/tls.ts';
import type { IdentityFiles } from './certificates.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/, error: 'is to be an http or https address' });
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const yes = z.union([z.boolean(), z.enum(['true', 'false', 'yes', 'no']).transform((text) => text === 'true' || text === 'yes')]);
/** From the environment, a list is one text with commas. */
const list = z.union([z.array(z.string()), z.string().transform((text) => text.split(',').map((part) => part.trim()))]);

/** What our own access to PDS takes, all of it. */
const ACCESS = ['tokenUrl', 'clientId', 'keyFile', 'keyId'] as const;

const practiceSchema = z.strictObject({
  ods: z
    .string()
    .regex(/^[A-Za-z0-9]{3,12}$/, 'is to be an ODS code')
    .transform((text) => ods(text)),
  asid: z.string().regex(/^\d{12}$/, 'is to have 12 digits'),
  partyKey: z.string().min(3).max(64),
  enabled: yes.default(true),
  /** Whether extracts are sent as UK07, with redaction marks: always, never, or to whoever takes them. */
  redactions: z.enum(['auto', 'on', 'off']).default('auto'),
  filing: z.enum(['automatic', 'byHand']).default('automatic'),
  /** Bytes of one message to Spine. */
  messageLimit: count(100_000, 100_000_000).default(5_000_000),
  /** Bearer key of the practice's system at this node's API. */
  apiKey: z.string().min(16, 'is to have at least 16 characters'),
  gpSystem: z.strictObject({
    /** Base of its GP Connect interface, up to and not including `/Patient`. */
    connectUrl: url,
    /** Base of its filing interface, up to and not including `/records`. */
    filingUrl: url,
    /** Bearer key that we show it. */
    key: z.string().min(1),
  }),
  /** Management information of this practice: which process it is in; both may run side by side. */
  mi: z
    .strictObject({
      /** Events to the national service as they happen, where `mi.url` is set. */
      events: yes.default(true),
      /** The weekly file of the older process, where `mi.files` is set. */
      files: yes.default(false),
      /** Left out: the node's. */
      apiKey: z.string().min(1).optional(),
    })
    .prefault({}),
});

/** Everything a node can be told. Each single value may also come as an environment variable, see `parseConfig`. */
const schema = z.strictObject({
  /** Folder for all data of this node, or of the nodes of one machine. */
  data: z.string().min(1),
  /** For logs; and to tell the nodes of one database apart. */
  name: z.string().max(64).default('node'),
  log: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  database: z
    .strictObject({
      /** A PostgreSQL of your own; left out, one is started in the data folder. */
      url: z.string().min(1).optional(),
      connections: count(2, 100).default(12),
    })
    .prefault({}),
  objects: z
    .strictObject({
      /** Default: `objects` in the data folder. */
      folder: z.string().min(1).optional(),
      /** In place of the folder: a bucket of an S3-compatible store, for nodes on several machines. */
      s3: z
        .strictObject({
          bucket: z.string().min(3).max(63).optional(),
          /** Before every key, for a bucket that others use too. */
          prefix: z
            .string()
            .regex(/^([A-Za-z0-9._-]+\/)*$/, 'is to be empty or names that each end with a slash')
            .default(''),
          region: z.string().min(1).default('eu-west-2'),
          /** Of a store that is not Amazon's. */
          endpoint: url.optional(),
          /** Left out, the SDK looks in the environment, in the profile, and for the role of the machine. */
          accessKeyId: z.string().min(1).optional(),
          secretAccessKey: z.string().min(1).optional(),
          /** The bucket in the path instead of in the host's name, as most stores of one's own want it. */
          pathStyle: yes.optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  spine: z.strictObject({
    /** Where messages to other practices are posted: Spine's intermediary. Left out: where SDS says for each of them. */
    url: url.optional(),
    /** Hosts that SDS may send us to, exact or `.suffix`, and networks among them that are not public (HSCN), `10.0.0.0/8`. */
    hosts: list.default(['.nhs.uk']),
    networks: list.default([]),
    /** PEM files. `authorities`: of everybody whom we talk to, old and new. */
    tls: z.strictObject({ certificate: z.string().optional(), key: z.string().optional(), authorities: list.optional() }).prefault({}),
    /** The name under which our endpoint is registered; given, the certificate has to be for it. */
    registeredName: z.string().min(1).optional(),
    host: z.string().default('0.0.0.0'),
    port: port.default(8443),
    /** Names of which the certificate of whoever posts to us must hold one; left out, every authorised one may. */
    peerNames: list.optional(),
    /** Where messages of other services on our party keys are passed on, unopened. */
    forwardUrl: url.optional(),
    /** HTTP status of our acknowledgements. */
    ackStatus: z
      .union([z.literal(200), z.literal(202), z.enum(['200', '202']).transform((text) => (text === '200' ? 200 : 202))])
      .default(200),
    /** Whether messages that ask for no acknowledgement get one too, as from the existing message adaptor. */
    alwaysAck: yes.default(true),
    /** What an empty answer to our post means: taken for good, or that an Acknowledgment is still to come. */
    ackMode: z.enum(['http202', 'ebxml']).default('http202'),
  }),
  sds: z.strictObject({
    url,
    apiKey: z.string().default(''),
    /** Requests a second that the registered application may make. */
    perSecond: count(1, 1_000).default(20),
  }),
  /** An existing message adaptor between us and Spine: messages go to its HTTP interface and come from its queue. */
  adaptor: z
    .strictObject({
      /** Where it takes messages, whole: `http://mhs-outbound/`. Given, Spine itself is neither called nor listened to. */
      url: url.optional(),
      brokers: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
      queue: z.string().optional(),
      /** How the broker addresses a queue: `/queue/{queue}` for RabbitMQ's first plug-in. */
      address: z.string().includes('{queue}').default('{queue}'),
      /** Messages of the queue in hand at the same time: each may have several megabytes. */
      atOnce: count(1, 64).default(4),
      /** Put before the queue's name, it names the one for what nobody can use. */
      deadLetterPrefix: z.string().default('DLQ.'),
      /** The queue of another consumer, for conversations that are not ours. */
      forwardQueue: z.string().optional(),
      /** Default: the same as ours. */
      forwardBrokers: z.string().optional(),
      forwardUsername: z.string().optional(),
      forwardPassword: z.string().optional(),
    })
    .prefault({}),
  /** In the place of an existing message adaptor, for a client that posts to its HTTP interface and takes from its queue. */
  relay: z
    .strictObject({
      /** Given, the interface is opened. */
      port: port.optional(),
      host: z.string().default('127.0.0.1'),
      /** The interface has no authentication: open on more than this machine only where something else keeps strangers out. */
      allowUnauthenticated: yes.default(false),
      /** Whose messages are relayed. */
      partyKey: z.string().optional(),
      brokers: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
      queue: z.string().optional(),
      address: z.string().includes('{queue}').default('{queue}'),
      /** Seconds after which the broker drops a message that nobody took; 0: never. */
      messageSeconds: z.coerce.number().int().min(0).default(0),
      /** A client is answered when Spine has answered, or as soon as its message is durable here. */
      acceptMode: z.enum(['spine', 'durable']).default('spine'),
      waitSeconds: z.coerce.number().min(0).max(110).default(60),
      /** Bytes of one message to Spine. */
      messageLimit: count(100_000, 100_000_000).default(5_000_000),
      spineOds: z.string().default('YES'),
    })
    .prefault({}),
  terminology: z
    .strictObject({
      /** What `gp2gp terminology build` wrote. Left out: codes are carried as they come, and reports say so. */
      file: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Either the registered application's own access, or a bearer token from elsewhere. Both only read. */
  pds: z
    .strictObject({
      url,
      token: z.string().min(1).optional(),
      /** The API platform's token endpoint, exactly as published. */
      tokenUrl: url.optional(),
      clientId: z.string().min(1).optional(),
      /** PEM file of the RSA key (PKCS#8) that signs our assertions, and the id under which its public half is registered. */
      keyFile: z.string().min(1).optional(),
      keyId: z.string().min(1).optional(),
      /** Requests a second that the registered application may make. */
      perSecond: count(1, 1_000).default(5),
    })
    .superRefine((pds, context) => {
      if (pds.token !== undefined) return;
      const missing = ACCESS.filter((name) => pds[name] === undefined);
      for (const name of missing.length === ACCESS.length ? ['token'] : missing)
        context.addIssue({ code: 'custom', path: [name], message: 'is missing' });
    }),
  api: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(8080),
      /** How the practices' systems reach this API; default: where it listens. */
      publicUrl: url.optional(),
      console: yes.default(false),
    })
    .prefault({}),
  work: z
    .strictObject({
      messages: count(1, 64).default(8),
      jobs: count(1, 64).default(8),
      arrivals: count(1, 64).default(8),
      /** Bodies in flight at the same time: of messages from Spine, of large ones to it, and of documents from the practices' systems. */
      streams: count(1, 64).default(4),
      leaseSeconds: count(2, 600).default(15),
      pollMs: count(50, 60_000).default(1_000),
      /** Left out: one for each two cores. Each takes about 50 MB, and on a small machine two would only take turns. */
      conversionThreads: count(1, 16).default(Math.min(16, Math.max(1, Math.floor(availableParallelism() / 2)))),
      /** Bytes of all cores that are converted at the same time. */
      conversionBytes: count(1_000_000, 10_000_000_000).default(64_000_000),
    })
    .prefault({}),
  /** Days after the end of a transfer. */
  retention: z
    .strictObject({
      /** For which its content is kept: for late documents, undoing, print lists. */
      contentDays: count(1, 3_650).default(30),
      /** For which it is known at all; afterwards it is only counted. Duplicates are told from new messages for as long. */
      metadataDays: count(30, 3_650).default(84),
      sweepMinutes: count(1, 1_440).default(60),
    })
    .prefault({}),
  /** Management information (GP Registrations MI API). Without an address no event is noted and none is sent. */
  mi: z
    .strictObject({
      /** `https://api.service.nhs.uk/gp-registrations-mi` */
      url: url.optional(),
      apiKey: z.string().default(''),
      /** The ODS code of the supplier of this product at its practices. */
      supplier: z
        .string()
        .regex(/^[A-Z0-9]{3,10}$/, 'is to be an ODS code in capital letters')
        .optional(),
      /** Posts at the same time. */
      posts: count(1, 32).default(4),
      /** An event that waits for so long is told to an operator. */
      alertMinutes: count(1, 100_000).default(60),
      /** The older process: weekly files by MESH, for practices with `mi.files`. */
      files: z
        .strictObject({
          /** Of MESH, up to and not including `/messageexchange`. */
          url: url.optional(),
          mailbox: z
            .string()
            .regex(/^[A-Z0-9]{3,20}$/, 'is to be a mailbox in capital letters')
            .optional(),
          password: z.string().min(1).optional(),
          /** The key of the environment, which all mailboxes share. */
          sharedKey: z.string().min(1).optional(),
          /** The receiver’s mailbox, and the workflow that was agreed with it. */
          to: z.string().min(1).optional(),
          workflow: z.string().min(1).optional(),
          /** As the files name it: `Supplier_System_Version`. */
          software: z.string().min(1).max(100).default('OpenGP2GP_OpenGP2GP_1'),
          /** PEM files, where MESH asks for a certificate. */
          tls: z
            .strictObject({ certificate: z.string().optional(), key: z.string().optional(), authorities: list.optional() })
            .prefault({}),
        })
        .prefault({}),
    })
    .prefault({}),
  practices: z.array(practiceSchema).default([]),
});

export type NodeSettings = z.infer<typeof schema>;
export type NodeConfig = Omit<NodeSettings, 'practices' | 'objects' | 'spine' | 'pds' | 'adaptor' | 'relay' | 'mi'> & {
  /** `null`: nothing is told nationally. */
  readonly mi: (Omit<NodeSettings['mi'], 'url' | 'supplier' | 'files'> & { readonly url: string; readonly supplier: string }) | null;
  /** `null`: no weekly files. */
  readonly miFiles:
    | (Record<(typeof MESH)[number], string> & { readonly software: string; readonly supplier: string; readonly tls: TlsIdentity | null })
    | null;
  readonly relay:
    | (Omit<NodeSettings['relay'], 'port' | 'partyKey' | 'queue'> & {
        readonly port: number;
        readonly partyKey: string;
        readonly queue: QueueSettings;
      })
    | null;
  readonly adaptor: {
    readonly url: string | undefined;
    readonly queue: {
      readonly queue: QueueSettings;
      readonly deadLetters: string;
      readonly forward: QueueSettings | null;
      readonly atOnce: number;
    } | null;
  };
  readonly pds: {
    readonly url: string;
    readonly perSecond: number;
    readonly access: { readonly token: string } | Application;
  };
  readonly practices: readonly Practice[];
  readonly objects: ObjectsPlace;
  readonly spine: Omit<NodeSettings['spine'], 'tls'> & {
    /** `null`: Spine does not reach this node; an adaptor does. */
    readonly tls: TlsIdentity | null;
    /** Where it was read, and is looked for again. */
    readonly tlsFiles: IdentityFiles | null;
  };
};

/** What a mailbox takes, all of it. */
const MESH = ['url', 'mailbox', 'password', 'sharedKey', 'to', 'workflow'] as const;

const PREFIX = 'GP2GP_';
/** Variables with our prefix that are no settings of a node. */
const NOT_OURS: ReadonlySet<string> = new Set(['GP2GP_TEST_DATABASE', 'GP2GP_FIXTURES']);

/**
 * Reads the settings of a node: one YAML text, and over it environment variables named after the path (`GP2GP_SPINE_URL` is
 * `spine.url`, `GP2GP_WORK_LEASE_SECONDS` is `work.leaseSeconds`; `GP2GP_PRACTICES` is the list as YAML or JSON). Throws one `Fault`
 * `config.invalid` that lists every problem with its variable's name.
 */
export function parseConfig(
  yaml: string | null,
  environment: Readonly<Record<string, string | undefined>>,
  practiceDefaults: PracticeDefaults = {},
): NodeConfig {
  const problems: string[] = [];
  const settings = yaml === null ? {} : fromYaml(yaml, problems);
  const variables = variableNames();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || NOT_OURS.has(name) || value === undefined) continue;
    const path = variables.get(name);
    if (!path) problems.push(`${name}: there is no such setting`);
    else set(settings, path, name === `${PREFIX}PRACTICES` ? parsedOr(value, problems, name) : value);
  }
  // A section that is left out altogether still has every one of its missing values named.
  for (const path of variables.values()) sectionOf(settings, path);
  fillPractices(settings['practices'], practiceDefaults);
  const read = schema.safeParse(settings);
  if (!read.success) problems.push(...read.error.issues.flatMap((issue) => problemsOf(issue, settings)));
  const adaptor = read.success ? adaptorOf(read.data.adaptor, problems) : null;
  const relay = read.success ? relayOf(read.data.relay, problems) : null;
  const mi = read.success ? miOf(read.data.mi, problems) : null;
  const miFiles = read.success ? miFilesOf(read.data.mi, problems) : null;
  if (read.success && !miFiles)
    for (const [index, { mi: own }] of read.data.practices.entries())
      if (own.files) problems.push(`practices.${index}.mi.files: no mailbox is named in mi.files, by which its files could go`);
  const tlsFiles = read.success ? tlsFilesOf(read.data, problems) : null;
  // Whatever else is wrong, all that is missing is named at once.
  if (!read.success) missingTls(settings, problems);
  const tls = tlsFiles && readTls(tlsFiles, problems);
  if (read.success) missingS3(read.data.objects, problems);
  const access = read.success ? accessOf(read.data.pds, problems) : null;
  if (read.success) problems.push(...clashes(read.data.practices));
  if (!read.success || !adaptor || !access || problems.length > 0) {
    throw new Fault(
      'config.invalid',
      `the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.map((each) => `  ${each}`).join('\n')}`,
      {
        remedy: 'Correct the file or the variables; nothing was started.',
      },
    );
  }
  const { practices, objects, spine, pds, adaptor: _adaptor, relay: _relay, mi: _mi, ...rest } = read.data;
  return {
    ...rest,
    pds: { url: pds.url, perSecond: pds.perSecond, access },
    practices: practices.map(({ apiKey, mi: { apiKey: miKey, ...practiceMi }, ...practice }) => ({
      ...practice,
      mi: { ...practiceMi, ...(miKey !== undefined && { apiKey: miKey }) },
      apiKeySha256: createHash('sha256').update(apiKey).digest('hex'),
    })),
    objects: placeOf(objects, rest.data),
    adaptor,
    relay,
    mi,
    miFiles,
    spine: { ...spine, tls, tlsFiles },
  };
}

type Tree = Record<string, unknown>;

/** What every practice has that does not say otherwise; `@ODS_CODE@` in the address is the practice's. */
export type PracticeDefaults = { readonly redactions?: 'on' | 'off'; readonly messageLimit?: number; readonly connectUrl?: string };

function fillPractices(practices: unknown, { connectUrl, ...plain }: PracticeDefaults): void {
  if (!Array.isArray(practices)) return;
  for (const practice of practices as unknown[]) {
    if (typeof practice !== 'object' || practice === null) continue;
    const tree = practice as Tree;
    for (const [name, value] of Object.entries(plain)) tree[name] ??= value;
    const system = tree['gpSystem'];
    if (connectUrl !== undefined && typeof system === 'object' && system !== null)
      (system as Tree)['connectUrl'] ??= connectUrl.replaceAll('@ODS_CODE@', String(tree['ods']));
  }
}

/** The variable of a setting, `GP2GP_API_PORT` of `api.port`; `null` where there is no such setting. */
export function variableFor(path: string): string | null {
  for (const [name, parts] of variableNames()) if (parts.join('.') === path) return name;
  return null;
}

/** Whether a name is a variable of ours. */
export function isOwnVariable(name: string): boolean {
  return NOT_OURS.has(name) || variableNames().has(name);
}

function fromYaml(text: string, problems: string[]): Tree {
  const value = parsedOr(text, problems, 'the configuration file');
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Tree;
  if (value !== null && value !== undefined) problems.push('the configuration file: it is to be a list of names with values');
  return {};
}

function parsedOr(text: string, problems: string[], what: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 0 });
  } catch (error) {
    problems.push(`${what}: no YAML: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Variable name -> path, from the schema itself, so that no setting can be forgotten. */
function variableNames(): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  const visit = (type: z.ZodType, path: readonly string[]): void => {
    const inner = unwrapped(type);
    if (inner instanceof z.ZodObject) {
      for (const [key, member] of Object.entries(inner.shape)) visit(member as z.ZodType, [...path, key]);
    } else names.set(variableOf(path), path);
  };
  visit(schema, []);
  return names;
}

function unwrapped(type: z.ZodType): z.ZodType {
  return type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional
    ? unwrapped(type.unwrap() as z.ZodType)
    : type;
}

function variableOf(path: readonly PropertyKey[]): string {
  return (
    PREFIX +
    path
      .map((part) => String(part).replace(/[A-Z]/g, (letter) => `_${letter}`))
      .join('_')
      .toUpperCase()
  );
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  const section = sectionOf(tree, path);
  if (section) section[path.at(-1) ?? ''] = value;
}

/** The section that a setting stands in, made where it is missing; null where something else stands in its place. */
function sectionOf(tree: Tree, path: readonly string[]): Tree | null {
  let here = tree;
  for (const part of path.slice(0, -1)) {
    here[part] ??= {};
    const next = here[part];
    if (typeof next !== 'object') return null;
    here = next as Tree;
  }
  return here;
}

function problemsOf(issue: z.core.$ZodIssue, settings: Tree): string[] {
  const say = (path: readonly PropertyKey[], text: string) => `${nameOf(path)}: ${text}`;
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => say([...issue.path, key], 'there is no such setting'));
  const given = issue.path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    settings,
  );
  return [say(issue.path, given === undefined ? 'is missing' : issue.message)];
}

/** `GP2GP_SPINE_URL (spine.url)`; inside the list of practices only the path. */
function nameOf(path: readonly PropertyKey[]): string {
  const dotted = path.map(String).join('.');
  return path[0] === 'practices' || path.length === 0 ? dotted || 'the configuration' : `${variableOf(path)} (${dotted})`;
}

/** All three files, or none of them behind an adaptor. */
function tlsFilesOf({ spine, adaptor }: NodeSettings, problems: string[]): IdentityFiles | null {
  const { certificate, key, authorities } = spine.tls;
  if (certificate !== undefined && key !== undefined && authorities !== undefined) return { certificate, key, authorities };
  if (adaptor.url !== undefined && certificate === undefined && key === undefined && authorities === undefined) return null;
  for (const [name, value] of Object.entries({ certificate, key, authorities }))
    if (value === undefined) problems.push(`${nameOf(['spine', 'tls', name])}: is missing`);
  return null;
}

function placeOf({ folder, s3 }: NodeSettings['objects'], data: string): ObjectsPlace {
  const { bucket, pathStyle, ...how } = s3;
  if (bucket === undefined) return { folder: folder ?? join(data, 'objects'), s3: null };
  // A store of one's own seldom has a host's name for each bucket.
  return { folder: join(data, 'spool'), s3: { bucket, pathStyle: pathStyle ?? how.endpoint !== undefined, ...how } };
}

function missingS3({ folder, s3 }: NodeSettings['objects'], problems: string[]): void {
  const { bucket, endpoint, accessKeyId, secretAccessKey } = s3;
  if (bucket === undefined && (endpoint ?? accessKeyId ?? secretAccessKey) !== undefined)
    problems.push(`${nameOf(['objects', 's3', 'bucket'])}: is missing`);
  if (bucket !== undefined && folder !== undefined)
    problems.push(`${nameOf(['objects', 'folder'])}: there is a bucket too; only one of them can hold the objects`);
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    problems.push(`${nameOf(['objects', 's3', accessKeyId === undefined ? 'accessKeyId' : 'secretAccessKey'])}: is missing`);
}

function relayOf(given: NodeSettings['relay'], problems: string[]): NodeConfig['relay'] {
  const { port: listening, partyKey, brokers, queue, username, password, address, host, allowUnauthenticated } = given;
  if (listening === undefined) return null;
  const missing = Object.entries({ partyKey, brokers, queue }).filter(([, value]) => value === undefined);
  for (const [name] of missing) problems.push(`${nameOf(['relay', name])}: is missing`);
  if (!/^(127\.|localhost$|::1$)/.test(host) && !allowUnauthenticated)
    problems.push(
      `${nameOf(['relay', 'host'])}: the interface has no authentication: keep it on 127.0.0.1, or set ${nameOf(['relay', 'allowUnauthenticated'])} where a private network keeps strangers out`,
    );
  if (brokers === undefined || queue === undefined || partyKey === undefined) return null;
  try {
    const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
    return { ...given, port: listening, partyKey, queue: { brokers: readBrokers(brokers, credentials), queue, address } };
  } catch (error) {
    problems.push(`${nameOf(['relay', 'brokers'])}: ${reasonOf(error)}`);
    return null;
  }
}

function miOf({ url: address, supplier, files: _files, ...others }: NodeSettings['mi'], problems: string[]): NodeConfig['mi'] {
  if (address === undefined) return null;
  if (supplier !== undefined) return { ...others, url: address, supplier };
  problems.push(`${nameOf(['mi', 'supplier'])}: is missing`);
  return null;
}

function miFilesOf({ supplier, files }: NodeSettings['mi'], problems: string[]): NodeConfig['miFiles'] {
  const given = Object.fromEntries(MESH.flatMap((name) => (files[name] === undefined ? [] : [[name, files[name]]])));
  if (Object.keys(given).length === 0) return null;
  for (const name of MESH) if (given[name] === undefined) problems.push(`${nameOf(['mi', 'files', name])}: is missing`);
  if (supplier === undefined) problems.push(`${nameOf(['mi', 'supplier'])}: is missing`);
  const { certificate, key, authorities } = files.tls;
  const any = certificate !== undefined || key !== undefined || authorities !== undefined;
  for (const [name, value] of Object.entries({ certificate, key, authorities }))
    if (any && value === undefined) problems.push(`${nameOf(['mi', 'files', 'tls', name])}: is missing`);
  const whole = certificate !== undefined && key !== undefined && authorities !== undefined ? { certificate, key, authorities } : null;
  const mesh = given as Record<(typeof MESH)[number], string>;
  return { ...mesh, software: files.software, supplier: supplier ?? '', tls: whole && readTls(whole, problems, ['mi', 'files', 'tls']) };
}

function missingTls(settings: Tree, problems: string[]): void {
  const [tls, adaptor] = [sectionOf(settings, ['spine', 'tls', '']), sectionOf(settings, ['adaptor', ''])];
  if (!tls || adaptor?.['url'] !== undefined) return;
  for (const name of ['certificate', 'key', 'authorities'])
    if (tls[name] === undefined) problems.push(`${nameOf(['spine', 'tls', name])}: is missing`);
}

function adaptorOf(given: NodeSettings['adaptor'], problems: string[]): NodeConfig['adaptor'] | null {
  const { url, brokers, username, password, queue, address, deadLetterPrefix, forwardQueue } = given;
  if (url === undefined) return { url, queue: null };
  const credentials = (user: string | undefined, key: string | undefined) => ({
    ...(user !== undefined && { username: user }),
    ...(key !== undefined && { password: key }),
  });
  const settings = (
    name: string,
    list: string | undefined,
    of: { queue: string | undefined; user: string | undefined; key: string | undefined },
  ) => {
    try {
      if (list !== undefined && of.queue !== undefined)
        return { brokers: readBrokers(list, credentials(of.user, of.key)), queue: of.queue, address };
      problems.push(`${nameOf(['adaptor', of.queue === undefined ? 'queue' : name])}: is missing: messages come by the adaptor's queue`);
    } catch (error) {
      problems.push(`${nameOf(['adaptor', name])}: ${reasonOf(error)}`);
    }
    return null;
  };
  const own = settings('brokers', brokers, { queue, user: username, key: password });
  const forward =
    forwardQueue === undefined
      ? null
      : settings('forwardBrokers', given.forwardBrokers ?? brokers, {
          queue: forwardQueue,
          user: given.forwardUsername ?? username,
          key: given.forwardPassword ?? password,
        });
  return own && { url, queue: { queue: own, deadLetters: deadLetterPrefix + own.queue, forward, atOnce: given.atOnce } };
}

function readTls(files: IdentityFiles, problems: string[], where: readonly string[] = ['spine', 'tls']): TlsIdentity {
  const read = (path: string, setting: string): string => {
    try {
      return straightPem(readFileSync(path, 'utf8'));
    } catch (error) {
      problems.push(`${nameOf([...where, setting])}: ${reasonOf(error)}`);
      return '';
    }
  };
  return {
    cert: read(files.certificate, 'certificate'),
    key: read(files.key, 'key'),
    ca: files.authorities.map((path) => read(path, 'authorities')).join('\n'),
  };
}

function accessOf(pds: NodeSettings['pds'], problems: string[]): NodeConfig['pds']['access'] | null {
  const { token, tokenUrl, clientId, keyFile, keyId } = pds;
  if (token !== undefined) return { token };
  if (tokenUrl === undefined || clientId === undefined || keyFile === undefined || keyId === undefined) return null;
  try {
    return { tokenUrl, clientId, keyId, key: straightPem(readFileSync(keyFile, 'utf8')) };
  } catch (error) {
    problems.push(`${nameOf(['pds', 'keyFile'])}: ${reasonOf(error)}`);
    return null;
  }
}

function clashes(practices: readonly { readonly ods: string; readonly asid: string }[]): string[] {
  const problems: string[] = [];
  for (const [index, practice] of practices.entries()) {
    for (const earlier of practices.slice(0, index)) {
      if (earlier.ods === practice.ods) problems.push(`practices.${index}.ods: ${practice.ods} is there twice`);
      else if (earlier.asid === practice.asid) problems.push(`practices.${index}.asid: ${practice.asid} is ${earlier.ods}'s`);
    }
  }
  return problems;
}
