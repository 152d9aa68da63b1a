import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { at, attr, descendants } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { main } from './main.ts';

const folder = mkdtempSync(join(tmpdir(), 'gp2gp-convert-'));
after(() => rmSync(folder, { recursive: true }));

const PLAN = '6B1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F';
const LETTER = '31B75ED0-6E88-11EA-9384-E83935108FD5';
const NOPAT = { system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' };
const RECORD = {
  resourceType: 'Bundle',
  type: 'collection',
  entry: [
    {
      resource: {
        resourceType: 'Patient',
        id: 'p',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9000000009' }],
        managingOrganization: { reference: 'Organization/o' },
      },
    },
    {
      resource: {
        resourceType: 'Organization',
        id: 'o',
        name: 'The Surgery',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'B81001' }],
      },
    },
    {
      resource: {
        resourceType: 'ProcedureRequest',
        id: PLAN,
        meta: { security: [NOPAT] },
        status: 'completed',
        intent: 'plan',
        code: { text: 'Smear recall' },
        authoredOn: '2024-03-10',
      },
    },
    {
      resource: {
        resourceType: 'DocumentReference',
        id: LETTER,
        created: '2024-03-01',
        type: { text: 'Clinic letter' },
        content: [{ attachment: { contentType: 'application/pdf', url: 'https://practice/Binary/1' } }],
      },
    },
  ],
};

