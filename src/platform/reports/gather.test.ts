import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syntheticEngland } from '../demo/england.ts';
import { transfersOf } from '../demo/transfers.ts';
import { gatherReport } from './gather.ts';
import { makeReport, REPORTS } from './reports.ts';

test('a report gathered transfer by transfer is the report made of all of them', () => {
  const transfers = [...transfersOf(syntheticEngland(7, 60), { year: 2026, month: 2 }, 7)];
  assert.ok(transfers.length > 1_000);
  for (const name of REPORTS) {
    const { head, take, rows } = gatherReport(name);
    const listed = transfers.flatMap((transfer) => {
      const row = take(transfer);
      return row ? [row] : [];
    });
    const whole = makeReport(name, transfers);
    assert.deepEqual(head, whole.head, name);
    assert.deepEqual([...listed, ...rows()], whole.rows, name);
    assert.ok(whole.rows.length > 3, name);
  }
});
