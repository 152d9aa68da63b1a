import type { z } from 'zod';
import { isUuid } from '../base/ids.ts';
import { type EventTime, localText, readEventTime } from './event-time.ts';
import { EVENT_SCHEMAS, type MiEvent, type TransferEvent } from './events.ts';
import { EVENTS, type EventPath } from './terms.ts';

/** `compatible`: what the national service takes. `strict`: what its specification says, for whoever wants to be sure. */
export type CheckMode = 'compatible' | 'strict';
/** The body of a 400, as the national service writes it. */
export type EventFault = { readonly status: 'BAD_REQUEST'; readonly message: FaultMessage; readonly errors: readonly string[] };
type FaultMessage = 'Failed to validate fields' | 'Invalid JSON' | 'Invalid request field';
export type CheckedEvent = { readonly event: MiEvent } | { readonly fault: EventFault };

/** How far a clock at a practice may be ahead of ours, seconds. */
const CLOCK_SKEW = 300;
const ODS_CODE = /^[A-Z0-9]{3,10}$/;
const ERROR_CODE = /^[A-Za-z0-9_]{1,50}$/;

/** Reads the text of a request to `/{path}`. `now`: seconds since 1970, for times that lie ahead (strict only). */
export function checkEventText(path: EventPath, text: string, mode: CheckMode, now: number): CheckedEvent {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const field = brokenField(text);
    return fault('Invalid JSON', [field === null ? 'Unable to parse JSON' : `${field}: the value is cut short or no JSON`]);
  }
  return checkEvent(path, body, mode, now);
}

/** The same for a body that is parsed already. */
export function checkEvent(path: EventPath, body: unknown, mode: CheckMode, now: number): CheckedEvent {
  const result = EVENT_SCHEMAS[path].safeParse(body);
  if (!result.success) return faultOf(result.error.issues, body);
  const event = { path, body: result.data } as MiEvent;
  const faults = mode === 'strict' ? strictFaults(event, now) : [];
  return faults.length > 0 ? fault('Failed to validate fields', faults) : { event };
}

/** What the national service makes the event's id of: MD5 of these bytes as a UUID of version 3. Degrades have a random one. */
export function eventIdSeed({ path, body }: TransferEvent, time: EventTime | null = readEventTime(body.registrationEventDateTime)): string {
  return body.conversationId + EVENTS[path].type + (time ? localText(time) : body.registrationEventDateTime);
}

/** The rules that stand in the specification and are not enforced nationally; `field: what it must be`. */
function strictFaults(event: MiEvent, now: number): string[] {
  if (event.path === 'ehr-degrades') return [];
  const faults: string[] = [];
  const { body } = event;
  const terms = EVENTS[event.path];
  const sending = body.sendingPracticeOdsCode ?? '';
  if (!isUuid(body.conversationId) || body.conversationId !== body.conversationId.toUpperCase())
    faults.push('conversationId: must be a UUID in upper case');
  const time = readEventTime(body.registrationEventDateTime);
  if (time?.zone !== 'Z') faults.push('registrationEventDateTime: must be UTC and end in Z');
  else if (time.seconds > now + CLOCK_SKEW) faults.push('registrationEventDateTime: must not lie in the future');
  if (sending === '' && terms.sendingPractice === 'specified') faults.push('sendingPracticeOdsCode: must not be empty');
  for (const name of ['reportingPracticeOdsCode', 'requestingPracticeOdsCode', 'sendingPracticeOdsCode'] as const) {
    const code = body[name] ?? '';
    if (code !== '' && !ODS_CODE.test(code)) faults.push(`${name}: must be an ODS code, 3 to 10 capital letters and digits`);
  }
  const reporting = body.reportingPracticeOdsCode;
  const allowed = { requesting: [body.requestingPracticeOdsCode], sending: [sending], either: [body.requestingPracticeOdsCode, sending] };
  if (!allowed[terms.by].includes(reporting))
    faults.push(
      `reportingPracticeOdsCode: must be the ${terms.by === 'either' ? 'requesting or sending' : terms.by} practice, which reports this event`,
    );
  faults.push(...reasonsMissing(event));
  return faults;
}

