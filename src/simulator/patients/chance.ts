import { createHash } from 'node:crypto';
import { Fault } from '../../base/errors.ts';
import { checkDigit } from '../../base/nhs-number.ts';
import { seeded } from '../seeded.ts';

/** Everything that is left to chance in a synthetic patient, from one seed: the same seed, the same bytes. */
export type Chance = {
  number(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
  /** So many different ones of a list, or all. */
  some<T>(list: readonly T[], count: number): T[];
  happens(probability: number): boolean;
  /** Mean 0, deviation 1. */
  normal(): number;
  /** The next id, a UUID in upper case. */
  uuid(): string;
};

export function makeChance(seed: number): Chance {
  const number = seeded(seed);
  let ids = 0;
  const between = (low: number, high: number) => low + Math.floor(number() * (high - low + 1));
  return {
    number,
    between,
    pick: (list) => {
      const at = between(0, list.length - 1);
      if (at >= list.length) throw new Fault('simulator.chance', 'nothing to pick from');
      return list[at] as (typeof list)[number];
    },
    some: (list, count) => {
      const left = [...list];
      const chosen: typeof left = [];
      while (left.length && chosen.length < count) chosen.push(...left.splice(between(0, left.length - 1), 1));
      return chosen;
    },
    happens: (probability) => number() < probability,
    normal: () => Math.sqrt(-2 * Math.log(1 - number())) * Math.cos(2 * Math.PI * number()),
    uuid: () => {
      const hex = createHash('sha256').update(`${seed} ${++ids}`).digest('hex').toUpperCase();
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-A${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
  };
}

/** An NHS number of the range that is never issued (999…), with its check digit; another for each serial number below 500,000. */
export function testNhsNumber(serial: number): string {
  // Of an even number and the next at most one asks for the check digit 10, which does not exist.
  for (const six of [(serial * 2) % 1_000_000, ((serial * 2) % 1_000_000) + 1]) {
    const nine = `999${String(six).padStart(6, '0')}`;
    const digit = checkDigit(nine);
    if (digit < 10) return `${nine}${digit}`;
  }
  throw new Fault('simulator.nhsNumber', `no NHS number for ${serial}`);
}

const D = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
  [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
  [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
  [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
  [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
  [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
  [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
  [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
  [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const P = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
  [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
  [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
  [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
  [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
  [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
  [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];
const INVERSE = [0, 4, 3, 2, 1, 5, 6, 7, 8, 9];

/** Verhoeff's check over a SNOMED identifier, as release format 2 has it: 0 where the last digit fits. */
export function verhoeff(id: string): number {
  let check = 0;
  for (let i = 0; i < id.length; i++) check = D[check]?.[P[i % 8]?.[Number(id[id.length - 1 - i])] ?? 0] ?? 0;
  return check;
}

/** An identifier of the UK extension with a number of our own: partition `10` concept, `11` description. */
export function ownSnomedId(item: number, partition: '10' | '11'): string {
  const start = `${item}1000000${partition}`;
  return `${start}${INVERSE[verhoeff(`${start}0`)]}`;
}
