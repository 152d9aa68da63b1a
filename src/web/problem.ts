import type { FastifyReply } from 'fastify';
import { Fault } from '../base/errors.ts';

/** A refusal that the caller may read: RFC 9457. `detail` must not hold what the caller may not know. */
export class Problem extends Fault {
  readonly status: number;
  /** The parameter or member that is wrong, where it is one. */
  readonly field: string | null;
  constructor(status: number, code: string, detail: string, options: { remedy?: string; field?: string; cause?: unknown } = {}) {
    super(code, detail, options);
    this.name = 'Problem';
    this.status = status;
    this.field = options.field ?? null;
  }
}

const TITLES: ReadonlyMap<number, string> = new Map([
  [400, 'Bad request'],
  [401, 'Not authenticated'],
  [403, 'Not allowed'],
  [404, 'Not found'],
  [405, 'Method not allowed'],
  [408, 'Too slow'],
  [409, 'Conflict'],
  [413, 'Too large'],
  [414, 'Address too long'],
  [415, 'Unsupported content type'],
  [422, 'Not acceptable as it is'],
  [429, 'Too many requests'],
  [500, 'Internal error'],
  [503, 'Temporarily unavailable'],
]);

/** Answers with `application/problem+json`: `{type, title, status, code, detail, field?, remedy?}`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .send(
      JSON.stringify({
        type: 'about:blank',
        title: TITLES.get(problem.status) ?? 'Error',
        status: problem.status,
        code: problem.code,
        detail: problem.message,
        ...(problem.field !== null && { field: problem.field }),
        ...(problem.remedy !== null && { remedy: problem.remedy }),
      }),
    );
}
