/** MCCI_IN010000UK13: the application's answer to a message, positive or negative. */
import { at, attr, child, children, h, type XmlElement } from '../xml/element.ts';
import { INTERACTION, OID } from './oids.ts';
import { cd, filled, id, readCoded, rootOf } from './types.ts';
import { PayloadFault, type Wrapping, writeInteraction } from './wrapper.ts';

export type AcknowledgementToWrite = {
  /** The ebXML message id of the message that is answered. */
  readonly of: string;
  readonly typeCode: 'AA' | 'AE' | 'AR';
  /** Two digits and their words. One system fails without the words, so they are not optional. */
  readonly issue: { readonly code: string; readonly displayName: string } | null;
};

/** The code is written in both places, because each peer reads another one. */
export function writeAcknowledgement(wrapping: Wrapping, { of, typeCode, issue }: AcknowledgementToWrite): XmlElement {
  const coded = issue && { code: issue.code, codeSystem: OID.responseCode, displayName: issue.displayName };
  return writeInteraction(INTERACTION.acknowledgement, wrapping, {
    acknowledgement: h(
      'acknowledgement',
      { typeCode },
      coded && h('acknowledgementDetail', { typeCode: 'ER' }, cd(coded)),
      h('messageRef', null, id(of)),
    ),
    reason:
      coded &&
      h(
        'reason',
        { typeCode: 'RSON' },
        h(
          'justifyingDetectedIssueEvent',
          { classCode: 'ALRT', moodCode: 'EVN' },
          cd({ ...coded, qualifiers: [{ value: { code: 'ER', codeSystem: OID.issueQualifier } }] }),
        ),
      ),
  });
}

export type Issue = {
  /** One-digit GP2GP codes padded to two. */
  readonly code: string;
  readonly codeSystem: string | null;
  readonly displayName: string | null;
};

export type AcknowledgementRead = {
  readonly of: string;
  /** As written: AE and AR mean the same; anything but these and AA means nothing. */
  readonly typeCode: string;
  /** Every code, details first, in order. */
  readonly issues: readonly Issue[];
  /** The GP2GP code that counts: the first in the code system of GP2GP, else the first at all; `null` where there is none, which is legal. */
  readonly code: string | null;
  /** The code that counts is Spine's own: the message referred to was never delivered. */
  readonly fromSpine: boolean;
};

/** Throws `PayloadFault` where there is no acknowledgement, or none that says of what. */
export function readAcknowledgement(root: XmlElement): AcknowledgementRead {
  const acknowledgement = child(root, 'acknowledgement');
  const of = rootOf(child(acknowledgement, 'messageRef'));
  if (!acknowledgement || !of) throw new PayloadFault('hl7.missing', 'the acknowledgement does not say which message it answers');
  const coded = [
    ...children(acknowledgement, 'acknowledgementDetail').map((detail) => child(detail, 'code')),
    ...children(child(root, 'ControlActEvent'), 'reason').map((reason) => at(reason, 'justifyingDetectedIssueEvent', 'code')),
  ];
  const issues = coded.flatMap((element): Issue[] => {
    const { code, codeSystem = null, displayName = null } = readCoded(element) ?? {};
    return code ? [{ code: /^\d$/.test(code) ? `0${code}` : code, codeSystem, displayName }] : [];
  });
  const counts = issues.find(({ codeSystem }) => codeSystem === OID.responseCode) ?? issues[0];
  return {
    of,
    typeCode: filled(attr(acknowledgement, 'typeCode')) ?? '',
    issues,
    code: counts?.code ?? null,
    fromSpine: counts?.codeSystem === OID.spineError,
  };
}
