/**
 * Bundle, extract, bundle, and on to a third and a fourth practice: what survives. GP2GP_LONG=1 counts a thousand synthetic records and
 * holds every figure of `docs/round-trip.md` to them; without it, a few, and the page's verdicts.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readJson } from '../fhir/json.ts';
import type { Bundle, Patient } from '../fhir/types.ts';
import { FULL_COUNT, syntheticRecord } from '../simulator/patients/testing.ts';
import { resourcesOf } from './testing-hops.ts';
import { receive } from './testing-record.ts';
import { clinical, count, emptyTables, losses, page, reasonFor, type Table, tablesOfEverything } from './testing-round-trip.ts';

const LONG = process.env['GP2GP_LONG'] === '1';
const RECORDS = LONG ? FULL_COUNT : 10;
const PAGE = readFileSync(new URL('../../docs/round-trip.md', import.meta.url), 'utf8');

const tables = emptyTables();
for (let at = 0; at < RECORDS; at++) count(syntheticRecord(at), tables);
const whole = tablesOfEverything();
const [first, second, third] = [clinical(tables[0]), clinical(tables[1]), clinical(tables[2])];

// A few records scatter around what a thousand give.
const LEAST = LONG ? 0.995 : 0.993;

test(`of the clinical facts of synthetic records ${LEAST * 100} % arrive equal`, () => {
  assert.ok(first.facts > RECORDS * 1_000, `${first.facts} facts`);
  assert.ok(first.equal / first.facts >= LEAST, `${first.equal} of ${first.facts}`);
  const hops = [first, second, third].map(({ facts, equal }, at) => `hop ${at + 1}: ${equal} of ${facts}`);
  if (LONG) console.log(`${RECORDS} synthetic records, ${hops.join(', ')}`);
});

for (const [name, [, next, last]] of [
  ['synthetic records', tables],
  ['a record with everything', whole],
] as const)
  test(`of the facts of ${name} that arrived once, none is lost at the second or third transfer`, () => {
    for (const table of [next, last]) assert.deepEqual(losses(table), []);
  });

test('a second and a third transfer add nothing to any entry: no note, no code, no degrade', () => {
  for (const [, second, third] of [tables, whole]) {
    const entries = (table: Table) =>
      [...table].flatMap(([element, { kept, words, lost }]) => (AROUND.test(element) ? [] : [[element, kept + words + lost] as const]));
    assert.deepEqual(new Map(entries(third)), new Map(entries(second)));
  }
});

// Headings and people stand around entries: a topic without a heading gets one, and who is only named becomes a person.
const AROUND = /^(List|Practitioner)\b/;

test('whatever does not arrive equal is named on the page, with its reason', () => {
  for (const [element, row] of [...losses(tables[0]), ...losses(whole[0])]) {
    assert.ok(reasonFor(element), `${element} has no reason: ${row.example}`);
    assert.ok(PAGE.includes(`| \`${element}\` |`), `${element} is not on the page`);
  }
});

test('the page has the rows that the command would write now', () => {
  if (LONG) assert.equal(PAGE, page(tables, RECORDS));
  // What the page says of the record that has everything does not depend on how many records were counted.
  const full = (text: string) =>
    new Map(text.split('\n').flatMap((row) => (row.startsWith('| `') ? [[row.split('|')[1], row.split('|')[6]]] : [])));
  const [written, now] = [full(PAGE), full(page(tables, RECORDS))];
  for (const [element, verdict] of now) assert.equal(written.get(element), verdict, element);
});

const FIXTURES = process.env['GP2GP_FIXTURES'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures');
const PUBLIC = existsSync(FIXTURES)
  ? globSync(['to-hl7/{bundles,inputs}/*/input.json', 'to-fhir/{extracts,reference}/*/input.xml'], { cwd: FIXTURES })
  : [];
/** Records without a patient, which are there to be refused. */
const REFUSED = /negative-no-patient|invalid-content-type|missing-patient/;

if (LONG && PUBLIC.length)
  test('what arrived once of the public records and extracts arrives at the second and third transfer as well', () => {
    const all = emptyTables();
    for (const file of PUBLIC.filter((one) => !REFUSED.test(one))) {
      const text = readFileSync(join(FIXTURES, file), 'utf8');
      const bundle = file.endsWith('.json') ? (readJson(text) as Bundle) : receive(text).bundle;
      count({ bundle, nhsNumber: numberIn(bundle), ods: 'A12345' }, all);
    }
    const hops = all.map(clinical);
    console.log(`${PUBLIC.length} public records, ${hops.map(({ facts, equal }, at) => `hop ${at + 1}: ${equal} of ${facts}`).join(', ')}`);
    // Two facts of consultations that do not list what names them.
    for (const { facts, equal } of hops.slice(1)) assert.ok(facts - equal <= 2, `${facts - equal} of ${facts} lost`);
  });

function numberIn(bundle: Bundle): string {
  const patient = resourcesOf(bundle).find(({ resourceType }) => resourceType === 'Patient') as Patient | undefined;
  return patient?.identifier?.find(({ system }) => system?.includes('nhs-number'))?.value ?? '';
}
