/** COPC_IN000001UK01, whose payload is either a continue or the cover of an attachment, an index or a piece. */

import { toHl7Seconds } from '../base/hl7-time.ts';
import { at, attr, child, children, descendants, h, textOf, type XmlElement } from '../xml/element.ts';
import { GP2GP_NAMESPACE, HL7_NAMESPACE, INTERACTION, LOCALISATION_NAMESPACE, OID } from './oids.ts';
import { cd, filled, id, rootOf } from './types.ts';
import { communicationFunctions, interactionCodes, type Wrapping, writeInteraction } from './wrapper.ts';

const CONTINUE_SUBJECT = 'Continue Acknowledgement';
const CONTINUE_TYPE = 'RCMR_MT000002GB01';
const ATTACHMENT_TYPE = 'RCMR_MT000001GB01';

export type Continue = {
  /** The ebXML message id of the extract. */
  readonly of: string;
  /** ODS codes: the practice that asks for the rest, and the one that has it. */
  readonly from: string;
  readonly to: string;
};

export function writeContinue(wrapping: Wrapping, { of, from, to }: Continue): XmlElement {
  const { messageId } = wrapping;
  const goOn = cd({ code: '0', codeSystem: OID.responseCode, displayName: 'Continue' });
  return writeInteraction(INTERACTION.copc, wrapping, {
    subject: payloadInformation(
      { 'xmlns:gp': GP2GP_NAMESPACE, 'xmlns:npfitlc': LOCALISATION_NAMESPACE },
      cd({ code: 'GP2GP_PI', codeSystem: OID.copcPayload, displayName: 'GP2GP Payload Information' }),
      messageId,
      CONTINUE_TYPE,
      fragment({ to, from, subject: CONTINUE_SUBJECT, messageId }, 'gp:'),
      h(
        'pertinentPayloadBody',
        { classCode: 'OBS', moodCode: 'EVN' },
        cd({ code: 'GP2GP_PB', codeSystem: OID.copcPayload, displayName: 'GP2GP Payload Body' }),
        id(messageId),
        h(
          'value',
          null,
          h(
            'gp:Gp2gpfragment',
            null,
            h(
              'Message',
              { xmlns: HL7_NAMESPACE, type: 'Message' },
              id(messageId),
              goOn,
              h('creationTime', { value: toHl7Seconds(new Date(wrapping.createdAt)) }),
              h('versionCode', { code: 'V3NPfIT3.1.09' }),
              ...interactionCodes(INTERACTION.acknowledgement),
              h('acknowledgement', { typeCode: 'AA' }, h('acknowledgementDetail', { typeCode: 'IF' }, goOn), h('messageRef', null, id(of))),
              communicationFunctions(wrapping),
            ),
            h('gp:acknowledgedMessage', null, h('gp:id', { root: of })),
          ),
        ),
      ),
    ),
  });
}

export type AttachmentCover = {
  readonly from: string;
  readonly to: string;
  /** The name by which the manifest announces the attachment or piece. */
  readonly filename: string;
};

/** The payload of an attachment, an index or a piece: what it is stands in the manifest, this only covers it. */
export function writeAttachmentCover(wrapping: Wrapping, { from, to, filename }: AttachmentCover): XmlElement {
  const { messageId } = wrapping;
  return writeInteraction(INTERACTION.copc, wrapping, {
    subject: payloadInformation(
      { 'xmlns:npfitlc': LOCALISATION_NAMESPACE },
      cd({
        code: 'GP2GPLMATTACHMENTINFO',
        codeSystem: OID.copcPayload,
        displayName: 'GP2GP Large Message Attachment Information',
      }),
      messageId,
      ATTACHMENT_TYPE,
      fragment({ to, from, subject: `Attachment: ${filename}`, messageId }, ''),
      h(
        'pertinentPayloadBody',
        { classCode: 'OBS', moodCode: 'EVN' },
        cd({ code: 'GP2GPLMATTACHMENT', codeSystem: OID.copcPayload, displayName: 'GP2GP Large Message Attachment' }),
        id(messageId),
        h('value', null, h('reference', { value: `file://localhost/${encodeURIComponent(filename.toWellFormed())}` })),
      ),
    ),
  });
}

