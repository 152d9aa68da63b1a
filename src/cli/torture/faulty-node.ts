/**
 * A node with a fault that must be noticed: it acknowledges a message, and keeps it only a while later. Started by the test of the
 * fault test in place of `gp2gp`, with the same arguments (`serve --config FILE`). No setting of a real node leads here.
 */
import { readFileSync } from 'node:fs';
import { argv, env } from 'node:process';
import { reasonOf } from '../../base/errors.ts';
import { parseConfig } from '../../service/config.ts';
import { type Accept, serve } from '../../service/serve.ts';

const DELAY_MS = 2_500;

const acceptTooEarly =
  (accept: Accept): Accept =>
  async (inbound) => {
    setTimeout(() => {
      accept(inbound).catch((thrown: unknown) => process.stderr.write(`kept too late: ${reasonOf(thrown)}\n`));
    }, DELAY_MS);
    return { fate: 'new', receivedAt: inbound.receivedAt, refused: null };
  };

const file = argv[argv.indexOf('--config') + 1] ?? '';
await serve(parseConfig(readFileSync(file, 'utf8'), env), { aroundAccept: acceptTooEarly });
