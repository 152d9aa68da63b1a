/**
 * Times between HL7 v3 (London wall clock, no offset, as many digits as are known) and FHIR (UTC or offset).
 * A date without a time stays that date in both directions; nothing is shifted through a zone.
 */

/** HL7 TS: `YYYY`, `YYYYMM`, `YYYYMMDD`, … `YYYYMMDDHHMMSS`. */
export type Hl7Time = string;

const LONDON = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  calendar: 'iso8601',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** Since then London keeps one rule (The Summer Time Order 2002 and the directives before it). */
const ONE_RULE = Date.UTC(1996, 0, 1);
/** A rule may change; what is that far off is left to the calendar of the machine. */
const ONE_RULE_ENDS = Date.UTC(2037, 0, 1);

/**
 * Seconds by which London's wall clock is ahead of UTC at a moment, local mean time (−75 s before 1847) included. The rule of our days
 * is worked out here: asking the calendar took a tenth of a conversion.
 */
function londonAheadBy(epochMs: number): number {
  if (epochMs >= ONE_RULE && epochMs < ONE_RULE_ENDS) {
    const moment = new Date(epochMs);
    const month = moment.getUTCMonth();
    if (month === MARCH) return epochMs >= oneOnLastSunday(moment.getUTCFullYear(), month) ? 3600 : 0;
    if (month === OCTOBER) return epochMs < oneOnLastSunday(moment.getUTCFullYear(), month) ? 3600 : 0;
    return month > MARCH && month < OCTOBER ? 3600 : 0;
  }
  return asTheCalendarSays(epochMs);
}

const MARCH = 2;
const OCTOBER = 9;

/** 01:00 UTC on the last Sunday of a month of 31 days. */
function oneOnLastSunday(year: number, month: number): number {
  return Date.UTC(year, month, 31 - new Date(Date.UTC(year, month, 31)).getUTCDay(), 1);
}

function asTheCalendarSays(epochMs: number): number {
  const whole = Math.floor(epochMs / 1000) * 1000;
  const field: Record<string, number> = {};
  for (const part of LONDON.formatToParts(whole)) if (part.type !== 'literal') field[part.type] = Number(part.value);
  const wall = new Date(0);
  wall.setUTCFullYear(field['year'] ?? 0, (field['month'] ?? 1) - 1, field['day'] ?? 1);
  wall.setUTCHours(field['hour'] ?? 0, field['minute'] ?? 0, field['second'] ?? 0, 0);
  return (wall.getTime() - whole) / 1000;
}

/** An instant as HL7 seconds on London's wall clock. */
export function toHl7Seconds(moment: Date): Hl7Time {
  return secondsAt(moment.getTime());
}

function secondsAt(epoch: number): Hl7Time {
  const wall = new Date((Math.floor(epoch / 1000) + londonAheadBy(epoch)) * 1000);
  const year = wall.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return wall.toISOString().replace(/[-:T]|\.\d+Z$/g, '');
  const day = String(year).padStart(4, '0') + two(wall.getUTCMonth() + 1) + two(wall.getUTCDate());
  return day + two(wall.getUTCHours()) + two(wall.getUTCMinutes()) + two(wall.getUTCSeconds());
}

const two = (number: number) => (number < 10 ? `0${number}` : String(number));

const FHIR_DATE = /^\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/**
 * A FHIR date, dateTime or instant as HL7 time of the same precision; `null` where it is none. Every date of a record comes by here, some
 * several times: its parts are taken from where they stand.
 */
export function fhirToHl7(text: string): Hl7Time | null {
  return trimmedToHl7(text.trim());
}

function trimmedToHl7(text: string): Hl7Time | null {
  if (!FHIR_DATE.test(text)) return null;
  if (text.length === 4) return text;
  if (!isCalendarDate(fourAt(text, 0), twoAt(text, 5), text.length > 7 ? twoAt(text, 8) : 1)) return null;
  const date = text.slice(0, 4) + text.slice(5, 7) + text.slice(8, 10);
  if (text.length <= 10) return date;
  const zone = zoneFrom(text);
  if (zone === text.length) return date + text.slice(11, 13) + text.slice(14, 16) + (text[16] === ':' ? text.slice(17, 19) : '00');
  const epoch = momentOf(text, zone);
  return Number.isNaN(epoch) ? null : secondsAt(epoch);
}

/** Where `Z` or `+01:00` begins; the end where there is none. */
function zoneFrom(text: string): number {
  if (text.endsWith('Z')) return text.length - 1;
  const sign = text[text.length - 6];
  return sign === '+' || sign === '-' ? text.length - 6 : text.length;
}

