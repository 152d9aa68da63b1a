/** What survives a transfer, element by element: counted over records, and as the page `docs/round-trip.md`. */
import type { Bundle } from '../fhir/types.ts';
import { KEEPING, TECHNICAL, whyKeeping } from './testing-clinical.ts';
import { everything } from './testing-everything.ts';
import { type Fate, followed, hop, resourcesOf } from './testing-hops.ts';
import { NHS_NUMBER } from './testing-record.ts';
import { releaseOf } from './testing-release.ts';

export type Row = Record<Fate, number> & { example?: string };
export type Table = Map<string, Row>;
export type Record3 = { readonly bundle: Bundle; readonly nhsNumber?: string; readonly ods: string };
/** One table a hop. */
export type Tables = readonly [first: Table, second: Table, third: Table];

export const emptyTables = (): Tables => [new Map(), new Map(), new Map()];

/** Three hops of a record, every fact of each counted. Each receiver has a release that knows the codes of the record. */
export function count({ bundle, nhsNumber, ods }: Record3, tables: Tables): void {
  const release = releaseOf(resourcesOf(bundle));
  let leaving = bundle;
  for (const [at, table] of tables.entries()) {
    const moved = hop(leaving, at + 1, { ...(nhsNumber !== undefined && { nhsNumber }), ods }, release);
    for (const { resource, fact, fate } of followed(moved)) {
      const row = table.get(fact.element) ?? { kept: 0, words: 0, lost: 0 };
      row[fate]++;
      if (fate !== 'kept') row.example ??= `${resource.resourceType}/${resource.id} ${fact.at} ${fact.value}`;
      table.set(fact.element, row);
    }
    leaving = moved.bundle;
  }
}

/** How many facts there are, and how many arrive equal; of clinical facts only. */
export function clinical(table: Table): { readonly facts: number; readonly equal: number } {
  const rows = [...table].flatMap(([element, row]) => (whyKeeping(element) === undefined ? [row] : []));
  return {
    facts: rows.reduce((sum, { kept, words, lost }) => sum + kept + words + lost, 0),
    equal: rows.reduce((sum, { kept }) => sum + kept, 0),
  };
}

/** Clinical elements that do not always arrive equal. */
export const losses = (table: Table) =>
  [...table].filter(([element, { words, lost }]) => words + lost > 0 && whyKeeping(element) === undefined);

/** The three hops of the record that has everything. */
export function tablesOfEverything(): Tables {
  const tables = emptyTables();
  count({ bundle: everything(), nhsNumber: NHS_NUMBER, ods: 'A12345' }, tables);
  return tables;
}

/** Why clinical elements do not arrive equal; the first that fits. An element without a reason fails the test. */
const REASONS: readonly (readonly [element: RegExp, why: string])[] = [
  [/\.note\.time$|\.note\.authorReference$/, 'Notes are words in an extract: who wrote one and when is not told, a referral’s apart.'],
  [
    /^AllergyIntolerance\.code\.code$/,
    'An ended allergy goes without its code, which would warn for ever: receivers take every allergy for active.',
  ],
  [/^AllergyIntolerance\.reaction\./, 'Reactions are words; so are their manifestations.'],
  [/^Observation\.code\.(code|words)$/, 'One SNOMED code travels; a second one of the same entry is lost.'],
  [/^Observation\.category/, 'Only what stands in a laboratory report has a category.'],
  [
    /^Observation\.component\./,
    'Components of anything but a blood pressure are words in one line; the codes of what they are have no place there.',
  ],
  [/^Observation\.valueCodeableConcept/, 'A coded value is words; its code stands in them.'],
  [/^Observation\.(bodySite|method|interpretation|dataAbsentReason)/, 'Words; HL7’s statement has no place for it that receivers read.'],
  [/^Observation\.performer$/, 'Who wrote a comment inside a report: its narrative names nobody.'],
  [/^Observation\.referenceRange\.(type|appliesTo|age)/, 'A range has numbers and a text; whom it is for has no place.'],
  [/^Observation\.(device|basedOn|specimen)/, 'No place in a statement.'],
  [/^Immunization\.(site|vaccineCode|route|reportOrigin|explanation)/, 'Words; the code behind them has no place.'],
  [/^Immunization\.(reaction|vaccinationProtocol)/, 'No place in a statement; what a protocol says in words is kept.'],
  [/^Medication\.(form|package)/, 'A product is its code.'],
  [/^MedicationRequest\.status$/, 'An issue is a supply that took place: receivers take every one for completed.'],
  [/^MedicationRequest\.(category|priority|reason|substitution)/, 'No place in a supply.'],
  [
    /^MedicationRequest\.(dosageInstruction|dispenseRequest)/,
    'The dose travels as it was written; its structured form and who is to dispense have no place.',
  ],
  [/^MedicationStatement\./, 'A statement is made again from its plan; what it says beyond that has no place.'],
  [/^Condition\.(extension\(Episodicity\)|stage|evidence)/, 'No place in a link set.'],
  [/^ProcedureRequest\.status$/, 'That a plan is active is not said: the existing adaptor has no word for it, and receivers say unknown.'],
  [/^ProcedureRequest\./, 'Words in the plan’s text, or no place.'],
  [/^ReferralRequest\./, 'Words in the request’s text, or no place: a request has one date, one recipient and no links.'],
  [/^DiagnosticReport\./, 'A report has one date, and no place for pictures.'],
  [/^Specimen\./, 'No place in a specimen role; what is taken from whom and when is kept.'],
  [/^DocumentReference\.type/, 'The kind of a document is words; the code of every external document is the same.'],
  [/^DocumentReference\.content/, 'One file a statement; the others are reported as missing.'],
  [/^DocumentReference\./, 'No place in a narrative.'],
];

