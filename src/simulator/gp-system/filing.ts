import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { AllergyIntolerance, Bundle } from '../../fhir/types.ts';
import { syncFile, withFile, writeAll, writeWhole } from '../../objects/file.ts';
import type { Answer } from '../ask.ts';
import { gatherEach } from '../rooms.ts';
import { askNode, bodyOf, NodeRefusal, type Practice } from './node-client.ts';
import { type FiledDocument, nhsNumberOf, type Records, readBundle } from './records.ts';

/** What a node offers: a record by version and hash, and where to fetch it. */
export const offerSchema = z.object({
  transferId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  conversationId: z.string(),
  nhsNumber: z.string().regex(/^\d{10}$/),
  version: z.union([z.int(), z.string()]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  recordUrl: z.url(),
  documentsUrl: z.url(),
  as: z.enum(['integrate', 'suppress', 'fileAsAttachment']).default('integrate'),
});
export type Offer = z.infer<typeof offerSchema>;

/** The end of a filing, as it stands in `filed.json` and as the node is told. */
export type FilingAnswer = {
  readonly answer: 'filed' | 'refused';
  readonly transferId: string;
  readonly nhsNumber: string;
  readonly version: Offer['version'];
  readonly sha256: string;
  readonly reason?: string;
  readonly at: string;
  readonly as: Offer['as'];
  readonly recordFile: string;
  readonly documents: readonly (FiledDocument & { readonly sha256: string; readonly missing: boolean })[];
};
export type Lease = { readonly answer: 'leased'; readonly leaseUntil: string };

export type Filing = {
  /** Takes an offer; the same offer twice is one filing. */
  offer(practice: Practice, offer: Offer): Promise<FilingAnswer | Lease>;
  ask(practice: Practice, transferId: string): Promise<FilingAnswer | Lease | null>;
  /** Refuses the next offers of a practice with a reason, restarts included; null ends that. */
  refuse(ods: string, reason: string | null): Promise<void>;
  list(): Promise<readonly (FilingAnswer & { readonly ods: string })[]>;
  close(): Promise<void>;
};

const LEASE_MS = 300_000;
const TRIES = 30;
const DRUG_ALLERGY_DEGRADED = '196461000000101';

/**
 * Files what nodes offer: a lease first, then record, report and documents, each checked against its hash, then `filed.json`, and only then
 * the word to the node. Whatever a crash on either side leaves unfinished is taken up again here. The record, its documents and the word
 * survive a power cut as well; a lease that does not is offered again, and lists and report are fetched again by a filing that is.
 */
export async function openFiling(options: {
  readonly folder: string;
  readonly records: Records;
  readonly practices: readonly Practice[];
  readonly lock: (ods: string, nhsNumber: string, locked: boolean, because: string) => Promise<void>;
  readonly log: (line: string) => void;
}): Promise<Filing> {
  const closing = new AbortController();
  const running = new Map<string, Promise<void>>();
  /** Where each offer lies, by practice and transfer. */
  const places = new Map<string, { readonly ods: string; readonly place: string }>();
  mkdirSync(options.folder, { recursive: true });
  const refusalsFile = join(options.folder, 'refusals.json');
  const refusals = new Map<string, string>(JSON.parse(readIfThere(refusalsFile) ?? '[]') as [string, string][]);
  const placeOf = (practice: Practice, offer: { nhsNumber: string; transferId: string }) =>
    join(options.folder, practice.ods, offer.nhsNumber, offer.transferId.toUpperCase());

  async function offer(practice: Practice, offered: Offer): Promise<FilingAnswer | Lease> {
    const place = placeOf(practice, offered);
    const before = readAnswer(place);
    if (before) return before;
    const lease: Lease = { answer: 'leased', leaseUntil: new Date(Date.now() + LEASE_MS).toISOString() };
    mkdirSync(place, { recursive: true });
    places.set(keyOf(practice.ods, offered.transferId), { ods: practice.ods, place });
    await writeWhole(join(place, 'offer.json'), JSON.stringify({ ...offered, leaseUntil: lease.leaseUntil }));
    start(practice, offered, place);
    return lease;
  }

  function start(practice: Practice, offered: Offer, place: string): void {
    if (running.has(place) || closing.signal.aborted) return;
    const work = file(practice, offered, place)
      .catch((thrown: unknown) => {
        if (!closing.signal.aborted) options.log(`filing ${offered.transferId} at ${practice.ods}: ${reasonOf(thrown)}`);
      })
      .finally(() => running.delete(place));
    running.set(place, work);
  }

  async function file(practice: Practice, offered: Offer, place: string): Promise<void> {
    const answer = readAnswer(place) ?? (await decide(practice, offered, place));
    await tell(practice, answer, place);
  }

  async function decide(practice: Practice, offered: Offer, place: string): Promise<FilingAnswer> {
    const answered = (rest: Pick<FilingAnswer, 'answer' | 'documents'> & { reason?: string }): FilingAnswer => ({
      ...rest,
      transferId: offered.transferId,
      nhsNumber: offered.nhsNumber,
      version: offered.version,
      sha256: offered.sha256,
      at: new Date().toISOString(),
      as: offered.as,
      recordFile: join(place, 'record.json'),
    });
    let answer: FilingAnswer;
    const refusal = refusals.get(practice.ods);
    try {
      if (refusal !== undefined) throw new CannotFile(refusal);
      answer = answered({ answer: 'filed', documents: await fetchAll(practice, offered, place) });
    } catch (thrown) {
      if (closing.signal.aborted || !(thrown instanceof CannotFile || thrown instanceof NodeRefusal)) throw thrown;
      answer = answered({ answer: 'refused', reason: reasonOf(thrown), documents: [] });
    }
    await writeWhole(join(place, 'filed.json'), JSON.stringify(answer, null, 1), { flush: true });
    return answer;
  }

  async function fetchAll(practice: Practice, offered: Offer, place: string): Promise<FilingAnswer['documents']> {
    await fetchTo(practice, offered.recordUrl, join(place, 'record.json'), offered.sha256);
    await fetchTo(practice, offered.recordUrl.replace(/record$/, 'report'), join(place, 'report.json'), null, false);
    const bundle = readBundle(readFileSync(join(place, 'record.json')));
    if (nhsNumberOf(bundle) !== offered.nhsNumber)
      throw new CannotFile('wrong patient: the record is not of the number it was offered for');
    await fetchTo(practice, offered.documentsUrl, join(place, 'documents.json'), null, false);
    const list = documentsSchema.safeParse(JSON.parse(readFileSync(join(place, 'documents.json'), 'utf8')));
    if (!list.success) throw new CannotFile(`the list of documents is not usable: ${z.prettifyError(list.error)}`);
    const documents: FilingAnswer['documents'][number][] = [];
    if (list.data.some(({ missing }) => !missing)) mkdirSync(join(place, 'documents'), { recursive: true });
    for (const [index, one] of list.data.entries()) {
      const file = one.missing ? null : join(place, 'documents', String(index + 1).padStart(4, '0'));
      if (file) await fetchTo(practice, `${offered.documentsUrl}/${encodeURIComponent(one.documentId)}`, file, one.sha256 ?? null);
      documents.push({ ...one, sha256: one.sha256 ?? '', file });
    }
    // A lock that a degraded drug allergy asks for is there before anybody can prescribe from the record.
    const degraded = hasDegradedDrugAllergy(bundle);
    if (offered.as !== 'fileAsAttachment') {
      await options.lock(
        practice.ods,
        offered.nhsNumber,
        degraded,
        degraded ? 'a drug allergy came without a code this system knows' : 'none',
      );
      await options.records.addFiled(
        practice.ods,
        offered.transferId.toUpperCase(),
        { bundle, file: join(place, 'record.json') },
        documents,
      );
    }
    return documents;
  }

  /** Fetches until the bytes are whole; bytes that are never what they were announced to be end the filing. */
  async function fetchTo(practice: Practice, url: string, path: string, sha256: string | null, flush = true): Promise<void> {
    let last = '';
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      try {
        const got = await download(await askNode(practice, url, {}, closing.signal), url, `${path}.new`, flush);
        if (sha256 === null || got === sha256) {
          renameSync(`${path}.new`, path);
          return;
        }
        last = `its SHA-256 is ${got}, announced was ${sha256}`;
      } catch (thrown) {
        if (closing.signal.aborted || thrown instanceof NodeRefusal) throw thrown;
        last = reasonOf(thrown);
      }
      await sleep(Math.min(2_000, 50 * 2 ** attempt), undefined, { signal: closing.signal });
    }
    throw new CannotFile(`${url} could not be read: ${last}`);
  }

  async function tell(practice: Practice, answer: FilingAnswer, place: string): Promise<void> {
    const { version, sha256, reason } = answer;
    const body = JSON.stringify({ version, sha256, answer: answer.answer, ...(reason !== undefined && { reason }) });
    const path = `/api/practices/${practice.ods}/transfers/${answer.transferId}/filing`;
    const init = { method: 'POST' as const, headers: { 'content-type': 'application/json' }, body };
    let refusal: string | undefined;
    try {
      const told = await askNode(practice, path, init, closing.signal);
      await told.drop();
    } catch (thrown) {
      if (!(thrown instanceof NodeRefusal)) throw thrown;
      // A node that does not want to know has ended the transfer otherwise; it asks here if it needs the answer.
      refusal = thrown.message;
      options.log(`filing ${answer.transferId} at ${practice.ods}: ${refusal}`);
    }
    // Lost in a power cut, the node is told again.
    await writeWhole(join(place, 'told.json'), JSON.stringify({ at: new Date().toISOString(), refusal }));
  }

  for (const ods of await namesIn(options.folder))
    for (const number of await namesIn(join(options.folder, ods)))
      for (const id of await namesIn(join(options.folder, ods, number)))
        places.set(keyOf(ods, id), { ods, place: join(options.folder, ods, number, id) });
  for (const { ods, place } of places.values()) {
    const practice = options.practices.find((one) => one.ods === ods);
    if (!practice || readIfThere(join(place, 'told.json')) !== null) continue;
    const text = readIfThere(join(place, 'offer.json'));
    const left = text === null ? null : offerSchema.safeParse(JSON.parse(text));
    if (left?.success) start(practice, left.data, place);
  }

  return {
    offer,
    ask: async (practice, transferId) => {
      const found = places.get(keyOf(practice.ods, transferId));
      if (!found) return null;
      const answer = readAnswer(found.place);
      if (answer) return answer;
      const text = readIfThere(join(found.place, 'offer.json'));
      return text === null ? null : { answer: 'leased', leaseUntil: String((JSON.parse(text) as { leaseUntil: unknown }).leaseUntil) };
    },
    refuse: async (ods, reason) => {
      if (reason === null) refusals.delete(ods);
      else refusals.set(ods, reason);
      await writeWhole(refusalsFile, JSON.stringify([...refusals]), { flush: true });
    },
    list: async () => {
      const all: (FilingAnswer & { ods: string })[] = [];
      for (const { ods, place } of places.values()) {
        const answer = readAnswer(place);
        if (answer) all.push({ ods, ...answer });
      }
      return all;
    },
    close: async () => {
      closing.abort();
      await Promise.all(running.values());
    },
  };
}

