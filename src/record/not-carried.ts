/**
 * What of a resource that was carried stays behind, because an extract has no place for it and no words tell it. What depends on a
 * concept's own rules the concept reports; here stands what never travels, one table for all types.
 */
import { fhirToHl7 } from '../base/hl7-time.ts';
import type {
  DiagnosticReport,
  Encounter,
  MedicationRequest,
  MedicationStatement,
  Observation,
  ProcedureRequest,
  Reference,
  Resource,
} from '../fhir/types.ts';
import { attempt, listOf } from './bundle-index.ts';
import { isCommentNote } from './observation/terms.ts';
import { PRIMARY_PERFORMER, RECORDER } from './people/terms.ts';
import type { Remark } from './types.ts';

type Find = (reference: Reference | string | undefined) => Resource | undefined;

/** One remark that names all of it; none where everything is carried. */
export function notCarried(resource: Resource, find: Find): Remark[] {
  const members = (MEMBERS[resource.resourceType] ?? []).filter(([path]) => has(resource, path.split('.'))).map(([, words]) => words);
  const further = attempt(() => FURTHER[resource.resourceType]?.(resource, find) ?? [], []);
  const lost = [...members, ...further];
  return lost.length ? [{ code: 'value.lost', text: `Not carried: ${lost.join(', ')}.` }] : [];
}

/** By type: members (`a.b`: of one of several `a`) that no statement and no words carry, as a reader calls them. */
const MEMBERS: Readonly<Record<string, readonly (readonly [path: string, words: string])[]>> = {
  DiagnosticReport: [
    ['basedOn', 'the order that it answers'],
    ['category', 'its kind'],
    ['effectiveDateTime', 'the time that it is about'],
    ['effectivePeriod', 'the time that it is about'],
    ['presentedForm', 'the report as a file'],
    ['image', 'its images'],
    ['imagingStudy', 'its imaging study'],
  ],
  DocumentReference: [
    ['docStatus', 'the state of the document'],
    ['relatesTo', 'which document it replaces or belongs to'],
    ['authenticator', 'who authenticated it'],
    ['class', 'its class'],
    ['context.event', 'the event that it is about'],
    ['context.period', 'the time that it is about'],
  ],
  Encounter: [
    ['length', 'how long it took'],
    ['reason', 'the reason for it'],
    ['diagnosis', 'its diagnoses'],
    ['priority', 'its priority'],
    ['hospitalization', 'the stay in hospital'],
    ['episodeOfCare', 'the episode that it belongs to'],
    ['incomingReferral', 'the referral that led to it'],
    ['appointment', 'its appointment'],
  ],
  MedicationRequest: [
    ['substitution', 'whether another product may be given'],
    ['detectedIssue', 'warnings about it'],
  ],
  MedicationStatement: [
    ['reasonCode', 'the reason'],
    ['reasonReference', 'the reason'],
    ['reasonNotTaken', 'why it is not taken'],
    ['informationSource', 'who said so'],
    ['derivedFrom', 'what it is derived from'],
  ],
  Observation: [
    ['basedOn', 'the order that it answers'],
    ['device', 'the device'],
    ['referenceRange.type', 'what its range means'],
    ['referenceRange.appliesTo', 'to whom its range applies'],
    ['referenceRange.age', 'the age that its range is for'],
    ['component.referenceRange.type', 'what the range of a part means'],
    ['component.referenceRange.appliesTo', 'to whom the range of a part applies'],
    ['component.referenceRange.age', 'the age that the range of a part is for'],
  ],
  ProcedureRequest: [
    ['doNotPerform', 'that it is not to be done'],
    ['priority', 'its priority'],
    ['asNeededBoolean', 'that it is to be done when needed'],
    ['asNeededCodeableConcept', 'when it is needed'],
    ['occurrenceTiming', 'when it is to be repeated'],
    ['basedOn', 'what it is based on'],
    ['reasonReference', 'the entry that is the reason'],
    ['specimen', 'the specimen'],
  ],
  ReferralRequest: [
    ['basedOn', 'what it is based on'],
    ['replaces', 'which referral it replaces'],
    ['type', 'its type'],
    ['relevantHistory', 'its history'],
  ],
  Specimen: [
    ['parent', 'the specimen that it was taken from'],
    ['request', 'the order that it answers'],
    ['processing', 'how it was processed'],
    ['container', 'its container'],
    ['collection.method', 'how it was taken'],
  ],
};