export const reasonFor = (element: string) => REASONS.find(([pattern]) => pattern.test(element))?.[1];

/**
 * What public records lose beside that, and why; the first that fits. They are records of demonstrators and of suppliers' test systems,
 * with shapes that a synthetic record does not have.
 */
export const SEEN_IN_PUBLIC: readonly (readonly [element: RegExp, why: string])[] = [
  [
    /^MedicationRequest\./,
    'An issue that was stopped is not carried at all, with all that it says: it would arrive as one that took place. A type of prescription that nobody knows is sent as a repeat.',
  ],
  [
    /^MedicationStatement\./,
    'It is made again from its plan and the issues that are carried; what it says beyond them or otherwise has no place.',
  ],
  [/^Medication\.code/, 'A code of a system without an OID cannot be sent; a medicine that nothing names is not carried.'],
  [/^QuestionnaireResponse\./, 'A questionnaire is a view of observations, which are carried each; no statement of an extract is one.'],
  [
    /^Observation\.related/,
    'A link to a questionnaire; of a result to its comment, where the comment says it too; of any other kind than member and origin.',
  ],
  [
    /^Observation\.(status|effectiveDateTime|effectivePeriod)/,
    'Receivers take a comment inside a report without its date, and for as certain as the report.',
  ],
  [/^Observation\.valueCodeableConcept/, 'A value beside a comment is words.'],
  [/^Observation\.interpretation/, 'A code of a table that receivers do not read is words, and so is one beside a comment.'],
  [
    /^Observation\.(code|component|bodySite|referenceRange|comment)/,
    'Told in words of one line; codes, and line ends inside them, have no place there.',
  ],
  [
    /^(Observation|Specimen)\.(specimen|status|type|receivedTime|collection)/,
    'Only what a report holds has a specimen; one that stands in no report has no statement.',
  ],
  [
    /^Condition\.(code|extension\(ActualProblem\))/,
    'A problem that is an allergy, a vaccination or a medicine: receivers take only an observation for what a problem is, so one is made of its words.',
  ],
  [
    /^Condition\.extension\((RelatedClinicalContent|RelatedProblemHeader)\)/,
    'A link to a consultation or a heading: problems are linked with entries, and with those above and below them; siblings are told in words.',
  ],
  [
    /^List\./,
    'A heading is linked with one problem, which stands in its composition. Entries that are words, questionnaires or nothing carried are not listed; nor is a consultation of nothing.',
  ],
  [
    /\.(context|encounter)$|\(encounter-associatedEncounter\)$/,
    'A consultation that does not list an entry: the entry is carried, outside of it.',
  ],
  [
    /^Encounter\./,
    'A consultation of which nothing can be carried is left out, with all that it says. Its length, its state, and whoever took part beside recorder and performer have no place.',
  ],
  [
    /^DocumentReference\.(masterIdentifier|securityLabel|content\.attachment\.title)/,
    'No place in a narrative; a title there says why the file is missing.',
  ],
  [/^ReferralRequest\./, 'One recipient has a place; the others, and what it is about, are words.'],
  [
    /^Immunization\.(practitioner|note)/,
    'Only who gave it has a place; and a note that begins like a label of ours is read as what the label says.',
  ],
  [/\.code\.description$/, 'A description that the next release does not know is words.'],
  [
    /^DiagnosticReport\.(basedOn|result|category)/,
    'A result that stands in two reports stands in the first. What was ordered, and a kind other than laboratory, have no place.',
  ],
];

