import { Command } from 'commander';
import { Fault } from '../base/errors.ts';

const HELP = `
The file names any of hub, sds, pds, gpSystem, vendors, mesh and control, each with its folder and ports (0 or left out: a free one).
When everything listens, one line of JSON with the addresses is printed. The end is SIGTERM or Ctrl-C.
With --init a folder gets a file for the simulator and one for a node to test it with. The guide is docs/simulator.md.

Examples:
  gp2gp simulate --init trial && cd trial
  gp2gp simulate --config spine.yaml`;

/** `simulate`: national services and practices' systems, for a supplier to test against. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('run a simulated Spine hub, SDS, PDS, MESH and practices’ systems, for testing against')
    .option('--config <file>', 'what to run, YAML or JSON')
    .option('--init <dir>', 'write the files of a first trial into this folder, and run nothing')
    .addHelpText('after', HELP)
    .action(async (options: { config?: string; init?: string }) => {
      if (options.init !== undefined) {
        const { writeStarter } = await import('./simulate-init.ts');
        for (const file of await writeStarter(options.init)) process.stdout.write(`${file}\n`);
        return;
      }
      if (options.config === undefined)
        throw new Fault('input.config', 'nothing says what to run', {
          remedy: 'Name a file with --config; --init DIR writes one to begin with.',
        });
      const { runSimulator } = await import('../simulator/process.ts');
      await runSimulator(options.config);
    });
}
