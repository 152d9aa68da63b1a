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
  const epoch = moment.getTime();
  const wall = new Date((Math.floor(epoch / 1000) + londonAheadBy(epoch)) * 1000);
  const year = wall.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return wall.toISOString().replace(/[-:T]|\.\d+Z$/g, '');
  const day = String(year).padStart(4, '0') + two(wall.getUTCMonth() + 1) + two(wall.getUTCDate());
  return day + two(wall.getUTCHours()) + two(wall.getUTCMinutes()) + two(wall.getUTCSeconds());
}

const two = (number: number) => (number < 10 ? `0${number}` : String(number));

/** `HH:MM:SS.mmm`: the clock of a machine counts no finer. */
const LONGEST = 12;

const FHIR_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** A FHIR date, dateTime or instant as HL7 time of the same precision; `null` where it is none. */
export function fhirToHl7(text: string): Hl7Time | null {
  const match = FHIR_DATE.exec(text.trim());
  if (!match) return null;
  const [, year = '', month, day, time, offset] = match;
  if (!isCalendarDate(year, month, day)) return null;
  if (time === undefined) return year + (month ?? '') + (day ?? '');
  const full = time.length === 5 ? `${time}:00` : time;
  if (offset === undefined) return `${year}${month}${day}${full.replace(/\..*$/, '').replace(/:/g, '')}`;
  const epoch = Date.parse(`${year}-${month}-${day}T${full.slice(0, LONGEST)}${offset}`);
  return Number.isNaN(epoch) ? null : toHl7Seconds(new Date(epoch));
}

function isCalendarDate(year: string, month?: string, day?: string): boolean {
  if (month === undefined) return true;
  const days = DAYS[Number(month) - 1];
  if (days === undefined) return false;
  if (day === undefined) return true;
  return Number(day) >= 1 && Number(day) <= (month === '02' && isLeap(Number(year)) ? 29 : days);
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
  if (!isCalendarDate(year, month, day)) return null;
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
