import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { writeWhole } from '../objects/file.ts';

/** Paths of PEM files. `authority` is what a peer has to trust. */
export type EndpointFiles = { readonly certificate: string; readonly key: string; readonly authority: string };

/** An endpoint to be certified: `name` is the file name, `hosts` are added to `localhost` and `127.0.0.1`. */
export type EndpointName = { readonly name: string; readonly hosts?: readonly string[] };

export type Certificates = {
  readonly authority: string;
  readonly endpoints: ReadonlyMap<string, EndpointFiles>;
};

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const ENDPOINT_DAYS = 397;

/**
 * Makes, or finds again, an authority and one certificate per endpoint as PEM files in `folder`: `authority.pem`,
 * `NAME.pem` and `NAME.key`, keys readable by their owner only. An endpoint with fewer than 30 days left is made anew.
 * A foreign authority, for tests of refusal, is a second folder.
 */
export async function makeCertificates(folder: string, endpoints: readonly EndpointName[]): Promise<Certificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = (await readAuthority(folder)) ?? (await makeAuthority(folder));
  const files = new Map<string, EndpointFiles>();
  for (const endpoint of endpoints) {
    const paths = {
      certificate: join(folder, `${endpoint.name}.pem`),
      key: join(folder, `${endpoint.name}.key`),
      authority: join(folder, 'authority.pem'),
    };
    if (!(await isUsable(paths, authority.certificate, hostsOf(endpoint)))) await certify(authority, endpoint, paths);
    files.set(endpoint.name, paths);
  }
  return { authority: join(folder, 'authority.pem'), endpoints: files };
}

type Authority = { readonly certificate: x509.X509Certificate; readonly key: webcrypto.CryptoKey };

async function readAuthority(folder: string): Promise<Authority | null> {
  const certificate = await readIfThere(join(folder, 'authority.pem'));
  const key = await readIfThere(join(folder, 'authority.key'));
  if (certificate === null || key === null) return null;
  const read = new x509.X509Certificate(certificate);
  if (read.notAfter.getTime() < Date.now() + ENDPOINT_DAYS * DAY_MS) return null;
  const pkcs8 = x509.PemConverter.decodeFirst(key);
  return { certificate: read, key: await crypto.subtle.importKey('pkcs8', pkcs8, SIGNING, false, ['sign']) };
}

async function makeAuthority(folder: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=Simulated authority ${randomBytes(3).toString('hex')}, O=Open GP2GP simulator`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + AUTHORITY_DAYS * DAY_MS),
    keys,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeKey(join(folder, 'authority.key'), keys.privateKey);
  await writeWhole(join(folder, 'authority.pem'), `${certificate.toString('pem')}\n`, { mode: 0o644 });
  return { certificate, key: keys.privateKey };
}

async function certify(authority: Authority, endpoint: EndpointName, paths: EndpointFiles): Promise<void> {
  const keys = await crypto.subtle.generateKey(SIGNING, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${endpoint.hosts?.[0] ?? endpoint.name}, O=Open GP2GP simulator`,
    issuer: authority.certificate.subject,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + ENDPOINT_DAYS * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(hostsOf(endpoint).map((host) => ({ type: isAddress(host) ? 'ip' : 'dns', value: host }))),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  // The key first: a crash between the two leaves a pair that does not match, which `isUsable` sees.
  await writeKey(paths.key, keys.privateKey);
  await writeWhole(paths.certificate, `${certificate.toString('pem')}\n`, { mode: 0o644 });
}

function hostsOf(endpoint: EndpointName): string[] {
  return [...new Set([...(endpoint.hosts ?? []), 'localhost', '127.0.0.1'])];
}

function isAddress(host: string): boolean {
  return /^\d+(\.\d+){3}$/.test(host) || host.includes(':');
}

async function isUsable(paths: EndpointFiles, authority: x509.X509Certificate, hosts: readonly string[]): Promise<boolean> {
  const pem = await readIfThere(paths.certificate);
  const key = await readIfThere(paths.key);
  if (pem === null || key === null) return false;
  const certificate = new x509.X509Certificate(pem);
  if (certificate.notAfter.getTime() < Date.now() + 30 * DAY_MS) return false;
  if (!(await certificate.verify({ publicKey: authority.publicKey, signatureOnly: true }))) return false;
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map((name) => name.value) ?? [];
  if (!hosts.every((host) => names.includes(host))) return false;
  return matches(certificate, key);
}

async function matches(certificate: x509.X509Certificate, keyPem: string): Promise<boolean> {
  const key = await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(keyPem), SIGNING, false, ['sign']);
  const probe = new TextEncoder().encode('probe');
  const signature = await crypto.subtle.sign(SIGNING, key, probe);
  const publicKey = await certificate.publicKey.export(SIGNING, ['verify']);
  return crypto.subtle.verify(SIGNING, publicKey, signature, probe);
}

function newSerial(): string {
  // The top bit stays clear: a serial number is positive.
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function writeKey(path: string, key: webcrypto.CryptoKey): Promise<void> {
  const pem = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
  await writeWhole(path, `${pem}\n`, { mode: 0o600 });
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  }
}
