import { basename } from 'node:path';
import type { Note } from '../../platform/classify/conversation.ts';
import { classifyConversation } from '../../platform/classify/transfer.ts';
import { readEvents } from '../../platform/load-events.ts';
import { readSpineLog } from '../../platform/load-spine.ts';
import { readMeshFile } from '../../platform/mesh.ts';
import type { Micros } from '../../platform/micros.ts';
import { readOrganisations } from '../../platform/ods.ts';
import { readOrganisationMetadata } from '../../platform/organisations.ts';
import { loadEvents } from '../../platform/store/bulk.ts';
import { foldWritten } from '../../platform/store/fold.ts';
import { loadRegistrations } from '../../platform/store/mesh.ts';
import { type OrganisationRow, readAsids, writeMetadata, writeOrganisations } from '../../platform/store/organisations.ts';
import { loadTransfers } from '../../platform/store/spine.ts';
import { byConversationSorted } from '../../platform/store/spine-log.ts';
import { jsonLine } from '../operator/words.ts';
import { brokenRows, named, piecesOf, readable, tellBroken } from './files.ts';
import { atPlatform, type PlaceOptions } from './place.ts';

export type LoadOptions = PlaceOptions & { readonly json?: boolean };
export type SpineOptions = LoadOptions & { readonly from?: Micros; readonly until?: Micros; readonly cutoff: number };

/** Events, one a line; see `readEvents`. */
export async function loadEventFiles(files: readonly string[], { json, ...place }: LoadOptions): Promise<void> {
  await readable(files);
  const broken = brokenRows();
  const today = new Date().toISOString().slice(0, 10);
  const all = async function* () {
    for (const file of files) yield* named(file, readEvents(piecesOf(file), broken.of(file), { source: basename(file), today }));
  };
  const { read, written, transfers } = await atPlatform(place, async ({ db, url }) => ({
    ...(await loadEvents(db, url, all())),
    transfers: await foldWritten(db),
  }));
  say(
    json,
    { read, written, transfers, broken: broken.count() },
    `${read} events, ${written} of them new; ${transfers} transfers counted anew.`,
  );
  tellBroken(broken);
}

/** Exports of the Spine's log, read as one: a conversation may go over several files. */
export async function loadSpineFiles(files: readonly string[], { json, from, until, cutoff, ...place }: SpineOptions): Promise<void> {
  await readable(files);
  const broken = brokenRows();
  const notes = new Map<string, number>();
  let read = 0;
  const messages = async function* () {
    for (const file of files)
      for await (const message of named(file, readSpineLog(piecesOf(file), broken.of(file)))) {
        read++;
        yield message;
      }
  };
  const found = await atPlatform(place, async ({ db, url }) => {
    const options = {
      start: from ?? Number.NEGATIVE_INFINITY,
      end: until ?? Number.POSITIVE_INFINITY,
      cutoffDays: cutoff,
      organisationOf: await readAsids(db, (month) => process.stderr.write(`${month}: no ASIDs, those of the month before stand in\n`)),
      note: ({ code }: Note) => void notes.set(code, (notes.get(code) ?? 0) + 1),
    };
    const transfers = async function* () {
      for await (const group of byConversationSorted(url, messages())) {
        const transfer = classifyConversation(group, options);
        if (transfer) yield transfer;
      }
    };
    const loaded = await loadTransfers(url, transfers(), cutoff);
    await foldWritten(db);
    return loaded;
  });
  const told = Object.fromEntries(notes);
  say(
    json,
    { messages: read, transfers: found, notes: told, broken: broken.count() },
    [`${read} messages, ${found} transfers.`, ...[...notes].map(([code, count]) => `${code}: ${count}`)].join('\n'),
  );
  tellBroken(broken);
}

/** Weekly files of before the API. */
export async function loadMeshFiles(files: readonly string[], { json, ...place }: LoadOptions): Promise<void> {
  await readable(files);
  const broken = brokenRows();
  const sum = { written: 0, others: 0 };
  const kinds: Record<string, number> = {};
  await atPlatform(place, async ({ db }) => {
    for (const file of files) {
      const tell = broken.of(file);
      const loaded = await loadRegistrations(db, named(file, readMeshFile(piecesOf(file), tell)), tell);
      for (const [kind, count] of loaded.kinds) kinds[kind] = (kinds[kind] ?? 0) + count;
      sum.written += loaded.written;
      sum.others += loaded.others;
    }
  });
  say(
    json,
    { kinds, ...sum, broken: broken.count() },
    [
      ...Object.entries(kinds).map(([kind, count]) => `${kind}: ${count}`),
      `${sum.written} registrations were new; ${sum.others} records of other types were read.`,
    ].join('\n'),
  );
  tellBroken(broken);
}

/** Organisations: `organisationMetadata.json` of the existing pipeline, or a table with `code` and `kind`. */
export async function loadOrganisationFiles(files: readonly string[], { json, ...place }: LoadOptions): Promise<void> {
  await readable(files);
  const broken = brokenRows();
  const written = await atPlatform(place, async ({ db }) => {
    let count = 0;
    for (const file of files) {
      if (/\.json(\.gz)?$/.test(file)) {
        for await (const metadata of named(file, metadataIn(file))) count += await writeMetadata(db, metadata);
        continue;
      }
      const rows: OrganisationRow[] = [];
      for await (const row of named(file, readOrganisations(piecesOf(file), broken.of(file)))) rows.push(row);
      count += await writeOrganisations(db, rows);
    }
    return count;
  });
  say(json, { written, broken: broken.count() }, `${written} organisations were written.`);
  tellBroken(broken);
}

async function* metadataIn(file: string) {
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(file)) pieces.push(piece);
  yield readOrganisationMetadata(Buffer.concat(pieces).toString('utf8'));
}

function say(json: boolean | undefined, value: unknown, words: string): void {
  process.stdout.write(json ? jsonLine(value) : `${words}\n`);
}
