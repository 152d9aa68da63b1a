/** Structural rules of the five interactions that need no schema: required fields, one id for one thing, upper case, links that lead somewhere. */
import { hl7ToEpoch } from '../base/hl7-time.ts';
import { isUuid } from '../base/ids.ts';
import { nhsNumber } from '../base/nhs-number.ts';
import { at, attr, child, children, descendants, type XmlElement } from '../xml/element.ts';
import { readCopc } from './copc.ts';
import { versionOf } from './extract.ts';
import { INTERACTION, OID } from './oids.ts';
import { patientNumber } from './request.ts';
import { extensionOf, filled, readCoded, rootOf, timeIn } from './types.ts';
import { organisationIn } from './wrapper.ts';

export type Finding = {
  readonly rule: 'interaction' | 'required' | 'order' | 'value' | 'id' | 'duplicate-id' | 'dangling-link' | 'redaction';
  readonly message: string;
  /** In the source, from 1; 0 where the tree was not read from one. */
  readonly line: number;
};

type Report = (rule: Finding['rule'], element: XmlElement, message: string) => void;

/** Everything that is wrong with a payload, or with an `EhrExtract` alone; empty where nothing is. Any tree may be given. */
export function validatePayload(root: XmlElement): Finding[] {
  const findings: Finding[] = [];
  const report: Report = (rule, element, message) => findings.push({ rule, message, line: element.line });
  if (root.name === 'EhrExtract') {
    checkExtract(root, null, report);
    return findings;
  }
  const version = versionOf(root.name);
  if (!version && !Object.values<string>(INTERACTION).includes(root.name)) {
    report('interaction', root, `${root.name} is no interaction of GP2GP`);
    return findings;
  }
  checkWrapper(root, report);
  const subject = at(root, 'ControlActEvent', 'subject');
  if (root.name === INTERACTION.acknowledgement) checkAcknowledgement(root, report);
  else if (!subject) report('required', root, 'ControlActEvent has no subject');
  else if (root.name === INTERACTION.request) checkRequest(required(subject, 'EhrRequest', report), report);
  else if (root.name === INTERACTION.copc) checkCopc(root, required(subject, 'PayloadInformation', report), report);
  else checkExtract(required(subject, 'EhrExtract', report), version, report);
  return findings.sort((a, b) => a.line - b.line);
}

const WRAPPER = [
  'id',
  'creationTime',
  'versionCode',
  'interactionId',
  'processingCode',
  'processingModeCode',
  'acceptAckCode',
  'acknowledgement',
  'communicationFunctionRcv',
  'communicationFunctionSnd',
  'ControlActEvent',
];

function checkWrapper(root: XmlElement, report: Report): void {
  checkOrder(root, WRAPPER, report);
  requireAll(root, WRAPPER, report);
  checkId(root, report);
  checkTime(root, 'creationTime', report);
  checkValue(child(root, 'interactionId'), 'extension', root.name, report);
  checkValue(child(root, 'interactionId'), 'root', OID.interactionId, report);
  checkValue(child(root, 'processingCode'), 'code', 'P', report);
  checkValue(child(root, 'processingModeCode'), 'code', 'T', report);
  checkValue(child(root, 'acceptAckCode'), 'code', 'NE', report);
  for (const name of ['communicationFunctionRcv', 'communicationFunctionSnd']) {
    const device = at(root, name, 'device');
    if (child(root, name) && !/^\d{12}$/.test(extensionOf(device, OID.asid) ?? ''))
      report('value', child(root, name) ?? root, `${name} has no ASID of twelve digits`);
  }
  const control = child(root, 'ControlActEvent');
  if (control) required(control, 'author1', report);
}

function checkRequest(request: XmlElement | undefined, report: Report): void {
  if (!request) return;
  checkOrder(request, ['id', 'recordTarget', 'author', 'destination'], report);
  checkId(request, report);
  checkPatient(request, report);
  checkOrganisation(request, 'author', report);
  checkOrganisation(request, 'destination', report);
}

