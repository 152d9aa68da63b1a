/** Compositions, topics and categories as HL7 has them. What stands in them is placed and mapped by others. */
import type { Hl7Time } from '../../base/hl7-time.ts';
import type { Condition, Encounter, List, Location, Period, Reference } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { writeXml } from '../../xml/write.ts';
import { attempt } from '../bundle-index.ts';
import { SNOMED_URI } from '../shared/code-systems.ts';
import { codedAsText, codedToHl7, snomedCode, snomedCoding } from '../shared/coded.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { agentRef, component, id, statusComplete } from '../shared/statements.ts';
import { availabilityTime, effectiveAt, effectiveBetween, hl7Time, timeElement } from '../shared/times.ts';
import type { Statement, ToHl7, Uuid } from '../types.ts';
import {
  CODE_SYSTEM,
  COMPOSITION_NAMES,
  HEALTHCARE_ORGANISATION,
  OTHER_CATEGORY,
  OTHER_REPORT,
  OUTSIDE,
  type Outside,
  RELATED_PROBLEM,
  UNSPECIFIED_PROBLEM,
} from './terms.ts';

/** The ehrComposition of an encounter. `list` is its consultation List, which knows when it was recorded. */
export function encounterComposition(
  encounter: Encounter,
  list: List | undefined,
  compositionId: Uuid,
  topics: readonly XmlElement[],
  s: ToHl7,
): XmlElement {
  const recorder = participant(encounter, 'REC', s);
  const performer = participant(encounter, 'PPRF', s) ?? recorder;
  return composition({
    id: compositionId,
    code: encounterCode(encounter, s),
    effectiveTime: effectiveOf(encounter.period, s),
    available: hl7Time(encounter.period?.start, s),
    confidentiality: redactionToHl7(encounter, s),
    author: recorder,
    recorded: hl7Time(list?.date, s),
    location: location(encounter, s),
    performer,
    components: topics,
  });
}

/** The ehrComposition around an entry that stands in no consultation; its times and people are those of the entry. */
export function outsideComposition(statements: readonly Statement[], outside: Outside, compositionId: Uuid): XmlElement {
  const [first] = statements;
  const [code, displayName] = OUTSIDE[outside];
  return composition({
    id: compositionId,
    code: h('code', { code, displayName, codeSystem: CODE_SYSTEM }),
    effectiveTime: effectiveAt(first?.effective ?? null),
    available: first?.available ?? null,
    confidentiality: null,
    author: first?.author ?? null,
    recorded: first?.available ?? null,
    location: null,
    performer: first?.performer === undefined ? (first?.author ?? null) : first.performer,
    components: statements.map((statement) => component(statement.xml)),
  });
}

/** What stands in the folder of a patient about whom nothing was ever recorded: the schema asks for one composition at least. */
export function emptyComposition(compositionId: Uuid, statementId: Uuid, now: Hl7Time): XmlElement {
  return composition({
    id: compositionId,
    code: codedAsText('Record without entries'),
    effectiveTime: effectiveAt(now),
    available: now,
    confidentiality: null,
    author: null,
    recorded: null,
    location: null,
    performer: null,
    components: [component(h('EhrEmpty', { classCode: 'OBS', moodCode: 'EVN' }, id(statementId)))],
  });
}

type Parts = {
  id: Uuid;
  code: XmlElement;
  effectiveTime: XmlElement;
  available: Hl7Time | null;
  confidentiality: XmlElement | null;
  author: Uuid | null;
  recorded: Hl7Time | null;
  location: XmlElement | null;
  performer: Uuid | null;
  components: readonly XmlElement[];
};

function composition(parts: Parts): XmlElement {
  return h(
    'ehrComposition',
    { classCode: 'COMPOSITION', moodCode: 'EVN' },
    id(parts.id),
    parts.code,
    statusComplete(),
    parts.effectiveTime,
    availabilityTime(parts.available),
    parts.confidentiality,
    h('author', { typeCode: 'AUT', contextControlCode: 'OP' }, timeElement('time', parts.recorded), agentRef(parts.author)),
    parts.location,
    h('Participant2', { typeCode: 'PRF', contextControlCode: 'OP' }, agentRef(parts.performer)),
    parts.components,
  );
}

/** Only codes of the composition vocabulary may be sent; any other type travels as words of “Other report”. */
function encounterCode(encounter: Encounter, s: ToHl7): XmlElement {
  const type = encounter.type?.[0];
  if (!type) s.report({ code: 'value.lost', text: 'The consultation has no type and is carried as “Other report”.' });
  const known = type?.coding?.find((coding) => coding.system === SNOMED_URI && COMPOSITION_NAMES.has(coding.code ?? ''));
  const code = known?.code ?? OTHER_REPORT[0];
  const displayName = known?.display ?? OTHER_REPORT[1];
  const original = type && !known ? (type.coding ?? []).filter(({ code: one }) => one !== undefined) : [];
  if (original.length)
    s.report({ code: 'code.degraded', text: 'A composition cannot have the code of its type: it travels in words.', original });
  const words = displayName === OTHER_REPORT[1] ? (type?.text ?? type?.coding?.[0]?.display) : type?.text;
  return h('code', { code, displayName, codeSystem: CODE_SYSTEM }, words ? h('originalText', null, words) : null);
}

