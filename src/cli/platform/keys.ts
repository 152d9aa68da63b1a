import { addSubmitter, listSubmitters, revokeSubmitter } from '../../platform/ingest/submitters.ts';
import { columns, jsonLine } from '../operator/words.ts';
import { atPlatform, type PlaceOptions } from './place.ts';

export type KeyOptions = PlaceOptions & { readonly json?: boolean };

/** Prints the key, which nobody can read again. */
export async function addKey(name: string, { json, ...place }: KeyOptions): Promise<void> {
  const key = await atPlatform(place, ({ db }) => addSubmitter(db, name));
  process.stdout.write(json ? jsonLine({ name, key }) : `${key}\n`);
  if (!json) process.stderr.write('This is shown once: only its hash is kept.\n');
}

export async function revokeKey(name: string, { json, ...place }: KeyOptions): Promise<void> {
  await atPlatform(place, ({ db }) => revokeSubmitter(db, name));
  process.stdout.write(json ? jsonLine({ revoked: name }) : `The key of ${name} is taken no more, on running servers within seconds.\n`);
}

export async function listKeys({ json, ...place }: KeyOptions): Promise<void> {
  const keys = await atPlatform(place, ({ db }) => listSubmitters(db));
  process.stdout.write(
    json
      ? jsonLine({ keys })
      : columns(
          ['submitter', 'since', 'revoked'],
          keys.map(({ name, createdAt, revokedAt }) => [name, createdAt, revokedAt ?? '']),
        ),
  );
}
