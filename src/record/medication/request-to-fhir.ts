/** What a plan and an order have in common: the members of a MedicationRequest that come from the statement around their supply. */
import type { Dosage, Medication } from '../../fhir/types.ts';
import { at, attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { codedToFhir } from '../shared/coded.ts';
import { degraded } from '../shared/degrade.ts';
import { metaOf } from '../shared/redaction.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { agentIn, authorOf, firstCode, idOf, participantsOf } from '../shared/statements.ts';
import { dateTimeOf } from '../shared/times.ts';
import type { Claim, ToFhir } from '../types.ts';
import { drugCodeIn, quantityOf, type Told } from './supply.ts';
import {
  AGENCY_OF_SUPPLY,
  NO_INFORMATION,
  PRESCRIPTION_TYPE,
  PRESCRIPTION_TYPE_SYSTEM,
  PRESCRIPTION_TYPES,
  SUPPLY,
  SUPPLY_NOTE,
} from './terms.ts';

/** What all requests of one statement share. */
export type Common = {
  readonly statement: XmlElement;
  readonly composition: XmlElement;
  readonly drug: string;
  readonly context: string | undefined;
  readonly authoredOn: string | undefined;
  readonly requester: string | undefined;
  /** Who entered it, where that is told beside who ordered it. */
  readonly recorder: string | undefined;
  readonly dosage: readonly string[];
};

export function commonOf(claim: Claim, s: ToFhir): Common {
  const { statement } = claim;
  const composition = s.composition(claim).xml;
  const texts = children(statement, 'pertinentInformation').map((information) =>
    textOf(at(information, 'pertinentMedicationDosage', 'text')),
  );
  const dosage = texts.filter((text) => text !== '');
  return {
    statement,
    composition,
    drug: drugOf(statement, s),
    context: s.encounterOf(claim.composition),
    authoredOn:
      dateTimeOf(timeOfAuthor(statement), s) ??
      dateTimeOf(child(statement, 'availabilityTime'), s) ??
      dateTimeOf(child(composition, 'availabilityTime'), s) ??
      dateTimeOf(authorOf(composition).time, s),
    requester: requesterOf(statement, composition, s),
    recorder: s.practitioner(participantsOf(statement, 'Participant').find(({ type }) => type === 'ENT')?.agent),
    dosage: dosage.length ? dosage : [NO_INFORMATION],
  };
}

/** When it was written, where that is told beside when it begins. */
const timeOfAuthor = (statement: XmlElement) =>
  children(statement, 'Participant').flatMap((one) => (firstCode(one, 'typeCode') === 'AUT' ? (child(one, 'time') ?? []) : []))[0];

/** Who performed it, else who wrote it (the existing adaptor names only that one), else who took part in the composition. */
function requesterOf(statement: XmlElement, composition: XmlElement, s: ToFhir): string | undefined {
  const own = participantsOf(statement, 'Participant');
  const best = own.find(({ type }) => type === 'PPRF' || type === 'PRF') ?? own.find(({ type }) => type === 'AUT');
  const agent = best?.agent ?? participantsOf(composition, 'Participant2')[0]?.agent ?? agentIn(child(composition, 'author'));
  return s.practitioner(agent) ?? s.agent(agent);
}

function drugOf(statement: XmlElement, s: ToFhir): string {
  const code = drugCodeIn(statement);
  if (!code) s.report({ code: 'value.lost', text: 'No medicine is named.' });
  const parts = ['codeSystem', 'code', 'displayName'].map((name) => attr(code, name) ?? '');
  const key = ['Medication', ...parts, textOf(child(code, 'originalText'))].join('\n');
  return s.shared(key, (id): Medication => {
    const concept = degraded(codedToFhir(code, s.terminology, 'medication') ?? { text: NO_INFORMATION }, 'medication', s);
    return { resourceType: 'Medication', id, meta: metaOf('Medication-1', [], s), ...(concept && { code: concept }) };
  });
}

/** Members of a request, plan or order, that come from the statement and the words of its supply. */
export function requestOf(supply: XmlElement, told: Told, common: Common, s: ToFhir) {
  const { statement, composition } = common;
  // Who issued it, where a supply says so itself.
  const requester = s.practitioner(agentIn(child(supply, 'performer'))) ?? common.requester;
  const recorder = common.recorder ?? requester;
  const [first, ...others] = common.dosage.map((text): Dosage => ({ text }));
  const notes = [...told.notes.map((text) => `${text}\n`), ...supplyNote(supply)].map((text) => ({ text }));
  const quantity = quantityOf(supply);
  return {
    ...head('MedicationRequest' as const, idOf(supply), 'MedicationRequest-1', [composition, statement], s),
    medicationReference: ref(common.drug),
    subject: ref(s.patient),
    ...maybe('context', common.context),
    ...(common.authoredOn && { authoredOn: common.authoredOn }),
    ...(requester && { requester: { agent: ref(requester) } }),
    ...(recorder?.startsWith('Practitioner/') && { recorder: ref(recorder) }),
    ...(notes.length && { note: notes }),
    dosageInstruction: [{ ...first, ...(told.patientInstruction && { patientInstruction: told.patientInstruction }) }, ...others],
    supplied: { ...(quantity && { quantity }), ...(told.duration && { expectedSupplyDuration: told.duration }) },
  };
}

/** The name of a supply is told where it says more than that it was an NHS prescription. */
function supplyNote(supply: XmlElement): string[] {
  const name = attr(child(supply, 'code'), 'displayName');
  return name && name.toLowerCase() !== SUPPLY.nhs.displayName.toLowerCase() ? [SUPPLY_NOTE + name] : [];
}

export function prescriptionType(code: string) {
  const display = PRESCRIPTION_TYPES.get(code)?.display;
  return {
    url: PRESCRIPTION_TYPE,
    valueCodeableConcept: { coding: [{ system: PRESCRIPTION_TYPE_SYSTEM, code, ...(display && { display }) }] },
  };
}

/** The prescribing agency that the name of a supply means; undefined for one that nobody knows. */
export function agencyOf(supply: XmlElement): string | undefined {
  const code = child(supply, 'code');
  if (attr(code, 'code') === SUPPLY.elsewhere.code) return 'prescribed-by-another-organisation';
  return AGENCY_OF_SUPPLY.get((attr(code, 'displayName') ?? '').trim().toLowerCase());
}
