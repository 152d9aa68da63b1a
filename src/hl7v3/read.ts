/** Which GP2GP payload this is, and what it says. */
import type { XmlElement } from '../xml/element.ts';
import { type AcknowledgementRead, readAcknowledgement } from './acknowledgement.ts';
import { type CopcRead, readCopc } from './copc.ts';
import { type ExtractHead, extractHead, requestIdOf } from './extract.ts';
import { INTERACTION } from './oids.ts';
import { type EhrRequest, readRequest } from './request.ts';
import { PayloadFault, readWrapper, type Wrapper } from './wrapper.ts';

export type Payload = { readonly wrapper: Wrapper } & (
  | ({ readonly interaction: 'request' } & EhrRequest)
  | ({ readonly interaction: 'extract'; readonly requestId: string | null } & ExtractHead)
  /** Continue, or cover of an attachment, index or piece: see `shape`; which of the three only the manifest tells. */
  | ({ readonly interaction: 'copc' } & CopcRead)
  | ({ readonly interaction: 'acknowledgement' } & AcknowledgementRead)
);

/**
 * Reads a payload by its root element. An `interactionId` that differs from it is left to the caller to see. Throws `PayloadFault`:
 * `hl7.interaction` for anything but GP2GP, `hl7.missing` where something is absent without which it cannot be answered.
 */
export function readPayload(root: XmlElement): Payload {
  const wrapper = readWrapper(root);
  switch (root.name) {
    case INTERACTION.request:
      return { interaction: 'request', wrapper, ...readRequest(root) };
    case INTERACTION.extractUk06:
    case INTERACTION.extractUk07:
      return { interaction: 'extract', ...extractHead(root), requestId: requestIdOf(root) };
    case INTERACTION.copc:
      return { interaction: 'copc', wrapper, ...readCopc(root) };
    case INTERACTION.acknowledgement:
      return { interaction: 'acknowledgement', wrapper, ...readAcknowledgement(root) };
    default:
      throw new PayloadFault('hl7.interaction', `${root.name} is no interaction of GP2GP`);
  }
}
