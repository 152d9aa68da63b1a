import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransferId } from '../../base/ids.ts';
import { Crashed, makeStore } from './store.ts';

const id = 'T1' as TransferId;

test('a transaction that crashes leaves nothing behind, one whose answer is lost leaves everything', () => {
  const { tables, put, remove, onCommit, transaction } = makeStore();
  const told: string[] = [];
  const write = (task: string) => () => {
    remove(tables.tasks, id);
    put(tables.tasks, id, new Set([task]));
    onCommit(() => told.push(task));
  };
  transaction(write('first'), () => 'commit');
  assert.throws(() => transaction(write('second'), () => 'crash'), Crashed);
  assert.deepEqual([...(tables.tasks.get(id) ?? [])], ['first']);
  assert.throws(() => transaction(write('third'), () => 'lostAnswer'), Crashed);
  assert.deepEqual([...(tables.tasks.get(id) ?? [])], ['third']);
  assert.deepEqual(told, ['first', 'third']);
});

test('what a transaction throws undoes it', () => {
  const { tables, put, transaction } = makeStore();
  assert.throws(() =>
    transaction(
      () => {
        put(tables.tasks, id, new Set(['lost']));
        throw new Error('claim lost');
      },
      () => 'commit',
    ),
  );
  assert.equal(tables.tasks.size, 0);
});
