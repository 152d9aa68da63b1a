import { z } from 'zod';
import { Fault } from '../base/errors.ts';
import type { Organisation, OrganisationOf } from './classify/transfer.ts';
import { addMonths, type Month, monthOf, monthText } from './metrics/month.ts';

/** What a database keeps as a text. */
const kept = z
  .string()
  .refine((value) => !value.includes('\0') && value.isWellFormed(), 'must be a text without U+0000 and halves of surrogate pairs');

/** The file `organisationMetadata.json` of the existing pipeline: practices with their ASIDs, and sub ICB locations with their practices. */
const metadataSchema = z.object({
  year: z.int(),
  month: z.int().min(1).max(12),
  practices: z.array(z.object({ ods_code: kept, name: kept.nullable(), asids: z.array(kept) })),
  sicbls: z.array(z.object({ ods_code: kept, name: kept.nullable(), practices: z.array(kept) })),
});
export type OrganisationMetadata = z.infer<typeof metadataSchema>;

/** Throws a `Fault` `input.organisations` that names the member. */
export function readOrganisationMetadata(text: string): OrganisationMetadata {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault('input.organisations', 'the organisation metadata are no JSON', { cause });
  }
  const result = metadataSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Fault('input.organisations', `${issue?.path.join('.')}: ${issue?.message}`);
}

/**
 * Who an ASID belongs to in a month; where there is nothing for the month, in the month before it. `onFallback` is told of the month that
 * was asked for. Throws a `Fault` `organisations.none` where there is neither.
 */
export function organisationLookup(
  files: readonly OrganisationMetadata[],
  onFallback: (month: Month) => void = () => undefined,
): OrganisationOf {
  const byMonth = new Map(files.map((file) => [monthText(file), indexOf(file)]));
  const told = new Set<string>();
  return (asid, requestedAt) => {
    const month = monthOf(requestedAt, 'UTC');
    const name = monthText(month);
    const own = byMonth.get(name);
    if (own) return own.get(asid) ?? null;
    const before = byMonth.get(monthText(addMonths(month, -1)));
    if (!before)
      throw new Fault('organisations.none', `there are no organisations for ${name}, nor for the month before`, {
        remedy: 'Import them first: gp2gp platform ods FILE…',
      });
    if (!told.has(name)) onFallback(month);
    told.add(name);
    return before.get(asid) ?? null;
  };
}

function indexOf({ practices, sicbls }: OrganisationMetadata): Map<string, Organisation> {
  const locations = new Map<string, { ods_code: string; name: string | null }>();
  for (const sicbl of sicbls) for (const practice of sicbl.practices) locations.set(practice, sicbl);
  const index = new Map<string, Organisation>();
  for (const { ods_code: ods, name, asids } of practices) {
    const location = locations.get(ods);
    const organisation = { ods, name, sicblOds: location?.ods_code ?? null, sicblName: location?.name ?? null };
    for (const asid of asids) index.set(asid, organisation);
  }
  return index;
}