function checkAcknowledgement(root: XmlElement, report: Report): void {
  const acknowledgement = child(root, 'acknowledgement');
  if (!acknowledgement) {
    report('required', root, `${root.name} has no acknowledgement`);
    return;
  }
  const typeCode = attr(acknowledgement, 'typeCode') ?? '';
  if (!['AA', 'AE', 'AR'].includes(typeCode))
    report('value', acknowledgement, `typeCode ${JSON.stringify(typeCode)} is none of AA, AE, AR`);
  const messageRef = required(acknowledgement, 'messageRef', report);
  if (messageRef) checkId(messageRef, report);
  if (typeCode === 'AA') return;
  const detail = at(acknowledgement, 'acknowledgementDetail', 'code');
  const reason = at(root, 'ControlActEvent', 'reason', 'justifyingDetectedIssueEvent', 'code');
  for (const [place, element] of [
    ['acknowledgementDetail', detail],
    ['justifyingDetectedIssueEvent', reason],
  ] as const) {
    const { code, displayName } = readCoded(element) ?? {};
    if (!code) report('required', acknowledgement, `a negative acknowledgement has no code in ${place}`);
    else if (!/^\d{2}$/.test(code)) report('value', element ?? acknowledgement, `response code ${JSON.stringify(code)} has not two digits`);
    if (code && !displayName) report('required', element ?? acknowledgement, `response code ${code} has no displayName`);
  }
  if (attr(detail, 'code') !== attr(reason, 'code')) report('value', acknowledgement, 'the two places of the response code differ');
}

function checkCopc(root: XmlElement, information: XmlElement | undefined, report: Report): void {
  if (!information) return;
  const names = ['code', 'id', 'messageType', 'value', 'pertinentInformation'];
  checkOrder(information, names, report);
  requireAll(information, names, report);
  checkId(information, report);
  const { shape, of } = readCopc(root);
  if (shape === 'continue' && !of) report('required', information, 'the continue does not say which extract it is for');
}

const EXTRACT = [
  'id',
  'statusCode',
  'availabilityTime',
  'recordTarget',
  'author',
  'destination',
  'component',
  'inFulfillmentOf',
  'limitation',
];
const FOLDER = ['id', 'statusCode', 'effectiveTime', 'availabilityTime', 'author', 'responsibleParty', 'component'];
const COMPOSITION = ['id', 'code', 'statusCode', 'effectiveTime', 'availabilityTime', 'author', 'component'];

function checkExtract(extract: XmlElement | undefined, version: 'UK06' | 'UK07' | null, report: Report): void {
  if (!extract) return;
  checkOrder(extract, EXTRACT, report);
  requireAll(extract, EXTRACT, report);
  checkTime(extract, 'availabilityTime', report);
  checkPatient(extract, report);
  checkOrganisation(extract, 'author', report);
  checkOrganisation(extract, 'destination', report);
  for (const component of children(extract, 'component')) {
    const folder = required(component, 'ehrFolder', report);
    if (!folder) continue;
    checkOrder(folder, FOLDER, report);
    requireAll(folder, FOLDER, report);
    for (const holder of children(folder, 'component')) {
      const composition = required(holder, 'ehrComposition', report);
      if (composition) requireAll(composition, COMPOSITION, report);
    }
  }
  checkIds(extract, report);
  if (version !== 'UK06') return;
  for (const element of descendants(extract))
    if (element.name === 'confidentialityCode') report('redaction', element, 'UK06 has no place for a confidentialityCode');
}

/** Things with an id of their own, of which an extract has one each. */
const IDENTIFIED: ReadonlySet<string> = new Set([
  'EhrExtract',
  'ehrFolder',
  'Agent',
  'ehrComposition',
  'CompoundStatement',
  'EhrEmpty',
  'LinkSet',
  'MedicationStatement',
  'NarrativeStatement',
  'ObservationStatement',
  'PlanStatement',
  'RegistrationStatement',
  'RequestStatement',
  'ehrSupplyAuthorise',
  'ehrSupplyPrescribe',
  'ehrSupplyDispense',
  'ehrSupplyDiscontinue',
]);

