/**
 * The list of cases of reporting, subsection by subsection and line by line: which tests take up each, where we do otherwise, and what has no
 * counterpart here. Subsections: 1 endpoints, 2 what becomes of an event, 3 classification, 4 metrics, 5 reports and what is around them,
 * 6 reports from events, 7 the site.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingTests, type TestsOf } from '../base/listed-testing.ts';

const SRC = join(import.meta.dirname, '..');
const FILES = {
  browser: 'platform/site/site.test.ts',
  check: 'mi/check.test.ts',
  classified: 'platform/store/spine.test.ts',
  command: 'cli/e2e/platform.test.ts',
  counts: 'platform/store/event-counts.test.ts',
  csv: 'platform/load-spine.test.ts',
  degrades: 'platform/reports/degrade-files.test.ts',
  due: 'platform/reports/due.test.ts',
  earlier: 'platform/earlier-events.test.ts',
  facts: 'platform/classify/facts.test.ts',
  fold: 'platform/store/fold.test.ts',
  gate: 'platform/metrics/gate.test.ts',
  history: 'mi/from-history.test.ts',
  ingest: 'platform/ingest/api.test.ts',
  look: 'platform/alerts/look.test.ts',
  metrics: 'platform/metrics/metrics.test.ts',
  month: 'platform/metrics/month.test.ts',
  node: 'service/mi/mi.test.ts',
  ods: 'platform/ods.test.ts',
  operational: 'platform/store/operational.test.ts',
  outcome: 'platform/classify/outcome.test.ts',
  pages: 'platform/site/pages.test.ts',
  published: 'platform/site/store-reads.test.ts',
  reads: 'platform/store/reads.test.ts',
  reports: 'platform/reports/reports.test.ts',
  rules: 'platform/alerts/rules.test.ts',
  schedule: 'platform/reports/schedule.test.ts',
  tables: 'platform/open/tables.test.ts',
  transfer: 'platform/classify/transfer.test.ts',
  webhook: 'platform/alerts/webhook.test.ts',
  window: 'platform/reports/window.test.ts',
  words: 'platform/site/words.test.ts',
} as const;
/** `otherwise`: what we do in place of what was seen. `none`: why a part of the line, or the whole, has no counterpart. */
type Line = { readonly tests?: TestsOf<keyof typeof FILES>; readonly otherwise?: string; readonly none?: string };

const EMPTY = 'an empty body breaks six rules of a registration, and says nothing of the sending practice';
const NO_JSON = 'what is no JSON is told apart from a value that is cut short';
const MALFORMED = 'a malformed event is refused with the field that is wrong, and costs no other event';
const ENVELOPE = 'each member of the envelope is needed, the sending practice where the national service insists';
const missingOf = (path: string) => `what is missing in the payload of ${path} is named by its path, with what it must be`;
const CLOSED_LISTS = 'every value of a closed list is taken';
const NINE = 'each of the nine endpoints takes its event, under both addresses, and gives its id back';
const ENRICHED =
  'a transfer of events has the names, locations and suppliers of both practices; of a practice that is not known nothing but its code';
const SUPPLIERS = 'suppliers have the names of the Spine’s log: by their codes, a number for the one that sends it, and others as they say';
const DEGRADES = 'degrades are kept each by itself, under one random id and the day of UTC on which they came';
const ABOVE = 'a practice counts for the location that lies above it, and for none where nothing, something unknown or no location does';
const SUMMED = 'degrades are summed by day and by week as the existing monitoring has them, and never twice';
const DEGRADES_OF_DAY = 'the file of a day counts its degrades by type and reason, of all events together and of no other day';
const AT_SIX = 'at six each morning the day before is due, and on Mondays alone the week before';
const AT_THEIR_MINUTE = 'the files of a day are written at their minute, whole, with what goes with them, and not again';
const DAYS_OF_LOG =
  'days of the Spine’s log are classified with their cut-off, from packed files, with the ASIDs of the month before where there are none';
