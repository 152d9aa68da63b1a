import { DAY, type Micros, microsOf, SECOND } from '../micros.ts';
import { ACKNOWLEDGEMENT, COMMON, CORE_WITH_REDACTIONS, REQUEST, type SpineMessage } from './message.ts';
import { type ClassifiedTransfer, type ClassifyOptions, classify } from './transfer.ts';

export const BEGIN: Micros = microsOf('2026-02-03T10:00:00');
export const REQUESTER = '200000000101';
export const SENDER = '200000000202';
const CORE = 'urn:nhs:names:services:gp2gp/RCMR_IN030000UK06';

type Given = Partial<SpineMessage> & { readonly after?: Micros };
let step = 0;

function message(interaction: string, from: string, given: Given): SpineMessage {
  const { after, ...rest } = given;
  step++;
  return {
    at: BEGIN + (after ?? step * SECOND),
    conversationId: 'C1',
    guid: `g${step}`,
    interaction,
    from,
    to: from === REQUESTER ? SENDER : REQUESTER,
    ref: null,
    error: null,
    fromSystem: from === REQUESTER ? 'EMIS' : 'SystmOne',
    toSystem: from === REQUESTER ? 'SystmOne' : 'EMIS',
    ...rest,
  };
}

/** Messages of one conversation as the Spine logs them; without a time, a second after one another. */
export const spine = {
  request: (given: Given = {}) => message(REQUEST, REQUESTER, { guid: 'request', after: 0, ...given }),
  core: (guid = 'core', given: Given = {}) => message(CORE, SENDER, { guid, ...given }),
  coreWithRedactions: (guid = 'core', given: Given = {}) => message(CORE_WITH_REDACTIONS, SENDER, { guid, ...given }),
  next: (given: Given = {}) => message(COMMON, REQUESTER, { guid: 'continue', ...given }),
  fragment: (guid: string, given: Given = {}) => message(COMMON, SENDER, { guid, ...given }),
  senderAnswers: (error: number | null = null, given: Given = {}) => message(ACKNOWLEDGEMENT, SENDER, { ref: 'request', error, ...given }),
  answers: (ref: string, error: number | null = null, given: Given = {}) => message(ACKNOWLEDGEMENT, REQUESTER, { ref, error, ...given }),
  other: (given: Given) => message('urn:nhs:names:services:gp2gp/XXXX_IN000000UK01', REQUESTER, given),
};

export function classified(rows: readonly SpineMessage[], options: Partial<ClassifyOptions> = {}): ClassifiedTransfer[] {
  return classify(rows, {
    start: BEGIN - DAY,
    end: BEGIN + DAY,
    cutoffDays: 14,
    organisationOf: () => null,
    note: () => undefined,
    ...options,
  });
}
