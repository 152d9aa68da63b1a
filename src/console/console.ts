import type { FastifyInstance } from 'fastify';
import { type Instant, instant, type Ods, ods, type TransferId, transferId } from '../base/ids.ts';
import { fileBy, toldBefore, type WaitingDay, waitingDay } from '../practice/waiting.ts';
import type { HistoryEntry } from '../store/history.ts';
import type { DeadLetter } from '../store/reads/dead-letters.ts';
import type { TransferLine } from '../store/reads/transfers.ts';
import type { OpenTask } from '../store/tasks.ts';
import { serveAssets } from '../web/assets.ts';
import { html } from '../web/html.ts';
import { sendPage, summaryList, type TagColour, table, tag } from '../web/pages.ts';
import { stateInWords } from './words.ts';

/** What the pages read. Every read names the practice. */
export type ConsoleReads = {
  practices(): Promise<readonly { readonly ods: Ods }[]>;
  transfers(practice: Ods, limit: number): Promise<readonly TransferLine[]>;
  /** Records asked for by registrations that began before, and not filed yet; the oldest first. */
  unfiled(practice: Ods, startedBefore: Instant, limit: number): Promise<readonly TransferLine[]>;
  transfer(
    practice: Ods,
    id: TransferId,
  ): Promise<{ readonly line: TransferLine; readonly history: readonly HistoryEntry[]; readonly tasks: readonly OpenTask[] } | null>;
  deadLetters(practice: Ods, limit: number): Promise<readonly DeadLetter[]>;
};

const SERVICE = { text: 'Record transfers', href: '/' } as const;
const LIMIT = 50;

/** The console's pages: `/` lists what waits too long and the latest transfers of each practice of this node, `/practices/{ods}/transfers/{id}` is one's timeline. */
export async function consolePages(server: FastifyInstance, reads: ConsoleReads, now: () => Date = () => new Date()): Promise<void> {
  await serveAssets(server);

  server.get('/', async (_request, reply) => {
    const practices = await reads.practices();
    const at = instant(now());
    const lists = await Promise.all(
      practices.map(async ({ ods: practice }) => ({
        practice,
        lines: await reads.transfers(practice, LIMIT),
        unfiled: await reads.unfiled(practice, toldBefore(at), LIMIT),
        letters: await reads.deadLetters(practice, LIMIT),
      })),
    );
    const running = lists.some(({ lines }) => lines.some((line) => line.endedAt === null));
    return sendPage(reply, {
      title: 'Transfers',
      service: SERVICE,
      ...(running && { refreshSeconds: 3 }),
      body: html`${lists.map(
        ({ practice, lines, unfiled, letters }) =>
          html`${unfiled.length > 0 && unfiledOf(practice, unfiled, at)}${
            lines.length === 0
              ? html`<h2 class="nhsuk-heading-m">Practice ${practice}</h2><p>No transfer yet.</p>`
              : listOf(practice, lines)
          }${letters.length > 0 && asideOf(practice, letters)}`,
      )}`,
    });
  });

  server.get('/practices/:ods/transfers/:id', async (request, reply) => {
    const { ods: code = '', id = '' } = request.params as { ods?: string; id?: string };
    const practice = ods(code);
    const found = await reads.transfer(practice, transferId(id));
    if (!found) {
      const body = html`<p>Practice ${practice} has no transfer ${id} here. It may have been removed after its retention time.</p>`;
      return sendPage(reply, { title: 'No such transfer', service: SERVICE, back: { text: 'All transfers', href: '/' }, body }, 404);
    }
    const { line, history, tasks } = found;
    const words = stateInWords(line.state, line.outcome);
    return sendPage(reply, {
      title: line.role === 'requesting' ? 'Record coming in' : 'Record going out',
      service: SERVICE,
      back: { text: 'All transfers', href: '/' },
      ...(line.endedAt === null && { refreshSeconds: 2 }),
      body: html`${summaryList([
        { key: 'State', value: tag(words.text, words.colour) },
        { key: 'NHS number', value: spaced(line.nhsNumber) },
        { key: 'This practice', value: practice },
        { key: line.role === 'requesting' ? 'Previous practice' : 'New practice', value: line.otherPractice ?? 'not known yet' },
        { key: 'Began', value: moment(line.startedAt) },
        ...(line.role === 'requesting' && line.endedAt === null ? [{ key: 'To be filed by', value: moment(fileBy(line.startedAt)) }] : []),
        { key: 'Ended', value: line.endedAt ? moment(line.endedAt) : 'still running' },
        { key: 'Conversation', value: line.conversationId },
      ])}
${
  tasks.length > 0 &&
  table({
    caption: 'What somebody has to do',
    head: ['Task', 'Since', 'Due'],
    rows: tasks.map((task) => [taskInWords(task.task), moment(task.raisedAt), task.dueAt ? moment(task.dueAt) : 'no date']),
  })
}
${table({
  caption: 'Timeline',
  head: ['Time', 'What happened', 'Then'],
  rows: history.map((entry) => [timeOf(entry.at), entry.note, entry.from === entry.to ? '' : stateInWords(entry.to, null).text]),
})}`,
    });
  });
}

