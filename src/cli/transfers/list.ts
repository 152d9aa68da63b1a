import { Fault } from '../../base/errors.ts';
import { conversationId, type Ods, ods, transferId } from '../../base/ids.ts';
import { nhsNumber } from '../../base/nhs-number.ts';
import { stateInWords } from '../../console/words.ts';
import { audit } from '../../store/audit.ts';
import { type Attention, type FoundTransfer, searchTransfers, type TransferSearch } from '../../store/reads/transfer-search.ts';
import type { Store } from '../../store/tables.ts';
import type { Transfer } from '../../transfer/types.ts';
import { atPlace, OPERATOR, type Place, type PlaceOptions } from '../operator/place.ts';
import { demandPractice } from '../operator/practice.ts';
import { columns, jsonLine, masked, moment } from '../operator/words.ts';

export type ListOptions = PlaceOptions & {
  readonly practice?: string;
  readonly role?: Transfer['role'];
  readonly state?: Transfer['state'];
  readonly outcome?: string;
  readonly code?: string;
  readonly nhsNumber?: string;
  readonly conversation?: string;
  readonly olderThan?: number;
  readonly youngerThan?: number;
  readonly waiting?: boolean;
  readonly attention?: boolean;
  readonly showNhsNumbers?: boolean;
  readonly reason?: string;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
};

export async function listTransfers(options: ListOptions): Promise<void> {
  if (options.showNhsNumbers && options.reason === undefined)
    throw new Fault('input.reason', '--show-nhs-numbers wants a reason', {
      remedy: 'Say why with --reason TEXT; it is written to the audit.',
    });
  const search = searchOf(options);
  await atPlace(options, async (place) => {
    const after = options.after === undefined ? undefined : await lineBefore(place.db, options.after);
    // One more than is shown tells whether there is a next page.
    const found = await searchTransfers(place.db, { ...search, ...(after && { after }) }, options.limit + 1);
    if (found.length === 0 && options.practice !== undefined) await demandPractice(place.db, options.practice);
    const page = found.slice(0, options.limit);
    await tellAudit(place, options, page);
    const next = found.length > page.length ? (page.at(-1)?.id ?? null) : null;
    const shown = options.showNhsNumbers ? page : page.map((one) => ({ ...one, nhsNumber: masked(one.nhsNumber) }));
    process.stdout.write(options.json ? jsonLine({ transfers: shown, next }) : inWords(shown, next));
  });
}

function searchOf(options: ListOptions): TransferSearch {
  const { practice, role, state, outcome, code, conversation, olderThan, youngerThan, waiting, attention } = options;
  const number = options.nhsNumber === undefined ? undefined : nhsNumber(options.nhsNumber);
  if (number === null)
    throw new Fault('input.nhsNumber', '--nhs-number: ten digits are wanted', { remedy: 'As 9990000018, or in quotes with its spaces.' });
  return {
    ...(practice !== undefined && { practice: ods(practice) }),
    ...(role && { role }),
    ...(state && { state }),
    ...(outcome !== undefined && { outcome }),
    ...(code !== undefined && { code }),
    ...(number !== undefined && { nhsNumber: number }),
    ...(conversation !== undefined && { conversationId: conversationId(conversation) }),
    ...(olderThan !== undefined && { olderThanSeconds: olderThan }),
    ...(youngerThan !== undefined && { youngerThanSeconds: youngerThan }),
    ...(waiting && { waiting }),
    ...(attention && { attention }),
  };
}

async function lineBefore(db: Store, id: string) {
  const row = await db
    .selectFrom('transfers')
    .select(['id', 'started_at as startedAt'])
    .where('id', '=', transferId(id))
    .executeTakeFirst();
  if (row) return row;
  throw new Fault('input.after', `--after: there is no transfer ${id.slice(0, 80)}`, { remedy: 'Give the `next` of the page before.' });
}

/** Looking for a patient, or at whole numbers, is written down before anything is shown. */
async function tellAudit(place: Place, options: ListOptions, page: readonly FoundTransfer[]): Promise<void> {
  if (options.nhsNumber === undefined && !options.showNhsNumbers) return;
  const action = options.showNhsNumbers ? 'nhsNumbersShown' : 'searchedByNhsNumber';
  const practices = new Set<Ods | null>(page.map(({ practice }) => practice));
  for (const practice of practices.size > 0 ? practices : [null]) {
    const transfers = page.filter((one) => one.practice === practice).map(({ id }) => id);
    const detail = { transfers, ...(options.reason !== undefined && { reason: options.reason }) };
    await audit(place.db, { practice, transfer: null, actor: `${place.user} (${OPERATOR})`, action, detail });
  }
}

export const ATTENTION: Readonly<Record<Attention, string>> = {
  deadLetter: 'something was put aside',
  failing: 'tried in vain',
  overdue: 'a task is overdue',
  nothingWakes: 'nothing brings it on',
};

function inWords(page: readonly (Omit<FoundTransfer, 'nhsNumber'> & { readonly nhsNumber: string })[], next: string | null): string {
  if (page.length === 0) return 'No transfer.\n';
  const rows = page.map((one) => [
    one.id,
    moment(one.startedAt),
    one.practice,
    one.role === 'requesting' ? 'in' : 'out',
    one.otherPractice ?? '',
    one.nhsNumber,
    `${stateInWords(one.state, one.outcome).text}${one.code !== null && one.code !== 'AA' ? ` (${one.code})` : ''}`,
    [...one.tasks.map((task) => `task ${task}`), ...one.attention.map((each) => ATTENTION[each])].join('; '),
  ]);
  const table = columns(['transfer', 'began (UTC)', 'practice', '', 'other', 'NHS number', 'state', 'needs'], rows);
  return next === null ? table : `${table}More: --after ${next}\n`;
}
