/**
 * Interpretations (high, low, abnormal) in both directions. HL7 knows HI, LO, PA and OR; FHIR has finer degrees, which travel in
 * `originalText` and come back where the words are the standard's own.
 */
import type { CodeableConcept, Coding } from '../../fhir/types.ts';
import { attr, child, h, textOf, type XmlElement } from '../../xml/element.ts';
import { userSelectedTextOrCoding } from '../shared/coded.ts';

export const INTERPRETATION_SYSTEM = 'http://hl7.org/fhir/v2/0078';
/** The same table, as later releases of FHIR call it. */
const SYSTEMS: ReadonlySet<string> = new Set([INTERPRETATION_SYSTEM, 'http://terminology.hl7.org/CodeSystem/v2-0078']);
const OID = '2.16.840.1.113883.2.1.6.5';

const DISPLAY = {
  HI: 'Above high reference limit',
  LO: 'Below low reference limit',
  PA: 'Potentially abnormal',
} as const;
type Wire = keyof typeof DISPLAY;

/** FHIR code -> HL7 code and the standard's words for the FHIR code. */
const SENT: ReadonlyMap<string, readonly [wire: Wire, words: string]> = new Map([
  ['H', ['HI', 'High']],
  ['HH', ['HI', 'Critically high']],
  ['HU', ['HI', 'Very high']],
  ['L', ['LO', 'Low']],
  ['LL', ['LO', 'Critically low']],
  ['LU', ['LO', 'Very low']],
  ['A', ['PA', 'Abnormal']],
  ['AA', ['PA', 'Critically abnormal']],
]);

/** HL7 code -> FHIR code. OR (outside reference range) says no more than abnormal. */
const RECEIVED: ReadonlyMap<string, string> = new Map([
  ['HI', 'H'],
  ['LO', 'L'],
  ['PA', 'A'],
  ['OR', 'A'],
]);

// ---- sending

/** `<interpretationCode>` for an interpretation that has a code in HL7; null for others, which become words. */
export function interpretationToHl7(interpretation: CodeableConcept | undefined): XmlElement | null {
  const coding = codedInterpretation(interpretation);
  const known = coding && SENT.get(coding.code ?? '');
  if (!known) return null;
  const [code, words] = known;
  // A receiver sees only "high": what was more than that must stand in the words.
  const text = coding.display ?? (coding.code === 'H' || coding.code === 'L' || coding.code === 'A' ? '' : words);
  return h('interpretationCode', { code, codeSystem: OID, displayName: DISPLAY[code] }, h('originalText', null, text));
}

/** The words of an interpretation that the code does not carry; undefined where there are none. */
export function interpretationWords(interpretation: CodeableConcept | undefined): string | undefined {
  const coding = codedInterpretation(interpretation);
  if (!coding) return userSelectedTextOrCoding(interpretation);
  const text = interpretation?.text?.trim();
  return text && text !== coding.display && text !== SENT.get(coding.code ?? '')?.[1] ? text : undefined;
}

function codedInterpretation(interpretation: CodeableConcept | undefined): Coding | undefined {
  return interpretation?.coding?.find((coding) => SYSTEMS.has(coding.system ?? '') && SENT.has(coding.code ?? ''));
}

// ---- requesting

/** An `interpretationCode` as a concept; undefined for none. Codes nobody knows are kept under the system they came with. */
export function interpretationToFhir(statement: XmlElement): CodeableConcept | undefined {
  const element = child(statement, 'interpretationCode');
  if (!element || attr(element, 'nullFlavor') !== undefined) return undefined;
  const code = (attr(element, 'code') ?? '').trim();
  const displayName = attr(element, 'displayName') ?? '';
  const words = textOf(child(element, 'originalText')).trim() ? textOf(child(element, 'originalText')) : displayName;
  const coding = knownCoding(code, words) ?? foreignCoding(element, code, displayName);
  return coding || words ? { ...(coding && { coding: [coding] }), ...(words && { text: words }) } : undefined;
}

/** An interpretation that only words tell: with its code where they are the standard's own. */
export function interpretationInWords(words: string): CodeableConcept {
  const code = [...SENT].find(([, [, display]]) => display === words)?.[0];
  return { ...(code && { coding: [{ system: INTERPRETATION_SYSTEM, code, display: words }] }), text: words };
}

function knownCoding(wire: string, words: string): Coding | undefined {
  const plain = RECEIVED.get(wire);
  if (plain === undefined) return undefined;
  // The finer degrees say in words what they are.
  const finer = [...SENT].find(([, [sent, display]]) => sent === wire && display === words)?.[0];
  const code = finer ?? plain;
  return { system: INTERPRETATION_SYSTEM, code, ...display(SENT.get(code)?.[1]) };
}

function foreignCoding(element: XmlElement, code: string, displayName: string): Coding | undefined {
  if (!code) return undefined;
  const codeSystem = attr(element, 'codeSystem');
  return { ...(codeSystem && { system: `urn:oid:${codeSystem}` }), code, ...display(displayName) };
}

const display = (text: string | undefined) => (text ? { display: text } : {});
