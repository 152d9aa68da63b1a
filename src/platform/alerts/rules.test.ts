import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAbove, type Rate, rose, settled } from './rules.ts';

const of = (failed: number, transfers: number): Rate => ({ failed, transfers });

test('a day is told when its technical failures are strictly more than a whole number of percent', () => {
  assert.equal(isAbove(of(5, 100), 5), false);
  assert.equal(isAbove(of(51, 1000), 5), true);
  assert.equal(isAbove(of(6, 100), 5), true);
  assert.equal(isAbove(of(0, 100), 0), false);
  assert.equal(isAbove(of(1, 100), 0), true);
  // Of fewer than twenty transfers nothing is said.
  assert.equal(isAbove(of(19, 19), 5), false);
  assert.equal(isAbove(of(2, 20), 5), true);
  assert.equal(isAbove(of(0, 0), 5), false);
});

test('a pathway’s rate rose when it is two points above the four weeks before, and outside of chance', () => {
  const usual = of(30, 1000);
  // Two points, exactly and by one transfer more, of so many that chance is no reason.
  assert.equal(rose(of(500, 10_000), usual), false);
  assert.equal(rose(of(501, 10_000), usual), true);
  // Three standard errors of 3 % in a hundred transfers are 5.1 points.
  assert.equal(rose(of(8, 100), usual), false);
  assert.equal(rose(of(9, 100), usual), true);
  // A supplier that never failed.
  assert.equal(rose(of(2, 100), of(0, 1000)), false);
  assert.equal(rose(of(5, 100), of(0, 1000)), true);
});

test('few transfers, few failures and a short time before say nothing', () => {
  const usual = of(30, 1000);
  assert.equal(rose(of(19, 19), usual), false);
  assert.equal(rose(of(20, 20), usual), true);
  assert.equal(rose(of(4, 20), usual), false);
  assert.equal(rose(of(5, 20), usual), true);
  assert.equal(rose(of(20, 20), of(6, 199)), false);
  assert.equal(rose(of(20, 20), of(6, 200)), true);
});

test('it has come down within one point of before, not as soon as it would not be raised any more', () => {
  const usual = of(30, 1000);
  assert.equal(settled(of(45, 1000), usual), false);
  assert.equal(settled(of(41, 1000), usual), false);
  assert.equal(settled(of(40, 1000), usual), true);
  assert.equal(settled(of(19, 19), usual), true);
});
