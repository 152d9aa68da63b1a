import { stat } from 'node:fs/promises';
import type { ObjectRef } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { stateInWords } from '../../console/words.ts';
import { checkObjects } from '../../objects/mirror.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import { builtInTerminology } from '../../terminology/built-in.ts';
import { columns, jsonLine, plain } from '../operator/words.ts';
import { terminologyAt } from '../terminology-file.ts';
import { VERSION } from '../version.ts';
import { type Again, decideAgain } from './again.ts';
import { convertAgain, endInWords, sameEnd } from './convert-again.ts';
import { type Ended, type Exported, type ExportHead, readExport } from './exported.ts';

export type ReplayOptions = { readonly terminology?: string; readonly json?: boolean };
type ConvertedAgain = {
  readonly do: 'toHl7' | 'toFhir';
  readonly entry: number | null;
  readonly recorded: Ended | null;
  readonly replayed: Ended;
  readonly same: boolean;
};

/** Makes the decisions and conversions of an export again, without a database and without a network, and says where they differ. */
export async function replayTransfer(path: string, options: ReplayOptions): Promise<void> {
  const { head, exported, objects: folder } = await readExport(path);
  const again = decideAgain(exported.begun, exported.entries);
  const conversions = await convertAll(exported, head, folder, options);
  const ended = again.end.state === 'ended' ? again.end.outcome : null;
  const same = again.differences.length === 0 && !again.stopped && conversions.every((one) => one.same);
  if (options.json) {
    const { made, differences, stopped } = again;
    process.stdout.write(
      jsonLine({
        same,
        transfer: exported.transfer,
        state: again.end.state,
        outcome: ended,
        decisions: exported.entries.length,
        made,
        differences,
        stopped,
        conversions,
      }),
    );
  } else process.stdout.write(plain(inWords(head, exported, again, conversions, same)));
  if (!same) process.exitCode = 1;
}

async function convertAll(exported: Exported, head: ExportHead, folder: string, options: ReplayOptions): Promise<ConvertedAgain[]> {
  if (exported.conversions.length === 0) return [];
  await stat(folder).catch((cause: unknown) => {
    throw new Fault('input.export', `${folder}: the objects of the export are not beside it`, { cause, remedy: 'Copy the whole folder.' });
  });
  const terminology = options.terminology === undefined ? builtInTerminology : await terminologyAt(options.terminology);
  const objects = await openObjects(folder);
  await demandWhole(exported, folder, objects);
  const done: ConvertedAgain[] = [];
  let drawn = 0;
  const newId = (): string => `00000000-0000-4000-9000-${String(++drawn).padStart(12, '0')}`;
  for (const conversion of exported.conversions) {
    const replayed = await convertAgain(conversion, objects, { terminology, newId });
    const { ended: recorded, entry, task } = conversion;
    done.push({
      do: task.do,
      entry,
      recorded,
      replayed,
      same: recorded === null || sameEnd(recorded, replayed, head.content === 'redacted'),
    });
  }
  return done;
}

/** An object that is gone or another one would look like a fault of the conversion. */
async function demandWhole({ conversions }: Exported, folder: string, objects: Objects): Promise<void> {
  const fault = (sha256: string, what: string): Fault =>
    new Fault('input.export', `${folder}: the object ${sha256} ${what}`, {
      remedy: 'Copy the whole folder again, or take the export again.',
    });
  const [altered] = (await checkObjects(folder)).altered;
  if (altered !== undefined) throw fault(altered, 'is not as it was written');
  for (const { task } of conversions)
    for (const ref of objectsIn(task)) if (!(await objects.head(ref))) throw fault(ref.sha256, 'is missing');
}

function objectsIn(value: unknown): ObjectRef[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('sha256' in value && 'bytes' in value) return [value as ObjectRef];
  return Object.values(value).flatMap(objectsIn);
}

function inWords(head: ExportHead, exported: Exported, again: Again, conversions: readonly ConvertedAgain[], same: boolean): string {
  const rows = exported.entries
    .slice(0, again.made)
    .map(({ number, kind, from, to, note }) => [
      String(number),
      again.differences.some((one) => one.entry === number) ? 'DIFFERS' : 'same',
      kind,
      from === to ? '' : `-> ${stateInWords(to, null).text}`,
      note,
    ]);
  const lines = [
    `transfer ${exported.transfer} of ${exported.practice}, taken ${head.at} by gp2gp ${head.product}; this is ${VERSION}`,
    '',
    columns(['', '', 'event', 'state', 'what happened'], rows).trimEnd(),
    ...again.differences.flatMap(({ entry, what, recorded, replayed }) => [
      '',
      `entry ${entry}, ${what}:`,
      `  recorded: ${JSON.stringify(recorded)}`,
      `  replayed: ${JSON.stringify(replayed)}`,
    ]),
    ...(again.stopped ? ['', `entry ${again.stopped.entry} and what follows cannot be replayed: ${again.stopped.why}`] : []),
    ...conversions.flatMap(({ do: what, recorded, replayed, same: alike }) => [
      '',
      `${what === 'toHl7' ? 'The record is written' : 'The record is read'}: ${recorded === null ? 'it had not ended' : alike ? 'same' : 'DIFFERS'}`,
      ...(recorded ? [`  recorded: ${endInWords(recorded)}`] : []),
      `  replayed: ${endInWords(replayed)}`,
    ]),
    '',
    `${again.made} of ${exported.entries.length} decisions and ${conversions.length} conversions again. ${
      same ? `The same comes of it: ${endOf(again)}.` : 'It comes out otherwise.'
    }`,
  ];
  return `${lines.join('\n')}\n`;
}

function endOf({ end }: Again): string {
  if (end.state !== 'ended') return stateInWords(end.state, null).text;
  const { outcome } = end;
  const code = 'code' in outcome ? outcome.code : null;
  return `${stateInWords(end.state, outcome.kind).text}${code === null ? '' : ` (${code})`}`;
}
