/** Longer texts are hardly ever the same; a UUID never is. */
const LONGEST = 48;
const UUID = 36;
const SLOTS = 4096;

/**
 * Names and short values come again and again: they are given as the same string, so that half a million elements share some hundred
 * of them. What is known is found by a few of its characters and compared in place, without being cut out first.
 */
export class Strings {
  readonly #known = Array.from({ length: SLOTS }, () => '');

  /** `text.slice(from, to)` */
  slice(text: string, from: number, to: number): string {
    const length = to - from;
    if (length > LONGEST || length === UUID || length <= 0) return text.slice(from, to);
    const few =
      length +
      text.charCodeAt(from) * 7 +
      text.charCodeAt(to - 1) * 61 +
      text.charCodeAt(from + (length >> 1)) * 331 +
      text.charCodeAt(to - 1 - (length >> 2)) * 1511;
    const slot = few & (SLOTS - 1);
    const known = this.#known[slot] ?? '';
    if (known.length === length && text.startsWith(known, from)) return known;
    const fresh = text.slice(from, to);
    this.#known[slot] = fresh;
    return fresh;
  }
}

/** Where something next stands in a text: looked for when it is asked for, and remembered until it is passed. */
export class Next {
  readonly #what: string;
  #at = -1;

  constructor(what: string) {
    this.#what = what;
  }

  /** At `position` or after; beyond every text where it does not come again. Positions must not fall. */
  from(text: string, position: number): number {
    if (this.#at < position) {
      const found = text.indexOf(this.#what, position);
      this.#at = found < 0 ? Number.MAX_SAFE_INTEGER : found;
    }
    return this.#at;
  }

  /** The text is another one. */
  forget(): void {
    this.#at = -1;
  }
}
