/** A transfer between two nodes, with what each of them asks away for a while. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Fault } from '../base/errors.ts';
import type { ConversionReport } from '../record/types.ts';
import { built, conceptId, description, descriptionId, filesOf } from '../terminology/testing.ts';
import { startNode } from './serve.ts';
import { bundle, NORTH, SOUTH, startTwoNodes, type TwoNodes } from './two-nodes-testing.ts';

const ENDED_MS = 60_000;
let here: TwoNodes;

before(async () => {
  here = await startTwoNodes({
    northSettings: async (folder) => ({ terminology: { file: await placeTerminology(folder, 'made-up release 1') } }),
  });
});

after(() => here?.close());

// First of all tests: by the others the directory's answers are remembered.
for (const service of ['sds', 'pds'] as const) {
  test(`while ${service.toUpperCase()} is away a registration waits, and goes on by itself when it is back`, async () => {
    const nhsNumber = service === 'sds' ? '9990000042' : '9990000050';
    await here.registeredAt(nhsNumber, SOUTH);
    await here.system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, [1_000])));
    const messages = here.hub.counters.messages;
    here.gate(service).shut();
    let transferId: string;
    try {
      transferId = await here.registered(nhsNumber);
      await new Promise((done) => setTimeout(done, 1_500));
      assert.equal((await here.ask(NORTH, `/transfers/${transferId}`))['state'], 'checking');
      assert.equal(here.hub.counters.messages, messages, 'nothing was asked for');
    } finally {
      here.gate(service).open();
    }
    const transfer = await here.ended(NORTH, transferId);
    assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });
  });

  test(`while ${service.toUpperCase()} is away a request for a record waits at the other practice, and is answered when it is back`, async () => {
    const nhsNumber = service === 'sds' ? '9990000077' : '9990000085';
    await here.registeredAt(nhsNumber, SOUTH);
    await here.system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, [1_000])));
    const id = await here.registered(nhsNumber);
    const deadline = Date.now() + ENDED_MS;
    while ((await here.ask(NORTH, `/transfers/${id}`))['state'] === 'checking') {
      if (Date.now() > deadline) assert.fail('the request did not leave');
      await new Promise((done) => setTimeout(done, 2));
    }
    here.gate(service).shut();
    await new Promise((done) => setTimeout(done, 1_500));
    here.gate(service).open();
    const transfer = await here.ended(NORTH, id);
    assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });
    // Its last word is on its way until the other side has ended too.
    await here.other(SOUTH, 'sending', nhsNumber);
  });
}

test('while the object store is away nothing is acknowledged; what was refused comes again and the transfer completes', async () => {
  const nhsNumber = '9990000069';
  await here.registeredAt(nhsNumber, SOUTH);
  await here.system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(bundle(nhsNumber, [300_000, 2_000_000])));
  const [at, away] = [join(here.folder, 'north', 'objects'), join(here.folder, 'north', 'objects-away')];
  await rename(at, away);
  let transferId: string;
  try {
    transferId = await here.registered(nhsNumber);
    await new Promise((done) => setTimeout(done, 2_500));
    assert.notEqual((await here.ask(NORTH, `/transfers/${transferId}`))['state'], 'ended');
  } finally {
    await rename(away, at);
  }
  const transfer = await here.ended(NORTH, transferId);
  assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });
});

for (const { practice, kind } of [
  { practice: NORTH, kind: 'folder' },
  { practice: SOUTH, kind: 'bucket' },
]) {
  test(`a second node of the same database with objects of its own, where the first has a ${kind}, is refused in words`, async () => {
    const config = here.config(practice);
    const own = join(here.folder, `second-${practice.ods}`);
    const second = { ...config, name: 'second', objects: { folder: own, s3: null }, api: { ...config.api, port: 0 } };
    await assert.rejects(startNode({ ...second, spine: { ...config.spine, port: 0 } }), (error) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.code, 'store.otherObjects');
      assert.match(error.message, /this database belongs to the object store [0-9a-f-]{36}; the configured one is [0-9a-f-]{36}/);
      assert.ok(error.remedy);
      return true;
    });
  });
}

test('a record with documents of every size goes from one practice to the other, every byte of it', async () => {
  const nhsNumber = '9990000018';
  await here.registeredAt(nhsNumber, SOUTH);
  const sizes = [10, 200_000, 3_000_000, 12_000_000];
  const record = bundle(nhsNumber, sizes);
  await here.system(SOUTH).addRecord(SOUTH.ods, JSON.stringify(record));
  const before = { ...here.hub.counters };
  const { transferId } = await here.system(NORTH).register(NORTH.ods, nhsNumber);
  const transfer = await here.ended(NORTH, String(transferId));
  assert.deepEqual(transfer['outcome'], { kind: 'integrated', answer: 'AA' });

  const filed = (await here.system(NORTH).filing.list()).find((each) => each.transferId === transferId);
  assert.equal(filed?.documents.length, sizes.length);
  for (const document of filed?.documents ?? []) {
    assert.ok(document.file);
    const bytes = await readFile(document.file);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), document.sha256);
    assert.ok(sizes.includes(bytes.byteLength), `${bytes.byteLength}`);
  }
  // Asked, accepted, core, continue, index and three pieces, one piece, their answers, the end.
  assert.equal(here.hub.counters.refused, before.refused);
  const sending = await here.other(SOUTH, 'sending', nhsNumber);
  assert.deepEqual((sending['outcome'] as { kind: string }).kind, 'acknowledged');

  // Each practice can read what the conversion on its own side said.
  const said = (await here.ask(SOUTH, `/transfers/${sending['transferId']}/report`)) as ConversionReport;
  const heard = (await here.ask(NORTH, `/transfers/${transferId}/report`)) as ConversionReport;
  assert.ok(said.origins.some(({ from }) => from.id === 'Observation/o1'));
  assert.ok(heard.origins.some(({ target }) => target.startsWith('Observation/')));
  assert.deepEqual(heard.terminology, { release: 'made-up release 1', complete: false });
});

test('a registration that may not be asked for ends with its reason, and nothing is sent', async () => {
  const nhsNumber = '9990000026';
  await here.pds.add({ nhsNumber, family: 'Nowhere', given: ['Ada'], birthDate: '1970-01-01', gender: 'female', practice: null });
  const messages = here.hub.counters.messages;
  const { transferId } = await here.system(NORTH).register(NORTH.ods, nhsNumber);
  const transfer = await here.ended(NORTH, String(transferId));
  assert.deepEqual(transfer['outcome'], { kind: 'notEligible', reason: 'NO_PREVIOUS_GP' });
  assert.equal(here.hub.counters.messages, messages);
});

test('a practice whose patient it is not gets no record', async () => {
  const nhsNumber = '9990000034';
  await here.registeredAt(nhsNumber, SOUTH);
  // The practice's system has no such record: the answer is code 06, in the words of the protocol.
  const { transferId } = await here.system(NORTH).register(NORTH.ods, nhsNumber);
  const transfer = await here.ended(NORTH, String(transferId));
  assert.deepEqual(transfer['outcome'], { kind: 'refusedBySender', code: '06' });
});

test('health and metrics say how the node is', async () => {
  const node = here.node(NORTH);
  const health = await fetch(`${node.ready.api}/health`);
  assert.equal(health.status, 200, await health.clone().text());
  const metrics = await (await fetch(`${node.ready.api}/metrics`)).text();
  assert.match(metrics, /gp2gp_transactions_total \d+/);
  assert.match(metrics, /gp2gp_queue_depth\{kind="message",state="dead"\} 0/);
  const written = Number(/gp2gp_object_bytes_written (\d+)/.exec(metrics)?.[1]);
  const kept = Number(/gp2gp_object_bytes_kept (\d+)/.exec(metrics)?.[1]);
  assert.ok(kept > 15_000_000 && written <= kept * 1.05, `${written} written, ${kept} kept`);
});

test('a terminology is swapped while the node runs; one that cannot be used is told, and the one before goes on', async () => {
  const said = async () => {
    const { checks } = (await here.ask(NORTH, '', '/health')) as { checks: { name: string; said: string }[] };
    return checks.find(({ name }) => name === 'terminology')?.said ?? '';
  };
  const within = async (what: () => Promise<boolean>) => {
    for (const end = Date.now() + 20_000; !(await what()); ) {
      assert.ok(Date.now() < end, await said());
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  assert.match(await said(), /^made-up release 1: not whole, 16 well-known immunisations are missing$/);
  await placeTerminology(here.folder, 'made-up release 2');
  await within(async () => (await said()).startsWith('made-up release 2'));
  await writeFile(join(here.folder, 'terminology'), 'not a terminology');
  const metrics = async () => (await fetch(`${here.node(NORTH).ready.api}/metrics`)).text();
  await within(async () => (await metrics()).includes('gp2gp_alerts_total{code="terminology.unusable"} 1'));
  assert.match(await said(), /^made-up release 2/);
});

/** Puts a built terminology in the place of the one before, as an operator would. */
async function placeTerminology(folder: string, release: string): Promise<string> {
  const { bytes } = built(filesOf({ descriptions: [description(descriptionId(1), conceptId(1), 'Sample')] }), release);
  const file = join(folder, 'terminology');
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
  return file;
}
