import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { FAILURE_PERCENT } from '../platform/alerts/rules.ts';
import { type Month, readMonth } from '../platform/metrics/month.ts';
import { type Micros, readTime } from '../platform/micros.ts';
import { countOption } from './operator/words.ts';
import type { KeyOptions } from './platform/keys.ts';
import type { LoadOptions, SpineOptions } from './platform/load.ts';
import { type PlaceOptions, withPlace } from './platform/place.ts';
import type { PublishOptions } from './platform/publish.ts';
import type { DueOptions, ReportOptions } from './platform/report.ts';
import { REPORT_NAMES, withSchedule } from './platform/schedule.ts';
import type { ServeOptions } from './platform/serve.ts';
import { platformDemoCommand } from './platform-demo.ts';

const HELP = `
Examples:
  gp2gp platform demo
  gp2gp platform serve --port 8080 --api-port 8081
  gp2gp platform key add "A supplier"
  gp2gp platform key add --reports "An analyst"
  gp2gp platform ods organisations.csv
  gp2gp platform load events events.ndjson
  gp2gp platform publish 2026-02
  gp2gp platform report due --folder reports

The commands work beside a server that runs. Exit code: 0 done, 1 not done or rows were left out, 2 the command or its input is wrong.`;

/** `platform`: national reporting. */
export function platformCommand(): Command {
  return new Command('platform')
    .description('national reporting: figures of all transfers, and their site')
    .addHelpText('after', HELP)
    .addCommand(platformDemoCommand())
    .addCommand(serveCommand())
    .addCommand(keyCommand())
    .addCommand(
      withPlace(new Command('ods'))
        .description('organisations: organisationMetadata.json, or CSV with code, kind, name, parent, address, postcode, supplier, active')
        .argument('<file...>')
        .option('--json', 'print one line of JSON')
        .action(async (files: string[], options: LoadOptions) =>
          (await import('./platform/load.ts')).loadOrganisationFiles(files, options),
        ),
    )
    .addCommand(loadCommand())
    .addCommand(reportCommand())
    .addCommand(
      withPlace(new Command('publish'))
        .description('open a month’s figures to the public, if nothing speaks against it')
        .argument('<month>', '2026-02', monthArgument)
        .option('--least <n>', 'transfers that a month must have', countOption(0, 100_000_000), 150_000)
        .option('--despite <reason>', 'open it though its total lies over 35 % from the month before’s, and keep why', reasonOption)
        .option('--folder <dir>', 'write practiceMetrics.json and nationalMetrics.json of the month there')
        .option('--json', 'print one line of JSON')
        .action(async (month: Month, options: PublishOptions) => (await import('./platform/publish.ts')).publish(month, options)),
    );
}

function serveCommand(): Command {
  return withSchedule(withPlace(new Command('serve')))
    .description('take events, count them, and serve the site')
    .option('--port <n>', 'of the site (0: a free port)', countOption(0, 65_535), 0)
    .option('--api-port <n>', 'of the nine endpoints; left out, that of the site', countOption(0, 65_535))
    .option('--host <address>', 'on which address to listen', '127.0.0.1')
    .option(
      '--reports-port <n>',
      'of the operational reports, which name practices and conversations: a key opens them (key add --reports)',
      countOption(0, 65_535),
    )
    .option('--reports-host <address>', 'on which address the reports listen', '127.0.0.1')
    .addOption(
      new Option('--mode <mode>', 'take what the national service takes, or only what its specification allows')
        .choices(['compatible', 'strict'])
        .default('compatible'),
    )
    .option('--fold-seconds <n>', 'rest between two counts', countOption(1, 3600), 10)
    .option('--files <dir>', 'write report files there at their times; what was missed is made up for')
    .option('--publish', 'open months by themselves at their time, if nothing speaks against it')
    .option('--least <n>', 'transfers that a month must have to be opened', countOption(0, 100_000_000), 150_000)
    .option('--gaps', 'write reports with days of which there is no transfer at all')
    .option('--alert-seconds <n>', 'rest between two looks for alerts', countOption(1, 3600), 60)
    .option('--failure-percent <n>', 'technical failures of a day above which there is an alert', countOption(0, 100), FAILURE_PERCENT)
    .option('--alert-webhook <url>', 'post alerts there, signed with GP2GP_ALERT_SECRET', webhookOption)
    .action(async (options: ServeOptions) => (await import('./platform/serve.ts')).servePlatform(options));
}

function keyCommand(): Command {
  return new Command('key')
    .description('keys of those who send events, or with --reports of those who read the operational reports')
    .addCommand(
      withPlace(new Command('add'))
        .description('make a key and print it, once')
        .argument('<name>', 'whose it is', nameArgument)
        .option('--reports', 'a key to the operational reports')
        .option('--json', 'print one line of JSON')
        .action(async (name: string, options: KeyOptions) => (await import('./platform/keys.ts')).addKey(name, options)),
    )
    .addCommand(
      withPlace(new Command('list'))
        .description('who has or had a key')
        .option('--reports', 'a key to the operational reports')
        .option('--json', 'print one line of JSON')
        .action(async (options: KeyOptions) => (await import('./platform/keys.ts')).listKeys(options)),
    )
    .addCommand(
      withPlace(new Command('revoke'))
        .description('take a key no more; what was sent with it stays')
        .argument('<name>', 'whose it is')
        .option('--reports', 'a key to the operational reports')
        .option('--json', 'print one line of JSON')
        .action(async (name: string, options: KeyOptions) => (await import('./platform/keys.ts')).revokeKey(name, options)),
    );
}