function effectiveOf(period: Period | undefined, s: ToHl7): XmlElement {
  const start = hl7Time(period?.start, s);
  const end = hl7Time(period?.end, s);
  return start !== null && end !== null ? effectiveBetween(start, end) : effectiveAt(start);
}

function participant(encounter: Encounter, role: string, s: ToHl7): Uuid | null {
  const found = encounter.participant?.find(
    (one) => one.individual && one.type?.some((type) => type.coding?.some((coding) => coding.code === role)),
  );
  return found ? s.agent(found.individual) : null;
}

function location(encounter: Encounter, s: ToHl7): XmlElement | null {
  const reference = encounter.location?.[0]?.location;
  const name = [s.find<Location>(reference)?.name, reference?.display].find((words) => words && typeof words === 'string');
  if (reference && !name)
    s.report({ code: 'link.broken', text: `The place ${reference.reference ?? ''} of the consultation has no name and is not carried.` });
  if (!name) return null;
  const [code, displayName] = HEALTHCARE_ORGANISATION;
  return h(
    'location',
    { typeCode: 'LOC' },
    h(
      'locatedEntity',
      { classCode: 'LOCE' },
      h('code', { code, codeSystem: CODE_SYSTEM, displayName }),
      h('locatedPlace', { classCode: 'PLC', determinerCode: 'INSTANCE' }, h('name', null, name)),
    ),
  );
}

/** A topic around its categories. `list` is undefined for one that the source does not have. */
export function topic(
  list: List | undefined,
  encounter: Encounter,
  statementId: Uuid,
  inside: readonly XmlElement[],
  s: ToHl7,
): XmlElement {
  return component(compound('TOPIC', statementId, topicCode(list, s), redactionToHl7(list, s), list, encounter, inside, s));
}

/** A category around its statements. Without `list` it is virtual: EMIS refuses statements directly inside a topic. */
export function category(
  list: List | undefined,
  of: List | undefined,
  encounter: Encounter,
  statementId: Uuid,
  inside: readonly XmlElement[],
  s: ToHl7,
): XmlElement {
  const code = snomedCode(...OTHER_CATEGORY, list?.title);
  return component(compound('CATEGORY', statementId, code, null, list ?? of, encounter, inside, s), true);
}

function compound(
  classCode: 'TOPIC' | 'CATEGORY',
  statementId: Uuid,
  code: XmlElement,
  confidentiality: XmlElement | null,
  list: List | undefined,
  encounter: Encounter,
  inside: readonly XmlElement[],
  s: ToHl7,
): XmlElement {
  const own = s.find<Encounter>(list?.encounter);
  if (list?.encounter && !own)
    s.report({ code: 'link.broken', text: `The consultation ${list.encounter.reference ?? ''} of a heading is not in the record.` });
  const { period } = own ?? encounter;
  return h(
    'CompoundStatement',
    { classCode, moodCode: 'EVN' },
    id(statementId),
    code,
    statusComplete(),
    effectiveOf(period, s),
    availabilityTime(hl7Time(list?.date ?? period?.start, s)),
    confidentiality,
    inside,
  );
}

/** A topic is called by the problem it is about, else it is unspecified; its title are the words. */
function topicCode(list: List | undefined, s: ToHl7): XmlElement {
  const target = relatedProblem(list);
  const problem = usable(s.find<Condition>(target)?.code);
  if (target && !problem)
    s.report({ code: 'link.broken', text: `The problem ${target.reference ?? ''} of the topic is not in the record.` });
  return topicCodeOf(problem, list?.title);
}

/** A code of impossible shape costs the problem its name here, not the consultation its headings. */
const usable = (code: Condition['code']) => attempt(() => (writeXml(codedToHl7(code)) ? code : undefined), undefined);

/** The code of a topic about a problem, with a title. */
export function topicCodeOf(problem: Condition['code'], title: string | undefined): XmlElement {
  if (!problem || !snomedCoding(problem)) return snomedCode(...UNSPECIFIED_PROBLEM, title);
  const coded = codedToHl7({ coding: problem.coding?.filter((coding) => coding === snomedCoding(problem)) ?? [] });
  return title ? { ...coded, children: [h('originalText', null, title)] } : coded;
}

/** The problem that a topic says it is about. */
export function relatedProblem(list: List | undefined): Reference | undefined {
  return list?.extension?.find((extension) => extension.url === RELATED_PROBLEM)?.extension?.find((extension) => extension.url === 'target')
    ?.valueReference;
}