const BROKEN_ROWS = 'rows of files that are broken are named with file and line, and cost nothing else';
const LATEST = 'a practice is what its latest transfer says; a month without transfers is there with zeroes';
const HEADS = 'the first line of each report is today’s, byte for byte, and every row has a value for each of its columns';
const FALLBACK = 'where a month has no organisations, those of the month before stand in, and it is told once; else it is an error';
const SORTED = 'each column sorts both ways: by its share where it has one, what has none below everything, equals by name';
const SEARCH =
  'a search with one hit, or with the very code of one, leads to it; several are listed; none and nothing are told beside the box';

const ENDPOINTS: readonly Line[] = [
  { tests: { check: EMPTY, ingest: 'an empty object is told of each field that it lacks' } },
  { tests: { check: NO_JSON, ingest: MALFORMED } },
  { tests: { check: NO_JSON, ingest: MALFORMED } },
  { tests: { check: 'wrong types, unknown members and what is no date are refused with the field and its path', ingest: MALFORMED } },
  { tests: { ingest: 'answers carry the headers that keep browsers from guessing, and health is told' } },
  { tests: { check: ENVELOPE } },
  {
    tests: {
      check: [missingOf('registrations'), ENVELOPE],
      history: 'sending ODS null allowed: without a previous practice a registration is reported, and no compatibility',
    },
  },
  { tests: { check: [missingOf('transfer-compatibility-statuses'), ENVELOPE] } },
  {
    tests: {
      check: [
        missingOf('ehr-responses'),
        'empty lists of placeholders and of degrades are taken',
        'a placeholder that is wrong among others is named by its place in the list',
      ],
    },
  },
  { tests: { check: [missingOf('ehr-responses'), CLOSED_LISTS] } },
  { tests: { check: [missingOf('document-responses'), CLOSED_LISTS] } },
  { tests: { check: [missingOf('ehr-degrades'), CLOSED_LISTS] } },
  { tests: { check: [missingOf('ehr-integrations'), CLOSED_LISTS] } },
  { tests: { check: [missingOf('errors'), ENVELOPE, CLOSED_LISTS] } },
  {
    tests: {
      ingest: 'the id is the MD5 of conversation, type and time, the same every time',
      check: 'an event id is made of conversation, type and the zone-less time, seconds left out where they are nought',
    },
  },
  { tests: { ingest: DEGRADES } },
  { none: 'events are not handed on to a log service: they are kept here, and counted here' },
  { tests: { ingest: 'the id is the MD5 of conversation, type and time, the same every time' } },
  { tests: { history: 'times are UTC and end in Z', check: NO_JSON } },
  { tests: { ingest: [NINE, 'an event is there before it is answered', DEGRADES] } },
];

