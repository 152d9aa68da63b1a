import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from './load-events.ts';
import { body } from './testing.ts';

const AT = '2026-02-03T10:00:00Z';
const DEGRADES = {
  reportingSystemSupplier: 'YGA',
  payload: { degrades: [{ type: 'PLAN', reason: 'CODE', coding: [{ code: '1', system: 'X' }] }] },
};

/** Rows and faults of a text of these lines. */
async function readLines(source: string, ...lines: readonly unknown[]) {
  const rows: Record<string, unknown>[] = [];
  const faults: string[] = [];
  const text = async function* () {
    yield lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  };
  const broken = ({ line, fault }: { readonly line: number; readonly fault: string }) => void faults.push(`${line}: ${fault}`);
  for await (const row of readEvents(text(), broken, { source, today: '2026-11-27' })) rows.push(row);
  return { rows, faults };
}

test('a line that is broken is told with its line and field, and costs no other', async () => {
  const line = (over: object) => ({ eventType: 'EHR_REQUESTS', body: body('ehr-requests', AT, { conversationId: 'C', ...over }) });
  const { rows, faults } = await readLines(
    'a',
    line({}),
    '{"eventType":',
    line({ registrationEventDateTime: 'yesterday' }),
    line({ conversationId: 'x'.repeat(501) }),
    line({ requestingPracticeOdsCode: '' }),
    line({ reportingSystemSupplier: 'a\0b' }),
    line({ registrationEventDateTime: '0000-01-01T00:00:00Z' }),
    line({ payload: {} }),
    { body: {} },
    '',
    line({ conversationId: 'D' }),
  );
  assert.deepEqual(
    rows.map(({ conversation }) => conversation),
    ['C', 'D'],
  );
  const expected = [
    /^2: the line is no JSON/,
    /^3: registrationEventDateTime: /,
    /^4: conversationId: must be at most 500 characters/,
    /^5: requestingPracticeOdsCode: /,
    /^6: reportingSystemSupplier: /,
    /^7: registrationEventDateTime: /,
    /^8: payload/,
    /^9: eventType is none of/,
  ];
  assert.equal(faults.length, expected.length, faults.join('\n'));
  for (const [at, pattern] of expected.entries()) assert.match(faults[at] ?? '', pattern);
});

test('degrades have the id and day beside them, or an id of their place in the file, the same each time', async () => {
  const plain = { eventType: 'DEGRADES', body: DEGRADES };
  const dated = { ...plain, eventId: '7c0e2b8a-51d4-4e7f-9b61-0a4d6c1e9f20', eventGeneratedDateTime: '2026-02-03T00:00:00' };
  const first = await readLines('a', plain, dated, plain);
  assert.deepEqual(first.faults, []);
  assert.deepEqual(
    first.rows.map(({ day }) => day),
    ['2026-11-27', '2026-02-03', '2026-11-27'],
  );
  const ids = first.rows.map(({ eventId }) => eventId);
  assert.equal(ids[1], '7c0e2b8a-51d4-4e7f-9b61-0a4d6c1e9f20');
  // Twice the same degrades in one file are two.
  assert.notEqual(ids[0], ids[2]);
  assert.deepEqual((await readLines('a', plain, dated, plain)).rows, first.rows);
  assert.notEqual((await readLines('b', plain)).rows[0]?.['eventId'], ids[0]);
});

test('degrades that say too much, or what is no day or id, are refused', async () => {
  const { rows, faults } = await readLines(
    'a',
    { eventType: 'DEGRADES', body: { ...DEGRADES, conversationId: 'C' } },
    { eventType: 'DEGRADES', body: DEGRADES, eventId: 'one' },
    { eventType: 'DEGRADES', body: DEGRADES, eventGeneratedDateTime: '2026-02-30' },
  );
  assert.deepEqual(rows, []);
  assert.match(faults[0] ?? '', /^1: conversationId/);
  assert.match(faults[1] ?? '', /^2: eventId: must be a UUID/);
  assert.match(faults[2] ?? '', /^3: eventGeneratedDateTime: must be a date/);
});
