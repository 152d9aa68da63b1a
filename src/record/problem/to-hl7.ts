import type { Condition, Reference } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { SNOMED_OID } from '../shared/code-systems.ts';
import { codedAsText, codedToHl7, snomedCode, textOrCoding } from '../shared/coded.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { normalised, typeOf } from '../shared/references.ts';
import { annotation, component, id, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, effectiveBetween, hl7Time } from '../shared/times.ts';
import type { MapToHl7, Statement, ToHl7, Uuid } from '../types.ts';
import { actualProblemOf, extensionOf, IMPORTANCE, RELATED_CONTENT, SIGNIFICANCE, STATUS, STATUS_OF, TRANSFORMED } from './terms.ts';
import { isTransformed, problemText, relationsOf } from './text.ts';

/**
 * A problem: a LinkSet that holds the links to everything about it and names the observation that it is. Where it is no observation of
 * the record, one is made for it, beside the LinkSet.
 */
export const problemToHl7: MapToHl7<Condition> = (condition, place, s) => {
  const onset = hl7Time(condition.onsetDateTime, s);
  const available = hl7Time(condition.assertedDate, s);
  const author = asserterOf(condition, s);
  const times = [
    statusComplete(),
    effectiveBetween(onset, hl7Time(condition.abatementDateTime, s)),
    availabilityTime(available),
    redactionToHl7(condition, s),
  ];
  const links = linksOf(condition, place.statementId, s);
  const { named, made } = namedStatement(condition, times, links, s);
  const xml = h(
    'LinkSet',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(place.statementId),
    codeOfProblem(condition, s),
    times,
    [...links].map((link) => component(h('statementRef', { classCode: 'OBS', moodCode: 'EVN' }, id(link)))),
    h(
      'conditionNamed',
      { typeCode: 'NAME', inversionInd: 'true' },
      h('namedStatementRef', { classCode: 'OBS', moodCode: 'EVN' }, id(named)),
    ),
    participant('PRF', author),
  );
  reportLosses(condition, s);
  const whole: Omit<Statement, 'xml'> = { effective: onset, available, author };
  return made
    ? [
        { xml, ...whole },
        { xml: made, ...whole },
      ]
    : [{ xml, ...whole }];
};

function asserterOf({ asserter }: Condition, s: ToHl7): Uuid | null {
  if (!asserter) return null;
  const agent = typeOf(asserter)?.startsWith('Practitioner') ? s.agent(asserter) : null;
  if (agent === null)
    s.report({ code: 'value.lost', text: 'Who asserted the problem is no practitioner of the record and is not carried.' });
  return agent;
}

/** A state that HL7 does not know goes where it is nearest; no state at all stays empty, and receivers say that they assume one. */
function codeOfProblem(condition: Condition, s: ToHl7): XmlElement {
  const state = STATUS_OF.get(condition.clinicalStatus?.toLowerCase() ?? '');
  const status = state ? STATUS[state] : { code: '', displayName: '' };
  const significance = extensionOf(condition, SIGNIFICANCE)?.valueCode ?? '';
  const known = significance.toLowerCase();
  const importance = known === 'major' || known === 'minor' ? IMPORTANCE[known] : { code: '', displayName: '' };
  if (!state) s.report({ code: 'value.lost', text: 'Whether the problem is active is not given; receivers assume that it is.' });
  const name = snomedCode(importance.code, importance.displayName, undefined, 'name');
  return h(
    'code',
    { code: status.code, codeSystem: SNOMED_OID, displayName: status.displayName },
    h('originalText', null, `${status.displayName}, ${significance}`),
    h('qualifier', { inverted: 'false' }, name),
  );
}

/** Ids of all that the problem is linked with, each once: related content in the order of the record, then problems below it. */
function linksOf(condition: Condition, own: Uuid, s: ToHl7): Set<Uuid> {
  const content = (condition.extension ?? []).flatMap(({ url, valueReference }) =>
    url === RELATED_CONTENT && valueReference ? [valueReference] : [],
  );
  const links = new Set<Uuid>();
  const broken: string[] = [];
  for (const reference of [...content, ...problemsBelow(condition, s)]) {
    const statement = isEntry(reference) ? s.statementId(reference) : undefined;
    if (statement !== undefined) links.add(statement);
    else broken.push(reference.reference ?? reference.display ?? 'something unnamed');
  }
  if (broken.length) s.report({ code: 'link.broken', text: `No link of an extract can lead from the problem to ${broken.join(', ')}.` });
  links.delete(own);
  return links;
}

// Consultations and headings are no entries of a record.
const isEntry = (reference: Reference) => !['List', 'Encounter'].includes(typeOf(reference) ?? '');

/** A problem links to those below it; either of the two may be the one that says so. */
function problemsBelow(condition: Condition, s: ToHl7): Reference[] {
  const named = relationsOf(condition).flatMap(({ type, target }) => (type === 'child' && target ? [target] : []));
  const naming = s.problemsBelow(`Condition/${condition.id}`).map(({ id }) => ({ reference: `Condition/${id}` }));
  return [...named, ...naming];
}

function namedStatement(
  condition: Condition,
  times: readonly (XmlElement | null)[],
  links: Set<Uuid>,
  s: ToHl7,
): { named: Uuid; made: XmlElement | null } {
  const actual = actualProblemOf(condition);
  const isSelf = normalised(actual) === `Condition/${condition.id}`;
  const statement = actual && !isSelf ? s.statementId(actual) : undefined;
  if (statement !== undefined && typeOf(actual) === 'Observation') return { named: statement, made: null };
  if (statement !== undefined) links.add(statement);
  else if (actual && !isSelf) {
    s.report({
      code: 'link.broken',
      text: `What the problem really is (${actual.reference ?? actual.display ?? ''}) is not in the extract.`,
    });
  }
  const named = s.idFor(`statement of Condition/${condition.id}`);
  const made = h(
    'ObservationStatement',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(named),
    codeOfStatement(condition, s),
    times,
    annotation(problemText(condition, s)),
  );
  return { named, made };
}

function codeOfStatement(condition: Condition, s: ToHl7): XmlElement {
  const { code } = condition;
  if (!textOrCoding(code)) s.report({ code: 'value.lost', text: 'The problem does not say what it is.' });
  if (isTransformed(condition)) return snomedCode(TRANSFORMED.code, TRANSFORMED.displayName, textOrCoding(code));
  return code ? codedToHl7(code) : codedAsText('Unspecified problem');
}

function reportLosses(condition: Condition, s: ToHl7): void {
  const lost = Object.keys(condition).filter((member) => LOST.has(member));
  if (lost.length) s.report({ code: 'value.lost', text: `Not carried: ${lost.join(', ')}.` });
}

const LOST: ReadonlySet<string> = new Set([
  'stage',
  'evidence',
  'onsetAge',
  'onsetPeriod',
  'onsetRange',
  'onsetString',
  'abatementAge',
  'abatementBoolean',
  'abatementPeriod',
  'abatementRange',
  'abatementString',
]);
