import { Fault } from '../../base/errors.ts';
import { ods } from '../../base/ids.ts';
import { transaction } from '../../database/connect.ts';
import { audit } from '../../store/audit.ts';
import { dropArrival, reviveArrival } from '../../store/inbox.ts';
import { dropWork, revive } from '../../store/outbox.ts';
import { type DeadLetter, readDeadLetterBody, searchDeadLetters } from '../../store/reads/dead-letters.ts';
import type { Store } from '../../store/tables.ts';
import { atPlace, OPERATOR, type PlaceOptions } from './place.ts';
import { demandPractice } from './practice.ts';
import { columns, jsonLine, moment, plain } from './words.ts';

export type ListOptions = PlaceOptions & {
  readonly practice?: string;
  readonly queue?: DeadLetter['queue'];
  readonly parked?: boolean;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
};
export type DealOptions = PlaceOptions & { readonly reason: string; readonly json?: boolean };

export async function listLetters(options: ListOptions): Promise<void> {
  const { practice, queue, parked, limit, after: last } = options;
  const found = await atPlace(options, async ({ db }) => {
    const after = last === undefined ? undefined : await oneLetter(db, last, parked);
    const search = { ...(practice !== undefined && { practice: ods(practice) }), ...(queue && { queue }), ...(parked && { parked }) };
    // One more than is shown tells whether there is a next page.
    const letters = await searchDeadLetters(db, { ...search, ...(after && { after }) }, limit + 1);
    if (letters.length === 0 && practice !== undefined) await demandPractice(db, practice);
    return letters;
  });
  const page = found.slice(0, limit).map((letter) => ({ letter: nameOf(letter), ...letter }));
  const next = found.length > page.length ? (page.at(-1)?.letter ?? null) : null;
  if (options.json) process.stdout.write(jsonLine({ letters: page, next }));
  else if (page.length === 0) process.stdout.write(parked ? 'No message waits.\n' : 'Nothing was put aside.\n');
  else {
    const rows = page.map((one) => [
      one.letter,
      one.practice,
      moment(one.deadAt ?? one.since),
      wordsFor(one),
      one.transfer ?? '',
      one.fault,
    ]);
    const head = ['letter', 'practice', parked ? 'came (UTC)' : 'put aside (UTC)', 'what', 'transfer', 'why'];
    process.stdout.write(`${columns(head, rows)}${next === null ? '' : `More: --after ${next}\n`}`);
  }
}

export async function showLetter(name: string, options: PlaceOptions & { readonly json?: boolean }): Promise<void> {
  const { letter, body } = await atPlace(options, async ({ db }) => {
    const one = (await lookUp(db, name, false)) ?? (await oneLetter(db, name, true));
    return { letter: one, body: await readDeadLetterBody(db, one) };
  });
  const shape = shapeOf(letter, body);
  if (options.json) {
    process.stdout.write(jsonLine({ letter: name, ...letter, shape }));
    return;
  }
  const facts: [string, string][] = [
    ['letter', nameOf(letter)],
    ['what', wordsFor(letter)],
    ['practice', letter.practice],
    ['name', letter.name],
    ...(letter.from === null
      ? []
      : ([
          ['from', letter.from],
          ['conversation', letter.conversationId ?? ''],
        ] as [string, string][])),
    ['transfer', letter.transfer ?? 'none'],
    [letter.queue === 'inbox' ? 'came' : 'queued', moment(letter.since)],
    ['put aside', letter.deadAt ? moment(letter.deadAt) : 'not yet: it waits, and is tried again'],
    ['tried', `${letter.attempts} times`],
    ['why', letter.fault],
    ...Object.entries(shape).map(([key, value]): [string, string] => [key, String(value)]),
  ];
  const wide = Math.max(...facts.map(([key]) => key.length));
  process.stdout.write(plain(facts.map(([key, value]) => `${key.padEnd(wide)}  ${value}\n`).join('')));
}

/** Replays or drops each of them, in a transaction of its own with its entry in the audit; the first that cannot be ends it. */
export async function dealWith(how: 'replay' | 'drop', names: readonly string[], options: DealOptions): Promise<void> {
  const done: string[] = [];
  try {
    await atPlace(options, async ({ db, user }) => {
      for (const name of names) {
        const letter = await oneLetter(db, name, false);
        await transaction(db, async (store) => {
          if (how === 'replay') await demandAwaited(store, letter);
          if (!(await DEAL[how][letter.queue](store, letter)))
            throw new Fault('deadLetter.gone', `${name}: somebody else has dealt with it meanwhile`);
          const { practice, transfer, what, name: of, fault } = letter;
          const detail = { letter: name, what, name: of, fault, reason: options.reason };
          const action = how === 'replay' ? 'deadLetterReplayed' : 'deadLetterDropped';
          await audit(store, { practice, transfer, actor: `${user} (${OPERATOR})`, action, detail });
        });
        done.push(name);
      }
    });
  } finally {
    const words = how === 'replay' ? 'replayed' : 'dropped';
    if (options.json) process.stdout.write(jsonLine({ [words]: done }));
    else for (const name of done) process.stdout.write(`${name}: ${words}\n`);
  }
}

