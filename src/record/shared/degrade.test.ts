import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CodeableConcept, Coding } from '../../fhir/types.ts';
import { NO_RELEASE } from '../testing.ts';
import type { DegradeKind, Remark, Terminology } from '../types.ts';
import { degraded } from './degrade.ts';

const READ = { system: 'http://read.info/readv2', code: 'A1...00', display: 'Sample in Read' };
const CTV3 = { system: 'http://read.info/ctv3', code: 'XaBVY', display: 'Sample in CTV3' };
const LOCAL = { system: 'https://fhir.hl7.org.uk/Id/egton-codes', code: 'A1...00', display: 'Local' };
const maps: Terminology = {
  ...NO_RELEASE,
  release: 'sample',
  complete: true,
  preferredTerm: (id) => (id === '111100001' ? 'Sample finding' : undefined),
  conceptOfDescription: (id) => (id === '111102015' ? { conceptId: '111100001', term: 'Sample synonym' } : undefined),
  meaningOf: (system, code) => {
    if (system === 'readV2') return code === 'A1...00' ? { conceptId: '111100001', descriptionId: '111102015' } : undefined;
    return code === 'XaBVY' ? { conceptId: '111100001' } : { conceptId: '222200002' };
  },
};
function read(coding: readonly Coding[], kind: DegradeKind = 'record', terminology = maps) {
  const remarks: Remark[] = [];
  const said: CodeableConcept = { coding: [...coding], text: 'as said' };
  const concept = degraded(said, kind, { terminology, report: (remark) => void remarks.push(remark) });
  return { codes: concept.coding?.map(({ code }) => code), first: concept.coding?.[0], text: concept.text, remarks };
}

test('a code without SNOMED gets the degrade code before it, and is told', () => {
  const { codes, text, remarks } = read([LOCAL]);
  assert.deepEqual(codes, ['196411000000103', 'A1...00']);
  assert.equal(text, 'as said');
  assert.deepEqual(
    remarks.map(({ code, original }) => [code, original]),
    [['code.degraded', [LOCAL]]],
  );
});

test('a Read code that the national maps know gets the SNOMED code and its description before it, and is told as mapped', () => {
  const { codes, first, text, remarks } = read([READ]);
  assert.deepEqual(codes, ['111100001', 'A1...00']);
  assert.equal(first?.display, 'Sample finding');
  assert.deepEqual(
    first?.extension?.[0]?.extension?.map(({ valueId, valueString }) => valueId ?? valueString),
    ['111102015', 'Sample synonym'],
  );
  assert.equal(text, 'as said');
  assert.deepEqual(remarks, [{ code: 'code.mapped', text: '“as said” was mapped to “Sample finding”.', original: [READ] }]);
});

test('the first code that a map knows counts; a target that the release does not have is none', () => {
  assert.deepEqual(read([LOCAL, CTV3, READ]).codes, ['111100001', 'A1...00', 'XaBVY', 'A1...00']);
  assert.equal(read([LOCAL, CTV3]).first?.extension, undefined);
  assert.deepEqual(read([{ ...CTV3, code: 'other' }]).codes, ['196411000000103', 'other']);
});

test('drugs and allergies are never mapped: somebody has to look at them', () => {
  for (const [kind, code] of [
    ['medication', '196421000000109'],
    ['drugAllergy', '196461000000101'],
    ['nonDrugAllergy', '196471000000108'],
  ] as const) {
    const { codes, remarks } = read([READ], kind);
    assert.deepEqual(codes, [code, 'A1...00']);
    assert.equal(remarks[0]?.code, 'code.degraded');
  }
});

test('a code with SNOMED stays as it is', () => {
  const snomed = { system: 'http://snomed.info/sct', code: '333300003', display: 'Other' };
  const { codes, remarks } = read([READ, snomed]);
  assert.deepEqual(codes, ['A1...00', '333300003']);
  assert.deepEqual(remarks, []);
});
