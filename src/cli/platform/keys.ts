import { addSubmitter, type KeyUse, listSubmitters, revokeSubmitter } from '../../platform/ingest/submitters.ts';
import { columns, jsonLine } from '../operator/words.ts';
import { atPlatform, type PlaceOptions } from './place.ts';

/** `reports`: a key that reads the operational reports, and sends nothing. */
export type KeyOptions = PlaceOptions & { readonly json?: boolean; readonly reports?: boolean };

function useOf(reports: boolean | undefined): KeyUse {
  return reports ? 'readers' : 'submitters';
}

/** Prints the key, which nobody can read again. */
export async function addKey(name: string, { json, reports, ...place }: KeyOptions): Promise<void> {
  const key = await atPlatform(place, ({ db }) => addSubmitter(db, name, useOf(reports)));
  process.stdout.write(json ? jsonLine({ name, key }) : `${key}\n`);
  if (!json) process.stderr.write('This is shown once: only its hash is kept.\n');
}

export async function revokeKey(name: string, { json, reports, ...place }: KeyOptions): Promise<void> {
  await atPlatform(place, ({ db }) => revokeSubmitter(db, name, useOf(reports)));
  process.stdout.write(json ? jsonLine({ revoked: name }) : `The key of ${name} is taken no more, on running servers within seconds.\n`);
}

export async function listKeys({ json, reports, ...place }: KeyOptions): Promise<void> {
  const keys = await atPlatform(place, ({ db }) => listSubmitters(db, useOf(reports)));
  process.stdout.write(
    json
      ? jsonLine({ keys })
      : columns(
          [reports ? 'reader' : 'submitter', 'since', 'revoked'],
          keys.map(({ name, createdAt, revokedAt }) => [name, createdAt, revokedAt ?? '']),
        ),
  );
}
