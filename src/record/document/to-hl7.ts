import type { DocumentReference, Reference } from '../../fhir/types.ts';
import { h, type XmlElement } from '../../xml/element.ts';
import { snomedCode, textOrCoding } from '../shared/coded.ts';
import { fact, factsThenNotes } from '../shared/labels.ts';
import { nameOf } from '../shared/names.ts';
import { redactionToHl7 } from '../shared/redaction.ts';
import { typeOf } from '../shared/references.ts';
import { id, narrative, participant } from '../shared/statements.ts';
import { availabilityTime, hl7Time } from '../shared/times.ts';
import type { DocumentFate, MapToHl7, ToHl7, Uuid } from '../types.ts';
import { attachmentOf, fateOfAbsent, NOT_RETRIEVED } from './fate.ts';
import { FILE_URL, LABELS, OTHER_DIGITAL_SIGNAL, statusWords } from './terms.ts';

/** A DocumentReference as NarrativeStatement with a reference to the file, or to the placeholder that is sent for it. */
export const documentToHl7: MapToHl7<DocumentReference> = (document, place, s) => {
  const fate = fateOf(document, place.statementId, s);
  const available = hl7Time(document.created, s) ?? hl7Time(document.indexed, s);
  if (available === null) s.report({ code: 'date.defaulted', text: 'It is not known when this document was made.' });
  const [first] = document.author ?? [];
  const author = agentOf(first, s);
  if (first && author === null)
    s.report({ code: 'link.broken', text: `Who wrote it (${first.reference ?? first.display ?? ''}) is not carried.` });
  const xml = narrative(
    place.statementId,
    textOf(document, fate, s),
    availabilityTime(available),
    redactionToHl7(document, s),
    participant('PRF', author),
    externalDocument(document, fate, place.statementId, s),
  );
  return [{ xml, effective: available, available, author }];
};

/** What became of the document. One of which nobody knows anything is not in the transfer. */
function fateOf(document: DocumentReference, statementId: Uuid, s: ToHl7): DocumentFate {
  const reference = `DocumentReference/${document.id}`;
  const others = (document.content ?? []).slice(1).filter((content) => content.attachment?.url);
  if (others.length) s.report({ code: 'document.missing', text: `The entry has ${others.length + 1} files; only the first is sent.` });
  const unknown = attachmentOf(document);
  const fate = s.document(reference) ?? fateOfAbsent(reference, statementId, 'absent' in unknown ? unknown.absent : NOT_RETRIEVED);
  if (!fate.present) s.report({ code: 'document.missing', text: fate.why });
  return fate;
}

function agentOf(author: Reference | undefined, s: ToHl7): Uuid | null {
  switch (typeOf(author)) {
    case 'Practitioner':
    case 'PractitionerRole':
      return s.agent(author);
    case 'Organization':
      return s.agent(undefined, author);
    default:
      return null;
  }
}

function textOf(document: DocumentReference, fate: DocumentFate, s: ToHl7): string {
  // An organisation that travelled before is only a name.
  const organisation = document.author?.find((author) => typeOf(author) === 'Organization' || (!author.reference && author.display));
  const custodian = typeOf(document.custodian) === 'Organization' ? document.custodian : undefined;
  for (const one of [organisation, document.custodian])
    if (one && nameOf(one === organisation ? one : custodian, s) === undefined)
      s.report({ code: 'link.broken', text: `${one.reference ?? 'A custodian'} has no name in the record and is not carried.` });
  const facts = [
    fact(LABELS.status, statusWords(document.status)),
    fact(LABELS.type, textOrCoding(document.type)),
    fact(LABELS.authorOrganisation, nameOf(organisation, s)),
    fact(LABELS.custodian, nameOf(custodian, s)),
    fact(LABELS.description, document.description),
    fact(LABELS.absent, fate.present ? undefined : fate.why),
    fact(LABELS.setting, textOrCoding(document.context?.practiceSetting)),
  ];
  return factsThenNotes(facts, []);
}

function externalDocument(document: DocumentReference, fate: DocumentFate, statementId: Uuid, s: ToHl7): XmlElement {
  return h(
    'reference',
    { typeCode: 'REFR' },
    h(
      'referredToExternalDocument',
      { classCode: 'DOC', moodCode: 'EVN' },
      id(fate.documentId ?? statementId),
      snomedCode(OTHER_DIGITAL_SIGNAL.code, OTHER_DIGITAL_SIGNAL.display),
      h('text', { mediaType: fate.contentType }, h('reference', { value: FILE_URL + fate.filename })),
      redactionToHl7(document, s),
    ),
  );
}
