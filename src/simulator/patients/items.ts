import { fhirNumber } from '../../fhir/json.ts';
import { add, type Chart, coded, concept, dayOf, extension, NOPAT, plusDays, prose, type Ref, timeOf } from './chart.ts';
import { DRUG_ALLERGIES, LIFESTYLE, MEASUREMENTS, OTHER_ALLERGIES, RECALLS, SPECIALTIES, type Term, VACCINATIONS } from './words.ts';

/** Where and when an item was entered; without an encounter it stands outside any consultation. */
export type Occasion = { readonly at: Date; readonly by: Ref; readonly encounter: Ref | null };

/** Entered with a description id: blood pressures, and one complaint whose code no receiver can know. */
const DESCRIBED = new Set(['163020007', '404640003']);
const COMMENT = '37331000000100';
const UNCATEGORISED = '826501000000100';
/** One item in fifty is kept from the patient's sight. */
const secret = (chart: Chart) => (chart.chance.happens(0.02) ? NOPAT : undefined);
const context = ({ encounter }: Occasion) => encounter ?? undefined;

/** A number as a system prints it, trailing zeros kept: 8.80. */
export function decimal(value: number, digits: number): unknown {
  return fhirNumber(value.toFixed(digits));
}

export function addObservation(chart: Chart, on: Occasion, code: Term, more: Record<string, unknown> = {}): Ref {
  return add(
    chart,
    'Observation',
    {
      security: secret(chart),
      status: 'final',
      code: concept(code, {
        description: DESCRIBED.has(code[0]),
        ...(chart.chance.happens(0.3) && code[0] !== COMMENT && { local: `EMISN${code[0].slice(0, 4)}` }),
      }),
      subject: chart.patient,
      context: context(on),
      effectiveDateTime: chart.chance.happens(0.8) ? timeOf(on.at) : dayOf(on.at),
      issued: timeOf(on.at),
      performer: [on.by],
      ...more,
    },
    { list: UNCATEGORISED },
  );
}

export function addComment(chart: Chart, on: Occasion): Ref {
  return addObservation(chart, on, [COMMENT, 'Comment note'], { comment: prose(chart.chance) });
}

export function addMeasurement(chart: Chart, on: Occasion): Ref {
  const { chance } = chart;
  const [code, unit, mean, deviation, digits] = chance.pick(MEASUREMENTS);
  const value = decimal(Math.max(0.1, mean + deviation * chance.normal()), digits);
  const range = chance.happens(0.2) && {
    referenceRange: [{ low: { value: decimal(mean - deviation, digits), unit }, high: { value: decimal(mean + deviation, digits), unit } }],
  };
  return addObservation(chart, on, code, {
    valueQuantity: { value, unit, system: 'http://unitsofmeasure.org', code: unit },
    ...(range || {}),
    ...(chance.happens(0.1) && { comment: 'Measured without shoes.' }),
  });
}

export function addLifestyle(chart: Chart, on: Occasion): Ref {
  return addObservation(
    chart,
    on,
    chart.chance.pick(LIFESTYLE),
    chart.chance.happens(0.3) ? { valueString: '10 a day, since age 19' } : {},
  );
}

