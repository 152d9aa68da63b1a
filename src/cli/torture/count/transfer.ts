import type { Evidence, Meant, Row } from './evidence.ts';
import { countFiled } from './filed.ts';
import { at, type Finding, idAt, type Tell, textAt } from './findings.ts';

export type Counted = {
  /** As the plan names it: `integrated`, or an outcome with its code; null where it has not ended. */
  readonly end: string | null;
  readonly conversation: string;
  readonly findings: readonly Finding[];
};

/** One transfer, from both sides' rows and the new practice's disk. */
export async function countTransfer(evidence: Evidence, meant: Meant): Promise<Counted> {
  const findings: Finding[] = [];
  const side = (ods: string) => evidence.plan.practices.find((practice) => practice.ods === ods)?.side ?? '';
  const [there, here] = [side(meant.to), side(meant.from)];
  const begun = evidence.rows(there, 'transfers').filter((row) => textAt(row, 'registration_id') === meant.registrationId);
  const [requesting] = begun;
  const conversation = idAt(requesting, 'conversation_id');
  const tell: Tell = (kind, text) =>
    findings.push({ kind, about: conversation || meant.registrationId, text: `transfer ${meant.number}: ${text}` });
  if (!requesting) {
    tell('stuck', 'the registration never reached a node');
    return { end: null, conversation, findings };
  }
  if (begun.length > 1) tell('duplicated', 'one registration began several transfers');
  const sendings = evidence
    .rows(here, 'transfers')
    .filter((row) => textAt(row, 'role') === 'sending' && idAt(row, 'conversation_id') === conversation);
  const [sending] = sendings;
  if (sendings.length > 1) tell('duplicated', 'one request began several transfers');

  countHistory(evidence.rows(there, 'history'), requesting, tell);
  if (sending) countHistory(evidence.rows(here, 'history'), sending, tell);
  const end = countEnd(requesting, sending ?? null, tell);
  if (end === 'integrated') {
    const waiting = evidence
      .rows(there, 'parts')
      .filter((row) => idAt(row, 'transfer') === idAt(requesting, 'id') && !textAt(row, 'came_at'));
    if (waiting.length) tell('lost', `${waiting.length} announced parts never came`);
  }
  if (end !== null) countAnswers(evidence, { there, here, conversation }, requesting, tell);
  await countFiled(evidence, meant, { side: there, transferId: idAt(requesting, 'id'), end }, tell);
  return { end, conversation, findings };
}

/** What happened, happened once and in a row: each version of the transfer has one entry that begins where the last one ended. */
function countHistory(history: readonly Row[], transfer: Row, tell: Tell): void {
  const entries = history
    .filter((row) => idAt(row, 'transfer') === idAt(transfer, 'id'))
    .sort((a, b) => Number(a['number']) - Number(b['number']));
  const role = textAt(transfer, 'role');
  if (entries.length !== Number(transfer['version']))
    tell('lost', `the ${role} side is at version ${textAt(transfer, 'version')} and has ${entries.length} entries`);
  const events = new Set(entries.map((row) => textAt(row, 'event_id')));
  if (events.size !== entries.length) tell('duplicated', `an event had its effect twice on the ${role} side`);
  let state = '';
  let ends = 0;
  for (const row of entries) {
    if (textAt(row, 'from_state') !== state)
      tell('duplicated', `the ${role} side went on from ${textAt(row, 'from_state')} though it was ${state}`);
    if (textAt(row, 'to_state') === 'ended' && state !== 'ended') ends++;
    state = textAt(row, 'to_state');
  }
  if (ends > 1) tell('duplicated', `the ${role} side ended ${ends} times`);
}

/** Both sides ended, and mean the same by it. */
function countEnd(requesting: Row, sending: Row | null, tell: Tell): string | null {
  const [asked, answered] = [outcomeOf(requesting), sending && outcomeOf(sending)];
  if (!asked) tell('stuck', `the new practice's side is ${textAt(requesting, 'state')}`);
  if (sending && !answered) tell('stuck', `the previous practice's side is ${textAt(sending, 'state')}`);
  if (!asked || (sending && !answered)) return null;
  const agree = `${asked.kind} ${asked.detail} | ${answered ? `${answered.kind} ${answered.detail}` : 'nothing'}`;
  switch (asked.kind) {
    case 'integrated':
      if (answered?.kind !== 'acknowledged' || answered.detail !== asked.detail)
        tell('lost', `filed, and the sender does not know it: ${agree}`);
      return 'integrated';
    case 'notEligible':
      if (answered) tell('odd', `the sides disagree: ${agree}`);
      break;
    case 'refusedBySender':
      if (answered?.kind !== 'refusedByUs' || answered.detail !== asked.detail) tell('odd', `the sides disagree: ${agree}`);
      break;
    default:
      if (answered?.kind === 'acknowledged') tell('lost', `the sender thinks that the record arrived: ${agree}`);
      else if (answered?.kind !== 'refusedByRequester' || answered.detail !== asked.detail) tell('odd', `the sides disagree: ${agree}`);
  }
  return `${asked.kind} ${asked.detail}`.trim();
}

function outcomeOf(row: Row): { kind: string; detail: string } | null {
  if (textAt(row, 'state') !== 'ended') return null;
  const outcome = at(row, 'body', 'outcome');
  return { kind: textAt(outcome, 'kind'), detail: textAt(outcome, 'answer') || textAt(outcome, 'code') || textAt(outcome, 'reason') };
}

/** Each core that the new practice accepted has one final acknowledgement in the previous one's inbox: not none, not two. */
function countAnswers(evidence: Evidence, of: { there: string; here: string; conversation: string }, requesting: Row, tell: Tell): void {
  const inConversation = (row: Row) => idAt(row, 'conversation_id') === of.conversation;
  const cores = evidence.rows(of.there, 'inbox').filter((row) => inConversation(row) && textAt(row, 'action').startsWith('RCMR_IN03'));
  if (cores.length > 1) tell('duplicated', `${cores.length} cores were accepted`);
  if (cores.length === 0 && at(requesting, 'body', 'core') !== null) tell('lost', 'the core is not in the inbox');
  const answers = evidence.rows(of.here, 'inbox').filter((row) => inConversation(row) && textAt(row, 'action').startsWith('MCCI_IN01'));
  for (const core of cores) {
    const own = answers.filter((row) => idAt(row, 'message', 'message', 'of') === idAt(core, 'message_id'));
    if (own.length === 0) tell('lost', 'no final acknowledgement reached the sender');
    if (own.length > 1) tell('duplicated', `${own.length} final acknowledgements for one core`);
  }
}
