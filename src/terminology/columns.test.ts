import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { find, finder, orderOf } from './columns.ts';

const key = fc.tuple(fc.nat(3), fc.nat(2 ** 30));

test('every identifier of a table is found where it stands, and no other, with and without a register', () => {
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 400, selector: String }), fc.array(key, { maxLength: 50 }), (keys, others) => {
      keys.sort(([a, b], [c, d]) => a - c || b - d);
      const pairs = Uint32Array.from(keys.flat());
      const fast = finder(pairs);
      for (const [at, [high, low]] of keys.entries()) assert.deepEqual([find(pairs, high, low), fast(high, low)], [at, at]);
      for (const [high, low] of others) {
        const at = keys.findIndex(([a, b]) => a === high && b === low);
        assert.deepEqual([find(pairs, high, low), fast(high, low)], [at, at]);
      }
    }),
  );
});

test('rows are put in the order of their keys, equal ones in the order in which they came', () => {
  const column = fc.array(fc.tuple(fc.nat(2), fc.oneof(fc.nat(2), fc.constant(2 ** 32 - 1), fc.nat(2 ** 31))), { maxLength: 60 });
  fc.assert(
    fc.property(column, (rows) => {
      const order = orderOf(
        Uint32Array.from(rows, ([first]) => first),
        Uint32Array.from(rows, ([, second]) => second),
      );
      const expected = rows.map((row, at) => ({ row, at })).sort((a, b) => a.row[0] - b.row[0] || a.row[1] - b.row[1] || a.at - b.at);
      assert.deepEqual(
        [...order],
        expected.map(({ at }) => at),
      );
    }),
  );
});
