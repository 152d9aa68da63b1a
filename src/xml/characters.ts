/** Which characters XML 1.0 (fifth edition) and 1.1 allow where. */

export const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

const OTHER_THAN_SPACE = /[^ \t\r\n]/;
export const isAllSpace = (text: string) => !OTHER_THAN_SPACE.test(text);

/** What may not stand in a document. Halves of pairs are looked for apart. */
export const FORBIDDEN_1_0 = /[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/;
export const FORBIDDEN_1_1 = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]/;

/** What a character reference may stand for: in 1.1 control characters too. */
export function isReferable(code: number, version11: boolean): boolean {
  if (code < 0x20) return version11 ? code > 0 : code === 0x09 || code === 0x0a || code === 0x0d;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

/** First and last of each range, ascending. */
const START: readonly (readonly [number, number])[] = [
  [0x3a, 0x3a],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
  [0x10000, 0xeffff],
];
const FURTHER: readonly (readonly [number, number])[] = [
  [0x2d, 0x2e],
  [0x30, 0x39],
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040],
];
const isIn = (code: number, ranges: readonly (readonly [number, number])[]) =>
  ranges.some(([first, last]) => code >= first && code <= last);
const startsName = (code: number) => isIn(code, START);
const isOfName = (code: number) => isIn(code, START) || isIn(code, FURTHER);

/** Below 128: 2 where a name may start with it, 1 where it may only follow, 0 where neither. */
const ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  return startsName(code) ? 2 : isOfName(code) ? 1 : 0;
});

/** Where the name that begins at `from` ends; `from` where none does. */
export function nameEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 128) {
      const kind = ASCII[code];
      if (kind === 0 || (kind === 1 && at === from)) return at;
    } else {
      const point = text.codePointAt(at) ?? 0;
      if (!(at === from ? startsName(point) : isOfName(point))) return at;
      if (point > 0xffff) at++;
    }
  }
  return at;
}
