import { copyLine, copySession } from '../../database/copy.ts';
import type { SpineMessage } from '../classify/message.ts';

const COLUMNS = 'at, conversation, guid, interaction, sender, recipient, ref, error, from_system, to_system';
/** Lines that are sent together, and rows that are read together. */
const TOGETHER = 500;
const FETCHED = 5_000;

/**
 * The messages of a log by conversation, each in order of time, rows of the same time in the order of the files. A month has tens of
 * millions: the database sorts them, on disk where they are too many, and one conversation at a time is in memory. Nothing of it stays.
 */
export async function* byConversationSorted(url: string, messages: AsyncIterable<SpineMessage>): AsyncGenerator<readonly SpineMessage[]> {
  const session = await copySession(url);
  try {
    await session.run("set work_mem = '128MB'");
    await session.run(`create temp table spine_log (position bigint generated always as identity, at bigint, conversation text, guid text,
      interaction text, sender text, recipient text, ref text, error integer, from_system text, to_system text)`);
    await session.copy(`copy spine_log (${COLUMNS}) from stdin`, linesOf(messages));
    await session.run('begin');
    await session.run(
      `declare sorted no scroll cursor for select ${COLUMNS} from spine_log order by conversation collate "C", at, position`,
    );
    let group: SpineMessage[] = [];
    for (;;) {
      const rows = await session.rows<Row>(`fetch ${FETCHED} from sorted`);
      for (const row of rows) {
        const message = messageOf(row);
        if (group[0] && group[0].conversationId !== message.conversationId) {
          yield group;
          group = [];
        }
        group.push(message);
      }
      if (rows.length < FETCHED) break;
    }
    if (group.length > 0) yield group;
    await session.run('commit');
  } finally {
    await session.end();
  }
}

type Row = {
  // 64 bits, which the driver gives as text.
  readonly at: string;
  readonly conversation: string;
  readonly guid: string;
  readonly interaction: string;
  readonly sender: string;
  readonly recipient: string;
  readonly ref: string | null;
  readonly error: number | null;
  readonly from_system: string | null;
  readonly to_system: string | null;
};

function messageOf(row: Row): SpineMessage {
  const { at, conversation, sender, recipient, from_system: fromSystem, to_system: toSystem, ...rest } = row;
  return { ...rest, at: Number(at), conversationId: conversation, from: sender, to: recipient, fromSystem, toSystem };
}

async function* linesOf(messages: AsyncIterable<SpineMessage>): AsyncGenerator<string> {
  let text = '';
  let lines = 0;
  for await (const { at, conversationId, guid, interaction, from, to, ref, error, fromSystem, toSystem } of messages) {
    text += copyLine([at, conversationId, guid, interaction, from, to, ref, error, fromSystem, toSystem]);
    if (++lines % TOGETHER > 0) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
