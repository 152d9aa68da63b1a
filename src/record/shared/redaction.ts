/**
 * Redactions in both directions: a FHIR security label NOPAT and an HL7 `confidentialityCode`. Content is never removed; only
 * UK07 can carry the mark, UK06 is invalid with it.
 */
import type { Coding, DocumentReference, Meta, Resource } from '../../fhir/types.ts';
import { attr, child, h, type XmlElement } from '../../xml/element.ts';
import type { Remark } from '../types.ts';

const NOPAT = 'NOPAT';
const DISPLAY = "no disclosure to patient, family or caregivers without attending provider's authorization";
const ACT_CODE = 'http://hl7.org/fhir/v3/ActCode';

// ---- sending

/** Whether a resource is marked NOPAT; a document also by its security label. */
export function isRedacted(resource: Resource | undefined): boolean {
  const { meta, securityLabel } = (resource ?? {}) as Partial<DocumentReference>;
  if (!meta?.security && !securityLabel) return false;
  // A single label where a list belongs, or anything else: what is marked must not be shown because its mark is malformed.
  const labels = [securityLabel ?? []].flat();
  return [meta?.security ?? [], ...labels.map((label) => label?.coding ?? [])].flat().some(isNopat);
}

/** Whether a label is the one that marks a redaction. */
export const isNopat = (coding: Coding | undefined) => coding?.code === NOPAT && coding.system === ACT_CODE;

/** `<confidentialityCode>` of a redacted resource; null for others, and where the interaction cannot carry it (UK06). */
export function redactionToHl7(resource: Resource | undefined, s: { readonly redactions: boolean }): XmlElement | null {
  if (!s.redactions || !isRedacted(resource)) return null;
  return h('confidentialityCode', { code: NOPAT, codeSystem: '2.16.840.1.113883.4.642.3.47', displayName: DISPLAY });
}

/** Of each mark that UK06 cannot carry: the gaining practice must know that the record has redactions that it does not see. */
export const MARK_LEFT_OUT: Remark = {
  code: 'redaction.notCarried',
  text: 'Marked not to be shown to the patient; this kind of message cannot carry the mark.',
};

// ---- requesting

/**
 * `meta.security` that the first marked of some elements demands; undefined where none is. A confidentiality code that nobody
 * knows is taken for a redaction, the safe side, and reported. NOSCRUB is known and means none.
 */
export function redactionToFhir(elements: readonly (XmlElement | undefined)[], s: { report(remark: Remark): void }): Coding[] | undefined {
  const codes = elements.flatMap((element) => {
    const code = child(element, 'confidentialityCode');
    return code ? [attr(code, 'code') ?? ''] : [];
  });
  const unknown = codes.find((code) => code !== NOPAT && !NOT_REDACTIONS.has(code));
  if (unknown !== undefined)
    s.report({ code: 'value.lost', text: `The confidentiality code “${unknown}” is not known; the entry is treated as redacted.` });
  return unknown !== undefined || codes.includes(NOPAT) ? [{ system: ACT_CODE, code: NOPAT, display: DISPLAY }] : undefined;
}

const NOT_REDACTIONS: ReadonlySet<string> = new Set(['', 'NOSCRUB', 'N', 'R', 'V']);

/** `meta` of a resource: its profile, and the redaction that one of the elements demands. */
export function metaOf(profile: string, elements: readonly (XmlElement | undefined)[], s: { report(remark: Remark): void }): Meta {
  const security = redactionToFhir(elements, s);
  return { profile: [PROFILE + profile], ...(security && { security }) };
}

const PROFILE = 'https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-';
