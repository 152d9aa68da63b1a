/** The shapes of what the read API answers: its types, its schemas and its documentation are all these. */
import { z } from 'zod';
import { LEVELS, ROLES } from '../store/figures.ts';
import { IMPROVED, NATIONAL } from './measures.ts';
import { ORGANISATION_KINDS } from './model.ts';

export const MONTH = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])$/)
  .describe('A month, 2026-02');
const text = (about: string) => z.string().describe(about);
const textOrNull = (about: string) => z.string().nullable().describe(about);
const place = {
  code: text('ODS code; of England, England'),
  kind: z.enum(LEVELS).describe('What lies in what: practice, sub ICB location, integrated care board, region, England'),
  name: textOrNull('Name as ODS has it'),
  sicbl: textOrNull('Code of the sub ICB location it lies in'),
  icb: textOrNull('Code of the integrated care board it lies in'),
  region: textOrNull('Code of the region it lies in'),
};

export const Organisation = z
  .object({
    code: text('ODS code'),
    kind: z.enum(ORGANISATION_KINDS),
    name: textOrNull('Name as ODS has it'),
    parent: textOrNull('Code of what it lies in directly'),
    active: z.boolean().describe('Whether it is open'),
    address: z.array(z.string()).describe('Lines of the address'),
    postcode: z.string().nullable(),
    supplier: textOrNull('Supplier of the clinical system'),
  })
  .describe('A practice, sub ICB location, integrated care board or region');

export const Metric = z
  .object({
    ...place,
    role: z.enum(ROLES).describe('Patients who came (requesting) or who left (sending)'),
    month: MONTH,
    national: z
      .object({ calendar: z.literal('UTC'), ...NATIONAL })
      .optional()
      .describe(
        'By the national definitions, version 12; left out with definitions=improved. Of a practice in the role sending, rounded as improved',
      ),
    improved: z
      .object({ calendar: z.literal('Europe/London'), ...IMPROVED })
      .optional()
      .describe(
        'What is counted beside them, by months of London; left out with definitions=national. Counts of a practice are rounded to 5, and null where they are 1 to 7; their shares are null',
      ),
  })
  .describe('A month of a place');

export const Outcome = z
  .object({
    month: MONTH,
    requestingSupplier: text('Supplier of the practice that asked; empty where it is not known'),
    sendingSupplier: text('Supplier of the practice that was asked; empty where it is not known'),
    status: text('How transfers ended, by the national definitions'),
    failureReason: text('Why; empty for those on time'),
    errorCode: text('The last error that was reported; empty where none was'),
    transfers: z.int().positive(),
  })
  .describe('Transfers of England in one month by the systems of both practices and by outcome');

export const Degrade = z
  .object({
    month: MONTH,
    supplier: text('Supplier of the system that took the record over'),
    type: text('Kind of entry'),
    reason: text('What could not be taken over'),
    system: textOrNull('Code system; null for codes that fewer than 5 degrades of the month have'),
    code: textOrNull('Code; null for codes that fewer than 5 degrades of the month have'),
    degrades: z.int().positive(),
  })
  .describe('Entries of one month that could not be taken over as they were; nothing says which transfer or practice they belong to');

export const File = z.object({
  month: MONTH.nullable().describe('null: everything that is open'),
  csv: text('Address of the file as comma-separated values'),
  parquet: text('Address of the file as Apache Parquet'),
});
export const Dataset = z
  .object({
    name: z.string(),
    title: z.string(),
    about: z.string(),
    schema: text('Address of the JSON schema of a row'),
    files: z.array(File),
  })
  .describe('Files with all rows of one kind');

export const Months = z
  .object({
    months: z.array(MONTH).describe('Newest first'),
    publishedAt: z.iso.datetime().nullable().describe('When the newest was published'),
  })
  .describe('Months whose figures are open');

export const ProblemShape = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: text('Stays the same for the same fault'),
    detail: text('What is wrong'),
    field: z.string().optional().describe('The parameter that is wrong'),
    remedy: z.string().optional().describe('What to do'),
  })
  .describe('Why a question was not answered (RFC 9457)');

const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next: textOrNull('Address of the next page; null on the last one') });

export const OrganisationList = listOf(Organisation);
export const MetricList = listOf(Metric);
export const OutcomeList = listOf(Outcome);
export const DegradeList = listOf(Degrade);
export const DatasetList = z.object({ data: z.array(Dataset) });

/** Rows of files: one level deep, so that they fit a table. */
export const OrganisationRow = Organisation.extend({ address: text('Lines of the address, with a comma and a blank between them') });
const prefixed = <Shape extends Readonly<Record<string, z.ZodType>>>(prefix: string, shape: Shape) =>
  Object.fromEntries(Object.entries(shape).map(([name, type]) => [prefixedName(prefix, name), type]));
export const MetricFileRow = z.object({
  ...place,
  role: z.enum(ROLES),
  month: MONTH,
  ...prefixed('national', NATIONAL),
  ...prefixed('improved', IMPROVED),
});

export function prefixedName(prefix: string, name: string): string {
  return `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Every shape by the name that its schema's address has. */
export const SHAPES = {
  organisation: Organisation,
  metric: Metric,
  outcome: Outcome,
  degrade: Degrade,
  dataset: Dataset,
  months: Months,
  problem: ProblemShape,
  'organisation-list': OrganisationList,
  'metric-list': MetricList,
  'outcome-list': OutcomeList,
  'degrade-list': DegradeList,
  'dataset-list': DatasetList,
  'organisation-row': OrganisationRow,
  'metric-row': MetricFileRow,
} as const satisfies Readonly<Record<string, z.ZodType>>;
export type ShapeName = keyof typeof SHAPES;
