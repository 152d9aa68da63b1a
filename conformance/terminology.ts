/**
 * The terms that the goldens were made with, as snapshot files of a SNOMED CT release: their own system read a release that is not
 * beside them, and what it looked up stands in what it wrote. Only for comparing; nobody's record is read with it.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CodeableConcept, Coding } from '../src/fhir/types.ts';
import { WELL_KNOWN } from '../src/terminology/immunisations.ts';

/** What one release knows, as far as the goldens show it. */
type Terms = {
  /** Preferred term by concept. */
  readonly preferred: Map<string, string>;
  /** Concept and term by description. */
  readonly descriptions: Map<string, { readonly concept: string; readonly term: string }>;
  readonly immunisations: Set<string>;
};

/** Writes the files into `folder` and says how many terms they hold. */
export function writeTerms(fixtures: string, folder: string): { readonly concepts: number; readonly descriptions: number } {
  const terms: Terms = { preferred: new Map(), descriptions: new Map(), immunisations: new Set() };
  for (const golden of goldensIn(fixtures)) harvest(JSON.parse(readFileSync(golden, 'utf8')), terms);
  mkdirSync(folder, { recursive: true });
  const descriptions = rowsOfDescriptions(terms);
  const concepts = [...new Set([...terms.preferred.keys(), ...terms.immunisations, ...WELL_KNOWN])];
  write(
    folder,
    'sct2_Concept_MONOSnapshot_GB',
    CONCEPT,
    concepts.map((id) => [id, DATE, '1', MODULE, DEFINED]),
  );
  write(
    folder,
    'sct2_Description_MONOSnapshot-en_GB',
    DESCRIPTION,
    descriptions.map(({ id, concept, term }) => [id, DATE, '1', MODULE, concept, 'en', SYNONYM, term, CASE]),
  );
  write(
    folder,
    'der2_cRefset_LanguageMONOSnapshot-en_GB',
    LANGUAGE,
    descriptions.map(({ id, preferred }, at) => [`row-${at}`, DATE, '1', MODULE, NHS_CLINICAL, id, preferred ? PREFERRED : ACCEPTABLE]),
  );
  const below = [...terms.immunisations, ...WELL_KNOWN].filter((id) => id !== IMMUNISATION);
  write(
    folder,
    'sct2_Relationship_MONOSnapshot_GB',
    RELATIONSHIP,
    below.map((id, at) => [`${9_000_000 + at}028`, DATE, '1', MODULE, id, IMMUNISATION, '0', IS_A, INFERRED, SOME]),
  );
  return { concepts: terms.preferred.size, descriptions: descriptions.length };
}

/** Whole records that were made with a release. */
function goldensIn(fixtures: string): string[] {
  return globSync(['to-fhir/**/case.json', 'large-message/**/case.json'], { cwd: fixtures }).flatMap((file) => {
    const { tier, expected } = JSON.parse(readFileSync(join(fixtures, file), 'utf8')) as { tier?: string; expected?: string };
    const golden = join(fixtures, dirname(file), expected ?? '');
    return tier === 'full' && expected?.endsWith('.json') && existsSync(golden) ? [golden] : [];
  });
}

function harvest(value: unknown, terms: Terms, within = ''): void {
  if (Array.isArray(value)) for (const one of value) harvest(one, terms, within);
  else if (typeof value === 'object' && value !== null) {
    const type = 'resourceType' in value && typeof value.resourceType === 'string' ? value.resourceType : within;
    if ('coding' in value) learn(value as CodeableConcept, type, terms);
    for (const inner of Object.values(value)) harvest(inner, terms, type);
  }
}

function learn(concept: CodeableConcept, type: string, terms: Terms): void {
  for (const coding of concept.coding ?? []) {
    // One extract has a slip of the pen in SNOMED's OID, and its vaccination was known all the same.
    if (type === 'Immunization' && coding.code && /snomed|2\.16\.840\.1\.113883\.2\.1\.3\.2\.3\.15$/.test(coding.system ?? ''))
      terms.immunisations.add(coding.code);
    if (coding.system !== 'http://snomed.info/sct' || !coding.code || !coding.display) continue;
    const chosen = chosenIn(coding);
    // Known terms are always told with the words of the user; a concept that was not found has neither.
    const known = type === 'Medication' ? concept.text !== undefined : chosen !== undefined;
    if (!known) continue;
    if (!terms.preferred.has(coding.code)) terms.preferred.set(coding.code, coding.display);
    if (chosen?.id) terms.descriptions.set(chosen.id, { concept: coding.code, term: chosen.term ?? coding.display });
  }
}

/** The description by which a concept was chosen. */
function chosenIn(coding: Coding): { readonly id: string | undefined; readonly term: string | undefined } | undefined {
  const parts = coding.extension?.find(({ url }) => url?.endsWith('Extension-coding-sctdescid'))?.extension;
  if (!parts) return undefined;
  const part = (name: string) => parts.find(({ url }) => url === name);
  return { id: part('descriptionId')?.valueId, term: part('descriptionDisplay')?.valueString };
}

type Row = { readonly id: string; readonly concept: string; readonly term: string; readonly preferred: boolean };

/** A preferred term whose description no golden names gets an id that no release has. */
function rowsOfDescriptions({ preferred, descriptions }: Terms): Row[] {
  const rows = [...descriptions].map(([id, { concept, term }]): Row => ({ id, concept, term, preferred: preferred.get(concept) === term }));
  const told = new Set(rows.filter((row) => row.preferred).map(({ concept }) => concept));
  const others = [...preferred].filter(([concept]) => !told.has(concept));
  return [...rows, ...others.map(([concept, term], at): Row => ({ id: `${990_000_000 + at}010`, concept, term, preferred: true }))];
}

function write(folder: string, name: string, columns: string, rows: readonly (readonly string[])[]): void {
  const lines = [columns.split(' '), ...rows].map((row) => `${row.join('\t')}\r\n`);
  writeFileSync(join(folder, `${name}_${DATE}.txt`), lines.join(''));
}

const DATE = '20250101';
const MODULE = '999000041000000102';
const DEFINED = '900000000000073002';
const SYNONYM = '900000000000013009';
const CASE = '900000000000448009';
const NHS_CLINICAL = '999001261000000100';
const PREFERRED = '900000000000548007';
const ACCEPTABLE = '900000000000549004';
const IS_A = '116680003';
const INFERRED = '900000000000011006';
const SOME = '900000000000451002';
const CONCEPT = 'id effectiveTime active moduleId definitionStatusId';
const DESCRIPTION = 'id effectiveTime active moduleId conceptId languageCode typeId term caseSignificanceId';
const LANGUAGE = 'id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId';
const RELATIONSHIP = 'id effectiveTime active moduleId sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId';

/** The root under which the goldens' own vaccinations are put. */
const IMMUNISATION = '787859002';
