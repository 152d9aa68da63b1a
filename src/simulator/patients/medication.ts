import { ownSnomedId } from './chance.ts';
import { add, type Chart, coded, dayOf, descriptionOf, extension, NOPAT, plusDays, type Ref, SCT, timeOf } from './chart.ts';
import type { Occasion } from './items.ts';
import { DRUGS } from './words.ts';

export type Drug = (typeof DRUGS)[number];
const MEDICATIONS = '933361000000108';

/**
 * A plan with its issues and the statement above them. What was entered on this occasion: the plan, which a problem names, and its first
 * issue; later ones are made without the patient.
 */
export function addMedication(chart: Chart, on: Occasion, drug: Drug): readonly [plan: Ref, first: Ref] {
  const { chance } = chart;
  const medication = medicationOf(chart, drug);
  const days = drug.repeat ? 28 : 7;
  const most = drug.repeat ? Math.floor((chart.asOf.getTime() - on.at.getTime()) / (days * 86_400_000)) : 1;
  const issues = Math.max(1, Math.min(most, chance.between(1, 12)));
  const last = plusDays(on.at, (issues - 1) * days);
  const stopped = drug.repeat && chance.happens(0.35);
  const active = drug.repeat && !stopped && plusDays(last, 3 * days) > chart.asOf;
  const type = drug.repeat ? 'repeat' : 'acute';
  const prescription = extension('GPC-PrescriptionType-1', {
    valueCodeableConcept: coded(
      'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescriptionType-1',
      type,
      drug.repeat ? 'Repeat' : 'Acute',
    ),
  });
  const quantity = { value: drug.quantity, unit: drug.unit };
  const expectedSupplyDuration = { value: days, unit: 'day', system: 'http://unitsofmeasure.org', code: 'd' };
  const group = { value: chance.uuid().toLowerCase() };
  const dosage = [{ text: drug.dose, ...(chance.happens(0.2) && { patientInstruction: 'With plenty of water.' }) }];
  const security = chance.happens(0.02) ? NOPAT : undefined;
  const common = {
    groupIdentifier: group,
    medicationReference: medication,
    subject: chart.patient,
    recorder: on.by,
  };
  const context = on.encounter ?? undefined;
  const plan = add(chart, 'MedicationRequest', {
    security,
    extension: [
      ...(drug.repeat
        ? [
            extension('GPC-MedicationRepeatInformation-1', {
              extension: [
                { url: 'numberOfRepeatPrescriptionsAllowed', valueUnsignedInt: 12 },
                { url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: issues },
              ],
            }),
          ]
        : []),
      ...(stopped
        ? [
            extension('GPC-MedicationStatusReason-1', {
              extension: [
                {
                  url: 'statusReason',
                  valueCodeableConcept: { text: chance.pick(['No longer required', 'Side effects', 'Dose changed']) },
                },
                { url: 'statusChangeDate', valueDateTime: timeOf(plusDays(last, 1)) },
              ],
            }),
          ]
        : []),
      prescription,
    ],
    ...common,
    context,
    status: stopped ? 'stopped' : active ? 'active' : 'completed',
    intent: 'plan',
    authoredOn: timeOf(on.at),
    requester: { agent: on.by },
    dosageInstruction: dosage,
    dispenseRequest: {
      validityPeriod: { start: dayOf(on.at), ...(!active && { end: dayOf(plusDays(last, days)) }) },
      quantity,
      expectedSupplyDuration,
    },
    note: chance.happens(0.1) ? [{ text: 'Shared care with the hospital.' }] : undefined,
  });
  const orders = Array.from({ length: issues }, (_, i) => {
    const start = plusDays(on.at, i * days);
    return add(chart, 'MedicationRequest', {
      security,
      extension: [prescription],
      ...common,
      ...(i === 0 && context && { context }),
      basedOn: [plan],
      status: i === issues - 1 && active ? 'active' : 'completed',
      intent: 'order',
      authoredOn: timeOf(start),
      requester: { agent: on.by },
      dosageInstruction: dosage,
      dispenseRequest: { validityPeriod: { start: dayOf(start), end: dayOf(plusDays(start, days)) }, quantity, expectedSupplyDuration },
    });
  });
  add(
    chart,
    'MedicationStatement',
    {
      security,
      extension: [
        extension('GPC-PrescribingAgency-1', {
          valueCodeableConcept: coded(
            'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1',
            'prescribed-at-gp-practice',
            'Prescribed at GP practice',
          ),
        }),
        extension('GPC-MedicationStatementLastIssueDate-1', { valueDateTime: timeOf(last) }),
      ],
      basedOn: [plan],
      status: stopped ? 'stopped' : active ? 'active' : 'completed',
      medicationReference: medication,
      effectivePeriod: { start: dayOf(on.at), ...(!active && { end: stopped ? timeOf(plusDays(last, 1)) : dayOf(plusDays(last, days)) }) },
      dateAsserted: timeOf(on.at),
      subject: chart.patient,
      taken: 'unk',
      dosage,
    },
    { list: MEDICATIONS },
  );
  return [plan, orders[0] ?? plan];
}

/** One `Medication` for each drug of a record, whoever prescribes it. */
function medicationOf(chart: Chart, drug: Drug): Ref {
  const code = ownSnomedId(8000 + DRUGS.indexOf(drug), '10');
  const id = `MED-${code}`;
  if (!chart.resources.some((one) => one.resourceType === 'Medication' && one.id === id)) {
    add(
      chart,
      'Medication',
      { code: { coding: [{ extension: [descriptionOf(code, drug.name)], system: SCT, code, display: drug.name, userSelected: true }] } },
      { id },
    );
  }
  return { reference: `Medication/${id}` };
}
