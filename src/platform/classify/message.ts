import { Fault } from '../../base/errors.ts';
import { type Micros, readTime } from '../micros.ts';

/** One line of the Spine's log of GP2GP messages. Ids are kept as they were logged. */
export type SpineMessage = {
  readonly at: Micros;
  readonly conversationId: string;
  readonly guid: string;
  readonly interaction: string;
  readonly from: string;
  readonly to: string;
  /** The guid that an acknowledgement answers. */
  readonly ref: string | null;
  readonly error: number | null;
  readonly fromSystem: string | null;
  readonly toSystem: string | null;
};

const NAMES = 'urn:nhs:names:services:gp2gp/';
export const REQUEST = `${NAMES}RCMR_IN010000UK05`;
export const ACKNOWLEDGEMENT = `${NAMES}MCCI_IN010000UK13`;
export const COMMON = `${NAMES}COPC_IN000001UK01`;
/** A core with redactions is a core: without it every transfer between systems that redact would count as failed. */
export const CORE_WITH_REDACTIONS = `${NAMES}RCMR_IN030000UK07`;
const CORES: readonly string[] = [`${NAMES}RCMR_IN030000UK06`, CORE_WITH_REDACTIONS];

export function isCore({ interaction }: SpineMessage): boolean {
  return CORES.includes(interaction);
}

/** The columns of the export, in its order; the systems may be missing. */
export const COLUMNS = [
  '_time',
  'conversationID',
  'GUID',
  'interactionID',
  'messageSender',
  'messageRecipient',
  'messageRef',
  'jdiEvent',
  'toSystem',
  'fromSystem',
] as const;
export type Column = (typeof COLUMNS)[number];
const NEEDED: readonly Column[] = ['_time', 'conversationID', 'GUID', 'interactionID', 'messageSender', 'messageRecipient'];

/** Reads one row by its columns' names. Throws a `Fault` `spineLog.row` that names the column. */
export function readMessage(cell: (column: Column) => string | undefined): SpineMessage {
  const needed = (column: Column): string => {
    const value = cell(column);
    if (value) return value;
    throw new Fault('spineLog.row', `${column} is empty`);
  };
  for (const column of NEEDED) needed(column);
  const time = needed('_time');
  const at = readTime(time);
  if (at === null) throw new Fault('spineLog.row', `_time is no time with a zone: ${JSON.stringify(time.slice(0, 40))}`);
  return {
    at,
    conversationId: needed('conversationID'),
    guid: needed('GUID'),
    interaction: needed('interactionID'),
    from: needed('messageSender'),
    to: needed('messageRecipient'),
    ref: given(cell('messageRef'), 'NotProvided'),
    error: errorCode(given(cell('jdiEvent'), 'NONE')),
    fromSystem: cell('fromSystem') ?? null,
    toSystem: cell('toSystem') ?? null,
  };
}

function given(value: string | undefined, none: string): string | null {
  return value === undefined || value === '' || value === none ? null : value;
}

function errorCode(text: string | null): number | null {
  if (text === null) return null;
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new Fault('spineLog.row', `jdiEvent is no whole number: ${JSON.stringify(text.slice(0, 40))}`);
}