/** In whole seconds. */
function momentOf(text: string, zone: number): number {
  const year = fourAt(text, 0);
  const hour = twoAt(text, 11);
  const minute = twoAt(text, 14);
  const second = text[16] === ':' ? twoAt(text, 17) : 0;
  const ahead = text[zone] === 'Z' ? 0 : twoAt(text, zone + 1) * 60 + twoAt(text, zone + 4);
  const isUsual = year >= 100 && hour < 24 && minute < 60 && second < 60 && ahead < 24 * 60 && (ahead === 0 || twoAt(text, zone + 4) < 60);
  // What no clock shows is left to the machine: midnight as 24:00 is a time, a minute 75 is none.
  if (!isUsual) return Date.parse(`${text.slice(0, 16)}:${two(second)}${text.slice(zone)}`);
  const moment = Date.UTC(year, twoAt(text, 5) - 1, twoAt(text, 8), hour, minute, second);
  return moment - (text[zone] === '-' ? -ahead : ahead) * 60_000;
}

const twoAt = (text: string, at: number) => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 11 * ZERO;
const fourAt = (text: string, at: number) => twoAt(text, at) * 100 + twoAt(text, at + 2);
const ZERO = 0x30;

function isCalendarDate(year: number, month: number, day: number): boolean {
  const days = DAYS[month - 1];
  return days !== undefined && day >= 1 && day <= (month === 2 && isLeap(year) ? 29 : days);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const HL7_TIME = /^(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.?(\d{1,4}))?([+-]\d{2}(?:\d{2})?)?$/;

/**
 * An HL7 time as FHIR dateTime: dates keep their precision, times become UTC with `+00:00` (London wall clock is assumed
 * where no offset is given; the peer writes UTC the same way). `null` where the text is no time.
 */
export function hl7ToFhir(text: string): string | null {
  const read = readHl7(text);
  if (!read) return null;
  const { year, month, day, epoch, fraction } = read;
  if (epoch === null) return [year, month, day].filter((part) => part !== undefined).join('-');
  const iso = new Date(epoch).toISOString();
  return fraction ? `${iso.slice(0, -1)}+00:00` : `${iso.slice(0, 19)}+00:00`;
}

/** An HL7 time as FHIR instant (`…SS.mmm+00:00`); a date alone becomes the start of that day in UTC, so that the day stays. */
export function hl7ToInstant(text: string): string | null {
  const read = readHl7(text);
  if (!read) return null;
  const epoch = read.epoch ?? Date.parse(`${read.year}-${read.month ?? '01'}-${read.day ?? '01'}T00:00:00Z`);
  return `${new Date(epoch).toISOString().slice(0, -1)}+00:00`;
}

/** The moment an HL7 time begins, in epoch milliseconds; for comparing only. */
export function hl7ToEpoch(text: string): number | null {
  const read = readHl7(text);
  if (!read) return null;
  return read.epoch ?? wallToEpoch(Date.parse(`${read.year}-${read.month ?? '01'}-${read.day ?? '01'}T00:00:00Z`));
}

type ReadTime = { year: string; month?: string; day?: string; epoch: number | null; fraction: boolean };

function readHl7(text: string): ReadTime | null {
  const match = HL7_TIME.exec(text.trim());
  if (!match) return null;
  const [, year = '', month, day, hour, minute, second, fraction, offset] = match;
  if (month !== undefined && !isCalendarDate(Number(year), Number(month), day === undefined ? 1 : Number(day))) return null;
  // `2012-03` is no year with an offset.
  if (offset !== undefined && day === undefined) return null;
  if (hour === undefined) return { year, ...(month && { month }), ...(day && { day }), epoch: null, fraction: false };
  if (Number(hour) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return null;
  const wall = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute ?? '00'}:${second ?? '00'}.${(fraction ?? '0').padEnd(3, '0').slice(0, 3)}Z`,
  );
  if (Number.isNaN(wall)) return null;
  const epoch = offset === undefined ? wallToEpoch(wall) : wall - offsetMinutes(offset) * 60_000;
  return { year, ...(month && { month }), ...(day && { day }), epoch, fraction: fraction !== undefined };
}

function offsetMinutes(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3) || 0);
  return offset.startsWith('-') ? -minutes : minutes;
}

/** The moment at which London's clocks show a wall time. In the hour that is skipped in spring the clock counts on. */
function wallToEpoch(wall: number): number {
  const guess = wall - londonAheadBy(wall) * 1000;
  return wall - londonAheadBy(guess) * 1000;
}