export function addBloodPressure(chart: Chart, on: Occasion): Ref {
  const { chance } = chart;
  const reading = (code: string, display: string, value: number) => ({
    code: concept([code, display], { description: true }),
    valueQuantity: { value, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
  });
  return addObservation(chart, on, ['163020007', 'O/E - blood pressure reading'], {
    component: [
      reading('72313002', 'Systolic arterial pressure', Math.round(134 + 15 * chance.normal())),
      reading('1091811000000102', 'Diastolic arterial pressure', Math.round(80 + 9 * chance.normal())),
    ],
    ...(chance.happens(0.2) && { comment: 'Sitting, left arm, large cuff.' }),
  });
}

/** A problem: an observation of it, and the Condition that heads everything done about it. `linked` may grow until `finish`. */
export function addProblem(
  chart: Chart,
  on: Occasion,
  code: Term,
): { readonly condition: Ref; readonly observation: Ref; link(ref: Ref): void; finish(): void } {
  const { chance } = chart;
  const observation = addObservation(chart, on, code);
  const id = chance.uuid();
  const linked: Ref[] = [];
  const ended = chance.happens(0.4) ? plusDays(on.at, chance.between(20, 900)) : null;
  const over = ended !== null && ended < chart.asOf ? ended : null;
  const significance = chance.happens(0.5) ? 'major' : 'minor';
  const notes = chance.happens(0.4) ? [{ text: prose(chance) }] : undefined;
  return {
    condition: { reference: `Condition/${id}` },
    observation,
    link: (ref) => linked.push(ref),
    finish: () => {
      add(
        chart,
        'Condition',
        {
          extension: [
            extension('ActualProblem-1', { valueReference: observation }),
            extension('ProblemSignificance-1', { valueCode: significance }),
            ...linked.map((ref) => extension('RelatedClinicalContent-1', { valueReference: ref })),
          ],
          clinicalStatus: over ? 'inactive' : 'active',
          verificationStatus: 'unknown',
          category: [
            coded('https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1', 'problem-list-item', 'Problem List Item'),
          ],
          code: concept(code),
          subject: chart.patient,
          context: context(on),
          onsetDateTime: dayOf(on.at),
          abatementDateTime: over ? dayOf(over) : undefined,
          assertedDate: timeOf(on.at),
          asserter: on.by,
          note: notes,
        },
        { id, list: '717711000000103' },
      );
    },
  };
}

/** A drug allergy, another allergy, or (`degraded`) one that an earlier transfer could not code. */
export function addAllergy(chart: Chart, on: Occasion, kind: 'drug' | 'other' | 'degraded'): Ref {
  const { chance } = chart;
  const code =
    kind === 'degraded'
      ? {
          coding: [{ system: 'http://snomed.info/sct', code: '196461000000101', display: 'Transfer-degraded drug allergy' }],
          text: 'Septrin Paediatric suspension',
        }
      : concept(chance.pick(kind === 'drug' ? DRUG_ALLERGIES : OTHER_ALLERGIES));
  const reaction = {
    manifestation: [concept(['271807003', 'Eruption of skin'])],
    severity: chance.pick(['mild', 'moderate', 'severe']),
    description: 'Widespread itchy rash',
  };
  return add(
    chart,
    'AllergyIntolerance',
    {
      security: secret(chart),
      clinicalStatus: 'active',
      verificationStatus: 'unconfirmed',
      type: 'allergy',
      category: [kind === 'other' ? 'environment' : 'medication'],
      criticality: chance.happens(0.3) ? 'high' : undefined,
      code,
      patient: chart.patient,
      onsetDateTime: dayOf(on.at),
      assertedDate: timeOf(on.at),
      recorder: on.by,
      note: chance.happens(0.5) ? [{ text: prose(chance) }] : undefined,
      reaction: chance.happens(0.5) ? [reaction] : undefined,
    },
    { list: '886921000000105' },
  );
}

export function addImmunisation(chart: Chart, on: Occasion): Ref {
  const { chance } = chart;
  const [code, display, substance] = chance.pick(VACCINATIONS);
  const refused = chance.happens(0.08);
  return add(
    chart,
    'Immunization',
    {
      extension: [
        extension('DateRecorded-1', { valueDateTime: timeOf(on.at) }),
        extension('VaccinationProcedure-1', { valueCodeableConcept: concept([code, display]) }),
      ],
      status: 'completed',
      notGiven: refused,
      vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'UNK', display: 'unknown' }], text: substance },
      patient: chart.patient,
      encounter: context(on),
      date: timeOf(on.at),
      primarySource: true,
      location: chart.practice.location,
      lotNumber: refused ? undefined : `BN${chance.between(10_000, 99_999)}`,
      expirationDate: refused ? undefined : dayOf(plusDays(on.at, chance.between(30, 400))),
      site: refused ? undefined : concept(['368208006', 'Left upper arm structure']),
      doseQuantity: refused ? undefined : { value: decimal(0.5, 1), unit: 'ml' },
      practitioner: [{ actor: on.by }],
      explanation: refused ? { reasonNotGiven: [{ text: 'Declined' }] } : undefined,
      note: chance.happens(0.2) ? [{ text: 'Batch checked, no immediate reaction.' }] : undefined,
    },
    { list: '1102181000000102' },
  );
}

export function addReferral(chart: Chart, on: Occasion): Ref {
  const { chance } = chart;
  return add(
    chart,
    'ReferralRequest',
    {
      security: secret(chart),
      status: 'unknown',
      intent: 'order',
      priority: chance.happens(0.2) ? 'urgent' : 'routine',
      subject: chart.patient,
      context: context(on),
      authoredOn: timeOf(on.at),
      requester: { agent: on.by, onBehalfOf: chart.practice.organisation },
      specialty: { text: chance.pick(SPECIALTIES) },
      reasonCode: [concept(['183444007', 'Referral for further care'])],
      description: prose(chance),
      note: chance.happens(0.3) ? [{ text: 'Mode: written' }] : undefined,
    },
    { list: '792931000000107' },
  );
}

export function addRecall(chart: Chart, on: Occasion): Ref {
  const { chance } = chart;
  return add(
    chart,
    'ProcedureRequest',
    {
      status: 'active',
      intent: 'plan',
      code: concept(chance.pick(RECALLS)),
      subject: chart.patient,
      context: context(on),
      occurrenceDateTime: dayOf(plusDays(on.at, chance.between(90, 400))),
      authoredOn: timeOf(on.at),
      requester: { agent: on.by },
      note: chance.happens(0.4) ? [{ text: 'Invite by text message.' }] : undefined,
    },
    { list: '714311000000108' },
  );
}
