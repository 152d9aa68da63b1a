/**
 * One machine's worth of GP2GP: a simulated Spine (hub, SDS, PDS), two suppliers with their practices' systems, and the nodes between
 * them; every one a process, on addresses that stay the same when it is started again.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { stringify } from 'yaml';
import { type EmbeddedServer, startEmbedded } from '../../database/embedded.ts';
import { writeWhole } from '../../objects/file.ts';
import { type Certificates, makeCertificates } from '../../simulator/certificates.ts';
import type { SimulationConfig } from '../../simulator/config.ts';
import type { FaultRule } from '../../simulator/hub/faults.ts';
import type { PdsPerson } from '../../simulator/pds.ts';
import { type CastPractice, cast, SIDES, type Side } from './cast.ts';
import { nodeConfig } from './node-config.ts';
import { freePorts } from './ports.ts';
import { type Running, startProgram } from './processes.ts';
import { type ReportingDatabase, reportingDatabase, startPlatform, supplierOf } from './reporting.ts';

const INTERACTIONS = ['RCMR_IN010000UK05', 'RCMR_IN030000UK06', 'RCMR_IN030000UK07', 'COPC_IN000001UK01', 'MCCI_IN010000UK13'];

export type WorldOptions = {
  readonly folder: string;
  readonly practices: number;
  readonly nodesPerSide: number;
  readonly keepWire?: string;
  /** Size of every document that a practice's system makes; left out, what the record says. */
  readonly documentBytes?: number;
  readonly people: readonly PdsPerson[];
  readonly console?: boolean;
  /** National reporting runs beside the nodes, and they tell it their events. */
  readonly reporting?: boolean;
  /** Settings of every node that a test wants otherwise. */
  readonly nodeSettings?: Readonly<Record<string, unknown>>;
  /** Settings of single nodes, by name. */
  readonly settingsOfNode?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Settings of single practices, by ODS code. */
  readonly practiceSettings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** What every practice's contracts say of sending again, in place of the national two-hour interval. */
  readonly contract?: { readonly retries: number; readonly retryInterval: string };
  /** What the hub does wrong on purpose, from its start on. */
  readonly hubFaults?: readonly FaultRule[];
  /** Opens a way to a program's port: the port by which the other programs reach it. Left out, they reach it itself. */
  readonly way?: (name: string, port: number) => Promise<number>;
  /** Program file that takes the place of this one for nodes, with the same arguments. */
  readonly nodeProgram?: string;
};

