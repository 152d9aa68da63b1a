/** The page that says what everything becomes is held to the code: the members that are written, the concepts that claim, the codes. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { TO_FHIR } from './concepts.ts';
import { everything } from './testing-everything.ts';
import { coded, composition, extract, observation } from './testing-extract.ts';
import { NO_TERMINOLOGY, receive, send } from './testing-record.ts';
import { vendorExtract } from './testing-vendor.ts';

const PAGE = readFileSync(new URL('../../docs/mapping-to-fhir.md', import.meta.url), 'utf8');
const SOURCES = globSync('**/*.ts', { cwd: import.meta.dirname })
  .filter((file) => !file.includes('test'))
  .map((file) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8'))
  .join('\n');
const sections = new Map(PAGE.split('\n## ').map((text) => [text.split('\n')[0] ?? '', text]));
/** Said of all resources at the head of the page. */
const COMMON = new Set(['resourceType', 'id', 'meta', 'identifier', 'status']);

const refer = (name: string, id: string) => `<${name}><id root="${id}"/></${name}>`;
/** Members that neither a record with everything nor a vendor's extract gives. */
const RARE = extract(
  composition(
    'ENC-1',
    observation('OBS-1', 'x').replace('</ObservationStatement>', '<value value="1" unit="kg"/></ObservationStatement>'),
    observation('IMM-1', 'Primary Source: true\nQuantity: 1 ml', coded('38598009', 'MMR')),
    `<component><MedicationStatement moodCode="INT"><id root="M1"/><component><ehrSupplyAuthorise><id root="A1"/>
      <predecessor>${refer('priorMedicationRef', 'A0')}</predecessor></ehrSupplyAuthorise></component></MedicationStatement></component>`,
    `<component><PlanStatement><id root="P1"/><text>Status: Seen\nEarliest Recall Date: 2024-09-01\n</text><effectiveTime>
      <center value="20241001"/></effectiveTime></PlanStatement></component>`,
    `<component><RequestStatement><id root="R1"/>${coded('306206005', 'Referral')}</RequestStatement></component>
      <component><NarrativeStatement><id root="D1"/><text>letter</text><reference><referredToExternalDocument/></reference>
      </NarrativeStatement></component><component><LinkSet><id root="L1"/>${coded('394776006', 'Unspecified')}
      <component>${refer('statementRef', 'D1')}</component><conditionNamed>${refer('namedStatementRef', 'R1')}</conditionNamed></LinkSet>
      </component>`,
  ).replace(
    '<author>',
    `<location><locatedEntity><locatedPlace><name>Branch</name><telecom value="tel:0"/><addr use="WP"><postalCode>X</postalCode></addr>
      </locatedPlace></locatedEntity></location><author>`,
  ),
).replace(
  '</agentDirectory>',
  `<part><Agent><id root="ORG"/><code displayName="Practice"/><agentOrganization><name>P</name></agentOrganization></Agent></part></agentDirectory>`,
);

const written = new Map<string, Set<string>>();
const terminology = { ...NO_TERMINOLOGY, isImmunisation: (code: string) => code === '38598009' };
for (const root of [send(everything()).root, vendorExtract(), RARE]) {
  const { resources } = receive(root, { terminology });
  for (const resource of resources)
    written.set(resource.resourceType, new Set([...(written.get(resource.resourceType) ?? []), ...membersOf(resource)]));
}

function membersOf(resource: Resource): string[] {
  return Object.entries(resource).flatMap(([name, value]) => (value === undefined || COMMON.has(name) ? [] : [name]));
}

for (const [type, members] of written)
  test(`the page names every member of ${type} that is written, and no other`, () => {
    const rows = (sections.get(type) ?? '').split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
    assert.equal(new Set(named).size, named.length, 'a member has two rows');
    assert.deepEqual(named.toSorted(), [...members].sort());
  });

test('the page names every concept that claims statements, and no other', () => {
  const rows = (sections.get('# From the HL7 extract to FHIR') ?? '').split('\n').filter((line) => line.startsWith('| `'));
  const named = new Set(rows.map((row) => row.split('`')[1] ?? ''));
  assert.deepEqual([...named].sort(), [...TO_FHIR.keys(), 'consultation'].sort());
});

test('every code, identifier and label that the page names is one of the code', () => {
  const names = [...PAGE.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
  const codes = names.filter((name) => /^[\d.]{5,}$|\.\.|^https:|: $|^[A-Z][a-z]+Type:$/.test(name));
  assert.ok(codes.length > 20, String(codes.length));
  assert.deepEqual(
    codes.filter((code) => !SOURCES.includes(code)),
    [],
  );
});

test('the page names every code of a degrade', () => {
  const degrades = [...SOURCES.matchAll(/\['(1964\d{5,})', 'Transfer-degraded (?!request)/g)].map(([, code]) => code ?? '');
  assert.ok(degrades.length >= 6, String(degrades));
  assert.deepEqual(
    degrades.filter((code) => !PAGE.includes(code)),
    [],
  );
});
