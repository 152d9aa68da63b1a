/**
 * Transfers in the proportions that were published: who asks whom by system, how they end, on which days of the week they begin. Counts
 * are of September 2020 to June 2021, judged after 14 days.
 */
import { FAILURE_REASONS, type FailureReason, STATUSES, type Status } from '../classify/outcome.ts';
import type { ClassifiedTransfer } from '../classify/transfer.ts';
import { type Month, monthStart } from '../metrics/month.ts';
import { DAY, type Micros, SECOND } from '../micros.ts';
import { type Chance, chanceOf, weighted } from './chance.ts';
import { ENGLAND, type Supplier, type SyntheticEngland, type SyntheticPractice } from './england.ts';

/** A usual month of all England. */
const MONTHLY = 220_000;
/** January to December: students in autumn, nobody at Christmas. */
const SEASON = [1.02, 0.96, 1.0, 0.92, 0.93, 0.97, 1.01, 0.98, 1.18, 1.2, 1.03, 0.8];
/** Monday to Sunday. */
const WEEKDAYS = [18.6, 22.4, 21.1, 19.5, 16.6, 1.3, 0.5];
/** Requesting, sending, transfers in six months. */
const PATHWAYS: readonly (readonly [Supplier, Supplier, number])[] = [
  ['EMIS', 'EMIS', 788_019],
  ['EMIS', 'SystmOne', 236_887],
  ['SystmOne', 'EMIS', 258_060],
  ['EMIS', 'Vision', 19_723],
  ['Vision', 'EMIS', 16_234],
  ['Vision', 'Vision', 4_288],
  ['SystmOne', 'SystmOne', 322],
];
type End = { readonly status: Status; readonly reason: FailureReason | null; readonly share: number };
const ENDS: readonly End[] = [
  { status: STATUSES.INTEGRATED_ON_TIME, reason: null, share: 87.61 },
  { status: STATUSES.PROCESS_FAILURE, reason: FAILURE_REASONS.INTEGRATED_LATE, share: 3.17 },
  { status: STATUSES.PROCESS_FAILURE, reason: FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED, share: 4.56 },
  { status: STATUSES.TECHNICAL_FAILURE, reason: FAILURE_REASONS.FATAL_SENDER_ERROR, share: 1.62 },
  { status: STATUSES.TECHNICAL_FAILURE, reason: FAILURE_REASONS.CORE_EHR_NOT_SENT, share: 1.22 },
  { status: STATUSES.TECHNICAL_FAILURE, reason: FAILURE_REASONS.FINAL_ERROR, share: 1.19 },
  { status: STATUSES.TECHNICAL_FAILURE, reason: FAILURE_REASONS.REQUEST_NOT_ACKNOWLEDGED, share: 0.41 },
  { status: STATUSES.UNCLASSIFIED_FAILURE, reason: FAILURE_REASONS.AMBIGUOUS_COPCS, share: 0.12 },
  { status: STATUSES.TECHNICAL_FAILURE, reason: FAILURE_REASONS.COPC_NOT_ACKNOWLEDGED, share: 0.06 },
  { status: STATUSES.UNCLASSIFIED_FAILURE, reason: FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED_WITH_ERROR, share: 0.03 },
  { status: STATUSES.TECHNICAL_FAILURE, reason: FAILURE_REASONS.COPC_NOT_SENT, share: 0.01 },
];
const FATAL = weightedCodes([
  [6, 62],
  [10, 14],
  [30, 12],
  [99, 7],
  [7, 3],
  [23, 1],
  [24, 1],
]);
const FINAL = weightedCodes([
  [17, 28],
  [11, 24],
  [31, 18],
  [28, 12],
  [21, 8],
  [25, 6],
  [99, 3],
  [26, 1],
]);

/** All transfers that are requested in a month; the same for the same seed. */
export function* transfersOf(england: SyntheticEngland, month: Month, seed: number): Generator<ClassifiedTransfer> {
  const chance = chanceOf(seed ^ (month.year * 100 + month.month) ^ 0x51f0);
  const start = monthStart(month, 'UTC');
  const days = new Date(Date.UTC(month.year, month.month, 0)).getUTCDate();
  const dayOf = weighted(
    Array.from({ length: days }, (_, at) => WEEKDAYS[(new Date(start / 1000 + at * 86_400_000).getUTCDay() + 6) % 7] ?? 0),
  );
  const bySupplier = new Map(
    (['EMIS', 'SystmOne', 'Vision'] as const).map((supplier) => {
      const practices = england.practices.filter((practice) => practice.supplier === supplier);
      return [supplier, { practices, pick: practices.length > 0 ? weighted(practices.map(({ size }) => size)) : null }] as const;
    }),
  );
  const some = (supplier: Supplier): SyntheticPractice => {
    const found = bySupplier.get(supplier);
    // A small England may lack a supplier.
    return (found?.pick && found.practices[found.pick(chance)]) || chance.pick(england.practices);
  };
  const pathway = weighted(PATHWAYS.map(([, , count]) => count));
  const endOf = weighted(ENDS.map(({ share }) => share));
  const wanted = Math.round((MONTHLY * (SEASON[month.month - 1] ?? 1) * england.practices.length) / ENGLAND.practices);
  for (let n = 0; n < wanted; n++) {
    const [asking, asked] = PATHWAYS[pathway(chance)] ?? ['EMIS', 'EMIS'];
    const requesting = some(asking);
    let sending = some(asked);
    while (sending === requesting) sending = chance.pick(england.practices);
    // Most of a working day's registrations are made between nine and six.
    const requestedAt = start + dayOf(chance) * DAY + Math.floor((8.5 + chance.next() * 5 + chance.next() * 5) * 3600) * SECOND;
    const end = habitual(requesting, ENDS[endOf(chance)] as End, chance);
    yield transfer(n, requesting, sending, requestedAt, end, chance);
  }
}

