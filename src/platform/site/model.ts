/** What the pages are made of. The reads of the store give these; a test or a page in a workshop makes them by hand. */
import type { CsvCell } from '../csv.ts';
import type { Counts } from '../metrics/counts.ts';
import type { Month } from '../metrics/month.ts';
import type { PracticeCounts } from '../metrics/practices.ts';
import type { OpenReads } from '../open/model.ts';
import type { ReportName } from '../reports/reports.ts';
import type { Alert } from '../store/alerts.ts';
import type { Benchmark } from '../store/benchmarks.ts';
import type { DayMeasure } from '../store/days.ts';
import type { Detail, DetailedList } from '../store/details.ts';
import type { MonthFigures } from '../store/figures.ts';
import type { DayCount, Days, DegradeCount, ListedTransfer, ListName, OpenCounts, Part, Step, ToldEvent } from '../store/operational.ts';

export type Kind = 'practice' | 'sicbl' | 'icb' | 'region';
/** Whatever lies above practices. */
export type AreaKind = Exclude<Kind, 'practice'>;
export type Place = { readonly code: string; readonly kind: Kind; readonly name: string | null };
export type Figures = Month & { readonly counts: Counts };
/** A place with its months, newest first. */
export type Measured = Place & { readonly months: readonly Figures[] };

/** Failed transfers by what they failed of. */
export type Reason = { readonly status: string; readonly failureReason: string | null; readonly transfers: number };

export type PracticeModel = {
  readonly practice: Place & {
    readonly active: boolean;
    readonly address: readonly string[];
    readonly postcode: string | null;
    readonly supplier: string | null;
  };
  /** From the smallest to the largest. */
  readonly above: readonly Place[];
  /** Patients who came, newest month first; and patients who left. */
  readonly months: readonly Figures[];
  readonly sending: readonly Figures[];
  readonly sicbl: readonly Figures[];
  readonly england: readonly Figures[];
  /** Of the newest twelve months. */
  readonly reasons: readonly Reason[];
  /** Quartiles of all practices in the newest month. */
  readonly spread: Spread | null;
};
export type Spread = { readonly practices: number; readonly lower: number; readonly median: number; readonly upper: number };

export type AreaModel = {
  readonly place: Place;
  readonly above: readonly Place[];
  readonly months: readonly Figures[];
  readonly england: readonly Figures[];
  /** What lies directly below, with the figures of the month that is looked at. */
  readonly members: readonly (Place & { readonly figures: Figures })[];
  readonly reasons: readonly Reason[];
};

export type EnglandModel = {
  readonly months: readonly Figures[];
  readonly members: readonly (Place & { readonly figures: Figures })[];
  readonly reasons: readonly Reason[];
};

/** What is counted beside the national definitions, of one place or of England. Months come newest first. */
export type MoreModel = {
  /** `null`: England. */
  readonly place: Place | null;
  readonly above: readonly Place[];
  readonly requesting: readonly MonthFigures[];
  readonly sending: readonly MonthFigures[];
  /** The same months by London's calendar. */
  readonly london: readonly Figures[];
  /** The place beside all others of its kind in the newest month; of England its practices beside each other. */
  readonly benchmarks: readonly Benchmark[];
};
/** What became of transfers between two systems in a month. */
export type PathwayModel = {
  readonly requestingSupplier: string;
  readonly sendingSupplier: string;
  readonly transfers: number;
  readonly onTime: number;
  readonly failed: number;
  /** Failures by reason and code, the most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly code: string | null; readonly transfers: number }[];
};

export type SearchHit = Place & { readonly postcode: string | null };

/** A part of a report: heads and rows, and how many rows there are in all. */
export type ReportModel = { readonly head: readonly string[]; readonly rows: readonly (readonly CsvCell[])[]; readonly total: number };

/** Measures of days that are for everybody: how far registrations came and why no further, and how complete events are. */
export type PublicMeasure = 'furthest' | 'completeness' | 'core';

/** Everything the site reads. A place that does not exist is `null`. */
export type SiteReads = {
  /** Months with figures that the public may see, newest first, and when the newest was published. */
  published(): Promise<{ readonly months: readonly Month[]; readonly at: string | null }>;
  practice(ods: string): Promise<PracticeModel | null>;
  area(kind: AreaKind, code: string, month: Month): Promise<AreaModel | null>;
  england(by: AreaKind, month: Month): Promise<EnglandModel>;
  /** A place's own measures; `null` as the place asks for those of England. */
  more(of: { readonly kind: Kind; readonly code: string } | null): Promise<MoreModel | null>;
  pathways(month: Month): Promise<readonly PathwayModel[]>;
  /** Counts of the days of a month, of all England; no place or transfer is told by them. */
  monthCounts(measure: PublicMeasure, month: Month): Promise<readonly DayCount[]>;
  search(text: string, limit: number): Promise<readonly SearchHit[]>;
  places(kind: AreaKind): Promise<readonly Place[]>;
  /** Practices with their counts, newest month first, of one place or of England. */
  practiceCounts(
    within: { readonly kind: Kind; readonly code: string } | null,
    months: readonly Month[],
  ): Promise<readonly PracticeCounts[]>;
  /** What the read API and the files with everything open are made of; left out where neither is served. */
  readonly open?: OpenReads;
  /** Left out where reports are not for whoever may see the site. */
  readonly operational?: OperationalReads;
};
export type OperationalReads = {
  /** The newest day there is something of. */
  newestDay(): Promise<string | null>;
  /** All rows where no part is asked for. */
  report(name: ReportName, days: Days, part?: Part): Promise<ReportModel>;
  counts(measure: DayMeasure, days: Days, step?: Step): Promise<readonly DayCount[]>;
  open(days: Days): Promise<OpenCounts>;
  list(name: ListName, days: Days, part?: Part): Promise<{ readonly total: number; readonly transfers: readonly ListedTransfer[] }>;
  /** What the transfers of a list say one by one, of the same part of it. */
  details(name: DetailedList, days: Days, part?: Part): Promise<readonly Detail[]>;
  events(conversation: string): Promise<readonly ToldEvent[]>;
  /** Open ones, the longest open first; all of them where no part is asked for. */
  alerts(part?: Part): Promise<{ readonly total: number; readonly alerts: readonly Alert[] }>;
  /** Counts by day; nothing in them says which transfer or practice a degrade belongs to. */
  degradeDays(days: Days): Promise<readonly (DegradeCount & { readonly day: string })[]>;
};
