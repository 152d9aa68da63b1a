/** What is derived of a conversation, fact by fact, in each situation that a conversation can be in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECOND } from '../micros.ts';
import { assemble, type Conversation, type Note } from './conversation.ts';
import { ACKNOWLEDGEMENT, isCore, type SpineMessage } from './message.ts';
import { effectiveOf, isSuccess } from './outcome.ts';
import { BEGIN, classified, REQUESTER, SENDER, spine } from './testing.ts';

const { request, core, coreWithRedactions, next, fragment, senderAnswers, answers } = spine;
const after = (seconds: number) => ({ after: seconds * SECOND });

function conversation(...rows: readonly SpineMessage[]): Conversation {
  const found = assemble(rows, 14, () => undefined);
  assert.ok(found);
  return found;
}

type Facts = { readonly integrated: boolean; readonly failed: boolean; readonly coreAt: number | null; readonly answeredAt: number | null };
const SETS: Readonly<Record<string, readonly [Facts, ...(readonly SpineMessage[])[]]>> = {
  'in progress': [
    { integrated: false, failed: false, coreAt: null, answeredAt: null },
    [request()],
    [request(), senderAnswers()],
    [request(), senderAnswers(), core('core', after(60))],
    [request(), senderAnswers(6), core('core', after(60))],
    [request(), core('core', after(60)), next(after(61)), fragment('f', after(62)), answers('f', 30, after(63))],
    [request(), core('a', after(60)), core('b', after(61)), answers('a', 12, after(90))],
  ],
  failed: [
    { integrated: false, failed: true, coreAt: 60, answeredAt: 90 },
    [request(), core('core', after(60)), answers('core', 30, after(90))],
    [request(), core('core', after(60)), answers('core', 12, after(80)), answers('core', 31, after(90))],
    [request(), core('core', after(60)), answers('core', 17, after(90)), answers('core', 28, after(95))],
    [request(), core('a', after(50)), core('b', after(60)), answers('a', 12, after(70)), answers('b', 11, after(90))],
    [
      request(),
      core('core', after(60)),
      next(after(61)),
      fragment('f', after(62)),
      answers('f', null, after(63)),
      answers('core', 26, after(90)),
    ],
  ],
  integrated: [
    { integrated: true, failed: false, coreAt: 60, answeredAt: 90 },
    [request(), core('core', after(60)), answers('core', null, after(90))],
    [request(), coreWithRedactions('core', after(60)), answers('core', null, after(90))],
    [request(), core('core', after(60)), answers('core', 15, after(90))],
    [request(), core('core', after(60)), answers('core', 11, after(70)), answers('core', 12, after(80)), answers('core', 15, after(90))],
    [request(), core('a', after(50)), core('b', after(60)), answers('a', 11, after(70)), answers('b', null, after(90))],
    [request(), core('a', after(60)), core('b', after(65)), answers('b', 12, after(80)), answers('a', null, after(90))],
  ],
};
for (const [name, [expected, ...conversations]] of Object.entries(SETS))
  test(`whether a conversation is integrated or has failed, by which core and when: ${name}`, () => {
    for (const [at, rows] of conversations.entries()) {
      const effective = effectiveOf(conversation(...rows));
      const seconds = (message: SpineMessage | undefined) => (message ? (message.at - BEGIN) / SECOND : null);
      assert.deepEqual(
        {
          integrated: effective !== null && isSuccess(effective.acknowledgement),
          failed: effective !== null && !isSuccess(effective.acknowledgement),
          coreAt: seconds(effective?.core),
          answeredAt: seconds(effective?.acknowledgement),
        } satisfies Facts,
        expected,
        `conversation ${at + 1}`,
      );
    }
  });

const FINAL_CODES: Readonly<Record<string, readonly [readonly SpineMessage[], readonly (number | null)[]]>> = {
  'in progress': [[request(), senderAnswers(), core('c')], []],
  'codes of the sender and of fragments are none': [[request(), senderAnswers(99), core('c'), next(), fragment('f'), answers('f', 30)], []],
  'a duplicate, the other core waiting': [[request(), core('a'), core('b'), answers('b', 12)], [12]],
  'a success': [[request(), core('c'), answers('c')], [null]],
  'a suppression': [[request(), core('c'), answers('c', 15)], [15]],
  'a success and a duplicate': [
    [request(), core('a'), core('b'), answers('a'), answers('b', 12)],
    [null, 12],
  ],
  'a failure and a duplicate': [
    [request(), core('a'), core('b'), answers('a', 42), answers('b', 12)],
    [42, 12],
  ],
  'a failure and a success': [
    [request(), core('a'), core('b'), answers('a', 42), answers('b')],
    [42, null],
  ],
  'three failures, in order of cores and not of answers': [
    [request(), core('a'), core('b'), core('c'), answers('c', 3), answers('b', 2), answers('a', 1)],
    [1, 2, 3],
  ],
};
for (const [name, [rows, codes]] of Object.entries(FINAL_CODES))
  test(`final error codes: ${name}`, () => assert.deepEqual(classified(rows)[0]?.finalErrorCodes, codes));

const LARGE = [request(), senderAnswers(), core('c'), next()];
const INTERMEDIATE_CODES: Readonly<Record<string, readonly [readonly SpineMessage[], readonly number[]]>> = {
  'none, where no fragment came': [LARGE, []],
  'none, where all were taken': [[...LARGE, fragment('f'), fragment('g'), answers('f'), answers('g')], []],
  one: [[...LARGE, fragment('f'), answers('f', 30)], [30]],
  'one beside a fragment without an answer': [[...LARGE, fragment('f'), fragment('g'), answers('f', 29)], [29]],
  several: [
    [...LARGE, fragment('f'), fragment('g'), fragment('h'), answers('f', 29), answers('g'), answers('h', 31)],
    [29, 31],
  ],
  'codes of the sender and of cores are none': [
    [request(), senderAnswers(6), core('c'), next(), fragment('f'), answers('f'), answers('c', 17)],
    [],
  ],
};
for (const [name, [rows, codes]] of Object.entries(INTERMEDIATE_CODES))
  test(`intermediate error codes: ${name}`, () => assert.deepEqual(classified(rows)[0]?.intermediateErrorCodes, codes));

test('sender error codes: none, one, several, a positive answer among them', () => {
  const codes = (...rows: readonly SpineMessage[]) => classified([request(), ...rows])[0]?.senderErrorCodes;
  assert.deepEqual(codes(), []);
  assert.deepEqual(codes(senderAnswers()), [null]);
  assert.deepEqual(codes(senderAnswers(10)), [10]);
  assert.deepEqual(codes(senderAnswers(), senderAnswers(10), senderAnswers(24)), [null, 10, 24]);
});

test('a message is a core of either version, an answer to one, or common: told by its interaction and who sent it', () => {
  assert.deepEqual([core(), coreWithRedactions(), request(), answers('core'), next(), spine.other({})].map(isCore), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  const {
    cores,
    continues,
    fragments,
    request: asked,
  } = conversation(request(), senderAnswers(), core('c'), next({ guid: 'n' }), fragment('f'), answers('f'), answers('c'));
  const guids = (all: readonly { readonly message: SpineMessage }[]) => all.map(({ message }) => message.guid);
  assert.deepEqual([guids(cores), guids(continues), guids(fragments)], [['c'], ['n'], ['f']]);
  assert.deepEqual(
    [asked, ...cores, ...fragments].map(({ acknowledgements }) => acknowledgements.map(({ interaction }) => interaction)),
    [[ACKNOWLEDGEMENT], [ACKNOWLEDGEMENT], [ACKNOWLEDGEMENT]],
  );
});

test('an unacknowledged core beside a duplicate is ambiguous with common messages alone, and not where every core has an answer', () => {
  const reason = (...rows: readonly SpineMessage[]) => classified([request(), senderAnswers(), ...rows])[0]?.failureReason;
  const common = [next(), fragment('f'), answers('f')];
  assert.equal(reason(core('a'), core('b'), ...common, answers('b', 12)), 'Ambiguous COPC messages');
  // A continue alone is common enough.
  assert.equal(reason(core('a'), core('b'), next(), answers('b', 12)), 'Ambiguous COPC messages');
  assert.equal(reason(core('a'), core('b'), answers('b', 12)), 'Transferred, not integrated');
  assert.equal(reason(core('a'), core('b'), ...common, answers('a', 12), answers('b', 12)), 'Transferred, not integrated');
  assert.equal(reason(core('a'), core('b'), ...common), 'Transferred, not integrated');
  assert.equal(reason(core('a'), ...common, answers('a', 12)), 'Transferred, not integrated');
});

test('an unknown practice is noted, whether it asked or sent', () => {
  const noted = (known: string) => {
    const notes: Note[] = [];
    classified([request()], {
      note: (note) => notes.push(note),
      organisationOf: (asid) => (asid === known ? { ods: 'A', name: null, sicblOds: null, sicblName: null } : null),
    });
    return notes.map(({ code, detail }) => `${code} ${detail}`);
  };
  assert.deepEqual(noted(SENDER), [`UNKNOWN_ODS_CODE_FOR_CONVERSATION ${REQUESTER}`]);
  assert.deepEqual(noted(REQUESTER), [`UNKNOWN_ODS_CODE_FOR_CONVERSATION ${SENDER}`]);
});

test('an answer that comes before its message, or whose id differs in case, answers nothing', () => {
  const reason = (...rows: readonly SpineMessage[]) => classified([request(), senderAnswers(), ...rows])[0]?.failureReason;
  assert.equal(reason(answers('late', null, after(50)), core('late', after(60))), 'Transferred, not integrated');
  assert.equal(reason(core('abc'), answers('ABC')), 'Transferred, not integrated');
});

test('of messages of the same time the first in the log is the first', () => {
  const reason = (...rows: readonly SpineMessage[]) => classified(rows)[0]?.failureReason ?? null;
  const at = { after: 0 };
  assert.equal(reason(request(at), core('c', at), answers('c', null, at)), null);
  assert.equal(reason(request(at), answers('c', null, at), core('c', at)), 'Request not acknowledged');
  assert.deepEqual(classified([core('c', at), request(at)]), []);
});
