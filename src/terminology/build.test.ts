import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRUG_ALLERGIES, OTHER_ALLERGIES } from './allergies.ts';
import { ROOTS, WELL_KNOWN } from './immunisations.ts';
import {
  ACCEPTABLE,
  AMERICAN,
  association,
  BRITISH,
  built,
  concept,
  conceptId,
  description,
  descriptionId,
  FULL_NAME,
  filesOf,
  fileText,
  isA,
  longConceptId,
  longDescriptionId,
  NHS_CLINICAL,
  NHS_PHARMACY,
  preferred,
  type SmallRelease,
  simpleMap,
} from './testing.ts';

const of = (release: SmallRelease) => built(filesOf(release)).release;
const [C1, C2, C3, C4] = [conceptId(1111), conceptId(2222), longConceptId(33), longConceptId(44)];
const [D1, D2, D3, D4] = [descriptionId(1111), descriptionId(2222), longDescriptionId(33), longDescriptionId(44)];

test('made-up identifiers are such as SNOMED CT would give', () => {
  assert.equal(conceptId(404684), '404684003');
  assert.equal(conceptId(787859), ROOTS[0]);
  assert.equal(descriptionId(360300), '360300017');
});

test('a description gives its concept and its term, a concept its preferred term and the description that has a term', () => {
  const release = of({
    descriptions: [description(D1, C1, 'Sample finding'), description(D2, C1, 'Sample finding, other words')],
    languages: [preferred(D1), preferred(D2, { as: ACCEPTABLE })],
  });
  assert.deepEqual(release.conceptOfDescription(D2), { conceptId: C1, term: 'Sample finding, other words' });
  assert.equal(release.preferredTerm(C1), 'Sample finding');
  assert.equal(release.descriptionOf(C1, 'Sample finding, other words'), D2);
  assert.equal(release.descriptionOf(C1, 'sample finding'), undefined);
  assert.equal(release.descriptionOf(C2, 'Sample finding'), undefined);
  assert.equal(release.preferredTerm(D1), undefined);
  assert.equal(release.conceptOfDescription(C1), undefined);
});

test('identifiers beyond what a number holds exactly are told apart by their last digit', () => {
  const [a, b] = [longConceptId(12345678), longConceptId(12345679)];
  assert.ok(Number(a) > Number.MAX_SAFE_INTEGER);
  const release = of({ descriptions: [description(D3, a, 'One'), description(D4, b, 'Other')], languages: [preferred(D3), preferred(D4)] });
  assert.equal(release.preferredTerm(a), 'One');
  assert.equal(release.preferredTerm(b), 'Other');
  assert.equal(release.preferredTerm(String(Number(a) + 3)), undefined);
  assert.deepEqual(release.conceptOfDescription(D4), { conceptId: b, term: 'Other' });
});

test('an active description is preferred before an inactive one, which serves where there is no other', () => {
  const release = of({
    descriptions: [
      description(D1, C1, 'Old words', { active: false, time: '20240601' }),
      description(D2, C1, 'New words'),
      description(D3, C2, 'Only old words', { active: false }),
    ],
    languages: [preferred(D1), preferred(D2), preferred(D3)],
  });
  assert.equal(release.preferredTerm(C1), 'New words');
  assert.equal(release.preferredTerm(C2), 'Only old words');
  assert.deepEqual(release.conceptOfDescription(D1), { conceptId: C1, term: 'Old words' });
});

test('an inactive language row counts where there is no active one', () => {
  const release = of({
    descriptions: [description(D1, C1, 'One'), description(D2, C1, 'Two'), description(D3, C2, 'Three')],
    languages: [preferred(D1, { active: false }), preferred(D2), preferred(D3, { active: false })],
  });
  assert.equal(release.preferredTerm(C1), 'Two');
  assert.equal(release.preferredTerm(C2), 'Three');
});

test('an active description with an inactive language row is preferred before an inactive description', () => {
  const release = of({
    descriptions: [description(D1, C1, 'Retired', { active: false }), description(D2, C1, 'In use')],
    languages: [preferred(D1), preferred(D2, { active: false })],
  });
  assert.equal(release.preferredTerm(C1), 'In use');
});

test('only a synonym is a preferred term; a full name is found by its words', () => {
  const release = of({
    descriptions: [
      description(D1, C1, 'Sample (finding)', { type: FULL_NAME }),
      description(D2, C2, 'Other (finding)', { type: FULL_NAME }),
    ],
    languages: [preferred(D1), preferred(D2)],
  });
  assert.equal(release.preferredTerm(C1), undefined);
  assert.equal(release.descriptionOf(C1, 'Sample (finding)'), D1);
});

