import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberText } from '../../fhir/json.ts';
import type { Medication, MedicationRequest, MedicationStatement, Resource } from '../../fhir/types.ts';
import { readXml } from '../../xml/read.ts';
import { received } from '../testing.ts';
import type { Claim, ToFhir } from '../types.ts';
import { medicationToFhir } from './to-fhir.ts';

const DRUG = `<consumable><manufacturedProduct><manufacturedMaterial>
  <code code="SAMP1" codeSystem="2.16.840.1.113883.2.1.6.9" displayName="Samplex 5mg tablets"/>
</manufacturedMaterial></manufacturedProduct></consumable>`;
const DOSE = '<pertinentInformation><pertinentMedicationDosage><text>one daily</text></pertinentMedicationDosage></pertinentInformation>';
const QUANTITY = '<quantity value="28" unit="1"><translation value="28"><originalText>tablet</originalText></translation></quantity>';
const note = (text: string) =>
  `<pertinentInformation><pertinentSupplyAnnotation><text>${text}</text></pertinentSupplyAnnotation></pertinentInformation>`;
const statement = (mood: string, supply: string) =>
  readXml(
    `<MedicationStatement moodCode="${mood}"><id root="MS"/><availabilityTime value="20240310"/>${DRUG}<component>${supply}</component>${DOSE}</MedicationStatement>`,
  );
const authorise = (repeats: string) =>
  `<ehrSupplyAuthorise><id root="AUT-1"/><code code="1" displayName="NHS prescription"/><statusCode code="ACTIVE"/>
   <effectiveTime><center value="20240310"/></effectiveTime>${repeats}${QUANTITY}</ehrSupplyAuthorise>`;
const prescribe = (id: string, inside = '') =>
  `<ehrSupplyPrescribe><id root="${id}"/><code code="2" displayName="Private prescription"/><availabilityTime value="20240312"/>${QUANTITY}
   <inFulfillmentOf><priorMedicationRef><id root="AUT-1"/></priorMedicationRef></inFulfillmentOf>${inside}</ehrSupplyPrescribe>`;

function map(element: Claim['statement'], overrides: Partial<ToFhir> = {}) {
  const shared: Resource[] = [];
  const { resources, remarks } = received(medicationToFhir, 'medication', element, {
    shared: (_key, make) => {
      shared.push(make('DRUG'));
      return 'Medication/DRUG';
    },
    idFor: (key) => key.replace(/\W+/g, '-'),
    ...overrides,
  });
  return { resources, remarks, shared };
}
const REPEAT = statement('INT', authorise('<repeatNumber value="6"/>'));

test('a drug without a SNOMED code is degraded and keeps code and words', () => {
  const { shared } = map(REPEAT);
  assert.deepEqual(
    (shared[0] as Medication).code?.coding?.map((coding) => coding.code),
    ['196421000000109', 'SAMP1'],
  );
});

test('a repeat that was discontinued is stopped, with the reason in words', () => {
  const ended = readXml(`<ehrSupplyDiscontinue><id root="D"/><code nullFlavor="UNK"><originalText>Other</originalText></code>
    <availabilityTime value="20240401"/>${note('no longer needed')}</ehrSupplyDiscontinue>`);
  const [plan, statementOfPlan] = map(REPEAT, {
    discontinuationOf: () => ended,
    issuesOf: () => [{ id: 'PRE-1', at: '20240312', statement: REPEAT }],
  }).resources as [MedicationRequest, MedicationStatement];
  assert.equal(plan.status, 'stopped');
  assert.deepEqual(plan.extension?.[1]?.extension?.[1]?.valueCodeableConcept, { text: '(Other) no longer needed' });
  assert.deepEqual(statementOfPlan.effectivePeriod, { start: '2024-03-10', end: '2024-04-01' });
  assert.equal(statementOfPlan.extension?.[1]?.valueDateTime, '2024-03-12');
});

