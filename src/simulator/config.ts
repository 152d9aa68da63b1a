import { z } from 'zod';
import { FAULT_KINDS } from './hub/faults.ts';
import { mailboxSchema } from './mesh/mesh.ts';
import { personSchema } from './pds.ts';
import { organisationSchema } from './sds.ts';
import { vendorPracticeSchema } from './vendors/vendors.ts';

const port = z.int().min(0).max(65_535).optional();

const routeSchema = z.strictObject({ urls: z.array(z.url()), asid: z.string().optional() });

const faultSchema = z.strictObject({
  fault: z.enum(FAULT_KINDS),
  match: z
    .strictObject({
      from: z.string().optional(),
      to: z.string().optional(),
      interaction: z.string().optional(),
      conversationId: z.string().optional(),
    })
    .optional(),
  ms: z.number().optional(),
  status: z.int().optional(),
  code: z.string().optional(),
  text: z.string().optional(),
  times: z.int().optional(),
  probability: z.number().min(0).max(1).optional(),
});

const tlsSchema = z.strictObject({ certificate: z.string(), key: z.string(), authorities: z.array(z.string()).min(1) });

const hubSchema = z.strictObject({
  folder: z.string(),
  /** Left out, the certificate `hub` of the same file. */
  tls: tlsSchema.optional(),
  routes: z.record(z.string(), routeSchema).default({}),
  port,
  controlPort: port,
  keepWire: z.string().optional(),
  maxBytes: z.int().optional(),
  faults: z.array(faultSchema).optional(),
  seed: z.int().optional(),
  retry: z.strictObject({ firstMs: z.number().optional(), mostMs: z.number().optional(), giveUpAfterMs: z.number().optional() }).optional(),
});

const sdsSchema = z.strictObject({
  organisations: z.array(organisationSchema).default([]),
  /** Left out, the hub of the same file. */
  intermediaryUrl: z.string().optional(),
  apiKey: z.string().optional(),
  port,
});

const pdsSchema = z.strictObject({
  folder: z.string(),
  people: z.array(personSchema).default([]),
  tokens: z.record(z.string(), z.enum(['application', 'worker'])).optional(),
  clients: z.record(z.string(), z.strictObject({ kid: z.string(), publicKey: z.string() })).optional(),
  port,
});

const practiceSchema = z.strictObject({
  ods: z.string(),
  asid: z.string(),
  /** The node's API of this practice, without `/api/practices/{ods}`; several nodes of one side, tried in turn. */
  nodeUrls: z.array(z.url()).default([]),
  /** What the node asks of this system, and this system of the node. */
  apiKey: z.string(),
});

const gpSystemSchema = z.strictObject({
  folder: z.string(),
  practices: z.array(practiceSchema),
  /** Left out, the PDS of the same file. */
  pdsUrl: z.url().optional(),
  pdsToken: z.string().default('gp-system'),
  documentBytes: z.int().optional(),
  port,
});

const meshSchema = z.strictObject({
  folder: z.string(),
  mailboxes: z.array(mailboxSchema),
  /** The key of the environment, which all mailboxes share. */
  sharedKey: z.string().min(1),
  /** `none`: whoever names a mailbox is let in. */
  authorisation: z.enum(['full', 'none']).default('full'),
  /** Given: mutual TLS, as the real one has. */
  tls: tlsSchema.optional(),
  port,
});

const miSchema = z.strictObject({
  folder: z.string(),
  /** Left out: any key is let in. */
  apiKeys: z.array(z.string().min(1)).optional(),
  /** What is demanded of an event: what the national service demands, or all that its specification says. */
  mode: z.enum(['compatible', 'strict']).default('strict'),
  port,
});

/** The page and the interface by which everything is seen and set. */
const controlSchema = z.strictObject({ port });

/** Practices with the systems of other suppliers. Hub and directory of the same file are told of them. */
const vendorsSchema = z.strictObject({
  folder: z.string(),
  practices: z.array(vendorPracticeSchema),
  /** Left out, the certificate `vendors` of the same file. */
  tls: tlsSchema.optional(),
  /** Left out, the hub, SDS and PDS of the same file. */
  hubUrl: z.url().optional(),
  sdsUrl: z.url().optional(),
  sdsKey: z.string().optional(),
  pdsUrl: z.url().optional(),
  pdsToken: z.string().default('gp-system'),
  port,
  controlPort: port,
});

/** An authority and its endpoints, made where they are not there: `hub` always, and whoever is named. */
const certificatesSchema = z.strictObject({
  folder: z.string(),
  endpoints: z.array(z.strictObject({ name: z.string().regex(/^[A-Za-z0-9._-]+$/), hosts: z.array(z.string()).optional() })).default([]),
});

/** What one simulator process runs: any of the services. Checked as a whole, every fault named. */
export const simulationSchema = z.strictObject({
  certificates: certificatesSchema.optional(),
  hub: hubSchema.optional(),
  sds: sdsSchema.optional(),
  pds: pdsSchema.optional(),
  gpSystem: gpSystemSchema.optional(),
  vendors: vendorsSchema.optional(),
  mesh: meshSchema.optional(),
  mi: miSchema.optional(),
  control: controlSchema.optional(),
});
export type SimulationConfig = z.input<typeof simulationSchema>;
