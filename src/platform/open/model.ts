/** What is open to everybody: the rows that the read API and the files are made of, and the questions by which they are read. */
import type { Counts } from '../metrics/counts.ts';
import type { Month } from '../metrics/month.ts';
import type { Level, MoreCounts, Role } from '../store/figures.ts';

export const ORGANISATION_KINDS = ['practice', 'sicbl', 'icb', 'region'] as const;
export type OrganisationKind = (typeof ORGANISATION_KINDS)[number];

export type OpenOrganisation = {
  readonly code: string;
  readonly kind: OrganisationKind;
  readonly name: string | null;
  readonly parent: string | null;
  readonly active: boolean;
  readonly address: readonly string[];
  readonly postcode: string | null;
  readonly supplier: string | null;
};

/** A place's month: by the national definitions, in months of UTC, and what is counted beside them, in months of London. */
export type MetricRow = {
  readonly code: string;
  readonly kind: Level;
  readonly name: string | null;
  readonly sicbl: string | null;
  readonly icb: string | null;
  readonly region: string | null;
  readonly role: Role;
  /** `2026-02`. */
  readonly month: string;
  readonly counts: Counts;
  readonly more: MoreCounts;
};

export type OutcomeRow = {
  readonly month: string;
  readonly requestingSupplier: string;
  readonly sendingSupplier: string;
  readonly status: string;
  readonly failureReason: string;
  readonly errorCode: string;
  readonly transfers: number;
};

export type DegradeRow = {
  readonly month: string;
  readonly supplier: string;
  readonly type: string;
  readonly reason: string;
  /** Of the first coding; both are `null` for codes too rare to be shown. */
  readonly system: string | null;
  readonly code: string | null;
  readonly degrades: number;
};

/** `after`: the key of the last row that was read; rows come in the order of their keys. */
type Paged = { readonly after: readonly string[] | null; readonly limit: number };
export type OrganisationQuestion = Paged & {
  readonly kind: OrganisationKind | null;
  readonly code: string | null;
  /** What lies anywhere below this place. */
  readonly within: string | null;
  readonly active: boolean | null;
};
export type MetricQuestion = Paged & {
  readonly level: Level;
  readonly role: Role;
  readonly months: readonly Month[];
  readonly code: string | null;
  readonly within: string | null;
};
export type OutcomeQuestion = Paged & {
  readonly months: readonly Month[];
  readonly requestingSupplier: string | null;
  readonly sendingSupplier: string | null;
};
export type DegradeQuestion = Paged & { readonly months: readonly Month[]; readonly supplier: string | null };

/** Reads that cost the same however far on in the rows they begin. Which months are open is not their business: they are asked for. */
export type OpenReads = {
  organisations(of: OrganisationQuestion): Promise<readonly OpenOrganisation[]>;
  /** Active places have a row for every month, of zeroes where nothing happened; by code, then month. */
  metrics(of: MetricQuestion): Promise<readonly MetricRow[]>;
  outcomes(of: OutcomeQuestion): Promise<readonly OutcomeRow[]>;
  degrades(of: DegradeQuestion): Promise<readonly DegradeRow[]>;
};

/** The key of a row, in the order that its read gives rows. */
export const KEYS = {
  organisations: (row: OpenOrganisation) => [row.code],
  metrics: (row: MetricRow) => [row.code, row.month],
  outcomes: (row: OutcomeRow) => [row.month, row.requestingSupplier, row.sendingSupplier, row.status, row.failureReason, row.errorCode],
  degrades: (row: DegradeRow) => [row.month, row.supplier, row.type, row.reason, row.system ?? '', row.code ?? ''],
} as const;
