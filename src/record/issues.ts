/** What a conversion has to say about itself: the closed list of issues, what each means to a clinician, and the report. */
import type { ConversionReport, Issue, IssueCode, Origin, Remark } from './types.ts';

/** What each issue means to the people who read the record. Codes are stable and carry no patient data. */
export const MEANING: Readonly<Record<IssueCode, string>> = {
  'code.degraded': 'The entry has no code that the receiving system knows. Its words are there; searches, alerts and locks miss it.',
  'statement.asText': 'The entry could not be carried as what it was. Its words stand in its place as a note.',
  'statement.notCarried': 'The entry is not in the record.',
  'link.broken': 'A link between two entries is lost, because what it leads to is not in the record.',
  'value.lost': 'A part of the entry could not be carried.',
  'text.replaced': 'Characters that cannot be transferred were replaced.',
  'date.defaulted': 'The entry has no usable date of its own; another date stands in.',
  'redaction.notCarried': 'The entry is marked not to be shown to the patient, and the mark could not be transferred. Its words are there.',
  'document.missing': 'The document is not there. A placeholder says why.',
  'lookUp.skipped': 'No terminology release was at hand, so a code was carried as it came, unchecked.',
};

/** Collects what a conversion says while it runs. */
export class Reporting {
  readonly #issues: Issue[] = [];
  readonly #said = new Set<string>();
  readonly #counts = new Map<string, { in: number; out: number }>();
  readonly #origins: { target: string; from: Origin }[] = [];

  /** The same thing said twice about one entry is said once. */
  issue(remark: Remark, at: Origin): void {
    const key = `${at.composition} ${at.id} ${at.line} ${remark.code} ${remark.text}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#issues.push({ ...remark, at });
  }

  came(kind: string): void {
    this.#count(kind).in++;
  }

  /** One thing of a kind was written, as these. */
  went(kind: string, targets: readonly string[], from: Origin): void {
    this.#count(kind).out++;
    for (const target of targets) this.#origins.push({ target, from });
  }

  report(): ConversionReport {
    const count = (code: IssueCode) => this.#issues.filter((issue) => issue.code === code).length;
    return {
      summary: {
        issues: this.#issues.length,
        degrades: count('code.degraded') + count('statement.asText'),
        redactions: this.#redactions.size,
        missingDocuments: count('document.missing'),
      },
      issues: this.#issues,
      counts: [...this.#counts].map(([kind, numbers]) => ({ kind, ...numbers })).sort((a, b) => (a.kind < b.kind ? -1 : 1)),
      origins: this.#origins,
    };
  }

  /** An entry that is marked not to be shown to the patient, carried or not. */
  redacted(id: string): void {
    this.#redactions.add(id);
  }

  readonly #redactions = new Set<string>();

  #count(kind: string): { in: number; out: number } {
    const known = this.#counts.get(kind);
    if (known) return known;
    const fresh = { in: 0, out: 0 };
    this.#counts.set(kind, fresh);
    return fresh;
  }
}
