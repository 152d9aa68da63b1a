import type { ConversationId } from '../base/ids.ts';
import { conversationId, instant, type Ods, type TransferId, transferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type { Registration, Requesting } from '../transfer/types.ts';
import type { Post } from './post.ts';

export type NewRegistration = {
  /** The practice's own id of it: handing it in again begins nothing new. */
  readonly registrationId: string;
  readonly nhsNumber: NhsNumber;
  /** As PDS showed it before the practice's system changed it. */
  readonly previousPractice: Ods | null;
  readonly registration: Registration;
};

/** Begins a transfer for a patient who was registered. The conversation id is fixed here: management information speaks of it from now on. */
export async function register(
  options: { readonly post: Post; readonly now: () => Date; readonly newId: () => string },
  practice: Ods,
  { registrationId, nhsNumber, previousPractice, registration }: NewRegistration,
): Promise<{ readonly transferId: TransferId; readonly conversationId: ConversationId }> {
  const at = instant(options.now());
  const begin: Requesting = {
    id: transferId(options.newId()),
    version: 0,
    conversationId: conversationId(options.newId()),
    practice,
    nhsNumber,
    startedAt: at,
    role: 'requesting',
    previousPractice,
    state: 'checking',
  };
  const { transfer } = await options.post({
    practice,
    begin,
    origin: { began: 'registration', registrationId, registration },
    event: { id: `registered:${registrationId}`, at, by: { kind: 'system' }, kind: 'registered', registration },
  });
  return { transferId: transfer?.id ?? begin.id, conversationId: transfer?.conversationId ?? begin.conversationId };
}
