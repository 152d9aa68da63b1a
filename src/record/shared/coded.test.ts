import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CodeableConcept } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import { writeXml } from '../../xml/write.ts';
import type { Terminology } from '../types.ts';
import { codedToFhir, codedToHl7, textOrCoding, userSelectedTextOrCoding } from './coded.ts';

const SNOMED = '2.16.840.1.113883.2.1.3.2.4.15';
const DESCRIPTION = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-coding-sctdescid';
const described = (id: string, display?: string) => ({
  url: DESCRIPTION,
  extension: [{ url: 'descriptionId', valueId: id }, ...(display ? [{ url: 'descriptionDisplay', valueString: display }] : [])],
});
const systolic: CodeableConcept = {
  coding: [
    {
      system: 'http://snomed.info/sct',
      code: '271649006',
      display: 'Systolic blood pressure',
      extension: [described('406507015', 'Systolic BP')],
    },
    { system: 'http://read.info/readv2', code: '246B.', display: 'O/E - systolic BP' },
    { system: 'http://example.org/x', code: '9' },
  ],
  text: 'Sys BP reading',
};
const release: Terminology = {
  release: 'sample',
  complete: true,
  isImmunisation: () => false,
  preferredTerm: (id) => (id === '111100001' ? 'Sample finding' : undefined),
  conceptOfDescription: (id) => {
    if (id === '111101016') return { conceptId: '111100001', term: 'Sample finding' };
    return id === '111102015' ? { conceptId: '111100001', term: 'Sample synonym' } : undefined;
  },
  meaningOf: () => undefined,
  allergyKind: () => undefined,
  descriptionOf: (id, term) => {
    if (id !== '111100001') return undefined;
    return { 'Sample finding': '111101016', 'Sample synonym': '111102015' }[term];
  },
};
const none: Terminology = {
  release: null,
  complete: false,
  isImmunisation: () => false,
  preferredTerm: () => undefined,
  conceptOfDescription: () => undefined,
  descriptionOf: () => undefined,
  meaningOf: () => undefined,
  allergyKind: () => undefined,
};
const read = (xml: string, terminology = release) => codedToFhir(readXml(xml), terminology);

test('a clinical term goes out by its description, its words and the codes of other systems beside it', () => {
  assert.equal(
    writeXml(codedToHl7(systolic)),
    `<code code="406507015" codeSystem="${SNOMED}" displayName="Systolic BP"><originalText>Sys BP reading</originalText>` +
      '<translation code="246B." codeSystem="2.16.840.1.113883.2.1.6.2" displayName="O/E - systolic BP"/></code>',
  );
});

test('a product goes out by its concept', () => {
  assert.match(writeXml(codedToHl7(systolic, 'medication')), /^<code code="271649006" [^>]*displayName="Systolic BP"/);
});

test('a reading of a blood pressure goes out by its concept and always has words', () => {
  const { text: _none, ...wordless } = systolic;
  assert.match(writeXml(codedToHl7(wordless, 'bloodPressure')), /code="271649006".*<originalText>Systolic blood pressure</);
});

test('without any code the words remain', () => {
  assert.equal(writeXml(codedToHl7({ text: 'Itch' })), '<code nullFlavor="UNK"><originalText>Itch</originalText></code>');
  assert.equal(writeXml(codedToHl7(undefined)), '<code nullFlavor="UNK"/>');
});

test('a code that came under an OID without a name leaves under it', () => {
  const local = { coding: [{ system: 'urn:oid:2.16.840.1.113883.2.1.6.4', code: 'T1', display: 'Local' }] };
  assert.match(writeXml(codedToHl7(local)), /code="T1" codeSystem="2.16.840.1.113883.2.1.6.4" displayName="Local"/);
});

test('words are the text, else what the first coding shows; the coding that the user chose goes before', () => {
  const two = { coding: [{ display: 'One' }, { display: 'Two', userSelected: true }, { display: 'Three', userSelected: false }] };
  assert.equal(textOrCoding(two), 'One');
  assert.equal(userSelectedTextOrCoding(two), 'Two');
  assert.equal(userSelectedTextOrCoding({ ...two, text: 'Text' }), 'Text');
});

test('a description is read as its concept, its preferred term and the term that was chosen', () => {
  assert.deepEqual(read(`<code code="111102015" codeSystem="${SNOMED}" displayName="Sample synonym"/>`), {
    coding: [
      {
        extension: [described('111102015', 'Sample synonym')],
        system: 'http://snomed.info/sct',
        code: '111100001',
        display: 'Sample finding',
      },
    ],
    text: 'Sample synonym',
  });
});

test('a concept is read with the description that has its term', () => {
  const { coding, text } = read(`<code code="111100001" codeSystem="${SNOMED}" displayName="Sample synonym"/>`) ?? {};
  assert.equal(coding?.[0]?.display, 'Sample finding');
  assert.deepEqual(coding?.[0]?.extension, [described('111102015', 'Sample synonym')]);
  assert.equal(text, 'Sample synonym');
});

test('the codings stand in the order of the wire', () => {
  const systems = (xml: string) => read(xml)?.coding?.map(({ system }) => system);
  const snomed = `<translation code="111100001" codeSystem="${SNOMED}"/>`;
  assert.deepEqual(systems(`<code code="X" codeSystem="2.16.840.1.113883.2.1.6.2">${snomed}</code>`), [
    'http://read.info/readv2',
    'http://snomed.info/sct',
  ]);
  assert.deepEqual(systems('<code nullFlavor="UNK"><translation code="X" codeSystem="1.2.3"/></code>'), ['urn:oid:1.2.3']);
});

test('without a release a concept keeps its code, and the term that it was sent with as the one that was chosen', () => {
  const snomed = `<translation code="111100001" codeSystem="${SNOMED}" displayName="Sample synonym"/>`;
  const xml = `<code code="X" codeSystem="2.16.840.1.113883.2.1.6.2" displayName="Read words">${snomed}</code>`;
  const chosen = { url: DESCRIPTION, extension: [{ url: 'descriptionDisplay', valueString: 'Sample synonym' }] };
  assert.deepEqual(read(xml, none), {
    coding: [
      { system: 'http://read.info/readv2', code: 'X', display: 'Read words' },
      { extension: [chosen], system: 'http://snomed.info/sct', code: '111100001', display: 'Sample synonym' },
    ],
    text: 'Sample synonym',
  });
});

test('without a release a description keeps its id and no concept is invented', () => {
  const { coding, text } = read(`<code code="111102015" codeSystem="${SNOMED}" displayName="Sample synonym"/>`, none) ?? {};
  assert.equal(coding?.[0]?.code, undefined);
  assert.deepEqual(coding?.[0]?.extension, [described('111102015')]);
  assert.equal(text, 'Sample synonym');
});

test('every SNOMED concept of a code is kept, the one that it is read by first', () => {
  const translation = (code: string) => `<translation code="${code}" codeSystem="${SNOMED}" displayName="Other"/>`;
  const { coding } =
    read(`<code code="111100001" codeSystem="${SNOMED}" displayName="Sample finding">${translation('111100001')}${translation('390906007')}
    <translation code="X" codeSystem="1.2.3"/></code>`) ?? {};
  assert.deepEqual(
    coding?.map(({ system, code, display }) => [system, code, display]),
    [
      ['http://snomed.info/sct', '111100001', 'Sample finding'],
      ['urn:oid:1.2.3', 'X', undefined],
      ['http://snomed.info/sct', '390906007', 'Other'],
    ],
  );
});
