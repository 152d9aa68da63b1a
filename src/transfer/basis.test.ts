import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROW_BYTES, storedLength, wholeObject } from '../base/content.ts';
import { basisOf, eventAgain, factsAgain, remembering, withoutBytes } from './basis.ts';
import { decide } from './decide.ts';
import { measuredOf } from './measured.ts';
import { events, facts, requestingStates, sendingStates } from './testing.ts';
import type { Event } from './types.ts';

const part = { expected: true, seen: false, outstandingAfter: 1, messages: 4 };
const json = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
const never = (): string => assert.fail('an id that was not kept');
/** What the store has of an event beside its basis. */
const given = (event: Event) => ({
  message: event.kind === 'arrived' ? json(event.message) : null,
  documents:
    event.kind === 'done' && event.result.job === 'toHl7' && event.result.answer.converted ? json(event.result.answer.documents) : null,
});

test('from its basis every decision is made again, ids included', () => {
  let drawn = 0;
  for (const transfer of [...Object.values(requestingStates), ...Object.values(sendingStates)]) {
    for (const [name, event] of Object.entries(events)) {
      const first = remembering(facts({ part, refersTo: 'piece', newId: () => `ID-${drawn++}` }));
      const decision = decide(transfer, event, first.facts);
      const basis = json(basisOf(event, first.facts, first.drawn));
      const { id, at, by } = event;
      const same = eventAgain({ id, at, by }, basis, given(event));
      assert.ok(same);
      const again = decide(transfer, same, factsAgain(basis, never));
      assert.deepEqual(json(again.transfer), json(decision.transfer), `${transfer.state} × ${name}`);
      assert.equal(again.note, decision.note);
      assert.deepEqual(measuredOf(transfer, same, again), measuredOf(transfer, event, decision));
      assert.equal(again.effects.length, decision.effects.length);
    }
  }
  assert.ok(drawn > 20);
});

test('a basis has no bytes of a record and no list that grows with it', () => {
  const row = { in: 'row', data: new Uint8Array(ROW_BYTES) } as const;
  const written = events['written'];
  assert.ok(written?.kind === 'done' && written.result.job === 'toHl7' && written.result.answer.converted);
  const { answer } = written.result;
  const documents = Array.from({ length: 500 }, () => ({
    content: wholeObject({ sha256: 'a'.repeat(64), bytes: 9 }),
    compressed: false,
    skeleton: false,
  }));
  const event: Event = {
    ...written,
    result: { job: 'toHl7', answer: { ...answer, documents, hl7: { pieces: [row, row], stored: 'bytes', gzip: false } } },
  };
  const many = remembering(facts());
  for (let i = 0; i < 5_000; i++) many.facts.newId();
  const text = JSON.stringify(basisOf(event, many.facts, many.drawn));
  assert.ok(text.length < 6_000, `${text.length} characters`);
  const same = eventAgain(event, JSON.parse(text), { message: null, documents });
  assert.ok(same?.kind === 'done' && same.result.job === 'toHl7' && same.result.answer.converted);
  assert.equal(storedLength(same.result.answer.hl7), 2 * ROW_BYTES);
  assert.equal(same.result.answer.documents.length, 500);
});

test('what is gone is said, not made up', () => {
  const { facts: seen, drawn } = remembering(facts());
  for (const name of ['extract', 'written']) {
    const event = events[name];
    assert.ok(event);
    assert.equal(eventAgain(event, basisOf(event, seen, drawn), { message: null, documents: null }), null, name);
  }
});

test('a content without its bytes is as long as it was', () => {
  const content = { pieces: [{ in: 'row', data: new Uint8Array(7) }], stored: 'base64', gzip: true } as const;
  assert.equal(storedLength(withoutBytes(content)), 7);
  assert.deepEqual(withoutBytes(wholeObject({ sha256: 'b', bytes: 3 })), wholeObject({ sha256: 'b', bytes: 3 }));
});
