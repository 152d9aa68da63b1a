/** An authorisation: the plan, the statement that goes with it, and copies of both where issues of an acute medicine share one. */
import type { Extension, MedicationRequest, MedicationStatement, Period, Resource } from '../../fhir/types.ts';
import { at, attr, child, textOf, type XmlElement } from '../../xml/element.ts';
import { codedToFhir, sctOf } from '../shared/coded.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { authorOf, idOf } from '../shared/statements.ts';
import { dateTimeOf, dateTimeOfText, endOf, timeOf } from '../shared/times.ts';
import type { ToFhir } from '../types.ts';
import { agencyOf, type Common, prescriptionType, requestOf } from './request-to-fhir.ts';
import { annotationTexts, copyId, isAcute, issuesInOrder, repeatsOf, type Told, tellsOf } from './supply.ts';
import {
  AGENCIES,
  DEFAULT_AGENCY,
  LAST_ISSUE_DATE,
  NO_INFORMATION,
  PRESCRIBING_AGENCY,
  PRESCRIBING_AGENCY_SYSTEM,
  REPEAT_INFORMATION,
  STATUS_REASON,
} from './terms.ts';

export function planToFhir(supply: XmlElement, common: Common, s: ToFhir): Resource[] {
  const told = tellsOf(supply);
  const ended = s.discontinuationOf(idOf(supply));
  const plan = planOf(supply, told, ended, common, s);
  const statement = statementOf(plan, supply, told, ended, common, s);
  return isAcute(supply) ? [plan, ...split(plan, statement, s)] : [plan, statement];
}

function planOf(supply: XmlElement, told: Told, ended: XmlElement | undefined, common: Common, s: ToFhir): MedicationRequest {
  const { supplied, ...request } = requestOf(supply, told, common, s);
  const period = periodOf(supply, common.statement, s);
  const before = idOf(at(supply, 'predecessor', 'priorMedicationRef'));
  const type = told.prescriptionType ?? (isAcute(supply) ? 'acute' : 'repeat');
  return {
    ...request,
    extension: [...repeatInformation(supply, told, s), ...(ended ? statusReason(ended, s) : []), prescriptionType(type)],
    status: told.status ?? statusOf(supply, ended),
    intent: 'plan',
    dispenseRequest: { ...supplied, ...(Object.keys(period).length && { validityPeriod: period }) },
    ...maybe('priorPrescription', before ? `MedicationRequest/${before}` : undefined),
  };
}

function statusOf(supply: XmlElement, ended: XmlElement | undefined): 'stopped' | 'completed' | 'active' {
  if (ended) return timeOf(child(ended, 'availabilityTime')) ? 'stopped' : 'completed';
  return attr(child(supply, 'statusCode'), 'code') === 'COMPLETE' ? 'completed' : 'active';
}

function repeatInformation(supply: XmlElement, told: Told, s: ToFhir): Extension[] {
  const allowed = repeatsOf(supply);
  const repeats = allowed !== 0;
  const expiry = told.expiry ?? endOf(at(supply, 'effectiveTime', 'high'), s);
  const extension: Extension[] = [
    ...(allowed ? [{ url: 'numberOfRepeatPrescriptionsAllowed', valueUnsignedInt: allowed }] : []),
    ...(repeats ? [{ url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: s.issuesOf(idOf(supply)).length }] : []),
    ...(expiry ? [{ url: 'authorisationExpiryDate', valueDateTime: expiry }] : []),
  ];
  return extension.length ? [{ url: REPEAT_INFORMATION, extension }] : [];
}

function statusReason(ended: XmlElement, s: ToFhir): Extension[] {
  const changed = endOf(child(ended, 'availabilityTime'), s);
  if (!changed) return [];
  const given = annotationTexts(ended).filter((text) => text.trim());
  const code = child(ended, 'code');
  const words = textOf(child(code, 'originalText'));
  const prefix = words && !given.some((text) => text.startsWith(words)) ? `(${words}) ` : '';
  const text = prefix + (given.length ? given.join(',') : NO_INFORMATION);
  // A vendor's own code says no more than its words; a SNOMED code is worth keeping.
  const coding = sctOf(code) === undefined ? undefined : codedToFhir(code, s.terminology)?.coding;
  return [
    {
      url: STATUS_REASON,
      extension: [
        { url: 'statusChangeDate', valueDateTime: changed },
        { url: 'statusReason', valueCodeableConcept: { ...(coding && { coding }), text } },
      ],
    },
  ];
}

/** The end of a plan is a date even where it is written as that day's midnight, which in summer is the day before in UTC. */
function periodOf(supply: XmlElement, statement: XmlElement, s: ToFhir): Period {
  const effective = child(supply, 'effectiveTime');
  const start =
    dateTimeOf(child(effective, 'center'), s) ?? dateTimeOf(child(effective, 'low'), s) ?? dateTimeOf(child(supply, 'availabilityTime'), s);
  const high = timeOf(child(effective, 'high'))?.replace(/(?<=^\d{8})000000$/, '');
  const end = dateTimeOfText(high, s) ?? endOf(at(statement, 'effectiveTime', 'high'), s);
  return { ...(start && { start }), ...(end && { end }) };
}

