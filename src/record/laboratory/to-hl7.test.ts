import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiagnosticReport, Observation, Resource, Specimen } from '../../fhir/types.ts';
import { attr, child, children, descendants, textOf, type XmlElement } from '../../xml/element.ts';
import { sent } from '../testing.ts';
import { reportToHl7 } from './to-hl7.ts';
import { heldByReport } from './tree.ts';

const REPORT: DiagnosticReport = { resourceType: 'DiagnosticReport', id: 'R', issued: '2024-03-03', status: 'final' };
const code = { coding: [{ system: 'http://snomed.info/sct', code: '1010521000000102', display: 'Serum oestradiol level' }] };
const observation = (id: string, more: Partial<Observation> = {}): Observation => ({ resourceType: 'Observation', id, code, ...more });
const specimen = (id: string): Specimen => ({ resourceType: 'Specimen', id, type: { text: id } });
const of = (...ids: string[]) => ids.map((id) => ({ reference: `Observation/${id}` }));
const held = { holderOf: () => 'DiagnosticReport/R' };
const specimensIn = (statement: XmlElement) =>
  children(statement, 'component').flatMap((one) => children(one).filter((inner) => attr(child(inner, 'code'), 'code') === '123038009'));
const materials = (statement: XmlElement) => [...descendants(statement)].filter(({ name }) => name === 'desc').map(textOf);
const results = (statement: XmlElement) => [...descendants(statement)].filter(({ name }) => name === 'ObservationStatement');

test('a comment travels in the envelope of the laboratories, letter by letter', () => {
  const { statement } = sent(reportToHl7, { ...REPORT, conclusion: 'Fine' }, [], held);
  const text = child(child(child(statement, 'component'), 'NarrativeStatement'), 'text');
  assert.equal(attr(text, 'mediaType'), 'text/x-h7uk-pmip');
  assert.equal(textOf(text), 'CommentType:LABORATORY RESULT COMMENT(E141)\nCommentDate:20240303\n\nInterpretation: Fine');
});

test('results of a specimen that the report does not list stand under it all the same', () => {
  const around = [specimen('blood'), specimen('urine'), observation('a', { specimen: { reference: 'Specimen/urine' } })];
  const { statement } = sent(reportToHl7, { ...REPORT, specimen: [{ reference: 'Specimen/blood' }], result: of('a') }, around, held);
  assert.deepEqual(materials(statement), ['blood', 'urine']);
  assert.equal(results(specimensIn(statement)[1] as XmlElement).length, 1);
});

test('results without a specimen get a placeholder, before the others', () => {
  const around = [specimen('blood'), observation('a'), observation('b', { specimen: { reference: 'Specimen/blood' } })];
  const { statement } = sent(reportToHl7, { ...REPORT, specimen: [{ reference: 'Specimen/blood' }], result: of('a', 'b') }, around, held);
  assert.deepEqual(materials(statement), ['UNKNOWN', 'blood']);
  assert.equal(results(statement).length, 2);
});

test('a member of a group stands in the group only, though the report lists it too', () => {
  const around: Resource[] = [
    observation('g', { related: [{ type: 'has-member', target: { reference: 'Observation/m' } }] }),
    observation('m', { valueQuantity: { value: 1 } }),
  ];
  const { statement } = sent(reportToHl7, { ...REPORT, result: of('m', 'g') }, around, held);
  assert.equal(results(statement).length, 1);
  assert.equal([...descendants(statement)].filter((one) => attr(one, 'classCode') === 'BATTERY').length, 1);
});

test('results that are members of each other are written once and end', () => {
  const link = (id: string) => [{ type: 'has-member', target: { reference: `Observation/${id}` } }];
  const around = [observation('a', { related: link('b') }), observation('b', { related: link('a'), valueQuantity: { value: 2 } })];
  const { statement } = sent(reportToHl7, { ...REPORT, result: of('a', 'b') }, around, held);
  assert.equal(results(statement).length, 1);
});

