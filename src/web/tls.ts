import { constants } from 'node:crypto';
import type { ConnectionOptions, TlsOptions } from 'node:tls';

/** PEM texts. `cert` is the leaf followed by its issuing authorities; `ca` every authority the other side may come from, old and new. */
export type TlsIdentity = { readonly key: string; readonly cert: string; readonly ca: string };

const PROFILE = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
  ].join(':'),
  ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
  sigalgs: [
    'ecdsa_secp256r1_sha256',
    'ecdsa_secp384r1_sha384',
    'rsa_pss_rsae_sha256',
    'rsa_pss_rsae_sha384',
    'rsa_pss_rsae_sha512',
    'rsa_pkcs1_sha256',
    'rsa_pkcs1_sha384',
    'rsa_pkcs1_sha512',
  ].join(':'),
} as const;

/**
 * A listener that demands a client certificate of one of the identity's authorities. No tickets: a resumed session would report the
 * peer as authorised without looking at its chain again.
 */
export function mutualTls(identity: TlsIdentity): TlsOptions {
  return {
    ...PROFILE,
    ...identity,
    requestCert: true,
    rejectUnauthorized: true,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION | constants.SSL_OP_NO_TICKET,
    handshakeTimeout: 10_000,
    ALPNProtocols: ['http/1.1'],
  };
}

/** The client's side. Without an identity the runtime's own list of public authorities is trusted and no certificate is shown. */
export function clientTls(identity: TlsIdentity | null): ConnectionOptions {
  return { ...PROFILE, ...identity, rejectUnauthorized: true };
}
