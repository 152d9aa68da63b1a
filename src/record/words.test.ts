import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DocumentReference, ProcedureRequest, ReferralRequest } from '../fhir/types.ts';
import { documentToFhir } from './document/to-fhir.ts';
import { documentToHl7 } from './document/to-hl7.ts';
import { planToFhir } from './plan/to-fhir.ts';
import { planToHl7 } from './plan/to-hl7.ts';
import { referralToFhir } from './referral/to-fhir.ts';
import { referralToHl7 } from './referral/to-hl7.ts';
import { received, sent } from './testing.ts';

// Words, labels of every concept, and line ends, in any order: what people write and what looks like ours.
const piece = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((text) => text.replace(/[\s\p{C}]/gu, 'x')),
  fc.constantFrom(
    'Status: Seen',
    'Priority: ASAP',
    'Type: ',
    'Description: ',
    'Specialty: ',
    'Reason Codes: ',
    'Annotation: ',
    'UBRN: ',
    '\n',
    ' ',
  ),
);
const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(' '));

/** Every word of a text stands somewhere in what came back; a label may have become a member. */
function keepsWords(said: string, back: object): void {
  const all = JSON.stringify(back).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  for (const word of said.split(/\s+/))
    if (word && !LABEL_WORDS.has(word)) assert.ok(all.includes(word), `${word} of ${JSON.stringify(said)} is lost: ${all}`);
}
const LABEL_WORDS = new Set('Status: Seen Priority: ASAP Type: Description: Specialty: Reason Codes: Annotation: UBRN:'.split(' '));

test('whatever a note says, no word of it is lost on the way', () => {
  fc.assert(
    fc.property(text, (said) => {
      const plan: ProcedureRequest = {
        resourceType: 'ProcedureRequest',
        id: 'p',
        intent: 'plan',
        code: { text: 'x' },
        note: [{ text: said }],
      };
      keepsWords(said, received(planToFhir, 'plan', sent(planToHl7, plan).statement).resources);
      const referral: ReferralRequest = { resourceType: 'ReferralRequest', id: 'r', note: [{ text: said }], description: said };
      keepsWords(said, received(referralToFhir, 'referral', sent(referralToHl7, referral).statement).resources);
      const document: DocumentReference = { resourceType: 'DocumentReference', id: 'd', type: { text: said }, description: said };
      keepsWords(said, received(documentToFhir, 'document', sent(documentToHl7, document).statement).resources);
    }),
    { numRuns: 200 },
  );
});
