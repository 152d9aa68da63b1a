import { linkSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { nhsNumber } from '../../base/nhs-number.ts';
import { numberText, readJson, writeJson } from '../../fhir/json.ts';
import type { Attachment, Bundle, DocumentReference, Patient, Resource } from '../../fhir/types.ts';
import { writeWhole } from '../../objects/file.ts';

/** A document of a record: in a file, or made from its description each time it is asked for. */
export type HeldDocument = { readonly id: string; readonly contentType: string; readonly bytes: number; readonly file: string | null };
export type HeldRecord = {
  readonly ods: string;
  readonly nhsNumber: string;
  readonly recordFile: string;
  /** Where it came from: `own`, or the transfer that brought it. */
  readonly source: string;
};
/** A document that came with a transfer, as the node lists it. */
export type FiledDocument = {
  readonly documentId: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly file: string | null;
};

/** A record that came with a transfer, and the file in which it lies. */
export type FiledRecord = { readonly bundle: Bundle; readonly file: string };

export type Records = {
  /** Adds a record as this system's own; its documents are made where they are asked for. */
  addOwn(ods: string, bundle: Bundle, documentBytes?: number): Promise<HeldRecord>;
  /** Takes a filed record over into the live one: from now on it is what another practice gets. */
  addFiled(ods: string, transferId: string, record: FiledRecord, documents: readonly FiledDocument[]): Promise<HeldRecord>;
  find(ods: string, nhsNumber: string): HeldRecord | null;
  document(ods: string, id: string): HeldDocument | null;
  list(): readonly HeldRecord[];
};

/** Stands for the address of the provider in stored records, which may listen elsewhere next time. */
const BASE_MARK = 'gp-connect-base:';

/** A record as it is served at `base`: numbers and all other characters as they were stored. */
export function servedRecord(record: HeldRecord, base: string): Buffer {
  const text = readFileSync(record.recordFile, 'utf8');
  return Buffer.from(text.replaceAll(`"${BASE_MARK}/Binary/`, `"${base}/Binary/`));
}

/** Opens the records below a folder: `ODS/NHSNUMBER/current.json` names the version in use. */
export async function openRecords(folder: string): Promise<Records> {
  const records = new Map<string, HeldRecord>();
  const documents = new Map<string, HeldDocument>();
  const hold = (record: HeldRecord, list: readonly HeldDocument[]): void => {
    records.set(`${record.ods} ${record.nhsNumber}`, record);
    for (const one of list) documents.set(`${record.ods} ${one.id}`, one);
  };
  await mkdir(folder, { recursive: true });
  for (const code of await readdir(folder)) {
    for (const number of await readdir(join(folder, code))) {
      const current = await readIfThere(join(folder, code, number, 'current.json'));
      if (!current) continue;
      const { version, source } = JSON.parse(current) as { version: string; source: string };
      const at = join(folder, code, number, version);
      const list = JSON.parse(await readFile(join(at, 'documents.json'), 'utf8')) as HeldDocument[];
      hold(
        { ods: code, nhsNumber: number, recordFile: join(at, 'record.json'), source },
        list.map((one) => ({ ...one, file: one.file === null ? null : join(at, one.file) })),
      );
    }
  }

  /** `file`: the same bundle in a file that is never changed. */
  async function add(ods: string, bundle: Bundle, source: string, list: readonly HeldDocument[], file: string | null): Promise<HeldRecord> {
    const number = nhsNumberOf(bundle);
    if (!number) throw new Fault('simulator.record', 'the record has no Patient with an NHS number');
    const above = join(folder, ods, number);
    const version = source === 'own' ? `own-${Date.now()}` : source;
    const at = join(above, version);
    mkdirSync(list.some((one) => one.file !== null) ? join(at, 'documents') : at, { recursive: true });
    const stored: HeldDocument[] = [];
    for (const one of list) {
      if (one.file === null) stored.push(one);
      else {
        const name = join('documents', basename(one.file));
        linkOnce(one.file, join(at, name));
        stored.push({ ...one, file: name });
      }
    }
    if (file === null) await writeFile(join(at, 'record.json'), writeJson(bundle), { flush: true });
    else linkOnce(file, join(at, 'record.json'));
    await writeWhole(join(at, 'documents.json'), JSON.stringify(stored), { flush: true });
    await writeWhole(join(above, 'current.json'), JSON.stringify({ version, source }), { flush: true });
    const record = { ods, nhsNumber: number, recordFile: join(at, 'record.json'), source };
    hold(
      record,
      stored.map((one) => ({ ...one, file: one.file === null ? null : join(at, one.file) })),
    );
    return record;
  }

  return {
    addOwn: (ods, bundle, fixedBytes) => {
      const list: HeldDocument[] = [];
      const own = withAttachments(bundle, (attachment, reference) => {
        const id = /Binary\/([^/?#]+)$/.exec(attachment.url ?? '')?.[1] ?? reference.id;
        if (id === undefined) return attachment;
        const bytes = fixedBytes ?? (attachment.size === undefined ? 40_000 : Number(numberText(attachment.size)));
        list.push({ id, contentType: attachment.contentType ?? 'application/octet-stream', bytes, file: null });
        return { ...attachment, url: `${BASE_MARK}/Binary/${id}`, ...(fixedBytes !== undefined && { size: fixedBytes }) };
      });
      return add(ods, own, 'own', list, null);
    },
    addFiled: (ods, transferId, { bundle, file }, filed) => {
      const list: HeldDocument[] = [];
      const live = withAttachments(bundle, (attachment, reference) => {
        const found = filed.find((one) => isMeant(attachment, reference, one));
        // A document that never came keeps a link that this system answers with "not found", as a real one does.
        const id = found?.documentId ?? reference.id;
        if (id === undefined) return attachment;
        if (found?.file) list.push({ id, contentType: found.contentType, bytes: found.bytes, file: found.file });
        return { ...attachment, url: `${BASE_MARK}/Binary/${encodeURIComponent(id)}` };
      });
      const same = !(bundle.entry ?? []).some(({ resource }) => resource?.resourceType === 'DocumentReference');
      return add(ods, live, transferId, list, same ? file : null);
    },
    find: (ods, number) => records.get(`${ods} ${number}`) ?? null,
    document: (ods, id) => documents.get(`${ods} ${id}`) ?? null,
    list: () => [...records.values()],
  };
}

/** Reads a bundle; numbers keep their digits. Throws a `Fault`. */
export function readBundle(source: string | Uint8Array): Bundle {
  const value = readJson(source) as Resource | null;
  if (value?.resourceType !== 'Bundle') throw new Fault('simulator.record', 'the record is no FHIR Bundle');
  return value as Bundle;
}

export function nhsNumberOf(bundle: Bundle): string | null {
  for (const { resource } of bundle.entry ?? []) {
    if (resource?.resourceType !== 'Patient') continue;
    const identifier = (resource as Patient).identifier?.find((one) => one.system === 'https://fhir.nhs.uk/Id/nhs-number');
    return identifier?.value === undefined ? null : nhsNumber(identifier.value);
  }
  return null;
}

function withAttachments(bundle: Bundle, change: (attachment: Attachment, reference: DocumentReference) => Attachment): Bundle {
  return {
    ...bundle,
    entry: (bundle.entry ?? []).map((entry) => {
      if (entry.resource?.resourceType !== 'DocumentReference') return entry;
      const reference = entry.resource as DocumentReference;
      const content = reference.content?.map((one) => (one.attachment ? { ...one, attachment: change(one.attachment, reference) } : one));
      return { ...entry, resource: { ...reference, ...(content && { content }) } };
    }),
  };
}

/** Whether a link of the filed record means a document of the node's list: by its id, or by the name it travelled under. */
function isMeant(attachment: Attachment, reference: DocumentReference, document: FiledDocument): boolean {
  const last =
    decodeLoosely(attachment.url ?? '')
      .split('/')
      .at(-1) ?? '';
  const id = document.documentId.toUpperCase();
  return (
    last === document.name ||
    last.toUpperCase() === id ||
    last.toUpperCase().startsWith(id) ||
    attachment.title === document.name ||
    reference.id?.toUpperCase() === id ||
    (reference.identifier ?? []).some((one) => one.value?.toUpperCase() === id)
  );
}

function decodeLoosely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The same file under a second name, which an interrupted filing may have given it already. */
function linkOnce(file: string, path: string): void {
  try {
    linkSync(file, path);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')) return null;
    throw thrown;
  }
}
