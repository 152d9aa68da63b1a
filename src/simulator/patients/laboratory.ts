import { add, type Chart, coded, concept, plusDays, prose, type Ref, timeOf } from './chart.ts';
import { decimal, type Occasion } from './items.ts';
import { PANELS, SINGLE_TESTS, type Term } from './words.ts';

type Test = (typeof SINGLE_TESTS)[number];

/** A laboratory report: specimen, a group of results or a single one, comments of the laboratory and of who filed it. */
export function addLaboratoryReport(chart: Chart, on: Occasion): Ref {
  const { chance } = chart;
  const issued = plusDays(on.at, 1);
  const panel = chance.happens(0.75) ? chance.pick(PANELS) : null;
  const laboratory = laboratoryOf(chart);
  const specimen = add(chart, 'Specimen', {
    accessionIdentifier: {
      value: `${chance.pick(['B', 'C', 'H'])},${chance.between(10, 99)}.${chance.between(1_000_000, 9_999_999)}.${chance.pick(['A', 'K', 'R'])}`,
    },
    type: { text: panel?.specimen ?? 'Serum' },
    subject: chart.patient,
    receivedTime: timeOf(plusDays(on.at, 0.25)),
    collection: { collectedDateTime: timeOf(on.at) },
    note: chance.happens(0.1) ? [{ text: 'Slightly haemolysed.' }] : undefined,
  });
  const result = (code: Term, more: Record<string, unknown>, id?: string): Ref =>
    add(
      chart,
      'Observation',
      {
        status: 'unknown',
        category: [coded('http://hl7.org/fhir/observation-category', 'laboratory', 'Laboratory')],
        code: concept(code),
        subject: chart.patient,
        effectiveDateTime: timeOf(on.at),
        issued: timeOf(issued),
        performer: [laboratory],
        specimen,
        ...more,
      },
      id === undefined ? {} : { id },
    );
  const results: Ref[] = [];
  if (panel) {
    const id = chance.uuid();
    const header = { reference: `Observation/${id}` };
    const members = panel.tests.map((one) =>
      result(one[0], { ...measured(chart, one), related: [{ type: 'derived-from', target: header }] }),
    );
    const comment = chance.happens(0.5) && filingComment(chart, on, issued, { related: [{ type: 'derived-from', target: header }] });
    const related = [...members, ...(comment ? [comment] : [])].map((target) => ({ type: 'has-member', target }));
    results.push(result(panel.group, { related, ...(chance.happens(0.3) && { comment: 'Results validated automatically.' }) }, id));
  } else {
    const single = chance.pick(SINGLE_TESTS);
    results.push(result(single[0], measured(chart, single)));
  }
  if (chance.happens(0.3)) results.push(filingComment(chart, on, issued, {}));
  return add(
    chart,
    'DiagnosticReport',
    {
      identifier: [
        { system: `https://system.simulated.test/${chart.practice.ods}`, value: chance.uuid() },
        { system: '2.16.840.1.113883.2.1.4.5.5', value: `LAB${chance.between(1_000_000_000, 9_999_999_999)}` },
      ],
      status: 'unknown',
      category: coded('http://hl7.org/fhir/v2/0074', 'LAB', 'Laboratory'),
      code: coded('http://snomed.info/sct', '721981007', 'Diagnostic studies report'),
      subject: chart.patient,
      context: on.encounter ?? undefined,
      issued: timeOf(issued),
      performer: [{ actor: laboratory }],
      specimen: [specimen],
      result: results,
      conclusion: chance.happens(0.2) ? 'No further action' : undefined,
    },
    { list: '887191000000108' },
  );
}

/** A value mostly inside its range, with the interpretation of one that is not. */
function measured(chart: Chart, [, unit, low, high, digits]: Test): Record<string, unknown> {
  const { chance } = chart;
  const value = Math.max(0, (low + high) / 2 + ((high - low) / 3) * chance.normal());
  const out = value > high ? ['H', 'High'] : value < low ? ['L', 'Low'] : null;
  return {
    valueQuantity: { value: decimal(value, digits), unit, ...(chance.happens(0.03) && { comparator: '<' }) },
    referenceRange: [{ low: { value: decimal(low, digits), unit }, high: { value: decimal(high, digits), unit } }],
    ...(out && { interpretation: coded('http://hl7.org/fhir/v2/0078', out[0] ?? '', out[1] ?? '') }),
    ...(chance.happens(0.1) && { comment: prose(chance) }),
  };
}

function filingComment(chart: Chart, on: Occasion, issued: Date, more: Record<string, unknown>): Ref {
  return add(chart, 'Observation', {
    status: 'unknown',
    code: coded('http://snomed.info/sct', '37331000000100', 'Comment note'),
    subject: chart.patient,
    effectiveDateTime: timeOf(issued),
    issued: timeOf(issued),
    performer: [on.by],
    comment: chart.chance.pick(['Normal, no action', 'Abnormal but expected', 'Speak to patient', 'Repeat in 3 months']),
    ...more,
  });
}

function laboratoryOf(chart: Chart): Ref {
  const id = 'LABORATORY';
  if (!chart.resources.some((one) => one.id === id)) add(chart, 'Organization', { name: 'Arden Pathology Service' }, { id });
  return { reference: `Organization/${id}` };
}
