/** How settings are called: by their path in the file, and by their variable. */
import { z } from 'zod';
import { schema } from './schema.ts';

export const PREFIX = 'GP2GP_';
/** Variables with our prefix that are no settings of a node. */
export const NOT_OURS: ReadonlySet<string> = new Set(['GP2GP_TEST_DATABASE', 'GP2GP_FIXTURES']);

/** The variable of a setting, `GP2GP_API_PORT` of `api.port`; `null` where there is no such setting. */
export function variableFor(path: string): string | null {
  for (const [name, parts] of variableNames()) if (parts.join('.') === path) return name;
  return null;
}

/** Whether a name is a variable of ours. */
export function isOwnVariable(name: string): boolean {
  return NOT_OURS.has(name) || variableNames().has(name);
}

/** Variable name -> path, from the schema itself, so that no setting can be forgotten. */
export function variableNames(): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  const visit = (type: z.ZodType, path: readonly string[]): void => {
    const inner = unwrapped(type);
    if (inner instanceof z.ZodObject) {
      for (const [key, member] of Object.entries(inner.shape)) visit(member as z.ZodType, [...path, key]);
    } else names.set(variableOf(path), path);
  };
  visit(schema, []);
  return names;
}

function unwrapped(type: z.ZodType): z.ZodType {
  return type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional
    ? unwrapped(type.unwrap() as z.ZodType)
    : type;
}

function variableOf(path: readonly PropertyKey[]): string {
  return (
    PREFIX +
    path
      .map((part) => String(part).replace(/[A-Z]/g, (letter) => `_${letter}`))
      .join('_')
      .toUpperCase()
  );
}

/** `GP2GP_SPINE_URL (spine.url)`; inside the list of practices only the path. */
export function nameOf(path: readonly PropertyKey[]): string {
  const dotted = path.map(String).join('.');
  return path[0] === 'practices' || path.length === 0 ? dotted || 'the configuration' : `${variableOf(path)} (${dotted})`;
}
