import { Fault } from '../../base/errors.ts';
import { fhirToHl7 } from '../../base/hl7-time.ts';
import type {
  AllergyIntolerance,
  Bundle,
  CodeableConcept,
  Condition,
  Observation,
  Reference,
  Resource,
  Specimen,
} from '../../fhir/types.ts';
import { allergyToHl7 } from '../../record/allergy/to-hl7.ts';
import { bloodPressureToHl7 } from '../../record/blood-pressure/to-hl7.ts';
import { topicCodeOf } from '../../record/consultation/to-hl7.ts';
import { documentToHl7 } from '../../record/document/to-hl7.ts';
import { immunisationToHl7 } from '../../record/immunisation/to-hl7.ts';
import { resultStatements } from '../../record/laboratory/result.ts';
import { specimenStatement } from '../../record/laboratory/specimen.ts';
import { reportToHl7 } from '../../record/laboratory/to-hl7.ts';
import { medicationToHl7 } from '../../record/medication/to-hl7.ts';
import { peopleNotCarried } from '../../record/not-carried.ts';
import { annotationText } from '../../record/observation/annotation.ts';
import { rangeToHl7 } from '../../record/observation/range.ts';
import { commentStatement, valueParts } from '../../record/observation/statement.ts';
import { observationToHl7 } from '../../record/observation/to-hl7.ts';
import { directory } from '../../record/people/directory.ts';
import { NHS_NUMBER_URI } from '../../record/people/terms.ts';
import { agentPart } from '../../record/people/to-hl7.ts';
import { planToHl7 } from '../../record/plan/to-hl7.ts';
import { TRANSFORMED } from '../../record/problem/terms.ts';
import { problemToHl7 } from '../../record/problem/to-hl7.ts';
import { referralToHl7 } from '../../record/referral/to-hl7.ts';
import { codedToHl7, snomedCode, textOrCoding } from '../../record/shared/coded.ts';
import { component } from '../../record/shared/statements.ts';
import { availabilityTime } from '../../record/shared/times.ts';
import type { MapToHl7 } from '../../record/types.ts';
import { at, children, h } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import { writeXml } from '../../xml/write.ts';
import { extractOf } from '../conversion.ts';
import type { BatchCase } from './case.ts';
import type { UnitState } from './unit-state.ts';

/** A case with what its file tells beside the options: how its test is set up. */
export type Told = BatchCase & { readonly madeUpId: string | null; readonly notes: string };

type Operation = (resource: Resource, state: UnitState, asked: Told) => string;

/** What the existing adaptor's tests call one step of its mapping, and what does the same here. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['agent-person', agent],
  ['organization-to-agent', agent],
  ['allergy', statement(allergyToHl7)],
  ['blood-pressure', statement(bloodPressureToHl7)],
  ['codeable-concept/general', (resource) => writeXml(codedToHl7(codeOf(resource)))],
  ['codeable-concept/allergy-active', allergyCode('active')],
  ['codeable-concept/allergy-resolved', allergyCode('resolved')],
  [
    'codeable-concept/problem-header',
    (resource) => writeXml(snomedCode(TRANSFORMED.code, TRANSFORMED.displayName, textOrCoding(codeOf(resource)))),
  ],
  ['codeable-concept/topic-related-problem', (resource) => writeXml(topicCodeOf(codeOf(resource), undefined))],
  ['condition', statement(problemToHl7)],
  ['diagnostic-report', statement(reportToHl7)],
  ['diagnostic-report-observation', reportResult],
  ['diagnostic-report-specimen', reportSpecimen],
  ['document-reference', statement(documentToHl7)],
  ['encounter-components', encounterComponents],
  ['immunization', statement(immunisationToHl7)],
  ['medication-request', statement(medicationToHl7)],
  ['observation-narrative', statement(commentStatement)],
  ['observation-pertinent', (resource, state) => something(annotationText(resource as Observation, [], state))],
  ['observation-statement', statement(observationToHl7)],
  ['observation-value', observationValue],
  ['procedure-request', statement(planToHl7)],
  ['referral-request', statement(referralToHl7)],
]);

/** One handler as an operation. */
function statement<R extends Resource>(map: MapToHl7<R>): Operation {
  return (resource, state, asked) => {
    const statementId = state.statementId(`${resource.resourceType}/${resource.id}`) ?? state.newId();
    const nested = asked.options.nested ?? false;
    const place = { composition: 0, under: nested ? ('topic' as const) : ('composition' as const), statementId };
    return map(resource as R, place, state)
      .map(({ xml }) => writeXml(component(xml, nested)))
      .join('');
  };
}

