/** Failures of reading a record, made in a node's inside without network, taken home and replayed; and what redacting leaves. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { type Content, storedLength } from '../../base/content.ts';
import { type DocumentId, messageId } from '../../base/ids.ts';
import { putAsContent } from '../../objects/content.ts';
import { createAccept, createDeliver } from '../../service/arrivals.ts';
import { type Conversions, createConversions } from '../../service/conversions/conversions.ts';
import { toFhirJob } from '../../service/jobs/to-fhir.ts';
import { event, from, PATIENT, peerOf, register, type TestNode, testNode, testPractice, uuid } from '../../service/testing.ts';
import { claimArrivals } from '../../store/inbox.ts';
import { readSubject } from '../../store/transfers.ts';
import type { Reference, Transfer } from '../../transfer/types.ts';
import { run } from '../e2e/testing-cli.ts';

const own = testPractice('Z81001');
const other = testPractice('Z82002');
const objectsOf = (given: TestNode) => join(given.folder, 'objects');
let node: TestNode;
let conversions: Conversions;
before(async () => {
  node = await testNode([own]);
  conversions = createConversions({ place: { folder: objectsOf(node), s3: null }, threads: 1, budgetBytes: 10_000_000 });
});
after(async () => {
  await conversions.close();
  await node.close();
});

const said = { compressed: false, skeleton: false };
const extractOf = (folder: string) =>
  `<RCMR_IN030000UK06 xmlns="urn:hl7-org:v3"><id root="${uuid()}"/><ControlActEvent classCode="CACT"><subject><EhrExtract>
<recordTarget><patient><id root="2.16.840.1.113883.2.1.4.1" extension="${PATIENT}"/><addr><!-- Mr Ignatius Thistlewood --></addr></patient></recordTarget>
${folder}</EhrExtract></subject></ControlActEvent></RCMR_IN030000UK06>`;

/** A transfer whose core, and what rode in it, arrived as a message of Spine; then it is read, as a node's job does it. */
async function readInVain(hl7: string, references: readonly Reference[] = []): Promise<Transfer> {
  const { id, practice } = await register(node, own.ods, other.ods);
  const post = (what: Parameters<typeof event>[0]) => node.post({ practice, transfer: id, event: event(what) });
  const { transfer } = await post({ kind: 'done', result: { job: 'mayWeAsk', answer: { ask: true, peer: peerOf(other) } } });
  assert.ok(transfer);
  const message = from(other, own, transfer, {
    interaction: 'extract',
    version: 'UK06',
    extractId: uuid(),
    nhsNumber: PATIENT,
    hl7: await putAsContent(node.objects, Buffer.from(hl7)),
    references,
  });
  const options = { ...node, now: () => new Date(), owner: 'test', committed: () => undefined };
  await createAccept(options)({
    fromPartyKey: other.partyKey,
    toPartyKey: own.partyKey,
    messageId: message.messageId,
    conversationId: message.conversationId,
    action: 'RCMR_IN030000UK06',
    digest: uuid(),
    receivedAt: message.at,
    message,
    wire: hl7.length,
    refused: null,
  });
  for (const arrival of await claimArrivals(node.db, 'me', 10, 60)) await createDeliver(options)(arrival);
  const reading = await readSubject(node.db, practice, id);
  assert.equal(reading?.transfer.state, 'converting');
  const job = toFhirJob({ db: node.db, conversions, apiUrl: () => 'http://127.0.0.1:9' });
  const done = await job({ ...reading, practice: own, attempts: 0 });
  assert.ok(done.outcome === 'done');
  const { transfer: ended } = await post({ kind: 'done', result: done.result });
  assert.ok(ended);
  return ended;
}

let folders = 0;
async function takeHome({ id }: Transfer, content: string): Promise<{ folder: string; problems: readonly string[] }> {
  const folder = join(node.folder, `export-${folders++}`);
  const at = ['--database', node.url, '--objects', objectsOf(node), '--as', 'jo'];
  const { code, out, err } = await run(
    'transfers',
    'export',
    id,
    '--to',
    folder,
    '--reason',
    'a test of it',
    '--content',
    content,
    '--json',
    ...at,
  );
  assert.ok(out, `${code} ${err}`);
  return { folder, problems: (JSON.parse(out) as { problems: string[] }).problems };
}
type Replayed = {
  readonly same: boolean;
  readonly outcome: object | null;
  readonly made: number;
  readonly stopped: { readonly entry: number; readonly why: string } | null;
  readonly conversions: readonly { readonly replayed: { readonly ended: string; readonly code?: string; readonly fault?: string } }[];
};
async function replayed(folder: string): Promise<Replayed & { code: number }> {
  const { code, out, err } = await run('transfers', 'replay', folder, '--json');
  assert.ok(out, err);
  return { code, ...(JSON.parse(out) as Replayed) };
}
async function textOf(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))).join('\n');
}

