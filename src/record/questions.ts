/** What a handler may ask while it maps one resource: the answers come from what was worked out before anything is written. */
import type { Condition, MedicationStatement, Observation, Reference, Resource } from '../fhir/types.ts';
import type { BundleIndex } from './bundle-index.ts';
import { commentedOn } from './laboratory/tree.ts';
import { namedBy } from './named-by.ts';
import type { Directory } from './people/directory.ts';
import type { Placement } from './place.ts';
import { actualProblemOf } from './problem/terms.ts';
import { parentsOf } from './problem/text.ts';
import type { DocumentFate, Remark, ToHl7, Uuid } from './types.ts';

/** What all questions of one conversion are answered from. */
export type Answers = {
  readonly index: BundleIndex;
  readonly placement: Placement;
  readonly directory: Directory;
  readonly redactions: boolean;
  readonly problemsNaming: ToHl7['problemsNaming'];
  readonly problemsBelow: ToHl7['problemsBelow'];
  readonly statementsBasedOn: ToHl7['statementsBasedOn'];
  readonly notesOn: ToHl7['notesOn'];
  newId(): Uuid;
  idFor(key: string): Uuid;
  document(reference: string): DocumentFate | undefined;
  report(remark: Remark, about: Resource): void;
};

export function answersOf(
  index: BundleIndex,
  placement: Placement,
  directory: Directory,
  others: Pick<Answers, 'redactions' | 'newId' | 'document' | 'report'>,
): Answers {
  const ids = new Map<string, Uuid>();
  return {
    index,
    placement,
    directory,
    ...others,
    problemsNaming: namedBy<Condition>(index, 'Condition', (condition) => [actualProblemOf(condition)]),
    problemsBelow: namedBy<Condition>(index, 'Condition', parentsOf),
    notesOn: namedBy<Observation>(index, 'Observation', commentedOn),
    statementsBasedOn: namedBy<MedicationStatement>(index, 'MedicationStatement', (statement) => statement.basedOn ?? []),
    idFor: (name) => {
      const known = ids.get(name) ?? others.newId();
      ids.set(name, known);
      return known;
    },
  };
}

/** The questions of one resource. A class, since every resource gets one: what it can answer is not made anew each time. */
export class Questions implements ToHl7 {
  readonly redactions: boolean;
  readonly #answers: Answers;
  readonly #resource: Resource;

  constructor(answers: Answers, resource: Resource) {
    this.redactions = answers.redactions;
    this.#answers = answers;
    this.#resource = resource;
  }

  /** Handed on by itself. */
  readonly find = <R extends Resource>(reference: Reference | string | undefined) =>
    this.#answers.index.find(reference, this.#resource) as R | undefined;

  all<R extends Resource>(type: R['resourceType']): readonly R[] {
    return this.#answers.index.all(type) as readonly R[];
  }

  statementId(reference: Reference | string | undefined): Uuid | undefined {
    return this.#answers.placement.places.get(this.#key(reference))?.statementId;
  }

  newId(): Uuid {
    return this.#answers.newId();
  }

  idFor(key: string): Uuid {
    return this.#answers.idFor(key);
  }

  agent(practitioner: Reference | undefined, organisation?: Reference | undefined): Uuid | null {
    return this.#answers.directory.agent(practitioner, organisation, this);
  }

  document(reference: string): DocumentFate | undefined {
    return this.#answers.document(reference);
  }

  holderOf(reference: Reference | string | undefined): string | undefined {
    const holder = this.#answers.placement.holders.get(this.#key(reference));
    return holder && this.#answers.index.keys.get(holder);
  }

  problemsNaming(reference: Reference | string): readonly Condition[] {
    return this.#answers.problemsNaming(reference);
  }

  problemsBelow(reference: Reference | string): readonly Condition[] {
    return this.#answers.problemsBelow(reference);
  }

  statementsBasedOn(reference: Reference | string): readonly MedicationStatement[] {
    return this.#answers.statementsBasedOn(reference);
  }

  notesOn(reference: Reference | string): readonly Observation[] {
    return this.#answers.notesOn(reference);
  }

  report(remark: Remark): void {
    this.#answers.report(remark, this.#resource);
  }

  #key(reference: Reference | string | undefined): string {
    return this.#answers.index.keyOf(reference, this.#resource) ?? '';
  }
}
