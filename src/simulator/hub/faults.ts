import { isObject } from '../http.ts';
import { seeded } from '../seeded.ts';

/**
 * What the hub may do wrong, on purpose.
 * At the door: `outage` closes the connection unread, `status` answers with an HTTP status and keeps nothing, `error`
 * answers with an ebXML error, `soapFault` with a SOAP fault, `loseAnswer` keeps the message and closes without an answer, so that it
 * comes again, `emptyAnswer` keeps it and answers with nothing, `ackLater` the same, and acknowledges it later in a message of its own.
 * On the way: `latency` and `reorder` wait (`reorder` for a random part of `ms`), `drop` loses the message, `duplicate`
 * delivers it twice, `negative` has Spine refuse it later with an application acknowledgement of its own.
 */
export const FAULT_KINDS = [
  'outage',
  'status',
  'error',
  'soapFault',
  'loseAnswer',
  'emptyAnswer',
  'ackLater',
  'latency',
  'reorder',
  'drop',
  'duplicate',
  'negative',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type FaultRule = {
  readonly fault: FaultKind;
  readonly match?: { readonly from?: string; readonly to?: string; readonly interaction?: string; readonly conversationId?: string };
  readonly ms?: number;
  readonly status?: number;
  /** `errorCode` and description of an `error`, TMS code and text of a `soapFault` and a `negative`. */
  readonly code?: string;
  readonly text?: string;
  /** Applies to so many messages, then never again. */
  readonly times?: number;
  /** Applies to a message with this probability; 1 where left out. */
  readonly probability?: number;
};

type About = { readonly from: string; readonly to: string; readonly action: string; readonly conversationId: string };

export type Faults = {
  set(rules: readonly FaultRule[]): void;
  add(rule: FaultRule): void;
  list(): readonly FaultRule[];
  /** The rule of one kind that applies to a message, used up by one. Before the message is read, `about` is null. */
  take(kind: FaultKind, about: About | null): FaultRule | null;
  /** Between 0 and 1, from the seed. */
  random(): number;
};

export function makeFaults(seed: number, initial: readonly FaultRule[] = []): Faults {
  let rules = initial.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
  const random = seeded(seed);
  const entry = (rule: FaultRule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  return {
    set: (list) => {
      rules = list.map(entry);
    },
    add: (rule) => {
      rules.push(entry(rule));
    },
    list: () => rules.filter((one) => one.left > 0).map((one) => ({ ...one.rule, ...(Number.isFinite(one.left) && { times: one.left }) })),
    take: (kind, about) => {
      for (const one of rules) {
        if (one.rule.fault !== kind || one.left <= 0 || !matches(one.rule, about)) continue;
        if (random() >= (one.rule.probability ?? 1)) continue;
        one.left--;
        return one.rule;
      }
      return null;
    },
    random,
  };
}

function matches(rule: FaultRule, about: About | null): boolean {
  const { match } = rule;
  if (!match) return true;
  if (!about) return false;
  return (
    (match.from === undefined || match.from === about.from) &&
    (match.to === undefined || match.to === about.to) &&
    (match.interaction === undefined || match.interaction === about.action) &&
    (match.conversationId === undefined || match.conversationId.toUpperCase() === about.conversationId.toUpperCase())
  );
}

/** Rules as they come over the control interface. A text says what is wrong with them. */
export function readFaultRules(value: unknown): readonly FaultRule[] | string {
  const list = Array.isArray(value) ? value : [value];
  for (const rule of list) {
    if (!isObject(rule)) return 'a rule is a JSON object';
    const kind = FAULT_KINDS.find((known) => known === rule['fault']);
    if (!kind) return `fault is one of ${FAULT_KINDS.join(', ')}`;
    for (const key of ['ms', 'status', 'times', 'probability']) {
      const number = rule[key];
      if (number !== undefined && (typeof number !== 'number' || !(number >= 0))) return `${key} is a number from 0`;
    }
    for (const key of Object.keys(rule))
      if (!['fault', 'match', 'ms', 'status', 'code', 'text', 'times', 'probability'].includes(key)) return `unknown member ${key}`;
  }
  return list as readonly FaultRule[];
}
