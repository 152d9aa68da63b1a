/** RCMR_IN010000UK05: a practice asks another one for a record. */

import { type Ods, ods } from '../base/ids.ts';
import { type NhsNumber, nhsNumber as toNhsNumber } from '../base/nhs-number.ts';
import { at, child, h, type XmlElement } from '../xml/element.ts';
import { INTERACTION, OID } from './oids.ts';
import { extensionOf, id, rootOf } from './types.ts';
import { organisation, organisationIn, PayloadFault, recordTarget, type Wrapping, writeInteraction } from './wrapper.ts';

export type EhrRequest = {
  /** `EhrRequest/id`: comes back in the extract. Not the message id. */
  readonly requestId: string;
  readonly nhsNumber: NhsNumber;
  /** The practice that asks. */
  readonly from: Ods;
  readonly to: Ods;
};

export function writeRequest(wrapping: Wrapping, { requestId, nhsNumber, from, to }: EhrRequest): XmlElement {
  return writeInteraction(INTERACTION.request, wrapping, {
    subject: h(
      'subject',
      { typeCode: 'SUBJ', contextConductionInd: 'false' },
      h(
        'EhrRequest',
        { classCode: 'EXTRACT', moodCode: 'RQO' },
        id(requestId),
        recordTarget(nhsNumber),
        organisation('author', from),
        organisation('destination', to),
      ),
    ),
  });
}

/** Throws `PayloadFault` naming every field that is missing: without any of them a request cannot be answered. */
export function readRequest(root: XmlElement): EhrRequest {
  const request = at(root, 'ControlActEvent', 'subject', 'EhrRequest');
  const requestId = rootOf(request);
  const number = toNhsNumber(patientNumber(child(request, 'recordTarget')));
  const from = organisationIn(child(request, 'author'));
  const to = organisationIn(child(request, 'destination'));
  const missing = [
    requestId ? '' : 'the id of the request',
    number ? '' : 'an NHS number of ten digits',
    from ? '' : "the asking practice's ODS code",
    to ? '' : "the asked practice's ODS code",
  ].filter(Boolean);
  if (!requestId || !number || missing.length) throw new PayloadFault('hl7.missing', `the request lacks ${missing.join(', ')}`);
  return { requestId, nhsNumber: number, from: ods(from), to: ods(to) };
}

/** The NHS number in a `recordTarget` as written; '' for none. */
export function patientNumber(target: XmlElement | undefined): string {
  const patient = child(target, 'patient');
  return extensionOf(patient, OID.nhsNumber) ?? extensionOf(patient) ?? '';
}
