/** What a built terminology knows of one code: for whoever wants to know why a record reads as it does. */
import type { Mapped, Release, Successor } from '../../terminology/release.ts';

export type Explanation = {
  readonly code: string;
  /** Absent where the release does not have the code. */
  readonly concept?: {
    readonly id: string;
    /** Left out where the release does not say. */
    readonly active?: boolean;
    readonly preferredTerm: string | null;
    readonly immunisation: boolean;
    readonly allergy: 'drug' | 'other' | null;
    readonly successors: readonly Successor[];
  };
  /** Where the code is the id of a description. */
  readonly term?: string;
  /** What it was mapped to as a code of Read v2, of CTV3. */
  readonly readV2: readonly Mapped[];
  readonly ctv3: readonly Mapped[];
};

export function explain(code: string, release: Release): Explanation {
  const described = release.conceptOfDescription(code);
  const id = described?.conceptId ?? code;
  const known = described !== undefined || release.hasConcept(id);
  const active = release.isActive(id);
  return {
    code,
    ...(known && {
      concept: {
        id,
        ...(active !== undefined && { active }),
        preferredTerm: release.preferredTerm(id) ?? null,
        immunisation: release.isImmunisation(id),
        allergy: release.allergyKind(id) ?? null,
        successors: release.successorsOf(id),
      },
    }),
    ...(described && { term: described.term }),
    readV2: release.mapped('readV2', code),
    ctv3: release.mapped('ctv3', code),
  };
}

export function explanationInWords({ code, concept, term, readV2, ctv3 }: Explanation): string {
  const mapped = (system: string, all: readonly Mapped[]) =>
    all.map(({ conceptId, assured }) => `mapped from ${system} to ${conceptId}${assured ? '' : ', not assured'}`);
  const known = concept
    ? [
        concept.id === code ? 'a concept' : `a description of ${concept.id}: ${term}`,
        concept.active === false ? 'no longer used' : '',
        `preferred term: ${concept.preferredTerm ?? 'none'}`,
        concept.immunisation ? 'an immunisation' : '',
        concept.allergy === null ? '' : `as an allergy, of ${concept.allergy === 'drug' ? 'a drug' : 'something else than a drug'}`,
        ...concept.successors.map(({ conceptId, kind }) => `${SUCCESSION[kind]} ${conceptId}`),
      ]
    : [];
  const lines = [...known, ...mapped('Read v2', readV2), ...mapped('CTV3', ctv3)].filter((line) => line !== '');
  return `${code}: ${lines.length > 0 ? lines.join('; ') : 'not in the release'}\n`;
}

const SUCCESSION: Readonly<Record<Successor['kind'], string>> = {
  sameAs: 'the same as',
  replacedBy: 'replaced by',
  possiblyEquivalentTo: 'possibly equivalent to',
  partiallyEquivalentTo: 'partially equivalent to',
  possiblyReplacedBy: 'possibly replaced by',
  alternative: 'alternatively',
  movedTo: 'moved to',
  wasA: 'was a',
};
