import { numberText } from '../../fhir/json.ts';
import type { CodeableConcept, Immunization, Location, Organization } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { codedAsText, codedToHl7, snomedCoding, textOrCoding, userSelectedTextOrCoding } from '../shared/coded.ts';
import { joined } from '../shared/comment.ts';
import { fact, factsThenNotes, notesToText } from '../shared/labels.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { annotation, id, participant, statusComplete } from '../shared/statements.ts';
import { availabilityTime, dateText, effectiveAt, hl7Time } from '../shared/times.ts';
import type { MapToHl7, ToHl7 } from '../types.ts';
import {
  ADMINISTERING,
  DATE_RECORDED,
  ENTERED_IN_ERROR,
  FACTS,
  PARENT_PRESENT,
  PROCEDURE,
  PROTOCOL,
  RECORDER_ROLE,
  UNKNOWN_VACCINE,
} from './terms.ts';

/** An immunisation: an observation of the procedure, with all that is known about it in words. */
export const immunisationToHl7: MapToHl7<Immunization> = (immunisation, place, s) => {
  const given = hl7Time(immunisation.date, s);
  const practitioner = practitionerOf(immunisation, s);
  reportLosses(immunisation, s);
  const xml = h(
    'ObservationStatement',
    { classCode: 'OBS', moodCode: 'EVN' },
    id(place.statementId),
    codeOfProcedure(immunisation, s),
    statusComplete(),
    effectiveAt(given),
    availabilityTime(given),
    redactionToHl7(immunisation, s),
    annotation(textOf(immunisation, s)),
    participant('PRF', practitioner),
  );
  return [{ xml, effective: given, available: given, author: practitioner }];
};

function codeOfProcedure(immunisation: Immunization, s: ToHl7): XmlElement {
  const procedure = extensionOf(immunisation, PROCEDURE)?.valueCodeableConcept;
  if (procedure) return codedToHl7(procedure);
  s.report({ code: 'value.lost', text: 'The vaccination procedure is not given; the vaccine stands for it.' });
  const vaccine = isUnknown(immunisation.vaccineCode) ? undefined : immunisation.vaccineCode;
  return vaccine ? codedToHl7(vaccine) : codedAsText('Immunisation');
}

function practitionerOf(immunisation: Immunization, s: ToHl7) {
  const all = (immunisation.practitioner ?? []).filter((practitioner) => practitioner.actor);
  const having = (role: string) => all.filter((practitioner) => practitioner.role?.coding?.some(({ code }) => code === role));
  const entering = having(RECORDER_ROLE.code);
  // Whoever entered it must not become whoever gave it.
  const giving = having(ADMINISTERING)[0] ?? all.find((one) => !entering.includes(one)) ?? all[0];
  if (all.length > 1) s.report({ code: 'value.lost', text: 'Only who gave the vaccination is carried, not who else took part.' });
  return giving ? s.agent(giving.actor) : null;
}

function textOf(immunisation: Immunization, s: ToHl7): string {
  const { reportOrigin, doseQuantity: dose, explanation, vaccineCode } = immunisation;
  const parentPresent = extensionOf(immunisation, PARENT_PRESENT)?.valueBoolean;
  const facts = [
    fact(FACTS.notGiven, immunisation.notGiven === true ? 'true' : undefined),
    fact(FACTS.status, immunisation.status === 'entered-in-error' ? ENTERED_IN_ERROR : undefined),
    fact(FACTS.origin, reportOrigin && userSelectedTextOrCoding(reportOrigin)),
    fact(FACTS.parentPresent, parentPresent === undefined ? undefined : String(parentPresent)),
    fact(FACTS.primarySource, immunisation.primarySource === undefined ? undefined : String(immunisation.primarySource)),
    fact(FACTS.location, s.find<Location>(immunisation.location)?.name ?? immunisation.location?.display),
    fact(FACTS.manufacturer, s.find<Organization>(immunisation.manufacturer)?.name ?? immunisation.manufacturer?.display),
    fact(FACTS.batch, immunisation.lotNumber),
    fact(FACTS.expiration, immunisation.expirationDate && dateText(immunisation.expirationDate)),
    fact(FACTS.site, userSelectedTextOrCoding(immunisation.site)),
    fact(FACTS.route, textOrCoding(immunisation.route)),
    fact(FACTS.quantity, joined([dose?.value === undefined ? undefined : numberText(dose.value), dose?.unit || dose?.code])),
    fact(FACTS.reason, wordsOf(explanation?.reason)),
    explanation?.reason?.length ? undefined : fact(FACTS.reasonNotGiven, wordsOf(explanation?.reasonNotGiven)),
    protocolsOf(immunisation),
    fact(FACTS.substance, isUnknown(vaccineCode) ? vaccineCode?.text : userSelectedTextOrCoding(vaccineCode)),
  ];
  const problems = s.problemsNaming(`Immunization/${immunisation.id}`);
  const notes = [...problems, immunisation].flatMap((resource) => resource.note ?? []).map((note) => note.text);
  return factsThenNotes(facts, [notesToText(notes)]);
}