function agent(resource: Resource, state: UnitState): string {
  // The resource itself goes before one of the same id around it.
  const find = (reference: Reference | string | undefined) => {
    const found = state.find<Resource>(reference);
    return found?.resourceType === resource.resourceType && found.id === resource.id ? resource : found;
  };
  const agents = directory({ find, all: (type) => (type === resource.resourceType ? [resource] : state.all(type)) }, state.newId);
  const reference = { reference: `${resource.resourceType}/${resource.id}` };
  const organisation = resource.resourceType === 'Organization';
  for (const remark of peopleNotCarried([resource])) state.report(remark);
  agents.agent(organisation ? undefined : reference, organisation ? reference : undefined, state);
  return agents
    .agents()
    .map((one) => writeXml(agentPart(one)))
    .join('');
}

function codeOf(resource: Resource): CodeableConcept | undefined {
  return (resource as Condition | Observation).code;
}

/** The code inside an allergy's wrapper. */
function allergyCode(clinicalStatus: 'active' | 'resolved'): Operation {
  return (resource, state) => {
    const allergy = { ...(resource as AllergyIntolerance), clinicalStatus, category: ['environment'] };
    const place = { composition: 0, under: 'composition' as const, statementId: state.newId() };
    const code = at(allergyToHl7(allergy, place, state)[0]?.xml, 'component', 'ObservationStatement', 'code');
    return code ? writeXml(code) : '';
  };
}

function observationValue(resource: Resource): string {
  const observation = resource as Observation;
  const ranges = (observation.referenceRange ?? []).map((range) => rangeToHl7(range));
  const parts = ranges.length ? ranges : valueParts(observation);
  return something(parts.map((part) => (part ? writeXml(part) : '')).join(''));
}

/** Those operations refuse what they have no words for. */
function something(text: string): string {
  if (text === '') throw new Fault('batch.operation', 'a value of a type that is not written here');
  return text;
}

/** A result as it stands under its specimen. The report around it is told in the notes of the case. */
function reportResult(resource: Resource, state: UnitState, { notes }: Told): string {
  const named = /result refers to (\S+?)\.?$/m.exec(notes)?.[1];
  const reference = `${resource.resourceType}/${resource.id}`;
  const inside = { s: state, mine: () => true, written: new Set<Observation>() };
  return resultStatements(resource as Observation, state.statementId(reference) ?? state.newId(), inside, reference !== named)
    .map((xml) => writeXml(component(xml, true)))
    .join('');
}

/** A specimen with one result that stands for any. */
function reportSpecimen(resource: Resource, state: UnitState, { notes }: Told): string {
  const issued = fhirToHl7(/DiagnosticReport issued (\S+?);/.exec(notes)?.[1] ?? '');
  const times = { issued, available: availabilityTime(issued) };
  const statementId = state.statementId(`${resource.resourceType}/${resource.id}`) ?? state.newId();
  const xml = specimenStatement(resource as Specimen, statementId, [h('ObservationStatement')], times, state);
  return writeXml(component(xml, true));
}

/** What stands inside the first consultation of a small record. */
function encounterComponents(resource: Resource, state: UnitState, asked: BatchCase): string {
  const nhsNumber = '9000000009';
  const patient = { resourceType: 'Patient', id: 'patient', identifier: [{ system: NHS_NUMBER_URI, value: nhsNumber }] };
  const entries = unpack(resource).filter(({ resourceType }) => resourceType !== 'Patient');
  const around = [...agentsIn(entries)].map(([resourceType = '', id = '']) => ({ resourceType, id }));
  const bundle: Bundle = { resourceType: 'Bundle', entry: [patient, ...entries, ...around].map((one) => ({ resource: one })) };
  const request = { nhsNumber, requestId: state.newId(), fromOds: 'A', toOds: 'B', now: new Date(0) };
  const { redactions = false } = asked.options;
  const converted = extractOf(bundle, request, { redactions, newId: state.newId, documents: state.document });
  if ('refused' in converted) throw new Fault(`record.${converted.refused}`, converted.text);
  for (const issue of converted.report.issues) state.report(issue);
  // A consultation without entries is nothing, in a record of its own too.
  if (!converted.report.counts.some(({ kind, out }) => kind === 'Encounter' && out > 0)) return '';
  const composition = at(readXml(converted.extract), 'component', 'ehrFolder', 'component', 'ehrComposition');
  return children(composition, 'component').map(writeXml).join('');
}

/** Type and id of everyone whom a small record names: it seldom has them. A double of one that it has is passed over. */
function* agentsIn(value: unknown): Generator<string[]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'reference' && typeof member === 'string' && /^(Practitioner|Organization)\//.test(member)) yield member.split('/');
    else yield* agentsIn(member);
  }
}

/** The resources of a bundle, or the resource itself. */
export function unpack(resource: Resource): Resource[] {
  const entries = 'entry' in resource && Array.isArray(resource.entry) ? resource.entry : null;
  return entries ? entries.flatMap((entry: { resource?: Resource }) => entry.resource ?? []) : [resource];
}
