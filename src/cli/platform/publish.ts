import { Fault } from '../../base/errors.ts';
import { type Month, monthText } from '../../platform/metrics/month.ts';
import { publishMonth } from '../../platform/store/publish.ts';
import { jsonLine } from '../operator/words.ts';
import { atPlatform, type PlaceOptions } from './place.ts';

export type PublishOptions = PlaceOptions & { readonly least: number; readonly json?: boolean };

/** Faults that are named; there may be one for every practice. */
const NAMED = 20;

/** Opens a month to the public, or says why not. */
export async function publish(month: Month, { least, json, ...place }: PublishOptions): Promise<void> {
  const published = await atPlatform(place, ({ db }) => publishMonth(db, month, least));
  if ('faults' in published) {
    const more = published.faults.length - NAMED;
    throw new Fault(
      'publication.refused',
      [`${monthText(month)} is not published:`, ...published.faults.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
      { remedy: 'Load what is missing (gp2gp platform load, gp2gp platform ods); --least says how many transfers a month must have.' },
    );
  }
  const { transfers } = published;
  process.stdout.write(
    json ? jsonLine({ month: monthText(month), transfers }) : `${monthText(month)} is published with ${transfers} transfers.\n`,
  );
}
