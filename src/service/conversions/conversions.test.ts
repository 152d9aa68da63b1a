import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ObjectRef, storedLength, wholeObject } from '../../base/content.ts';
import { documentId, type Instant } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { Bundle } from '../../fhir/types.ts';
import { contentBytes, putAsContent, readContent } from '../../objects/content.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import { fateOfAbsent, fateOfPresent } from '../../record/document/fate.ts';
import { readStored, writeStored } from '../../store/stored-json.ts';
import { type Conversions, createConversions } from './conversions.ts';
import type { FetchedDocument, ReceivedAttachment, ReceivedDocumentEntry, ToHl7Answer } from './tasks.ts';

const PATIENT = '9990000018' as NhsNumber;
let folder: string;
let objects: Objects;
let conversions: Conversions;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-conversions-'));
  objects = await openObjects(folder);
  conversions = createConversions({ place: { folder, s3: null }, threads: 2, budgetBytes: 10_000_000 });
});
after(async () => {
  await conversions.close();
  await rm(folder, { recursive: true, force: true });
});

function observation(id: string) {
  return {
    resource: {
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '27113001', display: 'Body weight' }] },
      subject: { reference: 'Patient/p' },
      effectiveDateTime: '2024-03-01T10:00:00+00:00',
      issued: '2024-03-01T10:00:00+00:00',
      valueQuantity: { value: 71.5, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
    },
  };
}

function letter(id: string, attachment: object) {
  return {
    resource: {
      resourceType: 'DocumentReference',
      id,
      status: 'current',
      created: '2024-03-01T10:00:00+00:00',
      description: `Letter ${id}`,
      content: [{ attachment }],
    },
  };
}

async function store(entries: readonly object[]): Promise<ObjectRef> {
  const patient = {
    resource: { resourceType: 'Patient', id: 'p', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: PATIENT }] },
  };
  return objects.put(Buffer.from(JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry: [patient, ...entries] })));
}

async function toHl7(
  bundle: ObjectRef,
  documents: readonly FetchedDocument[],
  messageLimit: number,
): Promise<Extract<ToHl7Answer, { converted: true }>> {
  const answer = await conversions.run(
    {
      do: 'toHl7',
      bundle,
      documents: await objects.put(Buffer.from(writeStored(documents))),
      nhsNumber: PATIENT,
      requestId: '11111111-1111-4111-8111-111111111111',
      requester: 'Z81001',
      own: 'Z82002',
      fromAsid: '200000000002',
      toAsid: '200000000001',
      version: 'UK07',
      now: '2026-01-05T09:30:00.000Z' as Instant,
      messageLimit,
    },
    bundle.bytes,
  );
  assert.ok(answer.converted, JSON.stringify(answer));
  return answer;
}

test('the documents of a bundle are listed, with the reason where one cannot be fetched', async () => {
  const bundle = await store([
    letter('a', { contentType: 'application/pdf', url: 'https://gp.example/Binary/a' }),
    letter('b', { contentType: 'application/pdf', title: 'deleted', url: 'https://gp.example/Binary/b' }),
    letter('c', { contentType: 'application/x-unheard-of', url: 'https://gp.example/Binary/c' }),
  ]);
  const listed = await conversions.run({ do: 'listDocuments', bundle }, bundle.bytes);
  assert.deepEqual(
    listed.map((document) => [document.reference, 'url' in document]),
    [
      ['DocumentReference/a', true],
      ['DocumentReference/b', false],
      ['DocumentReference/c', false],
    ],
  );
});

test('a bundle that is none is a fault of its own, and the thread goes on', async () => {
  const none = await objects.put(Buffer.from('{"resourceType":"Patient"}'));
  await assert.rejects(conversions.run({ do: 'listDocuments', bundle: none }, 10), { code: 'bundle.unreadable' });
  const broken = await objects.put(Buffer.from('{"resourceType":'));
  await assert.rejects(conversions.run({ do: 'listDocuments', bundle: broken }, 10), { code: 'json.malformed' });
  assert.deepEqual(await conversions.run({ do: 'listDocuments', bundle: await store([]) }, 10), []);
});