const ENRICHMENT: readonly Line[] = [
  {
    tests: { classified: ENRICHED },
    otherwise: 'names and places are joined when they are read, so a practice that moves takes its past with it',
  },
  { tests: { fold: SUPPLIERS } },
  { tests: { classified: ENRICHED } },
  {
    tests: { classified: ABOVE, reads: 'a practice that moves takes its months with it' },
    otherwise: 'a practice has one place above it, from a file; a closed one still counts for its past, and is not searched for any more',
  },
  {
    tests: { classified: ENRICHED, ods: 'a broken row is named and costs nothing else; without code or kind nothing is read' },
    otherwise: 'organisations come from files: no event waits for a directory',
  },
  { tests: { fold: SUPPLIERS }, otherwise: 'a system is known by what it says of itself in its events, not looked up' },
  { tests: { fold: SUPPLIERS }, otherwise: 'as before: a code that means nothing stays as it is' },
  { tests: { fold: SUPPLIERS }, otherwise: 'as before: shown under its code in place of UNKNOWN, so that it can be asked' },
  { tests: { ingest: [NINE, DEGRADES] } },
  {
    tests: { command: BROKEN_ROWS, fold: 'many events are loaded at once, those that are there already passed over' },
    otherwise: 'a row of a table in place of a file for each event; many come as lines of one file',
  },
  {
    tests: {
      ingest: [
        'many at once, with doubles, over two servers, are each kept once',
        'a database that is away is answered with 503 and a time to come again',
      ],
      node: 'a service that is away for 48 hours: transfers end as ever, nothing is lost, the spool drains, the ledger equals the service',
    },
  },
  { tests: { ingest: [DEGRADES, 'what is no degrade is refused where degrades are taken, and a degrade everywhere else'] } },
  { tests: { degrades: [DEGRADES_OF_DAY, AT_SIX], due: 'weekdays are those of the calendar', browser: SUMMED } },
  {
    tests: {
      degrades: [DEGRADES_OF_DAY, 'a day without degrades has no file, nor has one on which only empty events came'],
      schedule: AT_THEIR_MINUTE,
    },
  },
  { tests: { degrades: AT_SIX, due: 'on Mondays: the week before, of reports with two days for what comes late' } },
  {
    tests: {
      degrades: [
        'a week is summed from its Monday to its Sunday; the first makes the file, each later one adds its rows, one without any adds none',
        'the first week of all without degrades makes no file',
      ],
      schedule: 'after days without a program everything that was missed is written, and weeks stand once each in their file',
    },
    otherwise: 'a week that is made once more stands there once',
  },
];

const TECHNICAL = [
  'a request alone: Request not acknowledged',
  'a request and an acknowledgement of nothing: Request not acknowledged',
  'an acknowledged request: Core extract not sent',
  'a request refused with a code that is not fatal: Core extract not sent',
  'a continue without fragments: COPC(s) not sent',
  'fragments that nobody acknowledged: COPC(s) not acknowledged',
  'a fragment refused, another without an answer: COPC(s) not acknowledged',
  'several cores, all refused: Final error',
];
const ON_TIME = [
  'a core answered in time: Integrated on time',
  'a core with redactions answered in time: Integrated on time',
  'a core answered after exactly eight days: Integrated on time',
  'a suppressed record: Integrated on time',
  'a duplicate and a success: Integrated on time',
  'a fragment refused, the record filed: Integrated on time',
];
const PROCESS = [
  'a core answered a microsecond after eight days: Integrated late',
  'a core that nobody answered: Transferred, not integrated',
  'all fragments acknowledged, no final answer: Transferred, not integrated',
  'two cores, both called duplicates: Transferred, not integrated',
];
const FINAL = [
  'in progress',
  'codes of the sender and of fragments are none',
  'a duplicate, the other core waiting',
  'a success',
  'a suppression',
  'a success and a duplicate',
  'a failure and a duplicate',
  'a failure and a success',
  'three failures, in order of cores and not of answers',
].map((name) => `final error codes: ${name}`);
const INTERMEDIATE = [
  'none, where no fragment came',
  'none, where all were taken',
  'one',
  'one beside a fragment without an answer',
  'several',
  'codes of the sender and of cores are none',
].map((name) => `intermediate error codes: ${name}`);
const SETS = ['in progress', 'failed', 'integrated'].map(
  (name) => `whether a conversation is integrated or has failed, by which core and when: ${name}`,
);
const AMBIGUOUS =
  'an unacknowledged core beside a duplicate is ambiguous with common messages alone, and not where every core has an answer';

