/** The one table of an immunisation's labels and extensions: what is written on the way to HL7 is read by it on the way to FHIR. */
import type { Labels } from '../shared/labels.ts';

const YES_NO = /true|false/;

/**
 * In the order in which they are written. That nothing was given stands first: HL7 knows vaccinations only as having taken place, and a
 * reader who misses it sees a protection that is not there.
 */
export const FACTS = {
  notGiven: { label: 'Not Given: ', value: /true/ },
  status: { label: 'Immunisation Status: ', value: /Entered In Error/ },
  origin: { label: 'Origin: ' },
  parentPresent: { label: 'Parent Present: ', value: YES_NO },
  primarySource: { label: 'Primary Source: ', value: YES_NO },
  location: { label: 'Location: ' },
  manufacturer: { label: 'Manufacturer: ' },
  batch: { label: 'Batch: ' },
  expiration: { label: 'Expiration: ', value: /\d{4}(?:-\d{2}(?:-\d{2}(?: \d{2}:\d{2}:\d{2})?)?)?/ },
  site: { label: 'Site: ' },
  route: { label: 'Route: ' },
  quantity: { label: 'Quantity: ' },
  reason: { label: 'Reason: ' },
  reasonNotGiven: { label: 'Reason not given: ' },
  protocols: { label: 'Vaccination Protocol 1: ' },
  substance: { label: 'Substance: ' },
} as const satisfies Labels<string>;

/** Parts of one vaccination protocol, behind its description. */
export const PROTOCOL = {
  label: (number: number) => `Vaccination Protocol ${number}:`,
  next: /\s(?=Vaccination Protocol \d+:)/,
  parts: /^(?:Vaccination Protocol \d+:)?\s*(.*?)(?:\s*Sequence: (\d+))?(?:,?\s*Doses: (\d+))?(?:\s*Target Disease: (.*))?$/,
  /** Names of diseases have commas with a blank behind them. */
  betweenDiseases: /,(?! )/,
} as const;

export const ENTERED_IN_ERROR = 'Entered In Error';

/**
 * Whether the words beside an observation are those of a vaccination as the adaptors write them. Without a terminology release this tells
 * vaccinations from other observations: a sender codes them by descriptions, which no short list can hold.
 */
export function speaksOfVaccination(text: string): boolean {
  return /^(?:Not Given: true|(?:Origin: [^\n]+\s)?(?:Parent Present|Primary Source): (?:true|false))(?=\s|$)/.test(text.trimStart());
}

/** Words by which vendors code that a vaccination did not take place. */
export const WORDS_OF_NOT_GIVEN =
  /\b(?:not (?:given|done|administered|indicated)|declined|refus(?:ed|al)|contra-?indicated|did not attend|no consent|consent (?:not given|withheld))\b/i;

export const PARENT_PRESENT = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-ParentPresent-1';
export const PROCEDURE = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-VaccinationProcedure-1';
export const DATE_RECORDED = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-DateRecorded-1';
/** A vaccine that nobody named. */
export const UNKNOWN_VACCINE = { system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'UNK' } as const;
/** Who entered it, not who gave it. */
export const RECORDER_ROLE = { system: 'http://hl7.org/fhir/stu3/valueset-immunization-role.html', code: 'EP' } as const;
/** Role of who gave it. */
export const ADMINISTERING = 'AP';