export const publicReasonFor = (element: string) => SEEN_IN_PUBLIC.find(([pattern]) => pattern.test(element))?.[1] ?? reasonFor(element);

const percent = ({ facts, equal }: { facts: number; equal: number }) => `${(Math.floor((equal / facts) * 1e5) / 1e3).toFixed(3)} %`;

/** `docs/round-trip.md`. `records` is how many synthetic records were counted. */
export function page(tables: Tables, records: number): string {
  const whole = tablesOfEverything();
  const [first, second, third] = tables.map(clinical);
  const names = [...new Set([...tables[0].keys(), ...whole[0].keys()])].filter((one) => whyKeeping(one) === undefined).sort();
  const keeping = [...new Set([...tables[0].keys(), ...whole[0].keys()])].flatMap((one) => whyKeeping(one) ?? []);
  return [
    '# What survives a transfer',
    '',
    'Made by `npm run round-trip`; tests hold it to the code. A record goes from practice to practice: bundle, extract, bundle, three times.',
    `Counted over ${records} synthetic records: **${percent(first ?? NONE)} of their ${first?.facts} clinical facts arrive equal**; of what arrived,`,
    `${percent(second ?? NONE)} arrive equal at the next practice and ${percent(third ?? NONE)} at the one after that.`,
    '',
    'A fact is any leaf of a resource, followed to the same element of the resource that it arrived as: value and unit, code and words, date,',
    'status, who, and links by what they lead to. Each receiver has a terminology release. *Full* is one record in which every type has',
    'every member with a clinical use. *Words*: the fact stands in a text of the entry, no longer in its own element.',
    '',
    '| Element | Facts | Equal | Words | Lost | Full | Why not equal |',
    '|---|---|---|---|---|---|---|',
    ...names.map((name) => line(name, tables[0].get(name), whole[0].get(name))),
    '',
    '## Seen in public records only',
    '',
    'What the public records of demonstrators and of suppliers’ test systems lose where synthetic ones do not. A test holds the list to them',
    'where they lie beside the checkout. At the second and third practice nothing of theirs is lost.',
    '',
    ...SEEN_IN_PUBLIC.map(([pattern, why]) => `- \`${readable(pattern)}\`: ${why}`),
    '',
    '## Not counted as clinical',
    '',
    'Followed as well, and kept where there is a place; but they say nothing of the patient’s health or care.',
    '',
    ...KEEPING.filter(([, why]) => keeping.includes(why)).map(([pattern, why]) => `- \`${readable(pattern)}\`: ${why}`),
    '',
    'No facts at all:',
    '',
    ...[...TECHNICAL].map(([name, why]) => `- \`${name}\`: ${why}`),
    '',
  ].join('\n');
}

const NONE = { facts: 1, equal: 0 };

function line(name: string, row: Row | undefined, whole: Row | undefined): string {
  const { kept = 0, words = 0, lost = 0 } = row ?? {};
  const full = whole ? (whole.lost ? 'lost' : whole.words ? 'words' : 'equal') : '';
  const why = words + lost > 0 || (full !== 'equal' && full !== '') ? (reasonFor(name) ?? 'unknown') : '';
  const cells = row ? [kept + words + lost, kept, words || '', lost || ''] : ['', '', '', ''];
  return `| \`${name}\` | ${[...cells, full, why].join(' | ')} |`;
}

const readable = (pattern: RegExp) => pattern.source.replaceAll('\\', '').replace(/^\^/, '').replace(/\$$/, '').replaceAll('|', ' or ');
