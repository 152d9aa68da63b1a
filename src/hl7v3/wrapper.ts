/** The transmission wrapper that every interaction has (MCCI_MT010101UK12): ids, time, interaction, the two systems. */
import { Fault } from '../base/errors.ts';
import { type Hl7Time, toHl7Seconds } from '../base/hl7-time.ts';
import type { Instant } from '../base/ids.ts';
import { at, attr, type Child, child, h, type XmlElement } from '../xml/element.ts';
import { HL7_NAMESPACE, type InteractionId, OID } from './oids.ts';
import { extensionOf, filled, id, rootOf, timeIn } from './types.ts';

/** A payload that cannot be used. `code` begins with `hl7.`. */
export class PayloadFault extends Fault {
  constructor(code: 'hl7.interaction' | 'hl7.missing' | 'hl7.skeleton', message: string) {
    super(code, message);
    this.name = 'PayloadFault';
  }
}

/** What a sender says in the wrapper. */
export type Wrapping = {
  /** The ebXML message id, always: whoever acknowledges may name either. */
  readonly messageId: string;
  readonly createdAt: Instant;
  readonly fromAsid: string;
  readonly toAsid: string;
};

/** What a receiver finds in it: nothing is certain. Ids and numbers trimmed, in the case they came in. */
export type Wrapper = {
  /** The root element's name. */
  readonly interaction: string;
  /** `interactionId/@extension`; should be the same. */
  readonly interactionId: string | null;
  readonly messageId: string | null;
  /** London wall time, of any precision. */
  readonly createdAt: Hl7Time | null;
  /** From `communicationFunctionSnd`: vendors put the receiver's own into `author1`. */
  readonly fromAsid: string | null;
  readonly toAsid: string | null;
};

/** Version codes that accredited systems send with each kind of message. */
const VERSION: Readonly<Record<InteractionId, string>> = {
  RCMR_IN010000UK05: 'V3NPfIT3.1.10',
  RCMR_IN030000UK06: 'V3NPfIT3.1.10',
  RCMR_IN030000UK07: 'V3NPfIT3.1.10',
  COPC_IN000001UK01: 'V3NPfIT3.0',
  MCCI_IN010000UK13: 'V3NPfIT4.2.00',
};

export type Contents = { readonly acknowledgement?: Child; readonly reason?: Child; readonly subject?: Child };

/** A whole interaction: the wrapper around its contents, without white space between elements (SystmOne refuses it). */
export function writeInteraction(interaction: InteractionId, wrapping: Wrapping, contents: Contents): XmlElement {
  return h(
    interaction,
    { xmlns: HL7_NAMESPACE },
    id(wrapping.messageId),
    h('creationTime', { value: toHl7Seconds(new Date(wrapping.createdAt)) }),
    h('versionCode', { code: VERSION[interaction] }),
    ...interactionCodes(interaction),
    contents.acknowledgement,
    communicationFunctions(wrapping),
    h(
      'ControlActEvent',
      { classCode: 'CACT', moodCode: 'EVN' },
      h(
        'author1',
        { typeCode: 'AUT' },
        h(
          'AgentSystemSDS',
          { classCode: 'AGNT' },
          h('agentSystemSDS', { classCode: 'DEV', determinerCode: 'INSTANCE' }, id(OID.asid, wrapping.fromAsid)),
        ),
      ),
      contents.reason,
      contents.subject,
    ),
  );
}

/** `interactionId` and the three codes that never differ. */
export function interactionCodes(interaction: InteractionId): XmlElement[] {
  return [
    h('interactionId', { root: OID.interactionId, extension: interaction }),
    h('processingCode', { code: 'P' }),
    h('processingModeCode', { code: 'T' }),
    h('acceptAckCode', { code: 'NE' }),
  ];
}

export function communicationFunctions({ fromAsid, toAsid }: Pick<Wrapping, 'fromAsid' | 'toAsid'>): XmlElement[] {
  const device = (asid: string): XmlElement => h('device', { classCode: 'DEV', determinerCode: 'INSTANCE' }, id(OID.asid, asid));
  return [
    h('communicationFunctionRcv', { typeCode: 'RCV' }, device(toAsid)),
    h('communicationFunctionSnd', { typeCode: 'SND' }, device(fromAsid)),
  ];
}

export function readWrapper(root: XmlElement): Wrapper {
  return {
    interaction: root.name,
    interactionId: filled(attr(child(root, 'interactionId'), 'extension')) ?? null,
    messageId: rootOf(root) ?? null,
    createdAt: timeIn(child(root, 'creationTime')) ?? null,
    fromAsid: asidOf(child(root, 'communicationFunctionSnd')),
    toAsid: asidOf(child(root, 'communicationFunctionRcv')),
  };
}

function asidOf(communication: XmlElement | undefined): string | null {
  const device = child(communication, 'device');
  // One system writes root and extension on the device itself.
  return extensionOf(device) ?? filled(attr(device, 'extension')) ?? null;
}

/** The ODS code in `author` or `destination`; '' in a null flavour. */
export function organisationIn(participation: XmlElement | undefined): string {
  return extensionOf(at(participation, 'AgentOrgSDS', 'agentOrganizationSDS')) ?? '';
}

/** `author` or `destination` with an organisation, in its place in a request or an extract. */
export function organisation(name: 'author' | 'destination', ods: string, time?: XmlElement): XmlElement {
  return h(
    name,
    { typeCode: name === 'author' ? 'AUT' : 'DST' },
    time,
    h(
      'AgentOrgSDS',
      { classCode: 'AGNT' },
      h('agentOrganizationSDS', { classCode: 'ORG', determinerCode: 'INSTANCE' }, id(OID.sdsOrganisation, ods)),
    ),
  );
}

/** `recordTarget` with the NHS number. */
export function recordTarget(nhsNumber: string): XmlElement {
  return h('recordTarget', { typeCode: 'RCT' }, h('patient', { classCode: 'PAT' }, id(OID.nhsNumber, nhsNumber)));
}
