import { Fault, reasonOf } from '../../base/errors.ts';

/** What one check found. `warn`: the node works, and somebody should look; `fail`: it does not, or will not. */
export type Finding = {
  /** `certificate.key`, `sds.A12345`: stable, for programs. */
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail';
  /** In one line, without patient data and secrets. */
  readonly said: string;
  /** What to do; null where all is well. */
  readonly remedy: string | null;
};

export function ok(check: string, said: string): Finding {
  return { check, result: 'ok', said, remedy: null };
}

export function warn(check: string, said: string, remedy: string): Finding {
  return { check, result: 'warn', said, remedy };
}

export function fail(check: string, said: string, remedy: string): Finding {
  return { check, result: 'fail', said, remedy };
}

/** A failure that was thrown: its own remedy where it has one. */
export function failed(check: string, thrown: unknown, remedy: string): Finding {
  return fail(check, reasonOf(thrown), thrown instanceof Fault && thrown.remedy !== null ? thrown.remedy : remedy);
}