export type World = {
  readonly practices: readonly CastPractice[];
  /** The server as it was started last. */
  readonly database: EmbeddedServer;
  readonly databaseUrls: Readonly<Record<Side, string>>;
  /** The platform, where there is one: its site, which is where it takes events, and its database. */
  readonly reporting: { readonly site: string; readonly databaseUrl: string } | null;
  /** Every program that runs, by name: `spine`, `north-system`, `north-1` … */
  readonly programs: ReadonlyMap<string, Running>;
  readonly spineControl: string;
  /** A side's GP system, as its control interface. */
  readonly systemUrl: Readonly<Record<Side, string>>;
  readonly nodeNames: Readonly<Record<Side, readonly string[]>>;
  readonly nodeUrls: Readonly<Record<Side, readonly string[]>>;
  readonly ledgerFile: string;
  readonly folder: string;
  /** Starts a program again at its old address; the one before must have ended. */
  restart(name: string): Promise<void>;
  /** Starts the database server again; the one before must have ended. */
  restartDatabase(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts everything, in the order in which one needs the other. What was started before a failure is ended again. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  // PostgreSQL may run as another user and has to pass through; what is secret below has rights of its own.
  await chmod(folder, 0o755);
  const practices = cast(options.practices);
  const nodeNames = { north: names('north', options.nodesPerSide), south: names('south', options.nodesPerSide) };
  const all = [...nodeNames.north, ...nodeNames.south];
  const startDatabase = () => startEmbedded(join(folder, 'database'), { maxConnections: 40 + all.length * 20 });
  const [certificates, ports] = await Promise.all([
    makeCertificates(
      join(folder, 'certificates'),
      ['spine', ...all].map((name) => ({ name, hosts: [`${name}.gp2gp.invalid`] })),
    ),
    freePorts(7 + all.length * 2),
  ]);
  const [hub = 0, hubControl = 0, sds = 0, pds = 0, northSystem = 0, southSystem = 0, platformPort = 0, ...nodePorts] = ports;
  const portsOf = new Map(all.map((name, i) => [name, { spine: nodePorts[i * 2] ?? 0, api: nodePorts[i * 2 + 1] ?? 0 }]));
  const reach = async (name: string, port: number) => (await options.way?.(name, port)) ?? port;
  const hubReached = await reach('spine', hub);
  const nodesReached = new Map(
    await Promise.all(all.map(async (name) => [name, await reach(name, portsOf.get(name)?.spine ?? 0)] as const)),
  );
  const systemReached = { north: await reach('north-system', northSystem), south: await reach('south-system', southSystem) };
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const systemUrl = { north: url(northSystem), south: url(southSystem) };
  const apiUrls = (side: Side) => nodeNames[side].map((name) => url(portsOf.get(name)?.api ?? 0));
  const nodeUrls = { north: apiUrls('north'), south: apiUrls('south') };

  const spineConfig: SimulationConfig = {
    hub: {
      folder: join(folder, 'spine', 'hub'),
      tls: tlsFiles(certificates, 'spine'),
      routes: Object.fromEntries(
        practices.map(({ partyKey, asid, side }) => [
          partyKey,
          { asid, urls: nodeNames[side].map((name) => `https://127.0.0.1:${nodesReached.get(name)}/reliablemessaging/intermediary`) },
        ]),
      ),
      port: hub,
      controlPort: hubControl,
      ...(options.keepWire && { keepWire: options.keepWire }),
      ...(options.hubFaults && { faults: [...options.hubFaults] }),
    },
    sds: {
      organisations: practices.map(({ ods, asid, partyKey, side }) => ({
        ods,
        asid,
        partyKey,
        manufacturer: `SUP-${side}`,
        ...(options.contract && { contracts: Object.fromEntries(INTERACTIONS.map((name) => [name, options.contract ?? {}])) }),
      })),
      port: sds,
    },
    // The nodes may only read; moving a patient is for whoever holds a user's session, here the practices' systems.
    pds: {
      folder: join(folder, 'spine', 'pds'),
      people: [...options.people],
      tokens: { application: 'application', 'gp-system': 'worker' },
      port: pds,
    },
  };
  const systemConfig = (side: Side): SimulationConfig => ({
    gpSystem: {
      folder: join(folder, side, 'gp-system'),
      practices: practices
        .filter((practice) => practice.side === side)
        .map(({ ods, asid, apiKey }) => ({ ods, asid, apiKey, nodeUrls: nodeUrls[side] })),
      pdsUrl: `${url(pds)}`,
      ...(options.documentBytes !== undefined && { documentBytes: options.documentBytes }),
      port: side === 'north' ? northSystem : southSystem,
    },
  });

  const starts = new Map<string, () => Promise<Running>>();
  const plan = async (name: string, command: string, config: unknown, program?: string) => {
    const file = join(folder, 'configuration', `${name}.yaml`);
    await writeWhole(file, stringify(config), { mode: 0o600 });
    starts.set(name, () =>
      startProgram(name, [command, '--config', file], join(folder, 'log', `${name}.log`), options.environment, program),
    );
  };
  await mkdir(join(folder, 'configuration'), { recursive: true });
  await plan('spine', 'simulate', spineConfig);
  for (const side of SIDES) await plan(`${side}-system`, 'simulate', systemConfig(side));
  const planNodes = async (databaseUrls: Readonly<Record<Side, string>>, reporting: ReportingDatabase | null) => {
    for (const side of SIDES) {
      for (const name of nodeNames[side]) {
        const at = portsOf.get(name);
        const config = nodeConfig({
          name,
          data: join(folder, side),
          database: databaseUrls[side],
          objects: join(folder, side, 'objects'),
          ports: { spine: at?.spine ?? 0, api: at?.api ?? 0 },
          tls: tlsFiles(certificates, name),
          hubUrl: `https://127.0.0.1:${hubReached}/reliablemessaging/intermediary`,
          sdsUrl: url(sds),
          pdsUrl: url(pds),
          systemUrl: url(systemReached[side]),
          practices: practices.filter((practice) => practice.side === side),
          ...(options.practiceSettings && { practiceSettings: options.practiceSettings }),
          console: options.console ?? false,
          ...(reporting && {
            mi: { url: `${url(platformPort)}/gp-registrations-mi`, apiKey: reporting.apiKey, supplier: supplierOf(side) },
          }),
        });
        await plan(name, 'serve', { ...config, ...options.nodeSettings, ...options.settingsOfNode?.[name] }, options.nodeProgram);
      }
    }
  };

  const programs = new Map<string, Running>();
  const begun = new Set<Promise<void>>();
  const start = async (name: string) => {
    const starting = (async () => {
      const running = await starts.get(name)?.();
      if (running) programs.set(name, running);
    })();
    begun.add(starting);
    await starting;
  };
  const stop = async () => {
    // What is still on its way when something else failed would stay for ever.
    await Promise.allSettled(begun);
    await Promise.all([...programs.values()].map((program) => program.stop()));
    await (await starting.catch(() => null))?.stop();
  };
  // Spine and the practices' systems need no database, and making one takes as long as starting them.
  let starting = startDatabase();
  let database: EmbeddedServer;
  let databaseUrls: Readonly<Record<Side, string>>;
  let reporting: ReportingDatabase | null;
  try {
    const made = starting.then(async ({ url }) => {
      const [north = '', south = '', national = ''] = await databases(url, [...SIDES, ...(options.reporting ? ['reporting'] : [])]);
      return { urls: { north, south }, reporting: options.reporting ? await reportingDatabase(national, practices) : null };
    });
    [database, { urls: databaseUrls, reporting }] = await Promise.all([
      starting,
      made,
      ...['spine', 'north-system', 'south-system'].map(start),
    ]);
    await planNodes(databaseUrls, reporting);
    const at = reporting;
    if (at) starts.set('platform', () => startPlatform(at, platformPort, folder));
    // The first node of a side makes its tables; the others come when they are there.
    await Promise.all([
      ...(at ? [start('platform')] : []),
      ...SIDES.map(async (side) => {
        const [first, ...others] = nodeNames[side];
        if (first) await start(first);
        await Promise.all(others.map(start));
      }),
    ]);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    practices,
    get database() {
      return database;
    },
    databaseUrls,
    reporting: reporting && { site: url(platformPort), databaseUrl: reporting.url },
    programs,
    spineControl: url(hubControl),
    systemUrl,
    nodeNames,
    nodeUrls,
    ledgerFile: join(folder, 'spine', 'hub', 'ledger.jsonl'),
    folder,
    restart: start,
    restartDatabase: async () => {
      starting = startDatabase();
      database = await starting;
    },
    stop,
  };
}

function names(side: Side, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${side}-${i + 1}`);
}

function tlsFiles(certificates: Certificates, name: string) {
  const files = certificates.endpoints.get(name);
  return { certificate: files?.certificate ?? '', key: files?.key ?? '', authorities: [certificates.authority] };
}

/** A database of its own for each name: two suppliers share a machine here, and nothing else. */
async function databases(adminUrl: string, names: readonly string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const name of names) {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
      if (!rowCount) await client.query(`create database ${name}`);
    }
  } finally {
    await client.end();
  }
  return names.map((name) => adminUrl.replace(/^([a-z]+:\/\/[^/]*)\/[^?]*/, `$1/${name}`));
}
