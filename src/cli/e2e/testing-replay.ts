/** Every transfer that a world's nodes have, taken home and decided again: what a node did must follow from what it kept. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openObjects } from '../../objects/objects.ts';
import { openStore } from '../../store/open.ts';
import { searchTransfers } from '../../store/reads/transfer-search.ts';
import { SIDES } from '../demo/cast.ts';
import { decideAgain } from '../transfers/again.ts';
import { capture } from '../transfers/capture.ts';
import type { TestWorld } from './testing.ts';

/** Resolves with the number of decisions that were made again, all alike. */
export async function allDecidedAgain({ world, folder }: TestWorld): Promise<number> {
  let made = 0;
  for (const side of SIDES) {
    const db = openStore(world.databaseUrls[side], { connections: 1 });
    try {
      const objects = await openObjects(join(folder, side, 'objects'));
      for (const found of await searchTransfers(db, {}, 1000)) {
        const { begun, entries, state } = await capture(db, objects, found);
        const again = decideAgain(begun, entries);
        assert.deepEqual(again.differences, [], `${side} ${found.id}`);
        assert.equal(again.stopped, null, `${side} ${found.id}`);
        assert.equal(again.end.state, state);
        made += again.made;
      }
    } finally {
      await db.destroy();
    }
  }
  return made;
}
