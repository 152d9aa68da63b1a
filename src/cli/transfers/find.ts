import { Fault } from '../../base/errors.ts';
import { isUuid } from '../../base/ids.ts';
import { type FoundTransfer, findTransfers } from '../../store/reads/transfer-search.ts';
import type { Store } from '../../store/tables.ts';

/** The one transfer that an id, or a conversation id, names. */
export async function oneTransfer(db: Store, id: string): Promise<FoundTransfer> {
  if (!isUuid(id))
    throw new Fault('input.transfer', `${id.slice(0, 80)}: the id of a transfer or a conversation is wanted`, {
      remedy: 'gp2gp transfers list shows both.',
    });
  const [first, ...others] = await findTransfers(db, id.toUpperCase());
  if (!first)
    throw new Fault('input.transfer', `there is no transfer or conversation ${id.toUpperCase()} here`, {
      remedy: 'gp2gp transfers list shows those that are. After its retention time a transfer is only counted.',
    });
  if (others.length === 0) return first;
  const both = [first, ...others].map((one) => `  ${one.id}  ${one.role} at ${one.practice}`);
  throw new Fault('input.transfer', `the conversation ${id.toUpperCase()} has ${both.length} transfers here:\n${both.join('\n')}`, {
    remedy: 'Name one of them by its own id.',
  });
}
