/** Codes of Read v2 and CTV3 as keys of a table: up to ten characters and the system they are of, in three numbers that sort. */
export const READ_V2 = 2;
export const CTV3 = 3;

const MOST = 11;

/** Whether a text can be a code: printable ASCII without spaces. Capital and small letters differ. */
export function hasKey(code: string): boolean {
  return code.length > 0 && code.length <= MOST && /^[!-~]+$/.test(code);
}

export function keyOf(system: number, code: string): readonly [number, number, number] {
  const at = (position: number) => (position < code.length ? code.charCodeAt(position) : 0);
  const word = (a: number, b: number, c: number, d: number) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return [word(system, at(0), at(1), at(2)), word(at(3), at(4), at(5), at(6)), word(at(7), at(8), at(9), at(10))];
}
