import type { Brand } from './ids.ts';

/** Ten digits without spaces. The brand says nothing about the check digit: test records break it, see `hasValidCheckDigit`. */
export type NhsNumber = Brand<string, 'NhsNumber'>;

/** Reads an NHS number: spaces and hyphens between digits are dropped. `null` unless ten digits remain. */
export function nhsNumber(text: string): NhsNumber | null {
  const digits = text.replace(/[\s-]/g, '');
  return /^\d{10}$/.test(digits) ? (digits as NhsNumber) : null;
}

/** Modulus 11 as the NHS Data Dictionary defines it; a remainder that asks for the digit 10 is never valid. */
export function hasValidCheckDigit(number: NhsNumber): boolean {
  return checkDigit(number.slice(0, 9)) === Number(number[9]);
}

/** The check digit of nine digits, or 10 where no number with these nine exists. */
export function checkDigit(nine: string): number {
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += Number(nine[i]) * (10 - i);
  const digit = 11 - (sum % 11);
  return digit === 11 ? 0 : digit;
}
