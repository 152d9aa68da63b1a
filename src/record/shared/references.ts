/** References of a bundle in one form: `Type/id`. Servers write them absolute, with versions, or as `urn:uuid:`. */
import type { Reference } from '../../fhir/types.ts';

/**
 * `Type/id` of a relative or absolute reference, without version; `#id` and `urn:uuid:…` as they stand. Undefined for an empty
 * one. `List/<id>#<local>`, GP Connect's way to name a contained resource, keeps its local part.
 */
export function normalised(reference: Reference | string | undefined): string | undefined {
  const given = typeof reference === 'string' ? reference : reference?.reference;
  const text = typeof given === 'string' ? given.trim() : '';
  if (text === '') return undefined;
  if (text.startsWith('#') || text.startsWith('urn:')) return text;
  const match = /(?:^|\/)([A-Z][A-Za-z]+)\/([^/?]+?)(?:\/_history\/[^/]*)?$/.exec(text);
  return match ? `${match[1]}/${match[2]}` : text;
}

/** The resource type that a reference names, if it names one. */
export function typeOf(reference: Reference | string | undefined): string | undefined {
  const text = normalised(reference);
  return text?.includes('/') ? text.slice(0, text.indexOf('/')) : undefined;
}

/** The id that a reference names, without its type. */
export function idOf(reference: Reference | string | undefined): string | undefined {
  const text = normalised(reference);
  return text?.includes('/') ? text.slice(text.indexOf('/') + 1) : undefined;
}
