import { never } from '../base/errors.ts';
import type { Transfer } from './types.ts';

/** Tasks that a restore leaves with a practice; closed when the transfer ends well. */
export const RESTORE_TASKS = ['recordMayBeLost', 'answerMayBeLost'] as const;
/** `why`: in words, for the list. */
export type AfterRestore = {
  readonly task: (typeof RESTORE_TASKS)[number];
  readonly why: string;
};

/**
 * What a restored backup may have cost a transfer. Messages that came after the moment of the restore were acknowledged, so that nobody
 * sends them again, and are not here: whoever waits for one is named, and a person asks. `null`: nothing was waited for; what the
 * transfer does next it does by itself, or a person has it in a list already.
 */
export function afterRestore(transfer: Transfer): AfterRestore | null {
  return transfer.role === 'requesting' ? requesting(transfer) : sending(transfer);
}

function requesting(transfer: Extract<Transfer, { role: 'requesting' }>): AfterRestore | null {
  switch (transfer.state) {
    case 'checking':
      // It asks by itself. Had it asked before, the other practice takes this for the second request of one conversation and sends nothing.
      return { task: 'recordMayBeLost', why: 'the record is asked for now; it may have been asked for and have come before' };
    case 'waitingForExtract':
      return { task: 'recordMayBeLost', why: 'the record may have come and be lost' };
    case 'collecting':
      return { task: 'recordMayBeLost', why: `${transfer.outstanding} messages were outstanding and may have come and be lost` };
    case 'converting':
    case 'filing':
      // All of it is here. The practice's system knows what it filed and says so again.
      return null;
    case 'waitingForDecision':
      // Whoever decided after that moment is asked again: the task is open.
      return null;
    case 'ended':
      // What was filed is filed; everything else has a task since its end.
      return null;
    default:
      return never(transfer);
  }
}

function sending(transfer: Extract<Transfer, { role: 'sending' }>): AfterRestore | null {
  switch (transfer.state) {
    case 'checking':
    case 'fetching':
    case 'converting':
      return { task: 'answerMayBeLost', why: 'the record is sent now; it may have been sent before, and the answer be lost' };
    case 'sendingCore':
      return { task: 'answerMayBeLost', why: 'the record may have arrived, and what was said to it be lost' };
    case 'waitingForContinue':
      return { task: 'answerMayBeLost', why: 'the word to send the documents may have come and be lost' };
    case 'sendingParts':
    case 'waitingForAnswer':
      return { task: 'answerMayBeLost', why: 'the final answer may have come and be lost' };
    case 'ended':
      return null;
    default:
      return never(transfer);
  }
}