test('of two descriptions with the same words the active one is given', () => {
  const release = of({ descriptions: [description(D1, C1, 'Same', { active: false }), description(D2, C1, 'Same')] });
  assert.equal(release.descriptionOf(C1, 'Same'), D2);
});

test('the reference sets of the NHS decide, then British English, then American; others say nothing', () => {
  const release = of({
    descriptions: [
      ...[D1, D2, D3].map((id, at) => description(id, C1, `Words ${at}`)),
      description(D4, C2, 'Colour'),
      description(descriptionId(5), C2, 'Color'),
      description(descriptionId(6), C3, 'Oedema'),
    ],
    languages: [
      preferred(D1, { set: AMERICAN }),
      preferred(D2, { set: BRITISH }),
      preferred(D3, { set: NHS_PHARMACY, active: false }),
      preferred(descriptionId(5), { set: AMERICAN }),
      preferred(D4, { set: BRITISH, active: false }),
      preferred(descriptionId(6), { set: conceptId(77) }),
    ],
  });
  assert.equal(release.preferredTerm(C1), 'Words 2');
  assert.equal(release.preferredTerm(C2), 'Colour');
  assert.equal(release.preferredTerm(C3), undefined);
});

test('where both sets of the NHS prefer a description of their own the clinical one is taken', () => {
  const descriptions = [description(D1, C1, 'Pharmacy'), description(D2, C1, 'Clinical')];
  const languages = [preferred(D1, { set: NHS_PHARMACY }), preferred(D2, { set: NHS_CLINICAL })];
  assert.equal(of({ descriptions, languages }).preferredTerm(C1), 'Clinical');
  assert.equal(of({ descriptions, languages: languages.toReversed() }).preferredTerm(C1), 'Clinical');
});

test('everything that was ever below a root is an immunisation, by its concept and by its descriptions', () => {
  const [root = ''] = ROOTS;
  const release = of({
    descriptions: [description(D1, C1, 'Sample vaccination'), description(D2, C2, 'Child', { active: false }), description(D3, C4, 'No')],
    relationships: [isA(C1, root), isA(C2, C1, { active: false }), isA(C3, C2), isA(C4, root, { type: conceptId(363698) })],
  });
  assert.deepEqual([root, C1, C2, C3, D1, D2].map(release.isImmunisation), [true, true, true, true, true, true]);
  assert.deepEqual([C4, D3, '', 'abc', '00'].map(release.isImmunisation), [false, false, false, false, false]);
});

test('a circle in the hierarchy is gone round once', () => {
  const [root = ''] = ROOTS;
  const release = of({ descriptions: [description(D1, C1, 'x')], relationships: [isA(C1, root), isA(C2, C1), isA(C1, C2)] });
  assert.equal(release.isImmunisation(C2), true);
  assert.equal(release.isA(C2, root), true);
  assert.equal(release.isA(root, C2), false);
});

test('one is below another by active relationships only, however many lie between', () => {
  const release = of({
    descriptions: [description(D1, C1, 'x')],
    relationships: [isA(C1, C2), isA(C2, C3), isA(C1, C4, { active: false }), isA(C1, C3)],
  });
  assert.equal(release.isA(C1, C3), true);
  assert.equal(release.isA(C1, C1), true);
  assert.equal(release.isA(C1, C4), false);
  assert.equal(release.isA(C3, C1), false);
  assert.equal(release.isA(C1, conceptId(99)), false);
});

test('a release is complete when every well-known immunisation is one', () => {
  const [root = ''] = ROOTS;
  const relationships = WELL_KNOWN.map((id) => isA(id, root));
  const whole = built(filesOf({ descriptions: [description(D1, C1, 'x')], relationships }));
  assert.equal(whole.release.complete, true);
  const lacking = built(filesOf({ descriptions: [description(D1, C1, 'x')], relationships: relationships.slice(0, -1) }));
  assert.equal(lacking.release.complete, false);
  assert.deepEqual(lacking.about.lacks, WELL_KNOWN.slice(-1));
});

