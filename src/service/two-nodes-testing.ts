/** Two nodes and a simulated Spine between them: real listeners, real TLS, real database, real files. A gate stands before each of them. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePorts } from '../cli/demo/ports.ts';
import { startTestServer, TEST_DATABASE } from '../database/testing.ts';
import { startS3 } from '../objects/s3-testing.ts';
import { makeCertificates } from '../simulator/certificates.ts';
import { type GpSystems, startGpSystems } from '../simulator/gp-system/gp-systems.ts';
import type { FaultRule } from '../simulator/hub/faults.ts';
import { type Hub, startHub } from '../simulator/hub/hub.ts';
import { type Pds, startPds } from '../simulator/pds.ts';
import { startSds } from '../simulator/sds.ts';
import type { NodeConfig } from './config/parts.ts';
import { parseConfig } from './config.ts';
import { type NodeExtras, type RunningNode, startNode } from './serve.ts';
import { type Gate, openGate } from './testing-gate.ts';

const PDS_PATH = '/personal-demographics/FHIR/R4';
export const NORTH = { ods: 'N82001', asid: '200000000001', partyKey: 'N82001-800001', apiKey: 'key-of-the-north-practice' };
export const SOUTH = { ods: 'S82001', asid: '200000000002', partyKey: 'S82001-800001', apiKey: 'key-of-the-south-practice' };
export type TestedPractice = typeof NORTH;
type Side = 'north' | 'south';
/** `north`, `south`: the way from the hub to the node. */
export type GateName = 'hub' | 'sds' | 'pds' | 'database' | 's3' | `${Side}-system` | Side;

const INTERACTIONS = ['RCMR_IN010000UK05', 'RCMR_IN030000UK06', 'RCMR_IN030000UK07', 'COPC_IN000001UK01', 'MCCI_IN010000UK13'];
const ENDED_MS = 60_000;

