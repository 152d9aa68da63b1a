import { Fault } from '../../base/errors.ts';
import { readJson } from '../../fhir/json.ts';
import type { Issue } from '../../record/types.ts';

/** One line of the batch protocol: a file to convert and how. */
export type BatchCase = {
  readonly path: string;
  readonly id?: string;
  readonly kind: string;
  /** The case file, with more about the case than its options. */
  readonly file: string | null;
  /** The folder of the case. */
  readonly dir: string;
  /** Files with the resources around a single one. */
  readonly context: readonly string[];
  /** The messages of one transfer, in order. */
  readonly messages: readonly string[];
  readonly options: CaseOptions;
};
export type CaseOptions = {
  readonly operation?: string;
  readonly nested?: boolean;
  readonly redactions?: boolean;
  readonly wrapper?: boolean;
  readonly losingOdsCode?: string;
  readonly request?: {
    readonly nhsNumber?: string;
    readonly conversationId?: string;
    readonly requestId?: string;
    readonly fromOdsCode?: string;
    readonly toOdsCode?: string;
    readonly fromAsid?: string;
    readonly toAsid?: string;
    readonly now?: string;
  };
};
export type Answer = { readonly output: string; readonly issues: readonly Pick<Issue, 'code' | 'text'>[] } | { readonly error: string };

/** Reads a line. Throws a `Fault` that says what is missing. */
export function readCase(line: string): BatchCase {
  const read = readJson(line);
  if (!isObject(read)) throw new Fault('batch.line', 'a line that is no JSON object');
  const { path, id, kind } = read;
  if (typeof path !== 'string') throw new Fault('batch.line', 'a case without "path"');
  if (typeof kind !== 'string') throw new Fault('batch.line', `${path}: a case without "kind"`);
  return {
    path,
    ...(typeof id === 'string' && { id }),
    kind,
    file: typeof read['case'] === 'string' ? read['case'] : null,
    dir: typeof read['dir'] === 'string' ? read['dir'] : '.',
    context: texts(read['context']),
    messages: texts(read['messages']),
    options: isObject(read['options']) ? read['options'] : {},
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function texts(value: unknown): string[] {
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return list.filter((item) => typeof item === 'string');
}