const CLASSIFICATION: readonly Line[] = [
  { tests: { outcome: [...TECHNICAL, ...ON_TIME, ...PROCESS] } },
  {
    tests: {
      outcome: [
        'a core after an answer that was not fatal: Transferred, not integrated, with error',
        'a fragment refused, all acknowledged: Transferred, not integrated, with error',
      ],
    },
  },
  { tests: { outcome: 'two cores, one called a duplicate, with common messages: Ambiguous COPC messages', facts: AMBIGUOUS } },
  { tests: { outcome: 'two cores, one called a duplicate, no common messages: Transferred, not integrated', facts: AMBIGUOUS } },
  { tests: { outcome: 'each fatal code of the sender fails a transfer without a core' } },
  { tests: { outcome: 'a fatal answer after a positive one: Contains fatal sender error' } },
  { tests: { facts: AMBIGUOUS } },
  {
    tests: {
      transfer: [
        'rows are grouped by conversation and put in order of time',
        'messages later than the cut-off after the first are not seen; one exactly at it is',
      ],
      facts: 'of messages of the same time the first in the log is the first',
    },
  },
  {
    tests: {
      transfer: [
        'a negative duration counts as none and is noted',
        'there is no duration without a core, without an answer, and with answers of duplicates alone',
        'of conflicting answers the success gives the duration; of failures the first that is no duplicate',
      ],
    },
  },
  { tests: { transfer: 'the sender was last heard of at its latest message, and after a success not later than the answer' } },
  {
    tests: {
      transfer: 'practices are named by their ASIDs; an unknown one is noted and its transfer kept',
      facts: 'an unknown practice is noted, whether it asked or sent',
    },
  },
  { tests: { facts: FINAL } },
  { tests: { facts: INTERMEDIATE } },
  { tests: { facts: 'sender error codes: none, one, several, a positive answer among them' } },
  { tests: { facts: SETS } },
  { tests: { transfer: 'an answer to nothing and a message of unknown purpose are noted' } },
  { tests: { facts: 'a message is a core of either version, an answer to one, or common: told by its interaction and who sent it' } },
  {
    tests: {
      csv: [
        'a line of the log is read by the names of its columns',
        'systems may be missing; another column that is missing is named and nothing is read',
        'a broken line is named with its fault and costs nothing else',
      ],
      month: 'times are read in UTC, in summer time and with offsets; without a zone and outside the calendar they are none',
    },
    otherwise: 'a line that is wrong is named and left out; the others count',
  },
  { tests: { transfer: 'a conversation belongs to the day of its request: at its start in, at its end out' } },
  {
    tests: {
      window: [
        'a custom window needs both dates, at midnight, in order',
        'a daily classification is about the day that lies the cut-off before yesterday, and reads the days after it',
        'today in British summer time is the day of UTC',
      ],
    },
  },
  {
    tests: {
      csv: [
        'a practice is found by each of its ASIDs, with its sub ICB location; an unknown ASID by none',
        'a practice that stands in several locations is counted in the last of them, one without a location in none',
        FALLBACK,
      ],
    },
  },
  {
    tests: {
      classified: [
        'a transfer without duration, codes, suppliers and times that are none is kept with each of them missing',
        'what was classified is read again as it was, microseconds and codes that are none included, with the names of now',
      ],
      tables: 'a Parquet file is read back as it was written, of its types, with nulls',
      transfer: 'the duration runs from the core to the answer that decides, in whole seconds, halves to the even one',
    },
    otherwise: 'a table of the database in place of a file for each day',
  },
  {
    tests: {
      earlier: [
        'an earlier event of each type is read, with the practices of its registration',
        'an earlier event without practices is read; one without another member is refused by its name',
        'a transfer was slow where its record was ready more than a day after the request; nothing is said where either is missing',
      ],
    },
  },
  { tests: { command: [DAYS_OF_LOG, 'the Spine’s log is classified with the ASIDs of its month, over all files at once'] } },
];

