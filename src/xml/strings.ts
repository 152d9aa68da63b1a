/** Longer texts are hardly ever the same; a UUID never is. */
const LONGEST = 48;
const UUID = 36;
const SLOTS = 4096;
/** What most documents get by with: an envelope has fewer strings than it would take time to clear thousands of slots. */
const FEW_SLOTS = 128;
/** From here on the engine cuts out a piece by pointing into the whole, which then cannot go while the piece is there. */
const POINTS = 13;
/** One for all slots: thousands of them would cost more than to read a small document. */
const NO_STRINGS: readonly string[] = [];

/**
 * Names, short values and lists of attributes come again and again: each is given as the same string or list, so that half a million
 * elements share some hundred of them. What is known is found by a few characters and compared in place, without being cut out first.
 */
export class Strings {
  #slots = FEW_SLOTS;
  #known = new Array<string>(FEW_SLOTS).fill('');
  #lists = new Array<readonly string[]>(FEW_SLOTS).fill(NO_STRINGS);
  /** New strings and lists since there were slots. */
  #fresh = 0;

  /** `text.slice(from, to)`, free of `text`. */
  slice(text: string, from: number, to: number): string {
    const length = to - from;
    if (length > LONGEST || length === UUID || length <= 0) return copied(text, from, to);
    const few =
      length +
      text.charCodeAt(from) * 7 +
      text.charCodeAt(to - 1) * 61 +
      text.charCodeAt(from + (length >> 1)) * 331 +
      text.charCodeAt(to - 1 - (length >> 2)) * 1511;
    const slot = few & (this.#slots - 1);
    const known = this.#known[slot] ?? '';
    if (known.length === length && text.startsWith(known, from)) return known;
    const fresh = copied(text, from, to);
    this.#known[slot] = fresh;
    if (++this.#fresh > FEW_SLOTS) this.#grow();
    return fresh;
  }

  /** The first `count` of a list, in a list of their own or one that is the same; that takes no more room than it needs. */
  list(strings: readonly string[], count: number): readonly string[] {
    let few = 0;
    for (let i = 0; i < count; i++) {
      const { length } = strings[i] ?? '';
      if (length === UUID) return listOf(strings, 0, count);
      few = few * 31 + length * 7 + (strings[i]?.charCodeAt(length >> 1) || 0);
    }
    const slot = few & (this.#slots - 1);
    const known = this.#lists[slot] ?? [];
    let same = known.length === count;
    for (let i = 0; same && i < count; i++) same = known[i] === strings[i];
    if (same) return known;
    const fresh = listOf(strings, 0, count);
    this.#lists[slot] = fresh;
    if (++this.#fresh > FEW_SLOTS) this.#grow();
    return fresh;
  }

  /** A larger document: what was known is found anew. */
  #grow(): void {
    this.#fresh = Number.NEGATIVE_INFINITY;
    this.#slots = SLOTS;
    this.#known = new Array<string>(SLOTS).fill('');
    this.#lists = new Array<readonly string[]>(SLOTS).fill(NO_STRINGS);
  }
}

function copied(text: string, from: number, to: number): string {
  if (to - from < POINTS) return text.slice(from, to);
  const half = (from + to) >> 1;
  return [text.slice(from, half), text.slice(half, to)].join('');
}

/** A copy of a part of a list. A list that has grown, and one cut out of another, may take more room than it needs. */
export function listOf<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const [a, b, c, d] = [list[from], list[from + 1], list[from + 2], list[from + 3]] as [T, T, T, T];
  switch (to - from) {
    case 0:
      return NONE;
    case 1:
      return [a];
    case 2:
      return [a, b];
    case 3:
      return [a, b, c];
    case 4:
      return [a, b, c, d];
    default:
      return list.slice(from, to);
  }
}

const NONE: readonly never[] = [];

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
