/**
 * Each thing that a node depends on goes away at a moment when transfers stand in every phase of both roles, and comes back: all of them
 * complete by themselves, each record is filed once, and nothing is missing from it.
 */
import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Fault } from '../base/errors.ts';
import { checkDigit } from '../base/nhs-number.ts';
import type { Bytes } from '../objects/objects.ts';
import type { LedgerLine } from '../simulator/hub/ledger.ts';
import { occupiedPhases, PHASES } from './testing-phases.ts';
import { bundle, type GateName, NORTH, SOUTH, startTwoNodes, type TwoNodes } from './two-nodes-testing.ts';

const AWAY_MS = 1_500;
const EVERY_MS = 200;
const DOCUMENTS = [40_000, 200_000];

let here: TwoNodes;
/** No put succeeds, and there is no room. */
let full = false;

before(async () => {
  here = await startTwoNodes({
    delays: { pds: 60, sds: 60, 'north-system': 150, 'south-system': 150, hub: 100 },
    hubFaults: [{ fault: 'latency', ms: 250 }],
    // An attempt whose answer was cut off is repeated when the contract says: nationally after two hours.
    contract: { retries: 20, retryInterval: 'PT2S' },
    // Small enough that a document goes in parts.
    practiceSettings: { messageLimit: 150_000 },
    extras: {
      aroundObjects: (own) =>
        new Proxy(own, {
          get(target, name) {
            if (full && name === 'put') return noSpace;
            if (full && name === 'space') return () => Promise.resolve({ free: 0, total: 1e12 });
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
    },
  });
});
after(() => here?.close());

/** As the store itself does: it begins to read. */
async function noSpace(source: Bytes): Promise<never> {
  if (!(source instanceof Uint8Array)) for await (const _piece of source) break;
  throw new Fault('objects.noSpace', 'cannot store an object: the disk is full');
}

type Away = { readonly name: string; leave(): Promise<void> | void; back(): Promise<void> | void };
const gates = (name: string, ...names: GateName[]): Away => ({
  name,
  leave() {
    for (const each of names) here.gate(each).shut();
  },
  back() {
    for (const each of names) here.gate(each).open();
  },
});
const folder = async (from: string, to: string): Promise<void> => rename(join(here.folder, 'north', from), join(here.folder, 'north', to));
const DEPENDENCIES: readonly Away[] = [
  gates('Spine’s hub', 'hub', 'north', 'south'),
  gates('SDS', 'sds'),
  gates('PDS', 'pds'),
  gates('the practices’ systems', 'north-system', 'south-system'),
  gates('the database', 'database'),
  {
    name: 'the object store',
    // A folder in the north, a bucket in the south.
    async leave() {
      here.gate('s3').shut();
      await folder('objects', 'objects-away');
    },
    async back() {
      await folder('objects-away', 'objects');
      here.gate('s3').open();
    },
  },
  {
    name: 'room on the disk',
    leave: () => {
      full = true;
    },
    back: () => {
      full = false;
    },
  },
];

let patients = 0;

/** The next patient of the southern practice with a valid number. */
async function patient(): Promise<string> {
  for (;;) {
    const nine = String(999_100_000 + patients++);
    const digit = checkDigit(nine);
    if (digit > 9) continue;
    const nhsNumber = `${nine}${digit}`;
    await here.registeredAt(nhsNumber, SOUTH);
    await here.system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, DOCUMENTS)));
    return nhsNumber;
  }
}

for (const { name, leave, back } of DEPENDENCIES) {
  test(`${name} away while transfers stand in every phase: all go on by themselves when it is back`, async () => {
    const clients = [here.databaseUrls.north, here.databaseUrls.south].map((connectionString) => new pg.Client({ connectionString }));
    for (const client of clients) await client.connect();
    const transfers = new Map<string, string>();
    try {
      let missing: readonly string[] = PHASES;
      for (let [begun, deadline] = [0, Date.now() + 60_000]; missing.length > 0; await sleep(5)) {
        assert.ok(Date.now() < deadline, `nobody stood in ${missing.join(', ')}`);
        if (Date.now() - begun > EVERY_MS) {
          begun = Date.now();
          const nhsNumber = await patient();
          transfers.set(await here.registered(nhsNumber), nhsNumber);
        }
        const phases = await occupiedPhases(clients);
        missing = PHASES.filter((phase) => !phases.has(phase));
      }
      await leave();
      await sleep(AWAY_MS);
    } finally {
      await back();
      for (const client of clients) await client.end();
    }
    for (const [transferId, nhsNumber] of transfers) {
      const requesting = await here.ended(NORTH, transferId);
      assert.deepEqual(
        requesting['outcome'],
        { kind: 'integrated', answer: 'AA' },
        JSON.stringify(await here.ask(NORTH, `/transfers/${transferId}/timeline`), null, 1),
      );
      const sending = await here.other(SOUTH, 'sending', nhsNumber);
      assert.deepEqual(sending['outcome'], { kind: 'acknowledged', answer: 'AA', missingDocuments: 0 });
    }
    const filed = await here.system(NORTH).filing.list();
    for (const transferId of transfers.keys()) {
      const own = filed.filter((each) => each.transferId === transferId && each.answer === 'filed');
      assert.equal(own.length, 1, 'filed once');
      assert.deepEqual(
        own[0]?.documents.map(({ missing }) => missing),
        DOCUMENTS.map(() => false),
      );
    }
    // Whatever was posted again is the same message: one request and one last word of each transfer.
    const lines = (await readFile(here.hub.ledgerFile, 'utf8')).split('\n').filter(Boolean);
    const accepted = lines.map((line) => JSON.parse(line) as LedgerLine).filter((line) => line.direction === 'accepted' && !line.duplicate);
    for (const transferId of transfers.keys()) {
      const { conversationId } = await here.ask(NORTH, `/transfers/${transferId}`);
      const of = accepted.filter((line) => line.conversationId.toUpperCase() === String(conversationId).toUpperCase());
      assert.equal(of.filter(({ interaction }) => interaction === 'RCMR_IN010000UK05').length, 1);
      assert.equal(of.filter(({ interaction }) => /^RCMR_IN03/.test(interaction)).length, 1);
    }
  });
}
