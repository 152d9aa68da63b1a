import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiagnosticReport, Observation, Organization, Practitioner, Reference, Resource, Specimen } from '../../fhir/types.ts';
import { received, STATEMENT_ID, sent } from '../testing.ts';
import { LINE, REPORT_LABEL, RESULT_LABEL, SPECIMEN_LABEL } from './terms.ts';
import { laboratoryToFhir } from './to-fhir.ts';
import { reportToHl7 } from './to-hl7.ts';
import { commentedOn, heldByReport } from './tree.ts';

const uuid = (n: number) => `0000000${n}-0000-4000-8000-0000000000AA`;
const sct = (code: string, display: string) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }] });
const member = (id: string) => ({ type: 'has-member', target: { reference: `Observation/${id}` } });
const note = (id: string, comment?: string): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: sct('37331000000100', 'Comment note'),
  effectiveDateTime: '2024-03-04T10:00:00Z',
  ...(comment && { comment }),
});
const result = (id: string, more: Partial<Observation>): Observation => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: sct('1010521000000102', 'Serum oestradiol level'),
  effectiveDateTime: '2024-03-02',
  specimen: { reference: `Specimen/${uuid(1)}` },
  ...more,
});

const REPORT: DiagnosticReport = {
  resourceType: 'DiagnosticReport',
  id: STATEMENT_ID,
  identifier: [{ system: 'urn:oid:2.16.840.1.113883.2.1.4.5.5', value: '1019/HA37/2024' }],
  status: 'final',
  issued: '2024-03-03T09:00:00Z',
  conclusion: 'As expected',
  codedDiagnosis: [{ text: 'Healthy' }],
  performer: [{ actor: { reference: 'Practitioner/P' } }, { actor: { reference: 'Organization/O' } }],
  specimen: [{ reference: `Specimen/${uuid(1)}` }],
  result: [uuid(2), uuid(3), uuid(6)].map((id) => ({ reference: `Observation/${id}` })),
};
const SPECIMEN: Specimen = {
  resourceType: 'Specimen',
  id: uuid(1),
  accessionIdentifier: { value: 'CH "1" & 2' },
  status: 'unsatisfactory',
  type: { text: 'Serum' },
  receivedTime: '2024-07-01T08:30:00+00:00',
  collection: {
    collectedDateTime: '2024-03-01T09:00:00+00:00',
    bodySite: { text: 'Left arm' },
    quantity: { value: 28, unit: 'ml' },
    extension: [
      {
        url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-FastingStatus-1',
        valueDuration: { value: 8, unit: 'h' },
      },
    ],
    collector: { reference: 'Practitioner/P' },
  },
  note: [{ text: 'Haemolysed' }],
};
const SINGLE = result(uuid(2), {
  valueQuantity: { value: 8.8, unit: 'units' },
  referenceRange: [{ text: 'fasting', low: { value: 10, unit: 'dozens' }, high: { value: 90, unit: 'dozens' } }],
  comment: 'First line\n  second line',
  related: [member(uuid(5))],
});
const GROUP = result(uuid(3), { comment: 'Of the group', related: [member(uuid(4)), member(uuid(7))] });
const WORDS = result(uuid(4), {
  valueString: 'Line one\nLine two',
  interpretation: { text: 'Odd' },
  dataAbsentReason: { text: 'Lost' },
  bodySite: { text: 'Cubital fossa' },
  method: { text: 'Assay' },
  referenceRange: [{ low: { value: 11, unit: 'umol/L' }, high: { value: 29, unit: 'umol/L' } }],
  comment: 'Repeat',
  status: 'corrected',
});
const AROUND: Resource[] = [
  SPECIMEN,
  SINGLE,
  GROUP,
  WORDS,
  note(uuid(5), 'Normal, no action'),
  note(uuid(6)),
  note(uuid(7), 'Seen by GP'),
  { resourceType: 'Practitioner', id: 'P', name: [{ prefix: ['Dr'], given: ['Ann'], family: 'Example' }] } as Practitioner,
  { resourceType: 'Organization', id: 'O', name: 'Example laboratory' } as Organization,
];
const held = { holderOf: () => `DiagnosticReport/${STATEMENT_ID}` };

function there(report: DiagnosticReport = REPORT, around: readonly Resource[] = AROUND): Map<string, Resource> {
  const notesOn = (to: Reference | string) =>
    (around as Observation[]).filter((one) => commentedOn(one).some(({ reference }) => reference === to));
  const { statement } = sent(reportToHl7, report, around, { ...held, notesOn });
  const { resources } = received(laboratoryToFhir, 'laboratory', statement);
  return new Map(resources.map((resource) => [`${resource.resourceType}/${resource.id}`, resource]));
}
const observation = (back: ReadonlyMap<string, Resource>, id: string) => back.get(`Observation/${id}`) as Observation;
const reportIn = (back: ReadonlyMap<string, Resource>) =>
  [...back.values()].find((one) => one.resourceType === 'DiagnosticReport') as DiagnosticReport;