/** What carries the record, or asks for it to be carried on. */
const WANTS_ITS_TRANSFER = ['extract', 'index', 'piece', 'continue'];

/**
 * A part of a record whose transfer has ended would bring the other practice to wait for parts that nobody sends any more. An
 * acknowledgement is owed all the same, and who asks again begins anew.
 */
async function demandAwaited(store: Store, letter: DeadLetter): Promise<void> {
  if (letter.queue === 'inbox' || letter.transfer === null) return;
  const { interaction } = ((await readDeadLetterBody(store, letter)) ?? {}) as { readonly interaction?: string };
  if (interaction === undefined || !WANTS_ITS_TRANSFER.includes(interaction)) return;
  const transfer = await store
    .selectFrom('transfers')
    .select(['role', 'state'])
    .where('practice', '=', letter.practice)
    .where('id', '=', letter.transfer)
    // It may not end while the message goes back into the queue.
    .forShare()
    .executeTakeFirst();
  if (transfer?.state !== 'ended') return;
  const sendAgain = `gp2gp transfers resend ${letter.transfer} sends the record again under new ids, if it was not taken. `;
  throw new Fault('deadLetter.ended', `${nameOf(letter)}: the transfer of this ${interaction} has ended, and does not go on with it`, {
    remedy: `${transfer.role === 'sending' ? sendAgain : ''}gp2gp dead-letters drop gives it up.`,
  });
}

type Deal = (store: Store, letter: DeadLetter) => Promise<boolean>;
const DEAL: Readonly<Record<'replay' | 'drop', Readonly<Record<DeadLetter['queue'], Deal>>>> = {
  replay: {
    inbox: (store, { practice, id }) => reviveArrival(store, practice, id),
    outbox: async (store, { practice, id }) => (await revive(store, practice, id)) !== null,
  },
  drop: {
    inbox: (store, { practice, id }) => dropArrival(store, practice, id),
    outbox: (store, { practice, id }) => dropWork(store, practice, id),
  },
};

export async function oneLetter(db: Store, name: string, parked = false): Promise<DeadLetter> {
  const letter = await lookUp(db, name, parked);
  if (letter) return letter;
  throw new Fault('input.deadLetter', `there is no dead letter ${name}`, {
    remedy: 'gp2gp dead-letters list shows those that are. One that was replayed or dropped is none any more.',
  });
}

async function lookUp(db: Store, name: string, parked: boolean): Promise<DeadLetter | null> {
  const found = /^(in|out)-(\d{1,15})$/.exec(name);
  if (!found)
    throw new Fault('input.deadLetter', `${name.slice(0, 80)}: in-… or out-… is wanted`, {
      remedy: 'gp2gp dead-letters list shows them.',
    });
  const queue = found[1] === 'in' ? 'inbox' : 'outbox';
  const [letter] = await searchDeadLetters(db, { queue, id: Number(found[2]), parked }, 1);
  return letter ?? null;
}

function nameOf({ queue, id }: DeadLetter): string {
  return `${queue === 'inbox' ? 'in' : 'out'}-${id}`;
}

function wordsFor({ queue, what, name }: DeadLetter): string {
  return queue === 'inbox' ? `message ${what}` : `${what} ${name}`;
}

/** What it is, without a word of what stands in it. */
function shapeOf({ queue }: DeadLetter, body: unknown): Readonly<Record<string, string | number>> {
  if (typeof body !== 'object' || body === null) return {};
  if (queue === 'inbox') {
    if ('kept' in body) return { interaction: 'too large for a row: kept as an object' };
    const message = ('message' in body ? body.message : {}) as {
      interaction?: string;
      references?: unknown[];
      parts?: unknown[];
      fault?: string;
    };
    return {
      ...(message.interaction !== undefined && { interaction: message.interaction }),
      ...(message.references && { attachments: message.references.length }),
      ...(message.parts && { parts: message.parts.length }),
      ...(message.interaction === 'unreadable' && message.fault !== undefined && { fault: message.fault }),
      ...('refused' in body && { refused: String((body.refused as { code?: string }).code) }),
    };
  }
  const { interaction, packed } = body as { interaction?: string; packed?: { contentLength?: number } };
  return {
    ...(interaction !== undefined && { interaction }),
    ...(packed?.contentLength !== undefined && { bytes: packed.contentLength }),
  };
}
