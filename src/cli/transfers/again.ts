/** The same decisions again, from what each of them was made from, and where they come out otherwise. Pure: no clock, no chance, no store. */
import { isDeepStrictEqual } from 'node:util';
import { eventAgain, factsAgain } from '../../transfer/basis.ts';
import { decide } from '../../transfer/decide.ts';
import { measuredOf } from '../../transfer/measured.ts';
import type { Transfer } from '../../transfer/types.ts';
import type { ExportedEntry } from './exported.ts';

export type Difference = {
  readonly entry: number;
  readonly what: 'state' | 'note' | 'measured';
  readonly recorded: unknown;
  readonly replayed: unknown;
};
/** `gone`: what the decision was made from is not there, so that neither it nor a later one can be made again. */
export type Step = { readonly after: Transfer; readonly differences: readonly Difference[] } | { readonly gone: string };

/** One entry's decision, on the transfer as it was before. */
export function stepAgain(before: Transfer, entry: ExportedEntry): Step {
  const { number, eventId, at, by, basis, message, documents } = entry;
  if (!basis) return { gone: 'what it was decided on is erased, or was written by a version that did not keep it' };
  const event = eventAgain({ id: eventId, at, by }, basis, { message, documents });
  if (!event)
    return { gone: basis.event.kind === 'arrived' ? 'the message that arrived is erased' : 'what was fetched to be sent is erased' };
  let drawn = 0;
  const decision = decide(
    before,
    event,
    factsAgain(basis, () => `00000000-0000-4000-8000-${String(++drawn).padStart(12, '0')}`),
  );
  const compared = [
    ['state', entry.to, decision.transfer.state],
    ['note', entry.note, decision.note],
    ['measured', entry.measured, { ...measuredOf(before, event, decision) }],
  ] as const;
  return {
    after: { ...decision.transfer, version: number },
    differences: compared.flatMap(([what, recorded, replayed]) =>
      isDeepStrictEqual(recorded, replayed) ? [] : [{ entry: number, what, recorded, replayed }],
    ),
  };
}

export type Again = {
  /** Decisions that were made again. */
  readonly made: number;
  readonly differences: readonly Difference[];
  readonly end: Transfer;
  readonly stopped: { readonly entry: number; readonly why: string } | null;
};

/** All of them in order, each on what came of the one before. */
export function decideAgain(begun: Transfer, entries: readonly ExportedEntry[]): Again {
  const differences: Difference[] = [];
  let transfer = begun;
  let made = 0;
  for (const entry of entries) {
    const step = stepAgain(transfer, entry);
    if ('gone' in step) return { made, differences, end: transfer, stopped: { entry: entry.number, why: step.gone } };
    differences.push(...step.differences);
    transfer = step.after;
    made++;
  }
  return { made, differences, end: transfer, stopped: null };
}
