#!/usr/bin/env node
import { main } from '../src/cli/main.ts';

// Whoever reads our output may have seen enough (`| head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  console.error(`gp2gp: what was to be printed could not be written (${error.message})\nFree some space, or let it go elsewhere.`);
  process.exit(1);
});
process.exitCode = await main(process.argv.slice(2));
