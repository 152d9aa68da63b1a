/** Resources that a plan or a referral rests on, as words: HL7 gives neither statement a place for links. */
import type {
  DiagnosticReport,
  DocumentReference,
  Medication,
  MedicationRequest,
  Observation,
  Reference,
  ReferralRequest,
} from '../../fhir/types.ts';
import type { ToHl7 } from '../types.ts';
import { textOrCoding, userSelectedTextOrCoding } from './coded.ts';
import { joined } from './comment.ts';
import { typeOf } from './references.ts';
import { dateText } from './times.ts';

/** `{ Observation: 2021-01-01 Test }, { Document: … }`; undefined for nothing. What has no words is reported. */
export function supportingText(references: readonly Reference[] | undefined, s: ToHl7): string | undefined {
  const items = (references ?? []).flatMap((reference) => {
    const item = itemOf(reference, s);
    if (item === undefined)
      s.report({
        code: 'link.broken',
        text: `The supporting information ${reference.reference ?? reference.display ?? ''} is not carried.`,
      });
    return item ?? [];
  });
  return items.length ? items.join(', ') : undefined;
}

function itemOf(reference: Reference, s: ToHl7): string | undefined {
  const words = wordsOf(reference, s);
  return words && `{ ${joined([`${words[0]}:`, ...words.slice(1)])} }`;
}

function wordsOf(reference: Reference, s: ToHl7): readonly (string | undefined)[] | undefined {
  switch (typeOf(reference)) {
    case 'Observation': {
      const found = s.find<Observation>(reference);
      return found && ['Observation', day(found.effectiveDateTime ?? found.effectivePeriod?.start), userSelectedTextOrCoding(found.code)];
    }
    case 'DocumentReference': {
      const found = s.find<DocumentReference>(reference);
      return found && ['Document', day(found.created ?? found.indexed), userSelectedTextOrCoding(found.type), found.description];
    }
    case 'MedicationRequest': {
      const found = s.find<MedicationRequest>(reference);
      const drug = found?.medicationCodeableConcept ?? s.find<Medication>(found?.medicationReference)?.code;
      return found && ['Medication', day(found.dispenseRequest?.validityPeriod?.start), textOrCoding(drug)];
    }
    case 'ReferralRequest': {
      const found = s.find<ReferralRequest>(reference);
      return found && ['Referral', day(found.authoredOn), textOrCoding(found.reasonCode?.[0])];
    }
    case 'DiagnosticReport': {
      const found = s.find<DiagnosticReport>(reference);
      const pmip = found?.identifier?.find(({ system }) => system?.endsWith(PMIP_REPORT_ID));
      return found && ['Pathology Report', day(found.issued), pmip?.value];
    }
    default:
      return reference.display ? [typeOf(reference) ?? 'Other', reference.display] : undefined;
  }
}

/** With `urn:oid:` in front or without. */
const PMIP_REPORT_ID = '2.16.840.1.113883.2.1.4.5.5';

const day = (date: string | undefined) => (date ? dateText(date).slice(0, 10) : undefined);
