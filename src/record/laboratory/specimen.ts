/** A specimen and the words about it, in both directions. */
import type { Extension, Practitioner, Specimen } from '../../fhir/types.ts';
import { attr, child, children, h, textOf, type XmlElement } from '../../xml/element.ts';
import { readDateText, readQuantityWords } from '../observation/value.ts';
import { snomedCode, textOrCoding } from '../shared/coded.ts';
import { PMIP, withoutEnvelope } from '../shared/comment.ts';
import { quantityText as amountText, numberOf } from '../shared/quantity.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { head, ref } from '../shared/resources.ts';
import { component, id, statusComplete, textIn } from '../shared/statements.ts';
import { dateText, dateTimeOf, effectiveAt, hl7Time, timeOf } from '../shared/times.ts';
import type { ToFhir, ToHl7, Uuid } from '../types.ts';
import { personName } from './names.ts';
import { pmipNarrative } from './narrative.ts';
import { ACCESSION_OID, FASTING, PLACEHOLDER, SPECIMEN, SPECIMEN_LABEL, SPECIMEN_STATES } from './terms.ts';

// ---- sending

/** What all statements of a report have in common. */
export type Times = { readonly available: XmlElement; readonly issued: string | null };

/**
 * A specimen's CLUSTER with the statements of its results. `specimen` is null where results name none: receivers show no result
 * without one, so a placeholder stands there.
 */
export function specimenStatement(
  specimen: Specimen | null,
  statementId: Uuid,
  results: readonly XmlElement[],
  times: Times,
  s: ToHl7,
): XmlElement {
  const taken = specimen ? collected(specimen, s) : times.issued;
  const text = specimen ? specimenText(specimen, results.length > 0, s) : results.length ? '' : `\n${PLACEHOLDER.specimen}`;
  const accession = specimen ? specimen.accessionIdentifier?.value : PLACEHOLDER.accession;
  const material = specimen ? textOrCoding(specimen.type) : PLACEHOLDER.material;
  return h(
    'CompoundStatement',
    { classCode: 'CLUSTER', moodCode: 'EVN' },
    id(statementId),
    snomedCode(SPECIMEN.code, SPECIMEN.display),
    statusComplete(),
    effectiveAt(null, 'NI'),
    times.available,
    specimen && redactionToHl7(specimen, s),
    h(
      'specimen',
      { typeCode: 'SPC' },
      h(
        'specimenRole',
        { classCode: 'SPEC' },
        id(s.newId()),
        accession ? h('id', { root: ACCESSION_OID, extension: accession }) : null,
        taken === null ? null : effectiveAt(taken),
        h('specimenSpecimenMaterial', { determinerCode: 'INSTANCE', classCode: 'MAT' }, h('desc', null, material ?? '')),
      ),
    ),
    text.trim() ? component(pmipNarrative(s.newId(), PMIP.specimen, taken, text, times.available), true) : null,
    results.map((result) => component(result, true)),
  );
}

function collected(specimen: Specimen, s: ToHl7): string | null {
  const { collection, receivedTime } = specimen;
  return hl7Time(collection?.collectedDateTime ?? collection?.collectedPeriod?.start ?? receivedTime, s);
}

/** Notes, then labelled lines, an empty line, and who took it: as receivers know it. */
function specimenText(specimen: Specimen, hasResults: boolean, s: ToHl7): string {
  const { collection, note, receivedTime, status } = specimen;
  const before = [
    ...(note ?? []).map(({ text }) => text),
    labelled('status', SPECIMEN_STATES.has(status ?? '') ? status : undefined),
    labelled('site', textOrCoding(collection?.bodySite)),
    labelled('quantity', amountText(collection?.quantity)),
    fasting(collection?.extension),
    labelled('received', receivedTime && minuteText(receivedTime)),
  ].filter((line) => line);
  const collector = s.find<Practitioner>(collection?.collector);
  const name = collector?.resourceType === 'Practitioner' ? personName(collector) : collection?.collector?.display;
  if (collection?.collector && !name)
    s.report({ code: 'link.broken', text: `Who took the specimen (${collection.collector.reference ?? 'nobody'}) is not carried.` });
  const after = [hasResults ? '' : PLACEHOLDER.specimen, labelled('collector', name)].filter((line) => line);
  return [...before, '', ...after].join('\n');
}

const labelled = (key: keyof typeof SPECIMEN_LABEL, words: string | undefined) =>
  words ? SPECIMEN_LABEL[key] + words.replace(/\s+/g, ' ') : '';

/** The hour and minute of an arrival are told, not the second; a date alone stays a date. */
const minuteText = (date: string) => dateText(date).replace(/:\d{2}$/, '');

