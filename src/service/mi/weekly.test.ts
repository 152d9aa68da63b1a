/** The weekly file of the older process beside the events of the newer one, over the real database and MESH's double. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { ObjectRef } from '../../base/content.ts';
import { instant, messageId } from '../../base/ids.ts';
import { countsOfEvents, countsOfRecords } from '../../mi/counts.ts';
import { REQUEST_COLUMNS, type RequestRecord } from '../../mi/files/columns.ts';
import { weekBefore, weekOf } from '../../mi/files/week.ts';
import { type Mesh as MeshDouble, startMesh } from '../../simulator/mesh/mesh.ts';
import { createMesh } from '../../spine/mesh.ts';
import { putPractice } from '../../store/practices.ts';
import type { JobResult, Transfer } from '../../transfer/types.ts';
import { createClient, type HttpClient } from '../../web/client.ts';
import { event, from, register, testPractice, uuid } from '../testing.ts';
import { converted, integrated, type MiNode, miNode, other, own, silent } from './testing.ts';
import { practiceRecords, type WeeklyOptions, weekly } from './weekly.ts';

const idle = { ...testPractice('Z81005'), mi: { events: true, files: true } };
let node: MiNode;
let folder: string;
let double: MeshDouble;
let client: HttpClient;
let documents: ObjectRef;
const alerts: string[] = [];
let at = new Date();

const options = (): WeeklyOptions => ({
  db: node.db,
  objects: node.objects,
  practices: async () => [own, idle, silent],
  mesh: createMesh({
    url: double.url,
    mailbox: 'NODE1',
    password: 'secret',
    sharedKey: 'environment',
    client,
    now: () => new Date(),
    newId: randomUUID,
    chunkBytes: 1_000,
  }),
  to: 'NATIONAL1',
  workflow: 'MI_FILES',
  supplier: 'ZZ901',
  software: 'OpenGP2GP_OpenGP2GP_1',
  now: () => at,
  alert: (code) => void alerts.push(code),
  log: { info: () => undefined, warn: () => undefined },
});

before(async () => {
  node = await miNode();
  await putPractice(node.db, idle);
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-weekly-'));
  const mailboxes = [
    { id: 'NODE1', password: 'secret' },
    { id: 'NATIONAL1', password: 'other' },
  ];
  double = await startMesh({ folder, sharedKey: 'environment', mailboxes, chunkBytes: 1_000 });
  client = createClient();
  documents = await node.objects.put(Buffer.from('[]'));
  await aWeekOfTransfers();
  await node.drain();
});
after(async () => {
  await client.close();
  await double.close();
  await node.close();
  await rm(folder, { recursive: true, force: true });
});

const posted = async (transfer: Transfer, what: Parameters<typeof event>[0]): Promise<Transfer> => {
  const { transfer: after } = await node.post({ practice: own.ods, transfer: transfer.id, event: event(what) });
  return after ?? assert.fail();
};
const done = (transfer: Transfer, result: JobResult) => posted(transfer, { kind: 'done', result });
const person = (transfer: Transfer, decision: 'integrate' | 'suppress' | 'fileAsAttachment' | 'reject') =>
  node
    .post({
      practice: own.ods,
      transfer: transfer.id,
      event: {
        id: uuid(),
        at: instant(new Date()),
        by: { kind: 'person', user: 'a', role: 'administrator' },
        kind: 'decided',
        decision,
      },
    })
    .then(({ transfer: after }) => after ?? assert.fail());

/** One of each fate, some of them twice. */
async function aWeekOfTransfers(): Promise<void> {
  await integrated(node, { documents });
  await integrated(node, { documents });
  await integrated(node, { documents }, silent);
  const notEligible = { job: 'mayWeAsk', answer: { ask: false, reason: 'NO_ENDPOINT' } } as const;
  await done(await register(node, own.ods, other.ods), notEligible);
  const internal = { job: 'mayWeAsk', answer: { ask: false, reason: 'INTERNAL', internal: true } } as const;
  await done(await register(node, own.ods, other.ods), internal);
  await posted(await register(node, own.ods, other.ods), { kind: 'failed', job: 'mayWeAsk', fault: 'pds.unavailable: HTTP 503' });
  for (const code of ['06', '99'] as const) {
    const asked = await converted(node, { documents }, { upTo: 'asked' });
    assert.ok(asked.state === 'waitingForExtract');
    const answer = { accepted: false, code, raw: code } as const;
    const message = from(other, own, asked, { interaction: 'acknowledgement', of: asked.request, answer });
    await posted(asked, { kind: 'arrived', message: { ...message, messageId: messageId(uuid()) } });
  }
  for (const decision of ['suppress', 'fileAsAttachment', 'reject'] as const) {
    const waiting = await converted(node, { documents }, { holds: ['returningPatient'] });
    const decided = await person(waiting, decision);
    if (decided.state === 'filing') await done(decided, { job: 'file', answer: 'filed', reason: null });
  }
  const unreadable = await converted(node, { documents }, { upTo: 'core' });
  await done(unreadable, { job: 'toFhir', answer: { converted: false, code: '21', fault: 'no patient' } });
  await register(node, own.ods, other.ods);
}

