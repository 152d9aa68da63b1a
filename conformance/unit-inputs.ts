/**
 * The fragments that an existing adaptor's unit tests read: each is put into the smallest extract that holds it, has to map without a
 * fault of ours, and to become what its test asserts, as far as the rules are the same. `unit-inputs.json` has the claims, by file.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../src/base/errors.ts';
import { bundleOf } from '../src/cli/conversion.ts';
import { builtInTerminology } from '../src/terminology/built-in.ts';
import { readXml } from '../src/xml/read.ts';
import type { RunnerResult } from './run.ts';
import { wrongWith } from './unit-claims.ts';

type Table = Readonly<Record<string, readonly string[]>>;

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'to-fhir', 'unit-inputs');
  const table = JSON.parse(readFileSync(join(import.meta.dirname, 'unit-inputs.json'), 'utf8')) as Table;
  const files = globSync('**/*.xml', { cwd: folder })
    .map((file) => file.replaceAll('\\', '/'))
    .sort();
  const failures = files.flatMap((file) => {
    try {
      return troubles(file, readFileSync(join(folder, file), 'utf8'), table[file] ?? []).map((trouble) => `${file}: ${trouble}`);
    } catch (thrown) {
      return [`${file}: ${reasonOf(thrown)}`];
    }
  });
  failures.push(...Object.keys(table).flatMap((file) => (files.includes(file) ? [] : [`${file}: not there`])));
  const failed = new Set(failures.map((failure) => failure.slice(0, failure.indexOf(': ')))).size;
  return { name: 'unit-inputs', passed: files.length - failed, failed, failures };
}

function troubles(file: string, text: string, claims: readonly string[]): string[] {
  const xml = text.replace(/^\uFEFF/, '').replace(/<\?.*?\?>|<!--.*?-->/gs, '');
  const extract = extractAround(xml.trim());
  if (extract === null) return claims.length ? ['claims about what is no part of an extract'] : [];
  const root = readXml(extract);
  const source = readXml(extract);
  let drawn = 0;
  // Those tests' look-up finds every code.
  const terminology = /immuni[sz]ation/i.test(file) ? { ...builtInTerminology, isImmunisation: () => true } : builtInTerminology;
  const converted = bundleOf(root, { losingPractice: 'LOSING', terminology, newId: () => `new-${drawn++}` });
  if ('refused' in converted) return [`refused: ${converted.text}`];
  const faults = converted.report.issues.filter(({ code }) => code === 'statement.asText').map(({ text: words }) => words);
  const resources = (converted.bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
  return [...faults, ...claims.flatMap((claim) => wrongWith(claim, resources, source) ?? [])];
}

const NAMESPACES = 'xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

/** The smallest extract around a fragment; null for what is none of an extract's parts. */
function extractAround(xml: string): string | null {
  const [, root = ''] = /^<([\w:.-]+)/.exec(xml) ?? [];
  switch (root) {
    case 'EhrExtract':
    case 'RCMR_IN030000UK06':
      return xml;
    case 'ehrComposition':
      return extract(xml);
    case 'patient':
      return extract('', '', xml);
    case 'agentDirectory':
      return extract('', `<responsibleParty>${xml}</responsibleParty>`);
    case 'addr':
    case 'telecom':
      return extract('', directory(`<agentOrganization>${xml}</agentOrganization>`));
    case 'value':
      return extract(composition(`<ObservationStatement><id root="OBSERVATION"/>${xml}</ObservationStatement>`));
    case 'ehrSupplyAuthorise':
      return extract(composition(`<MedicationStatement moodCode="INT"><component>${xml}</component></MedicationStatement>`));
    case 'CompoundStatement':
    case 'MedicationStatement':
    case 'NarrativeStatement':
    case 'ObservationStatement':
      return extract(composition(xml));
    default:
      return null;
  }
}

function extract(compositions: string, people = '', patient = '<patient><id extension="9000000009"/></patient>'): string {
  return `<EhrExtract ${NAMESPACES}><recordTarget>${patient}</recordTarget><component><ehrFolder>${people}<component>${compositions}</component>
    </ehrFolder></component></EhrExtract>`;
}

const directory = (agent: string) =>
  `<responsibleParty><agentDirectory><part><Agent><id root="AGENT"/>${agent}</Agent></part></agentDirectory></responsibleParty>`;

const composition = (statement: string) =>
  `<ehrComposition><id root="COMPOSITION"/><availabilityTime value="20240310103000"/><author><time value="20240310103500"/>
    <agentRef><id root="AUTHOR"/></agentRef></author><component>${statement}</component></ehrComposition>`;
