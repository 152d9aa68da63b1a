import { sql } from 'kysely';
import type { Runner } from '../../database/connect.ts';
import type { BrokenRow } from '../load-spine.ts';
import { type MeshRecord, type RegistrationKind, registrationKey, registrationKind } from '../mesh.ts';
import type { PlatformSchema } from './open.ts';

const CHUNK = 5_000;

/** What was read: registrations by what they report, those that were new among them, and records of the other types. */
export type MeshLoaded = {
  readonly kinds: ReadonlyMap<RegistrationKind, number>;
  readonly written: number;
  readonly others: number;
};

/** Keeps the requester records of weekly files; one that comes again replaces what it said before. The other types are only counted. */
export async function loadRegistrations(
  db: Runner<PlatformSchema>,
  records: AsyncIterable<MeshRecord>,
  onBroken: (row: BrokenRow) => void,
): Promise<MeshLoaded> {
  const kinds = new Map<RegistrationKind, number>();
  let others = 0;
  let written = 0;
  let waiting = new Map<string, MeshRecord>();
  const flush = async () => {
    written += await write(db, [...waiting.values()]);
    waiting = new Map();
  };
  for await (const record of records) {
    if (record.kind !== 'RR') {
      others++;
      continue;
    }
    const { RegistrationTime: time = '', RequestorODS: requesting } = record.cells;
    if (!isLocalTime(time)) onBroken({ line: record.line, fault: `RegistrationTime is no time: ${JSON.stringify(time)}` });
    else if (!requesting) onBroken({ line: record.line, fault: 'RequestorODS is empty' });
    else {
      const kind = registrationKind(record);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      waiting.set(registrationKey(record), record);
      if (waiting.size >= CHUNK) await flush();
    }
  }
  if (waiting.size > 0) await flush();
  return { kinds, written, others };
}

/** Gives how many were not there before. */
async function write(db: Runner<PlatformSchema>, records: readonly MeshRecord[]): Promise<number> {
  const rows = records.map((record) => ({
    key: registrationKey(record),
    conversation: record.cells['ConversationID'] || null,
    registered_at: record.cells['RegistrationTime'],
    requesting: record.cells['RequestorODS'],
    sending: record.cells['SenderODS'] || null,
    kind: registrationKind(record),
    record: record.cells,
  }));
  // A row that was made by this very statement has no earlier version.
  const { rows: told } = await sql<{ fresh: boolean }>`
    insert into platform.mesh_registrations (key, conversation, registered_at, requesting, sending, kind, record)
    select key, conversation, registered_at, requesting, sending, kind, record from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as each
      (key text, conversation text, registered_at timestamp, requesting text, sending text, kind text, record jsonb)
    on conflict (key) do update set conversation = excluded.conversation, kind = excluded.kind, record = excluded.record
    returning xmax = 0 as fresh`.execute(db);
  return told.filter(({ fresh }) => fresh).length;
}

function isLocalTime(text: string): boolean {
  const found = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d{1,6})?$/.exec(text);
  if (!found?.[1]) return false;
  const at = Date.parse(`${found[1].replace(' ', 'T')}Z`);
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 19) === found[1].replace(' ', 'T');
}
