import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, makePlan, refusingPractices, TROUBLES } from './plan.ts';

const given = { transfers: 200, kills: 60, seed: 7, nodesPerSide: 2 };

test('the same seed gives the same plan, another seed another', () => {
  assert.deepEqual(makePlan(given), makePlan(given));
  assert.notDeepEqual(makePlan(given), makePlan({ ...given, seed: 8 }));
});

test('200 transfers hold every kind, cross from side to side in both directions, and move each patient once', () => {
  const { transfers } = makePlan(given);
  assert.deepEqual(new Set(transfers.map(({ kind }) => kind)), new Set(KINDS));
  assert.ok(transfers.every(({ from, to }) => from.side !== to.side));
  assert.deepEqual(new Set(transfers.map(({ to }) => to.side)), new Set(['north', 'south']));
  assert.equal(new Set(transfers.map(({ patient }) => patient)).size, 200);
  assert.equal(new Set(transfers.map(({ registrationId }) => registrationId)).size, 200);
});

test('only transfers that are to be refused go to a system that refuses', () => {
  const plan = makePlan(given);
  const refusing = new Set(refusingPractices(plan).map(({ ods }) => ods));
  for (const { kind, to } of plan.transfers) assert.equal(refusing.has(to.ods), kind === 'refused');
});

test('kills meet everything that runs, and are spread over the transfers in order', () => {
  const { kills } = makePlan(given);
  assert.deepEqual(
    new Set(kills.map(({ target }) => target)),
    new Set(['north-1', 'north-2', 'south-1', 'south-2', 'spine', 'north-system', 'south-system', 'database']),
  );
  const places = kills.map(({ afterEnded }) => afterEnded);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  for (let from = 0; from < 180; from += 30) assert.ok(places.some((place) => place >= from && place < from + 30));
});

test('a plan for nodes alone kills nothing else', () => {
  const { kills } = makePlan({ ...given, targets: 'nodes' });
  assert.ok(kills.every(({ target }) => /^(north|south)-[12]$/.test(target)));
});

test('every kind of trouble comes, at everything that it can meet, and a node stands still for longer than its leases last', () => {
  const { troubles } = makePlan({ ...given, troubles: 400 });
  assert.deepEqual(new Set(troubles.map(({ trouble }) => trouble)), new Set(TROUBLES));
  const of = (kind: string) => new Set(troubles.filter(({ trouble }) => trouble === kind).map(({ target }) => target));
  const programs = ['north-1', 'north-2', 'south-1', 'south-2', 'spine', 'north-system', 'south-system'];
  assert.deepEqual(of('stall'), new Set([...programs, 'database']));
  assert.deepEqual(new Set([...of('refuse'), ...of('hang'), ...of('cut')]), new Set(programs));
  assert.deepEqual(of('diskFull'), new Set(['north-objects', 'south-objects', 'database']));
  for (const { trouble, target, forMs } of troubles) if (trouble === 'stall' && /-\d$/.test(target)) assert.ok(forMs > 6_000);
});