const wordsOf = (concepts: readonly CodeableConcept[] | undefined) => joined((concepts ?? []).map(textOrCoding));

function isUnknown(vaccine: CodeableConcept | undefined): boolean {
  return vaccine?.coding?.[0]?.code === UNKNOWN_VACCINE.code;
}

function protocolsOf(immunisation: Immunization): string | undefined {
  const told = (immunisation.vaccinationProtocol ?? []).map((protocol, index) => {
    const { doseSequence: sequence, seriesDoses: doses } = protocol;
    const numbers = [
      sequence === undefined ? '' : `Sequence: ${numberText(sequence)}`,
      doses === undefined ? '' : `Doses: ${numberText(doses)}`,
    ];
    const diseases = joined((protocol.targetDisease ?? []).map(textOrCoding), ',');
    return joined([PROTOCOL.label(index + 1), protocol.description, joined(numbers, ', '), diseases && `Target Disease: ${diseases}`]);
  });
  return told.length ? joined(told).replace(/\s+/g, ' ') : undefined;
}

function reportLosses(immunisation: Immunization, s: ToHl7): void {
  const { site, route, vaccineCode, explanation, vaccinationProtocol: protocols = [] } = immunisation;
  if (!isUnknown(vaccineCode) && !userSelectedTextOrCoding(vaccineCode))
    s.report({ code: 'value.lost', text: 'The vaccine is not given.' });
  const nameless = [immunisation.location, immunisation.manufacturer].filter((of) => of && !of.display && !s.find<Organization>(of)?.name);
  if (nameless.length) {
    const names = nameless.map((of) => of?.reference).join(', ');
    s.report({ code: 'link.broken', text: `${names}: no name of it is in the record, so that it is not carried.` });
  }
  const diseases = protocols.flatMap((protocol) => protocol.targetDisease ?? []);
  const inWords = [site, route, vaccineCode, ...(explanation?.reason ?? []), ...(explanation?.reasonNotGiven ?? []), ...diseases];
  const original = inWords.flatMap((concept) => (concept && snomedCoding(concept) ? (concept.coding ?? []) : []));
  if (original.length)
    s.report({ code: 'code.degraded', text: 'Vaccine, site, route and reasons are carried in words, without codes.', original });
  if (explanation?.reason?.length && explanation.reasonNotGiven?.length) {
    s.report({ code: 'value.lost', text: `Why it was not given is not carried: ${wordsOf(explanation.reasonNotGiven)}` });
  }
  if (extensionOf(immunisation, DATE_RECORDED)) s.report({ code: 'value.lost', text: 'The date on which it was recorded is not carried.' });
  if (protocols.some((protocol) => protocol.series || protocol.authority || protocol.doseStatus)) {
    s.report({ code: 'value.lost', text: 'Series, authority and dose status of its vaccination protocol are not carried.' });
  }
}

function extensionOf(immunisation: Immunization, url: string) {
  return immunisation.extension?.find((extension) => extension.url === url);
}
