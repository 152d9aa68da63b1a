import { type Command, InvalidArgumentError, Option } from 'commander';
import { NATIONAL_SCHEDULE, type Schedule } from '../../platform/reports/due.ts';
import { REPORTS } from '../../platform/reports/reports.ts';
import { countOption } from '../operator/words.ts';

export type ScheduleTimes = Schedule;

/** Reports that a file can be written of. */
export const REPORT_NAMES: readonly string[] = [...REPORTS.map((name) => name.toLowerCase()), 'degrades-daily', 'degrades-weekly'];

/** When files become due. */
export function withSchedule(command: Command): Command {
  const time = (flags: string, about: string, seconds: number, text: string) =>
    new Option(flags, about).argParser(timeOption).default(seconds, text);
  return command
    .addOption(time('--degrades-at <time>', 'when files of degrades are due, UTC', NATIONAL_SCHEDULE.degradesAt, '06:00'))
    .addOption(
      time('--reports-at <time>', 'when reports are due, UTC: each day, on Mondays, once a month', NATIONAL_SCHEDULE.reportsAt, '07:00'),
    )
    .option('--monthly-on <day>', 'day of the month on which the month before is due', countOption(1, 28), NATIONAL_SCHEDULE.monthlyOn);
}

/** `07:00` in seconds. */
function timeOption(text: string): number {
  const found = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!found) throw new InvalidArgumentError('a time is wanted: 07:00.');
  return Number(found[1]) * 3600 + Number(found[2]) * 60;
}
