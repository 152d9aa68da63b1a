/** Something that has to hold does not. */
export class Violation extends Error {}

export function violation(text: string): never {
  throw new Violation(text);
}
