/** What a conversion did to a record, in numbers. The full report is an object in the store; this travels in rows. */
export type ReportSummary = {
  readonly issues: number;
  readonly degrades: number;
  readonly redactions: number;
  readonly missingDocuments: number;
};
