import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Fault } from '../base/errors.ts';
import type { Instant } from '../base/ids.ts';
import { writeAcknowledgement } from '../hl7v3/acknowledgement.ts';
import { writeXml } from '../xml/write.ts';
import { payloadBytes } from './payload-file.ts';
import { validate } from './validate.ts';

const WRAPPING = {
  messageId: '0F3C0A10-0000-4000-8000-000000000001',
  createdAt: '2026-01-05T09:30:00.000Z' as Instant,
  fromAsid: '200000009902',
  toAsid: '200000009901',
};
const ACKNOWLEDGEMENT = Buffer.from(
  writeXml(writeAcknowledgement(WRAPPING, { of: '0F3C0A10-0000-4000-8000-000000000002', typeCode: 'AA', issue: null })),
);

/** A schema that includes another one beside its folder, as the published ones do, and allows any content. */
const schema = (root: string, include: string): string => `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3" xmlns="urn:hl7-org:v3" elementFormDefault="qualified">
<xs:include schemaLocation="${include}"/><xs:element name="${root}" type="Anything"/></xs:schema>`;
const TYPES = `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:hl7-org:v3" xmlns="urn:hl7-org:v3">
<xs:complexType name="Anything"><xs:sequence><xs:any maxOccurs="ELEMENTS" processContents="skip"/></xs:sequence></xs:complexType></xs:schema>`;

describe('validate', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gp2gp-schema-'));
    for (const name of ['messages', 'strict', 'dt', 'broken']) await mkdir(join(folder, name));
    await writeFile(join(folder, 'messages', 'MCCI_IN010000UK13.xsd'), schema('MCCI_IN010000UK13', '../dt/types.xsd'));
    await writeFile(join(folder, 'strict', 'MCCI_IN010000UK13.xsd'), schema('MCCI_IN010000UK13', '../dt/one.xsd'));
    await writeFile(join(folder, 'broken', 'MCCI_IN010000UK13.xsd'), schema('MCCI_IN010000UK13', '/etc/passwd'));
    await writeFile(join(folder, 'dt', 'types.xsd'), TYPES.replace('ELEMENTS', 'unbounded'));
    await writeFile(join(folder, 'dt', 'one.xsd'), TYPES.replace('ELEMENTS', '1'));
  });
  after(() => rm(folder, { recursive: true }));

  it('looks at schemas only where a folder is given', async () => {
    assert.deepEqual(await validate(ACKNOWLEDGEMENT), { root: 'MCCI_IN010000UK13', valid: true, schema: false, findings: [] });
    assert.equal((await validate(ACKNOWLEDGEMENT, join(folder, 'messages'))).valid, true);
    assert.equal((await validate(ACKNOWLEDGEMENT, join(folder, 'messages'))).schema, true);
  });

  it('says what the schema says, with the line', async () => {
    const { valid, findings } = await validate(
      Buffer.from(ACKNOWLEDGEMENT.toString().replace('<versionCode', '\n\n<versionCode')),
      join(folder, 'strict'),
    );
    assert.equal(valid, false);
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      ['schema'],
    );
    assert.match(findings[0]?.message ?? '', /creationTime/);
  });

  it('reads no file outside the folder of schemas, and says what is wrong with one', async () => {
    const fault = (thrown: unknown) => (thrown as Fault).code === 'input.schema';
    await assert.rejects(validate(ACKNOWLEDGEMENT, join(folder, 'broken')), fault);
    await assert.rejects(validate(ACKNOWLEDGEMENT, join(folder, 'dt')), fault);
    await assert.rejects(validate(ACKNOWLEDGEMENT, join(folder, 'none')), fault);
  });

  it('takes a document that is not well formed for a finding', async () => {
    const { valid, findings } = await validate(Buffer.from('<a>\n<b></a>'), folder);
    assert.deepEqual([valid, findings.map(({ rule, line }) => [rule, line])], [false, [['xml.malformed', 2]]]);
  });

  it('finds the payload in a MIME message and in JSON', async () => {
    async function* bytes(text: string): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text);
    }
    assert.deepEqual(await payloadBytes(bytes(JSON.stringify({ payload: '<a/>' }))), Buffer.from('<a/>'));
    assert.deepEqual(await payloadBytes(bytes('<a/>')), Buffer.from('<a/>'));
    await assert.rejects(payloadBytes(bytes('{}')), (thrown: Fault) => thrown.code === 'input.payload');
  });
});
