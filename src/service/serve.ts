import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { reasonOf } from '../base/errors.ts';
import { ods } from '../base/ids.ts';
import { isDatabaseAway } from '../database/connect.ts';
import { startEmbedded } from '../database/embedded.ts';
import { createGpConnect } from '../gp-system/connect.ts';
import { createFiling } from '../gp-system/filing.ts';
import type { Objects } from '../objects/objects.ts';
import { openObjectsAt } from '../objects/place.ts';
import { createToken } from '../spine/access.ts';
import { packForAdaptor } from '../spine/adaptor/pack.ts';
import { createAdaptorSender } from '../spine/adaptor/send.ts';
import type { EndpointAlert } from '../spine/endpoint.ts';
import { createMiApi } from '../spine/mi-api.ts';
import { createPds } from '../spine/pds.ts';
import { createSds } from '../spine/sds.ts';
import { createSender } from '../spine/send.ts';
import { openStore, prepareStore } from '../store/open.ts';
import { type Practice, putPractice } from '../store/practices.ts';
import { readTransfer } from '../store/transfers.ts';
import { createBudget } from '../web/budget.ts';
import { createClient } from '../web/client.ts';
import { createGate } from '../web/gate.ts';
import { createServer, listen } from '../web/server.ts';
import { startAdaptorQueue } from './adaptor-queue.ts';
import { createAccept, createDeliver, createIsMine } from './arrivals.ts';
import { demandFinished } from './backup/unfinished.ts';
import type { Certificates } from './certificates.ts';
import type { NodeConfig } from './config/parts.ts';
import { type ConsoleReads, consoleReads } from './console-reads.ts';
import { createConversions } from './conversions/conversions.ts';
import { onFault, stackOf } from './fault-log.ts';
import { checkHealth } from './health.ts';
import { fetchJob } from './jobs/fetch.ts';
import { fileJob } from './jobs/file.ts';
import { mayTheyAskJob } from './jobs/may-they-ask.ts';
import { mayWeAskJob } from './jobs/may-we-ask.ts';
import { toFhirJob } from './jobs/to-fhir.ts';
import { toHl7Job } from './jobs/to-hl7.ts';
import { createListener, demandUsable } from './listener.ts';
import { stayBelow } from './memory.ts';
import { createMetrics } from './metrics.ts';
import { createCarryOutMi } from './mi/carry-out.ts';
import { createRecordMi } from './mi/record.ts';
import { startMi } from './mi/start.ts';
import { openNodeApi } from './node-api.ts';
import { createNotices } from './notices.ts';
import { createAcknowledged, createIsOurs, createRenew } from './outgoing.ts';
import { createPost, type Post, type Queued } from './post.ts';
import { practiceActions } from './practice-actions.ts';
import { createPractices } from './practices.ts';
import { startRelay } from './relay.ts';
import { startRetention } from './retention.ts';
import { followTerminology } from './terminology.ts';
import { createWork } from './work.ts';
import { startWorkers, type Workers } from './workers.ts';

export type NodeExtras = {
  /** Pages for staff; handed what they may read. */
  readonly console?: (server: FastifyInstance, reads: ConsoleReads) => Promise<void>;
  /** Folder of the migrations, in the place of this program's own: the test of a rolling upgrade starts nodes of before. */
  readonly migrations?: string;
  /** Put around the acceptance of a message by the fault test, which has to see that it notices a node that answers too early. */
  readonly aroundAccept?: (accept: Accept) => Accept;
  /** Put around the object store by the test of what happens without one. */
  readonly aroundObjects?: (objects: Objects) => Objects;
};
export type Accept = ReturnType<typeof createAccept>;
export type RunningNode = {
  /** What whoever started the node wants to know. */
  readonly ready: {
    readonly ready: true;
    readonly name: string;
    readonly spine: string | null;
    readonly api: string;
    readonly relay?: string;
    readonly pid: number;
  };
  readonly post: Post;
  /** Says so at its health for `work.drainSeconds`, then takes nothing new, finishes what is in hand, gives back the rest. */
  close(): Promise<void>;
};

/** What failed at the practice's system is tried again soon; the job's own repetitions are for longer trouble. */
const GP_SYSTEM_WAITS = [200, 1_000, 4_000];
/** What is smaller goes out beside the large ones. */
const SMALL_BYTES = 262_144;
/** Nobody waits longer for those before him to be read. */
const GATE_MS = 2_000;
/** A practice's system hears of a change so much later than it could, and of all the changes meanwhile at once. */
const NOTICES_MS = 250;
/** In hand at the same time: they mostly wait for one another. */
const NOTICES = 200;
const PRODUCT = 'Open GP2GP';
/** Spine does not know the agreement or the party: what SDS said is not true any more. */
const OUTDATED = /\b(501314|501319)\b/;

