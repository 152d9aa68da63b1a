/** Whole synthetic records there, and on to a third practice: what holds for any of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bundle, CodeableConcept, Resource } from '../fhir/types.ts';
import { makePatient } from '../simulator/patients/patient.ts';
import { builtInTerminology } from '../terminology/built-in.ts';
import { differences, inWords, type Side } from './differences.ts';
import { fateOfPresent } from './document/fate.ts';
import { receive, send } from './testing-record.ts';
import type { ConversionReport } from './types.ts';

const SEEDS = [3, 17, 2026];
const recordOf = (seed: number) => makePatient({ seed, ods: 'OLD01', consultations: 8, documents: 2, documentBytes: 100 });

/** One move of a record; each draws other ids than the one before. */
function move(bundle: Bundle, nhsNumber: string, hop = 1) {
  let drawn = 0;
  const newId = () => `d000000${hop}-0000-4000-8000-${String(++drawn).padStart(12, '0')}`;
  const documents = (reference: string) => fateOfPresent(reference, (reference.split('/')[1] ?? '').toUpperCase(), 'application/pdf', 100);
  const sent = send(bundle, { nhsNumber, newId, documents });
  const arrived = receive(sent.root, { terminology: builtInTerminology, newId });
  return { sent, arrived };
}

function sideOf(bundle: Bundle, report: ConversionReport): Side {
  const counts = new Map<string, number>();
  for (const { resource } of bundle.entry ?? [])
    if (resource) counts.set(resource.resourceType, (counts.get(resource.resourceType) ?? 0) + 1);
  return { report, counts };
}

for (const seed of SEEDS) {
  const { bundle, nhsNumber } = recordOf(seed);
  const { sent, arrived } = move(bundle, nhsNumber);

  test(`record ${seed}: the reports explain every difference between what left and what arrived`, () => {
    const told = differences(sideOf(bundle, sent.report), sideOf(arrived.bundle, arrived.report));
    assert.doesNotMatch(told.map(inWords).join('\n'), /No report accounts/);
    for (const { type, sent: left, received, reasons } of told) {
      const sum = reasons.reduce((total, { more, names }) => total + (more ? names.length : -names.length), 0);
      assert.equal(sum, received - left, type);
    }
  });

  test(`record ${seed}: no id arrives twice, and no reference leads nowhere`, () => {
    const ids = arrived.resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
    assert.equal(new Set(ids).size, ids.length);
    const present = new Set(ids);
    for (const resource of arrived.resources)
      for (const reference of referencesIn(resource))
        assert.ok(present.has(reference), `${resource.resourceType}/${resource.id}: ${reference}`);
  });

  test(`record ${seed}: the order of the bundle changes nothing`, () => {
    const { entry = [] } = bundle;
    fc.assert(
      fc.property(fc.shuffledSubarray([...entry.keys()], { minLength: entry.length }), (order) => {
        const shuffled = { ...bundle, entry: order.flatMap((position) => entry[position] ?? []) };
        assert.equal(move(shuffled, nhsNumber).sent.xml, sent.xml);
      }),
      { numRuns: 2, seed },
    );
  });

  test(`record ${seed}: a third practice gets every entry that the second one got, in the same words`, () => {
    const third = move(arrived.bundle, nhsNumber, 2).arrived;
    assert.deepEqual(entriesOf(third.resources), entriesOf(arrived.resources));
  });

  test(`record ${seed}: an entry that was degraded is so once, with its own code and words behind, here and at the third practice`, () => {
    const third = move(arrived.bundle, nhsNumber, 2).arrived;
    const here = degradedIn(arrived.resources);
    assert.deepEqual(degradedIn(third.resources), here);
    for (const codings of here) assert.equal(codings.filter((one) => DEGRADES.test(one)).length, 1, codings.join());
    for (const { code, original } of arrived.report.issues) if (code === 'code.degraded') assert.ok(original?.length);
    for (const { report } of [arrived, third]) assert.equal(report.issues.filter(({ code }) => code === 'lookUp.skipped').length, 1);
  });
}

function* referencesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const one of value) yield* referencesIn(one);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'reference' && typeof inner === 'string') yield inner;
      else yield* referencesIn(inner);
    }
}

// Wrapped around the entries anew by each practice, or standing for people.
const AROUND: ReadonlySet<string> = new Set([
  'Encounter',
  'List',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Location',
]);

/** Everything that an entry says, without ids and links: one text each, in order. */
function entriesOf(resources: readonly Resource[]): string[] {
  return resources
    .filter(({ resourceType }) => !AROUND.has(resourceType))
    .map((resource) => JSON.stringify(said(resource)))
    .sort();
}

function said(value: unknown): unknown {
  // What was a referral's description is a note from then on, and notes travel behind this label.
  // The words of a labelled fact stand on one line.
  if (typeof value === 'string') return value.replace(/^Annotation: /, '').replace(/\s+/g, ' ');
  if (Array.isArray(value)) return value.map(said);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const members = Object.entries(value).filter(([name]) => !['id', 'identifier', 'reference', 'meta'].includes(name));
  return Object.fromEntries(members.map(([name, inner]) => [name, said(inner)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const DEGRADES = /^1964[1-7]1000000\d+/;

/** The codings of every code that begins with a degrade code, with system, code, description, display and the words. */
function degradedIn(resources: readonly Resource[]): string[][] {
  const found = resources.flatMap((resource) => [...conceptsIn(resource)]);
  return found
    .map(({ coding = [], text }) =>
      coding.map(({ code, system, display, extension }) => [code, system, display, JSON.stringify(extension), text].join(' ')),
    )
    .filter(([first]) => DEGRADES.test(first ?? ''))
    .sort();
}

function* conceptsIn(value: unknown): Generator<CodeableConcept> {
  if (Array.isArray(value)) for (const one of value) yield* conceptsIn(one);
  else if (typeof value === 'object' && value !== null) {
    if ('coding' in value && Array.isArray(value.coding)) yield value as CodeableConcept;
    else for (const inner of Object.values(value)) yield* conceptsIn(inner);
  }
}
