/** What tests of a clinical concept hand its two handlers: a record of a few resources, a composition of one statement. */
import { unitState } from '../cli/conformance/unit-state.ts';
import type { CodeableConcept, Resource } from '../fhir/types.ts';
import { h, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { writeXml } from '../xml/write.ts';
import type { Claim, Concept, MapToFhir, MapToHl7, Remark, Terminology, ToFhir, ToHl7 } from './types.ts';

export const STATEMENT_ID = '6B1F0E9C-5D7A-4C3E-8F21-0A9B8C7D6E5F';

/** One resource through its handler: the statement, read back as the wire carries it, and what was reported. */
export function sent<R extends Resource>(
  map: MapToHl7<R>,
  resource: R,
  around: readonly Resource[] = [],
  overrides: Partial<ToHl7> & { redactions?: boolean } = {},
): { statement: XmlElement; xml: string; remarks: readonly { code: string; text: string }[] } {
  const state = unitState([...around, resource], {
    redactions: overrides.redactions ?? false,
    document: (reference) => ({ reference, filename: `${STATEMENT_ID}.pdf`, contentType: 'application/pdf', present: true, bytes: 10 }),
  });
  const [first] = map(resource, { composition: 0, under: 'topic', statementId: STATEMENT_ID }, { ...state, ...overrides });
  if (!first) throw new Error('the handler gave no statement');
  const xml = writeXml(first.xml);
  return {
    statement: readXml(`<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${xml}</r>`).children[0] as XmlElement,
    xml,
    remarks: state.issues,
  };
}

/** One statement, in a composition of 10 March 2024 by AG-1 with AG-2, through its handler. */
export function received(
  map: MapToFhir,
  concept: Concept,
  statement: XmlElement | string,
  overrides: Partial<ToFhir> = {},
): { resources: readonly Resource[]; remarks: readonly Remark[] } {
  const read = typeof statement === 'string' ? readXml(statement) : statement;
  const composition = h(
    'ehrComposition',
    null,
    h('id', { root: 'ENC-9' }),
    h('availabilityTime', { value: '20240310103000' }),
    h('author', { typeCode: 'AUT' }, h('time', { value: '20240310103500' }), agent('AG-1')),
    h('Participant2', { typeCode: 'PRF' }, agent('AG-2')),
    h('component', null, read),
  );
  const remarks: Remark[] = [];
  const claim: Claim = { concept, statement: read, composition: 1, line: read.line };
  let ids = 0;
  const nextId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
  const s: ToFhir = {
    losingPractice: 'X00001',
    terminology: NO_RELEASE,
    composition: () => ({ number: 1, xml: composition, id: 'ENC-9', effectiveStart: '20240310101500', available: '20240310103000' }),
    claimOf: () => undefined,
    resourceFor: () => undefined,
    patient: 'Patient/PAT',
    issuesOf: () => [],
    discontinuationOf: () => undefined,
    repeatsOf: () => undefined,
    prescriptionTypeOf: () => undefined,
    problemsNaming: () => [],
    problemsHolding: () => [],
    problemsCoded: () => [],
    rankOf: () => 0,
    encounterOf: () => 'Encounter/ENC-9',
    practitioner: (id) => id && `Practitioner/${id}`,
    agent: (id) => id && `Practitioner/${id}`,
    shared: (key) => `Medication/${key}`,
    newId: nextId,
    idFor: nextId,
    document: () => undefined,
    custodian: 'Organization/LOSING',
    documentsOfReferral: () => [],
    report: (remark) => {
      remarks.push(remark);
    },
    ...overrides,
  };
  return { resources: map(claim, s), remarks };
}

const agent = (id: string) => h('agentRef', { classCode: 'AGNT' }, h('id', { root: id }));

/** A concept as it comes back without a release: of the term that it was sent with nobody knows more than that it was chosen. */
export function cameBack(concept: CodeableConcept | undefined): CodeableConcept | undefined {
  const coding = concept?.coding?.map((one) => {
    const chosen = [{ url: 'descriptionDisplay', valueString: one.display ?? '' }];
    return { ...one, extension: [{ url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-coding-sctdescid', extension: chosen }] };
  });
  const text = concept?.text ?? coding?.[0]?.display;
  return concept && { ...(coding && { coding }), ...(text && { text }) };
}

/** No terminology at all: codes keep the words they came with. */
export const NO_RELEASE: Terminology = {
  release: null,
  complete: false,
  isImmunisation: () => false,
  preferredTerm: () => undefined,
  conceptOfDescription: () => undefined,
  descriptionOf: () => undefined,
  meaningOf: () => undefined,
  allergyKind: () => undefined,
};