function listOf(practice: Ods, lines: readonly TransferLine[]) {
  return table({
    caption: `Practice ${practice}`,
    head: ['Patient', 'Direction', 'Other practice', 'Began', 'State'],
    rowHeaders: true,
    rows: lines.map((line) => {
      const words = stateInWords(line.state, line.outcome);
      return [
        { text: spaced(line.nhsNumber), href: `/practices/${practice}/transfers/${line.id}` },
        line.role === 'requesting' ? 'in' : 'out',
        line.otherPractice ?? '',
        moment(line.startedAt),
        tag(words.text, words.colour),
      ];
    }),
  });
}

const DAYS: Readonly<Record<WaitingDay, { readonly text: string; readonly colour: TagColour }>> = {
  3: { text: '3 days: file it', colour: 'yellow' },
  6: { text: '6 days: file it before the 8th', colour: 'orange' },
  8: { text: '8 days: late, paper is on its way', colour: 'red' },
};
/** There is something to file. */
const HERE: readonly TransferLine['state'][] = ['waitingForDecision', 'filing'];

/** The eighth day must not come as a surprise: the previous practice prints the record then. */
function unfiledOf(practice: Ods, lines: readonly TransferLine[], now: Instant) {
  return table({
    caption: `Practice ${practice}: records not filed for three days or more`,
    head: ['Patient', 'Waiting', 'To be filed by', 'Previous practice', 'State'],
    rowHeaders: true,
    rows: lines.map((line) => {
      const days = waitingDay(line.startedAt, now) ?? 3;
      const { text, colour } = DAYS[days];
      const words = stateInWords(line.state, line.outcome);
      return [
        { text: spaced(line.nhsNumber), href: `/practices/${practice}/transfers/${line.id}` },
        tag(HERE.includes(line.state) ? text : `${days} days: not here yet`, colour),
        moment(fileBy(line.startedAt)),
        line.otherPractice ?? '',
        tag(words.text, words.colour),
      ];
    }),
  });
}

/** Nobody at the desk can mend these: they see that the operator has something to do, and with which transfer. */
function asideOf(practice: Ods, letters: readonly DeadLetter[]) {
  return table({
    caption: `Practice ${practice}: put aside for the operator`,
    head: ['What', 'Since', 'Why'],
    rows: letters.map((letter) => {
      const text = letter.queue === 'inbox' ? `Message that came: ${letter.what}` : `${letter.what} ${letter.name}`;
      return [
        letter.transfer === null ? text : { text, href: `/practices/${practice}/transfers/${letter.transfer}` },
        moment(letter.deadAt ?? letter.since),
        letter.fault,
      ];
    }),
  });
}

const TASKS: Readonly<Record<string, string>> = {
  decide: 'Decide whether to file the record',
  decideSoon: 'Decide soon: the eighth day comes near',
  refusedBySender: 'The previous practice refused: see why, and ask again or expect paper',
  refusedByRequester: 'The new practice did not take the record: see why',
  timedOut: 'Nothing came in time: ask again or expect paper',
  unusable: 'The record could not be used: tell the previous practice',
  undelivered: 'Spine did not deliver a message: look into it',
  unanswered: 'No answer in eight days: print the record',
  answerNotSent: 'An acknowledgement could not be sent: look into it',
  unexpectedExtract: 'A record came that nobody asked for',
  unreadableMessage: 'A message could not be read: look into it',
  checkFailed: 'The check with the national services failed: try again',
  notSent: 'The record was not sent: see why',
  notAnswered: 'The request could not be answered',
  foreignMessage: 'A message came in another practice’s name: look into it',
  contradiction: 'The new practice answered twice, and not alike: ask them',
  recordMayBeLost:
    'A backup was restored: the record, or parts of it, may have come before and be lost. Ask for it again if it does not come',
  answerMayBeLost: 'A backup was restored: what the new practice said may be lost. Ask them whether they have the record',
  printRecord: 'The record did not arrive as one: print what the list names, unless it is sent again',
};

function taskInWords(task: string): string {
  return TASKS[task] ?? task;
}

/** `943 476 5919`, as people read it aloud. */
function spaced(nhsNumber: string): string {
  return `${nhsNumber.slice(0, 3)} ${nhsNumber.slice(3, 6)} ${nhsNumber.slice(6)}`;
}

const MOMENT = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', dateStyle: 'medium', timeStyle: 'medium' });
const TIME = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

function moment(at: Instant): string {
  return MOMENT.format(new Date(at));
}

function timeOf(at: Instant): string {
  return TIME.format(new Date(at));
}