const METRICS: readonly Line[] = [
  {
    tests: {
      metrics: [
        'bands end at three and at eight days, both inclusive; without a duration there is none',
        'each outcome has its place in the counts',
      ],
    },
  },
  {
    tests: {
      metrics: [
        "every count and percentage of a practice's month",
        'percentages: none of nothing, 0 of something, halves to the even digit',
      ],
    },
  },
  { tests: { metrics: LATEST } },
  { tests: { metrics: [LATEST, 'of two latest transfers at the same time the first counts', 'no transfers, no practices'] } },
  { tests: { classified: 'a window holds its start and not its end, in order of the requests', metrics: LATEST } },
  {
    tests: { month: ['months before an anchor, over new year, newest first', 'an anchor in British summer time is resolved through UTC'] },
  },
  {
    tests: {
      classified: [
        'an outcome that is none of the national ones stops a report, instead of being counted as something else',
        'a transfer without duration, codes, suppliers and times that are none is kept with each of them missing',
      ],
      month: 'a time without a zone is of UTC where existing files have none',
    },
  },
  {
    tests: {
      metrics: [
        'each node of the national figures, with two decimals',
        'two months of transfers become both files of the existing pipeline',
      ],
    },
  },
  {
    tests: {
      metrics: ['percentages: none of nothing, 0 of something, halves to the even digit', 'three bands of one row may not add up to 100'],
    },
    none: 'names are written as they are published: nothing turns one spelling into another',
  },
  {
    tests: {
      metrics: 'two months of transfers become both files of the existing pipeline',
      browser: 'the files of the national pipeline are there, and agree with the pages',
      schedule: 'on the 15th a month goes through the gate and its files are those of the existing pipeline',
    },
    otherwise: 'files have addresses that stay; no setting of a deployment says where the newest is',
  },
];

const REPORTS: readonly Line[] = [
  {
    tests: {
      operational: 'each of the four reports is the same as the one made in memory from the same transfers, for a day, a week and a month',
      reports: [
        HEADS,
        'errors are distinct, in order, named; positive answers are none and unknown codes are said to be unknown',
        'outcomes per supplier pathway: groups by count, then by suppliers and status, with three shares',
        'groups of the same number are in order of the requesting supplier, the sending one, and the status; nobody’s come first',
        'shares of technical failures are of those alone: an unclassified failure has none and is not counted among them',
      ],
    },
  },
  { tests: { reports: ['the list of failures keeps technical and unclassified ones alone', HEADS] } },
  {
    tests: {
      reports: [
        'integration times count what was received, a practice a row, in order of location and name',
        'details by hour: hours of UTC in order, none for hours without transfers',
        'a transfer of no known practice has empty cells, in every report',
      ],
    },
  },
  {
    tests: {
      window: [
        'a custom window needs both dates, at midnight, in order',
        'a daily classification is about the day that lies the cut-off before yesterday, and reads the days after it',
        'a report file is named by its window, dates, report and cut-off',
      ],
      schedule: 'a window that is not over, or waits for what comes late, is refused with the day from which it is complete',
      due: 'each day: degrades of yesterday at six, reports of yesterday at seven with what was seen that day',
    },
  },
  { tests: { window: 'days end at the cut-off before today; months are whole ones; dates come before days, days before months' } },
  {
    tests: {
      schedule: AT_THEIR_MINUTE,
      reports: 'what goes with a report file: technical failures of all transfers, unclassified ones not among them',
    },
    none: 'no e-mail is sent: reports are pages and files; what stood in the e-mail stands in the file beside each',
  },
  {
    tests: {
      rules: 'a day is told when its technical failures are strictly more than a whole number of percent',
      look: 'yesterday’s technical failures strictly above the threshold are told once, and clear with the day',
      webhook: [
        'a post says what was raised and what was cleared, and is signed over time, delivery and body',
        'a receiver that is away is tried again, later each time, and hears everything in the order in which it happened',
      ],
    },
    otherwise: 'one post tells what was raised; a day at or below the threshold stands in its report, and in no post',
  },
  {
    tests: {
      command: [
        DAYS_OF_LOG,
        'events that are sent with a key are on the page of their practice once they are counted and the month is published',
      ],
    },
    otherwise: 'organisations and logs are files that a command reads, packed or not; no e-mail is taken apart',
  },
  {
    tests: {
      gate: [
        'whole figures of the month before may be published',
        'a truncated month is not published',
        'the wrong month is not published, nor the right month of another year',
        'fewer than six months are not published',
        'a practice without ODS code, a location without practices and a practice that is not there are faults, wherever they stand',
      ],
      command: 'events that are sent with a key are on the page of their practice once they are counted and the month is published',
    },
  },
  {
    tests: {
      csv: [
        'an ASID that stands with two practices is the last one’s; a practice without ASIDs is found by none',
        'a practice that stands in several locations is counted in the last of them, one without a location in none',
        FALLBACK,
      ],
      reads: 'organisations of a month are kept with it',
      command: 'what is wrong with a command is said before anything starts',
    },
    otherwise:
      'the metadata file that the downloader makes is read, instead of paging through the directory; a file that cannot be read changes nothing',
  },
];

