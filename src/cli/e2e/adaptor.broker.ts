/**
 * Against a real broker (`npm run test:broker`), every program a process of its own: a practice's node behind the interface of the message
 * adaptor, and in that adaptor's place another node. Between them stand a broker and the adaptor's HTTP interface, and nothing else.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { type Gate, openGate } from '../../service/testing-gate.ts';
import { occupiedPhases, PHASES } from '../../service/testing-phases.ts';
import type { LedgerLine } from '../../simulator/hub/ledger.ts';
import { type TestBroker, testBroker } from '../../spine/adaptor/broker-testing.ts';
import { freePorts } from '../demo/ports.ts';
import { type Running, startProgram } from '../demo/processes.ts';
import { startTestWorld, type TestWorld, until } from './testing.ts';

/** Small enough that documents of the many go in pieces. */
const MESSAGE_LIMIT = 1_000_000;
/** Transfers in each direction that begin one after the other. */
const MANY = 14;
const EVERY_MS = 250;
/** The broker takes longer than that to start. */
const AWAY_MS = 3_000;
const QUEUE = 'southInbound';
const ADDRESS = '/queue/{queue}';

const many = Array.from({ length: MANY * 2 }, (_, at) => ({
  name: `one of many ${at}`,
  seed: 400 + at,
  from: at % 2,
  to: 1 - (at % 2),
  documents: [1_100_000],
}));
/** Over in a moment here, where the directory and Spine answer at once. */
const BRIEF: ReadonlySet<string> = new Set(['requesting: acknowledging', 'sending: before the answer']);
const FILING = 'requesting: filing';
const gates: Gate[] = [];
let broker: TestBroker;
let here: TestWorld;
let relay: Running;
let startRelay: () => Promise<Running>;

before(async () => {
  broker = await testBroker([QUEUE, `DLQ.${QUEUE}`]);
  const [spinePort = 0, apiPort = 0, relayPort = 0] = await freePorts(3);
  here = await startTestWorld(
    {
      'to the adaptor': { seed: 301, from: 0, to: 1, documents: [5_200_000, 900] },
      'from the adaptor': { seed: 302, from: 1, to: 0, documents: [5_200_000, 900] },
      'all killed': { seed: 303, from: 0, to: 1, documents: [4_000_000, 5_200_000, 900] },
      ...Object.fromEntries(many.map(({ name, ...story }) => [name, story])),
    },
    {
      practices: 2,
      contract: { retries: 20, retryInterval: 'PT2S' },
      practiceSettings: Object.fromEntries(['N82001', 'S82002'].map((ods) => [ods, { messageLimit: MESSAGE_LIMIT }])),
      hubFaults: [{ fault: 'latency', ms: 200 }],
      // The hub reaches the southern practice's party key at the node that stands for the adaptor. Practices' systems are slow, so that
      // transfers stand in each phase for a while.
      async way(name, port) {
        if (name === 'south-1') return spinePort;
        if (!name.endsWith('-system')) return port;
        const gate = await openGate(port, 150);
        gates.push(gate);
        return gate.port;
      },
      settingsOfNode: {
        'south-1': {
          spine: {},
          adaptor: { url: `http://127.0.0.1:${relayPort}/`, brokers: broker.url, queue: QUEUE, address: ADDRESS },
        },
      },
    },
  );
  const { world } = here;
  const admin = new pg.Client({ connectionString: world.database.url });
  await admin.connect();
  await admin.query('create database relay');
  await admin.end();
  const of = async (name: string) =>
    parse(await readFile(join(here.folder, 'configuration', `${name}.yaml`), 'utf8')) as Record<string, Record<string, unknown>>;
  const [north, south] = await Promise.all([of('north-1'), of('south-1')]);
  const certificates = join(here.folder, 'certificates');
  const file = join(here.folder, 'configuration', 'relay.yaml');
  const config = {
    ...north,
    name: 'relay',
    data: join(here.folder, 'relay'),
    database: { url: databaseUrl() },
    objects: { folder: join(here.folder, 'relay', 'objects') },
    spine: {
      ...north['spine'],
      port: spinePort,
      tls: {
        certificate: join(certificates, 'south-1.pem'),
        key: join(certificates, 'south-1.key'),
        authorities: [join(certificates, 'authority.pem')],
      },
    },
    api: { port: apiPort },
    practices: [],
    relay: {
      port: relayPort,
      partyKey: (south['practices'] as unknown as readonly { partyKey: string }[])[0]?.partyKey,
      brokers: broker.url,
      queue: QUEUE,
      address: ADDRESS,
    },
  };
  await writeFile(file, stringify(config));
  startRelay = () => startProgram('relay', ['serve', '--config', file], join(here.folder, 'log', 'relay.log'));
  relay = await startRelay();
  const names = ['to the adaptor', 'from the adaptor', 'all killed', ...many.map(({ name }) => name)];
  await Promise.all(names.map((name) => here.give(name)));
});

after(async () => {
  await relay?.stop();
  await here?.end();
  for (const gate of gates) await gate.close();
  await broker?.close();
});

const databaseUrl = (): string => here.world.databaseUrls.north.replace(/\/north(\?|$)/, '/relay$1');

type Kept = { readonly id: string; readonly done: boolean };

