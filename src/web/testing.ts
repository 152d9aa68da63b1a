/** Certificates for tests: real authorities and leaves, made in the process, never written to disk. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { TlsIdentity } from './tls.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export type TestAuthority = {
  /** PEM of the authority's own certificate. */
  readonly cert: string;
  /** A leaf for a host name, and unless that is to be its only one for loopback. Days may be in the past. */
  issue(
    name: string,
    options?: { readonly validDays?: readonly [from: number, to: number]; readonly only?: true },
  ): Promise<{ key: string; cert: string }>;
};

export async function testAuthority(name: string): Promise<TestAuthority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: days(-1),
    notAfter: days(30),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return {
    cert: root.toString('pem'),
    async issue(host, options = {}) {
      const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const [from, to] = options.validDays ?? [-1, 7];
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${host}`,
        issuer: root.subject,
        notBefore: days(from),
        notAfter: days(to),
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: host },
            ...(options.only
              ? []
              : ([
                  { type: 'dns', value: 'localhost' },
                  { type: 'ip', value: '127.0.0.1' },
                ] as const)),
          ]),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        ],
      });
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64');
      return {
        key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
        cert: leaf.toString('pem'),
      };
    },
  };
}

/** An identity of `authority` that trusts `trusts` (its own authority unless told otherwise). */
export async function testIdentity(authority: TestAuthority, name: string, trusts: TestAuthority = authority): Promise<TlsIdentity> {
  return { ...(await authority.issue(name)), ca: trusts.cert };
}

function days(from: number): Date {
  return new Date(Date.now() + from * 86_400_000);
}