function payloadInformation(
  namespaces: Readonly<Record<string, string>>,
  code: XmlElement,
  messageId: string,
  messageType: string,
  what: XmlElement,
  body: XmlElement,
): XmlElement {
  return h(
    'subject',
    { typeCode: 'SUBJ', contextConductionInd: 'false' },
    h(
      'PayloadInformation',
      { classCode: 'OBS', moodCode: 'EVN', ...namespaces },
      code,
      id(messageId),
      h('npfitlc:messageType', { root: OID.messageType, extension: messageType }),
      h('value', null, what),
      h('pertinentInformation', { typeCode: 'PERT' }, h('sequenceNumber', { value: '1' }), body),
    ),
  );
}

type Fragment = { readonly to: string; readonly from: string; readonly subject: string; readonly messageId: string };

/** With prefix in a continue, without in a cover: so do the systems in use, and not all of them are known to read either. */
function fragment({ to, from, subject, messageId }: Fragment, prefix: 'gp:' | ''): XmlElement {
  return h(
    `${prefix}Gp2gpfragment`,
    prefix ? null : { xmlns: GP2GP_NAMESPACE },
    h(`${prefix}Version`, null, '01'),
    h(`${prefix}Recipients`, null, h(`${prefix}Recipient`, null, to)),
    h(`${prefix}From`, null, from),
    h(`${prefix}subject`, null, subject),
    h(`${prefix}message-id`, null, messageId),
  );
}

export type CopcRead = {
  /**
   * Told by message type, subject or a message inside, in this order. Codes do not tell: one vendor's pieces carry those of a continue.
   * Who knows the direction knows better: to a sender everything is a continue.
   */
  readonly shape: 'continue' | 'attachment';
  /** ODS codes; '' at a vendor that leaves both empty. */
  readonly from: string;
  readonly to: string;
  /** A continue: the extract's id, by either of its two places. */
  readonly of: string | null;
  /** An attachment: the name in the payload. A fallback only: the manifest's counts. */
  readonly filename: string | null;
};

/** Reads either shape; nothing in it is required. */
export function readCopc(root: XmlElement): CopcRead {
  const information = at(root, 'ControlActEvent', 'subject', 'PayloadInformation');
  const about = at(information, 'value', 'Gp2gpfragment');
  const body = at(information, 'pertinentInformation', 'pertinentPayloadBody', 'value');
  const inner = body && [...descendants(body)];
  const nested = inner?.find(({ name }) => name === 'Message');
  const subject = textOf(child(about, 'subject')).trim();
  const isContinue =
    attr(child(information, 'messageType'), 'extension')?.trim() === CONTINUE_TYPE || subject === CONTINUE_SUBJECT || nested !== undefined;
  const reference = attr(
    inner?.find(({ name }) => name === 'reference'),
    'value',
  );
  return {
    shape: isContinue ? 'continue' : 'attachment',
    from: textOf(child(about, 'From')).trim().toUpperCase(),
    to: textOf(children(child(about, 'Recipients'), 'Recipient')[0])
      .trim()
      .toUpperCase(),
    of: isContinue
      ? (rootOf(at(nested, 'acknowledgement', 'messageRef')) ?? rootOf(inner?.find(({ name }) => name === 'acknowledgedMessage')) ?? null)
      : null,
    filename: isContinue ? null : (nameIn(reference) ?? nameIn(subject) ?? null),
  };
}

/** A file name without the dress of each vendor: `file://localhost/a%20b.pdf`, `urn:a b.pdf`, `Attachment: a b.pdf`. */
export function nameIn(text: string | undefined): string | undefined {
  const trimmed = (text ?? '').trim();
  const bare = trimmed.replace(/^(?:file:\/\/localhost\/|urn:|Attachment:\s*)/i, '');
  if (!trimmed.toLowerCase().startsWith('file:')) return filled(bare);
  try {
    return filled(decodeURIComponent(bare));
  } catch {
    return filled(bare);
  }
}
