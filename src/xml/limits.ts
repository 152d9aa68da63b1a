import { Fault } from '../base/errors.ts';

/** Caps on one document. Depth is a control of processor time and of the stack of whoever walks the tree. */
export type XmlLimits = {
  readonly depth: number;
  readonly attributes: number;
  readonly name: number;
  readonly attributeValue: number;
  /** Characters between two events: an attribute, a name, a comment that does not end is held until it does. */
  readonly run: number;
  readonly elements: number;
  readonly bytes: number;
};

export const XML_LIMITS: XmlLimits = {
  depth: 200,
  attributes: 64,
  name: 256,
  attributeValue: 65_536,
  run: 8 * 1024 * 1024,
  elements: 5_000_000,
  bytes: 256 * 1024 * 1024,
};

export type XmlFaultCode = 'xml.malformed' | 'xml.doctype' | 'xml.encoding' | 'xml.limit';

/** A document that is not well formed, or that breaks a limit. */
export class XmlFault extends Fault {
  readonly line: number;
  constructor(code: XmlFaultCode, message: string, line: number) {
    super(code, `line ${line}: ${message}`);
    this.name = 'XmlFault';
    this.line = line;
  }
}
