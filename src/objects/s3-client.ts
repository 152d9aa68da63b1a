import type { S3Client } from '@aws-sdk/client-s3';
import { Fault, reasonOf } from '../base/errors.ts';

/** Where an S3-compatible store is. Without keys the SDK looks where it always does: environment, profile, role of the machine. */
export type S3Settings = {
  readonly bucket: string;
  /** Before every key; empty, or ending with a slash. */
  readonly prefix: string;
  readonly region: string;
  /** Of a store that is not Amazon's. */
  readonly endpoint?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  /** The bucket in the path instead of in the host's name. */
  readonly pathStyle: boolean;
};

export type Sdk = typeof import('@aws-sdk/client-s3');

/** A request without an answer is given up after so long; nothing that was asked for then still happens much later. */
export const REQUEST_MS = 20_000;
const CONNECTION_MS = 5_000;

/** The SDK is an optional dependency, and 20 MB of memory: nobody loads it who has no S3. */
export async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new Fault('objects.sdk', `the package for S3 cannot be loaded: ${reasonOf(cause)}`, {
      remedy: 'Install it beside this program: npm install @aws-sdk/client-s3.',
      cause,
    });
  }
}

export function openClient(sdk: Sdk, settings: S3Settings, attempts: number): S3Client {
  const { region, endpoint, accessKeyId, secretAccessKey, pathStyle } = settings;
  return new sdk.S3Client({
    region,
    forcePathStyle: pathStyle,
    maxAttempts: attempts,
    // Stores other than Amazon's refuse the checksums that the SDK would add of its own accord. Signatures cover the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECTION_MS, socketTimeout: REQUEST_MS },
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined && secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  });
}

/** Whether the store said that there is no such key. */
export function isAbsent(thrown: unknown): boolean {
  return statusOf(thrown) === 404 && nameOf(thrown) !== 'NoSuchBucket';
}

/** What a store or the way to it said, in words an operator can act on. A fault of whoever gave the bytes stays what it is. */
export function s3Fault(thrown: unknown, what: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const status = statusOf(thrown);
  const said = `${what}: ${nameOf(thrown)}: ${reasonOf(thrown)}`;
  if (nameOf(thrown) === 'NoSuchBucket')
    return new Fault('objects.bucket', said, { remedy: 'Make the bucket, or correct objects.s3.bucket.', cause: thrown });
  if (status === 401 || status === 403)
    return new Fault('objects.access', said, {
      remedy: 'Check the keys or the role, and that they may read, write, list and delete in this bucket.',
      cause: thrown,
    });
  if (status === 301 || nameOf(thrown) === 'AuthorizationHeaderMalformed')
    return new Fault('objects.region', said, { remedy: 'Correct objects.s3.region.', cause: thrown });
  if (status === undefined && nameOf(thrown) === 'CredentialsProviderError')
    return new Fault('objects.access', said, { remedy: 'Give objects.s3.accessKeyId and secretAccessKey, or a role.', cause: thrown });
  if (status === undefined)
    return new Fault('objects.unreachable', said, { remedy: 'Check objects.s3.endpoint and the way there.', cause: thrown });
  return new Fault('objects.failed', said, { cause: thrown });
}

export function statusOf(thrown: unknown): number | undefined {
  const metadata = (thrown as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata;
  return metadata?.httpStatusCode;
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : 'unknown';
}
