import { parse } from 'yaml';

/** Where the key lies, as the settings say it; the settings that were read hold its text only. */
export function keyFileOf(yaml: string | null, environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = environment['GP2GP_SPINE_TLS_KEY'];
  if (named !== undefined || yaml === null) return named;
  let value: unknown;
  try {
    value = parse(yaml, { maxAliasCount: 0 });
  } catch {
    // That it is no YAML the check of the configuration says.
    return undefined;
  }
  for (const part of ['spine', 'tls', 'key']) value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined;
  return typeof value === 'string' ? value : undefined;
}
