import { Fault } from '../../base/errors.ts';
import { ods } from '../../base/ids.ts';
import { readPractices } from '../../store/practices.ts';
import type { Store } from '../../store/tables.ts';

/** Nothing of a practice may mean that it is none of this node's: a `Fault` `input.practice`, which names those that are. */
export async function demandPractice(db: Store, given: string): Promise<void> {
  const wanted = ods(given);
  const served = (await readPractices(db)).map((practice) => practice.ods);
  if (served.includes(wanted)) return;
  // One that is not served any more may have transfers still.
  const left = await db.selectFrom('transfers').select('id').where('practice', '=', wanted).limit(1).executeTakeFirst();
  if (left) return;
  const some = served.slice(0, SHOWN).join(', ');
  throw new Fault('input.practice', `${wanted.slice(0, 20)} is no practice of this node`, {
    remedy:
      served.length === 0 ? 'It serves none.' : `It serves ${some}${served.length > SHOWN ? ` and ${served.length - SHOWN} more` : ''}.`,
  });
}

const SHOWN = 10;
