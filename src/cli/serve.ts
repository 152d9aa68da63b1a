import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { Fault, reasonOf } from '../base/errors.ts';

const HELP = `
Every setting may also be an environment variable (spine.url is GP2GP_SPINE_URL). At a fault every problem is listed and nothing
starts. When the node is ready it prints one line of JSON with its addresses; SIGTERM or Ctrl-C ends it in good order.

Example:
  gp2gp serve --config node.yaml`;

/** `serve`: one node, for the practices that its configuration names. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run a node between practices’ systems and Spine')
    .option('--config <file>', 'settings in YAML; left out, the environment alone is read')
    .addHelpText('after', HELP)
    .action(async ({ config: file }: { config?: string }) => {
      const { parseConfig } = await import('../service/config.ts');
      const config = parseConfig(file === undefined ? null : await read(file), process.env);
      const { serve } = await import('../service/serve.ts');
      const { consolePages } = await import('../console/console.ts');
      await serve(config, { console: consolePages });
    });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Fault('input.config', `${file}: cannot be read (${reasonOf(cause)})`, { cause });
  }
}
