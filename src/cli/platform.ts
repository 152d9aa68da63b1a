import { Command } from 'commander';
import { platformDemoCommand } from './platform-demo.ts';

/** `platform`: national reporting. */
export function platformCommand(): Command {
  return new Command('platform')
    .description('national reporting: figures of all transfers, and their site')
    .addCommand(platformDemoCommand());
}
