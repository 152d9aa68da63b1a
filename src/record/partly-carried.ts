/** What of a resource is carried in some shapes and not in others: the part that is not, by type, as a reader calls it. */
import { fhirToHl7 } from '../base/hl7-time.ts';
import { numberText } from '../fhir/json.ts';
import type {
  CodeableConcept,
  Condition,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Extension,
  List,
  MedicationRequest,
  MedicationStatement,
  Observation,
  Organization,
  Practitioner,
  PractitionerRole,
  ProcedureRequest,
  ReferralRequest,
  Resource,
} from '../fhir/types.ts';
import { listOf } from './bundle-index.ts';
import { LISTS } from './consultation/terms.ts';
import { statusWords as documentStatus } from './document/terms.ts';
import { extensionOf, LAST_ISSUE_DATE, QUANTITY_TEXT, REPEAT_INFORMATION } from './medication/terms.ts';
import type { Around } from './not-carried.ts';
import { isCommentNote } from './observation/terms.ts';
import { PRIMARY_PERFORMER, RECORDER } from './people/terms.ts';
import { actualProblemOf, CATEGORY } from './problem/terms.ts';
import { statusWords as referralStatus } from './referral/terms.ts';
import { textOrCoding } from './shared/coded.ts';
import { typeOf } from './shared/references.ts';

const NOBODY: Around = { find: () => undefined, issuesOf: () => [] };

/** The parts of one resource that are not carried. A resource of impossible shape may break the question. */
export function partlyCarried(resource: Resource, around: Around = NOBODY): string[] {
  return PARTLY[resource.resourceType]?.(resource as never, around) ?? [];
}

type Part<R> = (resource: R, around: Around) => string[];
const when = (condition: unknown, words: string) => (condition ? [words] : []);

const condition: Part<Condition> = (one, { find }) => {
  const other = listOf(one.category).find(({ coding }) => !listOf(coding).some(({ code }) => code === CATEGORY.code));
  const episode = listOf(one.extension).find(({ url }) => url?.endsWith('Episodicity-1'))?.valueCode;
  const actual = find(actualProblemOf(one)) as Observation | undefined;
  const name = textOrCoding(one.code);
  const renamed = actual?.resourceType === 'Observation' && name && !sameConcept(one.code, actual.code);
  return [
    ...when(other, `its category (“${textOrCoding(other)}”)`),
    ...when(episode, `which episode it is (“${episode}”)`),
    ...when(renamed, `what the problem is called (“${name}”), the observation that it is says something else`),
  ];
};

function sameConcept(a: CodeableConcept | undefined, b: CodeableConcept | undefined): boolean {
  if (textOrCoding(a) === textOrCoding(b)) return true;
  return listOf(a?.coding).some((one) => listOf(b?.coding).some((other) => one.code === other.code && one.system === other.system));
}

const report: Part<DiagnosticReport> = ({ code }) => {
  const words = [code?.text, ...listOf(code?.coding).map(({ display }) => display)].filter((text) => text);
  const isNamed = words.length > 0 && !words.some((text) => /^(diagnostic studies report|pathology report)$/i.test(text ?? ''));
  return when(isNamed, `what the report is called (“${words[0]}”)`);
};

/** The first author is an agent, the first organisation is named; the state is told where it changes how the document is read. */
const document: Part<DocumentReference> = ({ author, status, content }) => {
  const organisation = listOf(author).find((one) => typeOf(one) === 'Organization');
  const others = listOf(author)
    .slice(1)
    .some((one) => one !== organisation);
  const untold = status !== undefined && status !== 'current' && documentStatus(status) === undefined;
  const attached = listOf(content)[0]?.attachment;
  return [
    ...when(others, 'who else wrote it'),
    ...when(untold, `that it is “${status}”`),
    ...when(attached?.data !== undefined && !attached.url, 'the file inside the entry'),
  ];
};

const encounter: Part<Encounter> = ({ status, participant, type, location, period }) => {
  const others = listOf(participant).filter(
    ({ type: roles }) => !listOf(roles).some((one) => listOf(one.coding).some(({ code }) => isTold(code))),
  );
  return [
    ...when(
      others.some(({ individual }) => individual),
      'who else took part',
    ),
    ...when(status !== undefined && status !== 'finished', `that it is “${status}”`),
    ...when(listOf(type).length > 1, 'its further types'),
    ...when(listOf(location).length > 1, 'its further places'),
    ...when(period?.end && !period.start, 'when it ended'),
  ];
};

