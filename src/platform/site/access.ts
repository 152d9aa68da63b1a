/** Who may read what is not for the public: a key, asked for by the browser itself, so that no page, cookie or script is needed. */
import type { FastifyInstance } from 'fastify';
import { Problem } from '../../web/problem.ts';

const REALM = 'Basic realm="Operational reports", charset="UTF-8"';

/**
 * Asks for a key before every answer but styles and pictures: the password of HTTP's basic authentication, under any name. Answers are kept
 * by nobody on the way. The server must not be reached but through TLS: the key crosses with every request.
 */
export function keepFromOthers(server: FastifyInstance, mayRead: (key: string) => Promise<boolean>): void {
  server.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/assets/')) return;
    const key = keyIn(request.headers.authorization);
    if (key !== null && (await mayRead(key))) return;
    reply.header('www-authenticate', REALM);
    throw new Problem(401, 'key.unknown', 'A key is needed to read these reports. Whoever runs this service gives them out.');
  });
  server.addHook('onSend', async (request, reply) => {
    if (!request.url.startsWith('/assets/')) reply.header('cache-control', 'no-store');
  });
}

function keyIn(authorization: string | undefined): string | null {
  const [, coded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  if (coded === undefined) return null;
  const text = Buffer.from(coded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 || colon === text.length - 1 ? null : text.slice(colon + 1);
}