function reasonsMissing(event: TransferEvent): string[] {
  const missing = (path: string, reason: string | null | undefined) => (reason ? [] : [`payload.${path}: must not be empty`]);
  switch (event.path) {
    case 'registrations': {
      const { demographicTraceStatus: trace } = event.body.payload;
      return trace.matched ? [] : missing('demographicTraceStatus.reason', trace.reason);
    }
    case 'transfer-compatibility-statuses': {
      const { transferCompatibilityStatus: status } = event.body.payload;
      return status.transferCompatible ? [] : missing('transferCompatibilityStatus.reason', status.reason);
    }
    case 'document-responses': {
      const { documentMigration: migration } = event.body.payload;
      return migration.successful ? [] : missing('documentMigration.reason', migration.reason);
    }
    case 'errors': {
      const { error } = event.body.payload;
      const code = ERROR_CODE.test(error.errorCode) ? [] : ['payload.error.errorCode: must be 1 to 50 letters, digits or underscores'];
      return error.failurePoint === 'OTHER' ? [...code, ...missing('error.otherFailurePoint', error.otherFailurePoint)] : code;
    }
    default:
      return [];
  }
}

type Issue = z.core.$ZodIssue;

/**
 * A value that cannot be read at all (wrong type, unknown member, no date) is answered alone, as a reader answers that stops there; else
 * every violated rule has its line. The whole path is named behind the top-level field.
 */
function faultOf(issues: readonly Issue[], body: unknown): CheckedEvent {
  const violations: string[] = [];
  for (const issue of issues) {
    const path = issue.path.map(String);
    const where = path.join('.');
    const value = path.reduce<unknown>((at, name) => (at as Record<string, unknown> | null | undefined)?.[name], body);
    const missing = value === undefined || value === null;
    if (issue.code === 'unrecognized_keys') {
      const names = issue.keys.map((key) => [...path, key].join('.')).join(', ');
      return unreadable([...path, issue.keys[0] ?? ''], `${names} is not a member of this event`);
    }
    if (issue.code === 'invalid_value') violations.push(`${where}: ${mustBe(issue.values.map(String))}`);
    else if (where === TIME && (missing || value === '')) violations.push(`${where}: must not be null`);
    else if (issue.code === 'invalid_type' && missing)
      violations.push(`${where}: ${issue.expected === 'string' || path.at(-1) === 'coding' ? 'must not be empty' : 'must not be null'}`);
    else if (issue.code === 'invalid_type') return unreadable(path, `${where} must be ${TYPES[issue.expected] ?? issue.expected}`);
    else if (issue.code === 'custom' && issue.params?.['unreadable']) return unreadable(path, `${where} ${issue.params['unreadable']}`);
    else if (issue.code === 'too_big') return unreadable(path, `${where} must be a whole number below 2^53`);
    else if (issue.code === 'too_small' && issue.origin === 'number') violations.push(`${where}: must be greater than or equal to 0`);
    else violations.push(`${where}: must not be empty`);
  }
  return fault('Failed to validate fields', violations);
}

/** The one text that is read before it is checked: an empty one is none. */
const TIME = 'registrationEventDateTime';
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'an object',
  array: 'a list',
};

/** An unknown value of a closed list is read as none, so the answer is the one for a missing value. */
function mustBe(values: readonly string[]): string {
  return values.length === 2 ? `Must be either ${values.join(' or ')}` : `Must be one of the following: ${values.join(', ')}`;
}

function unreadable(path: readonly string[], text: string): CheckedEvent {
  return fault('Invalid request field', [`${path[0] || 'body'}: ${text || 'the body must be an object'}`]);
}

function fault(message: FaultMessage, errors: readonly string[]): CheckedEvent {
  return { fault: { status: 'BAD_REQUEST', message, errors } };
}

/** The member of the outermost object in whose value a text stops being JSON; `null` where it is none. */
function brokenField(text: string): string | null {
  let depth = 0;
  let field: string | null = null;
  const tokens = /"(?:[^"\\]|\\.)*"|["{}[\],:]/gs;
  for (let token = tokens.exec(text); token; token = tokens.exec(text)) {
    const [word] = token;
    if (word === '{' || word === '[') depth++;
    else if (word === '}' || word === ']') depth--;
    else if (word === ',' && depth === 1) field = null;
    else if (word.length > 1 && depth === 1 && field === null && /^\s*:/.test(text.slice(tokens.lastIndex, tokens.lastIndex + 40)))
      field = word.slice(1, -1);
  }
  return field;
}