const isTold = (code: string | undefined) => code === RECORDER.code || code === PRIMARY_PERFORMER.code;

/** A warning that the list is not complete must reach whoever reads the record. That a list is empty says the record itself. */
const list: Part<List> = ({ extension, note, emptyReason, title, code, encounter: of, status }, { find }) => {
  const warnings = listOf(extension).flatMap(({ url, valueCode }) => (url?.endsWith(LIST_WARNING) && valueCode ? [valueCode] : []));
  const notes = listOf(note).flatMap(({ text }) => (text && !/^information not available\.?$/i.test(text.trim()) ? [text.trim()] : []));
  const why = textOrCoding(emptyReason);
  const said = listOf(emptyReason?.coding).some((coding) => coding.code === 'no-content-recorded');
  const types = listOf((find(of) as Encounter | undefined)?.type);
  const names = types.flatMap((type) => [type.text, ...listOf(type.coding).map(({ display }) => display)]);
  const isConsultation = listOf(code?.coding).some((coding) => coding.code === LISTS.consultation);
  return [
    ...warnings.map((warning) => `the warning “${warning}”`),
    ...notes.map((text) => `its note “${text}”`),
    ...when(why && !said, `why it is empty (“${why}”)`),
    ...when(isConsultation && title && !names.includes(title), `the title of the consultation (“${title}”)`),
    ...when(status === 'entered-in-error', 'that it was entered in error'),
  ];
};

const LIST_WARNING = 'ListWarningCode-1';

const request: Part<MedicationRequest> = (one, { find, issuesOf }) => {
  const { dispenseRequest, recorder, requester, dosageInstruction } = one;
  const recorded = requester?.agent?.reference && recorder?.reference && !find(recorder)?.resourceType.startsWith('Practitioner');
  const repeats = extensionOf(one, REPEAT_INFORMATION);
  const issued = numberIn(extensionOf(repeats, 'numberOfRepeatPrescriptionsIssued'));
  const present = issuesOf(`MedicationRequest/${one.id}`).filter(({ intent }) => intent === 'order').length;
  const { unit } = dispenseRequest?.quantity ?? {};
  const amount =
    extensionOf(dispenseRequest, QUANTITY_TEXT)?.valueString ?? extensionOf(dispenseRequest?.quantity, QUANTITY_TEXT)?.valueString;
  const instructions = listOf(dosageInstruction).slice(1);
  return [
    ...when(recorded, 'who recorded it'),
    ...when(issued !== undefined && Number(issued) !== present, `that it was issued ${issued} times`),
    ...when(unit && amount && amount !== unit, `its amount in words (“${amount}”)`),
    ...when(
      instructions.some(({ patientInstruction }) => patientInstruction),
      'further instructions to the patient',
    ),
  ];
};

function numberIn(extension: Extension | undefined): string | undefined {
  const number = extension?.valuePositiveInt ?? extension?.valueUnsignedInt ?? extension?.valueInteger;
  return number === undefined ? undefined : numberText(number);
}

/** What GP Connect tells of a medication once more, beside its plan: only where it differs from the plan is anything lost. */
const statement: Part<MedicationStatement> = (one, { find, issuesOf }) => {
  const { dosage, basedOn, status, taken, effectivePeriod, effectiveDateTime } = one;
  const requests = listOf(basedOn).flatMap((reference) => (find(reference) as MedicationRequest | undefined) ?? []);
  const issues = listOf(basedOn).flatMap((reference) => issuesOf(reference));
  const told = requests.flatMap((of) => [
    ...listOf(of.dosageInstruction).flatMap(({ text, patientInstruction }) => [text, patientInstruction]),
  ]);
  const isNews = (texts: readonly (string | undefined)[]) => texts.some((text) => text && !told.some((other) => other?.includes(text)));
  const periods = [...requests, ...issues].flatMap(({ dispenseRequest }) => dispenseRequest?.validityPeriod ?? []);
  const dates = [...periods.flatMap(({ start, end }) => [start, end]), ...requests.map(({ authoredOn }) => authoredOn)];
  const isOther = (date: string | undefined) => date !== undefined && !dates.includes(date) && !dates.some((other) => sameDay(date, other));
  const last = extensionOf(one, LAST_ISSUE_DATE)?.valueDateTime;
  return [
    ...when(isNews(listOf(dosage).map(({ text }) => text)), 'a dosage other than that prescribed'),
    ...when(isNews(listOf(dosage).map(({ patientInstruction }) => patientInstruction)), 'an instruction to the patient'),
    ...when(status && requests.length && !requests.some((of) => of.status === status), `that taking it is “${status}”`),
    ...when(taken === 'n' || taken === 'na', 'that it is not taken'),
    ...when(
      isOther(effectivePeriod?.start ?? effectiveDateTime),
      `that it is taken from ${(effectivePeriod?.start ?? effectiveDateTime)?.slice(0, 10)}`,
    ),
    ...when(isOther(effectivePeriod?.end), `that it is taken until ${effectivePeriod?.end?.slice(0, 10)}`),
    ...when(isOther(last), `that it was last issued on ${last?.slice(0, 10)}`),
  ];
};

