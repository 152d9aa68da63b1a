import { Fault, reasonOf } from '../../base/errors.ts';
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
  readonly alertSeconds: number;
  readonly failurePercent: number;
  readonly alertWebhook?: string;
} & ScheduleTimes;

/** What the webhook's posts are signed with; not an option, which everybody on the machine could read. */
const SECRET = 'GP2GP_ALERT_SECRET';

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
  alertSeconds,
  failurePercent,
  alertWebhook,
  ...place
}: ServeOptions): Promise<void> {
  const webhook = alertWebhook === undefined ? null : { url: alertWebhook, secret: secretFrom(process.env[SECRET]) };
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
      alerts: { everyMs: alertSeconds * 1000, failurePercent, webhook, say: (line) => console.error(line) },
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

function secretFrom(text: string | undefined): string {
  if (text !== undefined && text.length >= 16) return text;
  throw new Fault('input.secret', `${SECRET} ${text === undefined ? 'is missing' : 'is too short'}: alerts are posted with a signature`, {
    remedy: 'Set it to at least 16 characters that the receiver of the alerts knows too.',
  });
}
