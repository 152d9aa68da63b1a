/** What is wrong with a run. `odd` is none of the three, but no end that was meant either. */
export type Finding = { readonly kind: 'lost' | 'duplicated' | 'stuck' | 'odd'; readonly about: string; readonly text: string };
export type Tell = (kind: Finding['kind'], text: string) => void;

/** A member of a row as text; '' where it is none. Ids are compared in upper case. */
export function textAt(row: unknown, ...path: readonly string[]): string {
  const value = at(row, ...path);
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function idAt(row: unknown, ...path: readonly string[]): string {
  return textAt(row, ...path).toUpperCase();
}

export function at(row: unknown, ...path: readonly string[]): unknown {
  let value: unknown = row;
  for (const name of path)
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
  return value ?? null;
}
