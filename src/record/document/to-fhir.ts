import type { Attachment, CodeableConcept, DocumentReference } from '../../fhir/types.ts';
import { attr, child, textOf, type XmlElement } from '../../xml/element.ts';
import { codedToFhir } from '../shared/coded.ts';
import { degraded } from '../shared/degrade.ts';
import { fact, factsThenNotes, readFacts } from '../shared/labels.ts';
import { head, maybe, ref } from '../shared/resources.ts';
import { authorOf, idOf, performerOf } from '../shared/statements.ts';
import { dateTimeOf, instantOf } from '../shared/times.ts';
import type { MapToFhir, ToFhir } from '../types.ts';
import {
  externalDocumentsOf,
  FILE_URL,
  filenameIn,
  isPlaceholder,
  LABELS,
  NOT_A_MIME_TYPE,
  PLACEHOLDER_SENTENCE,
  statusOf,
} from './terms.ts';

/** A NarrativeStatement that refers to a file as DocumentReference; further files of the same statement are further contents. */
export const documentToFhir: MapToFhir = (claim, s) => {
  const { statement } = claim;
  const composition = s.composition(claim);
  const files = externalDocumentsOf(statement);
  const attachments = files.map((file) => attachmentOf(file, s));
  const words = wordsOf(child(statement, 'text'), attachments[0]);
  const author = s.agent(performerOf(statement, composition.xml));
  const authors = [...(author ? [ref(author)] : []), ...(words.organisation ? [{ display: words.organisation }] : [])];
  const custodian = s.custodian && { ...ref(s.custodian), ...(words.custodian && { display: words.custodian }) };
  const created = dateTimeOf(child(statement, 'availabilityTime'), s) ?? dateTimeOf(child(composition.xml, 'availabilityTime'), s);
  const indexed = instantOf(authorOf(composition.xml).time, s);
  const type = typeOf(files[0], words.type, s);
  const encounter = s.encounterOf(claim.composition);
  const context = {
    ...maybe('encounter', encounter),
    ...(words.setting && { practiceSetting: { text: words.setting } }),
  };
  const document: DocumentReference = {
    ...head('DocumentReference', idOf(statement), 'DocumentReference-1', [composition.xml, statement, files[0]], s),
    status: words.status ?? 'current',
    ...(type && { type }),
    subject: ref(s.patient),
    ...(created && { created }),
    ...(indexed && { indexed }),
    ...(authors.length && { author: authors }),
    ...(custodian && { custodian }),
    ...(words.description && { description: words.description }),
    content: attachments.map(({ attachment }) => ({ attachment })),
    ...(Object.keys(context).length && { context }),
  };
  return [document];
};

type Read = { attachment: Attachment; validType: boolean };

function attachmentOf(file: XmlElement, s: ToFhir): Read {
  const text = child(file, 'text');
  const value = attr(child(text, 'reference'), 'value') ?? '';
  const filename = filenameIn(value);
  const mediaType = attr(text, 'mediaType') ?? '';
  const received = s.document({
    documentId: attr(child(file, 'id'), 'root'),
    filename: filename || undefined,
    kind: attr(child(file, 'code'), 'displayName'),
  });
  const missing = received ? received.missing : isPlaceholder(filename) ? PLACEHOLDER_SENTENCE : null;
  if (missing !== null) s.report({ code: 'document.missing', text: missing });
  const validType = mediaType.includes('/');
  const url = received?.url || value;
  return {
    validType,
    attachment: {
      contentType: validType ? mediaType : PLACEHOLDER_SENTENCE,
      ...(url && { url }),
      ...(typeof received?.bytes === 'number' && { size: received.bytes }),
      ...(missing !== null && { title: PLACEHOLDER_SENTENCE }),
    },
  };
}

type Words = { description: string; status?: string; type?: string; setting?: string; organisation?: string; custodian?: string };

/** What our own text tells, in the members it came from; the words of other systems are the description as they stand. */
function wordsOf(element: XmlElement | undefined, first: Read | undefined): Words {
  const told = element ? fromText(textOf(element)) : { description: first?.attachment.title ?? nameIn(first) };
  if ((first?.validType ?? true) || told.description.endsWith(NOT_A_MIME_TYPE)) return told;
  return { ...told, description: told.description ? `${told.description} ${NOT_A_MIME_TYPE}` : NOT_A_MIME_TYPE };
}

const nameIn = (read: Read | undefined) => (read?.attachment.url ?? '').replace(FILE_URL, '');

function fromText(text: string): Words {
  const { found, rest } = readFacts(text, LABELS);
  if (Object.keys(found).length === 0) return { description: text };
  const status = statusOf(found.status);
  return {
    description: factsThenNotes([fact(LABELS.absent, found.absent)], [found.description, rest]).trimEnd(),
    ...(found.authorOrganisation && { organisation: found.authorOrganisation }),
    ...(found.custodian && { custodian: found.custodian }),
    ...(status && { status }),
    ...(found.type && { type: found.type }),
    ...(found.setting && { setting: found.setting }),
  };
}

/** The kind of document: in its own words (`originalText`), or in ours, which stand in the narrative's text. */
function typeOf(file: XmlElement | undefined, ours: string | undefined, s: ToFhir): CodeableConcept | undefined {
  const code = child(file, 'code');
  const text = textOf(child(code, 'originalText')) || ours || attr(code, 'displayName');
  const concept = text ? codedToFhir(code, s.terminology) : undefined;
  return degraded(concept && text ? { ...concept, text } : concept, 'record', s);
}
