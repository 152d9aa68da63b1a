import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { PAGE_HEADERS, STYLESHEET } from './pages.ts';

/** What the design system has no class for. */
const OWN_STYLES = `
.gp2gp-clinical-text{white-space:pre-wrap;overflow-wrap:anywhere}
.gp2gp-hidden-character{border:1px solid;font-size:.75em;padding:0 .25em;white-space:nowrap}
`;
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#005eb8"/><path d="M7 12h14l-4-4m8 12H11l4 4" fill="none" stroke="#fff" stroke-width="3"/></svg>`;
const TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.css': 'text/css; charset=utf-8',
};

export type Asset = { readonly type: string; readonly bytes: Buffer };

/**
 * The files that pages need, by their paths below `/assets`, read once. The design system's own font rules are left out: the NHS typeface
 * is licensed separately and would be fetched from elsewhere; Arial stands behind it. So are its logos.
 */
export async function assetFiles(): Promise<ReadonlyMap<string, Asset>> {
  const home = join(dirname(fileURLToPath(import.meta.resolve('nhsuk-frontend/package.json'))), 'dist', 'nhsuk');
  const files = new Map<string, Asset>();
  const add = (path: string, bytes: Buffer) => files.set(path, { type: TYPES[extname(path)] ?? 'application/octet-stream', bytes });
  const styles = await readFile(join(home, 'nhsuk-frontend.min.css'), 'utf8');
  add(STYLESHEET, Buffer.from(styles.replace(/@font-face\{[^}]*\}/g, '').replace(/\/\*# sourceMappingURL[^*]*\*\//, '') + OWN_STYLES));
  add('/assets/icon.svg', Buffer.from(ICON));
  for (const name of await readdir(join(home, 'assets', 'images')))
    if (/^nhsuk-icon-[a-z-]+\.svg$/.test(name)) add(`/assets/images/${name}`, await readFile(join(home, 'assets', 'images', name)));
  return files;
}

/** Serves them; browsers keep them for a year. */
export async function serveAssets(server: FastifyInstance): Promise<void> {
  for (const [path, { type, bytes }] of await assetFiles()) {
    server.get(path, (_request, reply) =>
      reply.headers({ ...PAGE_HEADERS, 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' }).send(bytes),
    );
  }
}
