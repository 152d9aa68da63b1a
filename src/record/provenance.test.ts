/**
 * No fact is invented: each leaf of a record that was made from an extract names a line of it, or a constant of a list. And the report
 * answers for each resource why it is there. Where the public golden data lie beside the checkout, their extracts are read too.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { makePatient } from '../simulator/patients/patient.ts';
import { builtInTerminology } from '../terminology/built-in.ts';
import { readXml } from '../xml/read.ts';
import { everything } from './testing-everything.ts';
import { keyOf } from './testing-hops.ts';
import { counting, send } from './testing-record.ts';
import { vendorExtract } from './testing-vendor.ts';
import { leavesOf, sourceOf } from './testing-whence.ts';
import { toFhir } from './to-fhir.ts';

const FIXTURES = process.env['GP2GP_FIXTURES'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures');
const DRAWN = /(^|\/)d0000000-0000-4000-8000-\d{12}(-(MS|CONS))?$/i;
const ODS = 'Z99999';

const SYNTHETIC: readonly (readonly [name: string, xml: string])[] = [
  ['a vendor’s extract', vendorExtract()],
  ['the extract of a record with everything', send(everything()).xml],
  ...[3, 4].map((seed): readonly [string, string] => {
    const { bundle, nhsNumber } = makePatient({ seed, ods: ODS, consultations: 4, documents: 2, documentBytes: 9 });
    return [`the extract of synthetic record ${seed}`, send(bundle, { nhsNumber }).xml];
  }),
];
const PUBLIC = existsSync(FIXTURES)
  ? globSync('to-fhir/{extracts,inputs,reference}/*/*.xml', { cwd: FIXTURES }).map((file): readonly [string, string] => [
      relative('.', file),
      readFileSync(join(FIXTURES, file), 'utf8'),
    ])
  : [];

function read(xml: string) {
  const converted = toFhir(readXml(xml), { newId: counting(), losingPractice: ODS, terminology: builtInTerminology });
  if ('refused' in converted) return undefined;
  const resources = (converted.out.entry ?? []).flatMap(({ resource }) => resource ?? []);
  return { resources, report: converted.report, source: sourceOf(readXml(xml), converted.report, ODS, DRAWN) };
}

for (const [name, xml] of [...SYNTHETIC, ...PUBLIC])
  test(`${name}: every leaf names its line or its constant, every resource its statement`, () => {
    const made = read(xml);
    if (!made) return assert.ok(!xml.includes('ehrComposition'), 'refused, with compositions in it');
    const invented: string[] = [];
    let leaves = 0;
    for (const resource of made.resources) {
      const why = made.report.origins.filter(({ target }) => target === keyOf(resource));
      assert.ok(why.length > 0, `nothing says why ${keyOf(resource)} is here`);
      for (const { from, why: reason } of why) assert.ok(from.line !== null || reason, `${keyOf(resource)}: neither line nor reason`);
      for (const leaf of leavesOf(resource, resource.resourceType)) {
        leaves++;
        if (!made.source.whence(resource, leaf)) invented.push(`${keyOf(resource)} ${leaf.path}: ${leaf.value}`);
      }
    }
    assert.deepEqual(invented, [], `of ${leaves} leaves`);
  });

test('a leaf that nothing says is found out', () => {
  const made = read(vendorExtract());
  const weight = made?.resources.find(({ id }) => id === 'OBS-W');
  assert.ok(made && weight);
  for (const [path, value] of [
    ['Observation.valueQuantity.value', '131'],
    ['Observation.comment', 'left arm'],
    ['Observation.code.coding.code', '72313002'],
    ['Observation.effectiveDateTime', '2024-09-01'],
    ['Observation.valueQuantity.unit', 'stone'],
    ['Observation.performer.reference', 'Practitioner/AG-7'],
  ] as const)
    assert.equal(made.source.whence(weight, { path, value }), undefined, `${path} ${value}`);
  const line = made.source.whence(weight, { path: 'Observation.valueQuantity.value', value: '78.50' });
  assert.ok(line && 'line' in line && line.line > 0);
});
