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

/**
 * The files that pages need, below `/assets`, read once and kept by browsers for a year. The design system's own font rules are left out:
 * the NHS typeface is licensed separately and would be fetched from elsewhere; Arial stands behind it. So are its logos.
 */
export async function serveAssets(server: FastifyInstance): Promise<void> {
  const home = join(dirname(fileURLToPath(import.meta.resolve('nhsuk-frontend/package.json'))), 'dist', 'nhsuk');
  const files = new Map<string, Buffer>();
  const styles = await readFile(join(home, 'nhsuk-frontend.min.css'), 'utf8');
  files.set(
    STYLESHEET,
    Buffer.from(styles.replace(/@font-face\{[^}]*\}/g, '').replace(/\/\*# sourceMappingURL[^*]*\*\//, '') + OWN_STYLES),
  );
  files.set('/assets/icon.svg', Buffer.from(ICON));
  for (const name of await readdir(join(home, 'assets', 'images')))
    if (/^nhsuk-icon-[a-z-]+\.svg$/.test(name)) files.set(`/assets/images/${name}`, await readFile(join(home, 'assets', 'images', name)));
  for (const [path, bytes] of files) {
    server.get(path, (_request, reply) =>
      reply
        .headers({
          ...PAGE_HEADERS,
          'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
          'cache-control': 'public, max-age=31536000, immutable',
        })
        .send(bytes),
    );
  }
}
