/** One simulated month, counted three ways: Spine's log by the national rules, the events of both practices, the nodes' own states. */
import type { Instant } from '../../base/ids.ts';
import { eventBody } from '../../mi/body.ts';
import type { PostedEvent } from '../../mi/counts.ts';
import { occurrencesOf } from '../../mi/from-history.ts';
import { untold } from '../../mi/note.ts';
import { EVENTS, type EventPath } from '../../mi/terms.ts';
import { ACKNOWLEDGEMENT, COMMON, CORE_WITH_REDACTIONS, REQUEST, type SpineMessage } from '../../platform/classify/message.ts';
import { type ClassifiedTransfer, classify } from '../../platform/classify/transfer.ts';
import { runWorld } from '../../simulator/world/world.ts';
import type { Measured, Received, Transfer } from '../../transfer/types.ts';
import { explain } from './explain.ts';
import { ROWS, type Row, rowInEvents, rowInLog, rowInNode } from './rows.ts';

/** What is known of one conversation, by each witness. */
export type Witnessed = {
  readonly conversationId: string;
  readonly log: ClassifiedTransfer | undefined;
  readonly messages: readonly SpineMessage[];
  readonly events: readonly PostedEvent[];
  readonly requesting: Transfer;
  readonly sending: Transfer | undefined;
  /** Somebody's system wrote a refusal without a code that can be read. */
  readonly codeless: boolean;
  readonly rows: { readonly log: Row; readonly events: Row; readonly node: Row };
};
export type Difference = Witnessed['rows'] & { readonly explanation: string | null; readonly count: number; readonly example: string };
export type MonthCount = {
  readonly seed: number;
  readonly transfers: number;
  readonly counts: readonly { readonly row: Row; readonly log: number; readonly events: number; readonly node: number }[];
  readonly agreeing: number;
  readonly differences: readonly Difference[];
};

const DAYS = 26;
const CUTOFF_DAYS = 14;
const CORE = CORE_WITH_REDACTIONS.replace('UK07', 'UK06');

/** Conversations that begin on the days of one month; each world is of fifty. */
export function countMonth(seed: number, conversations: number): MonthCount {
  const all: Witnessed[] = [];
  for (let world = 0; world * 50 < conversations; world++)
    all.push(...witness(seed + world, Math.min(50, conversations - world * 50), `${seed + world}:`));
  const differences = new Map<string, Difference>();
  for (const one of all) {
    const { rows } = one;
    if (rows.log === rows.events && rows.events === rows.node) continue;
    const explanation = explain(one);
    const key = [rows.log, rows.events, rows.node, explanation ?? ''].join('|');
    const before = differences.get(key);
    differences.set(key, { ...rows, explanation, count: (before?.count ?? 0) + 1, example: before?.example ?? one.conversationId });
  }
  const of = (who: keyof Witnessed['rows'], row: Row) => all.filter(({ rows }) => rows[who] === row).length;
  return {
    seed,
    transfers: all.length,
    counts: ROWS.map((row) => ({ row, log: of('log', row), events: of('events', row), node: of('node', row) })),
    agreeing: all.filter(({ rows }) => rows.log === rows.events && rows.events === rows.node).length,
    differences: [...differences.values()].sort((a, b) => b.count - a.count),
  };
}

