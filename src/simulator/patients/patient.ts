import type { Bundle } from '../../fhir/types.ts';
import { type Chance, makeChance, testNhsNumber } from './chance.ts';
import { type Chart, entriesOf, plusDays, type Ref } from './chart.ts';
import { addRecordLists, type Heading, openConsultation, type Topic } from './consultations.ts';
import { addDocument, documentSize, type PatientDocument } from './documents.ts';
import {
  addAllergy,
  addBloodPressure,
  addComment,
  addImmunisation,
  addLifestyle,
  addMeasurement,
  addObservation,
  addProblem,
  addRecall,
  addReferral,
  type Occasion,
} from './items.ts';
import { addLaboratoryReport } from './laboratory.ts';
import { addMedication } from './medication.ts';
import { addPeople, makePerson, type Person } from './people.ts';
import { COMPLAINTS, DRUGS, PROBLEMS, type Term } from './words.ts';

export type PatientOptions = {
  /** The same seed and the same options give the same bytes. */
  readonly seed: number;
  /** The practice whose system holds the record. */
  readonly ods: string;
  readonly practiceName?: string;
  /** Left out, 32: the national mean. */
  readonly documents?: number;
  /** Size of each document; left out, the national spread (median 40 kB, mean 0.67 MB). */
  readonly documentBytes?: number;
  /** Consultations over the years; left out, 40 to 80. */
  readonly consultations?: number;
  /** Nothing was ever entered outside a consultation: no allergy, repeat, result or vaccination of other days. */
  readonly consultationsOnly?: boolean;
  /** Day the record ends (FHIR date); a constant where left out, since a seed must not meet a clock. */
  readonly asOf?: string;
};
export type SyntheticPatient = {
  readonly nhsNumber: string;
  readonly person: Person;
  readonly bundle: Bundle;
  readonly documents: readonly PatientDocument[];
};

/** A patient who never was, with a record of some years as a GP system gives it over GP Connect (STU3). */
export function makePatient(options: PatientOptions): SyntheticPatient {
  const chance = makeChance(options.seed);
  const asOf = new Date(`${options.asOf ?? '2026-01-05'}T12:00:00Z`);
  const person = makePerson(chance, testNhsNumber(1_000 + options.seed), asOf);
  const ref = (type: string): Ref => ({ reference: `${type}/${chance.uuid()}` });
  const chart: Chart = {
    chance,
    patient: ref('Patient'),
    practice: {
      ods: options.ods,
      name: options.practiceName ?? `Surgery ${options.ods}`,
      organisation: ref('Organization'),
      location: ref('Location'),
    },
    staff: [ref('Practitioner'), ref('Practitioner'), ref('Practitioner'), ref('Practitioner')],
    resources: [],
    lists: new Map(),
    asOf,
  };
  addPeople(chart, person);
  const documents = addHistory(chart, person, options);
  addRecordLists(chart);
  return {
    nhsNumber: person.nhsNumber,
    person,
    documents,
    bundle: {
      resourceType: 'Bundle',
      id: chance.uuid(),
      meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-StructuredRecord-Bundle-1'] },
      type: 'collection',
      entry: entriesOf(chart.resources),
    },
  };
}

type Problem = ReturnType<typeof addProblem>;