const EVENTS: readonly Line[] = [
  {
    tests: {
      fold: [
        'any set of events has the status and the outcome of the first line of the national tables that holds',
        'outcomes: successes, rejection, failure, errors on the way',
        'registration status: each of the eight, by what is there',
      ],
      counts: 'on its way in three ways: eligible, asked for, sent; with an error each of them has failed',
    },
  },
  {
    tests: {
      fold: [
        'a move inside one system is a success and no transfer',
        'of several compatibility statuses the latest wins, in whatever order they come',
      ],
      counts: 'a move inside one system is in no count and no list of transfers, whatever was told of it',
    },
    otherwise: 'the whole conversation is left out, not the event that says so',
  },
  {
    tests: {
      counts: [
        'a record is a day late where more than 24 hours passed since it was sent: until it was ready, or until now',
        'a practice sends late where more than 20 minutes passed since it was asked: until it sent, or until now',
        'a practice asks late where more than 20 minutes passed since it knew that it could: until it asked, or until now',
      ],
    },
  },
  {
    tests: {
      counts: 'eight days from the response: integrated before and after, waiting before and after; eight days to the millisecond are late',
      operational: 'what is on its way is judged by the time at which it is looked at, at the edge of each limit too',
    },
  },
  {
    tests: {
      counts: 'counts are of conversations that began within the days asked for, of each day, week or month apart',
      fold: 'three and eight days run from the response, the edge included; after fourteen from the request nothing counts',
      transfer: 'messages later than the cut-off after the first are not seen; one exactly at it is',
      command: DAYS_OF_LOG,
    },
    otherwise: 'periods are whole days; the cut-off is of the national definitions: counts of events say how things stand now',
  },
  { tests: { counts: 'each error counts by its code and failure point, two of one conversation twice; a failure counts once' } },
  {
    tests: {
      counts: [
        'placeholders: none, several alike counted together, different ones apart, of records that are ready or integrated alone',
        'records by their number of placeholders, at the edge of each group',
      ],
    },
  },
  {
    tests: {
      counts: 'attachments by clinical type, those that came and those that did not; a transfer that lacks one is listed',
      operational:
        'dashboards count what events say: outcomes, eight days, failures, errors, placeholders, attachments, reasons, completeness',
    },
  },
];