test('groups inside groups lose no result', () => {
  const link = (...ids: string[]) => ids.map((id) => ({ type: 'has-member', target: { reference: `Observation/${id}` } }));
  const around = [
    observation('g', { related: link('h'), valueQuantity: { value: 7, unit: 'g' } }),
    observation('h', { related: link('m') }),
    observation('m', { valueQuantity: { value: 3 } }),
  ];
  const { statement, xml } = sent(reportToHl7, { ...REPORT, result: of('g') }, around, held);
  assert.equal(results(statement).length, 1);
  assert.match(xml, /Quantity Value: 7 g/);
});

test('a result that stands in another report is not repeated, and that is told', () => {
  const { statement, remarks } = sent(
    reportToHl7,
    { ...REPORT, result: of('a', 'gone') },
    [observation('a'), { resourceType: 'DiagnosticReport', id: 'Q' }],
    {
      holderOf: () => 'DiagnosticReport/Q',
    },
  );
  assert.equal(results(statement).length, 0);
  assert.deepEqual(
    remarks.map(({ code: issue }) => issue),
    ['link.broken', 'link.broken'],
  );
});

test('a hidden result hides its statement, its cluster and its comments', () => {
  const hidden = observation('a', {
    meta: { security: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'NOPAT' }] },
    comment: 'private',
    specimen: { reference: 'Specimen/blood' },
  });
  const { statement } = sent(
    reportToHl7,
    { ...REPORT, specimen: [{ reference: 'Specimen/blood' }], result: of('a') },
    [specimen('blood'), hidden],
    { ...held, redactions: true },
  );
  const marked = [...descendants(statement)].filter((one) => child(one, 'confidentialityCode'));
  assert.deepEqual(
    marked.map(({ name }) => name),
    ['CompoundStatement', 'ObservationStatement', 'NarrativeStatement'],
  );
});

test('a report holds its specimens, its results and their members, each once', () => {
  const link = [{ type: 'has-member', target: { reference: 'Observation/m' } }];
  const all: Resource[] = [
    specimen('blood'),
    observation('g', { related: link, specimen: { reference: 'Specimen/blood' } }),
    observation('m'),
  ];
  const find = (reference: unknown) =>
    all.find((one) => `${one.resourceType}/${one.id}` === (reference as { reference?: string })?.reference);
  assert.deepEqual(heldByReport({ ...REPORT, result: of('g', 'm', 'g') }, find), all);
});

test('that single performers are not carried is told once', () => {
  const by = { performer: [{ reference: 'Practitioner/P' }] };
  const { remarks } = sent(reportToHl7, { ...REPORT, result: of('a', 'b') }, [observation('a', by), observation('b', by)], held);
  assert.deepEqual(
    remarks.map(({ code: issue }) => issue),
    ['value.lost'],
  );
  const made = { ...REPORT, performer: [{ actor: { reference: 'Practitioner/P', display: 'Dr Ann Example' } }], result: of('a') };
  assert.deepEqual(sent(reportToHl7, made, [observation('a', by)], { ...held, agent: () => 'AG-1' }).remarks, []);
});

test('a faulty filing comment costs itself, not what the report says', () => {
  const filing = {
    ...observation('f', { code: { coding: [{ code: '37331000000100' }] }, comment: 'Seen' }),
    method: { text: 7 },
  } as Resource;
  const { xml, remarks } = sent(
    reportToHl7,
    { ...REPORT, conclusion: 'All is well', result: of('a', 'f') },
    [observation('a'), filing],
    held,
  );
  assert.ok(xml.includes('Interpretation: All is well'));
  assert.match(xml, /<text>Observation\. code: .*comment: Seen/);
  assert.deepEqual(
    remarks.filter(({ code: issue }) => issue === 'statement.asText').map(({ text }) => text.slice(0, 13)),
    ['Observation/f'],
  );
});
