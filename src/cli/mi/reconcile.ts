import { readFile } from 'node:fs/promises';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Reconciliation, reconcile } from '../../service/mi/reconcile.ts';
import { atPlace, type PlaceOptions } from '../operator/place.ts';
import { columns, jsonLine } from '../operator/words.ts';

export type ReconcileOptions = PlaceOptions & { readonly received?: string; readonly json?: boolean };

/** Prints the comparison; exit 1 where something was not told, or not taken. */
export async function reconcileAction(options: ReconcileOptions): Promise<void> {
  const received = options.received === undefined ? null : await idsIn(options.received);
  const found = await atPlace(options, ({ db }) => reconcile(db, received));
  process.stdout.write(options.json ? jsonLine(found) : inWords(found));
  process.exitCode = found.agrees ? 0 : 1;
}

/** Ids of version 3 or 4, wherever they stand in the file: one a line, a column of CSV, members of JSON. */
async function idsIn(path: string): Promise<Set<string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new Fault('input.received', `${path} cannot be read (${reasonOf(cause)})`, {
      cause,
      remedy: 'Name a file that holds event ids.',
    });
  }
  // Conversations have ids too: of JSON only what is called an event's id counts.
  const named = [...text.matchAll(/"eventId"\s*:\s*"([0-9a-f-]{36})"/gi)].map(([, id = '']) => id.toLowerCase());
  if (named.length > 0) return new Set(named);
  return new Set(
    [...text.matchAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[34][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/gi)].map(([id]) => id.toLowerCase()),
  );
}

/** Lines of each kind that are shown; --json has all. */
const SHOWN = 20;

function inWords({ practices, missing, service, agrees }: Reconciliation): string {
  const head = ['practice', 'event', 'taken', 'waiting', 'refused', 'unknown'];
  const rows = practices.map(({ practice, path, ...counts }) => [
    practice,
    path,
    ...[counts.taken, counts.waiting, counts.refused, counts.unknown].map(String),
  ]);
  const some = (title: string, lines: readonly string[]): string =>
    lines.length === 0
      ? ''
      : `\n${title}: ${lines.length}\n${lines
          .slice(0, SHOWN)
          .map((line) => `  ${line}\n`)
          .join('')}`;
  return [
    practices.length === 0 ? 'Nothing was told yet.\n' : columns(head, rows),
    some(
      'Events that transfers mean and that were not told',
      missing.map(({ practice, conversationId, path }) => `${practice} ${conversationId} ${path}`),
    ),
    service === null ? '' : `\nThe service names ${service.ids} events.\n`,
    some('Taken, and not named by the service', service?.lost ?? []),
    some('Named by the service, whose answer is still awaited', service?.unheard ?? []),
    some('Named by the service, and not told from here', service?.strange ?? []),
    agrees ? '\nAll of it agrees.\n' : '\nIt does not all agree.\n',
  ].join('');
}