/** Whether a value stands at the end of a path, in any of several members; `false` and nothing are no values. */
function has(value: unknown, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  if (Array.isArray(value)) return value.some((one) => has(one, path));
  if (name === undefined) return value !== undefined && value !== false && value !== '';
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return false;
  return has((value as Readonly<Record<string, unknown>>)[name], rest);
}

/** What is carried in some shapes and not in others. */
const FURTHER: Readonly<Record<string, (resource: Resource, find: Find) => string[]>> = {
  DiagnosticReport: (resource) => {
    const { code } = resource as DiagnosticReport;
    const words = [code?.text, ...listOf(code?.coding).map(({ display }) => display)].filter((text) => text);
    return words.length === 0 || words.some((text) => /^(diagnostic studies report|pathology report)$/i.test(text ?? ''))
      ? []
      : [`what the report is called (“${words[0]}”)`];
  },
  Encounter: (resource) => {
    const { status, participant } = resource as Encounter;
    const others = listOf(participant).filter(
      ({ type }) => !listOf(type).some((one) => listOf(one.coding).some(({ code }) => isTold(code))),
    );
    return [
      ...(others.some(({ individual }) => individual) ? ['who else took part'] : []),
      ...(status === undefined || status === 'finished' ? [] : [`that it is “${status}”`]),
    ];
  },
  MedicationRequest: (resource, find) => {
    const { authoredOn, dispenseRequest, recorder, requester } = resource as MedicationRequest;
    const start = dispenseRequest?.validityPeriod?.start;
    const recorded = recorder?.reference && requester?.agent?.reference && find(recorder) !== find(requester.agent);
    return [
      ...(authoredOn && start && day(authoredOn) !== day(start) ? [`that it was written on ${authoredOn.slice(0, 10)}`] : []),
      ...(recorded ? ['who recorded it'] : []),
    ];
  },
  MedicationStatement: (resource, find) => {
    const { note, dosage, basedOn } = resource as MedicationStatement;
    const requests = listOf(basedOn).flatMap((reference) => (find(reference) as MedicationRequest | undefined) ?? []);
    const told = requests.flatMap((request) => [
      ...listOf(request.note).map(({ text }) => text),
      ...listOf(request.dosageInstruction).flatMap(({ text, patientInstruction }) => [text, patientInstruction]),
    ]);
    const news = (texts: readonly (string | undefined)[]) => texts.some((text) => text && !told.some((other) => other?.includes(text)));
    return [
      ...(news(listOf(note).map(({ text }) => text)) ? ['a note on taking it'] : []),
      ...(news(listOf(dosage).map(({ text }) => text)) ? ['a dosage other than that prescribed'] : []),
      ...(news(listOf(dosage).map(({ patientInstruction }) => patientInstruction)) ? ['an instruction to the patient'] : []),
    ];
  },
  ProcedureRequest: (resource) => {
    // Any other state is told in words; without them receivers say that it is unknown.
    const { status } = resource as ProcedureRequest;
    return status === 'active' ? ['that it is active'] : [];
  },
  Observation: (resource) => {
    const { issued, effectiveDateTime, effectivePeriod, code } = resource as Observation;
    const effective = effectiveDateTime ?? effectivePeriod?.start;
    const other = issued && effective && day(issued) !== day(effective) && !isCommentNote(code);
    return other ? [`that it was issued on ${issued.slice(0, 10)}`] : [];
  },
};

const isTold = (code: string | undefined) => code === RECORDER.code || code === PRIMARY_PERFORMER.code;
const day = (date: string) => fhirToHl7(date)?.slice(0, 8) ?? date;
