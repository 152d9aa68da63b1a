import type { Evidence, Row } from './evidence.ts';
import { type Finding, idAt, textAt } from './findings.ts';

const SPINE = 'YES';
/** Rows that have to be gone or put aside when everything has ended. */
const TO_BE_DONE = ['message', 'job'];

/**
 * Every message that somebody was told is safe must be where it was said to be: what the hub accepted is delivered, what a node
 * acknowledged stands in its inbox, and what stands there has been dealt with. Findings are about conversations.
 */
export function countMessages(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  const inbox = new Map<string, Row>();
  for (const side of new Set(evidence.plan.practices.map((practice) => practice.side)))
    for (const row of evidence.rows(side, 'inbox')) inbox.set(`${side} ${textAt(row, 'from_party_key')} ${idAt(row, 'message_id')}`, row);
  const sideOf = new Map(evidence.plan.practices.map(({ partyKey, side }) => [partyKey, side]));

  const ends = new Map<string, Row>();
  for (const line of evidence.ledger) {
    const direction = textAt(line, 'direction');
    if (direction === 'delivered' || direction === 'failed') ends.set(keyOf(line), line);
  }
  for (const line of evidence.ledger) {
    const from = textAt(line, 'from');
    if (textAt(line, 'direction') !== 'accepted' || from === SPINE || !sideOf.has(from)) continue;
    const about = idAt(line, 'conversationId');
    const name = `${textAt(line, 'interaction')} ${idAt(line, 'messageId')} of ${from}`;
    const tell = (kind: Finding['kind'], text: string) => findings.push({ kind, about, text: `${name}: ${text}` });
    if (line['altered'] === true) tell('duplicated', 'came to the hub a second time with other bytes');
    if (line['duplicate'] === true) continue;
    const end = ends.get(keyOf(line));
    // Who is no practice of the plan keeps books of its own.
    if (!sideOf.has(textAt(line, 'to'))) continue;
    const there = inbox.has(`${sideOf.get(textAt(line, 'to'))} ${from} ${idAt(line, 'messageId')}`);
    if (end && textAt(end, 'direction') === 'failed')
      tell('lost', `the hub accepted it and could not deliver it: ${textAt(end, 'reason')}`);
    // A recipient that was killed behind its commit has the message, and the hub has not heard so yet.
    else if (!end && !there) tell('lost', 'the hub accepted it, nobody has it');
    else if (end && !there) tell('lost', `${textAt(line, 'to')} acknowledged it (HTTP ${textAt(end, 'status')}) and does not have it`);
  }
  for (const row of inbox.values()) {
    if (textAt(row, 'done_at')) continue;
    const dead = textAt(row, 'dead_at') !== '';
    findings.push({
      kind: dead ? 'lost' : 'stuck',
      about: idAt(row, 'conversation_id'),
      text: `${textAt(row, 'action')} ${idAt(row, 'message_id')}: ${dead ? 'put aside' : 'waits in the inbox'} (${textAt(row, 'fault')})`,
    });
  }
  findings.push(...leftOver(evidence));
  return findings;
}

function leftOver(evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  for (const side of new Set(evidence.plan.practices.map((practice) => practice.side))) {
    const conversationOf = new Map(evidence.rows(side, 'transfers').map((row) => [idAt(row, 'id'), idAt(row, 'conversation_id')]));
    for (const row of evidence.rows(side, 'outbox')) {
      if (!TO_BE_DONE.includes(textAt(row, 'kind'))) continue;
      const dead = textAt(row, 'dead_at') !== '';
      findings.push({
        kind: dead ? 'odd' : 'stuck',
        about: conversationOf.get(idAt(row, 'transfer')) ?? '',
        text: `${side} ${textAt(row, 'kind')} ${textAt(row, 'name')}: ${dead ? 'put aside' : 'still to be done'} (${textAt(row, 'fault')})`,
      });
    }
  }
  return findings;
}

function keyOf(line: Row): string {
  return `${textAt(line, 'from')} ${idAt(line, 'messageId')}`;
}