function checkIds(extract: XmlElement, report: Report): void {
  const owners = new Map<string, XmlElement>();
  const links: XmlElement[] = [];
  const visit = (element: XmlElement): void => {
    if (element.name.endsWith('Ref')) links.push(element);
    if (IDENTIFIED.has(element.name)) {
      checkId(element, report);
      const id = rootOf(element)?.toUpperCase();
      const owner = id === undefined ? undefined : owners.get(id);
      if (id !== undefined && owner && !isSkeleton(owner, element))
        report('duplicate-id', element, `${element.name} has the id of the ${owner.name} in line ${owner.line}: ${id}`);
      else if (id !== undefined) owners.set(id, element);
    }
  };
  visit(extract);
  for (const element of descendants(extract)) visit(element);
  for (const link of links) {
    const id = rootOf(link)?.toUpperCase();
    if (id !== undefined && !owners.has(id)) report('dangling-link', link, `${link.name} leads to ${id}, which the extract does not have`);
  }
}

/** A skeleton's composition, its only statement and the document have one id: that is its form. */
function isSkeleton(owner: XmlElement, element: XmlElement): boolean {
  const document = at(element, 'reference', 'referredToExternalDocument');
  return owner.name === 'ehrComposition' && element.name === 'NarrativeStatement' && rootOf(document) === rootOf(element);
}

function checkId(element: XmlElement, report: Report): void {
  const id = child(element, 'id');
  if (!id) {
    report('required', element, `${element.name} has no id`);
    return;
  }
  const root = attr(id, 'root') ?? '';
  if (attr(id, 'nullFlavor') !== undefined) return;
  if (!isUuid(root)) report('id', id, `the id of ${element.name} is no UUID: ${JSON.stringify(root)}`);
  else if (root !== root.toUpperCase()) report('id', id, `the id of ${element.name} is not in upper case: ${root}`);
}

function checkTime(element: XmlElement, name: string, report: Report): void {
  const time = child(element, name);
  if (!time || attr(time, 'nullFlavor') !== undefined) return;
  if (hl7ToEpoch(timeIn(time) ?? '') === null) report('value', time, `${name} of ${element.name} is no HL7 time`);
}

function checkValue(element: XmlElement | undefined, name: string, expected: string, report: Report): void {
  if (!element) return;
  const value = attr(element, name) ?? '';
  if (value !== expected) report('value', element, `${element.name}/@${name} is ${JSON.stringify(value)}, not ${expected}`);
}

function checkPatient(element: XmlElement, report: Report): void {
  const target = required(element, 'recordTarget', report);
  if (target && nhsNumber(patientNumber(target)) === null) report('value', target, 'recordTarget has no NHS number of ten digits');
}

function checkOrganisation(element: XmlElement, name: 'author' | 'destination', report: Report): void {
  const participation = required(element, name, report);
  if (!participation) return;
  const id = at(participation, 'AgentOrgSDS', 'agentOrganizationSDS', 'id');
  if (filled(attr(id, 'nullFlavor')) !== undefined) return;
  const ods = organisationIn(participation);
  if (!ods) report('required', participation, `${name} of ${element.name} has no ODS code`);
  else if (ods !== ods.toUpperCase()) report('value', participation, `the ODS code ${ods} is not in upper case`);
}

/** The child of that name, its absence reported once. */
function required(element: XmlElement, name: string, report: Report): XmlElement | undefined {
  const found = child(element, name);
  if (!found) report('required', element, `${element.name} has no ${name}`);
  return found;
}

/** All of a list but the id, whose absence `checkId` reports, and the acknowledgement, which only one interaction has. */
function requireAll(element: XmlElement, names: readonly string[], report: Report): void {
  for (const name of names) if (name !== 'id' && name !== 'acknowledgement') required(element, name, report);
}

/** Children that the list names stand in its order; others are not looked at. */
function checkOrder(element: XmlElement, names: readonly string[], report: Report): void {
  let last = 0;
  for (const one of children(element)) {
    const place = names.indexOf(one.name);
    if (place < 0) continue;
    if (place < last) report('order', one, `${one.name} stands behind ${names[last]} in ${element.name}`);
    last = Math.max(last, place);
  }
}