function loadCommand(): Command {
  return new Command('load')
    .description('read files; a row that is broken is named with its file and line, and costs no other')
    .addCommand(
      withPlace(new Command('events'))
        .description('events, one a line: {"eventType":"EHR_REQUESTS","body":{…}}')
        .argument('<file...>')
        .option('--json', 'print one line of JSON')
        .action(async (files: string[], options: LoadOptions) => (await import('./platform/load.ts')).loadEventFiles(files, options)),
    )
    .addCommand(
      withPlace(new Command('spine'))
        .description('exports of the Spine’s log, all of them together; ASIDs must be known (ods)')
        .argument('<file...>')
        .option('--from <day>', 'transfers requested on this day (2026-02-01, UTC) or later', dayOption)
        .option('--until <day>', 'transfers requested before this day', dayOption)
        .option(
          '--cutoff <days>',
          'what came later than so many days after the request does not count; 0: all counts',
          countOption(0, 365),
          14,
        )
        .option('--json', 'print one line of JSON')
        .action(async (files: string[], options: SpineOptions) => (await import('./platform/load.ts')).loadSpineFiles(files, options)),
    )
    .addCommand(
      withPlace(new Command('mesh'))
        .description('weekly files of before the API: registrations are kept, other records counted')
        .argument('<file...>')
        .option('--json', 'print one line of JSON')
        .action(async (files: string[], options: LoadOptions) => (await import('./platform/load.ts')).loadMeshFiles(files, options)),
    );
}

const REPORT_HELP = `
Windows are of UTC; one of both dates, of days, or of months is wanted. Days end the cut-off before today, months before this one.

Examples:
  gp2gp platform report due --folder reports
  gp2gp platform report write transfer_details_by_hour --days 1 --cutoff 0 --folder reports
  gp2gp platform report write sub_icb_location_level_integration_times --months 1 --folder reports
  gp2gp platform report write transfer_level_technical_failures --from 2026-02-01 --until 2026-03-01 --folder reports
  gp2gp platform report write degrades-weekly --from 2026-02-02 --folder reports`;

function reportCommand(): Command {
  return new Command('report')
    .description('report files, each whole or not at all, and none twice')
    .addHelpText('after', REPORT_HELP)
    .addCommand(
      withPlace(new Command('write'))
        .description('write one report of one window')
        .addArgument(new Argument('<name>', 'which').choices(REPORT_NAMES))
        .requiredOption('--folder <dir>', 'where files are kept')
        .option('--from <day>', 'first day (2026-02-01)', dayOption)
        .option('--until <day>', 'the day behind the last one', dayOption)
        .option('--days <n>', 'so many days', countOption(1, 366))
        .option('--months <n>', 'so many months', countOption(1, 12))
        .option('--cutoff <days>', 'how long after its request a transfer is looked at', countOption(0, 14), 14)
        .option('--again', 'write a file that was written already, with the figures of now')
        .option('--gaps', 'there may be days without a transfer')
        .option('--json', 'print one line of JSON')
        .action(async (name: string, options: ReportOptions) => (await import('./platform/report.ts')).writeReportFile(name, options)),
    )
    .addCommand(
      withSchedule(withPlace(new Command('due')))
        .description('write everything that is due and not written, as the server does with --files')
        .requiredOption('--folder <dir>', 'where files are kept')
        .option('--gaps', 'there may be days without a transfer')
        .option('--json', 'print one line of JSON for each file')
        .action(async (options: DueOptions) => (await import('./platform/report.ts')).writeDueFiles(options)),
    )
    .addCommand(
      withPlace(new Command('list'))
        .description('files that were written, newest first')
        .option('--limit <n>', 'how many', countOption(1, 10_000), 50)
        .option('--json', 'print one line of JSON')
        .action(async (options: PlaceOptions & { limit: number; json?: boolean }) =>
          (await import('./platform/report.ts')).listReports(options),
        ),
    );
}

function monthArgument(text: string): Month {
  const month = readMonth(text);
  if (!month) throw new InvalidArgumentError('a month is wanted: 2026-02.');
  return month;
}

function webhookOption(text: string): string {
  if (!/^https?:$/.test(URL.parse(text)?.protocol ?? '')) throw new InvalidArgumentError('an http or https address is wanted.');
  return text;
}

function reasonOption(text: string): string {
  const reason = text.trim();
  if (reason.length < 10 || reason.length > 500 || /\p{C}/u.test(reason))
    throw new InvalidArgumentError('a reason of 10 to 500 characters is wanted, for whoever asks later.');
  return reason;
}

function nameArgument(text: string): string {
  if (text.trim() === '' || text.length > 100 || /\p{C}/u.test(text))
    throw new InvalidArgumentError('a name of 1 to 100 characters is wanted.');
  return text.trim();
}

function dayOption(text: string): Micros {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? readTime(`${text} 00:00:00 UTC`) : null;
  if (at === null) throw new InvalidArgumentError('a day is wanted: 2026-02-01.');
  return at;
}
