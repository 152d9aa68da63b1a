import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MedicationStatement } from '../fhir/types.ts';
import { indexBundle } from './bundle-index.ts';
import { namedBy } from './named-by.ts';

test('resources are found by what they name, each once, however the reference is written', () => {
  const statement = (id: string, ...requests: string[]): MedicationStatement => ({
    resourceType: 'MedicationStatement',
    id,
    basedOn: requests.map((reference) => ({ reference })),
  });
  const resources = [
    { resourceType: 'MedicationRequest', id: 'R1' },
    statement('S1', 'MedicationRequest/R1', 'https://example.org/MedicationRequest/R1'),
    statement('S2', 'MedicationRequest/R2'),
    statement('S3', 'MedicationRequest/R1'),
  ];
  const index = indexBundle({ resourceType: 'Bundle', entry: resources.map((resource) => ({ resource })) });
  const named = namedBy<MedicationStatement>(index, 'MedicationStatement', (one) => one.basedOn ?? []);
  assert.deepEqual(
    named('MedicationRequest/R1').map((one) => one.id),
    ['S1', 'S3'],
  );
  assert.deepEqual(named('MedicationRequest/R9'), []);
});
