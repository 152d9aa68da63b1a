import { stateInWords } from '../../console/words.ts';
import { readHistory } from '../../store/history.ts';
import { type QueueLine, readDetails, type TransferDetails } from '../../store/reads/transfer-details.ts';
import type { FoundTransfer } from '../../store/reads/transfer-search.ts';
import { readTransfer } from '../../store/transfers.ts';
import { CODES, responseCode } from '../../transfer/codes.ts';
import { atPlace, type PlaceOptions } from '../operator/place.ts';
import { columns, fromNow, jsonLine, masked, moment, plain, sized } from '../operator/words.ts';
import { oneTransfer } from './find.ts';
import { ATTENTION } from './list.ts';

export type ShowOptions = PlaceOptions & { readonly json?: boolean };
export type Shown = Omit<FoundTransfer, 'nhsNumber'> & {
  readonly nhsNumber: string;
  readonly version: number;
  readonly peer: { readonly ods: string; readonly asid: string; readonly partyKey: string } | null;
  /** Why it stands where it stands: the last step, and what a code means. */
  readonly why: string;
  readonly wakes: string;
  readonly counts: Readonly<Record<'partsHere' | 'partsWaiting' | 'messagesIn' | 'messagesOut' | 'bytesIn', number>>;
  readonly details: TransferDetails;
};

export async function showTransfer(id: string, options: ShowOptions): Promise<void> {
  const shown = await atPlace(options, async ({ db }): Promise<Shown> => {
    const found = await oneTransfer(db, id);
    const [transfer, history, details] = [
      await readTransfer(db, found.practice, found.id),
      await readHistory(db, found.practice, found.id),
      await readDetails(db, found.practice, found.id),
    ];
    const peer = transfer && 'peer' in transfer ? transfer.peer : null;
    const { parts, messages, sent } = details;
    return {
      ...found,
      nhsNumber: masked(found.nhsNumber),
      version: transfer?.version ?? 0,
      peer: peer && { ods: peer.ods, asid: peer.asid, partyKey: peer.partyKey },
      why: whyOf(found, history.findLast(({ from, to }) => from !== to)?.note ?? history.at(-1)?.note ?? 'nothing has happened yet'),
      wakes: wakesOf(found, details, new Date()),
      counts: {
        partsHere: parts.filter(({ state }) => state !== 'waiting').length,
        partsWaiting: parts.filter(({ state }) => state === 'waiting').length,
        messagesIn: messages.length,
        messagesOut: Object.values(sent).reduce((sum, count) => sum + count, 0),
        bytesIn: messages.reduce((sum, { bytes }) => sum + bytes, 0),
      },
      details,
    };
  });
  process.stdout.write(options.json ? jsonLine(shown) : plain(inWords(shown)));
}

function whyOf({ code }: FoundTransfer, note: string): string {
  const known = code === null ? null : responseCode(code);
  return known ? `${note} (${known}: ${CODES[known].cause})` : note;
}

/** What brings it on next, in words; the soonest first. */
export function wakesOf({ state, tasks, attention }: FoundTransfer, { queue }: TransferDetails, now: Date): string {
  const live = queue.filter((line) => line.deadAt === null && (line.kind === 'message' || line.kind === 'job' || line.kind === 'timer'));
  const words = live.map((line) => wakeOf(line, now));
  if (tasks.length > 0) words.push(`a person: ${tasks.join(', ')}`);
  if (words.length > 0) return words.join('; ');
  if (attention.includes('nothingWakes')) return 'nothing: see the dead letters, and replay what stands there';
  return state === 'ended' ? 'nothing: it has ended' : 'a message of the other practice';
}

function wakeOf({ kind, name, interaction, attempts, fault, dueAt, inHand }: QueueLine, now: Date): string {
  const what = kind === 'message' ? `the ${interaction} is sent` : kind === 'job' ? `the job ${name} runs` : `the timer ${name} rings`;
  const when = inHand ? 'now' : fromNow(dueAt, now);
  return `${what} ${when}${attempts > 0 ? ` (${attempts} times in vain${fault ? `: ${fault}` : ''})` : ''}`;
}

function inWords(shown: Shown): string {
  const { details } = shown;
  const facts: [string, string][] = [
    ['transfer', shown.id],
    ['conversation', shown.conversationId],
    ['practice', `${shown.practice}, ${shown.role}`],
    [
      'other practice',
      shown.peer
        ? `${shown.peer.ods}, ASID ${shown.peer.asid}, party key ${shown.peer.partyKey}`
        : (shown.otherPractice ?? 'not known yet'),
    ],
    ['NHS number', shown.nhsNumber],
    ['state', `${stateInWords(shown.state, shown.outcome).text} (${shown.outcome ?? shown.state})`],
    ['why', shown.why],
    ['next', shown.wakes],
    ['needs', shown.attention.map((each) => ATTENTION[each]).join('; ') || 'nothing from an operator'],
    ['began', moment(shown.startedAt)],
    ['ended', shown.endedAt ? moment(shown.endedAt) : 'still running'],
    ['messages', `${shown.counts.messagesIn} in (${sized(shown.counts.bytesIn)}), ${shown.counts.messagesOut} out`],
    ['parts', `${shown.counts.partsHere} here, ${shown.counts.partsWaiting} waited for`],
    ['content', details.contentErasedAt ? `erased ${moment(details.contentErasedAt)}` : 'kept'],
  ];
  const wide = Math.max(...facts.map(([name]) => name.length));
  const lists = [
    list(
      'Tasks',
      ['task', 'since', 'due', 'closed'],
      details.tasks.map((task) => [
        task.task,
        moment(task.raisedAt),
        task.dueAt ? moment(task.dueAt) : '',
        task.closedAt ? moment(task.closedAt) : 'open',
      ]),
    ),
    list(
      'Queue',
      ['', 'name', 'due', 'in vain', 'fault'],
      details.queue.map((line) => [
        line.kind,
        line.interaction ? `${line.interaction} ${line.name}` : line.name,
        line.deadAt ? `put aside ${moment(line.deadAt)}` : moment(line.dueAt),
        String(line.attempts),
        line.fault ?? '',
      ]),
    ),
    list(
      'Messages that came',
      ['message', 'action', 'at', 'size', '', 'fault'],
      details.messages.map((one) => [one.messageId, one.action, moment(one.receivedAt), sized(one.bytes), one.state, one.fault ?? '']),
    ),
    list(
      'Parts',
      ['part', 'kind', 'state', 'size', 'answer'],
      details.parts.map((part) => [
        part.key,
        part.index ? 'index' : (part.contentType ?? ''),
        part.state,
        part.bytes === null ? '' : sized(part.bytes),
        part.answer ?? '',
      ]),
    ),
  ];
  return `${facts.map(([name, value]) => `${name.padEnd(wide)}  ${value}\n`).join('')}${lists.join('')}`;
}

function list(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${columns(head, rows)}`;
}