/** What the node in the adaptor's place did with each message: taken over by the broker; taken over by Spine. */
async function relayed(): Promise<{ readonly into: readonly Kept[]; readonly out: readonly Kept[] }> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  try {
    const into = await client.query<Kept>('select message_id as id, done_at is not null as done from relayed_in order by 1');
    const out = await client.query<Kept>(
      `select message_id as id, coalesce(outcome->>'status' = '202', false) as done from relayed_out order by 1`,
    );
    return { into: into.rows, out: out.rows };
  } finally {
    await client.end();
  }
}

async function isWhole(moving: ReturnType<TestWorld['move']>): Promise<void> {
  const { moved, summary } = await moving;
  assert.equal(summary.outcome, 'integrated', JSON.stringify([moved.requesting, moved.sending]));
  assert.deepEqual(summary.missing, []);
  for (const { name, sha256Sent, sha256Received } of summary.documents) assert.ok(sha256Sent && sha256Sent === sha256Received, name);
  const { move } = moved;
  const { filed } = (await (await fetch(`${here.world.systemUrl[move.to.side]}/control/state`)).json()) as {
    filed: { transferId: string; answer: string }[];
  };
  assert.equal(filed.filter(({ transferId, answer }) => transferId === moved.requesting.transferId && answer === 'filed').length, 1);
}

/** Every message that the hub delivered to the southern practice or took from it went through the adaptor's interface, and none is left. */
async function wentThrough(): Promise<void> {
  const south = here.world.practices[1]?.partyKey;
  const told = async () => {
    const lines = (await readFile(here.world.ledgerFile, 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LedgerLine);
    const of = (holds: (line: LedgerLine) => boolean): string[] =>
      [...new Set(lines.filter(holds).map(({ messageId }) => messageId.toUpperCase()))].sort();
    return {
      into: of(({ to, direction }) => to === south && direction === 'delivered'),
      out: of(({ from, direction }) => from === south && direction === 'accepted'),
    };
  };
  await until('every message is told for good', async () => {
    const { into, out } = await relayed();
    return [...into, ...out].every(({ done }) => done) && into.length === (await told()).into.length;
  });
  const { into, out } = await relayed();
  assert.ok(into.length > 0 && out.length > 0, `${into.length} in, ${out.length} out`);
  assert.deepEqual({ into: into.map(({ id }) => id), out: out.map(({ id }) => id) }, await told());
}

test('a record comes to a practice behind the adaptor’s interface, its documents by the broker', async () => {
  await isWhole(here.move('to the adaptor'));
  await wentThrough();
});

test('a record leaves a practice behind the adaptor’s interface by its HTTP interface', async () => {
  await isWhole(here.move('from the adaptor'));
  await wentThrough();
});

test('broker, adaptor’s stand-in and node are killed in the midst of a transfer, one after the other: nothing is lost or done twice', async () => {
  const moving = here.move('all killed');
  moving.catch(() => undefined);
  const { length } = (await relayed()).into;
  await until('something came', async () => (await relayed()).into.length > length);
  await broker.kill();
  const starting = broker.start();
  relay.kill('SIGKILL');
  await relay.ended;
  relay = await startRelay();
  await starting;
  const node = here.world.programs.get('south-1');
  node?.kill('SIGKILL');
  await node?.ended;
  await here.world.restart('south-1');
  await isWhole(moving);
  await wentThrough();
});

test('the broker away while transfers of the practice behind it stand in every phase that lasts: all go on by themselves when it is back', async () => {
  const client = new pg.Client({ connectionString: here.world.databaseUrls.south });
  await client.connect();
  const moving: ReturnType<TestWorld['move']>[] = [];
  // Which phases transfers stand in at one moment is not ours to say: the broker is away more than once, until there was one in each.
  const stood = new Set<string>();
  try {
    for (const [at, { name }] of many.entries()) {
      const away = at >= MANY && at % 4 === 0;
      if (away) {
        // A system files in less time than it takes to look: it stands still until a transfer waits for it.
        const slow = stood.has(FILING) ? undefined : here.world.programs.get('south-system');
        slow?.kill('SIGSTOP');
        // The moment is one in which a transfer stands where none has stood yet, if there is one soon.
        for (const latest = Date.now() + (slow ? 5_000 : 2_000); Date.now() < latest; await sleep(5)) {
          const phases = [...(await occupiedPhases([client]))].filter((phase) => !stood.has(phase) && !BRIEF.has(phase));
          for (const phase of phases) stood.add(phase);
          if (slow ? stood.has(FILING) : phases.length > 0) break;
        }
        await broker.kill();
        slow?.kill('SIGCONT');
      }
      const one = here.move(name);
      one.catch(() => undefined);
      moving.push(one);
      if (!away) {
        await sleep(EVERY_MS);
        continue;
      }
      const starting = broker.start();
      starting.catch(() => undefined);
      for (const until = Date.now() + AWAY_MS; Date.now() < until; await sleep(5))
        for (const phase of await occupiedPhases([client])) stood.add(phase);
      await starting;
    }
  } finally {
    await client.end();
  }
  assert.deepEqual(
    PHASES.filter((phase) => !BRIEF.has(phase) && !stood.has(phase)),
    [],
  );
  for (const one of moving) await isWhole(one);
  await wentThrough();
});
