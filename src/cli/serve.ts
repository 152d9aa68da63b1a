import { Command, Option } from 'commander';
import { defaultDataFolder } from './data-folder.ts';
import { nodeSettings, readSettings } from './settings-file.ts';

const HELP = `
Every setting may also be an environment variable (spine.url is GP2GP_SPINE_URL). At a fault every problem is listed and nothing
starts. When the node is ready it prints one line of JSON with its addresses; SIGTERM or Ctrl-C ends it in good order.

--env-file reads the settings file of the existing message adaptor, sending adaptor or requesting adaptor as it is, and says for each
name what is done with it. What they do not know (GP2GP_PRACTICES, GP2GP_PDS_CLIENT_ID …) may stand in the same file.

Examples:
  gp2gp serve --config node.yaml
  gp2gp serve --env-file adaptor.env --config practices.yaml
  gp2gp serve --env-file adaptor.env --check-config`;

type Options = { readonly config?: string; readonly envFile?: string; readonly profile: 'live' | 'test'; readonly checkConfig?: boolean };

/** `serve`: one node, for the practices that its configuration names. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run a node between practices’ systems and Spine')
    .option('--config <file>', 'settings in YAML; left out, the environment alone is read')
    .option('--env-file <file>', 'settings file of the existing adaptors, NAME=value')
    .addOption(
      new Option('--profile <profile>', 'test: mocks and missing checks of the settings file are no reason to refuse it')
        .choices(['live', 'test'])
        .default('live'),
    )
    .option('--check-config', 'only say what the settings mean, and whether a node would start')
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      const config = await configOf(options);
      if (options.checkConfig) return;
      const { serve } = await import('../service/serve.ts');
      const { consolePages } = await import('../console/console.ts');
      await serve(config, { console: consolePages });
    });
}

async function configOf({ config: file, envFile, profile, checkConfig }: Options) {
  if (envFile === undefined) return await nodeSettings(file);
  const yaml = file === undefined ? null : await readSettings(file);
  const { configFromPeer, reportLines } = await import('../service/peer/settings.ts');
  const data = defaultDataFolder('node');
  const { config, report } = configFromPeer({
    file: await readSettings(envFile),
    yaml,
    environment: process.env,
    profile,
    defaultData: data,
  });
  const out = checkConfig ? process.stdout : process.stderr;
  for (const line of reportLines(report)) out.write(`${line}\n`);
  return config;
}
