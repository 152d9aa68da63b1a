/** How an operator's commands say things: times, ages, masked numbers, tables of text. */
import { InvalidArgumentError } from 'commander';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 7 * 86_400 };

/** Parser of a commander option: `90s`, `30m`, `2h`, `3d`, `1w`, in seconds. */
export function ageOption(text: string): number {
  const found = /^(\d{1,6})([smhdw])$/.exec(text.trim());
  if (!found) throw new InvalidArgumentError('an age is wanted: 30m, 2h, 3d, 1w.');
  return Number(found[1]) * (UNITS[found[2] ?? ''] ?? 1);
}

/** Parser of a commander option: a whole number within bounds. */
export function countOption(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted.`);
    return value;
  };
}

/** `*** *** 0018`: enough to tell two patients apart, too little to find one. */
export function masked(nhsNumber: string): string {
  return `*** *** ${nhsNumber.slice(-4)}`;
}

/** `2026-11-27 04:41:25`, in UTC as all of the product's times. */
export function moment(at: string): string {
  return at.slice(0, 19).replace('T', ' ');
}

/** `in 3 h`, `12 min ago`. */
export function fromNow(at: string, now: Date): string {
  const seconds = Math.round((Date.parse(at) - now.getTime()) / 1000);
  const size = Math.abs(seconds);
  const words =
    size < 90
      ? `${size} s`
      : size < 5_400
        ? `${Math.round(size / 60)} min`
        : size < 172_800
          ? `${Math.round(size / 3600)} h`
          : `${Math.round(size / 86_400)} days`;
  return seconds >= 0 ? `in ${words}` : `${words} ago`;
}

export function sized(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Columns as wide as they need; the last one as it is. What came from outside cannot move the cursor. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((cells) => `${plain(line(cells))}\n`).join('');
}

/** Text for a terminal: control characters become the replacement character, line breaks stay. */
export function plain(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '\uFFFD');
}

export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
