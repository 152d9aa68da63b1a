import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EARLIER_TYPES, earlierTransfers, readEarlierEvent } from './earlier-events.ts';

const event = (over: Readonly<Record<string, unknown>> = {}) => ({
  conversationId: 'C1',
  eventId: 'E1',
  eventType: 'EHR_REQUESTED',
  transferProtocol: 'GP2GP',
  transferEventDateTime: '2022-01-03T10:00:00Z',
  reportingSystemSupplier: 'X',
  reportingPracticeOdsCode: 'A1',
  payload: { registration: { requestingPracticeOdsCode: 'A1', sendingPracticeOdsCode: 'B2' } },
  ...over,
});
const read = (over: Readonly<Record<string, unknown>> = {}) => readEarlierEvent(JSON.stringify(event(over)));
const refused = (over: Readonly<Record<string, unknown>>) => {
  try {
    read(over);
  } catch (thrown) {
    return String((thrown as Error).message);
  }
  return 'it was taken';
};

test('an earlier event of each type is read, with the practices of its registration', () => {
  for (const eventType of EARLIER_TYPES) assert.equal(read({ eventType }).type, eventType);
  const { requesting, sending, at } = read();
  assert.deepEqual([requesting, sending, at], ['A1', 'B2', Date.parse('2022-01-03T10:00:00Z') * 1000]);
});

test('an earlier event without practices is read; one without another member is refused by its name', () => {
  for (const payload of [{}, null, undefined, { registration: null }, { registration: { sendingPracticeOdsCode: null } }]) {
    const { requesting, sending } = read({ payload });
    assert.deepEqual([requesting, sending], [null, null]);
  }
  for (const member of Object.keys(event()).filter((each) => each !== 'payload'))
    assert.match(refused({ [member]: undefined }), new RegExp(`^${member}: `));
  assert.match(refused({ eventType: 'EHR_LOST' }), /^eventType: /);
  assert.match(refused({ transferEventDateTime: 'yesterday' }), /^transferEventDateTime: no date and time/);
  assert.throws(() => readEarlierEvent('{'), /no JSON/);
});

test('a transfer was slow where its record was ready more than a day after the request; nothing is said where either is missing', () => {
  const slow = (...times: readonly (readonly [string, string])[]) =>
    earlierTransfers(times.map(([eventType, transferEventDateTime]) => read({ eventType, transferEventDateTime })))[0]?.slow;
  const asked = ['EHR_REQUESTED', '2022-01-03T10:00:00Z'] as const;
  assert.equal(slow(asked, ['EHR_VALIDATED', '2022-01-04T10:00:00Z']), false);
  assert.equal(slow(asked, ['EHR_VALIDATED', '2022-01-04T10:00:00.001Z']), true);
  assert.equal(slow(asked, ['EHR_READY_TO_INTEGRATE', '2022-01-05T10:00:00Z']), true);
  assert.equal(
    slow(['MIGRATE_STRUCTURED_RECORD_REQUEST', '2022-01-03T10:00:00Z'], ['EHR_READY_TO_INTEGRATE', '2022-01-03T11:00:00Z']),
    false,
  );
  assert.equal(slow(asked), null);
  assert.equal(slow(['EHR_VALIDATED', '2022-01-04T10:00:00Z']), null);
});

test('who asked is what the events say, not which of them came first', () => {
  const [transfer] = earlierTransfers([
    read({ eventType: 'EHR_SENT', transferEventDateTime: '2022-01-03T11:00:00Z', reportingPracticeOdsCode: 'B2' }),
    read({ transferEventDateTime: '2022-01-03T10:00:00Z', payload: undefined }),
  ]);
  assert.deepEqual([transfer?.requesting, transfer?.sending, transfer?.events], ['A1', 'B2', ['EHR_REQUESTED', 'EHR_SENT']]);
});
