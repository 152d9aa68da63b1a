import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasValidCheckDigit, type NhsNumber } from '../../base/nhs-number.ts';
import { hide } from './hide.ts';
import { createPseudonyms, redactJson, redactXml, scrub, scrubName } from './redact.ts';

const xml = (text: string): string => Buffer.from(redactXml(Buffer.from(text, 'utf8'), createPseudonyms())).toString('utf8');
const json = (value: unknown): unknown =>
  JSON.parse(Buffer.from(redactJson(Buffer.from(JSON.stringify(value)), createPseudonyms())).toString('utf8'));

test('words go, what a record’s fate depends on stays', () => {
  assert.equal(
    xml(
      '<component typeCode="COMP"><code code="14L..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Allergy to nuts"><originalText>Nuts, Dr Who 3x</originalText></code><effectiveTime value="20100113152000"/></component>',
    ),
    '<component typeCode="COMP"><code code="14L..00" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Xxxxxxx xx xxxx"><originalText>Xxxx, Xx Xxx 0x</originalText></code><effectiveTime value="20100113152000"/></component>',
  );
  assert.equal(
    xml('<id root="2.16.840.1.113883.2.1.4.1" extension="9434765919"/>'),
    '<id root="2.16.840.1.113883.2.1.4.1" extension="9990000018"/>',
  );
  assert.equal(
    xml('<telecom value="tel:01632960001"/><birthTime value="19520731"/>'),
    '<telecom value="xxx:00000000000"/><birthTime value="19520101"/>',
  );
  assert.equal(xml('<telecom value="01632960001"/>'), '<telecom value="00000000000"/>');
  assert.equal(xml('<reference value="file://localhost/Mr_Smith.pdf"/>'), '<reference value="file://localhost/Xx_Xxxxx.pdf"/>');
});

test('text that is not well formed stays so, and hides nothing', () => {
  assert.equal(xml('<text>a<b>Smith</text>'), '<text>x<b>Xxxxx</text>');
  assert.equal(xml('<given John Smith'), '<given Xxxx Xxxxx');
  assert.equal(xml('<a b=Smith c="Smith'), '<a x=Xxxxx x="Xxxxx');
  assert.equal(xml('<!-- Smith'), '<!-- Xxxxx');
  assert.equal(
    xml('<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE a [<!ENTITY b "Smith">]>'),
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE x [<!XXXXXX x "Xxxxx">]>',
  );
  assert.equal(xml('<![CDATA[Smith'), '<![CDATA[Xxxxx');
  assert.equal(xml('<a><![CDATA[Smith]]></a>'), '<a><![CDATA[Xxxxx]]></a>');
  assert.equal(xml('Smith & &nbsp; &amp; &#74;&#111;&#x4A; &#9;'), 'Xxxxx & &xxxx; &amp; &#88;&#120;&#x78; &#9;');
});

test('a FHIR record keeps its ids, codes and times and loses its words, also where it is no JSON', () => {
  assert.deepEqual(
    json({
      resourceType: 'Patient',
      id: 'p1',
      birthDate: '1952-07-31',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9434765919' }],
      name: [{ family: 'O\u2019Smith', given: ['Zo\u00eb'], use: 'official' }],
      text: { div: '<div>line\n"quoted" \u0001</div>' },
      effectiveDateTime: '2020-02-03T10:00:00+00:00',
      valueQuantity: { value: 71.5, unit: 'kg' },
      active: true,
    }),
    {
      resourceType: 'Patient',
      id: 'p1',
      birthDate: '1952-01-01',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' }],
      name: [{ family: 'X\u2019Xxxxx', given: ['Xxx'], use: 'official' }],
      text: { div: '<xxx>xxxx\n"xxxxxx" \u0001</xxx>' },
      effectiveDateTime: '2020-02-03T10:00:00+00:00',
      valueQuantity: { value: 71.5, unit: 'kg' },
      active: true,
    },
  );
  assert.equal(
    Buffer.from(redactJson(Buffer.from('<html>Smith {"name": "Smith'), createPseudonyms())).toString(),
    '<xxxx>xxxxx {"name": "xxxxx',
  );
});

test('no letter of any text survives in the text of any XML, and its length does not change', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~\n]{0,40}$/), (text) => {
      const before = `<text>${text}`;
      const after = xml(before);
      assert.equal(after.length, before.length);
      if (!/[<&]/.test(text)) assert.match(after, /^<text>[^A-WYZa-wyz1-9]*$/);
    }),
  );
});

test('an NHS number has one other, of the range that nobody is given, as valid or invalid as it was', () => {
  const pseudonyms = createPseudonyms();
  const [valid, invalid] = [pseudonyms('9434765919'), pseudonyms('9434765918')];
  assert.deepEqual([hasValidCheckDigit(valid as NhsNumber), hasValidCheckDigit(invalid as NhsNumber)], [true, false]);
  assert.equal(pseudonyms('9434765919'), valid);
  assert.ok(valid.startsWith('999') && valid !== invalid);
});

test('beside the content nothing is left that names a patient, a document or what it was about', () => {
  const hidden = hide(
    {
      note: 'The record cannot be used: 9434765919 says "Mr Smith"',
      decision: 'resend',
      reason: 'Smith rang',
      answer: { reason: 'NO_MATCH' },
      announced: { filename: 'Smith.tiff' },
      sha256: 'a'.repeat(64),
      content: { pieces: [{ in: 'row', data: Buffer.from('Smith') }], stored: 'bytes', gzip: false },
    },
    ['9434765919'],
    createPseudonyms(),
  );
  assert.deepEqual(hidden, {
    note: 'The record cannot be used: 9990000018 says "Xx Xxxxx"',
    decision: 'resend',
    answer: { reason: 'NO_MATCH' },
    announced: { filename: 'Xxxxx.tiff' },
    sha256: '',
    content: { pieces: [{ in: 'store', object: { sha256: '', bytes: 5 }, from: 0, to: 5 }], stored: 'bytes', gzip: false },
  });
});

test('a name keeps the ending that says what it is', () => {
  assert.equal(scrubName('Dr. Smith letter 12.docx'), 'Xx. Xxxxx xxxxxx 00.docx');
  assert.equal(scrubName('.profile'), '.xxxxxxx');
  assert.equal(scrub('É&amp;é 7'), 'x&amp;x 0');
});