function statementOf(
  plan: MedicationRequest,
  supply: XmlElement,
  told: Told,
  ended: XmlElement | undefined,
  common: Common,
  s: ToFhir,
): MedicationStatement {
  const agency = told.agency ?? agencyOf(supply) ?? DEFAULT_AGENCY;
  const lastIssue = issuesInOrder(idOf(supply), s).findLast((issue) => issue.at !== null)?.at;
  const last = dateTimeOfText(lastIssue, s);
  const { composition } = common;
  const asserted = dateTimeOf(authorOf(composition).time, s) ?? dateTimeOf(child(composition, 'availabilityTime'), s) ?? common.authoredOn;
  const status = STATEMENT_STATUS.get(plan.status ?? '') ?? 'completed';
  return {
    ...head('MedicationStatement', `${plan.id}-MS`, 'MedicationStatement-1', [common.composition, common.statement], s),
    extension: [agencyExtension(agency), ...(last ? [lastIssueExtension(last)] : [])],
    basedOn: [ref(`MedicationRequest/${plan.id}`)],
    ...maybe('context', common.context),
    status,
    medicationReference: ref(common.drug),
    ...effectivePeriod(status, plan, ended && endOf(child(ended, 'availabilityTime'), s)),
    ...(asserted && { dateAsserted: asserted }),
    subject: ref(s.patient),
    taken: 'unk',
    dosage: plan.dosageInstruction ?? [],
    ...(told.takingNotes.length && { note: told.takingNotes.map((text) => ({ text })) }),
  };
}

/** States that a statement knows, by that of its plan. */
const STATEMENT_STATUS: ReadonlyMap<string, string> = new Map([
  ['active', 'active'],
  ['completed', 'completed'],
  ['stopped', 'stopped'],
  ['cancelled', 'stopped'],
  ['on-hold', 'on-hold'],
  ['entered-in-error', 'entered-in-error'],
  ['draft', 'intended'],
]);

function effectivePeriod(status: string, plan: MedicationRequest, endedAt: string | undefined): { effectivePeriod?: Period } {
  const period = plan.dispenseRequest?.validityPeriod;
  const start = period?.start ?? plan.authoredOn;
  const end = endedAt ?? period?.end ?? (status === 'active' ? undefined : start);
  return start || end ? { effectivePeriod: { ...(start && { start }), ...(end && { end }) } } : {};
}

function agencyExtension(code: string): Extension {
  const display = AGENCIES.get(code)?.display;
  return {
    url: PRESCRIBING_AGENCY,
    valueCodeableConcept: { coding: [{ system: PRESCRIBING_AGENCY_SYSTEM, code, ...(display && { display }) }] },
  };
}

const lastIssueExtension = (date: string): Extension => ({ url: LAST_ISSUE_DATE, valueDateTime: date });

/** The statement of a shared acute plan, and a plan and statement for every issue after the first, chained in the order of issue. */
function split(plan: MedicationRequest, statement: MedicationStatement, s: ToFhir): Resource[] {
  const planId = plan.id ?? '';
  const [first, ...others] = issuesInOrder(planId, s);
  if (first === undefined || others.length === 0) return [statement];
  let before = planId;
  const copies = others.flatMap((issue): Resource[] => {
    const id = copyId(planId, issue.id, s);
    const start = dateTimeOfText(issue.at, s);
    const copy: MedicationRequest = {
      ...renamed(plan, id),
      ...(start && { authoredOn: start }),
      dispenseRequest: { ...plan.dispenseRequest, ...(start && { validityPeriod: { start } }) },
      priorPrescription: ref(`MedicationRequest/${before}`),
    };
    before = id;
    const active = statement.status === 'active';
    // What is noted of taking it is noted once.
    const { note: _noted, ...again } = statement;
    const copyOfStatement: MedicationStatement = {
      ...withLastIssue(renamed(again, `${id}-MS`), start),
      basedOn: [ref(`MedicationRequest/${id}`)],
      ...(start && { effectivePeriod: { start, ...(active ? {} : { end: start }) } }),
    };
    return [copy, copyOfStatement];
  });
  return [withLastIssue(statement, dateTimeOfText(first.at, s)), ...copies];
}

function renamed<R extends Resource>(resource: R, id: string): R {
  return { ...resource, id, identifier: (resource.identifier ?? []).map((identifier) => ({ ...identifier, value: id })) };
}

function withLastIssue(statement: MedicationStatement, date: string | undefined): MedicationStatement {
  const others = (statement.extension ?? []).filter((extension) => extension.url !== LAST_ISSUE_DATE);
  return { ...statement, extension: [...others, ...(date ? [lastIssueExtension(date)] : [])] };
}
