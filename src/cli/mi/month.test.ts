import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, REASONS } from './explain.ts';
import { countMonth, witness } from './month.ts';
import { ROWS } from './rows.ts';

test('one month, counted three ways: Spine’s log, the events, the nodes’ states; every difference is explained', () => {
  const { transfers, agreeing, counts, differences } = countMonth(1, 3000);
  assert.ok(transfers >= 3000);
  for (const who of ['log', 'events', 'node'] as const)
    assert.equal(
      counts.reduce((sum, row) => sum + row[who], 0),
      transfers,
      who,
    );
  assert.deepEqual(
    differences.filter(({ explanation }) => explanation === null),
    [],
  );
  assert.equal(agreeing + differences.reduce((sum, { count }) => sum + count, 0), transfers);
  // In a world where everything goes wrong nine of ten are told alike all the same.
  assert.ok(agreeing / transfers > 0.85, `${agreeing} of ${transfers}`);
  assert.deepEqual(
    counts.filter(({ log, events, node }) => Math.min(log, events, node) === 0).map(({ row }) => row),
    [],
    `each of ${ROWS.length} rows is met by each witness`,
  );
  const met = new Set(differences.map(({ explanation }) => explanation));
  assert.ok(met.size >= REASONS.length - 4, `${met.size} of ${REASONS.length} reasons were met`);
});

test('a count that one of the three has wrong is not explained away', () => {
  let wrong = 0;
  let unexplained = 0;
  for (let seed = 1; seed <= 4; seed++)
    for (const one of witness(seed, 50)) {
      const { log, events, node } = one.rows;
      if (log !== events || events !== node) continue;
      for (const who of ['log', 'events', 'node'] as const)
        for (const row of ROWS.filter((each) => each !== log)) {
          wrong++;
          if (explain({ ...one, rows: { ...one.rows, [who]: row } }) === null) unexplained++;
        }
    }
  assert.ok(wrong > 1000);
  // What a reason holds for in truth, such as a record that was sent again, it explains here too.
  assert.ok(unexplained / wrong > 0.75, `${unexplained} of ${wrong}`);
});

test('the same seed gives the same month', () => {
  assert.deepEqual(countMonth(7, 100), countMonth(7, 100));
});
