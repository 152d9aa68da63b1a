import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ACKNOWLEDGEMENT, REQUEST, type SpineMessage } from '../classify/message.ts';
import { classify, classifyConversation } from '../classify/transfer.ts';
import { type TestPlatform, testPlatform } from '../testing.ts';
import { byConversationSorted } from './spine-log.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());

async function* messages(rows: readonly SpineMessage[]) {
  yield* rows;
}

/** Messages of many conversations in no order, several of the same moment. */
function log(conversations: number): SpineMessage[] {
  const core = REQUEST.replace('RCMR_IN010000UK05', 'RCMR_IN030000UK06');
  const rows: SpineMessage[] = [];
  for (let step = 0; step < 5; step++)
    for (let n = 0; n < conversations; n++) {
      const c = (n * 7919) % conversations;
      const [interaction, from, to, ref] = (
        [
          [REQUEST, '1', '2', null],
          [ACKNOWLEDGEMENT, '2', '1', `${c}a`],
          [core, '2', '1', null],
          [ACKNOWLEDGEMENT, '1', '2', `${c}c`],
          [ACKNOWLEDGEMENT, '1', '2', `${c}c`],
        ] as const
      )[step] ?? [REQUEST, '1', '2', null];
      rows.push({
        // The answers to a core come in the same microsecond: their order is that of the file.
        at: 1_770_000_000_000_000 + c * 10 + Math.min(step, 3),
        conversationId: c % 2 === 0 ? `Conversation\t${c}` : `conversation\t${c}`,
        guid: `${c}${'abcde'[step]}`,
        interaction,
        from,
        to,
        ref,
        error: step === 4 && c % 3 === 0 ? 12 : step === 3 && c % 5 === 0 ? 28 : null,
        fromSystem: c % 4 === 0 ? null : '',
        toSystem: 'EMIS',
      });
    }
  return rows
    .map((row, at) => ({ row, key: (at * 31) % rows.length }))
    .sort((a, b) => a.key - b.key)
    .map(({ row }) => row);
}

test('a log that the database sorted gives the transfers that it gives in memory', async () => {
  const rows = log(4_001);
  const options = {
    start: Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
    cutoffDays: 14,
    organisationOf: () => null,
    note: () => undefined,
  };
  const byId = (a: { readonly conversationId: string }, b: { readonly conversationId: string }) =>
    a.conversationId < b.conversationId ? -1 : 1;
  const expected = classify(rows, options).sort(byId);
  const sorted = [];
  for await (const group of byConversationSorted(platform.url, messages(rows))) sorted.push(classifyConversation(group, options));
  assert.equal(sorted.length, 4_001);
  assert.deepEqual(sorted.filter((each) => each !== null).sort(byId), expected);
});

test('a log without a message has no conversation; one that breaks off says why', async () => {
  for await (const group of byConversationSorted(platform.url, messages([]))) assert.fail(`${group.length} messages`);
  const broken = async function* (): AsyncGenerator<SpineMessage> {
    yield* log(3);
    throw new Error('the file is cut off');
  };
  await assert.rejects(async () => {
    for await (const group of byConversationSorted(platform.url, broken())) assert.fail(`${group.length} messages`);
  }, /the file is cut off/);
});
