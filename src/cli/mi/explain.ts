import { REQUEST, type SpineMessage } from '../../platform/classify/message.ts';
import type { Witnessed } from './month.ts';
import type { Row } from './rows.ts';

/** A reason for which the witnesses may differ, and how it is known. In the order in which they are looked at. */
type Reason = { readonly because: string; readonly holds: (one: Witnessed) => boolean };

const DAY = 86_400_000_000;
const CUTOFF = 14 * DAY;
/** A final answer was given. */
const ANSWERED: ReadonlySet<Row> = new Set([
  'integrated within 8 days',
  'integrated later',
  'filed as attachment',
  'rejected by a person',
  'failed to integrate',
]);

export const REASONS: readonly Reason[] = [
  {
    because: 'a stray message stands before the request in Spine’s log: the national rules pass over such a conversation',
    holds: ({ messages }) => messages[0] !== undefined && messages[0].interaction !== REQUEST,
  },
  {
    because: 'withdrawn: the record that came all the same was rejected; the node keeps that it was withdrawn',
    holds: (one) => outcomeOf(one) === 'withdrawn' && coresOf(one).length > 0,
  },
  {
    because: 'withdrawn before anything came: Spine may have the request, or a refusal of it; the node keeps that it was withdrawn',
    holds: (one) => outcomeOf(one) === 'withdrawn',
  },
  {
    because: 'the sender refused after it had sent its core: the national rules look at common messages first, and call it not integrated',
    holds: (one) => one.rows.log === 'record came, not integrated' && outcomeOf(one) === 'refusedBySender',
  },
  {
    because: 'the requester’s system wrote its final answer without a code: Spine can only tell that it was none of success',
    holds: ({ codeless, rows }) => codeless && rows.log === 'failed to integrate',
  },
  {
    because: 'the final answer came more than 14 days after the request: the national rules have stopped reading by then',
    holds: (one) => finalsOf(one).some(({ at }) => at - (one.messages[0]?.at ?? at) > CUTOFF),
  },
  {
    because:
      'sent again: the log goes by the core that was answered first, or well; the events by the first success; the node by the last core',
    holds: (one) => coresOf(one).length > 1,
  },
  {
    because: 'the final answer never reached Spine: the practice knows what became of the record, and Spine’s log does not',
    holds: (one) => ANSWERED.has(one.rows.node) && coresOf(one).length > 0 && finalsOf(one).length === 0,
  },
  {
    because: 'Spine took the core and never delivered it: the sender has sent it, and the requester waited in vain',
    holds: (one) => one.rows.node === 'no record came' && coresOf(one).length > 0,
  },
  {
    because: 'the sender took a stray continue for a proof that its core had left: Spine never had it',
    holds: (one) => coresOf(one).length === 0 && one.events.some(({ eventType }) => eventType === 'EHR_RESPONSES'),
  },
  {
    because: 'the refusal came when the requester had given up waiting: the node keeps that it timed out',
    holds: (one) => one.rows.log === 'refused by the sender' && outcomeOf(one) === 'timedOut',
  },
  {
    because: 'Spine never took the request: the node keeps that it could not be delivered, the others know of none',
    holds: (one) => outcomeOf(one) === 'undeliverable' && one.messages.length === 0,
  },
  {
    because: 'a practice’s clock was wrong: the events have its times, Spine its own',
    holds: ({ rows, events, messages }) =>
      rows.log !== rows.events &&
      [rows.log, rows.events, rows.node].every((row) => row.startsWith('integrated')) &&
      events.length > 0 &&
      messages.length > 0,
  },
];

/** Why the witnesses say different things of a conversation; `null` where nobody knows, which is a fault. */
export function explain(one: Witnessed): string | null {
  return REASONS.find(({ holds }) => holds(one))?.because ?? null;
}

function outcomeOf({ requesting }: Witnessed): string | null {
  return requesting.state === 'ended' ? requesting.outcome.kind : null;
}

function coresOf({ messages }: Witnessed): SpineMessage[] {
  return messages.filter(({ interaction }) => /RCMR_IN030000UK0[67]$/.test(interaction));
}

/** Answers to cores, other than that one is there already. */
function finalsOf(one: Witnessed): SpineMessage[] {
  const guids = new Set(coresOf(one).map(({ guid }) => guid));
  return one.messages.filter(({ ref, error }) => ref !== null && guids.has(ref) && error !== 12);
}