/** A few practices leave most of what is left: who files badly turns some of his good ends into late ones. */
function habitual(practice: SyntheticPractice, end: End, chance: Chance): End {
  if (practice.habit > 1.6 && end.status === STATUSES.INTEGRATED_ON_TIME && chance.next() < 0.12 * (practice.habit - 1))
    return ENDS[2] as End;
  if (practice.habit < 1 && end.status === STATUSES.PROCESS_FAILURE && chance.next() < 0.3) return ENDS[0] as End;
  return end;
}

function transfer(
  n: number,
  requesting: SyntheticPractice,
  sending: SyntheticPractice,
  requestedAt: Micros,
  { status, reason }: End,
  chance: Chance,
): ClassifiedTransfer {
  // Half a minute is usual, and hours are not rare.
  const core = requestedAt + Math.ceil(Math.min(29 * Math.exp(chance.normal() * 1.8), 90_000)) * SECOND;
  const late = reason === FAILURE_REASONS.INTEGRATED_LATE;
  const integrated = status === STATUSES.INTEGRATED_ON_TIME || late;
  const rejected = reason === FAILURE_REASONS.FINAL_ERROR;
  const received = integrated || rejected || status === STATUSES.UNCLASSIFIED_FAILURE || /not integrated|COPC/.test(reason ?? '');
  const seconds = integrated
    ? late
      ? 691_201 + chance.below(5 * 86_400)
      : untilFiled(requesting, chance)
    : rejected
      ? chance.below(600_000)
      : null;
  const completedAt = seconds === null ? null : core + seconds * SECOND;
  const unacknowledged = reason === FAILURE_REASONS.REQUEST_NOT_ACKNOWLEDGED;
  const large = /COPC/.test(reason ?? '') || (received && chance.next() < 0.43);
  return {
    conversationId: conversationId(requestedAt, n, chance),
    slaDuration: seconds,
    requesting: requesting.party,
    sending: sending.party,
    senderErrorCodes: unacknowledged ? [] : [reason === FAILURE_REASONS.FATAL_SENDER_ERROR ? FATAL(chance) : null],
    finalErrorCodes: integrated ? [null] : rejected ? [FINAL(chance)] : [],
    intermediateErrorCodes: reason === FAILURE_REASONS.TRANSFERRED_NOT_INTEGRATED_WITH_ERROR ? [30] : [],
    status,
    failureReason: reason,
    requestedAt,
    completedAt,
    lastSenderMessageAt: received ? core + (large ? chance.below(240) * SECOND : 0) : unacknowledged ? null : requestedAt + 2 * SECOND,
    coreAt: received ? core : null,
    redactions: chance.next() < 0.02,
    large,
  };
}

/** Automatic filing takes minutes, people a day or two; who is slow takes longer. Within eight days. */
function untilFiled({ habit }: SyntheticPractice, chance: Chance): number {
  const hours = chance.next() < 0.3 ? chance.next() : 20 * Math.exp(chance.normal() * 0.9 + Math.max(-0.6, Math.min(habit, 2)) * 0.35);
  return Math.min(Math.ceil(hours * 3600), 691_200);
}

function conversationId(at: Micros, n: number, chance: Chance): string {
  const hex = (value: number, digits: number) => Math.floor(value).toString(16).toUpperCase().padStart(digits, '0').slice(-digits);
  return `${hex(at / SECOND, 8)}-${hex(n, 4)}-4${hex(chance.next() * 4096, 3)}-8${hex(chance.next() * 4096, 3)}-${hex(n, 6)}${hex(chance.next() * 16_777_216, 6)}`;
}

function weightedCodes(codes: readonly (readonly [number, number])[]): (chance: Chance) => number {
  const pick = weighted(codes.map(([, weight]) => weight));
  return (chance) => codes[pick(chance)]?.[0] ?? 99;
}
