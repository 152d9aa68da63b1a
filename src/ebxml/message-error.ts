/** The ebXML MessageError: a message is refused for good. It can ride on an HTTP status of success. */
import { attr, child, children, h, textOf, type XmlElement } from '../xml/element.ts';
import { type SignalOf, signalHeader } from './acknowledgement.ts';
import { type Header, messageHeader, soapEnvelope } from './soap.ts';

/** The codes of ebXML Message Service 2.0. */
export type EbxmlErrorCode =
  | 'ValueNotRecognized'
  | 'NotSupported'
  | 'Inconsistent'
  | 'OtherXml'
  | 'DeliveryFailure'
  | 'TimeToLiveExpired'
  | 'SecurityFailure'
  | 'MimeProblem'
  | 'Unknown';

export type EbxmlError = {
  /** One of `EbxmlErrorCode`, or whatever the peer wrote. */
  readonly code: string;
  readonly severity: 'Error' | 'Warning';
  readonly codeContext: string | null;
  /** Usually Spine's number, a colon and a text: `501319:Unknown eb:CPAId`. */
  readonly description: string;
};

export type MessageError = Header & {
  readonly kind: 'error';
  /** The message that is refused; '' where it does not say. */
  readonly of: string;
  readonly errors: readonly EbxmlError[];
  /** At least one has severity Error: the message is not to be sent again. A list of warnings is no failure. */
  readonly final: boolean;
};

/** For the envelope's reader: the header is read, the block is `eb:ErrorList`. A list without severities counts as an error. */
export function readErrorList(header: Header, block: XmlElement): MessageError {
  const errors = children(block, 'Error').map(
    (error): EbxmlError => ({
      code: attr(error, 'errorCode')?.trim() || 'Unknown',
      severity: /^warning$/i.test(attr(error, 'severity')?.trim() ?? '') ? 'Warning' : 'Error',
      codeContext: attr(error, 'codeContext')?.trim() || null,
      description: textOf(child(error, 'Description')).trim(),
    }),
  );
  const highest = attr(block, 'highestSeverity')?.trim() ?? '';
  return {
    kind: 'error',
    ...header,
    of: header.refToMessageId ?? '',
    errors,
    final: errors.length ? errors.some(({ severity }) => severity === 'Error') : !/^warning$/i.test(highest),
  };
}

/** The MessageError that answers a received message, as the body of a `text/xml` answer. */
export function writeMessageError(signal: SignalOf, errors: readonly { code: EbxmlErrorCode; description: string }[]): string {
  return soapEnvelope([
    messageHeader(signalHeader(signal, 'MessageError')),
    h(
      'eb:ErrorList',
      { 'SOAP:mustUnderstand': '1', 'eb:version': '2.0', 'eb:highestSeverity': 'Error' },
      errors.map(({ code, description }) =>
        h(
          'eb:Error',
          { 'eb:codeContext': 'urn:oasis:names:tc:ebxml-msg:service:errors', 'eb:errorCode': code, 'eb:severity': 'Error' },
          h('eb:Description', { 'xml:lang': 'en-GB' }, description),
        ),
      ),
    ),
  ]);
}