const PERSON = /Thistlewood|Ignatius|9990000018|severe/;

test('a record that is not well formed fails again at the same place, whole and redacted', async () => {
  const ended = await readInVain(extractOf('<component>\n<text>severe <b>pain</text></component>'));
  assert.ok(ended.state === 'ended' && ended.outcome.kind === 'unusable' && ended.outcome.code === '21');
  const faults: unknown[] = [];
  for (const content of ['whole', 'redacted']) {
    const { folder, problems } = await takeHome(ended, content);
    assert.deepEqual(problems, []);
    const again = await replayed(folder);
    assert.deepEqual([again.code, again.same, again.outcome], [0, true, { kind: 'unusable', code: '21' }]);
    faults.push(again.conversions[0]?.replayed.fault);
    assert.equal(PERSON.test(await textOf(folder)), content === 'whole');
  }
  assert.equal(faults[0], faults[1], 'line and column are the same');
});

test('a record whose skeleton does not fit fails again with 31, its embedded record redacted too', async () => {
  const documentId = uuid() as DocumentId;
  const embedded = await putAsContent(node.objects, Buffer.from(extractOf('<component><text>severe pain, Mr Thistlewood</text>')));
  const references: Reference[] = [
    { ...said, skeleton: true, documentId, at: 'here', part: { contentId: 'c1', contentType: 'text/xml', content: embedded } },
  ];
  const ended = await readInVain(extractOf(''), references);
  assert.ok(ended.state === 'ended' && ended.outcome.kind === 'unusable' && ended.outcome.code === '31');
  for (const content of ['whole', 'redacted']) {
    const { folder, problems } = await takeHome(ended, content);
    assert.deepEqual(problems, []);
    assert.deepEqual((await replayed(folder)).same, true);
    assert.equal(PERSON.test(await textOf(folder)), content === 'whole');
  }
});

test('a document that came damaged is damaged still where it is redacted', async () => {
  const content: Content = { ...(await putAsContent(node.objects, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4]))), gzip: true };
  const part = { contentId: 'c1', contentType: 'text/plain', content };
  const reference: Reference = {
    ...said,
    compressed: true,
    filename: 'Thistlewood.txt',
    documentId: uuid() as DocumentId,
    at: 'here',
    part,
  };
  const ended = await readInVain(extractOf('<component><ehrFolder/></component>'), [reference]);
  const { folder } = await takeHome(ended, 'redacted');
  const text = await textOf(folder);
  assert.ok(!PERSON.test(text));
  assert.match(text, /"filename": "Xxxxxxxxxxx\.txt"/);
  const again = await replayed(folder);
  assert.equal(again.same, true, JSON.stringify(again));
});

test('a transfer of which something is erased, or which an older version began, is replayed as far as it goes, and that is said', async () => {
  const ended = await readInVain(extractOf('<component>'));
  await sql`update history set basis = null where transfer = ${ended.id} and number = 2`.execute(node.db);
  const old = await replayed((await takeHome(ended, 'whole')).folder);
  assert.deepEqual([old.code, old.made, old.stopped?.entry], [1, 1, 2]);
  assert.match(old.stopped?.why ?? '', /erased, or was written by a version that did not keep it/);

  const other = await readInVain(extractOf('<component>'));
  await sql`update inbox set message = '{}' where transfer = ${other.id}`.execute(node.db);
  const erased = await replayed((await takeHome(other, 'none')).folder);
  assert.deepEqual([erased.code, erased.made, erased.stopped], [1, 2, { entry: 3, why: 'the message that arrived is erased' }]);
});

test('content that is erased is left out of a whole export, which says so', async () => {
  const ended = await readInVain(extractOf('<component>'));
  assert.ok(ended.state === 'ended' && 'core' in ended && ended.core);
  const [piece] = ended.core.hl7.pieces;
  assert.ok(piece.in === 'store' && storedLength(ended.core.hl7) > 0);
  await node.objects.delete(piece.object);
  const { folder, problems } = await takeHome(ended, 'whole');
  assert.match(problems.join(), /content of a conversion is erased/);
  assert.equal((await replayed(folder)).same, true, 'the decisions are replayed all the same');
});

test('messageIds stay as they were: an answer in the replay names what was sent', async () => {
  const ended = await readInVain(extractOf('<component>'));
  assert.ok(ended.role === 'requesting' && ended.state === 'ended' && ended.request);
  const text = await textOf((await takeHome(ended, 'none')).folder);
  assert.ok(text.includes(messageId(ended.request)));
});
