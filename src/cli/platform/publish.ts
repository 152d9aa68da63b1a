import { type Month, monthText } from '../../platform/metrics/month.ts';
import { refused, writeMetrics } from '../../platform/reports/write.ts';
import { publishMonth } from '../../platform/store/publish.ts';
import { jsonLine } from '../operator/words.ts';
import { atPlatform, type PlaceOptions } from './place.ts';

export type PublishOptions = PlaceOptions & {
  readonly least: number;
  readonly despite?: string;
  readonly folder?: string;
  readonly json?: boolean;
};

/** Opens a month to the public, or says why not; where a folder is given, the files of the existing pipeline lie in it then. */
export async function publish(month: Month, { least, despite, folder, json, ...place }: PublishOptions): Promise<void> {
  const { transfers, overridden, files } = await atPlatform(place, async ({ db }) => {
    const published = await publishMonth(db, month, least, despite ?? null);
    if ('faults' in published) throw refused(month, published);
    return { ...published, files: folder === undefined ? [] : await writeMetrics(db, month, folder, true) };
  });
  const lines = [
    `${monthText(month)} is published with ${transfers} transfers.`,
    ...(overridden === null ? [] : [`Overridden, and kept with the reason: ${overridden}`]),
    ...files,
  ];
  process.stdout.write(json ? jsonLine({ month: monthText(month), transfers, overridden, files }) : `${lines.join('\n')}\n`);
}
