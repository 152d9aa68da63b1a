import type { DiagnosticReport, Observation, Organization, Practitioner, Reference, Specimen } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { attempt, listOf } from '../bundle-index.ts';
import { faultInResource } from '../faulty.ts';
import { noteText } from '../observation/annotation.ts';
import { snomedCode, textOrCoding } from '../shared/coded.ts';
import { PMIP } from '../shared/comment.ts';
import { checkText, madeOrWords } from '../shared/degrade.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { normalised, typeOf } from '../shared/references.ts';
import { component, id, narrative, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, dateText, effectiveAt, hl7Time } from '../shared/times.ts';
import { wordsOfResource } from '../shared/words.ts';
import type { MapToHl7, Place, Statement, ToHl7, Uuid } from '../types.ts';
import { personName } from './names.ts';
import { pmipNarrative } from './narrative.ts';
import { emptyResult, type Inside, memberStatements, partsOf, resultStatements, userComment } from './result.ts';
import { specimenStatement } from './specimen.ts';
import { PLACEHOLDER, PMIP_REPORT_OID, REPORT, REPORT_LABEL } from './terms.ts';
import { arrange, type Found } from './tree.ts';

/**
 * A report with its specimens and results as one tree. Where what it says of itself cannot be written, the tree stays and the report's
 * own words stand in it.
 */
export const reportToHl7: MapToHl7<DiagnosticReport> = (report, place, s) => {
  // Another report may hold a resource already; one that nobody holds is this one's.
  const mine = (reference: Reference) => {
    const holder = s.holderOf(reference);
    return holder === undefined || s.find(holder) === report;
  };
  try {
    const statement = wholeReport(report, '', mine, place, s);
    checkText(statement.xml);
    return [statement];
  } catch (thrown) {
    const { words, technical } = faultInResource(thrown, report, s.find);
    const text = `What the report says of itself could not be written (${words}); its words are kept as a note.`;
    s.report({ code: 'statement.asText', text, ...technical });
    const { resourceType, id: reportId, meta } = report;
    const bare: DiagnosticReport = { resourceType, ...(reportId && { id: reportId }), ...(meta && { meta }) };
    const tree = { ...bare, result: listOf(report.result), specimen: listOf(report.specimen) };
    return [wholeReport(tree as DiagnosticReport, wordsOfResource(report), mine, place, s)];
  }
};

function wholeReport(report: DiagnosticReport, words: string, mine: (reference: Reference) => boolean, place: Place, s: ToHl7): Statement {
  const tree = arrange(report, s.find, mine);
  const listed = new Set((report.result ?? []).flatMap((one) => s.find<Observation>(one) ?? []));
  const inside: Inside = { s, mine, written: new Set(), listed, reportStatus: report.status };
  reportSharedResults(report, mine, s);
  const makers = namesOf(report.performer?.map(({ actor }) => actor));
  const single = [...tree.groups.flatMap(({ results }) => results), ...tree.filing];
  if (single.some(({ resource: { performer } }) => performer?.length && namesOf(performer) !== makers))
    s.report({ code: 'value.lost', text: 'Who made each single result or comment is not carried; receivers know who made the report.' });
  const issued = hl7Time(report.issued, s);
  reportOwn(report, issued, s);
  const available = availabilityTime(issued);
  const author = authorOf(report, s);
  const pmip = report.identifier?.find(({ system }) => system?.replace(/^urn:oid:/, '') === PMIP_REPORT_OID)?.value;
  const specimens = tree.groups.flatMap(({ specimen, results }) => {
    const owned = specimen && mine(specimen.reference);
    const statementId = (owned ? s.statementId(specimen.reference) : undefined) ?? s.newId();
    const inner = statementsOf(results, specimen !== null, inside);
    const write = (of: Specimen | null, id: Uuid) => specimenStatement(of, id, inner, { available, issued }, s);
    if (!specimen) return [write(null, statementId)];
    // Receivers show no result outside a specimen: where its own cannot be written, a placeholder stands around them.
    const { resource } = specimen;
    return madeOrWords(
      resource,
      statementId,
      s,
      () => [write(resource, statementId)],
      () => [write(null, s.newId())],
    );
  });
  const xml = h(
    'CompoundStatement',
    { classCode: 'CLUSTER', moodCode: 'EVN' },
    id(place.statementId),
    pmip ? h('id', { extension: pmip, root: PMIP_REPORT_OID }) : null,
    snomedCode(REPORT.code, REPORT.display, REPORT.text),
    statusComplete(),
    effectiveAt(null, 'NI'),
    available,
    redactionToHl7(report, s),
    words ? component(narrative(s.newId(), words, available), true) : null,
    [...narrativesOf(report, tree.filing, issued, inside), ...specimens].map((one) => component(one, true)),
    participant('AUT', author),
  );
  return { xml, effective: issued, available: issued, author };
}

const namesOf = (actors: readonly (Reference | undefined)[] | undefined) =>
  listOf(actors)
    .map((actor) => normalised(actor) ?? actor?.display)
    .join();

function statementsOf(results: readonly Found<Observation>[], hasSpecimen: boolean, inside: Inside): XmlElement[] {
  const { s } = inside;
  if (results.length === 0) return hasSpecimen ? [emptyResult(s)] : [];
  return results.flatMap(({ reference, resource }) =>
    resultStatements(resource, s.statementId(reference) ?? s.newId(), inside, s.holderOf(reference) === undefined),
  );
}

