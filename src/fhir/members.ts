/** Members of JSON that somebody else wrote: each look is safe, whatever is there. */

export function member(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null && !Array.isArray(of) ? (of as Record<string, unknown>)[name] : undefined;
}

/** The array under a name; empty where there is none. */
export function list(of: unknown, name: string): readonly unknown[] {
  const value = member(of, name);
  return Array.isArray(value) ? value : [];
}

/** The trimmed text under a name; `null` for none, for white space and for anything else. */
export function text(of: unknown, name: string): string | null {
  const value = member(of, name);
  return typeof value === 'string' ? value.trim() || null : null;
}

/** Codes of an OperationOutcome, whatever code system they are said to be of. */
export function outcomeCodes(outcome: unknown): string[] {
  if (member(outcome, 'resourceType') !== 'OperationOutcome') return [];
  return list(outcome, 'issue').flatMap((issue) =>
    list(member(issue, 'details'), 'coding').flatMap((coding) => text(coding, 'code') ?? []),
  );
}

/** What an OperationOutcome says to people in fixed words: the displays of its codes. '' for none. */
export function outcomeWords(outcome: unknown): string {
  if (member(outcome, 'resourceType') !== 'OperationOutcome') return '';
  const codings = list(outcome, 'issue').flatMap((issue) => list(member(issue, 'details'), 'coding'));
  return [...new Set(codings.flatMap((coding) => text(coding, 'display') ?? text(coding, 'code') ?? []))].join('; ').slice(0, 300);
}

/** The free text of an OperationOutcome, cut to a line. May hold whatever was asked for, so only for look-ups without a patient. */
export function outcomeDiagnostics(outcome: unknown): string {
  return list(outcome, 'issue')
    .flatMap((issue) => text(issue, 'diagnostics') ?? [])
    .join('; ')
    .slice(0, 300);
}
