import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { runBatch } from './conformance-batch.ts';

const folder = mkdtempSync(join(tmpdir(), 'gp2gp-batch-'));
after(() => rmSync(folder, { recursive: true }));

async function answers(...lines: (object | string)[]) {
  const written: string[] = [];
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await runBatch(Readable.from(input.map((line) => `${line}\n`)), (line) => written.push(line));
  return written.map((line) => JSON.parse(line));
}

function file(name: string, content: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const PLAN = { resourceType: 'ProcedureRequest', id: 'p', intent: 'plan', code: { text: 'Recall' }, authoredOn: '2024-03-10' };

test('one resource is answered with its fragment, inside or outside another one', async () => {
  const path = file('plan.json', PLAN);
  const ask = (nested: boolean) => ({
    path,
    id: `case-${nested}`,
    kind: 'resource-to-hl7',
    options: { operation: 'procedure-request', nested },
  });
  const [outside, inside] = await answers(ask(false), ask(true));
  assert.equal(outside.id, 'case-false');
  assert.match(outside.output, /^<component typeCode="COMP"><PlanStatement /);
  assert.match(inside.output, /^<component typeCode="COMP" contextConductionInd="true">/);
  assert.deepEqual(outside.issues, []);
});

test('a case that fails is answered with its error, and the next one is read', async () => {
  const [noFile, noLine, noKind, noOperation, good] = await answers(
    { path: join(folder, 'none.json'), kind: 'resource-to-hl7', options: { operation: 'procedure-request' } },
    'no JSON',
    { path: 'x', kind: 'nothing of ours' },
    { path: file('a.json', PLAN), kind: 'resource-to-hl7', options: { operation: 'unheard-of' } },
    { path: file('b.json', PLAN), kind: 'resource-to-hl7', options: { operation: 'procedure-request' } },
  );
  assert.match(noFile.error, /none\.json/);
  assert.ok(noLine.error);
  assert.match(noKind.error, /nothing of ours/);
  assert.match(noOperation.error, /unheard-of/);
  assert.ok(good.output);
});

test('a record without a patient is refused', async () => {
  const [answer] = await answers({ path: file('empty.json', { resourceType: 'Bundle', entry: [] }), kind: 'bundle-to-hl7' });
  assert.match(answer.error, /no Patient/);
});

test('pieces of a document are joined in the order that the index gives, whatever order they came in', async () => {
  const copc = (id: string) => `<COPC_IN000001UK01 xmlns="urn:hl7-org:v3"><id root="${id}"/></COPC_IN000001UK01>`;
  const external = (message: string, description: string) => ({ message_id: message, document_id: `_${message}`, description });
  const piece = (id: string, text: string) => ({ payload: copc(id), attachments: [{ is_base64: 'true', payload: btoa(text) }] });
  const messages = [
    { payload: EXTRACT, external_attachments: [external('I', 'Filename="a letter.txt" ContentType=text/plain Compressed=No')] },
    piece('P2', 'two'),
    { payload: copc('I'), external_attachments: [external('P1', ''), external('P2', '')] },
    piece('P1', 'one '),
  ].map((message, i) => file(`${i}.json`, message));
  const [answer] = await answers({ path: folder, id: 'x', kind: 'large-message', messages, options: { losingOdsCode: 'B81001' } });
  const document = JSON.parse(answer.output).entry.find(
    (entry: { resource: { resourceType: string } }) => entry.resource.resourceType === 'DocumentReference',
  );
  assert.equal(document.resource.content[0].attachment.size, 'one two'.length);
});

const EXTRACT = `<RCMR_IN030000UK06 xmlns="urn:hl7-org:v3"><id root="M"/><ControlActEvent><subject><EhrExtract><id root="E"/>
<recordTarget><patient><id root="2.16.840.1.113883.2.1.4.1" extension="9000000009"/></patient></recordTarget>
<component><ehrFolder><component><ehrComposition><id root="C"/><code code="24591000000103" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"/>
<effectiveTime><center value="20240310"/></effectiveTime><availabilityTime value="20240310"/>
<component><NarrativeStatement><id root="D"/><text>Letter</text><reference typeCode="REFR"><referredToExternalDocument><id root="F"/>
<text mediaType="text/plain"><reference value="file://localhost/a%20letter.txt"/></text></referredToExternalDocument></reference></NarrativeStatement></component>
</ehrComposition></component></ehrFolder></component></EhrExtract></subject></ControlActEvent></RCMR_IN030000UK06>`;
