/**
 * What a record says stands in the extract, each fact in its coded place: code, value, unit, date, author, status, text, link. GP2GP_LONG=1
 * reads a thousand synthetic records; without it, a few.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { List, Resource } from '../fhir/types.ts';
import { makePatient } from '../simulator/patients/patient.ts';
import { factsOf, readExtract } from './testing-facts.ts';
import { send } from './testing-record.ts';

const RECORDS = process.env['GP2GP_LONG'] ? 1_000 : 3;
/** Parts of consultations; lists over the whole record do not travel. */
const HEADINGS = new Set(['25851000000105', '24781000000107']);

test('every fact of a synthetic record stands in its place, and next to nothing is degraded to words', () => {
  const missing = new Map<string, string>();
  const totals = { facts: 0, resources: 0, degraded: 0 };
  for (let at = 0; at < RECORDS; at++) {
    const { bundle, nhsNumber } = makePatient({
      seed: 3_000 + at,
      ods: 'A12345',
      ...(at % 10 === 9 ? {} : { consultations: 10 }),
      documents: 4,
    });
    const resources = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
    const sent = send(bundle, { nhsNumber });
    const extract = readExtract(sent, resources);
    totals.resources += resources.length;
    totals.degraded += sent.report.issues.filter(({ code }) => code === 'statement.asText').length;
    for (const resource of resources.filter(travels)) {
      for (const [name, expected, found] of factsOf(resource, extract) ?? []) {
        totals.facts++;
        if (!found.includes(expected))
          missing.set(`${resource.resourceType} ${name}`, `${resource.id}: ${expected}, found ${found.join(' | ')}`);
      }
    }
  }
  assert.deepEqual([...missing], []);
  assert.ok(totals.facts > RECORDS * 300, `${totals.facts} facts of ${totals.resources} resources`);
  assert.ok(totals.degraded <= totals.resources / 1_000, `${totals.degraded} of ${totals.resources} resources are only words`);
});

function travels(resource: Resource): boolean {
  if (resource.resourceType !== 'List') return true;
  const list = resource as List;
  return (list.entry?.length ?? 0) > 0 && (list.code?.coding ?? []).some(({ code }) => HEADINGS.has(code ?? ''));
}
