import type { AllergyIntolerance, CodeableConcept, Extension, Reference } from '../../fhir/types.ts';
import { attr, child, children, textOf, type XmlElement } from '../../xml/element.ts';
import { EGTON_OID } from '../shared/code-systems.ts';
import { codedToFhir, snomedCodesOf } from '../shared/coded.ts';
import { annotationsOf } from '../shared/comment.ts';
import { degraded } from '../shared/degrade.ts';
import { dateFromText, notesInText, readFacts } from '../shared/labels.ts';
import { valueKind } from '../shared/quantity.ts';
import { head, ref } from '../shared/resources.ts';
import { authorOf, idOf, participantsOf, performerOf, statementsIn } from '../shared/statements.ts';
import { dateTimeOf } from '../shared/times.ts';
import type { Claim, MapToFhir, ToFhir } from '../types.ts';
import {
  ALLERGY_END,
  ASSOCIATED_ENCOUNTER,
  CATEGORY_OF_KIND,
  codeOf,
  END_DATE,
  FACTS,
  KINDS,
  type Kind,
  NO_INFORMATION,
  REACTION,
  WORDS,
} from './terms.ts';

/** An allergy from the compound statement around it. What a sender could only say in words is read back from the words. */
export const allergyToFhir: MapToFhir = (claim, s) => {
  const compound = claim.statement;
  const observation = statementsIn(compound).find((statement) => statement.name === 'ObservationStatement') ?? compound;
  const composition = s.composition(claim).xml;
  const kind: Kind = attr(child(compound, 'code'), 'code') === KINDS.drug.code ? 'drug' : 'other';
  const told = readAnnotations(observation);
  const { code, notes } = codeOfAllergy(observation, kind, s);
  const onset = onsetOf(compound, s);
  const asserted = assertedOf(compound, composition, s);
  const extension = [...encounterExtension(claim, s), ...endExtension(told, s)];
  const note = [...notes, ...told.notes, ...codeNote(observation, code, kind, s)].map((text) => ({ text }));
  const allergy: AllergyIntolerance = {
    ...head('AllergyIntolerance', idOf(observation), 'AllergyIntolerance-1', [composition, observation, compound], s),
    ...(extension.length && { extension }),
    clinicalStatus: codeOf(WORDS.status, told.status) ?? 'active',
    verificationStatus: codeOf(WORDS.verification, told.verification) ?? 'unconfirmed',
    ...plain('type', codeOf(WORDS.type, told.type)),
    category: categoriesOf(told.category) ?? [CATEGORY_OF_KIND[kind]],
    ...plain('criticality', codeOf(WORDS.criticality, told.criticality)),
    code,
    patient: ref(s.patient),
    ...(onset && { onsetDateTime: onset }),
    ...(asserted && { assertedDate: asserted }),
    ...peopleOf(told, observation, compound, composition, s),
    ...plain('lastOccurrence', told.lastOccurred && dateFromText(told.lastOccurred)),
    ...(note.length && { note }),
    ...reactionsOf(told.reactions),
  };
  return [allergy];
};

function plain<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: string } {
  return (value ? { [name]: value } : {}) as { [name in Name]?: string };
}

type Told = Partial<Record<keyof typeof FACTS | 'endDate', string>> & { notes: string[] };

function readAnnotations(observation: XmlElement): Told {
  const told: Told = { notes: [] };
  for (const { text } of annotationsOf(observation)) {
    const { found, rest } = readFacts(text, FACTS);
    const known = Object.keys(found).length > 0;
    const end = known || END_DATE.atEnd.test(text) ? END_DATE.atEnd.exec(rest) : null;
    Object.assign(told, found, end && { endDate: end[1] });
    const note = end ? rest.slice(0, end.index) : known ? rest : text;
    if (note.trim()) told.notes.push(...(known ? notesInText(note) : [note]));
  }
  return told;
}

function categoriesOf(words: string | undefined): string[] | undefined {
  return words?.split(', ').flatMap((word) => codeOf(WORDS.category, word) ?? []);
}

function encounterExtension(claim: Claim, s: ToFhir): Extension[] {
  const encounter = s.encounterOf(claim.composition);
  return encounter ? [{ url: ASSOCIATED_ENCOUNTER, valueReference: ref(encounter) }] : [];
}

function endExtension(told: Told, s: ToFhir): Extension[] {
  const date = told.endDate && dateFromText(told.endDate);
  if (told.endDate && !date) s.report({ code: 'value.lost', text: `The end date “${told.endDate}” cannot be read.` });
  if (!date && !told.reasonEnded) return [];
  return [
    {
      url: ALLERGY_END,
      extension: [
        ...(date ? [{ url: 'endDate', valueDateTime: date }] : []),
        { url: 'reasonEnded', valueString: told.reasonEnded ?? NO_INFORMATION },
      ],
    },
  ];
}

function onsetOf(compound: XmlElement, s: ToFhir): string | undefined {
  const effective = child(compound, 'effectiveTime');
  return (
    dateTimeOf(child(effective, 'low'), s) ??
    dateTimeOf(child(effective, 'center'), s) ??
    dateTimeOf(child(compound, 'availabilityTime'), s)
  );
}

