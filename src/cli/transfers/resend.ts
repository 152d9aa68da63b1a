import { randomUUID } from 'node:crypto';
import { Fault } from '../../base/errors.ts';
import { instant } from '../../base/ids.ts';
import { createPost } from '../../service/post.ts';
import { createPractices } from '../../service/practices.ts';
import { packForAdaptor } from '../../spine/adaptor/pack.ts';
import { readHistory } from '../../store/history.ts';
import { atPlace, OPERATOR, type Place, type PlaceOptions } from '../operator/place.ts';
import { jsonLine } from '../operator/words.ts';
import { oneTransfer } from './find.ts';

export type ResendOptions = PlaceOptions & { readonly reason: string; readonly json?: boolean };

/** Sends a record again, by the same door and the same decision as everything else; a node that runs takes it from there. */
export async function resendTransfer(id: string, options: ResendOptions): Promise<void> {
  const { sent, said, transfer } = await atPlace(options, (place) => resend(place, id, options.reason));
  if (options.json) process.stdout.write(jsonLine({ transfer, sent, said }));
  if (!sent) throw new Fault('resend.refused', `not sent again: ${said}`, { remedy: 'gp2gp transfers show says where it stands.' });
  if (!options.json) process.stdout.write(`${said}: a node checks whether they may have it, and takes the record as it is today.\n`);
}

async function resend(place: Place, id: string, reason: string) {
  const { db, user } = place;
  const found = await oneTransfer(db, id);
  const practices = createPractices(db);
  if (!(await practices.byOds(found.practice)))
    throw new Fault('input.practice', `the practice ${found.practice} is not served by this node any more`);
  const post = createPost({
    db,
    objects: NOTHING_TO_STORE,
    practice: practices.byOds,
    now: () => new Date(),
    newId: randomUUID,
    owner: `${user} ${process.pid}`,
    committed: () => undefined,
    ...(place.behindAdaptor && { packer: packForAdaptor }),
  });
  const { transfer, outcome } = await post({
    practice: found.practice,
    transfer: found.id,
    event: {
      id: `decided:${randomUUID()}`,
      at: instant(new Date()),
      by: { kind: 'person', user, role: OPERATOR },
      kind: 'decided',
      decision: 'resend',
      reason,
    },
  });
  const entry = (await readHistory(db, found.practice, found.id)).find(({ number }) => number === transfer?.version);
  const sent = outcome === 'changed' && entry?.from === 'ended' && entry.to === 'checking';
  return { transfer: found.id, sent, said: entry?.note ?? '' };
}

/** A decision to send again sends nothing yet: the record is fetched anew by whoever runs the job. */
const NOTHING_TO_STORE = {
  put: () => Promise.reject(new Fault('resend.bytes', 'a decision to send again has nothing to store')),
};
