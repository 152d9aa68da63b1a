/** What leaves a node beside the content itself: no NHS number, no name of a file, no address of content, no bytes of a row. */
import type { Content } from '../../base/content.ts';
import { withoutBytes } from '../../transfer/basis.ts';
import { type Pseudonyms, scrub, scrubName } from './redact.ts';

const QUOTED = /"[^"]*"|“[^”]*”|‘[^’]*’|'[^']*'/g;

/** A value as JSON keeps it, with everything taken out that says more of a patient than that there is one. */
export function hide<Value>(value: Value, nhsNumbers: readonly string[], pseudonyms: Pseudonyms): Value {
  const text = (given: string): string => {
    // The address of a known document would tell that it is here.
    if (/^[0-9a-f]{64}$/.test(given)) return '';
    let out = given;
    for (const number of nhsNumbers) out = out.replaceAll(number, pseudonyms(number));
    return out;
  };
  const visit = (given: unknown, member: string): unknown => {
    if (typeof given === 'string') {
      if (member === 'filename') return scrubName(given);
      // A fault may quote what it was about.
      return member === 'fault' || member === 'note' ? text(given.replace(QUOTED, scrub)) : text(given);
    }
    if (Array.isArray(given)) return given.map((one: unknown) => visit(one, ''));
    if (typeof given !== 'object' || given === null) return given;
    const plain = 'pieces' in given && Array.isArray(given.pieces) ? withoutBytes(given as Content) : given;
    // Why a person decided is in the audit; their words may name anybody.
    const entries = Object.entries(plain).filter(([key]) => !(key === 'reason' && 'decision' in plain));
    return Object.fromEntries(entries.map(([key, one]) => [key, visit(one, key)]));
  };
  return visit(value, '') as Value;
}

/** Every NHS number that stands in a value. */
export function nhsNumbersIn(value: unknown): string[] {
  const found = new Set<string>();
  const visit = (given: unknown, member: string): void => {
    if (typeof given === 'string' && member === 'nhsNumber' && /^\d{10}$/.test(given)) found.add(given);
    else if (Array.isArray(given)) for (const one of given) visit(one, '');
    else if (typeof given === 'object' && given !== null && !(given instanceof Uint8Array))
      for (const [key, one] of Object.entries(given)) visit(one, key);
  };
  visit(value, '');
  return [...found];
}