function addHistory(chart: Chart, person: Person, options: PatientOptions): PatientDocument[] {
  const { chance, asOf } = chart;
  const years = Math.min(20, Math.max(1, asOf.getUTCFullYear() - Number(person.birthDate.slice(0, 4)) - 1));
  const visits = options.consultations ?? chance.between(40, 80);
  const letters = options.documents ?? 32;
  const documents: PatientDocument[] = [];
  const problems: Problem[] = [];
  const fresh = chance.some(PROBLEMS, 6);
  for (const at of moments(chance, asOf, years, visits)) {
    const { on, close } = openConsultation(chart, at, chance.pick(chart.staff));
    const topics: Topic[] = [];
    for (let i = chance.happens(0.25) ? 2 : 1; i > 0; i--) topics.push(addTopic(chart, on, problems, fresh));
    if (documents.length < letters && chance.happens(0.5)) {
      const { ref, document } = addDocument(chart, on, options.documentBytes ?? documentSize(chance));
      documents.push(document);
      topics.push({ title: null, problem: null, headings: [{ title: 'Document', items: [ref] }] });
    }
    close(topics);
  }
  // What was entered outside any consultation: letters scanned at the desk, results, an old allergy that came degraded.
  const desk = (): Occasion => ({ at: plusDays(asOf, -chance.between(1, years * 365)), by: chart.staff[0], encounter: null });
  while (documents.length < letters) documents.push(addDocument(chart, desk(), options.documentBytes ?? documentSize(chance)).document);
  if (!options.consultationsOnly) addOtherEntries(chart, desk);
  for (const problem of problems) problem.finish();
  return documents;
}

function addOtherEntries(chart: Chart, desk: () => Occasion): void {
  const { chance } = chart;
  addAllergy(chart, desk(), 'drug');
  addAllergy(chart, desk(), 'other');
  addAllergy(chart, desk(), 'degraded');
  for (let i = chance.between(2, 5); i > 0; i--) addLaboratoryReport(chart, desk());
  for (let i = chance.between(2, 6); i > 0; i--) addImmunisation(chart, desk());
  for (const drug of chance.some(DRUGS, 4)) addMedication(chart, desk(), drug);
  addRecall(chart, desk());
  addReferral(chart, desk());
  addBloodPressure(chart, desk());
}

/** What one reason for coming leads to: headings with their entries, and links to the problem it was about. */
function addTopic(chart: Chart, on: Occasion, problems: Problem[], fresh: Term[]): Topic {
  const { chance } = chart;
  const headings: Heading[] = [];
  const enter = (title: string, ...items: Ref[]): void => {
    headings.push({ title, items });
  };
  let problem: Problem | null = null;
  const term = chance.happens(0.15) ? fresh.pop() : undefined;
  if (term) {
    problem = addProblem(chart, on, term);
    problems.push(problem);
    enter('Problem', problem.observation, problem.condition);
  } else if (problems.length && chance.happens(0.4)) {
    problem = chance.pick(problems);
  }
  enter('History', ...(chance.happens(0.6) ? [addObservation(chart, on, chance.pick(COMPLAINTS))] : []), addComment(chart, on));
  if (chance.happens(0.6)) {
    const found = [chance.happens(0.5) ? addBloodPressure(chart, on) : addMeasurement(chart, on)];
    if (chance.happens(0.4)) found.push(addMeasurement(chart, on));
    enter('Examination', ...found);
  }
  if (chance.happens(0.1)) enter('Social', addLifestyle(chart, on));
  if (chance.happens(0.35)) enter('Medication', ...addMedication(chart, on, chance.pick(DRUGS)));
  if (chance.happens(0.12)) enter('Result', addLaboratoryReport(chart, on));
  if (chance.happens(0.06)) enter('Immunisation', addImmunisation(chart, on));
  if (chance.happens(0.06)) enter('Referral', addReferral(chart, on));
  if (chance.happens(0.08)) enter('Follow up', addRecall(chart, on));
  if (chance.happens(0.02)) enter('Allergy', addAllergy(chart, on, 'drug'));
  if (problem)
    for (const item of headings.flatMap((heading) => heading.items))
      if (item !== problem.observation && item !== problem.condition && chance.happens(0.7)) problem.link(item);
  return { title: chance.happens(0.2) ? 'Review' : null, problem: problem?.condition ?? null, headings };
}

/** Times of visits in order, in opening hours. */
function moments(chance: Chance, asOf: Date, years: number, count: number): Date[] {
  const list = Array.from({ length: count }, () => {
    const day = plusDays(asOf, -chance.between(1, years * 365));
    day.setUTCHours(chance.between(8, 17), chance.between(0, 59), chance.between(0, 59), chance.between(0, 999));
    return day;
  });
  return list.sort((a, b) => a.getTime() - b.getTime());
}
