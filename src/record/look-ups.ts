/** A terminology that notes what it could not be asked, for the report. */
import type { Terminology } from './types.ts';

export type NotedTerminology = {
  readonly terminology: Terminology;
  /** Which look-ups were skipped, for a clinician; undefined where all were made. */
  skipped(): string | undefined;
};

/** A complete release is handed on as it is; of another one, or none, it is noted what was asked. */
export function noted(terminology: Terminology): NotedTerminology {
  if (terminology.complete) return { terminology, skipped: () => undefined };
  const concepts = new Set<string>();
  const descriptions = new Set<string>();
  return {
    terminology: {
      ...terminology,
      preferredTerm(conceptId) {
        concepts.add(conceptId);
        return terminology.preferredTerm(conceptId);
      },
      conceptOfDescription(descriptionId) {
        descriptions.add(descriptionId);
        return terminology.conceptOfDescription(descriptionId);
      },
    },
    skipped() {
      if (terminology.release !== null)
        return `The terminology ${terminology.release} does not have every well-known immunisation: vaccinations may stand as observations.`;
      return (
        `Codes were read without a terminology release: the preferred terms of ${count(concepts, 'concept')} and the concepts of ` +
        `${count(descriptions, 'description')} were not looked up, and vaccinations were told by a short list of codes.`
      );
    },
  };
}

function count(ids: ReadonlySet<string>, what: string): string {
  return `${ids.size} ${what}${ids.size === 1 ? '' : 's'}`;
}