export type TwoNodesOptions = {
  /** How long whatever goes through a gate is held up. */
  readonly delays?: Readonly<Partial<Record<GateName, number>>>;
  readonly hubFaults?: readonly FaultRule[];
  /** What every contract says of sending again, in place of the national two-hour interval. */
  readonly contract?: { readonly retries: number; readonly retryInterval: string };
  /** Settings of both nodes, of the northern one alone, and of both practices. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly northSettings?: (folder: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly practiceSettings?: Readonly<Record<string, unknown>>;
  readonly extras?: NodeExtras;
};
export type TwoNodes = {
  readonly folder: string;
  readonly hub: Hub;
  readonly pds: Pds;
  /** Not through the gate. */
  readonly databaseUrls: Readonly<Record<Side, string>>;
  gate(name: GateName): Gate;
  system(practice: TestedPractice): GpSystems;
  node(practice: TestedPractice): RunningNode;
  config(practice: TestedPractice): NodeConfig;
  /** Somebody whom PDS has at a practice. */
  registeredAt(nhsNumber: string, practice: TestedPractice): Promise<void>;
  /** Registers them in the north; the transfer's id. */
  registered(nhsNumber: string): Promise<string>;
  /** Of a node's interface for a practice's system, or of any path of it. */
  ask(practice: TestedPractice, path: string, at?: string): Promise<Record<string, unknown>>;
  /** The transfer when it has ended. */
  ended(practice: TestedPractice, transferId: string): Promise<Record<string, unknown>>;
  /** The other side's transfer for a patient, once it has ended too. */
  other(practice: TestedPractice, role: string, nhsNumber: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};

export async function startTwoNodes(options: TwoNodesOptions = {}): Promise<TwoNodes> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-two-nodes-'));
  await chmod(folder, 0o755);
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await start(folder, options, closers, close);
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function start(
  folder: string,
  options: TwoNodesOptions,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<TwoNodes> {
  const gates = new Map<GateName, Gate>();
  const place = async (name: GateName, to: number | string): Promise<string> => {
    const gate = await openGate(to, options.delays?.[name]);
    closers.push(() => gate.close());
    gates.set(name, gate);
    return `127.0.0.1:${gate.port}`;
  };
  const before = async (name: GateName, url: string): Promise<string> => {
    const { host, port } = new URL(url);
    return url.replace(host, await place(name, Number(port)));
  };
  const server = process.env[TEST_DATABASE] ? null : await startTestServer();
  if (server) closers.push(() => server.stop());
  const adminUrl = process.env[TEST_DATABASE] ?? server?.url ?? '';
  const reachedUrl = await databaseThrough((to) => place('database', to), adminUrl);
  const certificates = await makeCertificates(
    join(folder, 'certificates'),
    ['spine', 'north', 'south'].map((name) => ({ name, hosts: [`${name}.gp2gp.invalid`] })),
  );
  const tlsOf = (name: string) => {
    const files = certificates.endpoints.get(name);
    assert.ok(files);
    return { certificate: files.certificate, key: files.key, authorities: [certificates.authority] };
  };
  const [northSpine = 0, southSpine = 0, northApi = 0, southApi = 0] = await freePorts(4);
  const sides = [
    { name: 'north', practice: NORTH, spine: northSpine, api: northApi },
    { name: 'south', practice: SOUTH, spine: southSpine, api: southApi },
  ] as const;
  const routes: [string, { asid: string; urls: string[] }][] = [];
  for (const { name, practice, spine } of sides) {
    const url = await before(name, `https://127.0.0.1:${spine}/reliablemessaging/intermediary`);
    routes.push([practice.partyKey, { asid: practice.asid, urls: [url] }]);
  }
  const hub = await startHub({
    folder: join(folder, 'hub'),
    tls: tlsOf('spine'),
    routes: Object.fromEntries(routes),
    retry: { firstMs: 100, mostMs: 500 },
    ...(options.hubFaults && { faults: options.hubFaults }),
  });
  closers.push(() => hub.close());
  const hubUrl = await before('hub', hub.url);
  const sds = await startSds({
    organisations: [NORTH, SOUTH].map(({ ods, asid, partyKey }) => ({
      ods,
      asid,
      partyKey,
      ...(options.contract && { contracts: Object.fromEntries(INTERACTIONS.map((name) => [name, options.contract ?? {}])) }),
    })),
    intermediaryUrl: hubUrl,
  });
  closers.push(() => sds.close());
  const sdsUrl = await before('sds', sds.url);
  const pds = await startPds({ folder: join(folder, 'pds'), people: [] });
  closers.push(() => pds.close());
  const pdsUrl = await before('pds', pds.url);
  const s3 = await startS3();
  closers.push(() => s3.close());
  const endpoint = await before('s3', s3.settings.endpoint ?? '');
  const systems = new Map<string, GpSystems>();
  const nodes = new Map<string, RunningNode>();
  const configs = new Map<string, NodeConfig>();
  const databaseUrls = { north: '', south: '' };
  for (const { name, practice, spine, api } of sides) {
    const { ods, asid, partyKey, apiKey } = practice;
    const system = await startGpSystems({
      folder: join(folder, `system-${ods}`),
      practices: [{ ods, asid, apiKey, nodeUrls: [`http://127.0.0.1:${api}`] }],
      pdsUrl: pds.url,
    });
    closers.push(() => system.close());
    systems.set(ods, system);
    const systemUrl = await before(`${name}-system`, system.url);
    const database = `node_${name}_${process.pid}`;
    await admin(adminUrl, `create database ${database}`);
    closers.push(() => admin(adminUrl, `drop database ${database} with (force)`));
    databaseUrls[name] = onDatabase(adminUrl, database);
    const config = parseConfig(
      JSON.stringify({
        name,
        data: join(folder, name),
        // One of each kind.
        ...(name === 'south' && { objects: { s3: { ...s3.settings, endpoint } } }),
        log: process.env['GP2GP_TEST_LOG'] ?? 'silent',
        database: { url: onDatabase(reachedUrl, database) },
        spine: { url: hubUrl, tls: tlsOf(name), host: '127.0.0.1', port: spine, peerNames: ['spine.gp2gp.invalid'] },
        sds: { url: sdsUrl, perSecond: 100 },
        pds: { url: `${pdsUrl}${PDS_PATH}`, token: 'application', perSecond: 50 },
        api: { port: api },
        practices: [
          {
            ods,
            asid,
            partyKey,
            apiKey,
            gpSystem: { connectUrl: `${systemUrl}/${ods}/STU3/1/gpconnect/fhir`, filingUrl: `${systemUrl}/${ods}/filing`, key: apiKey },
            ...options.practiceSettings,
          },
        ],
        ...options.settings,
        ...(name === 'north' && (await options.northSettings?.(folder))),
      }),
      {},
    );
    configs.set(ods, config);
    const node = await startNode(config, options.extras);
    closers.push(() => node.close());
    nodes.set(ods, node);
  }
  const of = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const found = map.get(name);
    assert.ok(found, name);
    return found;
  };
  const node = ({ ods }: TestedPractice): RunningNode => of(nodes, ods);
  const system = ({ ods }: TestedPractice): GpSystems => of(systems, ods);
  const ask: TwoNodes['ask'] = async (practice, path, at = `/api/practices/${practice.ods}`) => {
    const url = `${node(practice).ready.api}${at}${path}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${practice.apiKey}` } });
    assert.equal(answer.status, 200, `${url}: ${answer.status}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const ended: TwoNodes['ended'] = async (practice, transferId) => {
    for (const deadline = Date.now() + ENDED_MS; ; ) {
      const transfer = await ask(practice, `/transfers/${transferId}`);
      if (transfer['state'] === 'ended') return transfer;
      if (Date.now() > deadline) assert.fail(JSON.stringify(await ask(practice, `/transfers/${transferId}/timeline`), null, 1));
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  return {
    folder,
    hub,
    pds,
    databaseUrls,
    gate: (name) => of(gates, name),
    system,
    node,
    config: ({ ods }) => of(configs, ods),
    registeredAt: (nhsNumber, { ods }) =>
      pds.add({
        nhsNumber,
        family: 'Example',
        given: ['Ada'],
        birthDate: '1970-01-01',
        gender: 'female',
        practice: { ods, start: '2020-01-01' },
      }),
    registered: async (nhsNumber) => String((await system(NORTH).register(NORTH.ods, nhsNumber)).transferId),
    ask,
    ended,
    async other(practice, role, nhsNumber) {
      const { transfers } = (await ask(practice, `/transfers?role=${role}&nhsNumber=${nhsNumber}`)) as {
        transfers: { transferId: string }[];
      };
      return ended(practice, String(transfers[0]?.transferId));
    },
    close,
  };
}

/** A small record with documents of such sizes. */
export function bundle(nhsNumber: string, sizes: readonly number[]): object {
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

function onDatabase(url: string, name: string): string {
  return url.replace(/^([a-z]+:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
}

/** The server's URL by a gate; it may be reached by a socket in a folder. */
async function databaseThrough(place: (to: number | string) => Promise<string>, url: string): Promise<string> {
  const { host, port, user, database } = new pg.Client({ connectionString: url });
  return `postgresql://${user}@${await place(host.startsWith('/') ? join(host, `.s.PGSQL.${port}`) : port)}/${database}`;
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
