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
import {
  clinical,
  count,
  emptyTables,
  losses,
  page,
  publicReasonFor,
  reasonFor,
  SEEN_IN_PUBLIC,
  type Table,
  tablesOfEverything,
} from './testing-round-trip.ts';

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

if (PUBLIC.length) {
  const all = emptyTables();
  const records = emptyTables();
  test('what arrived once of the public records and extracts arrives at the second and third transfer as well', () => {
    for (const file of PUBLIC.filter((one) => !REFUSED.test(one))) {
      const text = readFileSync(join(FIXTURES, file), 'utf8');
      const bundle = file.endsWith('.json') ? (readJson(text) as Bundle) : receive(text).bundle;
      const one = { bundle, nhsNumber: numberIn(bundle), ods: 'A12345' };
      count(one, all);
      if (file.endsWith('.json')) count(one, records);
    }
    for (const [what, tables] of [
      ['public records and extracts', all],
      ['public records', records],
    ] as const) {
      const hops = tables.map(clinical).map(({ facts, equal }, at) => `hop ${at + 1}: ${equal} of ${facts}`);
      if (LONG) console.log(`${what}, ${hops.join(', ')}`);
    }
    for (const table of all.slice(1)) assert.deepEqual(losses(table), []);
    for (const [tables, least] of [
      [all, 0.968],
      [records, 0.958],
    ] as const) {
      const { facts, equal } = clinical(tables[0]);
      assert.ok(equal / facts >= least, `${equal} of ${facts}`);
    }
  });

  test('what the public records lose is named on the page with its reason, and nothing else is', () => {
    const lost = losses(all[0]);
    for (const [element, { example }] of lost) assert.ok(publicReasonFor(element), `${element} has no reason: ${example}`);
    for (const [pattern, why] of SEEN_IN_PUBLIC) {
      assert.ok(
        lost.some(([element]) => pattern.test(element)),
        `${pattern} is lost nowhere`,
      );
      assert.ok(PAGE.includes(why), `${pattern} is not on the page`);
    }
  });
}

function numberIn(bundle: Bundle): string {
  const patient = resourcesOf(bundle).find(({ resourceType }) => resourceType === 'Patient') as Patient | undefined;
  return patient?.identifier?.find(({ system }) => system?.includes('nhs-number'))?.value ?? '';
}
