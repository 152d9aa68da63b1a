/** What a TLS identity is made of, looked at before it is used: whether it can work, and for how long. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { reasonOf } from '../base/errors.ts';
import type { TlsIdentity } from './tls.ts';

/** A certificate with what it is there for, and the day on which it ends. */
export type Expiry = { readonly purpose: 'own' | 'chain' | 'authority'; readonly subject: string; readonly endsAt: Date };

const DAY_MS = 86_400_000;
/** Bits of the shortest key that is taken: RSA, and elliptic curves. */
const LEAST_BITS = { rsa: 2048, ec: 256 } as const;

/** The certificates of a text of PEM blocks, in order. White space that a variable has mangled is put right. */
export function certificatesIn(pem: string): X509Certificate[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)].map(
    ([, body = '']) => new X509Certificate(Buffer.from(body.replace(/\\n|\s/g, ''), 'base64')),
  );
}

/** PEM as OpenSSL wants it, however its line ends came through a variable of the environment. */
export function straightPem(text: string): string {
  return text.replace(
    /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g,
    (_all, label: string, body: string) =>
      `\n-----BEGIN ${label}-----\n${body.replace(/\\n|\s/g, '').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`,
  );
}

/** When each of the certificates ends, the first to end first. */
export function expiriesOf({ cert, ca }: Pick<TlsIdentity, 'cert' | 'ca'>): Expiry[] {
  const [own, ...chain] = certificatesIn(cert);
  const expiry =
    (purpose: Expiry['purpose']) =>
    (of: X509Certificate): Expiry => ({ purpose, subject: nameOf(of), endsAt: new Date(of.validTo) });
  return [...(own ? [own] : []).map(expiry('own')), ...chain.map(expiry('chain')), ...certificatesIn(ca).map(expiry('authority'))].sort(
    (a, b) => a.endsAt.getTime() - b.endsAt.getTime(),
  );
}

export function daysLeft({ endsAt }: Expiry, now: Date): number {
  return (endsAt.getTime() - now.getTime()) / DAY_MS;
}

/**
 * Everything that keeps an identity from working, each with what to do; none for a good one. `host`: the name under which the endpoint
 * is registered.
 */
export function identityProblems(identity: TlsIdentity, now: Date, host?: string): string[] {
  const problems: string[] = [];
  const read = <T>(what: string, work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      problems.push(`${what} cannot be read: ${reasonOf(error)}; give it as PEM`);
      return null;
    }
  };
  const certificates = read('the certificate', () => certificatesIn(identity.cert)) ?? [];
  const authorities = read('the authorities', () => certificatesIn(identity.ca)) ?? [];
  const key = read('the key', () => createPrivateKey(straightPem(identity.key)));
  const [own] = certificates;
  if (!own) return [...problems, 'there is no certificate; the file has to begin with our own'];
  if (authorities.length === 0) problems.push('there is no authority; name those that issued the certificates of our peers');
  if (key && !own.checkPrivateKey(key))
    problems.push(`the key is not that of the certificate ${nameOf(own)}; one of the two files is an old one`);
  for (const certificate of certificates) problems.push(...timeProblems(certificate, now));
  if (key) problems.push(...weakness(own.publicKey));
  if (!chainComplete(certificates, authorities))
    problems.push(
      `the certificate ${nameOf(own)} is issued by "${commonName(own.issuer)}", which is not here; put its certificate behind ours`,
    );
  if (host !== undefined && own.checkHost(host) === undefined)
    problems.push(`the certificate ${nameOf(own)} is not for ${host}, under which we are registered; have one issued for that name`);
  return problems;
}

function timeProblems(certificate: X509Certificate, now: Date): string[] {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (to < now) return [`the certificate ${nameOf(certificate)} ended on ${to.toISOString().slice(0, 10)}; have a new one issued`];
  if (from > now)
    return [`the certificate ${nameOf(certificate)} begins on ${from.toISOString().slice(0, 10)}; check the clock of this machine`];
  return [];
}

function weakness(key: KeyObject): string[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' || type === 'rsa-pss')
    return (details?.modulusLength ?? 0) < LEAST_BITS.rsa ? [`the RSA key has less than ${LEAST_BITS.rsa} bits; make a new one`] : [];
  if (type === 'ec')
    return /^(prime256v1|secp384r1|secp521r1)$/.test(details?.namedCurve ?? '')
      ? []
      : [`the curve ${details?.namedCurve} is not taken; use P-${LEAST_BITS.ec}`];
  return type === 'ed25519' ? [] : [`keys of the kind ${type} are not taken; use RSA or P-${LEAST_BITS.ec}`];
}

/** Each certificate is issued by the next, and the last by itself or by an authority that we know. */
function chainComplete(certificates: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  return certificates.every((certificate, at) => {
    const next = certificates[at + 1];
    if (next && issued(next, certificate)) return true;
    return issued(certificate, certificate) || authorities.some((authority) => issued(authority, certificate));
  });
}

/** Whether `issuer` has signed `certificate`. */
export function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

export function nameOf(certificate: X509Certificate): string {
  return `"${commonName(certificate.subject)}"`;
}

function commonName(subject: string): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replace(/\n/g, ', ');
}
