/** The known defects of the existing sending adaptor that concern single entries, each with the test that would fail if it came here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../fhir/types.ts';
import { at, attr, child, children, textOf, type XmlElement } from '../xml/element.ts';
import { all, observation, send, smallRecord, uuid, withId } from './testing-record.ts';

const SNOMED = 'http://snomed.info/sct';
const CARE_CONNECT = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-';
const GPC = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-';
const resource = (type: string, id: string, members: object) => ({ resourceType: type, id, ...members }) as Resource;
const to = (reference: string) => ({ reference });
const sct = (code: string, display: string) => ({ coding: [{ system: SNOMED, code, display }] });
const words = (element: XmlElement | undefined) => textOf(element);

/** The statement of the one resource that a small record has in addition. */
function statementOf(one: Resource, ...around: readonly Resource[]): XmlElement {
  return withId(send(smallRecord(one, ...around)).root, one.id ?? '');
}

test('D-23: a comment note keeps its value, its components and its site', () => {
  const note = observation(uuid(50), 'He says', 'Practitioner/gp', {
    code: sct('37331000000100', 'Comment note'),
    valueQuantity: { value: 7, unit: 'cm' },
    bodySite: { text: 'Left knee' },
    component: [{ code: { text: 'Depth' }, valueString: 'deep' }],
  });
  const text = words(child(statementOf(note), 'text'));
  for (const part of ['7 cm', 'Left knee', 'Depth', 'deep', 'He says']) assert.ok(text.includes(part), `${part} in ${text}`);
});

const pressure = (members: object) => observation(uuid(50), '', 'Practitioner/gp', { code: sct('75367002', 'Blood pressure'), ...members });
const systolic = { code: sct('72313002', 'Systolic'), valueQuantity: { value: 120, unit: 'mmHg' } };
const diastolic = { code: sct('1091811000000102', 'Diastolic'), valueQuantity: { value: 80, unit: 'mmHg' } };

test('D-24: what a blood pressure says beside its two readings is told', () => {
  const other = { code: { text: 'Mean pressure' }, valueQuantity: { value: 93, unit: 'mmHg' } };
  const more = { method: { text: 'Automatic cuff' }, bodySite: { text: 'Right arm' }, component: [systolic, diastolic, other] };
  const text = words(all(statementOf(pressure(more)), 'NarrativeStatement')[0]);
  for (const part of ['Mean pressure', '93', 'Automatic cuff', 'Right arm']) assert.ok(text.includes(part), `${part} in ${text}`);
});

test('D-24: every reference range of a reading is carried', () => {
  const range = (low: number) => ({ low: { value: low, unit: 'mmHg' } });
  const reading = { ...systolic, referenceRange: [range(90), range(95)] };
  assert.equal(all(statementOf(pressure({ component: [reading, diastolic] })), 'referenceRange').length, 2);
});

test('D-25: a blood pressure of which one reading was taken keeps that one’s number as a number', () => {
  const statement = statementOf(pressure({ component: [systolic] }));
  assert.equal(attr(statement, 'classCode'), 'BATTERY');
  assert.deepEqual(
    all(statement, 'value').map((value) => attr(value, 'value')),
    ['120'],
  );
});

test('D-26: a coded value that has only words is told', () => {
  for (const valueCodeableConcept of [{ text: 'Never smoked' }, { coding: [{ display: 'Never smoked' }] }])
    assert.match(words(statementOf(observation(uuid(50), '', 'Practitioner/gp', { valueCodeableConcept }))), /Never smoked/);
});

test('D-27: an allergy to a food or a biologic is sent as the kind of allergy that it is', () => {
  const kinds = ['food', 'biologic', undefined].map((category) => {
    const members = { clinicalStatus: 'active', ...(category && { category: [category] }), code: sct('91935009', 'Allergy to peanut') };
    const { root, report } = send(smallRecord(resource('AllergyIntolerance', uuid(50), members)));
    assert.ok(report.issues.some(({ at: where }) => where.id === `AllergyIntolerance/${uuid(50)}`));
    const inner = withId(root, uuid(50));
    const outer = all(root, 'CompoundStatement').find((one) => one !== inner && all(one, 'ObservationStatement').includes(inner));
    return attr(child(outer, 'code'), 'code');
  });
  assert.deepEqual(kinds, ['SN53.00', '14L..00', 'SN53.00']);
});

test('D-28: a vaccination that was not given, or entered in error, says so', () => {
  const told = (members: object) => words(statementOf(resource('Immunization', uuid(50), { date: '2020-01-01', ...members })));
  assert.match(told({ notGiven: true }), /Not Given: true/);
  assert.match(told({ status: 'entered-in-error' }), /entered in error/i);
  assert.doesNotMatch(told({ notGiven: false, status: 'completed' }), /Not Given|error/i);
});

const problem = (members: object) =>
  resource('Condition', uuid(50), { clinicalStatus: 'active', code: sct('195967001', 'Asthma'), assertedDate: '2020-01-01', ...members });
const significance = { url: `${CARE_CONNECT}ProblemSignificance-1`, valueCode: 'major' };
const related = (reference: string) => ({ url: `${CARE_CONNECT}RelatedClinicalContent-1`, valueReference: to(reference) });
const actual = (reference: string) => ({ url: `${CARE_CONNECT}ActualProblem-1`, valueReference: to(reference) });
const linksIn = (linkSet: XmlElement) => all(linkSet, 'statementRef').map((one) => attr(child(one, 'id'), 'root'));

