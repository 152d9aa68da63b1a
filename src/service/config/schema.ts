/** Everything that a node can be told: names, forms and defaults of its settings. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { ods } from '../../base/ids.ts';

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
export const schema = z.strictObject({
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
      /** How long a node that is told to stop goes on to take messages, and says at its health that none should be sent to it. */
      drainSeconds: count(0, 600).default(0),
      /** Left out: one for each two cores. Each takes about 50 MB, and on a small machine two would only take turns. */
      conversionThreads: count(1, 16).default(Math.min(16, Math.max(1, Math.floor(availableParallelism() / 2)))),
      /** Bytes of all cores that are converted at the same time. */
      conversionBytes: count(1_000_000, 10_000_000_000).default(64_000_000),
      /** What the process stays below where it can: its heaps grow freely far below, and hardly near it. Left out, as Node lets them. */
      memoryBytes: count(150_000_000, 1_000_000_000_000).optional(),
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