test('a report comes back with its number, status, conclusion, diagnosis and people', () => {
  const report = reportIn(there());
  assert.equal(report.status, 'final');
  assert.equal(report.conclusion, 'As expected');
  assert.deepEqual(report.codedDiagnosis, [{ text: 'Healthy' }]);
  assert.equal(report.identifier?.[1]?.value, '1019/HA37/2024');
  assert.equal(report.issued, '2024-03-03T09:00:00.000+00:00');
  assert.equal(report.performer?.[1]?.actor?.display, 'Example laboratory');
});

test('everyone whom a report names made its results and groups: laboratory, department, whoever asked', () => {
  const department = { resourceType: 'HealthcareService', id: 'H', name: 'Biochemistry' } as Resource;
  const performer = [...(REPORT.performer ?? []), { actor: { reference: 'HealthcareService/H' } }];
  const back = there({ ...REPORT, performer }, [...AROUND, department]);
  const makers = reportIn(back).performer?.map(({ actor }) => actor);
  assert.deepEqual(
    makers?.map((one) => one?.display),
    [undefined, 'Example laboratory', 'Biochemistry'],
  );
  for (const n of [2, 3, 4]) assert.deepEqual(observation(back, uuid(n)).performer, makers);
});

test('every result, group and comment keeps the id that a problem may lead to', () => {
  const back = there();
  for (const n of [2, 3, 4, 5, 6, 7]) assert.ok(observation(back, uuid(n)), `Observation ${n}`);
  assert.deepEqual(
    reportIn(back).result?.map(({ reference }) => reference),
    [uuid(6), uuid(2), uuid(3)].map((id) => `Observation/${id}`),
  );
});

test('a result comes back with its value, range, unit, comment and specimen', () => {
  const back = observation(there(), uuid(2));
  assert.deepEqual(back.valueQuantity, SINGLE.valueQuantity);
  assert.deepEqual(back.referenceRange, SINGLE.referenceRange);
  assert.equal(back.comment, SINGLE.comment);
  assert.deepEqual(back.specimen, SINGLE.specimen);
  assert.equal(back.category?.[0]?.coding?.[0]?.code, 'laboratory');
});

test('a result of words comes back word for word, each fact in its place', () => {
  const back = observation(there(), uuid(4));
  for (const name of [
    'valueString',
    'interpretation',
    'dataAbsentReason',
    'bodySite',
    'method',
    'referenceRange',
    'comment',
    'status',
  ] as const)
    assert.deepEqual(back[name], WORDS[name], name);
});

test('a group and its members lead to each other, a comment to what it is about', () => {
  const back = there();
  assert.deepEqual(
    observation(back, uuid(3)).related?.map(({ type, target }) => `${type} ${target?.reference}`),
    [`has-member Observation/${uuid(7)}`, `has-member Observation/${uuid(4)}`],
  );
  assert.equal(observation(back, uuid(4)).related?.[0]?.target?.reference, `Observation/${uuid(3)}`);
  assert.equal(observation(back, uuid(5)).related?.[0]?.target?.reference, `Observation/${uuid(2)}`);
  assert.equal(observation(back, uuid(5)).comment, 'Normal, no action');
});

test('who filed the report without a word is known by the date', () => {
  const back = observation(there(), uuid(6));
  assert.equal(back.effectiveDateTime, '2024-03-04T10:00:00+00:00');
  assert.equal(back.comment, undefined);
});

test('a specimen comes back as it was, an arrival in summer at the same hour', () => {
  const back = [...there().values()].find((one) => one.resourceType === 'Specimen') as Specimen;
  assert.equal(back.id, uuid(1));
  for (const name of ['accessionIdentifier', 'type', 'receivedTime', 'note'] as const) assert.deepEqual(back[name], SPECIMEN[name], name);
  assert.deepEqual({ ...back.collection, collector: null }, { ...SPECIMEN.collection, collector: null });
  assert.equal(back.collection?.collector?.display, 'Dr Ann Example');
});

test('results without a specimen come back without one, the placeholder is gone', () => {
  const { specimen: _specimen, ...loose } = SINGLE;
  const back = there({ ...REPORT, specimen: [], result: [{ reference: `Observation/${uuid(2)}` }] }, [
    loose as Observation,
    note(uuid(5), 'Normal, no action'),
  ]);
  assert.equal([...back.values()].filter((one) => one.resourceType === 'Specimen').length, 0);
  assert.equal(observation(back, uuid(2)).specimen, undefined);
  assert.deepEqual(observation(back, uuid(2)).valueQuantity, SINGLE.valueQuantity);
});

test('a specimen without results, and a report of nothing, come back as empty as they were', () => {
  const empty = there({ ...REPORT, result: [] });
  assert.equal(reportIn(empty).result, undefined);
  assert.equal((empty.get(`Specimen/${uuid(1)}`) as Specimen).note?.[0]?.text, 'Haemolysed');
  const {
    specimen: _specimen,
    conclusion: _conclusion,
    performer: _performer,
    codedDiagnosis: _diagnosis,
    ...bare
  } = { ...REPORT, result: [] };
  assert.deepEqual([...there(bare).keys()], [`DiagnosticReport/${STATEMENT_ID}`]);
});

