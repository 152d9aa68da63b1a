/**
 * Coded data in both directions: a FHIR CodeableConcept and an HL7 CD. GP2GP expects the id of a *description* as the code of a
 * clinical term and the id of a *concept* as the code of a product, both under SNOMED's OID; which of the two a code is, its
 * partition digits tell.
 */
import type { CodeableConcept, Coding, Extension } from '../../fhir/types.ts';
import { attr, child, children, h, textOf, type XmlElement } from '../../xml/element.ts';
import type { Terminology } from '../types.ts';
import { CTV3_URI, fhirSystem, hl7System, READ_V2_URI, SNOMED_OID, SNOMED_URI } from './code-systems.ts';

const DESCRIPTION = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-coding-sctdescid';

// ---- sending

/** `general` for clinical terms; the others differ in which code, display and text they give. */
export type CodedUse = 'general' | 'medication' | 'bloodPressure' | 'allergy';

/**
 * A concept as `<code …>` (or another element name): code and display from its first SNOMED coding, the words in
 * `originalText`, codings of other systems as `translation`. Without SNOMED the first coding whose system has an OID is the
 * code; without any, `nullFlavor="UNK"` with the words.
 */
export function codedToHl7(concept: CodeableConcept | undefined, use: CodedUse = 'general', name = 'code'): XmlElement {
  const snomed = snomedCoding(concept);
  if (!concept || !snomed) return withoutSnomed(concept, name);
  const { id, display } = descriptionOf(snomed);
  const code = use === 'medication' || use === 'bloodPressure' ? snomed.code : (id ?? snomed.code);
  const shown = use === 'bloodPressure' || use === 'allergy' ? snomed.display : (display ?? snomed.display);
  return cd(name, { code, codeSystem: SNOMED_OID, displayName: shown }, originalText(concept, snomed, use), translations(concept));
}

function originalText(concept: CodeableConcept, snomed: Coding, use: CodedUse): string | undefined {
  if (concept.text) return concept.text;
  const { display } = descriptionOf(snomed);
  if (use === 'bloodPressure') return snomed.display || display;
  return use === 'allergy' ? display : undefined;
}

function withoutSnomed(concept: CodeableConcept | undefined, name: string): XmlElement {
  const [first, ...others] = knownCodings(concept);
  if (first) return cd(name, first, textOrCoding(concept), others);
  return codedAsText(textOrCoding(concept), name);
}

/** A code that is only words: `nullFlavor="UNK"` with `originalText`, which is left out where there are none. */
export function codedAsText(text: string | undefined, name = 'code'): XmlElement {
  return h(name, { nullFlavor: 'UNK' }, text ? h('originalText', null, text) : null);
}

/** A fixed SNOMED code. */
export function snomedCode(code: string, displayName: string, text?: string, name = 'code'): XmlElement {
  return cd(name, { code, codeSystem: SNOMED_OID, displayName }, text, []);
}

type HL7Code = { readonly code: string | undefined; readonly codeSystem: string; readonly displayName: string | undefined };

function cd(name: string, main: HL7Code, text: string | undefined, others: readonly HL7Code[]): XmlElement {
  return h(
    name,
    attributes(main),
    text ? h('originalText', null, text) : null,
    others.map((other) => h('translation', attributes(other))),
  );
}

const attributes = ({ code, codeSystem, displayName }: HL7Code) => ({
  code: code ?? '',
  codeSystem,
  displayName: displayName ?? '',
});

const translations = (concept: CodeableConcept) => knownCodings(concept).filter((coding) => coding.codeSystem !== SNOMED_OID);

function knownCodings(concept: CodeableConcept | undefined): HL7Code[] {
  return (concept?.coding ?? []).flatMap(({ system, code, display }) => {
    const codeSystem = hl7System(system);
    return codeSystem === undefined || code === undefined ? [] : [{ code, codeSystem, displayName: display }];
  });
}

/**
 * The SNOMED coding that says most: one that has only the description it was chosen by (a record read without a terminology release has
 * those, behind a degrade code) goes before the first, so that whoever is next can look it up.
 */
export function snomedCoding(concept: CodeableConcept | undefined): Coding | undefined {
  const codings = concept?.coding?.filter((coding) => coding.system === SNOMED_URI) ?? [];
  return codings.find((coding) => !coding.code && descriptionOf(coding).id !== undefined) ?? codings[0];
}

