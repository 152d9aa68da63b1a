import { Command } from 'commander';

const HELP = `
The file names any of hub, sds, pds and gpSystem, each with its folder and ports (0 or left out: a free one).
When everything listens, one line of JSON with the addresses is printed. The end is SIGTERM or Ctrl-C.

Example:
  gp2gp simulate --config spine.yaml`;

/** `simulate`: national services and practices' systems, for a supplier to test against. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('run a simulated Spine hub, SDS, PDS and practices’ systems, for testing against')
    .requiredOption('--config <file>', 'what to run, YAML or JSON')
    .addHelpText('after', HELP)
    .action(async (options: { config: string }) => {
      const { runSimulator } = await import('../simulator/process.ts');
      await runSimulator(options.config);
    });
}