function assertedOf(compound: XmlElement, composition: XmlElement, s: ToFhir): string | undefined {
  return (
    dateTimeOf(child(compound, 'availabilityTime'), s) ??
    dateTimeOf(child(composition, 'availabilityTime'), s) ??
    dateTimeOf(authorOf(composition).time, s)
  );
}

function peopleOf(
  told: Told,
  observation: XmlElement,
  compound: XmlElement,
  composition: XmlElement,
  s: ToFhir,
): { recorder?: Reference; asserter?: Reference } {
  const own = participantsOf(observation, 'Participant');
  const responsible = participantsOf(composition, 'Participant2').find((participant) => participant.type === 'RESP')?.agent;
  const author = authorOf(composition).agent;
  const byComposition = author !== undefined && responsible !== undefined;
  const fallback = performerOf(compound, composition);
  const recorder = s.practitioner(own.find((one) => one.type === 'AUT')?.agent ?? (byComposition ? author : fallback));
  const asserter = s.practitioner(own.find((one) => one.type === 'PRF')?.agent ?? (byComposition ? responsible : fallback));
  const patient = ref(s.patient);
  return {
    ...(told.recordedByPatient !== undefined ? { recorder: patient } : recorder && { recorder: ref(recorder) }),
    ...(told.assertedByPatient !== undefined
      ? { asserter: patient }
      : told.assertedBy
        ? { asserter: { display: told.assertedBy } }
        : asserter && { asserter: ref(asserter) }),
  };
}

/** The substance stands in the value where a sender coded the allergy itself as `H/O: drug allergy`. */
function codeOfAllergy(observation: XmlElement, kind: Kind, s: ToFhir): { code: CodeableConcept; notes: string[] } {
  const element = child(observation, 'code');
  const value = codedValue(observation);
  const ofCode = codedToFhir(element, s.terminology);
  const ofValue = value && attr(value, 'codeSystem') !== EGTON_OID ? codedToFhir(value, s.terminology) : undefined;
  if (kind === 'other' && snomedCodesOf(element).some((id) => s.terminology.allergyKind(id) === 'drug'))
    s.report({
      code: 'allergy.kind',
      text: 'It was sent as an allergy to something else than a drug, but its code is of a drug: check it.',
    });
  // An allergy of which nobody says to what still locks prescribing, until a clinician has looked at it.
  const concept = (kind === 'drug' ? (ofValue ?? ofCode) : ofCode) ?? {};
  const code = degraded(concept, kind === 'drug' ? 'drugAllergy' : 'nonDrugAllergy', s);
  const words = (value && attr(value, 'displayName')) || textOf(child(element, 'originalText'));
  return { code: words ? { ...code, text: words } : code, notes: children(element, 'qualifier').flatMap(episodicity) };
}

function codedValue(observation: XmlElement): XmlElement | undefined {
  const value = child(observation, 'value');
  return value && /^(coded|simpleCode|attributeCode)$/.test(valueKind(value)) ? value : undefined;
}

function episodicity(qualifier: XmlElement): string[] {
  const name = child(qualifier, 'name');
  if (!name) return [];
  const words = textOf(child(name, 'originalText'));
  const code = `Episodicity : code=${attr(name, 'code') ?? 'null'}, displayName=${attr(name, 'displayName') ?? 'null'}`;
  return [words ? `${code}, originalText=${words}` : code];
}

/** What the allergy was coded as, where the resource has the code of its substance instead. */
function codeNote(observation: XmlElement, code: CodeableConcept, kind: Kind, s: ToFhir): string[] {
  const value = codedValue(observation);
  if (kind !== 'drug' || !value || attr(value, 'codeSystem') === EGTON_OID) return [];
  const quiet = { terminology: s.terminology, report: () => undefined };
  const ofCode = degraded(codedToFhir(child(observation, 'code'), s.terminology), 'drugAllergy', quiet);
  const display = ofCode?.coding?.[0]?.display;
  return display && display !== KINDS.drug.displayName && display !== code.coding?.[0]?.display ? [`Allergy Code: ${display}`] : [];
}

type Reaction = NonNullable<AllergyIntolerance['reaction']>[number];

function reactionsOf(told: string | undefined): { reaction?: Reaction[] } {
  if (!told) return {};
  return { reaction: told.split(/, Reaction \d+(?= |$)/).map(reactionOf) };
}

function reactionOf(text: string): Reaction {
  const { found, rest } = readFacts(text, REACTION, '');
  const description = found.description ?? (rest.trim() || undefined);
  const severity = codeOf(WORDS.severity, found.severity);
  const onset = found.onset && dateFromText(found.onset);
  return {
    ...(found.substance && { substance: { text: found.substance } }),
    ...(found.manifestations && { manifestation: found.manifestations.split(', ').map((words) => ({ text: words })) }),
    ...(description && { description }),
    ...(onset && { onset }),
    ...(severity && { severity }),
    ...(found.exposureRoute && { exposureRoute: { text: found.exposureRoute } }),
    ...(found.note && { note: [{ text: found.note }] }),
  };
}
