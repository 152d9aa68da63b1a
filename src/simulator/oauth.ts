import { randomUUID, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { SimulatedClock } from './clock.ts';
import { answerJson, type Handler, isObject, readBody, target } from './http.ts';

/** Registered applications: client id -> key id and public key (PEM). */
export type OAuthClients = Readonly<Record<string, { readonly kid: string; readonly publicKey: string }>>;

const LIFE_SECONDS = 599;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** `POST /oauth2/token` with a signed JWT (RS512), as the NHS API platform checks it; the token given may only read. */
export function tokenEndpoint(clients: OAuthClients, clock: SimulatedClock, given: (token: string) => void): Handler {
  const used = new Map<string, number>();
  return async (request, response) => {
    const form = new URLSearchParams((await readBody(request, 65_536)).toString('utf8'));
    const refuse = (status: number, error: string, text: string): void =>
      answerJson(response, status, { error, error_description: text, message_id: randomUUID() });
    if (request.method !== 'POST') return refuse(405, 'invalid_request', 'POST only');
    if (form.get('grant_type') !== 'client_credentials') return refuse(400, 'unsupported_grant_type', 'grant_type is invalid');
    if (form.get('client_assertion_type') !== ASSERTION_TYPE)
      return refuse(400, 'invalid_request', `Missing or invalid client_assertion_type - must be '${ASSERTION_TYPE}'`);
    const wrong = wrongWith(form.get('client_assertion') ?? '', clients, audiencesOf(request), clock.now().getTime(), used);
    if (wrong) return refuse(wrong.status, wrong.error, wrong.text);
    const token = randomUUID().replace(/-/g, '');
    given(token);
    answerJson(response, 200, {
      access_token: token,
      expires_in: String(LIFE_SECONDS),
      token_type: 'Bearer',
      issued_at: String(clock.now().getTime()),
    });
  };
}

function audiencesOf(request: IncomingMessage): string[] {
  const { path } = target(request);
  return [`http://${request.headers.host}${path}`, `https://${request.headers.host}${path}`];
}

type Wrong = { readonly status: number; readonly error: string; readonly text: string };

function wrongWith(jwt: string, clients: OAuthClients, audiences: readonly string[], now: number, used: Map<string, number>): Wrong | null {
  const [head = '', body = '', signature = '', ...more] = jwt.split('.');
  const header = decode(head);
  const claims = decode(body);
  const bad = (text: string, status = 400, error = 'invalid_request'): Wrong => ({ status, error, text });
  if (!header || !claims || !signature || more.length) return bad('Malformed JWT in client_assertion');
  if (header['alg'] !== 'RS512') return bad("Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be 'RS512'");
  const issuer = typeof claims['iss'] === 'string' ? claims['iss'] : '';
  const client = Object.hasOwn(clients, issuer) ? clients[issuer] : undefined;
  if (!client || claims['sub'] !== issuer)
    return bad('Missing or non-matching iss/sub claims in client_assertion JWT', 401, 'invalid_client');
  if (header['kid'] !== client.kid)
    return bad("Invalid 'kid' header in client_assertion JWT - no matching public key", 401, 'invalid_client');
  if (!verify('sha512', Buffer.from(`${head}.${body}`), client.publicKey, Buffer.from(signature, 'base64url')))
    return bad('JWT signature verification failed', 401, 'public_key error');
  if (typeof claims['aud'] !== 'string' || !audiences.includes(claims['aud']))
    return bad('Missing or invalid aud claim in client_assertion JWT', 401);
  const { exp, jti } = claims;
  if (typeof exp !== 'number' || !Number.isInteger(exp)) return bad('Missing or invalid exp claim in client_assertion JWT');
  if (exp * 1000 <= now) return bad('Invalid exp claim in client_assertion JWT - JWT has expired');
  if (exp * 1000 > now + 300_000) return bad('Invalid exp claim in client_assertion JWT - more than 5 minutes in future');
  if (typeof jti !== 'string' || !jti) return bad('Missing or invalid jti claim in client_assertion JWT');
  for (const [id, until] of used) if (until < now) used.delete(id);
  if (used.has(`${issuer} ${jti}`)) return bad('Non-unique jti claim in client_assertion JWT');
  used.set(`${issuer} ${jti}`, exp * 1000);
  return null;
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