// Any other state is told in words; without them receivers say that it is unknown.
const plan: Part<ProcedureRequest> = ({ status }) => when(status === 'active', 'that it is active');

const referral: Part<ReferralRequest> = ({ status, intent }) => [
  ...when(status !== undefined && status !== 'unknown' && referralStatus(status) === undefined, `that it is “${status}”`),
  ...when(intent !== undefined && intent !== 'order', `that it is a “${intent}”`),
];

const observation: Part<Observation> = (one) => {
  const { issued, effectiveDateTime, effectivePeriod, code, valueCodeableConcept } = one;
  const effective = effectiveDateTime ?? effectivePeriod?.start;
  const isNote = isCommentNote(code);
  const other = issued && (effective ? !sameDay(issued, effective) : !isNote);
  return [
    ...when(other, `that it was issued on ${issued?.slice(0, 10)}`),
    ...when(othersIn(one), 'who else made it'),
    ...when(listOf(valueCodeableConcept?.coding).length > 1, 'further codes of its value'),
    ...(isNote ? noteParts(one) : []),
  ];
};

/** The first practitioner and the first organisation are one agent. */
function othersIn({ performer }: Observation): boolean {
  const kinds = listOf(performer).map((one) => typeOf(one) ?? '');
  const practitioners = kinds.filter((kind) => kind.startsWith('Practitioner')).length;
  const organisations = kinds.filter((kind) => kind === 'Organization').length;
  return practitioners > 1 || organisations > 1 || (practitioners + organisations > 0 && kinds.length > practitioners + organisations);
}

/** A narrative is words: what a comment note has beside them is rare, and no label of it would be told from a clinician's own. */
function noteParts({ code, interpretation, referenceRange, effectivePeriod, specimen }: Observation): string[] {
  const words = code?.text?.trim();
  const called = words && !/^comment( note)?$/i.test(words) && !listOf(code?.coding).some(({ display }) => display === words);
  return [
    ...when(called, `what the note is called (“${words}”)`),
    ...when(effectivePeriod?.end, 'until when it holds'),
    ...when(interpretation, 'its interpretation'),
    ...when(specimen, 'its specimen'),
    ...when(listOf(referenceRange).length, 'its range'),
  ];
}

const practitioner: Part<Practitioner> = ({ name }) => when(listOf(name).length > 1, 'other names');

const role: Part<PractitionerRole> = ({ code }) => when(listOf(code).length > 1, 'further roles');

const organisation: Part<Organization> = ({ telecom, address }) => {
  const phone = listOf(telecom).find((point) => point.system === 'phone' && point.use === 'work' && point.value);
  return [
    ...when(
      listOf(telecom).some((point) => point !== phone),
      'telephone numbers but the first of work, and other addresses by wire',
    ),
    ...when(listOf(address).length > 1, 'addresses but the first'),
  ];
};

const PARTLY: Readonly<Record<string, Part<never>>> = {
  Condition: condition,
  DiagnosticReport: report,
  DocumentReference: document,
  Encounter: encounter,
  List: list,
  MedicationRequest: request,
  MedicationStatement: statement,
  Observation: observation,
  Organization: organisation,
  Practitioner: practitioner,
  PractitionerRole: role,
  ProcedureRequest: plan,
  ReferralRequest: referral,
};

/** As written, or by the clock in London. Asked for every entry, and mostly of two that are written alike. */
function sameDay(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.slice(0, 10) === other.slice(0, 10) || day(one) === day(other);
}

const day = (date: string) => fhirToHl7(date)?.slice(0, 8) ?? date;
