import { reasonOf } from '../../base/errors.ts';
import type { CheckMode } from '../../mi/check.ts';
import { startPlatform } from '../../platform/serve.ts';
import { atPlatform, type PlaceOptions } from './place.ts';
import type { ScheduleTimes } from './schedule.ts';

export type ServeOptions = PlaceOptions & {
  readonly host: string;
  readonly port: number;
  readonly apiPort?: number;
  readonly reportsPort?: number;
  readonly reportsHost: string;
  readonly mode: CheckMode;
  readonly foldSeconds: number;
  /** Folder of report files. */
  readonly files?: string;
  readonly publish?: boolean;
  readonly least: number;
  readonly gaps?: boolean;
} & ScheduleTimes;

/** Serves until SIGTERM or Ctrl-C; says on one line of JSON when it is ready, and of what fails one line each on standard error. */
export async function servePlatform({
  host,
  port,
  apiPort,
  reportsPort,
  reportsHost,
  mode,
  foldSeconds,
  files,
  publish = false,
  least,
  gaps = false,
  degradesAt,
  reportsAt,
  monthlyOn,
  ...place
}: ServeOptions): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    process.once('disconnect', () => resolve());
  });
  await atPlatform(place, async ({ db }) => {
    const running = await startPlatform(db, {
      host,
      port,
      ...(apiPort !== undefined && { apiPort }),
      ...(reportsPort !== undefined && { reports: { host: reportsHost, port: reportsPort } }),
      ...((files !== undefined || publish) && {
        schedule: {
          folder: files ?? null,
          publish: publish ? { leastTransfers: least } : null,
          schedule: { degradesAt, reportsAt, monthlyOn },
          gaps,
        },
      }),
      mode,
      foldMs: foldSeconds * 1000,
      onFault: (thrown, where) => console.error(`${where}: ${reasonOf(thrown)}`),
    });
    process.stdout.write(
      `${JSON.stringify({ ready: true, site: running.site, api: running.api, reports: running.reports, pid: process.pid })}\n`,
    );
    await stopped;
    await running.close();
  });
  // An open channel to whoever started this process would keep it alive.
  if (process.connected) process.disconnect();
}
