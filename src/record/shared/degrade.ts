/**
 * What stands in for an entry that cannot be carried as what it is. Requesting: the national transfer-degraded codes in front of
 * codes without SNOMED. Both directions: the entry's words as a narrative, in the entry's own place.
 */
import type { CodeableConcept } from '../../fhir/types.ts';
import type { Remark } from '../types.ts';
import { SNOMED_URI } from './code-systems.ts';

export type DegradeKind = 'record' | 'medication' | 'referral' | 'request' | 'plan' | 'drugAllergy' | 'nonDrugAllergy';

const CODES: Readonly<Record<DegradeKind, readonly [code: string, display: string]>> = {
  record: ['196411000000103', 'Transfer-degraded record entry'],
  medication: ['196421000000109', 'Transfer-degraded medication entry'],
  referral: ['196431000000106', 'Transfer-degraded referral'],
  request: ['196441000000102', 'Transfer-degraded request'],
  plan: ['196451000000104', 'Transfer-degraded plan'],
  drugAllergy: ['196461000000101', 'Transfer-degraded drug allergy'],
  nonDrugAllergy: ['196471000000108', 'Transfer-degraded non-drug allergy'],
};

/**
 * The concept itself where it has a SNOMED code; otherwise the degrade code goes before its codings, text and codings stay as
 * they are, and the degrade is reported with what stood there. Undefined stays undefined.
 */
export function degraded<C extends CodeableConcept | undefined>(
  concept: C,
  kind: DegradeKind,
  s: { report(remark: Remark): void },
): C | CodeableConcept {
  if (!concept || concept.coding?.some((coding) => coding.system === SNOMED_URI && coding.code)) return concept;
  const [code, display] = CODES[kind];
  const original = concept.coding ?? [];
  s.report({
    code: 'code.degraded',
    text: `${display}: “${concept.text ?? original[0]?.display ?? 'no words'}” has no SNOMED code.`,
    original,
  });
  return { ...concept, coding: [{ system: SNOMED_URI, code, display }, ...original] };
}