test('a record too large for one message comes back whole from its skeleton, with its documents, one damaged and one not there', async () => {
  const bundle = await store([
    ...Array.from({ length: 40 }, (_, i) => observation(`o${i}`)),
    letter('a', { contentType: 'text/plain', url: 'https://gp.example/Binary/a' }),
    letter('b', { contentType: 'text/plain', url: 'https://gp.example/Binary/b' }),
  ]);
  const content = await putAsContent(objects, Buffer.from('the letter'));
  const documents: FetchedDocument[] = [
    {
      fate: fateOfPresent('DocumentReference/a', 'AAAAAAAA-0000-4000-8000-000000000001', 'text/plain', 10),
      documentId: documentId('AAAAAAAA-0000-4000-8000-000000000001'),
      content,
    },
    {
      fate: fateOfAbsent('DocumentReference/b', 'AAAAAAAA-0000-4000-8000-000000000002', 'it is gone'),
      documentId: documentId('AAAAAAAA-0000-4000-8000-000000000002'),
      content,
    },
  ];
  assert.equal((await toHl7(bundle, documents, 5_000_000)).large, null);
  const sent = await toHl7(bundle, documents, 20_000);
  assert.ok(sent.large);
  assert.ok(storedLength(sent.large.skeleton) < storedLength(sent.hl7));
  const message = new TextDecoder().decode(await contentBytes(objects, sent.hl7, 10_000_000));
  assert.equal(new TextDecoder().decode(await contentBytes(objects, sent.large.compressed, 10_000_000)), message);

  const said = { compressed: false, skeleton: false, contentType: 'text/plain' };
  const attachments: ReceivedAttachment[] = [
    {
      announced: { documentId: sent.large.documentId, filename: 'core.gzip', compressed: true, skeleton: true },
      content: sent.large.compressed,
      missing: [],
    },
    {
      announced: { ...said, documentId: documents[0]?.documentId ?? documentId(''), filename: documents[0]?.fate.filename ?? '' },
      content,
      missing: [],
    },
    { announced: { ...said, filename: 'never.txt' }, content: null, missing: ['MESSAGE'] },
    {
      announced: { ...said, filename: 'broken.txt', compressed: true },
      content: { ...wholeObject(await objects.put(Buffer.from([0x1f, 0x8b, 0x08, 0x00]))), gzip: true },
      missing: [],
    },
  ];
  const read = await conversions.run(
    { do: 'toFhir', hl7: sent.large.skeleton, attachments, losingPractice: 'Z82002', documentsUrl: 'http://node.example/documents' },
    1000,
  );
  assert.ok(read.converted, JSON.stringify(read));
  assert.equal(read.nhsNumber, PATIENT);
  assert.equal(read.undelivered, 2);
  const record = JSON.parse(new TextDecoder().decode(await contentBytes(objects, wholeObject(read.bundle), 10_000_000))) as Bundle;
  const types = (record.entry ?? []).map(({ resource }) => resource?.resourceType);
  assert.equal(types.filter((type) => type === 'Observation').length, 40);
  assert.match(JSON.stringify(record), /http:\/\/node\.example\/documents\/AAAAAAAA-0000-4000-8000-000000000001/);
  const list = readStored(
    new TextDecoder().decode(await contentBytes(objects, wholeObject(read.documents), 1_000_000)),
  ) as ReceivedDocumentEntry[];
  assert.deepEqual(
    list.map(({ name, bytes, missing }) => [name, bytes, missing === null]),
    [
      [documents[0]?.fate.filename, 10, true],
      ['never.txt', 0, false],
      ['broken.txt', 0, false],
    ],
  );
  const [first] = list;
  assert.ok(first?.content);
  let text = '';
  for await (const chunk of readContent(objects, first.content)) text += Buffer.from(chunk).toString();
  assert.equal(text, 'the letter');
});

test('what cannot be read is an answer with its code: no XML, a skeleton without its record', async () => {
  const ask = (hl7: string, attachments: readonly ReceivedAttachment[]) =>
    putAsContent(objects, Buffer.from(hl7)).then((content) =>
      conversions.run(
        { do: 'toFhir', hl7: content, attachments, losingPractice: 'Z82002', documentsUrl: 'http://node.example/documents' },
        1000,
      ),
    );
  const broken = await ask('<RCMR_IN030000UK06><unclosed></RCMR_IN030000UK06>', []);
  assert.deepEqual(!broken.converted && broken.code, '21');
  const skeleton = { announced: { compressed: true, skeleton: true }, content: null, missing: ['MESSAGE'] };
  const alone = await ask('<RCMR_IN030000UK06/>', [skeleton]);
  assert.deepEqual(!alone.converted && alone.code, '31');
});

test('conversions beyond the budget wait for each other; one that is larger than all of it runs alone', async () => {
  const bundle = await store([observation('only')]);
  const order: string[] = [];
  const run = (name: string, bytes: number) => conversions.run({ do: 'listDocuments', bundle }, bytes).then(() => order.push(name));
  await Promise.all([run('huge', 50_000_000), run('small', 10)]);
  assert.deepEqual(order, ['huge', 'small']);
});

test('a long record takes next to nothing of the time of the node’s own thread, in either direction', async () => {
  const bundle = await store(Array.from({ length: 12_000 }, (_, i) => observation(`o${i}`)));
  const from = performance.eventLoopUtilization();
  const { hl7 } = await toHl7(bundle, [], 5_000_000);
  assert.ok(storedLength(hl7) > 5_000_000);
  const received = await conversions.run(
    { do: 'toFhir', hl7, attachments: [], losingPractice: 'N82001', documentsUrl: 'http://127.0.0.1/documents' },
    storedLength(hl7),
  );
  assert.ok(received.converted);
  // The conversion itself keeps a thread busy all the time: were it this one, the share would be near 1.
  const { utilization, active } = performance.eventLoopUtilization(from);
  assert.ok(utilization < 0.25, `${active.toFixed(0)} ms, ${(utilization * 100).toFixed(0)} % of the time`);
});