/** What the report says of itself and cannot be carried. */
function reportOwn({ performer, specimen }: DiagnosticReport, issued: string | null, s: ToHl7): void {
  if (issued === null) s.report({ code: 'date.defaulted', text: 'When the report was issued is not given; it is sent as unknown.' });
  for (const { actor } of performer ?? []) {
    if (nameOf(actor, s) !== undefined || typeOf(actor) === 'PractitionerRole') continue;
    s.report({ code: 'link.broken', text: `A performer of the report (${actor?.reference ?? 'nobody'}) has no name and is not carried.` });
  }
  for (const one of specimen ?? []) {
    if (s.find(one)?.resourceType === 'Specimen') continue;
    s.report({ code: 'link.broken', text: `A specimen leads nowhere: ${one.reference ?? 'no reference'}.` });
  }
}

function reportSharedResults(report: DiagnosticReport, mine: (reference: Reference) => boolean, s: ToHl7): void {
  for (const result of report.result ?? []) {
    if (s.find(result)?.resourceType !== 'Observation')
      s.report({ code: 'link.broken', text: `A result leads nowhere: ${result.reference ?? 'no reference'}.` });
    else if (!mine(result)) s.report({ code: 'link.broken', text: `${result.reference} stands in another report, not in this one too.` });
  }
}

function authorOf(report: DiagnosticReport, s: ToHl7): Uuid | null {
  const actor = report.performer?.[0]?.actor;
  return actor && ['Practitioner', 'PractitionerRole', 'Organization'].includes(typeOf(actor) ?? '')
    ? typeOf(actor) === 'Organization'
      ? s.agent(undefined, actor)
      : s.agent(actor)
    : null;
}

/** What the report itself says, and the comments of whoever filed it. */
function narrativesOf(
  report: DiagnosticReport,
  filing: readonly Found<Observation>[],
  issued: string | null,
  inside: Inside,
): XmlElement[] {
  const { s } = inside;
  const available = availabilityTime(issued);
  const date = issued ?? 'UNK';
  const write = (type: string, text: string, statementId: Uuid = s.newId()) => pmipNarrative(statementId, type, date, text, available);
  const diagnoses = (report.codedDiagnosis ?? []).flatMap((concept) => textOrCoding(concept) ?? []).join(', ');
  const own = [
    ...(report.conclusion ? [write(PMIP.result, REPORT_LABEL.conclusion + report.conclusion)] : []),
    ...(diagnoses ? [write(PMIP.result, REPORT_LABEL.diagnosis + diagnoses)] : []),
    ...(report.status ? [write(PMIP.result, REPORT_LABEL.status + report.status)] : []),
  ];
  const empty = own.length === 0 && !report.result?.length ? [write(PMIP.aggregate, PLACEHOLDER.report)] : [];
  const notes = filing.map((note) => ({ note, text: attempt(() => noteText(note.resource, [], s), null), at: filedAt(note.resource) }));
  const dated = notes.find(({ at }) => at !== undefined);
  const filed = dated?.at;
  // A filing comment without words has no narrative of its own: the date stands for it.
  const filedId = dated?.text === '' ? s.statementId(dated.note.reference) : undefined;
  const participants = (report.performer ?? []).flatMap(({ actor }) => nameOf(actor, s) ?? []).join(', ');
  return [
    ...own,
    ...empty,
    ...(filed ? [write(PMIP.aggregate, REPORT_LABEL.filingDate + filed, filedId)] : []),
    ...(participants ? [write(PMIP.aggregate, REPORT_LABEL.participants + participants)] : []),
    // A faulty comment costs itself, not what the report says.
    ...notes.flatMap(({ note, text }) =>
      madeOrWords(note.resource, s.statementId(note.reference) ?? s.newId(), s, () =>
        filingComment(note, text ?? noteText(note.resource, [], s), note === dated?.note ? available : null, available, inside),
      ),
    ),
  ];
}

/** When a report was filed, in words; undefined for a time that cannot be told. */
function filedAt({ effectiveDateTime, effectivePeriod }: Observation): string | undefined {
  const at = effectiveDateTime ?? effectivePeriod?.start;
  return at && attempt(() => dateText(at), undefined);
}

/** Its own date is told by the filing date where it is the one that has it; receivers expect the report's there. */
function filingComment(
  { reference, resource }: Found<Observation>,
  text: string,
  told: XmlElement | null,
  issued: XmlElement,
  inside: Inside,
): XmlElement[] {
  const { s } = inside;
  inside.written.add(resource);
  const parts = partsOf(resource, inside);
  const available = told ?? (parts.available.attributes[0] === 'value' ? parts.available : issued);
  return [
    ...(text ? [userComment(s.statementId(reference) ?? s.newId(), text, { available, redaction: parts.redaction })] : []),
    ...parts.members.flatMap((member) => memberStatements(member.observation, member.reference, inside)),
  ];
}

function nameOf(actor: Reference | undefined, s: ToHl7): string | undefined {
  const found = s.find(actor);
  if (found?.resourceType === 'Practitioner') return personName(found as Practitioner);
  const isNamed = found?.resourceType === 'Organization' || found?.resourceType === 'HealthcareService';
  return (isNamed ? (found as Organization).name : undefined) ?? actor?.display;
}
