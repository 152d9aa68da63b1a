import type { Ods } from '../base/ids.ts';
import type { TraceFacts } from './may-we-ask.ts';

export type SendFacts = {
  /** GP2GP is switched on for this practice. */
  readonly enabled: boolean;
  /** The practice the request is addressed to is one of this node's, and the one asked. */
  readonly addressedHere: boolean;
  /** ODS code that the request names as its author. */
  readonly requester: Ods;
  /** Owner of the requester's ASID according to SDS; null where SDS knows none or several. */
  readonly asidOwner: Ods | null;
  readonly trace: TraceFacts | 'unavailable';
};

export type RefusalCode = '06' | '07' | '19' | '20' | '24';

/**
 * Whether a record leaves this practice. The order of the checks is normative and the first failure is the answer; no hint goes
 * out about a patient before the requester is known to be their practice. Whether the patient's record is here, the practice's
 * system says when it is asked for the record (06).
 */
export function mayTheyAsk({
  enabled,
  addressedHere,
  requester,
  asidOwner,
  trace,
}: SendFacts): { send: true } | { send: false; code: RefusalCode } {
  const no = (code: RefusalCode) => ({ send: false as const, code });
  if (!addressedHere) return no('06');
  if (!enabled) return no('07');
  if (asidOwner === null) return no('24');
  // Authority comes from the owner of the ASID and from PDS, never from what the message says of itself.
  if (asidOwner !== requester) return no('19');
  if (trace === 'unavailable') return no('20');
  if (!trace.found) return no('06');
  if (trace.restricted) return no('19');
  if (trace.registeredAt !== requester) return no('19');
  return { send: true };
}
