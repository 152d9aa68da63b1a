/** What a conversion has to say about itself: the closed list of issues, what each means to a clinician, and the report. */
import type { ConversionReport, Issue, IssueCode, Origin, Remark, Written } from './types.ts';

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
  'code.mapped':
    'The entry came without a SNOMED code. One was found in the national map of Read codes; the code that came stands beside it.',
  'allergy.kind': 'The allergy was sent as one to something else than a drug, and its code is of a drug. Prescribing checks may miss it.',
  'record.empty': 'The previous practice had recorded nothing. If that is unlikely, ask them before you rely on it.',
};

/** Collects what a conversion says while it runs. */
export class Reporting {
  readonly #issues: Issue[] = [];
  readonly #said = new Set<string>();
  readonly #came = new Map<string, number>();
  readonly #wrote = new Map<string, number>();
  readonly #origins: Written[] = [];
  /** By what was made: the first origin; further ones, of which few things have any, by all that tells them apart. */
  readonly #first = new Map<string, Origin>();
  readonly #further = new Set<string>();
  /** What something was made from, by kind. */
  readonly #went = new Map<string, Set<string>>();
  readonly #notCarried = new Map<string, string>();
  readonly #left: { from: Origin; why: string }[] = [];
  readonly #redactions = new Set<string>();

  /** The same thing said twice about one entry is said once. */
  issue(remark: Remark, at: Origin): void {
    const key = `${at.composition} ${at.id} ${at.line} ${remark.code} ${remark.text}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#issues.push({ ...remark, at });
    if (remark.code === 'statement.notCarried' && !this.#notCarried.has(at.id)) this.#notCarried.set(at.id, remark.text);
  }

  /** One more thing of a kind stands in the source. */
  came(kind: string): void {
    this.#came.set(kind, (this.#came.get(kind) ?? 0) + 1);
  }

  /** One more thing of a kind was written. */
  wrote(kind: string): void {
    this.#wrote.set(kind, (this.#wrote.get(kind) ?? 0) + 1);
  }

  /** What something was made from; a thing may have several origins. `why` as in `Written`. */
  origin(target: string, from: Origin, why?: string): void {
    const first = this.#first.get(target);
    if (first === undefined) this.#first.set(target, from);
    else {
      if (first.id === from.id && first.kind === from.kind && first.line === from.line) return;
      const key = `${target} ${from.kind} ${from.id} ${from.line}`;
      if (this.#further.has(key)) return;
      this.#further.add(key);
    }
    this.#origins.push({ target, from, ...(why !== undefined && { why }) });
    if (why !== undefined) return;
    const went = this.#went.get(from.kind);
    if (went) went.add(keyOf(from));
    else this.#went.set(from.kind, new Set([keyOf(from)]));
  }

  /** Nothing was made from this. */
  left(from: Origin, why: string): void {
    this.#left.push({ from, why });
  }

  /** Whether something was made from this, and not for the sake of the form. */
  isOrigin(from: Origin): boolean {
    return this.#went.get(from.kind)?.has(keyOf(from)) ?? false;
  }

  /** Why an entry is not in the record, where an issue says so. */
  whyNotCarried(id: string): string | undefined {
    return this.#notCarried.get(id);
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
      counts: this.#counts(),
      written: [...this.#wrote].map(([kind, number]) => ({ kind, number })).sort(byKind),
      origins: this.#origins,
      left: this.#left,
    };
  }

  #counts(): ConversionReport['counts'] {
    return [...this.#came].map(([kind, came]) => ({ kind, in: came, out: this.#went.get(kind)?.size ?? 0 })).sort(byKind);
  }

  /** An entry that is marked not to be shown to the patient, carried or not. */
  redacted(id: string): void {
    this.#redactions.add(id);
  }
}

/** Of things of one kind. What has no line, which is most of them, is known by its id. */
const keyOf = ({ id, line }: Origin) => (line === null ? id : `${id} ${line}`);

const byKind = (a: { kind: string }, b: { kind: string }) => (a.kind < b.kind ? -1 : 1);