/** The SNOMED description that a coding was chosen by, where the extension tells it. */
export function descriptionOf(coding: Coding): { id: string | undefined; display: string | undefined } {
  const parts = coding.extension?.find((extension) => extension.url === DESCRIPTION)?.extension ?? [];
  const value = (url: string) => {
    const part = parts.find((extension) => extension.url === url);
    return part?.valueId || part?.valueString || part?.valueCode || undefined;
  };
  return { id: value('descriptionId'), display: value('descriptionDisplay') };
}

/** The words for a concept: its text, else what its first coding shows, a description before the preferred term. */
export function textOrCoding(concept: CodeableConcept | undefined): string | undefined {
  return concept?.text || wordsOf(concept?.coding?.[0]);
}

/** As `textOrCoding`, but the coding that the user chose goes before the first. */
export function userSelectedTextOrCoding(concept: CodeableConcept | undefined): string | undefined {
  return concept?.text || wordsOf(concept?.coding?.find((coding) => coding.userSelected === true)) || textOrCoding(concept);
}

function wordsOf(coding: Coding | undefined): string | undefined {
  if (!coding) return undefined;
  const { display } = descriptionOf(coding);
  return display?.trim() ? display : coding.display || undefined;
}

// ---- requesting

/** A CD by the names that the rules use. */
type Cd = { code: string; codeSystem: string; displayName: string; originalText: string };

function read(element: XmlElement): Cd {
  return {
    code: (attr(element, 'code') ?? '').trim(),
    codeSystem: attr(element, 'codeSystem') ?? '',
    displayName: attr(element, 'displayName') ?? '',
    originalText: textOf(child(element, 'originalText')),
  };
}

/** The SNOMED code of a CD: its own, else that of its first SNOMED translation. A description id is given as it stands. */
export function sctOf(element: XmlElement | undefined): string | undefined {
  if (!element) return undefined;
  return snomedCodesOf(element)[0];
}

/** All SNOMED codes of a CD, its own first. */
export function snomedCodesOf(element: XmlElement | undefined): string[] {
  if (!element) return [];
  return [element, ...children(element, 'translation')]
    .map(read)
    .filter((cd) => cd.codeSystem === SNOMED_OID && cd.code !== '')
    .map((cd) => cd.code);
}

/**
 * A CD as a CodeableConcept: its SNOMED code as a concept with the description it was chosen by, its other codes as they came,
 * its words as text. `medication` leaves the description out. An absent element gives undefined; an empty one an empty concept.
 */
export function codedToFhir(
  element: XmlElement | undefined,
  terminology: Terminology,
  use: 'general' | 'medication' = 'general',
): CodeableConcept | undefined {
  if (!element) return undefined;
  const main = read(element);
  const others = children(element, 'translation').map(read);
  const { coding, text } = snomedPart(main, others, terminology, use);
  const codings: Coding[] = coding ? [coding] : [];
  for (const [index, cd] of [main, ...others].entries()) {
    if (cd.codeSystem === '' || cd.codeSystem === SNOMED_OID) continue;
    codings.splice(Math.min(index, codings.length), 0, plainCoding(cd));
  }
  codings.push(...furtherConcepts([main, ...others], coding?.code));
  return { ...(codings.length && { coding: codings }), ...(text && { text }) };
}

/** SNOMED codes beside the one that the others are read by, where they are other concepts. */
function furtherConcepts(all: readonly Cd[], read: string | undefined): Coding[] {
  const seen = new Set([read]);
  return all.flatMap((cd) => {
    const further = cd.codeSystem === SNOMED_OID && read !== undefined && partitionOf(cd.code) === 'concept' && !seen.has(cd.code);
    seen.add(cd.code);
    return further ? [snomed(cd.code, cd.displayName, undefined)] : [];
  });
}

function plainCoding(cd: Cd): Coding {
  return { system: fhirSystem(cd.codeSystem), ...(cd.code && { code: cd.code }), ...(cd.displayName && { display: cd.displayName }) };
}

type SnomedPart = { coding?: Coding; text: string };

