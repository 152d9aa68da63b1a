/** SOAP faults with Spine's error list. */
import { at, child, children, h, textOf, type XmlElement } from '../xml/element.ts';
import { soapEnvelope } from './soap.ts';

export type SpineError = {
  readonly codeContext: string;
  readonly code: string;
  readonly severity: string;
  readonly location: string;
  readonly description: string;
};

export type SoapFault = {
  readonly kind: 'fault';
  readonly faultCode: string;
  readonly faultString: string;
  readonly errors: readonly SpineError[];
  /** Every error of the list is passing trouble of Spine; an empty list says no such thing. */
  readonly retriable: boolean;
};

/** 200 system failure, 206 routing delivery failure, 208 failure storing a variable. */
const RETRIABLE: ReadonlySet<string> = new Set(['200', '206', '208']);

/** For the envelope's reader: `SOAP:Fault`. */
export function readSoapFault(fault: XmlElement): SoapFault {
  const text = (parent: XmlElement, name: string): string => textOf(child(parent, name)).trim();
  const errors = children(at(fault, 'detail', 'errorList'), 'error').map((error) => ({
    codeContext: text(error, 'codeContext'),
    code: text(error, 'errorCode'),
    severity: text(error, 'severity'),
    location: text(error, 'location'),
    description: text(error, 'description'),
  }));
  return {
    kind: 'fault',
    faultCode: text(fault, 'faultcode'),
    faultString: text(fault, 'faultstring'),
    errors,
    retriable: errors.length > 0 && errors.every(({ code }) => RETRIABLE.has(code)),
  };
}

export function writeSoapFault(errors: readonly SpineError[], faultString = 'Application Exception'): string {
  return soapEnvelope(
    null,
    h(
      'SOAP:Fault',
      null,
      h('faultcode', null, 'SOAP:Server'),
      h('faultstring', null, faultString),
      h(
        'detail',
        null,
        h(
          'nasp:errorList',
          { 'xmlns:nasp': 'http://national.carerecords.nhs.uk/schema/' },
          errors.map((error) =>
            h(
              'nasp:error',
              null,
              h('nasp:codeContext', null, error.codeContext),
              h('nasp:errorCode', null, error.code),
              h('nasp:severity', null, error.severity),
              h('nasp:location', null, error.location),
              h('nasp:description', null, error.description),
            ),
          ),
        ),
      ),
    ),
  );
}