test('nothing grows when a report is handed on again', () => {
  const once = there();
  const reference = reportIn(once).performer?.[0]?.actor?.reference ?? '';
  const maker = { resourceType: 'Practitioner', id: reference.split('/')[1], name: [{ text: 'Dr Ann Example' }] } as Practitioner;
  const twice = there(reportIn(once), [maker, ...[...once.values()].filter((one) => one.resourceType !== 'DiagnosticReport')]);
  assert.deepEqual([...twice.keys()].sort(), [...once.keys()].sort());
  // The list of people draws new ids; the tests of whole records follow who they are.
  const named = (one: Resource) => JSON.parse(JSON.stringify(one).replace(/Practitioner\/[^"]+/g, 'Practitioner/')) as unknown;
  for (const n of [2, 3, 4, 5, 6, 7]) assert.deepEqual(named(observation(twice, uuid(n))), named(observation(once, uuid(n))));
  assert.deepEqual(named(reportIn(twice)), named(reportIn(once)));
});

test('every label is written and read back', () => {
  const values: readonly Partial<Observation>[] = [
    { valueBoolean: true },
    { valueCodeableConcept: { text: 'Strong' } },
    { valueRange: { low: { value: 1, unit: 'g' } } },
    { valueRatio: { numerator: { value: 1 }, denominator: { value: 2 } } },
    { valueTime: '10:00:00' },
    { valueDateTime: '2024-01-01' },
    { valuePeriod: { start: '2024-01-01' } },
    { valueQuantity: { unit: 'g' } },
    { component: [{ code: { text: 'Part' }, valueString: 'x' }] },
  ];
  let written = sent(reportToHl7, REPORT, AROUND, held).xml;
  for (const value of values) {
    const { valueQuantity: _quantity, referenceRange: _range, ...rest } = SINGLE;
    const one = { ...rest, ...value } as Observation;
    const around = [SPECIMEN, one, note(uuid(5), 'Normal, no action')];
    const report = { ...REPORT, result: [{ reference: `Observation/${uuid(2)}` }] };
    written += sent(reportToHl7, report, around, held).xml;
    const back = observation(there(report, around), uuid(2));
    for (const [name, expected] of Object.entries(value)) assert.deepEqual(back[name as keyof Observation], expected, name);
    assert.equal(back.comment, SINGLE.comment);
  }
  const labels = [...Object.values(LINE), ...Object.values(REPORT_LABEL), ...Object.values(SPECIMEN_LABEL), ...Object.values(RESULT_LABEL)];
  assert.deepEqual(
    labels.filter((label) => !written.includes(label) && label !== SPECIMEN_LABEL.fastingStatus),
    [],
  );
});

test('comments on what a report lists, on groups and on comments stand in the report, each once', () => {
  const on = (id: string, ...targets: string[]): Observation => ({
    ...note(uuid(8), `about ${id}`),
    related: targets.map((target) => ({ type: 'derived-from', target: { reference: `Observation/${target}` } })),
  });
  for (const targets of [[uuid(2)], [uuid(3)], [uuid(4)], [uuid(6)], [uuid(7)], [uuid(2), uuid(4)]]) {
    const back = there(REPORT, [...AROUND, on(targets.join(), ...targets)]);
    assert.equal(observation(back, uuid(8))?.comment, `about ${targets.join()}`);
    assert.equal(back.size, there().size + 1);
  }
});

test('a specimen that only the member of a group names arrives with the group', () => {
  const group: Observation = { ...result(uuid(3), {}), related: [member(uuid(4))] };
  delete group.specimen;
  const report: DiagnosticReport = { ...REPORT, result: [{ reference: `Observation/${uuid(3)}` }] };
  delete report.specimen;
  const specimen: Specimen = { resourceType: 'Specimen', id: uuid(1), type: { text: 'Serum' } };
  assert.ok(heldByReport(report, find(group, result(uuid(4), {}), specimen)).includes(specimen));
  const { statement } = sent(reportToHl7, report, [group, result(uuid(4), {}), specimen]);
  const { resources } = received(laboratoryToFhir, 'laboratory', statement);
  const arrived = resources.filter(({ resourceType }) => resourceType === 'Specimen') as Specimen[];
  assert.deepEqual(
    arrived.map(({ type }) => type?.text),
    ['Serum'],
  );
  const named = (resources as Observation[]).filter((one) => one.specimen?.reference === `Specimen/${arrived[0]?.id}`);
  assert.ok(named.some(({ valueQuantity, related }) => valueQuantity !== undefined || related !== undefined));
});

const find =
  (...resources: readonly Resource[]) =>
  (reference: Reference | string | undefined) =>
    resources.find(
      ({ resourceType, id }) => (typeof reference === 'string' ? reference : reference?.reference) === `${resourceType}/${id}`,
    );
