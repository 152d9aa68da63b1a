/**
 * A failure that is expected and explained: what went wrong, where, and what to do about it.
 * `code` is stable and carries no patient data; `message` is for people.
 */
export class Fault extends Error {
  readonly code: string;
  readonly remedy: string | null;

  constructor(code: string, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.remedy = options.remedy ?? null;
  }
}

/** The text of whatever was thrown, in one line. */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s+/g, ' ').trim();
}

/** Closes a `switch` over a union: a new member that nobody decided does not compile. */
export function never(value: never): never {
  throw new Fault('internal.undecided', `undecided case: ${JSON.stringify(value)}`);
}
