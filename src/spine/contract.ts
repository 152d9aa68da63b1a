import type { Contract } from '../transfer/types.ts';

/** What GP2GP interactions are registered with, for endpoint records that leave something out. */
const USUAL = {
  actor: 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH',
  /** PT4H10M: 2 repetitions two hours apart, and ten minutes. COPC has PT7H; an acknowledgement is seen with a quarter of an hour. */
  persistSeconds: { request: 15_000, extract: 15_000, part: 25_200, acknowledgement: 1_080 },
} as const;

/** The properties of a reliability configuration as SDS writes them, by name; absent ones are left out. */
export type ReliabilityProperties = ReadonlyMap<string, string>;

/** An endpoint's properties as a contract. Missing retries or interval means no repetition. */
export function contractFrom(cpaId: string, kind: keyof typeof USUAL.persistSeconds, properties: ReliabilityProperties): Contract {
  const retries = Number(properties.get('nhsMHSRetries') ?? '0');
  const interval = durationSeconds(properties.get('nhsMHSRetryInterval') ?? '');
  const syncReply = properties.get('nhsMHSSyncReplyMode') ?? 'None';
  return {
    cpaId,
    retries: interval === null || !Number.isInteger(retries) || retries < 0 ? 0 : Math.min(retries, 100),
    retryIntervalSeconds: interval ?? 0,
    persistSeconds: durationSeconds(properties.get('nhsMHSPersistDuration') ?? '') ?? USUAL.persistSeconds[kind],
    duplicateElimination: (properties.get('nhsMHSDuplicateElimination') ?? 'always').toLowerCase() !== 'never',
    ackRequested: (properties.get('nhsMHSAckRequested') ?? 'always').toLowerCase() !== 'never',
    actor: properties.get('nhsMHSActor') ?? USUAL.actor,
    syncReply: syncReply.toLowerCase() !== 'none',
  };
}

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Seconds of an ISO 8601 duration of days and smaller; `null` where it is none. */
export function durationSeconds(text: string): number | null {
  const match = DURATION.exec(text.trim());
  if (!match || /^P$|T$/.test(text.trim())) return null;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(days) * 86_400 + Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}