function keyOf(ods: string, transferId: string): string {
  return `${ods} ${transferId.toUpperCase()}`;
}

/** What keeps this system from ever filing an offer, in words for the other side. */
class CannotFile extends Fault {
  constructor(message: string) {
    super('simulator.cannotFile', message);
    this.name = 'CannotFile';
  }
}

const documentsSchema = z.array(
  z.object({
    documentId: z.string(),
    name: z.string().catch(''),
    contentType: z.string().catch('application/octet-stream'),
    bytes: z.number().catch(0),
    sha256: z.string().nullish(),
    missing: z.union([z.boolean(), z.string(), z.null()]).optional().transform(Boolean),
  }),
);

function hasDegradedDrugAllergy(bundle: Bundle): boolean {
  return (bundle.entry ?? []).some(
    ({ resource }) =>
      resource?.resourceType === 'AllergyIntolerance' &&
      ((resource as AllergyIntolerance).code?.coding ?? []).some((coding) => coding.code === DRUG_ALLERGY_DEGRADED),
  );
}

/** Streams an answer into a file, and where `flush` is set onto the disk; its SHA-256. */
async function download(answer: Answer, url: string, path: string, flush: boolean): Promise<string> {
  const hash = createHash('sha256');
  await withFile(path, 'w', async (file) => {
    await gatherEach(bodyOf(answer, url), async (piece) => {
      hash.update(piece);
      await writeAll(file, piece);
    });
    if (flush) await syncFile(file);
  });
  return hash.digest('hex');
}

function readAnswer(place: string): FilingAnswer | null {
  const text = readIfThere(join(place, 'filed.json'));
  return text === null ? null : (JSON.parse(text) as FilingAnswer);
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { withFileTypes: true })).filter((one) => one.isDirectory()).map((one) => one.name);
}

/** At once: it is in memory as a rule, and four ways to another thread and back cost more than the reading. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  }
}
