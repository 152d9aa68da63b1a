import { Command, Option } from 'commander';
import type { DealOptions, ListOptions } from './operator/dead-letters.ts';
import { reasonText, withPlace } from './operator/place.ts';
import type { SaveOptions } from './operator/save-letter.ts';
import { countOption } from './operator/words.ts';

const HELP = `
A dead letter is a message that came and that no transfer could take, or a message, job or notice of ours that could not be carried out. It
keeps all its bytes until somebody replays or drops it, or its retention time is over. in-12 is a message that came, out-7 is work of ours.
Exit code: 0 done, 1 not done, or the database does not answer, 2 the command or what it names is wrong.

Examples:
  gp2gp dead-letters list --config node.yaml
  gp2gp dead-letters show --config node.yaml in-12
  gp2gp dead-letters replay --config node.yaml in-12 out-7 --reason "SDS was mended, ticket 4711"
  gp2gp dead-letters drop --config node.yaml in-13 --reason "a test message of the supplier's, they confirmed it"`;

/** `dead-letters`: what was put aside, and what becomes of it. */
export function deadLettersCommand(): Command {
  return new Command('dead-letters')
    .description('look at what was put aside, replay it or drop it')
    .addHelpText('after', HELP)
    .addCommand(
      withPlace(new Command('list'))
        .description('what was put aside, the youngest first')
        .option('--practice <ods>', 'of one practice of this node')
        .addOption(new Option('--queue <queue>', 'messages that came, or work of ours').choices(['inbox', 'outbox']))
        .option('--parked', 'messages that still wait for their conversation to appear, and are tried again')
        .option('--limit <n>', 'lines of a page', countOption(1, 1000), 50)
        .option('--after <letter>', 'the next page: what the page before named last')
        .option('--json', 'one line of JSON: {"letters":[…],"next":letter or null}')
        .action(async (options: ListOptions) => (await import('./operator/dead-letters.ts')).listLetters(options)),
    )
    .addCommand(
      withPlace(new Command('show'))
        .description('one of them: why, since when, and what it is, without its content')
        .argument('<letter>', 'in-… or out-…')
        .option('--json', 'one line of JSON')
        .action(async (letter: string, options: ListOptions) => (await import('./operator/dead-letters.ts')).showLetter(letter, options)),
    )
    .addCommand(
      withPlace(new Command('save'))
        .description('write what one of them holds into a folder: clinical content, so audited')
        .argument('<letter>', 'in-… or out-…')
        .requiredOption('--to <dir>', 'a new folder')
        .requiredOption('--reason <text>', 'why, for the audit', reasonText)
        .option('--json', 'one line of JSON')
        .action(async (letter: string, options: SaveOptions) => (await import('./operator/save-letter.ts')).saveLetter(letter, options)),
    )
    .addCommand(dealing('replay', 'try again: a message that came finds its transfer, work of ours is carried out'))
    .addCommand(dealing('drop', 'give up: the content goes, the audit keeps who and why'));
}

function dealing(name: 'replay' | 'drop', description: string): Command {
  return withPlace(new Command(name))
    .description(description)
    .argument('<letter...>', 'in-… or out-…')
    .requiredOption('--reason <text>', 'why, for the audit', reasonText)
    .option('--json', `one line of JSON: {"${name === 'drop' ? 'dropped' : 'replayed'}":[…]}`)
    .action(async (letters: string[], options: DealOptions) =>
      (await import('./operator/dead-letters.ts')).dealWith(name, letters, options),
    );
}
