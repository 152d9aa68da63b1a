/**
 * What clinicians are told when something of an entry breaks its mapping: which entry has a member that is not what it should be. What the
 * program said itself means nothing to them; it stands beside, for those who mend it.
 */
import { Fault, reasonOf } from '../base/errors.ts';
import type { Reference, Resource } from '../fhir/types.ts';
import { misshapen } from './shape.ts';

/** `words` for readers of the record; `technical` only where the program's own words say something else. */
export type Faulty = { readonly words: string; readonly technical?: { readonly technical: string } };

/** Sending. The culprit is the resource itself or one that it refers to: a medicine breaks the prescription that names it. */
export function faultInResource(
  thrown: unknown,
  resource: Resource,
  find: (reference: Reference | string | undefined) => Resource | undefined,
): Faulty {
  if (thrown instanceof Fault) return { words: reasonOf(thrown) };
  const culprit = [resource, ...referredTo(resource, find)].find((one) => misshapen(one).length > 0);
  const members = culprit ? misshapen(culprit).slice(0, MOST).join(', ') : 'something';
  const { resourceType, id } = culprit ?? resource;
  return told(`${members} of ${resourceType}/${id} is not of the shape that FHIR gives it`, thrown);
}

/** Requesting. `called`: what it is and where it stands. */
export function faultInStatement(thrown: unknown, called: string): Faulty {
  return thrown instanceof Fault
    ? { words: reasonOf(thrown) }
    : told(`something of ${called} is not of the shape that HL7 gives it`, thrown);
}

const MOST = 3;

const told = (words: string, thrown: unknown): Faulty => ({ words, technical: { technical: reasonOf(thrown) } });

/** What the references of a resource lead to, at any depth of it, each once. */
function referredTo(resource: Resource, find: (reference: string) => Resource | undefined): Set<Resource> {
  const found = new Set<Resource>();
  const open: unknown[] = [resource];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const { reference } = value as { reference?: unknown };
    const target = typeof reference === 'string' ? find(reference) : undefined;
    if (target) found.add(target);
    open.push(...Object.values(value).filter((inner) => inner !== undefined));
  }
  return found;
}