function gp2gp(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/gp2gp.ts', 'convert', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const record = file('record.json', JSON.stringify(RECORD));
const written = gp2gp('--to', 'hl7', record);

test('a record becomes an extract of its patient and its practice', () => {
  assert.equal(written.status, 0, written.stderr);
  const extract = readXml(written.stdout);
  assert.equal(extract.name, 'EhrExtract');
  assert.equal(attr(at(extract, 'recordTarget', 'patient', 'id'), 'extension'), '9000000009');
  assert.equal(attr(at(extract, 'author', 'AgentOrgSDS', 'agentOrganizationSDS', 'id'), 'extension'), 'B81001');
  const plan = [...descendants(extract)].find(({ name }) => name === 'PlanStatement');
  assert.equal(attr(at(plan, 'id'), 'root'), PLAN);
  assert.match(written.stdout, new RegExp(`file://localhost/${LETTER}\\.pdf`));
});

test('redactions are marked unless they are switched off', () => {
  assert.match(written.stdout, /code="NOPAT"/);
  assert.doesNotMatch(gp2gp('--to', 'hl7', record, '--redactions', 'off').stdout, /NOPAT/);
});

test('an extract becomes a record again', () => {
  const { status, stdout, stderr } = gp2gp('--to', 'fhir', file('extract.xml', written.stdout));
  assert.equal(status, 0, stderr);
  const plan = resource(stdout, 'ProcedureRequest');
  assert.equal(plan.id, PLAN);
  assert.equal(plan.status, 'completed');
  assert.match(JSON.stringify(plan.identifier), /B81001/, 'identifiers name the practice that wrote the extract');
  assert.equal(resource(stdout, 'DocumentReference').type.text, 'Clinic letter');
});

test('of a MIME message the documents inside it are known, and one that was sent elsewhere is missing', () => {
  const inside = `Filename="${LETTER}.pdf" ContentType=application/pdf Compressed=Yes LargeAttachment=No OriginalBase64=No`;
  const here = gp2gp('--to', 'fhir', file('here.mime', mime('cid:letter', inside, gzipSync('a letter').toString('base64'))));
  assert.equal(here.status, 0, here.stderr);
  assert.equal(resource(here.stdout, 'DocumentReference').content[0].attachment.size, 8, 'unzipped');
  const elsewhere = gp2gp('--to', 'fhir', file('elsewhere.mime', mime('mid:9F5A0C6E-0000-4000-8000-000000000001', inside, '')));
  assert.match(resource(elsewhere.stdout, 'DocumentReference').content[0].attachment.title, /placeholder/);
  assert.match(elsewhere.stderr, /1 missing documents/);
});

test('the report is a file of its own', () => {
  const report = join(folder, 'report.json');
  gp2gp('--to', 'fhir', file('extract.xml', written.stdout), '--report', report);
  const { summary, counts } = JSON.parse(readFileSync(report, 'utf8'));
  assert.equal(typeof summary.issues, 'number');
  assert.ok(Array.isArray(counts));
});

test('what cannot be read is one line that names the file, and exit code 2', async (t) => {
  const told = t.mock.method(console, 'error', () => {});
  const wrong = async (to: string, name: string, content: string | null) => {
    const path = content === null ? join(folder, name) : file(name, content);
    told.mock.resetCalls();
    assert.equal(await main(['convert', '--to', to, path]), 2, name);
    const lines = told.mock.calls.map(({ arguments: [line] }) => String(line));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.ok(lines[0]?.includes(path) && !lines[0].includes('\n'), lines[0]);
    return lines[0] ?? '';
  };
  assert.match(await wrong('hl7', 'a.txt', 'hello'), /no JSON/);
  assert.match(await wrong('hl7', 'b.json', '{"resourceType":"Patient"}'), /no FHIR Bundle but a Patient/);
  assert.match(await wrong('hl7', 'c.json', '{"resourceType":"Bundle","entry":[]}'), /no Patient/);
  await wrong('fhir', 'd.txt', 'hello');
  await wrong('fhir', 'e.xml', '<!DOCTYPE x [<!ENTITY a "b">]><EhrExtract/>');
  assert.match(await wrong('fhir', 'f.xml', '<RCMR_IN010000UK05/>'), /no extract/);
  await wrong('hl7', 'none.json', null);
});

test('a direction that there is not is refused as wrong usage', () => {
  const { status, stderr } = gp2gp('--to', 'csv', record);
  assert.equal(status, 2);
  assert.match(stderr, /hl7, fhir/);
});

function resource(bundle: string, type: string) {
  const found = JSON.parse(bundle).entry.find((entry: { resource: { resourceType: string } }) => entry.resource.resourceType === type);
  assert.ok(found, `no ${type}`);
  return found.resource;
}

function mime(href: string, description: string, letter: string): string {
  const ns =
    'xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/" xmlns:eb="http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:hl7ebxml="urn:hl7-org:transport/ebxml/DSTUv1.0"';
  const envelope = `<SOAP:Envelope ${ns}><SOAP:Header><eb:MessageHeader><eb:From><eb:PartyId>A-1</eb:PartyId></eb:From>
    <eb:To><eb:PartyId>B-1</eb:PartyId></eb:To><eb:CPAId>C</eb:CPAId><eb:ConversationId>D</eb:ConversationId>
    <eb:Service>urn:nhs:names:services:gp2gp</eb:Service><eb:Action>RCMR_IN030000UK07</eb:Action><eb:MessageData><eb:MessageId>M</eb:MessageId>
    <eb:Timestamp>2024-03-10T10:30:00Z</eb:Timestamp></eb:MessageData></eb:MessageHeader></SOAP:Header><SOAP:Body><eb:Manifest>
    <eb:Reference xlink:href="cid:payload"><hl7ebxml:Payload style="HL7" encoding="XML" version="3.0"/></eb:Reference>
    <eb:Reference eb:id="_${LETTER}" xlink:href="${href}"><eb:Description>${description.replaceAll('"', '&quot;')}</eb:Description></eb:Reference>
    </eb:Manifest></SOAP:Body></SOAP:Envelope>`;
  const part = (id: string, type: string, content: string, encoding = '8bit') =>
    `--b\r\nContent-Id: <${id}>\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}\r\n`;
  return [
    'Content-Type: multipart/related; boundary="b"; type="text/xml"; start="<root>"\r\n\r\n',
    part('root', 'text/xml', envelope),
    part('payload', 'application/xml', written.stdout.trim()),
    letter && part('letter', 'application/octet-stream', letter, 'base64'),
    '--b--\r\n',
  ].join('');
}
