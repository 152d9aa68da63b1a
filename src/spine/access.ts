/** Application-restricted access to national services: a token in exchange for an assertion that we sign. */
import { importPKCS8, SignJWT } from 'jose';
import { Fault, reasonOf } from '../base/errors.ts';
import { readJson } from '../fhir/json.ts';
import { member, text } from '../fhir/members.ts';
import { type HttpClient, HttpFault, readBody } from '../web/client.ts';

/** An application as it is registered at the API platform. */
export type Application = {
  /** Exactly as the platform publishes it: the assertion names it as its audience. */
  readonly tokenUrl: string;
  readonly clientId: string;
  /** PKCS#8 PEM of an RSA key, whose public half is registered under `keyId`. */
  readonly key: string;
  readonly keyId: string;
};
export type AccessOptions = Application & { readonly client: HttpClient; readonly newId: () => string; readonly now: () => Date };

const ANSWER_BYTES = 64 * 1024;
/** The platform takes assertions of five minutes at most. */
const ASSERTION_SECONDS = 240;
/** A token is not used in its last minute: it would end under a request. */
const SPARE_MS = 60_000;
/** A token that was refused within this time of being given is not refused for its age: another one would fare no better. */
const FRESH_MS = 1_000;

/**
 * Gives tokens: the same one until its last minute, one request for a new one however many wait for it. `renew` asks for another before
 * that, after the service refused the last. Throws a `Fault`: `access.unavailable` where asking again may help, else `access.refused`.
 */
export function createAccess(options: AccessOptions): (renew: boolean) => Promise<string> {
  let held: { readonly token: string; readonly givenAt: number; readonly until: number } | null = null;
  let asking: Promise<string> | null = null;

  async function ask(): Promise<string> {
    const { client, tokenUrl } = options;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(options),
    });
    const givenAt = options.now().getTime();
    let status: number;
    let body: unknown;
    try {
      const answer = await client.request({
        method: 'POST',
        url: tokenUrl,
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: form.toString(),
      });
      status = answer.status;
      body = jsonOf(await readBody(answer, ANSWER_BYTES));
    } catch (cause) {
      const settings = cause instanceof HttpFault && cause.kind === 'configuration';
      throw new Fault(settings ? 'access.refused' : 'access.unavailable', `no token can be asked for: ${reasonOf(cause)}`, {
        ...(cause instanceof Fault && cause.remedy !== null && { remedy: cause.remedy }),
        cause,
      });
    }
    const token = text(body, 'access_token');
    // The platform writes seconds as a text.
    const seconds = Number(member(body, 'expires_in'));
    if (status === 200 && token !== null) {
      held = { token, givenAt, until: givenAt + (Number.isFinite(seconds) ? seconds * 1000 : 0) - SPARE_MS };
      return token;
    }
    const said = [text(body, 'error'), text(body, 'error_description')].filter((each) => each !== null).join(': ');
    const passing = status === 200 || status >= 500 || status === 408 || status === 429;
    throw new Fault(
      passing ? 'access.unavailable' : 'access.refused',
      `the token endpoint answered HTTP ${status}${said && `: ${said.slice(0, 300)}`}`,
      { ...(!passing && { remedy: 'check the client id, the key id, that the public key is registered, and the clock of this machine' }) },
    );
  }

  return async (renew) => {
    const now = options.now().getTime();
    if (held && now < held.until && (!renew || now - held.givenAt < FRESH_MS)) return held.token;
    asking ??= ask().finally(() => {
      asking = null;
    });
    return await asking;
  };
}

/** The tokens that a setting leads to: always the same text, or those of an application. */
export function createToken(
  access: { readonly token: string } | Application,
  options: Omit<AccessOptions, keyof Application>,
): (renew: boolean) => Promise<string> {
  if ('token' in access) return async () => access.token;
  return createAccess({ ...access, ...options });
}

/** Signed anew for each request: the platform takes an assertion's `jti` once. */
async function assertion({ tokenUrl, clientId, key, keyId, newId, now }: AccessOptions): Promise<string> {
  let signing: Awaited<ReturnType<typeof importPKCS8>>;
  try {
    signing = await importPKCS8(key, 'RS512');
  } catch (cause) {
    throw new Fault('access.key', `the key of the application cannot be used: ${reasonOf(cause)}`, {
      remedy: 'give an RSA key of 4096 bits in PKCS#8 PEM (BEGIN PRIVATE KEY)',
      cause,
    });
  }
  return await new SignJWT()
    .setProtectedHeader({ alg: 'RS512', typ: 'JWT', kid: keyId })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(tokenUrl)
    .setJti(newId())
    .setExpirationTime(Math.floor(now().getTime() / 1000) + ASSERTION_SECONDS)
    .sign(signing);
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return readJson(body);
  } catch {
    // A proxy's page: the status says what there is to say.
    return null;
  }
}
