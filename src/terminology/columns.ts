/** Columns of numbers that grow, and putting their rows in order: what a table of millions of rows is built from. */
import type { Halves } from './sctid.ts';

export class Numbers {
  #array = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.#array.length) {
      const grown = new Uint32Array(this.#array.length * 2);
      grown.set(this.#array);
      this.#array = grown;
    }
    this.#array[this.length++] = value;
  }

  /** What was pushed, without a copy. */
  values(): Uint32Array {
    return this.#array.subarray(0, this.length);
  }
}

export class Bytes {
  #array = new Uint8Array(65_536);
  length = 0;

  push(from: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.#array.length) {
      const grown = new Uint8Array(Math.max(needed, this.#array.length * 2));
      grown.set(this.#array.subarray(0, this.length));
      this.#array = grown;
    }
    // Terms are short: a loop beats a view and a call.
    for (let at = start; at < end; at++) this.#array[this.length++] = from[at] ?? 0;
  }

  values(): Uint8Array {
    return this.#array.subarray(0, this.length);
  }
}

/** A column of identifiers. */
export class Ids {
  readonly high = new Numbers();
  readonly low = new Numbers();

  push({ high, low }: Halves): void {
    this.high.push(high);
    this.low.push(low);
  }
  get length(): number {
    return this.high.length;
  }
}

/** The row numbers in the order of their keys, the most significant column first; rows with equal keys stay in their order. */
export function orderOf(...columns: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const rows = columns[0]?.length ?? 0;
  let order = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) order[row] = row;
  let spare = new Uint32Array(rows);
  for (const column of columns.toReversed()) {
    for (const shift of [0, 16]) {
      if (!sortByDigit(column, shift, order, spare)) continue;
      [order, spare] = [spare, order];
    }
  }
  return order;
}

/** One pass of a radix sort. False where all rows have the same digit, so that nothing was moved. */
function sortByDigit(column: Uint32Array, shift: number, from: Uint32Array, to: Uint32Array): boolean {
  const starts = new Uint32Array(65_537);
  for (const value of column) add(starts, ((value >>> shift) & 0xffff) + 1, 1);
  if (starts.includes(column.length)) return false;
  for (let digit = 0; digit < 65_536; digit++) add(starts, digit + 1, number(starts, digit));
  for (const row of from) {
    const digit = (number(column, row) >>> shift) & 0xffff;
    to[number(starts, digit)] = row;
    add(starts, digit, 1);
  }
  return true;
}

/** The position of an identifier in a table of pairs (high, low) in ascending order; -1 where it is not in it. */
export function find(pairs: Uint32Array, high: number, low: number): number {
  const at = firstFrom(pairs, high, low, 0, pairs.length >>> 1);
  return pairs[2 * at] === high && pairs[2 * at + 1] === low ? at : -1;
}

/** Rows to one of the register: the last steps of a search then fall on neighbours. */
const REGISTER_ROWS = 64;

/** `find` for a table that is asked often: a register of some of its rows stays in the processor's cache, where the table itself does not. */
export function finder(pairs: Uint32Array): (high: number, low: number) => number {
  const rows = pairs.length >>> 1;
  const entries = Math.ceil(rows / REGISTER_ROWS);
  const register = new Uint32Array(entries * 2);
  for (let entry = 0; entry < entries; entry++)
    register.set(pairs.subarray(2 * entry * REGISTER_ROWS, 2 * entry * REGISTER_ROWS + 2), 2 * entry);
  return (high, low) => {
    const entry = firstFrom(register, high, low, 0, entries);
    const to = entry * REGISTER_ROWS;
    const at = firstFrom(pairs, high, low, Math.max(0, to - REGISTER_ROWS), Math.min(rows, to + 1));
    return pairs[2 * at] === high && pairs[2 * at + 1] === low ? at : -1;
  };
}

/** The first row between two that is not before the identifier. */
function firstFrom(pairs: Uint32Array, high: number, low: number, from: number, to: number): number {
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = number(pairs, 2 * middle);
    if (other < high || (other === high && number(pairs, 2 * middle + 1) < low)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** An element that is there: the caller keeps within the array. */
export function number(array: Uint32Array | Uint8Array, at: number): number {
  return array[at] as number;
}

function add(array: Uint32Array, at: number, value: number): void {
  array[at] = number(array, at) + value;
}
