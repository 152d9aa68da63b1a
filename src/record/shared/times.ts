/**
 * The two times of a statement, in both directions: `effectiveTime` (when it happened) and `availabilityTime` (when it was
 * recorded). Which FHIR dates they come from differs by concept; how they are written does not.
 */
import { fhirToHl7, type Hl7Time, hl7ToFhir, hl7ToInstant } from '../../base/hl7-time.ts';
import type { Period } from '../../fhir/types.ts';
import { attr, child, h, type XmlElement } from '../../xml/element.ts';
import type { Remark } from '../types.ts';

type Reporter = { report(remark: Remark): void };

// ---- sending

/** A FHIR date as HL7 time; null for none. A text that is no date is reported, not passed on. */
export function hl7Time(date: string | undefined, s: Reporter): Hl7Time | null {
  if (!date) return null;
  const time = fhirToHl7(date);
  if (time === null) s.report({ code: 'value.lost', text: `The date “${date}” cannot be read and is not carried.` });
  return time;
}

/** `<availabilityTime value="…"/>`, or unknown. */
export function availabilityTime(time: Hl7Time | null): XmlElement {
  return timeElement('availabilityTime', time);
}

/** `<time value="…"/>` and the like; unknown where there is none. */
export function timeElement(name: string, time: Hl7Time | null, nullFlavor: 'UNK' | 'NI' = 'UNK'): XmlElement {
  return h(name, time === null ? { nullFlavor } : { value: time });
}

/** `<effectiveTime><center …/></effectiveTime>`. */
export function effectiveAt(time: Hl7Time | null, nullFlavor: 'UNK' | 'NI' = 'UNK'): XmlElement {
  return h('effectiveTime', null, timeElement('center', time, nullFlavor));
}

/** `<effectiveTime>` from `low` to `high`; a `low` is always there, unknown where nobody knows it. */
export function effectiveBetween(low: Hl7Time | null, high: Hl7Time | null): XmlElement {
  return h('effectiveTime', null, timeElement('low', low), high === null ? null : timeElement('high', high));
}

/** `effectiveTime` of an observation: its moment, or its period, or unknown. */
export function effectiveOfObservation(of: { effectiveDateTime?: string; effectivePeriod?: Period }, s: Reporter): XmlElement {
  const at = hl7Time(of.effectiveDateTime, s);
  const start = hl7Time(of.effectivePeriod?.start, s);
  const end = hl7Time(of.effectivePeriod?.end, s);
  return at !== null || (start === null && end === null) ? effectiveAt(at) : effectiveBetween(start, end);
}

/** `availabilityTime` of an observation: its moment, or the start of its period. */
export function availableOfObservation(of: { effectiveDateTime?: string; effectivePeriod?: Period }, s: Reporter): Hl7Time | null {
  return hl7Time(of.effectiveDateTime, s) ?? hl7Time(of.effectivePeriod?.start, s);
}

/** The times of a statement for the composition around it: `center`, else `low`, of its `effectiveTime`. */
export function effectiveFrom(effectiveTime: XmlElement | undefined): Hl7Time | null {
  return attr(child(effectiveTime, 'center'), 'value') ?? attr(child(effectiveTime, 'low'), 'value') ?? null;
}

/** A FHIR date as people read it: `2012-03-09`, `2012-03-09 14:05:00` (London). The text itself where it is no date. */
export function dateText(date: string): string {
  const time = fhirToHl7(date);
  if (time === null) return date;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d{2})?(\d{2})?(?:(\d{2})(\d{2})(\d{2}))?$/.exec(time) ?? [];
  const written = [year, month, day].filter((part) => part !== undefined).join('-');
  return hour === undefined ? written : `${written} ${hour}:${minute}:${second}`;
}

// ---- requesting

/** The `value` of a time; undefined where it is absent, empty or null-flavoured. */
export function timeOf(element: XmlElement | undefined): Hl7Time | undefined {
  return attr(element, 'nullFlavor') === undefined ? attr(element, 'value')?.trim() || undefined : undefined;
}

/** A time as FHIR dateTime; undefined for none. A text that is no time is reported. */
export function dateTimeOf(element: XmlElement | undefined, s: Reporter): string | undefined {
  return converted(timeOf(element), hl7ToFhir, s);
}

/** A time as FHIR instant; undefined for none. A text that is no time is reported. */
export function instantOf(element: XmlElement | undefined, s: Reporter): string | undefined {
  return converted(timeOf(element), hl7ToInstant, s);
}

/**
 * When something ended, as FHIR dateTime. Senders write a day as its midnight, which in summer is the evening before in UTC: that is
 * given as the day, because whoever shows the date alone would show the day before.
 */
export function endOf(element: XmlElement | undefined, s: Reporter): string | undefined {
  const end = dateTimeOf(element, s);
  const day = /^(\d{4})(\d{2})(\d{2})0000(?:00)?$/.exec(timeOf(element) ?? '')?.slice(1);
  return day && end?.endsWith('T23:00:00+00:00') ? day.join('-') : end;
}

/** As `dateTimeOf`, of a time that is already a text. */
export function dateTimeOfText(time: Hl7Time | null | undefined, s: Reporter): string | undefined {
  return converted(time ?? undefined, hl7ToFhir, s);
}

/** As `instantOf`, of a time that is already a text. */
export function instantOfText(time: Hl7Time | null | undefined, s: Reporter): string | undefined {
  return converted(time ?? undefined, hl7ToInstant, s);
}

function converted(time: Hl7Time | undefined, to: (time: string) => string | null, s: Reporter): string | undefined {
  if (time === undefined) return undefined;
  const date = to(time);
  if (date === null) s.report({ code: 'value.lost', text: `The time “${time}” cannot be read and is not carried.` });
  return date ?? undefined;
}

/**
 * When an observation was true: its `center`, else its period (from when it was recorded, where only an end is known), else
 * when it was recorded.
 */
export function effectiveToFhir(statement: XmlElement, s: Reporter): { effectiveDateTime?: string; effectivePeriod?: Period } {
  const effective = child(statement, 'effectiveTime');
  const center = dateTimeOf(child(effective, 'center'), s);
  if (center) return { effectiveDateTime: center };
  const end = endOf(child(effective, 'high'), s);
  const available = dateTimeOf(child(statement, 'availabilityTime'), s);
  const start = dateTimeOf(child(effective, 'low'), s) ?? (end && available);
  if (start || end) return { effectivePeriod: { ...(start && { start }), ...(end && { end }) } };
  return available ? { effectiveDateTime: available } : {};
}