/**
 * One node: database, objects, the listener for Spine, the API for the practices' systems, workers. What was opened before something
 * failed is closed again.
 */
export async function startNode(config: NodeConfig, extras: NodeExtras = {}): Promise<RunningNode> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await start(config, extras, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  config: NodeConfig,
  extras: NodeExtras,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<RunningNode> {
  const log = pino({ level: config.log, base: { node: config.name } }, pino.destination({ dest: 2, sync: false }));
  const owner = `${config.name} ${process.pid} ${randomUUID().slice(0, 8)}`;
  const now = (): Date => new Date();
  const newId = randomUUID;
  let stopping = false;
  const isStopping = (): boolean => stopping;

  const { tls } = config.spine;
  if (tls) demandUsable(tls, now(), config.spine.registeredName);
  await mkdir(config.data, { recursive: true });
  await demandFinished(config.data);
  const databaseUrl = config.database.url ?? (await embedded(config, closers));
  const db = openStore(databaseUrl, {
    connections: config.database.connections,
    onLost: (error) => log.warn({ fault: reasonOf(error) }, 'a database connection was lost'),
  });
  closers.push(() => db.destroy());
  const objects = (extras.aroundObjects ?? ((own) => own))(await openObjectsAt(config.objects));
  await prepareStore(db, objects.storeId, extras.migrations);
  for (const practice of config.practices) await putPractice(db, practice);
  const practices = createPractices(db);
  const served = await practices.all();

  const { conversionThreads: threads, conversionBytes: budgetBytes } = config.work;
  const terminology =
    config.terminology.file === undefined ? null : await followTerminology(config.terminology.file, log, (code) => metrics.alert(code));
  closers.push(async () => terminology?.close());
  const conversions = createConversions({
    place: config.objects,
    threads,
    budgetBytes,
    terminology: () => terminology?.current() ?? null,
  });
  closers.push(() => conversions.close());
  let certificates: Certificates | null = null;
  const metrics = createMetrics({ db, objects, conversions, expiries: () => certificates?.expiries() ?? [], now });
  let workers: Workers | null = null;
  const committed = (queued: Queued): void => {
    metrics.committed();
    workers?.wake(queued);
  };
  const packer = config.adaptor.url === undefined ? undefined : packForAdaptor;
  const retention = startRetention({ db, objects, ...config.retention, everyMs: config.retention.sweepMinutes * 60_000, now, log });
  closers.push(() => retention.stop());
  const door = createPost({
    db,
    objects,
    practice: practices.byOds,
    now,
    newId,
    owner,
    committed,
    hands: (kind) => workers?.hands(kind) ?? null,
    ...(packer && { packer }),
    ...(config.mi && { recordMi: createRecordMi(owner) }),
  });
  const post: Post = async (posting) => {
    const posted = await door(posting);
    const { transfer } = posted;
    if (transfer?.state === 'ended' && transfer.outcome.kind === 'rejected') retention.rejected();
    return posted;
  };

  const spineClient = createClient({
    ...(tls && { tls }),
    connections: config.work.messages,
    // An address that an operator has set is theirs; one that a directory gives may lead to the outside only.
    ...(config.spine.url === undefined && { egress: { hosts: config.spine.hosts, networks: config.spine.networks } }),
  });
  const client = createClient({ connections: 16 });
  closers.push(
    () => spineClient.close(),
    () => client.close(),
  );
  const token = createToken(config.pds.access, { client, newId, now });
  const pds = createPds({ url: config.pds.url, client, token, newId, now, budget: createBudget(config.pds.perSecond) });
  const sds = createSds({ ...config.sds, client, newId, now, budget: createBudget(config.sds.perSecond) });

  const api = createServer({ onFault: onFault(log, 'api') });
  let apiUrl = config.api.publicUrl ?? '';
  const consumer = { url: 'urn:gp2gp:node', product: PRODUCT, version: '1' };
  const adaptor = config.adaptor.url === undefined ? null : createAdaptorSender({ client, objects });
  const sender = adaptor ?? createSender({ client: spineClient, objects, emptyIsFinal: config.spine.ackMode === 'http202' });

  const arrivals = { db, objects, practices, post, now, owner, committed, arrivalHands: () => workers?.arrivalHands() ?? null };
  const outgoing = { ...arrivals, newId };
  const accept = (extras.aroundAccept ?? ((own) => own))(createAccept(arrivals));
  const filing = (practice: Practice) => createFiling({ url: practice.gpSystem.filingUrl, apiKey: practice.gpSystem.key, client });
  const sending = createGate(config.work.streams, GATE_MS);
  const work = createWork({
    db,
    post,
    practices,
    sender: {
      async send(packed, url) {
        const size = packed.contentLength ?? 0;
        const outcome = size > SMALL_BYTES ? await sending(() => sender.send(packed, url)) : await sender.send(packed, url);
        metrics.sent(outcome.outcome, size);
        if (outcome.outcome !== 'delivered') log.warn({ message: packed.messageId, ...outcome }, 'a message was not delivered');
        return outcome;
      },
    },
    spineUrl: config.adaptor.url ?? config.spine.url ?? null,
    renew: createRenew(outgoing),
    async refused({ practice, transfer }, fault) {
      if (!OUTDATED.test(fault)) return;
      const of = await readTransfer(db, practice, transfer);
      if (of && 'peer' in of && of.peer) sds.forget(of.peer.ods);
    },
    jobs: {
      mayWeAsk: mayWeAskJob({ db, pds, sds }),
      mayTheyAsk: mayTheyAskJob({ pds, sds }),
      fetch: fetchJob({
        objects,
        conversions,
        newId,
        gate: createGate(config.work.streams, GATE_MS),
        gpConnect: ({ asid, gpSystem }) =>
          createGpConnect({
            base: gpSystem.connectUrl,
            client,
            objects,
            fromAsid: asid,
            toAsid: asid,
            consumer,
            now,
            waits: GP_SYSTEM_WAITS,
          }),
      }),
      toHl7: toHl7Job({ objects, conversions, now }),
      toFhir: toFhirJob({ db, conversions, apiUrl: () => apiUrl }),
      file: fileJob({ filing, apiUrl: () => apiUrl }),
    },
    notify: createNotices((practice, notices) => filing(practice).notify(notices), NOTICES_MS),
    ...(config.mi && {
      mi: createCarryOutMi({
        ...config.mi,
        db,
        objects,
        owner,
        now,
        api: createMiApi({ url: config.mi.url, client, now }),
        practice: practices.byOds,
        counted: metrics.mi,
        alert: (code, about) => {
          metrics.alert(code);
          log.warn({ code, ...about }, 'alert');
        },
      }),
    }),
    now,
    onFault: (what, error) => log.warn({ what, fault: reasonOf(error) }, 'work failed and will be tried again'),
  });

  const alert = ({ code, ...about }: EndpointAlert): void => {
    metrics.alert(code);
    log.warn({ code, ...about }, 'alert');
  };
  const counted: Accept = async (inbound) => {
    const acceptance = await accept(inbound);
    metrics.received(inbound.wire);
    return acceptance;
  };
  const relay =
    config.relay &&
    startRelay({
      ...config.relay,
      spineOds: ods(config.relay.spineOds),
      spineUrl: config.spine.url ?? null,
      db,
      objects,
      sds,
      sender,
      owner,
      leaseSeconds: config.work.leaseSeconds,
      pollMs: config.work.pollMs,
      now,
      metrics,
      log,
    });
  closers.push(async () => relay?.stop());
  const relays = (partyKey: string): boolean => relay?.endpoint.owns(partyKey) ?? false;
  const [isOurs, acknowledged] = [createIsOurs(outgoing), createAcknowledged(outgoing)];
  const listener =
    tls &&
    (await createListener({
      identity: tls,
      files: config.spine.tlsFiles,
      registeredName: config.spine.registeredName,
      peerNames: config.spine.peerNames,
      client: spineClient,
      endpoint: {
        objects,
        gate: createGate(config.work.streams, GATE_MS),
        accept: async (inbound) => (relay && relays(inbound.toPartyKey) ? await relay.keepUnqueued(inbound) : await counted(inbound)),
        ownsPartyKey: async (partyKey) => relays(partyKey) || (await practices.ownsPartyKey(partyKey)),
        ...(relay && { relay: relay.endpoint }),
        isOurs: async (partyKey, id) => (relay && relays(partyKey) ? await relay.isKnown(id) : await isOurs(partyKey, id)),
        acknowledged: async (partyKey, id) => (relay && relays(partyKey) ? await relay.acknowledged(id) : await acknowledged(partyKey, id)),
        answers: { status: config.spine.ackStatus, always: config.spine.alwaysAck },
        now,
        forward: config.spine.forwardUrl ? { url: config.spine.forwardUrl, client } : null,
        alert,
      },
      objects,
      metrics,
      log,
      now,
      isStopping,
      onFault: onFault(log, 'spine'),
    }));
  certificates = listener?.certificates ?? null;
  closers.push(async () => listener?.certificates.close());

  const health = (whole: boolean) =>
    checkHealth({
      db,
      objects,
      expiries: certificates?.expiries() ?? null,
      terminology: whole ? (terminology?.current().about ?? null) : null,
      miAlertMinutes: whole ? (config.mi?.alertMinutes ?? null) : null,
      isStopping: stopping,
      now,
    });
  await openNodeApi(api, {
    name: config.name,
    actions: practiceActions({ db, objects, post, now, newId }),
    practices,
    served,
    health,
    metrics,
    isStopping,
  });
  if (extras.console && config.api.console) await extras.console(api, consoleReads(db, practices));

  const apiAddress = await listen(api, { host: config.api.host, port: config.api.port });
  closers.push(() => api.close());
  apiUrl ||= apiAddress;
  workers = startWorkers({
    db,
    databaseUrl,
    owner,
    deliver: createDeliver(arrivals),
    carryOut: work,
    atOnce: {
      inbox: config.work.arrivals,
      message: config.work.messages,
      job: config.work.jobs,
      timer: 4,
      notice: NOTICES,
      mi: config.mi?.posts ?? 0,
    },
    leaseSeconds: config.work.leaseSeconds,
    pollMs: config.work.pollMs,
    onFault: (what, error) => {
      metrics.fault(what);
      log[isDatabaseAway(error) ? 'warn' : 'error'](
        { what, fault: reasonOf(error), ...(!isDatabaseAway(error) && stackOf(error)) },
        'a worker failed',
      );
    },
  });
  const running = workers;
  closers.push(() => running.stop());
  closers.push(...startMi({ mi: config.mi, files: config.miFiles, db, objects, practices, metrics, now, newId, log }));
  // Last: from here on messages come.
  const spineAddress = listener ? await listen(listener.server, { host: config.spine.host, port: config.spine.port }) : null;
  closers.push(async () => listener?.server.close());
  let face: string | null = null;
  if (relay && config.relay) {
    const server = createServer({ onFault: onFault(log, 'relay'), limits: { requestMs: 180_000 } });
    await relay.face(server);
    face = await listen(server, { host: config.relay.host, port: config.relay.port });
    closers.push(() => server.close());
  }
  if (config.adaptor.queue) {
    const consumer = startAdaptorQueue({
      ...config.adaptor.queue,
      objects,
      take: { accept: counted, ownsPartyKey: practices.ownsPartyKey, isMine: createIsMine(arrivals) },
      now,
      metrics,
      log,
    });
    closers.push(() => consumer.close());
  }
  log.info({ api: apiAddress, spine: spineAddress, practices: served.length }, 'ready');
  return {
    ready: {
      ready: true,
      name: config.name,
      spine: spineAddress,
      api: apiAddress,
      ...(face !== null && { relay: face }),
      pid: process.pid,
    },
    post,
    async close() {
      log.info('stopping');
      stopping = true;
      // Whoever shares out messages hears of it before a connection is refused.
      await sleep(config.work.drainSeconds * 1_000);
      await close();
    },
  };
}

async function embedded(config: NodeConfig, closers: (() => Promise<unknown>)[]): Promise<string> {
  const server = await startEmbedded(join(config.data, 'database'));
  closers.push(() => server.stop());
  return server.url;
}

/**
 * A node as a process: starts, prints one line of JSON with its addresses, and ends in good order on SIGTERM, SIGINT, or when whoever
 * started it with an IPC channel is gone.
 */
export async function serve(config: NodeConfig, extras: NodeExtras = {}): Promise<void> {
  const node = await startNode(config, extras);
  // What was compiled is kept in memory until then.
  flushCompileCache();
  const letGrow = config.work.memoryBytes === undefined ? () => undefined : stayBelow(config.work.memoryBytes);
  process.stdout.write(`${JSON.stringify(node.ready)}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    process.once('disconnect', () => resolve());
  });
  await node.close();
  letGrow();
  // An open channel to whoever started this process would keep it alive.
  if (process.connected) process.disconnect();
}
