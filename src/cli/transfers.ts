import { Command, InvalidArgumentError, Option } from 'commander';
import { isUuid } from '../base/ids.ts';
import { OUTCOME_KINDS } from '../console/words.ts';
import { responseCode } from '../transfer/codes.ts';
import { reasonText, withPlace } from './operator/place.ts';
import { ageOption, countOption } from './operator/words.ts';
import type { ExportOptions } from './transfers/export.ts';
import type { ListOptions } from './transfers/list.ts';
import type { ReplayOptions } from './transfers/replay.ts';
import type { ResendOptions } from './transfers/resend.ts';
import type { ShowOptions } from './transfers/show.ts';

const HELP = `
They read the node's database, named by --config (the node's own settings), by the environment, or by --database. No clinical content is
shown, and of NHS numbers only the end. ID is a transfer's id or a conversation's.
Exit code: 0 done, 1 not done, or the database does not answer, 2 the command or what it names is wrong.

Examples:
  gp2gp transfers list --config node.yaml --attention
  gp2gp transfers list --config node.yaml --practice A12345 --role sending --state ended --code 30 --younger-than 2d
  gp2gp transfers show --config node.yaml 5B6E0D5C-2F0B-4D3B-9A3C-6A1B7F1E2D3C
  gp2gp transfers resend --config node.yaml 5B6E0D5C-2F0B-4D3B-9A3C-6A1B7F1E2D3C --reason "they restored their system, ticket 4711"`;

const STATES = [
  'checking',
  'waitingForExtract',
  'collecting',
  'converting',
  'waitingForDecision',
  'filing',
  'fetching',
  'sendingCore',
  'waitingForContinue',
  'sendingParts',
  'waitingForAnswer',
  'ended',
] as const;

function codeOption(text: string): string {
  const code = text.trim().toUpperCase() === 'AA' ? 'AA' : responseCode(text);
  if (code === null) throw new InvalidArgumentError('a response code is wanted: 06 … 99, or AA.');
  return code;
}

function idOption(text: string): string {
  if (!isUuid(text.trim())) throw new InvalidArgumentError('the id of a conversation is wanted, as gp2gp transfers show names it.');
  return text;
}

/** `transfers`: what an operator looks at and does with the transfers of a node. */
export function transfersCommand(): Command {
  return new Command('transfers')
    .description('look at transfers, send a record again, take a failure home and replay it')
    .addHelpText('after', HELP)
    .addCommand(list())
    .addCommand(show())
    .addCommand(timeline())
    .addCommand(resend())
    .addCommand(exporting())
    .addCommand(replay());
}

function list(): Command {
  return withPlace(new Command('list'))
    .description('transfers, newest first')
    .option('--practice <ods>', 'of one practice of this node')
    .addOption(new Option('--role <role>', 'records that come, or that leave').choices(['requesting', 'sending']))
    .addOption(new Option('--state <state>', 'where they stand').choices(STATES))
    .addOption(new Option('--outcome <outcome>', 'how they ended').choices(OUTCOME_KINDS))
    .option('--code <code>', 'the response code with which they ended, 06 … 99, or AA', codeOption)
    .option('--nhs-number <number>', 'of one patient; the search is audited')
    .option('--conversation <id>', 'of one conversation', idOption)
    .option('--older-than <age>', 'began longer ago: 30m, 2h, 3d, 1w', ageOption)
    .option('--younger-than <age>', 'began since', ageOption)
    .option('--waiting', 'that wait for a person: an open task')
    .option('--attention', 'that need an operator: put aside, tried in vain, overdue, or nothing brings them on')
    .option('--show-nhs-numbers', 'whole NHS numbers; audited, with --reason')
    .option('--reason <text>', 'why, for the audit', reasonText)
    .option('--limit <n>', 'lines of a page', countOption(1, 1000), 50)
    .option('--after <id>', 'the next page: what the page before named last')
    .option('--json', 'one line of JSON: {"transfers":[…],"next":id or null}')
    .action(async (options: ListOptions) => (await import('./transfers/list.ts')).listTransfers(options));
}

function show(): Command {
  return withPlace(new Command('show'))
    .description('one transfer: state and why, what brings it on next, parts, queue, messages, tasks')
    .argument('<id>', 'transfer or conversation')
    .option('--json', 'one line of JSON')
    .action(async (id: string, options: ShowOptions) => (await import('./transfers/show.ts')).showTransfer(id, options));
}

function timeline(): Command {
  return withPlace(new Command('timeline'))
    .description('what happened to one transfer, oldest first')
    .argument('<id>', 'transfer or conversation')
    .option('--json', 'one line of JSON')
    .action(async (id: string, options: ShowOptions) => (await import('./transfers/timeline.ts')).showTimeline(id, options));
}

function resend(): Command {
  return withPlace(new Command('resend'))
    .description('send a record again that was not taken: the record as it is today, under new message ids, in the same conversation')
    .argument('<id>', 'transfer or conversation')
    .requiredOption('--reason <text>', 'why, for the audit', reasonText)
    .option('--json', 'one line of JSON: {"transfer":id,"sent":true or false,"said":…}')
    .action(async (id: string, options: ResendOptions) => (await import('./transfers/resend.ts')).resendTransfer(id, options));
}

const EXPORT_HELP = `
none (default): every decision with what it was made from. No content; NHS numbers, names of files and addresses of content are replaced.
redacted: the record as well. Letters become x, digits 0; structure, codes and times stay, so that what failed fails again, which is tried.
  Codes and times of one person are still theirs: treat it as pseudonymised, not as anonymous.
whole: the record as it is. It is the patient's; see that it may leave.`;

function exporting(): Command {
  return withPlace(new Command('export'))
    .description('write what a transfer’s fate was decided on into a folder; audited')
    .argument('<id>', 'transfer or conversation')
    .requiredOption('--to <dir>', 'a new folder')
    .requiredOption('--reason <text>', 'why, for the audit', reasonText)
    .addOption(new Option('--content <how>', 'what of the record goes along').choices(['none', 'redacted', 'whole']).default('none'))
    .option('--json', 'one line of JSON')
    .addHelpText('after', EXPORT_HELP)
    .action(async (id: string, options: ExportOptions) => (await import('./transfers/export.ts')).exportTransfer(id, options));
}

function replay(): Command {
  return new Command('replay')
    .description('make the decisions and conversions of an export again, without database or network, and say where they differ')
    .argument('<export>', 'the folder that export has made')
    .option('--terminology <file>', 'what codes are looked up in, as the node had it (gp2gp terminology build)')
    .option('--json', 'one line of JSON: {"same":true or false,"outcome":…,"differences":[…],"conversions":[…]}')
    .addHelpText('after', '\nExit code: 0 the same comes of it, 1 something differs or is gone, 2 the export cannot be read.')
    .action(async (path: string, options: ReplayOptions) => (await import('./transfers/replay.ts')).replayTransfer(path, options));
}
