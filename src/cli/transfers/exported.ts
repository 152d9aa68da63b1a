/** A transfer that was taken home: one file that says what it is and whether it is whole, and beside it the objects it points at. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { ConversionTask } from '../../service/conversions/tasks.ts';
import type { HistoryEntry } from '../../store/history.ts';
import type { TransferDetails } from '../../store/reads/transfer-details.ts';
import { readStored, writeStored } from '../../store/stored-json.ts';
import type { Basis } from '../../transfer/basis.ts';
import type { Document, Received, Transfer } from '../../transfer/types.ts';
import { VERSION } from '../version.ts';

/** `none`: what happened, and how large everything was; `redacted`: also the record, without names, numbers and words; `whole`: as it is. */
export type ContentKept = 'none' | 'redacted' | 'whole';
export type ExportedEntry = HistoryEntry & {
  readonly eventId: string;
  readonly basis: Basis | null;
  /** What arrived; null where nothing did, or it is erased. */
  readonly message: Received | null;
  /** What was fetched to be sent, where the record was written; null where it is erased. */
  readonly documents: readonly Document[] | null;
};
/** How a conversion ended. */
export type Ended =
  | { readonly ended: 'converted'; readonly summary: Readonly<Record<string, number>> }
  | { readonly ended: 'refused'; readonly code: string; readonly fault: string }
  | { readonly ended: 'failed'; readonly fault: string };
export type ExportedConversion = {
  /** The entry that its end made; null where it has not ended yet. */
  readonly entry: number | null;
  readonly task: Extract<ConversionTask, { do: 'toHl7' | 'toFhir' }>;
  readonly ended: Ended | null;
};
export type Exported = {
  readonly practice: string;
  readonly transfer: string;
  readonly outcome: string | null;
  readonly code: string | null;
  /** As it began, before its first entry. */
  readonly begun: Transfer;
  readonly state: Transfer['state'];
  readonly entries: readonly ExportedEntry[];
  readonly details: TransferDetails;
  readonly conversions: readonly ExportedConversion[];
};
export type ExportHead = {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly product: string;
  readonly at: string;
  readonly content: ContentKept;
  /** Of everything below the first line. */
  readonly sha256: string;
};

const FORMAT = 'gp2gp transfer';
/** Raised when an older program could not make sense of what a newer one writes. */
const FORMAT_VERSION = 1;
export const FILE = 'transfer.json';
export const OBJECTS = 'objects';

/** The text of the file: a line that says what it is, then the transfer. */
export function exportText(exported: Exported, content: ContentKept, at: Date): string {
  const body = `${JSON.stringify(JSON.parse(writeStored(exported)), null, 1)}\n`;
  const head: ExportHead = {
    format: FORMAT,
    version: FORMAT_VERSION,
    product: VERSION,
    at: at.toISOString(),
    content,
    sha256: sha256Of(body),
  };
  return `${JSON.stringify(head)}\n${body}`;
}

/** Reads an export: its folder, or the file in it. Throws a `Fault` `input.export` that says what is wrong with it. */
export async function readExport(
  path: string,
): Promise<{ readonly head: ExportHead; readonly exported: Exported; readonly objects: string }> {
  let folder = path;
  let text: string;
  try {
    const isFolder = (await stat(path)).isDirectory();
    if (!isFolder) folder = join(path, '..');
    text = await readFile(isFolder ? join(path, FILE) : path, 'utf8');
  } catch (cause) {
    throw new Fault('input.export', `${path}: cannot be read (${reasonOf(cause)})`, {
      cause,
      remedy: 'Name the folder that gp2gp transfers export has made.',
    });
  }
  const end = text.indexOf('\n');
  const head = headOf(path, text.slice(0, end < 0 ? text.length : end));
  const body = text.slice(end + 1);
  if (sha256Of(body) !== head.sha256)
    throw new Fault('input.export', `${path}: it is not as it was written: cut off, or changed by hand`, {
      remedy: 'Take the export again.',
    });
  return { head, exported: readStored(body) as Exported, objects: join(folder, OBJECTS) };
}

function headOf(path: string, line: string): ExportHead {
  let head: Partial<ExportHead> | null = null;
  try {
    head = JSON.parse(line.slice(0, 10_000)) as Partial<ExportHead> | null;
  } catch {
    // Told below, as anything else that is no export.
  }
  if (head?.format !== FORMAT || typeof head.version !== 'number')
    throw new Fault('input.export', `${path}: this is no exported transfer`, { remedy: 'gp2gp transfers export makes them.' });
  if (head.version === FORMAT_VERSION) return head as ExportHead;
  throw new Fault(
    'input.export',
    `${path}: it is of format ${head.version}, written by gp2gp ${head.product ?? '?'}; this is gp2gp ${VERSION}, which reads format ${FORMAT_VERSION}`,
    { remedy: 'Replay it with the version that wrote it.' },
  );
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
