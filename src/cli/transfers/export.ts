import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Fault } from '../../base/errors.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import { audit } from '../../store/audit.ts';
import type { FoundTransfer } from '../../store/reads/transfer-search.ts';
import { builtInTerminology } from '../../terminology/built-in.ts';
import { makeFolder, openStoreAt } from '../operator/folders.ts';
import { atPlace, OPERATOR, type Place, type PlaceOptions } from '../operator/place.ts';
import { jsonLine } from '../operator/words.ts';
import { capture } from './capture.ts';
import { convertAgain, endInWords, sameEnd } from './convert-again.ts';
import { type ContentKept, type Exported, type ExportedConversion, exportText, FILE, OBJECTS } from './exported.ts';
import { oneTransfer } from './find.ts';
import { hide, nhsNumbersIn } from './hide.ts';
import { createPseudonyms, type Pseudonyms } from './redact.ts';
import { copyContent, copyTask, redactTask } from './take-home.ts';

export type ExportOptions = PlaceOptions & {
  readonly to: string;
  readonly reason: string;
  readonly content: ContentKept;
  readonly json?: boolean;
};
type Taken = { readonly exported: Exported; readonly problems: readonly string[] };

/** Writes everything that a transfer's fate was decided on into a folder, so that it can be looked at elsewhere. */
export async function exportTransfer(id: string, options: ExportOptions): Promise<void> {
  const folder = resolve(options.to);
  const { found, taken } = await atPlace(options, async (place) => {
    const one = await oneTransfer(place.db, id);
    await makeFolder(folder);
    await tellAudit(place, one, options);
    return { found: one, taken: await take(place, one, folder, options.content) };
  });
  await writeFile(join(folder, FILE), exportText(taken.exported, options.content, new Date()), { mode: 0o600 });
  const { entries, conversions } = taken.exported;
  const answer = { transfer: found.id, folder, content: options.content, entries: entries.length, conversions: conversions.length };
  if (options.json) process.stdout.write(jsonLine({ ...answer, problems: taken.problems }));
  else
    process.stdout.write(
      `${folder}: ${entries.length} entries, ${conversions.length} conversions\nLook at it anywhere: gp2gp transfers replay ${folder}\n`,
    );
  for (const problem of taken.problems) process.stderr.write(`gp2gp: ${problem}\n`);
  if (taken.problems.length > 0) process.exitCode = 1;
}

/** Before anything leaves. */
async function tellAudit({ db, user }: Place, { practice, id }: FoundTransfer, { content, reason }: ExportOptions): Promise<void> {
  const actor = `${user} (${OPERATOR})`;
  await audit(db, { practice, transfer: id, actor, action: 'transferExported', detail: { content, reason } });
}

async function take({ db, objects: at }: Place, found: FoundTransfer, folder: string, content: ContentKept): Promise<Taken> {
  if (content !== 'none' && !at)
    throw new Fault('input.objects', 'content is wanted, and the object store is not known', {
      remedy: 'Name it with --objects DIR, or the node’s settings with --config FILE.',
    });
  const from = at && (await openStoreAt(at));
  const captured = await capture(db, from, found);
  if (content === 'none' || !from) return { exported: withoutContent(captured, createPseudonyms()), problems: [] };
  const to = await openObjects(join(folder, OBJECTS));
  if (content === 'redacted') return await redact(captured, { from, to });
  const problems: string[] = [];
  const conversions = await each(captured.conversions, problems, (task) => copyTask(task, { from, to }));
  for (const { message } of captured.entries)
    if (message?.interaction === 'unreadable') for (const { content: part } of message.parts ?? []) await copyContent(part, { from, to });
  return { exported: { ...captured, conversions }, problems };
}

function withoutContent(captured: Exported, pseudonyms: Pseudonyms): Exported {
  return { ...hide(captured, nhsNumbersIn(captured), pseudonyms), conversions: [] };
}

/** Redacted content must still show what it was taken for: each conversion is tried with it. */
async function redact(captured: Exported, stores: { readonly from: Objects; readonly to: Objects }): Promise<Taken> {
  const pseudonyms = createPseudonyms();
  const problems: string[] = [];
  const numbers = nhsNumbersIn(captured);
  const conversions = await each(captured.conversions, problems, async (task) => {
    const redacted = await redactTask(task, stores, pseudonyms);
    return redacted.do === 'toHl7' ? { ...redacted, nhsNumber: pseudonyms(redacted.nhsNumber) as typeof redacted.nhsNumber } : redacted;
  });
  for (const [at, conversion] of conversions.entries()) {
    if (!conversion.ended) continue;
    const end = await convertAgain(conversion, stores.to, { terminology: builtInTerminology, newId: randomUUID });
    if (sameEnd(conversion.ended, end, true)) continue;
    problems.push(
      `conversion ${at + 1} ended otherwise with the redacted record: it was ${endInWords(conversion.ended)}; now it is ${endInWords(end)}. Take the whole content where it may leave.`,
    );
  }
  const { conversions: _whole, ...rest } = captured;
  const ends = conversions.map((conversion) => ({ ...conversion, ended: hide(conversion.ended, numbers, pseudonyms) }));
  return { exported: { ...hide(rest, numbers, pseudonyms), conversions: ends }, problems };
}

/** What is erased cannot be taken along; the rest can. */
async function each(
  conversions: readonly ExportedConversion[],
  problems: string[],
  work: (task: ExportedConversion['task']) => Promise<ExportedConversion['task']>,
): Promise<ExportedConversion[]> {
  const taken: ExportedConversion[] = [];
  for (const conversion of conversions) {
    try {
      taken.push({ ...conversion, task: await work(conversion.task) });
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.code === 'objects.missing')) throw thrown;
      problems.push(`the content of a conversion is erased, and was left out: ${thrown.message}`);
    }
  }
  return taken;
}
