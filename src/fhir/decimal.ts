/** Numbers of a FHIR resource, by the characters that they were written in. */

declare global {
  interface JSON {
    /** ECMAScript 2026; in Node since 21. Throws where the text is no JSON of a single value. */
    rawJSON(text: string): unknown;
  }
}

/**
 * JSON in which numbers keep their characters. `JSON.parse` turns 8.800 into 8.8, and a clinician reads the digits
 * as the precision of the measurement; identifiers beyond 2^53 it changes altogether.
 */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  /** `JSON.stringify` takes over the characters as they stand. */
  toJSON(): unknown {
    return JSON.rawJSON(this.text);
  }
}

/** A number of a FHIR resource: a plain number where that prints as it was written, else its characters. */
export type FhirNumber = number | Decimal;

/** The digits of a number as they were written. */
export function numberText(value: FhirNumber): string {
  return value instanceof Decimal ? value.text : String(value);
}

/** A number from its characters (`8.800`), as `readJson` would give it. `null` where they are no JSON number. */
export function fhirNumber(text: string): FhirNumber | null {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return null;
  const value = Number(text);
  return String(value) === text ? value : new Decimal(text);
}
