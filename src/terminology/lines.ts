/** Reading a table of tab-separated lines, as RF2 has them, from bytes that come in blocks: no line becomes a string. */
import { isUtf8 } from 'node:buffer';
import { Fault } from '../base/errors.ts';
import { number } from './columns.ts';
import type { Halves } from './sctid.ts';

/** A line is at most a term of some thousand bytes and a dozen short columns. */
const LONGEST_LINE = 65_536;
const MOST_COLUMNS = 64;
const TAB = 9;
const LF = 10;
const CR = 13;

export type LineReader = {
  /** The next bytes of the file; they are done with when this returns. */
  push(block: Uint8Array): void;
  /** The file ended. Gives the number of lines below the heading. */
  end(): number;
};

/**
 * Reads a file whose first line names its columns. `row` is called for every line with the wanted columns, by their position in `wanted`;
 * the line is valid until it returns. What is wrong is a `Fault` `input.terminology` that names file and line.
 */
export function lineReader(file: string, wanted: readonly string[], row: (line: Line) => void): LineReader {
  const line = new Line(file, wanted);
  let kept = new Uint8Array(0);
  let ended = false;

  function lines(bytes: Uint8Array): number {
    const whole = bytes.lastIndexOf(LF) + 1;
    // Whole blocks are checked at once; only a block that fails is looked through.
    const checked = isUtf8(bytes.subarray(0, whole));
    for (let from = 0; from < whole; ) {
      const end = bytes.indexOf(LF, from);
      one(bytes, from, end, checked);
      from = end + 1;
    }
    return whole;
  }

  function one(bytes: Uint8Array, from: number, to: number, checked: boolean): void {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to;
    line.number++;
    if (!checked && !isUtf8(bytes.subarray(from, end))) throw line.fault('it is not in UTF-8');
    if (line.number === 1) line.heading(bytes, from, end);
    else if (end > from) {
      line.read(bytes, from, end);
      row(line);
    }
  }

  return {
    push(block) {
      if (ended) throw new Fault('input.terminology', `${file}: more came after its end`);
      const bytes = kept.byteLength === 0 ? block : Buffer.concat([kept, block]);
      const used = lines(bytes);
      if (bytes.byteLength - used > LONGEST_LINE) {
        line.number++;
        throw line.fault(`it has more than ${LONGEST_LINE} bytes`);
      }
      kept = Uint8Array.from(bytes.subarray(used));
    },
    end() {
      ended = true;
      if (kept.byteLength > 0) one(kept, 0, kept.byteLength, false);
      if (line.number === 0) throw new Fault('input.terminology', `${file}: it is empty`);
      return line.rows;
    },
  };
}

/** The line that is being read: where its wanted columns stand, and what is in them. */
export class Line {
  readonly #file: string;
  readonly #wanted: readonly string[];
  readonly #starts = new Uint32Array(MOST_COLUMNS + 1);
  #columns: readonly number[] = [];
  #count = 0;
  number = 0;
  rows = 0;
  bytes = new Uint8Array(0) as Uint8Array;
  /** What `id` found. */
  high = 0;
  low = 0;

  constructor(file: string, wanted: readonly string[]) {
    this.#file = file;
    this.#wanted = wanted;
  }

  fault(text: string): Fault {
    return new Fault('input.terminology', `${this.#file}, line ${this.number}: ${text}`);
  }

  heading(bytes: Uint8Array, from: number, end: number): void {
    const text = Buffer.from(bytes.subarray(from, end))
      .toString()
      .replace(/^\uFEFF/, '');
    const names = text.split('\t').map((name) => name.trim().toLowerCase());
    if (names.length > MOST_COLUMNS) throw this.fault(`it has ${names.length} columns`);
    this.#count = names.length;
    this.#columns = this.#wanted.map((name) => {
      const at = names.indexOf(name.toLowerCase());
      if (at < 0) throw this.fault(`there is no column ${name}`);
      return at;
    });
  }

  read(bytes: Uint8Array, from: number, end: number): void {
    const starts = this.#starts;
    let columns = 1;
    starts[0] = from;
    for (let at = from; at < end; at++) {
      if (bytes[at] !== TAB) continue;
      if (columns === this.#count) throw this.fault(`it has more than the ${this.#count} columns of the heading`);
      starts[columns++] = at + 1;
    }
    if (columns < this.#count) throw this.fault(`it has ${columns} columns, the heading ${this.#count}`);
    starts[columns] = end + 1;
    this.bytes = bytes;
    this.rows++;
  }

  start(column: number): number {
    return number(this.#starts, this.#columns[column] ?? 0);
  }

  end(column: number): number {
    return number(this.#starts, (this.#columns[column] ?? 0) + 1) - 1;
  }

  text(column: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.start(column), this.end(column) - this.start(column)).toString();
  }

  /** Reads an identifier into `high` and `low`; false where the column has none. */
  hasId(column: number): boolean {
    const end = this.end(column);
    const start = this.start(column);
    let high = 0;
    let low = 0;
    if (end <= start || end - start > 18 || this.bytes[start] === 48) return false;
    for (let at = start; at < end; at++) {
      const digit = number(this.bytes, at) - 48;
      if (digit < 0 || digit > 9) return false;
      if (at < end - 9) high = high * 10 + digit;
      else low = low * 10 + digit;
    }
    this.high = high;
    this.low = low;
    return true;
  }

  id(column: number): this {
    if (!this.hasId(column)) throw this.fault(`${this.#wanted[column]} “${this.#shown(column)}” is no SNOMED CT identifier`);
    return this;
  }

  is(column: number, { high, low }: Halves): boolean {
    this.id(column);
    return this.high === high && this.low === low;
  }

  active(column: number): number {
    const at = this.start(column);
    const digit = this.end(column) === at + 1 ? this.bytes[at] : undefined;
    if (digit !== 48 && digit !== 49) throw this.fault(`${this.#wanted[column]} “${this.#shown(column)}” is neither 0 nor 1`);
    return digit - 48;
  }

  /** A date as the number YYYYMMDD. */
  date(column: number): number {
    const start = this.start(column);
    let date = 0;
    for (let at = start; at < this.end(column); at++) date = date * 10 + number(this.bytes, at) - 48;
    if (this.end(column) !== start + 8 || !(date >= 19_000_101 && date <= 99_991_231))
      throw this.fault(`${this.#wanted[column]} “${this.#shown(column)}” is no date YYYYMMDD`);
    return date;
  }

  #shown(column: number): string {
    const text = this.text(column).replace(/\p{Cc}/gu, ' ');
    return text.length > 40 ? `${text.slice(0, 40)}…` : text;
  }
}
