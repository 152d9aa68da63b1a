/**
 * How a report is arranged before it is written: which results stand under which specimen, and which of them is part of another.
 * A resource stands in one report, once.
 */
import type { DiagnosticReport, Observation, Reference, Resource, Specimen } from '../../fhir/types.ts';
import { listOf } from '../bundle-index.ts';
import { membersOf } from '../observation/panel.ts';
import { isCommentNote } from '../observation/terms.ts';

type Find = (reference: Reference | string | undefined) => Resource | undefined;

export type Found<R extends Resource> = { readonly reference: Reference; readonly resource: R };
export type Arranged = {
  /** Specimens with their results, in order; null for results of which nobody says what was examined. */
  readonly groups: readonly { readonly specimen: Found<Specimen> | null; readonly results: readonly Found<Observation>[] }[];
  /** Comments of whoever filed the report. */
  readonly filing: readonly Found<Observation>[];
};

/** The specimens, results and members of results that stand inside a report's statement. */
export function heldByReport(report: DiagnosticReport, find: Find): Resource[] {
  const results = resultsOf(report, find).map(({ resource }) => resource);
  return [...new Set<Resource>([...reportSpecimens(report, find).map(({ resource }) => resource), ...withMembers(results, find)])];
}

/** Observations with their members, the members of these, and so on. A list of what is still to do: links may be deep, or a ring. */
function withMembers(observations: readonly Observation[], find: Find): Set<Resource> {
  const reached = new Set<Resource>();
  const open = [...observations].reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    const members = membersOf(next, find).map((member) => member.observation);
    open.push(...members.reverse());
  }
  return reached;
}

/** `mine` says whether a resource stands in this report: another report may have it already. */
export function arrange(report: DiagnosticReport, find: Find, mine: (reference: Reference) => boolean): Arranged {
  const results = outermost(
    resultsOf(report, find).filter(({ reference }) => mine(reference)),
    find,
  );
  const filing = results.filter(({ resource }) => isCommentNote(resource.code));
  const measured = results.filter(({ resource }) => !isCommentNote(resource.code));
  const specimens = reportSpecimens(report, find);
  const under = new Map<Specimen | undefined, Found<Observation>[]>();
  for (const result of measured) {
    const specimen = specimenOf(result.resource, find);
    const known = specimens.find(({ resource }) => resource === specimen)?.resource;
    under.set(known, [...(under.get(known) ?? []), result]);
  }
  const unknown = under.get(undefined) ?? [];
  const groups = specimens.map((specimen) => ({ specimen, results: under.get(specimen.resource) ?? [] }));
  return { groups: unknown.length || specimens.length === 0 ? [{ specimen: null, results: unknown }, ...groups] : groups, filing };
}

/** What a comment note says that it derives from. */
export function commentedOn(observation: Observation): Reference[] {
  if (!isCommentNote(observation.code)) return [];
  return listOf(observation.related).flatMap(({ type, target }) => (type === 'derived-from' && target ? [target] : []));
}

function resultsOf(report: DiagnosticReport, find: Find): Found<Observation>[] {
  return found<Observation>(report.result, 'Observation', find);
}

/** The specimen of a result; of a group that names none, the first that one of its members names. */
function specimenOf(result: Observation, find: Find): Resource | undefined {
  const own = find(result.specimen);
  if (own) return own;
  const members = [...withMembers([result], find)] as Observation[];
  return members.map(({ specimen }) => find(specimen)).find((specimen) => specimen !== undefined);
}

/** The report's own specimens, then those that only its results or the members of these name. */
function reportSpecimens(report: DiagnosticReport, find: Find): Found<Specimen>[] {
  const results = resultsOf(report, find).map(({ resource }) => resource);
  const members = [...withMembers(results, find)] as Observation[];
  const named = [...results, ...members].flatMap(({ specimen }) => specimen ?? []);
  return found<Specimen>([...(report.specimen ?? []), ...named], 'Specimen', find);
}

function found<R extends Resource>(references: readonly Reference[] | undefined, type: R['resourceType'], find: Find): Found<R>[] {
  const byResource = new Map<Resource, Found<R>>();
  for (const reference of references ?? []) {
    const resource = find(reference);
    if (resource?.resourceType === type && !byResource.has(resource)) byResource.set(resource, { reference, resource: resource as R });
  }
  return [...byResource.values()];
}

/** Results that are no member of another result; of members in a ring the first. */
function outermost(results: readonly Found<Observation>[], find: Find): Found<Observation>[] {
  const members = new Set<Resource>(results.flatMap(({ resource }) => membersOf(resource, find).map((member) => member.observation)));
  const top = results.filter(({ resource }) => !members.has(resource));
  const reached = withMembers(
    top.map(({ resource }) => resource),
    find,
  );
  for (const result of results) {
    if (reached.has(result.resource)) continue;
    top.push(result);
    for (const resource of withMembers([result.resource], find)) reached.add(resource);
  }
  return top;
}
