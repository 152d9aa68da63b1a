import type { Chance } from './chance.ts';
import { add, type Chart, concept, dayOf, NOPAT, type Ref, timeOf } from './chart.ts';
import type { Occasion } from './items.ts';
import { LETTERS } from './words.ts';

/** A document of a synthetic record: described here, made when it is asked for. */
export type PatientDocument = { readonly id: string; readonly contentType: string; readonly bytes: number; readonly name: string };

// The national spread: median 40 kB, mean 0.67 MB, so ln(0.67 / 0.04) = σ² / 2.
const MEDIAN = 40_000;
const SIGMA = 2.374;
const SMALLEST = 200;
/** What GP Connect lets a document have. */
const LARGEST = 100_000_000;

/** The size of a document in bytes, log-normal as in the national figures. */
export function documentSize(chance: Chance): number {
  return Math.round(Math.min(LARGEST, Math.max(SMALLEST, MEDIAN * Math.exp(SIGMA * chance.normal()))));
}

export function addDocument(chart: Chart, on: Occasion, bytes: number): { readonly ref: Ref; readonly document: PatientDocument } {
  const { chance } = chart;
  const [type, contentType, ending, description] = chance.pick(LETTERS);
  const id = chance.uuid();
  const ref = add(
    chart,
    'DocumentReference',
    {
      security: chance.happens(0.02) ? NOPAT : undefined,
      status: 'current',
      // Most systems say what kind a document is in words only.
      type: { ...(chance.happens(0.1) && concept(type)), text: `${type[1]} (${dayOf(on.at)})` },
      subject: chart.patient,
      created: dayOf(on.at),
      indexed: timeOf(on.at),
      author: [on.by],
      custodian: chart.practice.organisation,
      description,
      content: [
        {
          attachment: {
            contentType,
            url: `https://provider.simulated.test/${chart.practice.ods}/STU3/1/gpconnect/fhir/Binary/${id}`,
            size: bytes,
          },
        },
      ],
      context: on.encounter ? { encounter: on.encounter } : undefined,
    },
    { id },
  );
  return { ref, document: { id, contentType, bytes, name: `${id}.${ending}` } };
}