test('several releases are one: of a component that both have the newest row counts', () => {
  const older = filesOf(
    {
      concepts: [concept(C1), concept(C2)],
      descriptions: [description(D1, C1, 'Old words'), description(D2, C2, 'Elsewhere')],
      languages: [preferred(D1), preferred(D2)],
      relationships: [isA(C1, C2, { id: '22024', time: '20200101' })],
    },
    '20240101',
  );
  const newer = filesOf(
    {
      concepts: [concept(C1, { active: false, time: '20240601' })],
      descriptions: [description(D1, C1, 'New words', { time: '20240601' }), description(D3, C3, 'Extension')],
      languages: [preferred(D3)],
      relationships: [isA(C1, C2, { id: '22024', time: '20240601', active: false })],
    },
    '20240601',
  );
  for (const files of [
    [...older, ...newer],
    [...newer, ...older],
  ]) {
    const { about, release } = built(files, 'older + newer');
    assert.equal(release.preferredTerm(C1), 'New words');
    assert.equal(release.preferredTerm(C2), 'Elsewhere');
    assert.equal(release.preferredTerm(C3), 'Extension');
    assert.equal(release.isActive(C1), false);
    assert.equal(release.isActive(C2), true);
    assert.equal(release.isActive(conceptId(99)), undefined);
    assert.equal(release.isA(C1, C2), false);
    assert.equal(about.effectiveTime, '20240601');
    assert.equal(about.release, 'older + newer');
    assert.deepEqual([about.counts.concepts, about.counts.activeConcepts, about.counts.descriptions], [3, 1, 3]);
  }
});

test('the same files in another order and in other blocks give the same bytes', () => {
  const files = [
    ...filesOf({
      descriptions: [description(D1, C1, 'One'), description(D2, C1, 'Two é ligature')],
      languages: [preferred(D1), preferred(D2)],
    }),
  ];
  const { bytes } = built(files);
  assert.deepEqual(built(files.toReversed(), 'made up', 1).bytes, bytes);
  assert.deepEqual(built(files, 'made up', 1_000_000).bytes, bytes);
});

test('what took the place of a concept is told with how', () => {
  const [sameAs, replacedBy, unknown] = ['900000000000527005', '900000000000526001', conceptId(7)];
  const release = of({
    descriptions: [description(D1, C1, 'x')],
    associations: [
      association(sameAs, C1, C2),
      association(replacedBy, C1, C3),
      association(replacedBy, C1, C4, { active: false }),
      association(unknown, C1, C4),
    ],
  });
  assert.deepEqual(release.successorsOf(C1), [
    { conceptId: C2, kind: 'sameAs' },
    { conceptId: C3, kind: 'replacedBy' },
  ]);
  assert.deepEqual(release.successorsOf(C2), []);
  assert.deepEqual(release.successorsOf('nonsense'), []);
});

test('codes of Read v2 and CTV3 are mapped, with and without their term codes, assured mappings first', () => {
  const release = of({
    descriptions: [description(D1, C1, 'x')],
    readMaps: [
      ['1', 'A1...', '00', C1, D1, '1', '20200401', '1'],
      ['2', 'A1...', '11', C1, D2, '1', '20200401', '1'],
      ['3', 'A1...', '00', C2, '', '0', '20210401', '1'],
      ['4', 'a1...', '00', C3, D3, '1', '20200401', '1'],
      ['5', 'B2...', '00', C4, D4, '1', '20200401', '0'],
    ],
    ctv3Maps: [
      ['1', 'XaBVY', 'Y1234', 'P', C1, D1, '1', '20200401', '1'],
      ['2', 'XaBVZ', 'Y1235', 'P', '_DRUG', '', '1', '20200401', '1'],
    ],
    simpleMaps: [
      simpleMap('900000000000497000', C2, 'XaBVY'),
      simpleMap(conceptId(7), C2, '123-4'),
      simpleMap('900000000000497000', C3, 'X1', { active: false }),
    ],
  });
  assert.deepEqual(release.mapped('readV2', 'A1...11'), [{ conceptId: C1, descriptionId: D2, assured: true }]);
  assert.deepEqual(release.mapped('readV2', 'A1...'), [
    { conceptId: C1, descriptionId: D1, assured: true },
    { conceptId: C2, descriptionId: undefined, assured: false },
  ]);
  assert.deepEqual(
    release.mapped('readV2', 'a1...').map((one) => one.conceptId),
    [C3],
  );
  assert.deepEqual(release.mapped('readV2', 'B2...'), []);
  assert.deepEqual(release.mapped('readV2', 'XaBVY'), []);
  assert.deepEqual(release.mapped('readV2', ''), []);
  assert.deepEqual(new Set(release.mapped('ctv3', 'XaBVY').map((one) => one.conceptId)), new Set([C1, C2]));
  assert.deepEqual(release.mapped('ctv3', 'XaBVZ'), []);
  assert.deepEqual(release.mapped('ctv3', 'X1'), []);
});

