/** What a problem says in words: written behind the comment of the observation it is about, or at the statement made for it. */
import type { CodeableConcept, Condition, Extension, Resource } from '../../fhir/types.ts';
import { snomedCoding, textOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { fact } from '../shared/labels.ts';
import { typeOf } from '../shared/references.ts';
import type { ToHl7 } from '../types.ts';
import {
  ADDED_NOTES,
  actualProblemOf,
  FACTS,
  NOTE_SEPARATOR,
  NOTES,
  OTHER_RELATION,
  PROBLEM_INFO,
  RELATED_PROBLEM,
  RELATION,
  STATUS,
  TRANSFORMED_FROM,
  WORDS,
} from './terms.ts';

type Described = Condition & { severity?: CodeableConcept; bodySite?: CodeableConcept[] };

/** `Problem Info: …`, or '' where there is nothing to say. */
export function problemText(condition: Condition, s: ToHl7): string {
  const { severity, bodySite }: Described = condition;
  const facts = [
    fact(FACTS.status, wordsOf(WORDS.status, condition.clinicalStatus)),
    fact(FACTS.verification, wordsOf(WORDS.verification, condition.verificationStatus)),
    fact(FACTS.severity, textOrCoding(severity)),
    fact(FACTS.bodySite, joined((bodySite ?? []).map(textOrCoding), ', ')),
    fact(FACTS.relatedProblem, joined(relationsOf(condition).map((relation) => related(relation, s)))),
  ].filter((line) => line !== undefined);
  const notes = notesOf(condition).join(NOTE_SEPARATOR);
  const lines = [notes && NOTES + notes, isTransformed(condition) ? transformed(condition) : ''].filter((line) => line);
  const text = facts.map((line) => `${line}\n`).join('') + lines.join('\n');
  return text && PROBLEM_INFO + text;
}

/** Whether what the problem really is cannot be the statement that a problem names: receivers take only observations. */
export function isTransformed(condition: Condition): boolean {
  return TRANSFORMING.has(typeOf(actualProblemOf(condition)) ?? '');
}

const TRANSFORMING: ReadonlySet<string> = new Set(['AllergyIntolerance', 'Immunization', 'MedicationRequest']);

/** `RelatedProblemHeader` extensions: what the other problem is to this one, and which one it is. */
export function relationsOf(condition: Resource): { readonly type: string | undefined; readonly target: Extension['valueReference'] }[] {
  return (condition.extension ?? []).flatMap((extension) => {
    if (extension.url !== RELATED_PROBLEM) return [];
    const part = (url: string) => extension.extension?.find((inner) => inner.url === url);
    return [{ type: part('type')?.valueCode, target: part('target')?.valueReference }];
  });
}

/** The problems that a problem calls its parents. */
export function parentsOf(condition: Resource): Extension['valueReference'][] {
  return relationsOf(condition).flatMap(({ type, target }) => (type === 'parent' ? [target] : []));
}

function wordsOf(table: Readonly<Record<string, string>>, code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(table, code) ? table[code] : undefined;
}

function related({ type, target }: ReturnType<typeof relationsOf>[number], s: ToHl7): string {
  return (RELATION.get(type ?? '') ?? OTHER_RELATION) + nameOf(target, s);
}

function nameOf(target: Extension['valueReference'], s: ToHl7): string {
  if (!target) return 'Unknown related problem';
  const problem = s.find<Condition>(target);
  if (!problem) return 'Unknown Condition';
  return problem.code ? (snomedCoding(problem.code)?.display ?? textOrCoding(problem.code) ?? '') : 'Non-Snomed coded Condition';
}

/** Notes without those that a receiver adds: sent on, they would double with every transfer. */
function notesOf(condition: Condition): string[] {
  const texts = (condition.note ?? []).flatMap((note) => (note.text?.trim() ? [note.text.trim()] : []));
  return texts.filter((text) => !ADDED.has(text) && !REPEATED.test(text));
}

const ADDED: ReadonlySet<string> = new Set(Object.values(ADDED_NOTES));
const REPEATED = new RegExp(`^(?:${STATUS.active.displayName}|${STATUS.inactive.displayName})?,(?: (?:major|minor)?)?$`);

function transformed(condition: Condition): string {
  return TRANSFORMED_FROM.write(typeOf(actualProblemOf(condition)) ?? '', textOrCoding(condition.code) ?? '');
}