test('old files and new events count the same, by practice and week', async () => {
  const week = weekOf(instant(new Date()));
  const records: RequestRecord[] = [];
  for (const practice of [own, idle]) records.push(...(await practiceRecords(node, practice, week)).requests);
  const [old, now] = [countsOfRecords(records), countsOfEvents(node.service.events())];
  assert.deepEqual(old, now);
  assert.deepEqual(old.get(`${own.ods} ${week}`), {
    registrations: 12,
    notEligible: 2,
    internal: 1,
    requested: 8,
    refused: 2,
    integrated: 2,
    suppressed: 1,
    filedAsAttachment: 1,
    rejected: 1,
    failedToIntegrate: 1,
  });
});

test('the file of a week goes by MESH, once, with the practices that are still in the process, idle ones too', async () => {
  // A week later, Monday at noon.
  at = new Date(Date.parse(`${weekOf(instant(new Date()))}T12:00:00Z`) + 7 * 86_400_000);
  await weekly(options());
  const [message] = double.messages();
  assert.ok(message);
  assert.match(message.headers['mex-filename'] ?? '', /^Stats\d+_[0-9A-F]{6}\.dat$/);
  assert.equal(message.workflow, 'MI_FILES');
  assert.ok(message.chunks > 1);
  let text = '';
  for (let n = 1; n <= message.chunks; n++) text += await readFile(join(folder, 'messages', `${message.id}.${n}`), 'utf8');
  const lines = text.trimEnd().split('\r\n');
  const of = (kind: string, ods: string) => lines.filter((line) => line.startsWith(`${kind},`) && line.split(',').includes(ods));
  for (const { ods } of [own, idle, silent]) {
    assert.equal(of('HR', ods).length, 7, ods);
    assert.equal(of('FR', ods).length, 7, ods);
  }
  assert.equal(of('RR', own.ods).length, 12);
  assert.equal(of('RR', silent.ods).length, 1);
  assert.equal(of('RR', idle.ods).length, 0);
  assert.ok(lines.filter((line) => line.startsWith('RR,')).every((line) => line.split(',').length === REQUEST_COLUMNS.length));

  await weekly(options());
  await sql`update mi_files set due_at = now()`.execute(node.db);
  await weekly(options());
  assert.equal(double.messages().length, 1);
});

test('a file is looked after until it is fetched; one that nobody fetches is told', async () => {
  const state = async () =>
    (await sql<{ state: string }>`select state from mi_files order by week`.execute(node.db)).rows.map((row) => row.state);
  assert.deepEqual(await state(), ['sent']);
  const [message] = double.messages();
  assert.ok(message);
  message.state = 'undelivered';
  await sql`update mi_files set due_at = now()`.execute(node.db);
  await weekly(options());
  assert.deepEqual([await state(), alerts], [['undeliverable'], ['mi.fileUndelivered']]);
  await sql`update mi_files set state = 'sent', due_at = now()`.execute(node.db);
  message.state = 'acknowledged';
  await weekly(options());
  assert.deepEqual(await state(), ['acknowledged']);
});

test('weeks in which the node was away are made up for, and MESH being away loses none', async () => {
  at = new Date(at.getTime() + 14 * 86_400_000);
  double.setSwitches({ outage: true });
  await weekly(options());
  double.setSwitches({});
  await sql`update mi_files set due_at = now()`.execute(node.db);
  await weekly(options());
  const rows = (await sql<{ week: string; state: string }>`select week::text, state from mi_files order by week`.execute(node.db)).rows;
  const last = weekBefore(weekOf(instant(at)));
  assert.deepEqual(
    rows.map(({ week }) => week),
    [weekBefore(weekBefore(last)), weekBefore(last), last],
  );
  assert.deepEqual(
    rows.map(({ state }) => state),
    ['acknowledged', 'sent', 'sent'],
  );
});
