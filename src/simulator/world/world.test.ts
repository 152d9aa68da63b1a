/** Two thousand conversations with everything that may go wrong, and the same with bugs put in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUGS } from './bugs.ts';
import { makeCoverage } from './coverage.ts';
import { CONVERSATIONS, runWorld } from './world.ts';

const LONG = process.env['GP2GP_LONG'] === '1';
const WORLDS = LONG ? 2000 : 40;
const SEED = 1;
/** A bug is looked for in so many worlds, one after the other. */
const PATIENCE = 60;

const total = makeCoverage();

test(`${WORLDS * CONVERSATIONS} conversations: no acknowledged message lost, no effect twice, every transfer ends, both sides agree`, () => {
  for (let seed = SEED; seed < SEED + WORLDS; seed++) {
    const { violation, coverage } = runWorld(seed);
    assert.equal(violation, null, `replay it: npm run world -- --seed ${seed} --conversations ${CONVERSATIONS} --trace`);
    total.join(coverage);
  }
});

test('every pair of state and event, every response code and every fault was met', () => {
  assert.deepEqual(total.missing(), []);
});

test('the same seed is the same world', () => {
  const [one, two] = [runWorld(7), runWorld(7)];
  assert.equal(one.steps, two.steps);
  assert.deepEqual([...one.coverage.pairs], [...two.coverage.pairs]);
  assert.notEqual(runWorld(8).steps, one.steps);
});

for (const [name, machine] of Object.entries(BUGS)) {
  test(`a world catches it where ${name}`, () => {
    for (let seed = SEED; seed < SEED + PATIENCE; seed++) if (runWorld(seed, { machine }).violation !== null) return;
    assert.fail(`${PATIENCE} worlds saw nothing`);
  });
}