function fasting(extensions: readonly Extension[] | undefined): string {
  const extension = extensions?.find(({ url }) => url === FASTING);
  return (
    labelled('fastingStatus', textOrCoding(extension?.valueCodeableConcept)) ||
    labelled('fastingDuration', amountText(extension?.valueDuration))
  );
}

// ---- requesting

/** Whether a specimen's statement only stands where none was named. */
export function isPlaceholder(cluster: XmlElement): boolean {
  const { accession, material } = roleOf(cluster);
  return accession === PLACEHOLDER.accession && material === PLACEHOLDER.material;
}

function roleOf(cluster: XmlElement): { role: XmlElement | undefined; accession: string | undefined; material: string } {
  const role = child(child(cluster, 'specimen'), 'specimenRole');
  return {
    role,
    accession: attr(children(role, 'id')[1], 'extension') ?? accessionIn(role),
    material: textOf(child(child(role, 'specimenSpecimenMaterial'), 'desc')),
  };
}

// A role may have no id of its own before the laboratory's.
const accessionIn = (role: XmlElement | undefined) =>
  attr(
    children(role, 'id').find((one) => attr(one, 'root') === ACCESSION_OID),
    'extension',
  );

/** A specimen's statement as Specimen; `narratives` are those that stand directly in it. */
export function specimenToFhir(
  cluster: XmlElement,
  id: string,
  narratives: readonly XmlElement[],
  redactedBy: readonly XmlElement[],
  s: ToFhir,
): Specimen {
  const { role, accession, material } = roleOf(cluster);
  const collectedDateTime = dateTimeOf(center(role), s);
  const read = readText(narratives.map((narrative) => withoutEnvelope(textIn(narrative))).filter((text) => text !== ''));
  const collection = { ...read.collection, ...(collectedDateTime && { collectedDateTime }) };
  return {
    ...head('Specimen', id, 'Specimen-1', [...redactedBy, cluster], s),
    ...(read.status && { status: read.status }),
    ...(accession && { accessionIdentifier: { value: accession } }),
    ...(material && { type: { text: material } }),
    subject: ref(s.patient),
    ...(read.receivedTime && { receivedTime: read.receivedTime }),
    ...(Object.keys(collection).length && { collection }),
    ...(read.note && { note: [{ text: read.note }] }),
  };
}

function center(role: XmlElement | undefined): XmlElement | undefined {
  const time = child(role, 'effectiveTime');
  const at = child(time, 'center');
  return timeOf(at) === undefined ? time : at;
}

type Words = Pick<Specimen, 'status' | 'receivedTime' | 'collection'> & { note?: string };

/** The labelled lines of a specimen's narratives, and the notes that are left. */
function readText(texts: readonly string[]): Words {
  const read: Words & { collection: NonNullable<Specimen['collection']> } = { collection: {} };
  const notes = texts.map((text) => {
    const lines = text.split('\n');
    const left = lines.filter((line) => !takeLine(line, read));
    return left.length === lines.length ? text : left.join('\n').trim();
  });
  const note = notes.filter((text) => text.trim()).join('\n');
  return { ...read, ...(note && { note }) };
}

function takeLine(line: string, read: Words & { collection: NonNullable<Specimen['collection']> }): boolean {
  const words = (key: keyof typeof SPECIMEN_LABEL) =>
    line.startsWith(SPECIMEN_LABEL[key]) ? line.slice(SPECIMEN_LABEL[key].length) : undefined;
  if (line === PLACEHOLDER.specimen) return true;
  const state = words('status');
  if (state !== undefined && SPECIMEN_STATES.has(state)) {
    read.status = state;
    return true;
  }
  const received = readDateText(words('received'));
  if (received) read.receivedTime = received;
  const site = words('site');
  if (site) read.collection.bodySite = { text: site };
  const quantity = readAmount(words('quantity'));
  if (quantity) read.collection.quantity = quantity;
  const status = words('fastingStatus');
  const duration = readAmount(words('fastingDuration'));
  if (status) read.collection.extension = [{ url: FASTING, valueCodeableConcept: { text: status } }];
  else if (duration) read.collection.extension = [{ url: FASTING, valueDuration: duration }];
  const collector = words('collector');
  if (collector) read.collection.collector = { display: collector };
  return [received, site, quantity, status, duration, collector].some((one) => one);
}

function readAmount(words: string | undefined) {
  if (words === undefined) return undefined;
  const [first = ''] = words.split(' ');
  return numberOf(first) !== undefined || /^\S+$/.test(words) ? readQuantityWords(words) : undefined;
}