/** Runs one world and asks the three witnesses of each of its conversations. */
export function witness(seed: number, conversations: number, prefix = ''): Witnessed[] {
  const log: SpineMessage[] = [];
  const aliases = new Map<string, string>();
  const transfers = new Map<string, Transfer>();
  const told = new Map<string, Told>();
  const codeless = new Set<string>();
  runWorld(seed, {
    conversations,
    days: DAYS,
    observer: {
      taken(message, at) {
        for (const alias of message.aliases) aliases.set(alias, message.messageId);
        const row = logged(message, at, aliases);
        if (message.interaction === 'acknowledgement' && !message.answer.accepted && !message.answer.code)
          codeless.add(message.conversationId);
        // Spine's log has a message once, however often it was posted.
        if (row && !log.some(({ guid }) => guid === row.guid)) log.push(row);
      },
      entry({ transfer, at, measured }) {
        transfers.set(transfer.id, transfer);
        tell(told, transfer, at, measured);
      },
    },
  });
  const classified = new Map(
    classify(log, {
      start: 0,
      end: Number.MAX_SAFE_INTEGER,
      cutoffDays: CUTOFF_DAYS,
      organisationOf: () => null,
      note: () => undefined,
    }).map((transfer) => [transfer.conversationId, transfer]),
  );
  const ofRole = (role: Transfer['role']) => [...transfers.values()].filter((transfer) => transfer.role === role);
  const sending = new Map(ofRole('sending').map((transfer) => [transfer.conversationId as string, transfer]));
  return ofRole('requesting').map((requesting) => {
    const id: string = requesting.conversationId;
    const events = [...told.values()].filter((each) => each.conversationId === id).flatMap((each) => each.events);
    const one = classified.get(id);
    const rows = { log: rowInLog(one), events: rowInEvents(events), node: rowInNode(requesting) };
    const messages = log.filter(({ conversationId }) => conversationId === id).sort((a, b) => a.at - b.at);
    return {
      conversationId: prefix + id,
      log: one,
      messages,
      events,
      requesting,
      sending: sending.get(id),
      codeless: codeless.has(id),
      rows,
    };
  });
}

type Told = {
  readonly conversationId: string;
  readonly known: Set<string>;
  readonly last: Map<EventPath, Instant>;
  readonly events: PostedEvent[];
};

/** As a node's door does it, with a map for a table. Lists are left out: no row depends on documents or degrades. */
function tell(told: Map<string, Told>, transfer: Transfer, at: Instant, measured: Measured): void {
  const { id, role, conversationId, practice } = transfer;
  const so = told.get(id) ?? { conversationId, known: new Set<string>(), last: new Map<EventPath, Instant>(), events: [] };
  told.set(id, so);
  const peer = 'peer' in transfer && transfer.peer ? transfer.peer.ods : null;
  const otherPractice = peer ?? (role === 'requesting' ? transfer.previousPractice : null);
  const { events } = untold(role, occurrencesOf({ role, otherPractice }, { at, measured }), so);
  for (const { path, key, at: moment, payload } of events) {
    so.known.add(key);
    so.last.set(path, moment);
    const body = eventBody(path, { role, conversationId, practice, otherPractice, supplier: 'ZZ901' }, moment, payload);
    so.events.push({ eventType: EVENTS[path].type, body: body as Record<string, unknown> });
  }
}

const MICROS = 1000;

/** A line of Spine's log; what Spine says in its own name is none. */
function logged(message: Received, at: number, aliases: ReadonlyMap<string, string>): SpineMessage | null {
  const { addressed, messageId, conversationId } = message;
  const interaction = interactionOf(message);
  if (interaction === null) return null;
  const answered = message.interaction === 'acknowledgement' ? message : null;
  return {
    at: at * MICROS,
    conversationId,
    guid: messageId,
    interaction,
    from: addressed.fromAsid ?? '',
    to: addressed.toAsid ?? '',
    ref: answered ? (aliases.get(answered.of) ?? answered.of) : null,
    error: !answered || answered.answer.accepted ? null : Number(answered.answer.code ?? 99),
    fromSystem: null,
    toSystem: null,
  };
}

function interactionOf(message: Received): string | null {
  switch (message.interaction) {
    case 'request':
      return REQUEST;
    case 'extract':
      return message.version === 'UK07' ? CORE_WITH_REDACTIONS : CORE;
    case 'continue':
    case 'index':
    case 'piece':
      return COMMON;
    case 'acknowledgement':
      return ACKNOWLEDGEMENT;
    case 'undelivered':
    case 'unreadable':
      return null;
  }
}