test('a Read code means a concept for sure where all assured mappings agree and one concept in use takes the place of one that is not', () => {
  const read = (id: string, code: string, target: string, description: string, assured = '1') => [
    id,
    code,
    '00',
    target,
    description,
    assured,
    '20200401',
    '1',
  ];
  const [gone, split] = [conceptId(5555), conceptId(6666)];
  const release = of({
    concepts: [concept(C1), concept(C2), concept(gone, { active: false }), concept(split, { active: false })],
    descriptions: [description(D1, C1, 'x')],
    associations: [
      association('900000000000526001', gone, C2),
      association('900000000000523009', gone, C1),
      association('900000000000527005', split, C1),
      association('900000000000526001', split, C2),
    ],
    readMaps: [
      read('1', 'A....', C1, D1),
      read('2', 'A....', C2, D2, '0'),
      read('3', 'B....', C1, D1),
      read('4', 'B....', C2, D2),
      read('5', 'C....', C1, D1, '0'),
      read('6', 'D....', gone, D3),
      read('7', 'E....', split, D4),
      read('8', 'F....', conceptId(99), D4),
      read('9', 'G....', C1, D1),
      read('10', 'G....', C1, D2),
    ],
  });
  const meaning = (code: string) => release.meaningOf('readV2', code);
  assert.deepEqual(meaning('A....00'), { conceptId: C1, descriptionId: D1 });
  assert.deepEqual(meaning('D....'), { conceptId: C2 });
  assert.deepEqual(meaning('G....'), { conceptId: C1 });
  assert.deepEqual(['B....', 'C....', 'E....', 'F....', 'H....', ''].map(meaning), Array(6).fill(undefined));
  assert.equal(release.meaningOf('ctv3', 'A....'), undefined);
});

test('whether an allergy is one to a drug is told by what it is a kind of, as finding and as substance', () => {
  const [drugAllergy = '', drug = ''] = [DRUG_ALLERGIES[1], DRUG_ALLERGIES[3]];
  const [, allergy = '', substance = ''] = OTHER_ALLERGIES;
  const release = of({
    descriptions: [description(D1, C1, 'Allergy to sample drug'), description(D2, C2, 'Allergy to sample food')],
    relationships: [
      isA(C1, drugAllergy),
      isA(drugAllergy, allergy),
      isA(C2, allergy),
      isA(C3, drug),
      isA(drug, substance),
      isA(C4, substance),
    ],
  });
  assert.deepEqual([C1, D1, C2, D2, C3, C4, conceptId(9), ''].map(release.allergyKind), [
    'drug',
    'drug',
    'other',
    'other',
    'drug',
    'other',
    undefined,
    undefined,
  ]);
});

test('only the snapshots of the tables that are needed are read, also of a beta release and of the extensions', () => {
  const row = description(D1, C1, 'Read');
  const other = description(D2, C1, 'Not read');
  const text = (name: string, line: string[]) => [name, fileText('sct2_Description_', [line])] as const;
  for (const name of [
    'xsct2_Description_Snapshot-en_INT_20240101.txt',
    'sct2_Description_UKCLSnapshot-en_GB1000000_20240410.txt',
    'sct2_Description_UKDGSnapshot-en_GB1000001_20240410.txt',
    'sct2_Description_Snapshot_INT_20240101.txt',
  ]) {
    const { about } = built([
      text(name, row),
      text('sct2_Description_Full-en_INT_20240101.txt', other),
      text('sct2_Description_Delta-en_INT_20240101.txt', other),
      text('sct2_TextDefinition_Snapshot-en_INT_20240101.txt', other),
      text('sct2_StatedRelationship_Snapshot_INT_20240101.txt', other),
      text('der2_cRefset_AttributeValueSnapshot_INT_20240101.txt', other),
      text('readme.txt', other),
    ]);
    assert.equal(about.counts.descriptions, 1, name);
  }
});

test('a release without descriptions is refused', () => {
  assert.throws(() => built(filesOf({ concepts: [concept(C1)] })), {
    code: 'input.terminology',
    message: 'made up: there are no descriptions in it',
  });
});
