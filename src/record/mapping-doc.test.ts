/** The page that says where everything goes is held to the code: the members that it reads, and the labels that it writes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as allergy from './allergy/terms.ts';
import * as bloodPressure from './blood-pressure/terms.ts';
import { TO_HL7 } from './concepts.ts';
import * as document from './document/terms.ts';
import * as immunisation from './immunisation/terms.ts';
import * as laboratory from './laboratory/terms.ts';
import * as medication from './medication/terms.ts';
import * as observation from './observation/terms.ts';
import * as plan from './plan/terms.ts';
import * as problem from './problem/terms.ts';
import * as referral from './referral/terms.ts';
import { membersRead } from './shape.ts';

const PAGE = readFileSync(new URL('../../docs/mapping-to-hl7.md', import.meta.url), 'utf8');
const sections = new Map(PAGE.split('\n## ').map((text) => [text.split('\n')[0] ?? '', text]));
/** Said of all resources at the head of the page. */
const COMMON = new Set(['id', 'meta', 'extension', 'identifier', 'status']);

const types = new Set([...TO_HL7.map(({ resourceType }) => resourceType), 'Encounter', 'List', 'Specimen']);

for (const type of types) {
  test(`the page names every member of ${type} that the code reads, and no other`, () => {
    const rows = (sections.get(type) ?? '').split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
    assert.equal(new Set(named).size, named.length, 'a member has two rows');
    const own = (names: readonly string[]) => names.filter((name) => !COMMON.has(name)).sort();
    assert.deepEqual(own(named), own(membersRead(type)));
  });
}

test('the page names every label in which facts travel', () => {
  const labels = [allergy, bloodPressure, document, immunisation, laboratory, medication, observation, plan, problem, referral].flatMap(
    (terms) => Object.values(terms).flatMap(labelsIn),
  );
  assert.ok(labels.length > 90, String(labels.length));
  assert.deepEqual(
    [...new Set(labels)].filter((label) => !PAGE.includes(label.trimEnd())),
    [],
  );
});

/** `Batch: ` and the like, wherever it stands in a table of labels. */
function labelsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^[A-Z][\w ()]*: $/.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return [];
  return Object.values(value).flatMap(labelsIn);
}
