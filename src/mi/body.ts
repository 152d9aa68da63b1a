import type { ConversationId, Instant, Ods } from '../base/ids.ts';
import type { EventPath } from './terms.ts';

/** What every event of a conversation says. */
export type Envelope = {
  readonly role: 'requesting' | 'sending';
  readonly conversationId: ConversationId;
  readonly practice: Ods;
  readonly otherPractice: Ods | null;
  /** The supplier's own ODS code. */
  readonly supplier: string;
};

/** The body to post. A degrade's holds nothing that leads to its transfer, its practice or its hour. */
export function eventBody(path: EventPath, envelope: Envelope, at: Instant, payload: Readonly<Record<string, unknown>> | null): object {
  const { role, practice, otherPractice, supplier, conversationId } = envelope;
  if (path === 'ehr-degrades') return { reportingSystemSupplier: supplier, payload };
  const [requesting, sending] = role === 'requesting' ? [practice, otherPractice] : [otherPractice, practice];
  return {
    conversationId,
    registrationEventDateTime: at,
    reportingSystemSupplier: supplier,
    reportingPracticeOdsCode: practice,
    requestingPracticeOdsCode: requesting,
    ...(sending && { sendingPracticeOdsCode: sending }),
    ...(payload && { payload }),
  };
}
