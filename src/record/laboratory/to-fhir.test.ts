import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiagnosticReport, Observation, Resource, Specimen } from '../../fhir/types.ts';
import { descendants } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import { received } from '../testing.ts';
import { laboratoryToFhir } from './to-fhir.ts';

const code = (id: string) => `<code code="${id}" codeSystem="2.16.840.1.113883.2.1.3.2.4.15"/>`;
const inside = (...statements: string[]) => statements.map((statement) => `<component>${statement}</component>`).join('');
const compound = (classCode: string, id: string, about: string, ...statements: string[]) =>
  `<CompoundStatement classCode="${classCode}"><id root="${id}"/>${code(about)}<effectiveTime><center nullFlavor="NI"/></effectiveTime><availabilityTime value="20240311"/>${inside(...statements)}</CompoundStatement>`;
const result = (id: string, value: number) =>
  `<ObservationStatement><id root="${id}"/>${code('1010521000000102')}<effectiveTime><center nullFlavor="NI"/></effectiveTime><availabilityTime value="20240311"/><value value="${value}" unit="g/L"/></ObservationStatement>`;
const narrative = (id: string, type: string, text: string) =>
  `<NarrativeStatement><id root="${id}"/><text mediaType="text/x-h7uk-pmip">CommentType:${type}\nCommentDate:20240311\n\n${text}</text><availabilityTime value="20240311"/></NarrativeStatement>`;

function read(...statements: string[]): { by: Map<string, Resource>; report: DiagnosticReport } {
  const { resources } = received(laboratoryToFhir, 'laboratory', compound('CLUSTER', 'RPT', '16488004', ...statements));
  const by = new Map(resources.map((one) => [one.id ?? '', one]));
  return { by, report: by.get('RPT') as DiagnosticReport };
}
const references = (list: readonly { reference?: string }[] | undefined) => list?.map(({ reference }) => reference);

test('the tree of a report becomes report, specimen, group, result and comments', () => {
  const { by, report } = read(
    narrative('RN-1', 'LABORATORY RESULT COMMENT(E141)', 'haemolysed'),
    compound(
      'CLUSTER',
      'SPC',
      '123038009',
      compound(
        'BATTERY',
        'BAT',
        '1010521000000102',
        narrative('BN-1', 'USER COMMENT', 'seen by GP'),
        compound('CLUSTER', 'CLU', '1010521000000102', result('RES', 140), narrative('CN-1', 'AGGREGATE COMMENT SET', 'slightly raised')),
      ),
    ),
  );
  assert.equal(report.conclusion, 'haemolysed');
  assert.deepEqual(references(report.specimen), ['Specimen/SPC']);
  const [filing, group] = references(report.result) ?? [];
  assert.equal(group, 'Observation/BAT');
  const filed = by.get(filing?.slice('Observation/'.length) ?? '') as Observation;
  assert.equal(filed.status, 'unknown');
  assert.equal(filed.effectiveDateTime, '2024-03-10T10:35:00+00:00');
  const one = by.get('RES') as Observation;
  assert.equal(one.comment, 'slightly raised');
  assert.equal(one.issued, '2024-03-11T00:00:00.000+00:00');
  assert.deepEqual(one.related, [{ type: 'derived-from', target: { reference: 'Observation/BAT' } }]);
  assert.deepEqual(
    (by.get('BAT') as Observation).related?.map(({ target }) => target?.reference),
    ['Observation/BN-1', 'Observation/RES'],
  );
  assert.equal((by.get('BN-1') as Observation).comment, 'seen by GP');
  assert.ok(!by.has('RN-1') && !by.has('CN-1'));
});

test('results deeper than any laboratory puts them, and outside a specimen, are results', () => {
  const deep = compound(
    'CLUSTER',
    'C1',
    '1',
    compound('CLUSTER', 'C2', '1', compound('BATTERY', 'B2', '1', compound('CLUSTER', 'C3', '1', result('DEEP', 1)))),
  );
  const { by, report } = read(
    result('TOP', 2),
    compound('BATTERY', 'B1', '1', result('GROUPED', 3)),
    compound('CLUSTER', 'SPC', '123038009', deep),
  );
  for (const id of ['DEEP', 'TOP', 'GROUPED']) assert.equal((by.get(id) as Observation).category?.length, 1, id);
  assert.deepEqual(references(report.result), ['Observation/TOP', 'Observation/B1', 'Observation/B2']);
  assert.deepEqual((by.get('DEEP') as Observation).specimen, { reference: 'Specimen/SPC' });
  assert.equal((by.get('GROUPED') as Observation).specimen, undefined);
});

test('blood pressure readings under a report keep their numbers', () => {
  const reading = (id: string, about: string, value: number) => result(id, value).replace('1010521000000102', about);
  const { by } = read(
    compound(
      'CLUSTER',
      'SPC',
      '123038009',
      compound('BATTERY', 'BP', '163020007', reading('S', '72313002', 131), reading('D', '1091811000000102', 82)),
    ),
  );
  assert.equal((by.get('S') as Observation).valueQuantity?.value, 131);
  assert.equal((by.get('D') as Observation).valueQuantity?.value, 82);
});

test('comments of a cluster without a result stay comments, out of their envelope', () => {
  const { by } = read(
    compound('CLUSTER', 'SPC', '123038009', compound('CLUSTER', 'C', '1', narrative('N', 'AGGREGATE COMMENT SET', 'lost sample'))),
  );
  assert.equal((by.get('N') as Observation).comment, 'lost sample');
});

test('words about a specimen are its note', () => {
  const { by } = read(
    compound(
      'CLUSTER',
      'SPC',
      '123038009',
      narrative('N', 'LAB SPECIMEN COMMENT(E271)', '  half empty\nReceived Date: 2024-07-01 09:30\n'),
    ),
  );
  const specimen = by.get('SPC') as Specimen;
  assert.equal(specimen.note?.[0]?.text, 'half empty');
  assert.equal(specimen.receivedTime, '2024-07-01T08:30:00+00:00');
  assert.ok(!by.has('N'));
});

test('a vaccination in a report is left to its own concept, its group leads to it', () => {
  const tree = readXml(
    compound('CLUSTER', 'RPT', '16488004', compound('CLUSTER', 'SPC', '123038009', compound('BATTERY', 'BAT', '1', result('VAC', 1)))),
  );
  const statement = [...descendants(tree)].find(({ name }) => name === 'ObservationStatement');
  const { resources } = received(laboratoryToFhir, 'laboratory', tree, {
    claimOf: (id) => (id === 'VAC' && statement ? { concept: 'immunisation', statement, composition: 1, line: 0 } : undefined),
    resourceFor: (id) => `Immunization/${id}`,
  });
  assert.ok(!resources.some(({ id }) => id === 'VAC'));
  const group = resources.find(({ id }) => id === 'BAT') as Observation;
  assert.deepEqual(group.related, [{ type: 'has-member', target: { reference: 'Immunization/VAC' } }]);
});

test('what is said about a redacted result is redacted as it is', () => {
  const redacted = result('RES', 140).replace('<effectiveTime>', '<confidentialityCode code="NOPAT"/><effectiveTime>');
  const noted = (one: string) => {
    const cluster = compound('CLUSTER', 'CLU', '1010521000000102', one, narrative('UN', 'USER COMMENT', 'told the patient'));
    return (read(compound('CLUSTER', 'SPC', '123038009', cluster)).by.get('UN') as Observation).meta?.security?.[0]?.code;
  };
  assert.equal(noted(redacted), 'NOPAT');
  assert.equal(noted(result('RES', 140)), undefined);
});
