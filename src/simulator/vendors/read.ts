import { Fault } from '../../base/errors.ts';
import { at, attr, child, children, descendants, type XmlElement } from '../../xml/element.ts';
import { readXml } from '../../xml/read.ts';
import type { HubEnvelope } from '../hub/envelope.ts';
import { multipartParameters } from '../hub/envelope.ts';
import { type ReferenceRead, readVendorEnvelope } from './envelope.ts';
import { type PartRead, readMime } from './mime.ts';

/** A business message as a simulated system reads it, with a reader of its own. */
export type Incoming = {
  readonly envelope: HubEnvelope;
  /** Upper case, as all ids here. */
  readonly messageId: string;
  readonly hl7Id: string;
  readonly fromAsid: string;
  readonly payload: XmlElement;
  readonly payloadText: string;
  /** Of the manifest without the payload; `part` where it refers to one of this message. */
  readonly attachments: readonly (ReferenceRead & { readonly part: PartRead | null; readonly message: string | null })[];
};

/** Throws a `Fault` where it is no message that a system could act on. */
export function readIncoming(contentType: string, body: Buffer): Incoming {
  const parts = readMime(contentType, body);
  const start = multipartParameters(contentType)?.start?.replace(/^<|>$/g, '');
  const root = parts.find((part) => part.contentId === start) ?? parts[0];
  const { envelope, references } = readVendorEnvelope(root?.bytes ?? Buffer.alloc(0));
  const [first, ...rest] = references.map((reference) => ({
    ...reference,
    part: /^cid:/i.test(reference.href) ? partNamed(parts, reference.href.slice(4)) : null,
    message: /^mid:/i.test(reference.href) ? reference.href.slice(4).toUpperCase() : null,
  }));
  if (!first?.part) throw new Fault('vendor.message', 'the manifest does not begin with the payload');
  const payload = readXml(first.part.bytes);
  return {
    envelope,
    messageId: envelope.messageId.toUpperCase(),
    hl7Id: idIn(payload).toUpperCase(),
    fromAsid: attr(at(payload, 'communicationFunctionSnd', 'device', 'id'), 'extension') ?? '',
    payload,
    payloadText: first.part.bytes.toString('utf8'),
    attachments: rest,
  };
}

function partNamed(parts: readonly PartRead[], name: string): PartRead {
  const found = parts.find((part) => part.contentId === name) ?? parts.find((part) => part.contentId === decoded(name));
  if (!found) throw new Fault('vendor.message', `the manifest names ${name}, which is not in the message`);
  return found;
}

function idIn(element: XmlElement | undefined): string {
  return attr(child(element, 'id'), 'root') ?? '';
}

export type RequestRead = { readonly requestId: string; readonly nhsNumber: string; readonly from: string; readonly to: string };

/** What a request asks for. Throws a `Fault` that names what is missing. */
export function readRequest(payload: XmlElement): RequestRead {
  const request = at(payload, 'ControlActEvent', 'subject', 'EhrRequest');
  const organisation = (element: string) => attr(at(request, element, 'AgentOrgSDS', 'agentOrganizationSDS', 'id'), 'extension') ?? '';
  const read = {
    requestId: idIn(request),
    nhsNumber: attr(at(request, 'recordTarget', 'patient', 'id'), 'extension') ?? '',
    from: organisation('author'),
    to: organisation('destination'),
  };
  for (const [name, value] of Object.entries(read)) if (!value) throw new Fault('vendor.request', `the request has no ${name}`);
  return read;
}

export type AnswerRead = {
  /** Of the message that it is about. */
  readonly of: string;
  readonly type: string;
  readonly inDetail: CodeRead | null;
  readonly inReason: CodeRead | null;
};
export type CodeRead = { readonly code: string; readonly displayName: string | null };

export function readAnswer(payload: XmlElement): AnswerRead {
  const acknowledgement = child(payload, 'acknowledgement');
  const code = (element: XmlElement | undefined): CodeRead | null => {
    const value = attr(element, 'code');
    return value === undefined ? null : { code: value, displayName: attr(element, 'displayName') ?? null };
  };
  return {
    of: idIn(child(acknowledgement, 'messageRef')).toUpperCase(),
    type: attr(acknowledgement, 'typeCode') ?? '',
    inDetail: code(at(acknowledgement, 'acknowledgementDetail', 'code')),
    inReason: code(at(payload, 'ControlActEvent', 'reason', 'justifyingDetectedIssueEvent', 'code')),
  };
}

/** A continue is told by its words, as the sending adaptor tells it. */
export function isContinue(text: string): boolean {
  return text.includes('Continue Acknowledgement');
}

/** Of an extract: the practice that sends it, the patient, and every name by which it speaks of a document. */
export function readExtract(payload: XmlElement): { readonly from: string; readonly nhsNumber: string; readonly names: readonly string[] } {
  const extract = at(payload, 'ControlActEvent', 'subject', 'EhrExtract');
  const names: string[] = [];
  for (const element of descendants(payload)) {
    if (element.name !== 'referredToExternalDocument') continue;
    for (const reference of children(child(element, 'text'), 'reference')) names.push(nameIn(attr(reference, 'value') ?? ''));
  }
  return {
    from: attr(at(extract, 'author', 'AgentOrgSDS', 'agentOrganizationSDS', 'id'), 'extension') ?? '',
    nhsNumber: attr(at(extract, 'recordTarget', 'patient', 'id'), 'extension') ?? '',
    names,
  };
}

function nameIn(reference: string): string {
  return decoded(reference.replace(/^(?:file:\/\/localhost\/|urn:|cid:)/, ''));
}

/** Percent-decoded once; a name with a bare `%` stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** White space between elements, which SystmOne refuses in a request (P 2.2). */
export function hasSpaceBetweenElements(xml: string): boolean {
  return />\s+</.test(xml.replace(/^\s*<\?xml[^>]*\?>\s*/, ''));
}