test('D-29: the order of a problem’s extensions changes nothing, and a link to nothing costs only itself', () => {
  const extensions = [significance, related(`Observation/${uuid(4)}`), related('Observation/nowhere'), actual(`Observation/${uuid(6)}`)];
  const sent = [extensions, extensions.toReversed()].map((extension) => send(smallRecord(problem({ extension }))));
  const [one, other] = sent.map(({ root }) => withId(root, uuid(50)));
  assert.ok(one && other);
  assert.deepEqual(one, other);
  assert.deepEqual(linksIn(one), [uuid(4)]);
  assert.ok(sent.every(({ report }) => report.issues.some(({ code, text }) => code === 'link.broken' && text.includes('nowhere'))));
});

test('D-30: a problem of any status is either active or inactive', () => {
  const codes = ['active', 'recurrence', 'inactive', 'remission', 'resolved'].map((clinicalStatus) =>
    attr(child(statementOf(problem({ clinicalStatus })), 'code'), 'code'),
  );
  assert.deepEqual(codes, ['394774009', '394774009', '394775005', '394775005', '394775005']);
});

test('D-31: no link of the extract leads to a statement that is not in it', () => {
  const order = resource('ProcedureRequest', uuid(51), { intent: 'order', code: { text: 'X-ray' }, authoredOn: '2020-01-01' });
  const stray = resource('Specimen', uuid(52), {});
  const targets = [`ProcedureRequest/${uuid(51)}`, `Specimen/${uuid(52)}`, 'Immunization/none', `Observation/${uuid(4)}`];
  const { root, report } = send(smallRecord(order, stray, problem({ extension: targets.map(related) })));
  const statements = new Set([...root.children].flatMap((node) => (typeof node === 'string' ? [] : idsIn(node))));
  for (const link of [...all(root, 'statementRef'), ...all(root, 'namedStatementRef'), ...all(root, 'priorMedicationRef')])
    assert.ok(statements.has(attr(child(link, 'id'), 'root') ?? ''), attr(child(link, 'id'), 'root'));
  assert.deepEqual(linksIn(withId(root, uuid(50))), [uuid(51), uuid(4)]);
  assert.ok(report.issues.some(({ code, text }) => code === 'link.broken' && text.includes(uuid(52))));
});

test('D-32: a problem that names itself does not refer to itself', () => {
  const linkSet = statementOf(problem({ extension: [actual(`Condition/${uuid(50)}`), related(`Condition/${uuid(50)}`)] }));
  assert.deepEqual(linksIn(linkSet), []);
  assert.notEqual(attr(at(linkSet, 'conditionNamed', 'namedStatementRef', 'id'), 'root'), uuid(50));
});

const drug = { medicationCodeableConcept: sct('322236009', 'Paracetamol 500mg tablets') };
const plan = (id: string, members: object) =>
  resource('MedicationRequest', id, {
    intent: 'plan',
    status: 'active',
    dispenseRequest: { validityPeriod: { start: '2020-01-01' } },
    ...drug,
    ...members,
  });
const order = (id: string, plans: readonly string[]) =>
  plan(id, { intent: 'order', basedOn: plans.map((one) => to(`MedicationRequest/${one}`)) });

test('D-33: an extension that says nothing of the amount does not hide the amount’s unit', () => {
  const dispenseRequest = {
    extension: [{ url: 'https://example.org/other', valueString: 'x' }],
    validityPeriod: { start: '2020-01-01' },
    quantity: { value: 28, unit: 'tablet' },
  };
  assert.equal(words(at(all(statementOf(plan(uuid(50), { dispenseRequest })), 'quantity')[0], 'translation', 'originalText')), 'tablet');
});

test('D-34: an issue is supplied as its plan is', () => {
  const coding = [
    { system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1', code: 'prescribed-by-another-organisation' },
  ];
  const told = resource('MedicationStatement', uuid(52), {
    basedOn: [to(`MedicationRequest/${uuid(50)}`)],
    extension: [{ url: `${GPC}PrescribingAgency-1`, valueCodeableConcept: { coding } }],
  });
  const { root } = send(smallRecord(plan(uuid(50), {}), order(uuid(51), [uuid(50)]), told));
  const codes = [...all(root, 'ehrSupplyAuthorise'), ...all(root, 'ehrSupplyPrescribe')].map((one) => attr(child(one, 'code'), 'code'));
  assert.deepEqual(codes, ['394828003', '394828003']);
});

test('D-35: an issue of two plans fulfils the first, as the schema allows, and the report names the other', () => {
  const { root, report } = send(smallRecord(plan(uuid(50), {}), plan(uuid(51), {}), order(uuid(52), [uuid(50), uuid(51)])));
  const [prescribe] = all(root, 'ehrSupplyPrescribe');
  const [first] = all(withId(root, uuid(50)), 'ehrSupplyAuthorise');
  assert.deepEqual(
    children(prescribe as XmlElement, 'inFulfillmentOf').map((one) => attr(at(one, 'priorMedicationRef', 'id'), 'root')),
    [attr(child(first, 'id'), 'root')],
  );
  assert.ok(report.issues.some(({ code, text }) => code === 'link.broken' && text.includes(uuid(51))));
});

test('D-36: a request for a procedure that is no plan is sent, and says what it is', () => {
  for (const intent of ['order', 'proposal', 'original-order']) {
    const request = resource('ProcedureRequest', uuid(50), { intent, code: { text: 'Chest X-ray' }, authoredOn: '2020-01-01' });
    assert.ok(words(statementOf(request)).includes(intent));
  }
});

function idsIn(element: XmlElement): string[] {
  const own = element.name.endsWith('Ref') ? [] : children(element, 'id').flatMap((id) => attr(id, 'root') ?? []);
  return [...own, ...element.children.flatMap((node) => (typeof node === 'string' ? [] : idsIn(node)))];
}
