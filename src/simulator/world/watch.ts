/** What has to hold, looked at from outside after each step and at the end. The first thing that does not ends the world. */
import type { MessageId } from '../../base/ids.ts';
import type { Attachment } from '../../transfer/parts.ts';
import type { Event, Message, Received, Requesting, ResponseCode, Transfer } from '../../transfer/types.ts';
import { agreement } from './agreement.ts';
import { finalAnswers } from './final-answers.ts';
import { isWhole } from './jobs.ts';
import { outstanding } from './ledger.ts';
import type { OutboxRow } from './store.ts';
import type { World, WorldNode } from './types.ts';
import { violation } from './violation.ts';

/** Where a transfer may go from where. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  'requesting checking': ['waitingForExtract', 'ended'],
  'requesting waitingForExtract': ['collecting', 'converting', 'ended'],
  'requesting collecting': ['converting', 'ended'],
  'requesting converting': ['waitingForDecision', 'filing', 'ended'],
  'requesting waitingForDecision': ['filing', 'converting', 'ended'],
  'requesting filing': ['waitingForDecision', 'ended'],
  'requesting ended': ['collecting', 'converting'],
  'sending checking': ['fetching', 'ended'],
  'sending fetching': ['converting', 'ended'],
  'sending converting': ['sendingCore', 'ended'],
  'sending sendingCore': ['waitingForContinue', 'sendingParts', 'waitingForAnswer', 'ended'],
  'sending waitingForContinue': ['sendingParts', 'ended'],
  'sending sendingParts': ['waitingForAnswer', 'ended'],
  'sending waitingForAnswer': ['ended'],
  'sending ended': ['checking'],
};

export type Watch = ReturnType<typeof makeWatch>;

export function makeWatch(world: World, trace?: (line: string) => void) {
  const accepted: { readonly node: WorldNode; readonly key: string; readonly message: Received }[] = [];
  const acceptedIds = new Set<MessageId>();
  const intended = new Map<MessageId, boolean>();
  const posted = new Set<MessageId>();
  const gone = new Set<MessageId>();
  const left = new Set<MessageId>();
  const hl7Ids = new Map<MessageId, MessageId>();
  const continues = new Set<string>();
  const partsTaken = new Set<string>();
  const finals = new Map<string, { readonly id: MessageId; readonly code: string }>();
  const refusals = new Map<string, Set<ResponseCode>>();
  const filings = new Map<string, 'leased' | 'filed'>();
  const records = new Map<string, number>();
  const oracle = finalAnswers();

  return {
    // ---- messages

    accepted(node: WorldNode, key: string, message: Received): void {
      accepted.push({ node, key, message });
      acceptedIds.add(message.messageId);
      for (const alias of message.aliases) if (alias.startsWith('HL7-')) hl7Ids.set(message.messageId, alias as MessageId);
    },
    hl7Id: (id: MessageId): MessageId => hl7Ids.get(id) ?? id,

    /** A decision means to send a message: it counts once the transaction commits. */
    intended(node: WorldNode, before: Transfer, message: Message, event: Event, isSpoken: boolean): void {
      node.store.onCommit(() => {
        if (intended.has(message.messageId)) violation(`the id ${message.messageId} was given twice`);
        intended.set(message.messageId, isSpoken);
        if (message.interaction === 'continue') continues.add(`${before.id} ${message.of}`);
        if (message.interaction !== 'acknowledgement') return;
        const { of, answer } = message;
        const code = answer.accepted ? 'AA' : (answer.code ?? 'none');
        if (!answer.accepted && answer.code) world.coverage.code(answer.code);
        const arrived = event.kind === 'arrived' ? event.message : null;
        if (arrived && arrived.messageId === of && (arrived.interaction === 'index' || arrived.interaction === 'piece')) {
          if (answer.accepted) partsTaken.add(`${node.name} ${of}`);
        } else if (before.role === 'sending') {
          if (answer.accepted || !answer.code) return;
          const codes = refusals.get(before.id) ?? new Set();
          refusals.set(before.id, codes.add(answer.code));
        } else if (code !== '12') {
          const key = `${node.name} ${of}`;
          if (finals.has(key)) violation(`the core ${of} was answered twice: ${finals.get(key)?.code} and ${code}`);
          finals.set(key, { id: message.messageId, code });
        }
      });
    },
    renamed(from: MessageId, to: MessageId): void {
      intended.set(to, intended.get(from) ?? true);
      gone.add(from);
    },
    struck(row: Extract<OutboxRow, { kind: 'message' }>): void {
      gone.add(row.messageId);
    },
    posted(from: WorldNode, message: Received): void {
      if (!intended.has(message.messageId)) violation(`${message.messageId} was posted under an id that nobody meant`);
      posted.add(message.messageId);
      if ((message.interaction !== 'index' && message.interaction !== 'piece') || from.habits.eager) return;
      const sent = from.store.tables.sent.get(message.messageId);
      const history = (sent && from.store.tables.history.get(sent.transfer)) ?? [];
      const asked = history.some(({ event }) => event.kind === 'arrived' && event.message.interaction === 'continue');
      if (!asked) violation(`the part ${message.messageId} left before a continue came`);
    },
    left(id: MessageId): void {
      gone.add(id);
      left.add(id);
    },

    // ---- records

    /** A record was read: every attachment in it is what was sent, and no part that was acknowledged is missing. */
    recordRead(transfer: Requesting, attachments: readonly Attachment[]): string {
      const story = world.stories.get(transfer.nhsNumber);
      const node = story?.requester;
      let whole = 0;
      for (const attachment of attachments) {
        const { announced, content, missing } = attachment;
        if (content) whole++;
        if (content && !announced.skeleton && !isWhole(attachment, story?.documents ?? []))
          violation(`${transfer.id}: the document ${announced.documentId} was not joined as it was sent`);
        for (const key of missing)
          if (partsTaken.has(`${node?.name} ${key}`)) violation(`${transfer.id}: the part ${key} was acknowledged and is missing`);
      }
      const sha = `RECORD ${transfer.id} ${whole}`;
      records.set(sha, whole);
      return sha;
    },
    filing: (transfer: Requesting) => filings.get(transfer.id) ?? null,
    leased: (transfer: Requesting) => void filings.set(transfer.id, 'leased'),
    filed(transfer: Requesting): void {
      if (filings.get(transfer.id) === 'filed') violation(`${transfer.id} was filed twice`);
      filings.set(transfer.id, 'filed');
    },

    // ---- steps

    changed(node: WorldNode, before: Transfer, after: Transfer, event: Event): void {
      const where = `${node.name} ${after.id}: ${before.state} → ${after.state} by ${event.kind} ${event.id}`;
      trace?.(`${new Date(world.clock.now()).toISOString()} ${where}`);
      if (before.state !== after.state && !NEXT[`${before.role} ${before.state}`]?.includes(after.state))
        violation(`${where}: no such way`);
      const history = node.store.tables.history.get(after.id) ?? [];
      if (history.filter((entry) => entry.id === event.id).length > 1) violation(`${where}: happened twice`);
      alive(node, after, where);
      if (after.role === 'sending') oracle(node, before as typeof after, after, event, where);
      else {
        answered(node, after, where);
        asked(after, event, where);
      }
    },

    /** At the end nothing is under way any more. */
    ended(): void {
      for (const { node, key, message } of accepted) arrivedSafely(node, key, message);
      const queued = queuedIds();
      for (const [id, isSpoken] of intended) {
        if (!gone.has(id) && !queued.has(id)) violation(`the message ${id} was meant and is nowhere`);
        if (isSpoken && left.has(id) && !posted.has(id)) violation(`the message ${id} was called sent and never was posted`);
      }
      for (const id of posted)
        if (!acceptedIds.has(id) && !world.hub.swallowed.has(id) && !world.hub.returned.has(id))
          violation(`the posted message ${id} came nowhere`);
      agreement(world, { finals, refusals, filings });
    },
  };

  // ---- what keeps a transfer going

  function alive(node: WorldNode, transfer: Transfer, where: string): void {
    const { outbox, tasks, ledgers } = node.store.tables;
    const rows = [...outbox.values()].filter((row) => row.transfer === transfer.id && !row.dead);
    const timer = (name: string) => rows.some((row) => row.kind === 'timer' && row.timer === name);
    const job = (name: string) => rows.some((row) => row.kind === 'job' && row.job === name);
    const message = (interaction: string) => rows.some((row) => row.kind === 'message' && row.interaction === interaction);
    const need = (holds: boolean, what: string) => holds || violation(`${where}: ${what}`);
    switch (transfer.state) {
      case 'checking':
        return void need(job(transfer.role === 'requesting' ? 'mayWeAsk' : 'mayTheyAsk'), 'nobody checks');
      case 'waitingForExtract':
        return void need(timer('extractLate') || message('request'), 'nothing ends the waiting for the extract');
      case 'collecting':
        need(transfer.outstanding === outstanding(ledgers.get(transfer.id) ?? new Map()), 'the count of outstanding messages is wrong');
        return void need(timer('partsLate'), 'nothing ends the waiting for parts');
      case 'converting':
        return void need(job(transfer.role === 'requesting' ? 'toFhir' : 'toHl7'), 'nobody converts');
      case 'waitingForDecision':
        return void need(tasks.get(transfer.id)?.has('decide') ?? false, 'nobody is asked to decide');
      case 'filing':
        return void need(job('file'), 'nobody files');
      case 'fetching':
        return void need(job('fetch'), 'nobody fetches');
      case 'sendingCore':
        return void need(message('extract'), 'the core is not sent');
      case 'sendingParts': {
        const unsent = rows.filter(
          (row) => row.kind === 'message' && row.tellWhenSent && (row.interaction === 'index' || row.interaction === 'piece'),
        );
        need(transfer.unsent === unsent.length, `${transfer.unsent} parts are said to be unsent, ${unsent.length} are`);
        return void need(timer('answerLate'), 'nothing ends the waiting for an answer');
      }
      case 'waitingForContinue':
      case 'waitingForAnswer':
        return void need(timer('answerLate'), 'nothing ends the waiting for an answer');
      case 'ended':
        return;
    }
  }

  /** A final answer is what the outcome says, and there is none before there is an outcome. */
  function answered(node: WorldNode, transfer: Requesting, where: string): void {
    if (!('core' in transfer) || !transfer.core) return;
    const code = finals.get(`${node.name} ${transfer.core.messageId}`)?.code;
    if (transfer.state !== 'ended') {
      if (code !== undefined) violation(`${where}: answered ${code} before the end`);
      return;
    }
    const { outcome } = transfer;
    if (code === undefined) {
      if (outcome.kind === 'integrated' && transfer.peer?.contracts.acknowledgement) violation(`${where}: filed and not acknowledged`);
      return;
    }
    const said =
      outcome.kind === 'integrated' ? outcome.answer : 'code' in outcome ? outcome.code : outcome.kind === 'timedOut' ? '31' : code;
    if (said !== code && outcome.kind !== 'refusedBySender') violation(`${where}: the outcome is ${said}, the sender was told ${code}`);
    if (['AA', '15', '26'].includes(code) && filings.get(transfer.id) !== 'filed') violation(`${where}: acknowledged and not filed`);
  }

  /** A core that holds something back is answered with the continue. */
  function asked(transfer: Requesting, event: Event, where: string): void {
    if (event.kind !== 'arrived' || event.message.interaction !== 'extract' || !('core' in transfer) || transfer.state === 'ended') return;
    const { messageId, references } = event.message;
    if (transfer.core.messageId !== messageId || !references.some(({ at }) => at === 'message')) return;
    // Without an agreement for parts there is no way to ask.
    if (!transfer.peer.contracts.part) return;
    if (!continues.has(`${transfer.id} ${messageId}`)) violation(`${where}: the rest of the record is not asked for`);
  }

  // ---- where messages are

  function arrivedSafely({ store, name }: WorldNode, key: string, message: Received): void {
    const row = store.tables.inbox.get(key);
    if (!row) violation(`${name}: the message ${key} was acknowledged and is lost`);
    if (row.dead) return;
    if (!row.done) violation(`${name}: the message ${key} still waits`);
    const id = `arrived:${key}`;
    for (const history of store.tables.history.values()) if (history.some((entry) => entry.id === id)) return;
    violation(`${name}: the message ${key} (${message.interaction}) was taken and nothing knows of it`);
  }

  function queuedIds(): Set<MessageId> {
    const ids = new Set<MessageId>();
    for (const { store } of world.nodes) for (const row of store.tables.outbox.values()) if (row.kind === 'message') ids.add(row.messageId);
    return ids;
  }
}
