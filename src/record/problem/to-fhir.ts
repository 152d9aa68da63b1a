import type { CodeableConcept, Condition, Extension } from '../../fhir/types.ts';
import { at, attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { drugCodeIn } from '../medication/supply.ts';
import { codedToFhir } from '../shared/coded.ts';
import { annotationsOf } from '../shared/comment.ts';
import { degraded } from '../shared/degrade.ts';
import { readFacts } from '../shared/labels.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { agentIn, authorOf, idOf, participantsOf } from '../shared/statements.ts';
import { dateTimeOf, endOf, timeOf } from '../shared/times.ts';
import type { MapToFhir, ToFhir, Uuid } from '../types.ts';
import {
  ACTUAL_PROBLEM,
  ADDED_NOTES,
  CATEGORY,
  FACTS,
  IMPORTANCE,
  NEXT_RELATION,
  NOTE_SEPARATOR,
  NOTES,
  PROBLEM_INFO,
  RELATED_CONTENT,
  RELATED_PROBLEM,
  RELATION,
  SIGNIFICANCE,
  STATUS,
  TRANSFORMED_FROM,
  WORDS,
} from './terms.ts';

/**
 * A problem from its LinkSet, wherever it stands. What it is, and what is noted about it, comes from the observation that it names;
 * what it is about from its links.
 */
export const problemToFhir: MapToFhir = (claim, s) => {
  const linkSet = claim.statement;
  const composition = s.composition(claim).xml;
  const namedId = attr(at(linkSet, 'conditionNamed', 'namedStatementRef', 'id'), 'root');
  const named = observationNamed(namedId, s);
  const told = tellsOf(named);
  const state = stateOf(linkSet, told);
  const code = degraded(codeOfProblem(named, namedId, s), 'record', s);
  const relations = relationsOf(linkSet, s);
  const notes = [...state.notes, ...told.notes(relations), textOf(at(linkSet, 'code', 'originalText'))];
  const onset = onsetOf(linkSet, s);
  const abatement = abatementOf(linkSet, s);
  const asserted = dateTimeOf(authorOf(composition).time, s);
  const condition: Condition & { severity?: CodeableConcept; bodySite?: CodeableConcept[] } = {
    ...head('Condition', idOf(linkSet), 'ProblemHeader-Condition-1', [named, linkSet, composition], s),
    extension: [
      { url: SIGNIFICANCE, valueCode: state.significance },
      ...actualProblem(namedId, s),
      ...relatedContent(linkSet, s),
      ...relations,
    ],
    clinicalStatus: state.clinicalStatus,
    ...(told.verification && { verificationStatus: told.verification }),
    category: [{ coding: [{ ...CATEGORY }] }],
    ...(told.severity && { severity: { text: told.severity } }),
    code,
    ...(told.bodySite && { bodySite: told.bodySite.split(', ').map((text) => ({ text })) }),
    subject: ref(s.patient),
    ...maybe('context', s.encounterOf(claim.composition)),
    ...(onset && { onsetDateTime: onset }),
    ...(abatement && { abatementDateTime: abatement }),
    ...(asserted && { assertedDate: asserted }),
    ...maybe('asserter', asserterOf(linkSet, composition, s)),
    note: notes.filter((text) => /[^\s,]/.test(text)).map((text) => ({ text })),
  };
  return [condition.note?.length ? condition : withoutNote(condition)];
};

function withoutNote({ note: _, ...condition }: Condition): Condition {
  return condition;
}

function observationNamed(id: Uuid | undefined, s: ToFhir): XmlElement | undefined {
  const statement = id === undefined ? undefined : s.claimOf(id)?.statement;
  if (statement?.name === 'ObservationStatement') return statement;
  // An allergy is claimed by the compound statement around its observation.
  const inner = statement?.name === 'CompoundStatement' ? children(statement, 'component').flatMap((one) => children(one)) : [];
  return inner.find((one) => one.name === 'ObservationStatement' && idOf(one).toUpperCase() === id?.toUpperCase());
}

/** What the problem is: the code of what it names, whatever that is. */
function codeOfProblem(named: XmlElement | undefined, id: Uuid | undefined, s: ToFhir): CodeableConcept {
  const statement = named ?? (id === undefined ? undefined : s.claimOf(id)?.statement);
  const element = statement?.name === 'MedicationStatement' ? drugCodeIn(statement) : child(statement, 'code');
  if (!element)
    s.report({ code: 'value.lost', text: 'What the problem is cannot be told: it names nothing of the extract that has a code.' });
  return codedToFhir(element, s.terminology) ?? {};
}

function stateOf(linkSet: XmlElement, told: Told) {
  const code = child(linkSet, 'code');
  const status = attr(code, 'code');
  const known = status === STATUS.inactive.code ? 'inactive' : status === STATUS.active.code ? 'active' : undefined;
  const major = attr(at(code, 'qualifier', 'name'), 'code') === IMPORTANCE.major.code;
  return {
    clinicalStatus: told.status ?? known ?? 'active',
    significance: major ? 'major' : 'minor',
    notes: [...(known || told.status ? [] : [ADDED_NOTES.status]), ...(major ? [] : [ADDED_NOTES.minor])],
  };
}

type Told = {
  readonly status?: string;
  readonly verification?: string;
  readonly severity?: string;
  readonly bodySite?: string;
  /** All that is noted; words about related problems only where no link says the same. */
  notes(relations: readonly Extension[]): string[];
};

/** What stands behind `Problem Info:` is the problem's; what stands before it is the observation's own comment. */
function tellsOf(named: XmlElement | undefined): Told {
  const notes: string[] = [];
  let found: Partial<Record<keyof typeof FACTS, string>> = {};
  for (const { text } of named ? annotationsOf(named) : []) {
    const start = text.lastIndexOf(PROBLEM_INFO);
    if (start < 0) {
      if (text.trim()) notes.push(text);
      continue;
    }
    const read = readFacts(text.slice(start + PROBLEM_INFO.length), FACTS, NOTES);
    found = { ...found, ...read.found };
    const rest = read.rest.replace(TRANSFORMED_FROM.read, '');
    notes.push(...rest.split(NOTE_SEPARATOR).filter((note) => note.trim()));
  }
  const status = codeOf(WORDS.status, found.status);
  const verification = codeOf(WORDS.verification, found.verification);
  const related = found.relatedProblem?.split(NEXT_RELATION) ?? [];
  return {
    ...(status && { status }),
    ...(verification && { verification }),
    ...(found.severity && { severity: found.severity }),
    ...(found.bodySite && { bodySite: found.bodySite }),
    notes: (relations) => [
      ...related.filter((words) => !isLinked(words, relations)).map((words) => FACTS.relatedProblem.label + words),
      ...notes,
    ],
  };
}

function codeOf(table: Readonly<Record<string, string>>, words: string | undefined): string | undefined {
  return words === undefined ? undefined : Object.keys(table).find((code) => table[code] === words);
}

function isLinked(words: string, relations: readonly Extension[]): boolean {
  const type = [...RELATION].find(([, begin]) => words.startsWith(begin))?.[0];
  return relations.some((relation) => relation.extension?.some((part) => part.url === 'type' && part.valueCode === type));
}

function actualProblem(namedId: Uuid | undefined, s: ToFhir): Extension[] {
  if (namedId === undefined) return [];
  const resource = s.resourceFor(namedId);
  if (resource !== undefined) return [{ url: ACTUAL_PROBLEM, valueReference: ref(resource) }];
  s.report({ code: 'link.broken', text: 'What the problem names is not in the extract.' });
  return [];
}

function linkedIds(linkSet: XmlElement): Uuid[] {
  return children(linkSet, 'component').flatMap((component) => {
    const id = attr(at(component, 'statementRef', 'id'), 'root');
    return id === undefined ? [] : [id];
  });
}

/** In the order of the bundle, each once. */
function relatedContent(linkSet: XmlElement, s: ToFhir): Extension[] {
  const links = new Map<string, number>();
  for (const id of linkedIds(linkSet)) {
    const resource = s.resourceFor(id);
    if (resource === undefined) s.report({ code: 'link.broken', text: 'A link of the problem leads to nothing in the extract.' });
    else if (!links.has(resource)) links.set(resource, s.rankOf(id));
  }
  const ordered = [...links].sort(([, a], [, b]) => a - b);
  return ordered.map(([reference]) => ({ url: RELATED_CONTENT, valueReference: ref(reference) }));
}

/** A problem that links to another is its parent. In the order in which the linking problems stand. */
function relationsOf(linkSet: XmlElement, s: ToFhir): Extension[] {
  const own = idOf(linkSet);
  const below = linkedIds(linkSet).filter((id) => s.claimOf(id)?.concept === 'problem');
  const above = s.problemsHolding(own).filter((id) => id.toUpperCase() !== own.toUpperCase());
  const isBefore = (id: Uuid) => s.rankOf(id) < s.rankOf(own);
  return [
    ...above.filter(isBefore).map((id) => relation('parent', id, s)),
    ...below.map((id) => relation('child', id, s)),
    ...above.filter((id) => !isBefore(id)).map((id) => relation('parent', id, s)),
  ];
}

function relation(type: 'child' | 'parent', id: Uuid, s: ToFhir): Extension {
  const target = ref(s.resourceFor(id) ?? `Condition/${id}`);
  return {
    url: RELATED_PROBLEM,
    extension: [
      { url: 'type', valueCode: type },
      { url: 'target', valueReference: target },
    ],
  };
}

function onsetOf(linkSet: XmlElement, s: ToFhir): string | undefined {
  const effective = child(linkSet, 'effectiveTime');
  for (const bound of [child(effective, 'low'), child(effective, 'center')]) {
    const date = dateTimeOf(bound, s);
    if (date !== undefined || attr(bound, 'nullFlavor') !== undefined) return date;
  }
  return dateTimeOf(child(linkSet, 'availabilityTime'), s);
}

/** SystmOne writes 1 January 1900 where it has no end. */
function abatementOf(linkSet: XmlElement, s: ToFhir): string | undefined {
  const high = at(linkSet, 'effectiveTime', 'high');
  if (timeOf(high)?.startsWith('19000101')) return undefined;
  return endOf(high, s);
}

function asserterOf(linkSet: XmlElement, composition: XmlElement, s: ToFhir): string | undefined {
  const own = participantsOf(linkSet, 'Participant').find(({ type }) => type === 'PRF' || type === 'PPRF')?.agent;
  return s.practitioner(own ?? participantsOf(composition, 'Participant2')[0]?.agent ?? agentIn(child(composition, 'author')));
}
