/**
 * Resources that are finished, as text: of them nothing changes any more but what only the whole record can tell, and a text takes a
 * quarter of the room of its objects.
 */
import { readJson, writeJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/types.ts';
import type { Origin } from './types.ts';

export type Made = { readonly from: Origin; readonly why?: string };

export type Finished = {
  readonly resourceType: string;
  /** `Type/id`, or `Type/` where it has no id. */
  readonly name: string;
  readonly json: string;
  /** What it was made from; one that is shared is made from everything that uses it. */
  readonly made: Made[];
  /** Not to be shown to the patient. */
  readonly redacted: boolean;
  /** The resource itself, where whoever asked wants objects. */
  readonly resource: Resource | null;
};

export function finished(resource: Resource, made: Made[], keep: boolean): Finished {
  const { resourceType, id } = resource;
  return {
    resourceType,
    name: `${resourceType}/${id ?? ''}`,
    json: writeJson(resource),
    made,
    redacted: (resource.meta?.security?.length ?? 0) > 0,
    resource: keep ? resource : null,
  };
}

/** One that is not finished after all. */
export function changed(one: Finished, change: (resource: Resource) => Resource): Finished {
  return finished(change(one.resource ?? (readJson(one.json) as Resource)), one.made, one.resource !== null);
}

// In JSON a quote inside a text has a backslash before it: so written it can only be the name of a member and the beginning of its text.
const MEMBER = '"reference":"';

/** Everything that a resource refers to, in order. */
export function referencesIn({ json }: Finished): string[] {
  const found: string[] = [];
  for (let at = json.indexOf(MEMBER); at >= 0; at = json.indexOf(MEMBER, at)) {
    at += MEMBER.length;
    const end = json.indexOf('"', at);
    const plain = json.slice(at, end);
    found.push(plain.includes('\\') ? escapedAt(json, at) : plain);
  }
  return found;
}

function escapedAt(json: string, from: number): string {
  let end = from;
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return JSON.parse(`"${json.slice(from, end)}"`) as string;
}
