/** What a report says of itself, read from its statement and the narratives that stand directly in it. */
import type { Hl7Time } from '../../base/hl7-time.ts';
import type { DiagnosticReport, Observation, Reference } from '../../fhir/types.ts';
import { child, type XmlElement } from '../../xml/element.ts';
import { readDateText } from '../observation/value.ts';
import { isResultComment, isUserComment, withoutEnvelope } from '../shared/comment.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { authorOf, furtherIds, idOf, participantsOf, textIn } from '../shared/statements.ts';
import { instantOf, timeOf } from '../shared/times.ts';
import type { Claim, ToFhir } from '../types.ts';
import { ANY_REPORT, PLACEHOLDER, PMIP_REPORT_OID, REPORT_LABEL } from './terms.ts';

type ReadReport = {
  readonly report: DiagnosticReport;
  /** Comments that are neither conclusion, status, filing date nor participants. */
  readonly notes: readonly Observation[];
  /** The extract says when the report was filed. */
  readonly isFiled: boolean;
  /** The status that the report tells of itself. */
  readonly told: string | undefined;
};

export function reportOf(
  claim: Claim,
  narratives: readonly XmlElement[],
  s: ToFhir,
  note: (narrative: XmlElement) => Observation,
): ReadReport {
  const { statement } = claim;
  const composition = s.composition(claim).xml;
  const begun = head('DiagnosticReport', idOf(statement), 'DiagnosticReport-1', [composition, statement], s);
  const pmip = furtherIds(statement).find(({ root, extension }) => root === PMIP_REPORT_OID && extension !== '');
  const issued = instantOf(child(statement, 'availabilityTime'), s) ?? instantOf(authorOf(composition).time, s);
  const comments = narratives.map((narrative) => ({ narrative, raw: textIn(narrative), text: withoutEnvelope(textIn(narrative)) }));
  const said = readResultComments(comments.filter(({ raw }) => isResultComment(raw)).map(({ text }) => text));
  const others = comments.filter(({ raw, text }) => !isResultComment(raw) && text !== PLACEHOLDER.report);
  const { notes, isFiled, names } = readOthers(others, timeOf(child(statement, 'availabilityTime')), note);
  const performer = performersOf(statement, names, s);
  return {
    notes,
    isFiled,
    told: said.status,
    report: {
      ...begun,
      identifier: [...(begun.identifier ?? []), ...(pmip ? [{ system: `urn:oid:${pmip.root}`, value: pmip.extension }] : [])],
      status: said.status ?? 'unknown',
      code: { coding: [{ ...ANY_REPORT }] },
      subject: ref(s.patient),
      ...maybe('context', s.encounterOf(claim.composition)),
      ...(issued && { issued }),
      ...(performer.length && { performer: performer.map((actor) => ({ actor })) }),
      ...(said.conclusion && { conclusion: said.conclusion }),
      ...(said.diagnoses.length && { codedDiagnosis: said.diagnoses.map((text) => ({ text })) }),
    },
  };
}

const STATUSES: ReadonlySet<string> = new Set([
  'registered',
  'partial',
  'preliminary',
  'final',
  'amended',
  'corrected',
  'appended',
  'cancelled',
  'entered-in-error',
  'unknown',
]);

function readResultComments(texts: readonly string[]): { status?: string; conclusion: string; diagnoses: string[] } {
  const conclusions: string[] = [];
  const diagnoses: string[] = [];
  let status: string | undefined;
  for (const text of texts) {
    const named = text.startsWith(REPORT_LABEL.status) ? text.slice(REPORT_LABEL.status.length) : '';
    if (STATUSES.has(named)) status = named;
    else if (text.startsWith(REPORT_LABEL.diagnosis)) diagnoses.push(text.slice(REPORT_LABEL.diagnosis.length));
    else if (text.startsWith(REPORT_LABEL.conclusion)) conclusions.push(text.slice(REPORT_LABEL.conclusion.length));
    else conclusions.push(text);
  }
  return { ...(status && { status }), conclusion: conclusions.join('\n'), diagnoses };
}

type Comment = { readonly narrative: XmlElement; readonly raw: string; readonly text: string };

function readOthers(comments: readonly Comment[], issued: Hl7Time | undefined, note: (narrative: XmlElement) => Observation) {
  const filed = comments.flatMap((one) => {
    const date = one.text.startsWith(REPORT_LABEL.filingDate) ? readDateText(one.text.slice(REPORT_LABEL.filingDate.length)) : undefined;
    return date === undefined ? [] : [{ ...one, date }];
  })[0];
  const listing = comments.find(({ text }) => text.startsWith(REPORT_LABEL.participants) && !text.includes('\n'));
  const plain = comments.filter(({ narrative }) => narrative !== filed?.narrative && narrative !== listing?.narrative);
  const notes = plain.map(({ narrative, raw }) => {
    const { effectiveDateTime: _recorded, ...one } = note(narrative);
    // The comment whose date stands as the filing date has the report's date itself; another comment has its own.
    const isDated = isUserComment(raw) && timeOf(child(narrative, 'availabilityTime')) === issued;
    return { note: one as Observation, isDated };
  });
  const first = notes.find(({ isDated }) => isDated)?.note;
  if (filed && first) first.effectiveDateTime = filed.date;
  const alone = filed && !first ? [filingNote(note(filed.narrative), filed.date)] : [];
  return {
    notes: [...alone, ...notes.map((one) => one.note)],
    isFiled: filed !== undefined,
    names: listing ? listing.text.slice(REPORT_LABEL.participants.length).split(', ') : [],
  };
}

/** Whoever filed the report wrote nothing: the date is all there is. */
function filingNote({ comment: _comment, ...note }: Observation, effectiveDateTime: string): Observation {
  return { ...note, status: 'unknown', effectiveDateTime };
}

/** The first participant is also an agent of the directory; the others are known by name only. */
function performersOf(statement: XmlElement, names: readonly string[], s: ToFhir): Reference[] {
  if (names.length === 0) return [];
  const agent = s.agent(participantsOf(statement, 'Participant').find(({ type }) => type === 'AUT')?.agent);
  return names.map((display, index) => (index === 0 && agent ? { reference: agent } : { display }));
}