function snomedPart(main: Cd, others: readonly Cd[], terminology: Terminology, use: 'general' | 'medication'): SnomedPart {
  const translated = others.find((cd) => cd.codeSystem === SNOMED_OID);
  const carrier = main.codeSystem === SNOMED_OID ? main : translated;
  // Whenever a translation is SNOMED the main code speaks for the words, even where it is SNOMED itself.
  const host = translated ? main : undefined;
  switch (carrier ? partitionOf(carrier.code) : 'none') {
    case 'concept':
      return carrier ? conceptPart(carrier, host, terminology, use) : { text: '' };
    case 'description':
      return carrier ? descriptionPart(carrier, host, terminology, use) : { text: '' };
    default:
      return { text: main.originalText || main.displayName };
  }
}

/** What an id names, by the two digits before its check digit. */
function partitionOf(code: string): 'concept' | 'description' | 'none' {
  const partition = code.slice(-3, -1);
  if (!/^\d{3,18}$/.test(code)) return 'none';
  if (partition === '00' || partition === '10') return 'concept';
  return partition === '01' || partition === '11' ? 'description' : 'none';
}

function conceptPart(carrier: Cd, host: Cd | undefined, terminology: Terminology, use: 'general' | 'medication'): SnomedPart {
  const shown = carrier.displayName || host?.displayName || '';
  const text = host?.originalText || carrier.originalText;
  const coding = (display: string, id: string | undefined, term: string | undefined) =>
    snomed(carrier.code, display, use === 'general' ? description(id, term) : undefined);
  const preferred = terminology.preferredTerm(carrier.code);
  // Without a release the term that the sender chose is known, and whether it is the preferred one is not: it stands as both.
  if (terminology.release === null) return { coding: coding(shown, undefined, shown), text: text || shown };
  if (preferred === undefined) {
    const known = shown ? terminology.descriptionOf(carrier.code, shown) : undefined;
    return { coding: coding(shown, known, known && shown), text };
  }
  if (!shown) return { coding: coding(preferred, terminology.descriptionOf(carrier.code, preferred), undefined), text };
  const id = terminology.descriptionOf(carrier.code, shown);
  return { coding: coding(preferred, id, shown), text: text || shown };
}

/** The SNOMED coding that the national maps give for a code of Read v2 or CTV3, with its description; undefined where they give none for sure. */
export function mappedCoding({ system, code }: Coding, terminology: Terminology): Coding | undefined {
  const version = system === READ_V2_URI ? 'readV2' : system === CTV3_URI ? 'ctv3' : undefined;
  const meaning = version && code ? terminology.meaningOf(version, code) : undefined;
  const preferred = meaning && terminology.preferredTerm(meaning.conceptId);
  if (!meaning || preferred === undefined) return undefined;
  const term = meaning.descriptionId && terminology.conceptOfDescription(meaning.descriptionId)?.term;
  const chosen = term === undefined ? undefined : description(meaning.descriptionId, term === preferred ? undefined : term);
  return snomed(meaning.conceptId, preferred, chosen);
}

function descriptionPart(carrier: Cd, host: Cd | undefined, terminology: Terminology, use: 'general' | 'medication'): SnomedPart {
  const shown = host?.displayName || carrier.displayName;
  const text = host?.originalText || carrier.originalText;
  const row = use === 'general' ? terminology.conceptOfDescription(carrier.code) : undefined;
  if (!row) return { ...unknownDescription(carrier, shown, terminology, use), text: text || shown };
  const preferred = terminology.preferredTerm(row.conceptId) ?? row.term;
  const extension = description(carrier.code, row.term === preferred ? undefined : row.term);
  return { coding: snomed(row.conceptId, preferred, extension), text: text || (shown === preferred ? '' : shown) };
}

/** Without a whole release nobody can name the concept. The id is kept where it belongs, and no concept is invented. */
function unknownDescription(carrier: Cd, shown: string, terminology: Terminology, use: 'general' | 'medication'): { coding?: Coding } {
  if (terminology.release !== null || use === 'medication') return {};
  return { coding: snomed('', shown, description(carrier.code, undefined)) };
}

function snomed(code: string, display: string, extension: Extension | undefined): Coding {
  return { ...(extension && { extension: [extension] }), system: SNOMED_URI, ...(code && { code }), ...(display && { display }) };
}

function description(id: string | undefined, display: string | undefined): Extension | undefined {
  if (!id && !display) return undefined;
  return {
    url: DESCRIPTION,
    extension: [
      ...(id ? [{ url: 'descriptionId', valueId: id }] : []),
      ...(display ? [{ url: 'descriptionDisplay', valueString: display }] : []),
    ],
  };
}
