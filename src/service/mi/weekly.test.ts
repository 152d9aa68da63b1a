/** The weekly file of the older process beside the events of the newer one, over the real database and MESH's double. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { type ObjectRef, wholeObject } from '../../base/content.ts';
import { instant, messageId, transferId } from '../../base/ids.ts';
import { alsoIdle, countsOfEvents, countsOfRecords } from '../../mi/counts.ts';
import { REQUEST_COLUMNS, SEND_COLUMNS } from '../../mi/files/columns.ts';
import { practiceLines } from '../../mi/files/file.ts';
import { weekBefore, weekOf } from '../../mi/files/week.ts';
import { readMeshFile } from '../../platform/mesh.ts';
import { type Mesh as MeshDouble, startMesh } from '../../simulator/mesh/mesh.ts';
import { createMesh } from '../../spine/mesh.ts';
import { putPractice } from '../../store/practices.ts';
import { begunBy } from '../../transfer/decide.ts';
import type { JobResult, Transfer } from '../../transfer/types.ts';
import { createClient, type HttpClient } from '../../web/client.ts';
import { event, from, PATIENT, peerOf, register, testPractice, uuid } from '../testing.ts';
import { converted, integrated, type MiNode, miNode, other, own, silent } from './testing.ts';
import { practiceRecords, type WeeklyOptions, weekly } from './weekly.ts';

const idle = { ...testPractice('Z81005'), mi: { events: true, files: true } };
let node: MiNode;
let folder: string;
let double: MeshDouble;
let client: HttpClient;
let documents: ObjectRef;
let missing: ObjectRef;
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
  const absent = (reason: string) => ({ absent: { by: 'SENDER', reason, contentType: 'application/pdf' } });
  missing = await node.objects.put(Buffer.from(JSON.stringify([absent('FILE_DELETED'), absent('FILE_LOCKED'), {}])));
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
  await done(await converted(node, { documents }, { version: 'UK07' }), { job: 'file', answer: 'filed', reason: null });
  await aWeekOfSending();
}

/** The same as the previous practice. */
async function aWeekOfSending(): Promise<void> {
  await asked();
  await done(await asked(), { job: 'mayTheyAsk', answer: { send: false, code: '06', peer: peerOf(other) } });
  await coreOf(await asked(), 'UK06', false);
  await coreOf(await asked(), 'UK06', true);
  const core = await coreOf(await asked(), 'UK07', true);
  assert.ok(core.state === 'waitingForAnswer');
  const answer = { accepted: false, code: '11', raw: '11' } as const;
  await posted(core, { kind: 'arrived', message: from(other, own, core, { interaction: 'acknowledgement', of: core.offer.core, answer }) });
  // Refused to begin with, and sent after all.
  const refused = await done(await asked(), { job: 'mayTheyAsk', answer: { send: false, code: '07', peer: peerOf(other) } });
  await coreOf(await posted(refused, { kind: 'decided', decision: 'resend' }), 'UK06', true);
}

/** A request of the other practice begins a transfer. */
async function asked(): Promise<Transfer> {
  const nobody = { conversationId: uuid() } as Transfer;
  const request = { interaction: 'request', requestId: uuid(), nhsNumber: PATIENT, from: other.ods, to: own.ods } as const;
  const message = from(other, own, nobody, request);
  const begin = begunBy({ ...message, ...request }, { id: transferId(uuid()), practice: own.ods, now: message.at });
  const origin = { began: 'request', requester: other.ods, requesterAsid: other.asid, addressedTo: own.ods } as const;
  const { transfer } = await node.post({ practice: own.ods, begin, origin, event: event({ kind: 'arrived', message }) });
  return transfer ?? assert.fail();
}

/** The record is fetched and written, with two documents missing, and leaves, or cannot. */
async function coreOf(transfer: Transfer, version: 'UK06' | 'UK07', leaves: boolean): Promise<Transfer> {
  await done(transfer, { job: 'mayTheyAsk', answer: { send: true, peer: peerOf(other) } });
  await done(transfer, { job: 'fetch', answer: { fetched: true, bundle: missing, documents: missing } });
  const id = messageId(uuid());
  const summary = { issues: 0, degrades: 0, redactions: 0, missingDocuments: 2 };
  const written = { messageId: id, extractId: uuid(), hl7: wholeObject(missing), large: null, documents: [], report: missing, summary };
  await done(transfer, { job: 'toHl7', answer: { converted: true, version, ...written } });
  const what = { messageId: id, interaction: 'extract' } as const;
  return posted(transfer, leaves ? { kind: 'sent', ...what } : { kind: 'notSent', ...what, fault: 'nobody is there' });
}

test('old files and new events count the same, by practice and week, idle practices too', async () => {
  const week = weekOf(instant(new Date()));
  const lines: string[] = [];
  for (const practice of [own, idle]) lines.push(...practiceLines(practice, week, 'A_B_1', await practiceRecords(node, practice, week)));
  // As whoever receives the file reads it.
  const read: { readonly kind: string; readonly cells: Readonly<Record<string, string>> }[] = [];
  for await (const { kind, cells } of readMeshFile(Readable.from(lines.map((line) => `${line}\n`)), ({ fault }) => assert.fail(fault)))
    read.push({ kind, cells: Object.fromEntries(Object.entries(cells).filter(([name, cell]) => cell !== '' || name === 'SenderODS')) });
  const of = (wanted: string) => read.filter(({ kind }) => kind === wanted).map(({ cells }) => cells);
  assert.equal(of('FR').filter(({ RequestorODS }) => RequestorODS === idle.ods).length, 7);
  const reporting = [...new Set(of('HR').map(({ RequestorODS = '' }) => RequestorODS))];
  const old = alsoIdle(countsOfRecords(of('RR'), of('SR')), reporting, week);
  assert.deepEqual(old, alsoIdle(countsOfEvents(node.service.events()), [own.ods, idle.ods], week));
  assert.deepEqual(new Set(Object.values(old.get(`${idle.ods} ${week}`) ?? assert.fail())), new Set([0]));
  assert.equal(of('SR').length, 6);
  assert.deepEqual(old.get(`${own.ods} ${week}`), {
    registrations: 13,
    notEligible: 2,
    internal: 1,
    requested: 9,
    refused: 2,
    integrated: 3,
    suppressed: 1,
    filedAsAttachment: 1,
    rejected: 1,
    failedToIntegrate: 1,
    sent: 3,
    notSent: 2,
    placeholders: 6,
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
  assert.equal(of('RR', own.ods).length, 13);
  assert.equal(of('SR', own.ods).length, 6);
  assert.equal(of('RR', silent.ods).length, 1);
  assert.equal(of('RR', idle.ods).length, 0);
  assert.ok(lines.filter((line) => line.startsWith('RR,')).every((line) => line.split(',').length === REQUEST_COLUMNS.length));
  assert.ok(lines.filter((line) => line.startsWith('SR,')).every((line) => line.split(',').length === SEND_COLUMNS.length));

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
