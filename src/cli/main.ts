import { Command, CommanderError } from 'commander';
import { Fault, reasonOf } from '../base/errors.ts';
import { VERSION } from './version.ts';

/**
 * The commands, each loaded only when it is asked for (or when help lists them all): a look at `--help` or an `inspect` should
 * not wait for a database driver.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  simulate: async () => (await import('./simulate.ts')).simulateCommand(),
  platform: async () => (await import('./platform.ts')).platformCommand(),
  convert: async () => (await import('./convert.ts')).convertCommand(),
  inspect: async () => (await import('./inspect.ts')).inspectCommand(),
  validate: async () => (await import('./validate.ts')).validateCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  transfers: async () => (await import('./transfers.ts')).transfersCommand(),
  'dead-letters': async () => (await import('./dead-letters.ts')).deadLettersCommand(),
  terminology: async () => (await import('./terminology.ts')).terminologyCommand(),
  store: async () => (await import('./store.ts')).storeCommand(),
  mi: async () => (await import('./mi.ts')).miCommand(),
  torture: async () => (await import('./torture.ts')).tortureCommand(),
  world: async () => (await import('./world.ts')).worldCommand(),
  'conformance-batch': async () => (await import('./conformance-batch.ts')).conformanceBatchCommand(),
};

/**
 * Runs one command line and gives its exit code: 0 done, 1 failed, 2 the command or its input is wrong.
 * A failure that is explained (`Fault`) is one line and its remedy; only what nobody expected shows a stack trace.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('gp2gp')
    .description("Moves a patient's electronic health record between GP practices: GP2GP as one program.")
    .version(VERSION, '--version', 'print the version')
    .helpOption('--help', 'print help')
    .exitOverride()
    .showHelpAfterError('(gp2gp --help lists the commands)');
  const asked = argv.find((word) => !word.startsWith('-'));
  const names = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of names) {
    const command = await COMMANDS[name]?.();
    if (command) program.addCommand(tame(command));
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (thrown) {
    return explain(thrown);
  }
}

/** A command and those below it: none ends the process by itself, and what is called wrongly says where to look. */
function tame(command: Command, above = 'gp2gp'): Command {
  const path = `${above} ${command.name()}`;
  for (const below of command.commands) tame(below, path);
  return command.exitOverride().helpOption('--help', 'print help').showHelpAfterError(`(${path} --help says how)`);
}

function explain(thrown: unknown): number {
  // Commander has printed its own words by now; help and version are no failure.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof Fault) {
    // A list of problems keeps its lines.
    console.error(`gp2gp: ${thrown.message.split('\n').map(printable).join('\n')}`);
    if (thrown.remedy) console.error(thrown.remedy);
    return /^(input|config)\./.test(thrown.code) ? 2 : 1;
  }
  const system = thrown instanceof Error && 'code' in thrown ? SYSTEM.get(String(thrown.code)) : undefined;
  if (system) {
    console.error(`gp2gp: ${system[0]} (${reasonOf(thrown)})`);
    console.error(system[1]);
    return 1;
  }
  console.error(thrown);
  return 1;
}

/** What the machine refuses, wherever it is met: words and what to do. */
const SYSTEM: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['ENOSPC', ['the disk is full', 'Free some space, or name a folder on another disk.']],
  ['EDQUOT', ['the disk quota is used up', 'Free some space, or name a folder on another disk.']],
  ['EROFS', ['the disk is read-only', 'Name a folder that can be written.']],
  ['EACCES', ['the system does not permit it', 'Mend the rights of what is named, or name another folder.']],
  ['EEXIST', ['there is a file where a folder is wanted', 'Name another folder.']],
  ['ENOTDIR', ['there is a file where a folder is wanted', 'Name another folder.']],
  ['EMFILE', ['too many files are open', 'Raise the limit (ulimit -n) and start again.']],
]);

function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ').trimEnd();
}
