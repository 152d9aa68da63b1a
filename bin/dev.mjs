// Runs a TypeScript program of this checkout: `node bin/dev.mjs FILE [ARGUMENT ...]`.
// Plain JavaScript on purpose: an old Node must be able to read this far and say what is wrong.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`Open GP2GP needs Node 22.19 or newer; this is Node ${process.versions.node}.`);
  console.error('Run `npm ci` and start it through npm (`npm start`): that uses the Node 24 in node_modules.');
  console.error('If install scripts are switched off, `npm rebuild node` fetches it; or install Node 24 yourself.');
  process.exit(1);
}
const [file] = process.argv.splice(2, 1);
if (!file) {
  console.error('usage: node bin/dev.mjs FILE [ARGUMENT ...]');
  process.exit(2);
}
// Only now: an old Node does not know it.
await import('./compile-cache.mjs');
await import(pathToFileURL(resolve(file)).href);
