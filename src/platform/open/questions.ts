/** What may be asked of the read API: parameters, their checks, and the words with which a wrong one is refused. */
import { z } from 'zod';
import { Problem } from '../../web/problem.ts';
import { type Month, readMonth, sameMonth } from '../metrics/month.ts';
import { ROLES } from '../store/figures.ts';
import { ORGANISATION_KINDS } from './model.ts';
import { MONTH } from './shapes.ts';

const CODE = z
  .string()
  .regex(/^[A-Za-z0-9]{1,12}$/)
  .transform((code) => code.toUpperCase());
const limit = z.coerce.number().int().min(1).max(1000).default(100).describe('Rows of a page, 1000 at most');
const after = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,1000}$/)
  .optional()
  .describe('Where the page begins: stands in "next" of the page before');
const within = CODE.optional().describe('ODS code of an area: only what lies in it');
const supplier = z
  .string()
  .regex(/^\P{C}{0,100}$/u)
  .optional();
const months = {
  from: MONTH.optional().describe('First month; left out, the newest that is open (of one organisation: the oldest)'),
  to: MONTH.optional().describe('Last month; left out, the newest that is open'),
};
const measured = {
  role: z.enum(ROLES).default('requesting').describe('Patients who came (requesting) or who left (sending)'),
  definitions: z
    .enum(['both', 'national', 'improved'])
    .default('both')
    .describe('The national definitions (version 12), the improved measures, or both side by side'),
};

export const LEVEL_PATHS = {
  practices: 'practice',
  'sub-icb-locations': 'sicbl',
  'integrated-care-boards': 'icb',
  regions: 'region',
  england: 'england',
} as const;

export const Nothing = z.strictObject({});
export const OrganisationsAsked = z.strictObject({
  kind: z.enum(ORGANISATION_KINDS).optional(),
  within,
  active: z
    .enum(['true', 'false'])
    .transform((each) => each === 'true')
    .optional()
    .describe('Only those that are open, or that are closed'),
  limit,
  after,
});
export const MetricsAsked = z.strictObject({ ...months, ...measured, within, limit, after });
export const OneMetricsAsked = z.strictObject({ ...months, ...measured, limit, after });
export const OutcomesAsked = z.strictObject({
  ...months,
  requestingSupplier: supplier.describe('Supplier of the practice that asked, as in the answers'),
  sendingSupplier: supplier.describe('Supplier of the practice that was asked, as in the answers'),
  limit,
  after,
});
export const DegradesAsked = z.strictObject({
  ...months,
  supplier: supplier.describe('Supplier of the system that took the record over'),
  limit,
  after,
});
export const CodeAsked = z.object({ code: CODE.describe('ODS code') });
export const LevelAsked = z.object({ level: z.enum(Object.keys(LEVEL_PATHS) as [keyof typeof LEVEL_PATHS]).describe('What is counted') });
export const ShapeAsked = z.object({ name: z.string().regex(/^[a-z-]+\.json$/) });

/** What was asked, checked; throws a `Problem` that names the parameter and says what it must be. */
export function checked<Shape extends z.ZodType>(shape: Shape, given: unknown): z.output<Shape> {
  const { success, data, error } = shape.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const [field = ''] = issue.keys;
    const known = shape instanceof z.ZodObject ? Object.keys(shape.shape) : [];
    throw new Problem(400, 'parameter.unknown', `there is no parameter ${field}`, {
      field,
      remedy: known.length > 0 ? `Parameters here are ${known.join(', ')}.` : 'Leave it out: there are no parameters here.',
    });
  }
  const field = String(issue?.path[0] ?? '');
  throw new Problem(400, 'parameter.malformed', `${field} is not what it must be`, { field, remedy: remedyOf(shape, field) });
}

function remedyOf(shape: z.ZodType, field: string): string {
  const { properties = {} } = z.toJSONSchema(shape, { io: 'input' });
  const known = properties[field] as { enum?: string[]; pattern?: string; minimum?: number; maximum?: number };
  if (known.enum) return `Give one of ${known.enum.join(', ')}, once.`;
  if (known.minimum !== undefined) return `Give a whole number from ${known.minimum} to ${known.maximum}, once.`;
  if (field === 'from' || field === 'to') return 'Give one month, as 2026-02.';
  if (field === 'after') return 'Take the address that stands in "next" of the page before.';
  if (/supplier$/i.test(field)) return 'Give one supplier as it stands in the answers, 100 characters at most.';
  if (field === 'name') return 'Give the name of a shape with .json behind it.';
  return 'Give one ODS code: letters and digits only, 12 at most.';
}

/** The months from first to last, oldest first; only those that are open. */
export function monthsAsked(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  open: readonly Month[],
  fromTheOldest: boolean,
): readonly Month[] {
  const at = (text: string | undefined, field: 'from' | 'to', otherwise: number): number => {
    const month = text === undefined ? null : readMonth(text);
    if (!month) return otherwise;
    const found = open.findIndex((each) => sameMonth(each, month));
    if (found < 0)
      throw new Problem(404, 'month.closed', `there are no open figures of ${text}`, {
        field,
        remedy: 'Ask for one of the months that /api/v1/months lists.',
      });
    return found;
  };
  if (open.length === 0) return [];
  const newest = at(to, 'to', 0);
  const oldest = at(from, 'from', fromTheOldest ? open.length - 1 : newest);
  if (oldest < newest)
    throw new Problem(400, 'months.reversed', `${from} lies after ${to ?? 'the newest month'}`, {
      field: 'from',
      remedy: 'Give the earlier month as from, the later one as to.',
    });
  return open.slice(newest, oldest + 1).toReversed();
}

/** The key that a page begins behind, as text for an address, and back. */
export function cursorText(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

export function cursorOf(text: string | undefined, parts: number): readonly string[] | null {
  if (text === undefined) return null;
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    key = null;
  }
  if (Array.isArray(key) && key.length === parts && key.every((part) => typeof part === 'string' && !part.includes('\u0000')))
    return key as string[];
  throw new Problem(400, 'parameter.malformed', 'after is not what it must be', {
    field: 'after',
    remedy: 'Take the address that stands in "next" of the page before.',
  });
}