const SITE: readonly Line[] = [
  {
    tests: { pages: SEARCH, browser: 'a search by code, by postcode in any spelling or by a name that is alone leads to the practice' },
    otherwise: 'pages are complete without a script: suggestions are the page of results, and what was typed is searched as it stands',
  },
  {
    tests: {
      browser: 'a search that finds several lists them by kind with the words marked; one that finds nothing says so beside the box',
      words: 'words are marked in any case, and what was typed stays text',
    },
  },
  {
    tests: {
      pages: [SORTED, 'without a wish the worst stand first in the newest month, and a month keeps the order that was asked for'],
      browser: 'the table of a location is sorted by its heads, says how, and keeps the order when the month changes',
    },
    otherwise: 'counts and shares stand in one table: there are no units to choose',
  },
  {
    tests: { pages: 'a share of nothing is n/a, none of something 0%, and a whole number has no decimal' },
    otherwise: 'both stand in one table',
  },
  {
    tests: { browser: 'every answer has the headers that browsers are held to, errors, redirects and files included' },
    none: 'there are no cookies, so nobody is asked; the test holds that none is set',
  },
  { tests: { browser: 'the keyboard alone reaches everything: past the menu, through a search to a practice, and back' } },
  {
    tests: { pages: 'an address is shown with all its lines, with one, and not at all where none is known' },
    otherwise: 'addresses are kept with the organisations, so no service can be away',
  },
  {
    tests: {
      browser: 'while the reads fail, pages that were read before are given as they were, and others say that it is not the reader’s fault',
    },
    none: 'there are no switches that an address could turn',
  },
  {
    tests: {
      pages: [
        'the first line of each download is today’s, byte for byte',
        'a download has a row for each month, names with commas in quotes, and n/a where there is nothing to have a share of',
        'a download is of the latest month, of six or of all, each under its name',
      ],
      browser: 'a file is downloaded from the page, under the name that the former site gave it',
    },
  },
  {
    tests: {
      pages: [
        'names keep the capitals of NHS, GP and ICB and the code behind the last of several dashes',
        'a share of nothing is n/a, none of something 0%, and a whole number has no decimal',
      ],
      words: ['names come in capitals and are shown as people write them', 'a place stands under the first letter after a leading NHS'],
      month: 'months before an anchor, over new year, newest first',
    },
  },
  {
    tests: {
      pages: 'each standing page and each page that says what is wrong has a title, a heading and a description of its own',
      browser: 'what is not there, not understood or not possible is answered with a page in the same design',
      published: 'every page is made from the database, a practice without a transfer among them',
    },
  },
  {
    tests: {
      browser: [
        'every address of the former site answers, or leads to its better twin',
        'nothing stands in the way of any reader: axe finds no fault on any page, 1280 wide',
        'nothing stands in the way of any reader: axe finds no fault on any page, 320 wide',
        'on the narrowest phone each value says what it is',
        'without a script, by keyboard alone: days are chosen, a dashboard leads to a list, the list to what was told of a transfer',
        'a file is downloaded from the page, under the name that the former site gave it',
      ],
    },
    otherwise: 'what a question mark opened stands in the page, and views that were tabs are sections of one page',
  },
];

for (const [at, [name, lines, count]] of (
  [
    ['endpoints', ENDPOINTS, 20],
    ['what becomes of an event', ENRICHMENT, 16],
    ['classification', CLASSIFICATION, 24],
    ['metrics', METRICS, 10],
    ['reports and what is around them', REPORTS, 10],
    ['reports from events', EVENTS, 8],
    ['the site', SITE, 12],
  ] as const
).entries())
  test(`each line of the list of cases has a test that is there: ${name}`, () => {
    assert.equal(lines.length, count);
    const named = lines.map(({ tests, none }, line) => [`${at + 1}.${line + 1}`, tests ?? {}, none] as const);
    assert.deepEqual(
      missingTests(
        SRC,
        FILES,
        named
          .filter(([, tests, none]) => none === undefined || Object.keys(tests).length > 0)
          .map(([line, tests]) => [line, tests] as const),
      ),
      [],
    );
  });

test('a test that is not there would be missed', () => {
  assert.deepEqual(
    missingTests(SRC, FILES, [
      ['1', { check: 'no test at all' }],
      ['2', {}],
      ['3', { outcome: ['a request alone: Request not acknowledged', 'a request alone: Request lost'] }],
    ]),
    ["1: check has no test 'no test at all'", '2: no test', "3: outcome has no test 'a request alone: Request lost'"],
  );
});