test('an issue of a private prescription says so in a note', () => {
  const [order] = map(statement('ORD', prescribe('PRE-1', note('via post'))), { repeatsOf: () => 6 }).resources as [MedicationRequest];
  assert.deepEqual(order.note, [{ text: 'via post\n' }, { text: 'Prescription type: Private prescription' }]);
  assert.deepEqual(order.basedOn, [{ reference: 'MedicationRequest/AUT-1' }]);
  assert.equal(order.extension?.[0]?.valueCodeableConcept?.coding?.[0]?.code, 'repeat');
  assert.equal(numberText(order.dispenseRequest?.quantity?.value ?? 0), '28');
});

test('issues of an acute medicine each get a plan of their own, whichever is mapped first', () => {
  const acute = statement('INT', authorise('<repeatNumber value="0"/>'));
  const issues = [
    { id: 'PRE-2', at: '20240320', statement: acute },
    { id: 'PRE-1', at: '20240312', statement: acute },
  ];
  const overrides: Partial<ToFhir> = { repeatsOf: () => 0, issuesOf: () => issues };
  const made = map(acute, overrides).resources;
  assert.deepEqual(
    made.map((resource) => resource.id),
    ['AUT-1', 'AUT-1-MS', 'plan-aut-1-for-issue-pre-2', 'plan-aut-1-for-issue-pre-2-MS'],
  );
  assert.equal((made[2] as MedicationRequest).priorPrescription?.reference, 'MedicationRequest/AUT-1');
  const planOf = (id: string) =>
    (map(statement('ORD', prescribe(id)), overrides).resources[0] as MedicationRequest).basedOn?.[0]?.reference;
  assert.equal(planOf('PRE-1'), 'MedicationRequest/AUT-1');
  assert.equal(planOf('PRE-2'), 'MedicationRequest/plan-aut-1-for-issue-pre-2');
});

test('an unknown kind of supply is taken for one of the practice, and its name is kept', () => {
  const strange = statement('INT', authorise('').replace('NHS prescription', 'Clinic supply'));
  const [plan, statementOfPlan] = map(strange).resources as [MedicationRequest, MedicationStatement];
  assert.equal(statementOfPlan.extension?.[0]?.valueCodeableConcept?.coding?.[0]?.code, 'prescribed-at-gp-practice');
  assert.deepEqual(plan.note, [{ text: 'Prescription type: Clinic supply' }]);
});

test('the end of a plan stays the day that was recorded, in summer too', () => {
  const ending = authorise('').replace('<center value="20240310"/>', '<low value="20240310"/><high value="20240616000000"/>');
  const [plan] = map(statement('INT', ending)).resources as [MedicationRequest];
  assert.equal(plan.dispenseRequest?.validityPeriod?.end, '2024-06-16');
});

test('an issue that names no plan is reported; a statement without any supply is refused', () => {
  const alone = prescribe('PRE-1').replace(/<inFulfillmentOf>[\s\S]*<\/inFulfillmentOf>/, '');
  assert.ok(map(statement('ORD', alone)).remarks.some((remark) => remark.code === 'link.broken'));
  assert.throws(() => map(statement('ORD', '')), /neither authorises nor prescribes/);
});

test('a supply says itself who issued it, where it does', () => {
  const performer = '<performer><agentRef><id root="AG-7"/></agentRef></performer>';
  const [order] = map(statement('ORD', prescribe('PRE-1', performer))).resources as MedicationRequest[];
  assert.equal(order?.recorder?.reference, 'Practitioner/AG-7');
  const [other] = map(statement('ORD', prescribe('PRE-1'))).resources as MedicationRequest[];
  assert.equal(other?.recorder?.reference, 'Practitioner/AG-2');
});

test('a statement was asserted when its composition was recorded, else when it was written', () => {
  const asserted = (composition: string) => {
    const xml = readXml(`<ehrComposition><id root="E"/>${composition}</ehrComposition>`);
    const around = { number: 1, xml, id: 'E', effectiveStart: null, available: null };
    return (map(REPEAT, { composition: () => around }).resources[1] as MedicationStatement).dateAsserted;
  };
  assert.equal(asserted('<author><time value="20240312"/></author><availabilityTime value="20240311"/>'), '2024-03-12');
  assert.equal(asserted('<availabilityTime value="20240311"/>'), '2024-03-11');
  assert.equal(asserted(''), '2024-03-10');
});
