/** How a sender's transfer has to end, told from what arrived alone: the first final answer wins, and 12 is none. */
import type { Event, Sending } from '../../transfer/types.ts';
import type { WorldNode } from './types.ts';
import { Violation } from './violation.ts';

const RUNNING = ['sendingCore', 'waitingForContinue', 'sendingParts', 'waitingForAnswer'];

/** Looks at each step of each sending transfer. */
export function finalAnswers() {
  const firsts = new Map<string, string>();

  return (node: WorldNode, before: Sending, after: Sending, event: Event, where: string): void => {
    const fail = (text: string): never => {
      throw new Violation(`${where}: ${text}`);
    };
    if (before.state === 'ended' && after.state === 'checking') firsts.delete(after.id);
    const answer = answerTo(node, before, event);
    const first = firsts.get(after.id);
    const outcome = after.state === 'ended' ? after.outcome : null;
    if (answer && first === undefined && answer.code !== '12') {
      const isTaken = ['AA', '15', '26'].includes(answer.code);
      const isRefused = !isTaken && answer.ofThisCore && RUNNING.includes(before.state);
      if (isTaken) {
        firsts.set(after.id, answer.code);
        if (outcome?.kind !== 'acknowledged' || outcome.answer !== answer.code)
          fail(`${answer.code} came, and the record does not count as filed`);
      } else if (isRefused) {
        firsts.set(after.id, answer.code);
        if (outcome?.kind !== 'refusedByRequester' || (outcome.code ?? 'none') !== answer.code)
          fail(`${answer.code} came, and is not the outcome`);
      }
      if (isTaken || isRefused) return;
    }
    const ended = before.state === 'ended' ? before.outcome : null;
    if (first !== undefined && ended && outcome && ended.kind !== outcome.kind) fail('the first final answer did not win');
    if (outcome?.kind === 'acknowledged' && ended?.kind !== 'acknowledged') fail('the record counts as filed, and nobody said so');
    if (outcome?.kind === 'refusedByRequester' && ended?.kind !== 'refusedByRequester')
      fail('the record counts as refused, and nobody said so');
  };
}

/** A word of the practice that asked about a core of this transfer. */
function answerTo(
  { store, name }: WorldNode,
  before: Sending,
  event: Event,
): { readonly code: string; readonly ofThisCore: boolean } | null {
  if (event.kind !== 'arrived' || event.message.interaction !== 'acknowledgement') return null;
  const { of, answer, addressed } = event.message;
  const sent = store.tables.sent.get(of);
  const peer = 'peer' in before ? before.peer : null;
  if (sent?.transfer !== before.id || sent.interaction !== 'extract' || !peer || name === peer.ods) return null;
  if (addressed.fromPartyKey !== peer.partyKey || addressed.fromAsid !== peer.asid) return null;
  const ofThisCore = 'offer' in before && before.offer?.core === of;
  return { code: answer.accepted ? 'AA' : (answer.code ?? 'none'), ofThisCore };
}
