/** Transfers, events and facts for tests: one of every state, one of every kind. */
import { wholeObject } from '../base/content.ts';
import type { ConversationId, DocumentId, Instant, MessageId, Ods, TransferId } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import type {
  Answer,
  Contract,
  ConvertedRecord,
  Core,
  Event,
  Facts,
  JobResult,
  Offer,
  Peer,
  Received,
  Reference,
  Requesting,
  RequestingOutcome,
  Sending,
  SendingOutcome,
} from './types.ts';

export const NOW = '2026-01-05T09:30:00.000Z' as Instant;
export const CORE = 'CORE' as MessageId;
export const REQUEST = 'REQUEST' as MessageId;
const object = { sha256: 'a'.repeat(64), bytes: 1000 };

const contract: Contract = {
  cpaId: 'CPA',
  retries: 2,
  retryIntervalSeconds: 7200,
  persistSeconds: 15_000,
  duplicateElimination: true,
  ackRequested: true,
  actor: 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH',
  syncReply: false,
};
export const peer: Peer = {
  ods: 'A99901' as Ods,
  asid: '200000009901',
  partyKey: 'A99901-900001',
  takesRedactions: true,
  contracts: { request: contract, extract: contract, part: contract, acknowledgement: contract },
};
const record: ConvertedRecord = {
  bundle: object,
  report: object,
  documents: object,
  summary: { issues: 1, degrades: 0, redactions: 0, missingDocuments: 0 },
};
const core: Core = { messageId: CORE, at: NOW, version: 'UK06', hl7: wholeObject(object) };
const common = {
  id: 'T1' as TransferId,
  version: 3,
  conversationId: 'C1' as ConversationId,
  practice: 'B99902' as Ods,
  nhsNumber: '9000000009' as NhsNumber,
  startedAt: NOW,
} as const;
const requesting = { ...common, role: 'requesting', previousPractice: peer.ods } as const;
const sending = { ...common, role: 'sending', request: REQUEST, requestId: 'E1' } as const;

export function endedRequesting(outcome: RequestingOutcome): Requesting {
  return { ...requesting, state: 'ended', outcome, at: NOW, core, peer, request: REQUEST, record: null };
}
export const requestingStates: { readonly [S in Requesting['state']]: Extract<Requesting, { state: S }> } = {
  checking: { ...requesting, version: 0, state: 'checking' },
  waitingForExtract: { ...requesting, state: 'waitingForExtract', peer, request: REQUEST, requestId: 'E1', acknowledged: null },
  collecting: { ...requesting, state: 'collecting', peer, request: REQUEST, core, outstanding: 2 },
  converting: { ...requesting, state: 'converting', peer, request: REQUEST, core },
  waitingForDecision: { ...requesting, state: 'waitingForDecision', peer, request: REQUEST, core, record, reasons: [] },
  filing: { ...requesting, state: 'filing', peer, request: REQUEST, core, record, by: { kind: 'system' }, as: 'integrate' },
  ended: { ...requesting, state: 'ended', outcome: { kind: 'integrated', answer: 'AA' }, at: NOW, core, peer, request: REQUEST, record },
};

const offer: Offer = { core: CORE, sentAt: NOW, parts: 2, missingDocuments: 0, report: object };
export function endedSending(outcome: SendingOutcome): Sending {
  return { ...sending, state: 'ended', outcome, at: NOW, peer, offer };
}
export const sendingStates: { readonly [S in Sending['state']]: Extract<Sending, { state: S }> } = {
  checking: { ...sending, version: 0, state: 'checking', peer: null },
  fetching: { ...sending, state: 'fetching', peer },
  converting: { ...sending, state: 'converting', peer, bundle: object, documents: object },
  sendingCore: { ...sending, state: 'sendingCore', peer, offer: { ...offer, sentAt: null } },
  waitingForContinue: { ...sending, state: 'waitingForContinue', peer, offer },
  sendingParts: { ...sending, state: 'sendingParts', peer, offer, unsent: 2 },
  waitingForAnswer: { ...sending, state: 'waitingForAnswer', peer, offer },
  ended: { ...sending, state: 'ended', outcome: { kind: 'acknowledged', answer: 'AA', missingDocuments: 0 }, at: NOW, peer, offer },
};

const envelope = {
  messageId: 'M1' as MessageId,
  aliases: [],
  conversationId: common.conversationId,
  at: NOW,
  addressed: { fromPartyKey: peer.partyKey, toPartyKey: 'B99902-900002', fromAsid: peer.asid, toAsid: '200000009902' },
} as const;
const announced = {
  compressed: false,
  skeleton: false,
  filename: 'letter.pdf',
  contentType: 'application/pdf',
  documentId: 'D1' as DocumentId,
};
const part = { contentId: 'x', contentType: 'application/pdf', content: wholeObject(object) };
export const elsewhere: Reference = { ...announced, at: 'message', messageId: 'P1' as MessageId };
export const inside: Reference = { ...announced, at: 'here', part };
const AA: Answer = { accepted: true };
export const AE = (code: Exclude<Answer & { accepted: false }, { accepted: true }>['code']): Answer => ({
  accepted: false,
  code,
  raw: code ?? 'AE',
});

export const messages = {
  request: { ...envelope, interaction: 'request', requestId: 'E1', nhsNumber: common.nhsNumber, from: peer.ods, to: common.practice },
  requestAgain: {
    ...envelope,
    messageId: REQUEST,
    interaction: 'request',
    requestId: 'E1',
    nhsNumber: common.nhsNumber,
    from: peer.ods,
    to: common.practice,
  },
  extract: {
    ...envelope,
    interaction: 'extract',
    version: 'UK06',
    extractId: 'X',
    nhsNumber: common.nhsNumber,
    hl7: wholeObject(object),
    references: [inside],
  },
  largeExtract: {
    ...envelope,
    interaction: 'extract',
    version: 'UK07',
    extractId: 'X',
    nhsNumber: common.nhsNumber,
    hl7: wholeObject(object),
    references: [inside, elsewhere],
  },
  coreAgain: {
    ...envelope,
    messageId: CORE,
    interaction: 'extract',
    version: 'UK06',
    extractId: 'X',
    nhsNumber: common.nhsNumber,
    hl7: wholeObject(object),
    references: [],
  },
  continue: { ...envelope, interaction: 'continue', of: CORE, from: peer.ods, to: common.practice },
  index: { ...envelope, interaction: 'index', children: [elsewhere], announced, from: peer.ods, to: common.practice },
  piece: { ...envelope, interaction: 'piece', part, announced, from: peer.ods, to: common.practice },
  positive: { ...envelope, interaction: 'acknowledgement', of: CORE, answer: AA },
  negative: { ...envelope, interaction: 'acknowledgement', of: CORE, answer: AE('10') },
  undelivered: { ...envelope, interaction: 'undelivered', of: CORE, fault: '506' },
  unreadableCore: { ...envelope, interaction: 'unreadable', action: 'RCMR_IN030000UK06', fault: 'line 1' },
  unreadablePart: { ...envelope, interaction: 'unreadable', action: 'COPC_IN000001UK01', fault: 'line 1' },
} as const satisfies Record<string, Received>;

const head = { id: 'EV1', at: NOW, by: { kind: 'system' } } as const;
export const arrivedEvent = (message: Received): Event => ({ ...head, kind: 'arrived', message });
export const doneEvent = (result: JobResult): Event => ({ ...head, kind: 'done', result });
const sentEvent = (interaction: Extract<Event, { kind: 'sent' }>['interaction'], messageId: string): Event => ({
  ...head,
  kind: 'sent',
  interaction,
  messageId: messageId as MessageId,
});
const notSentEvent = (interaction: Extract<Event, { kind: 'sent' }>['interaction']): Event => ({
  ...head,
  kind: 'notSent',
  interaction,
  messageId: 'M' as MessageId,
  fault: 'refused',
});

export const events: Readonly<Record<string, Event>> = {
  registered: {
    ...head,
    kind: 'registered',
    registration: {
      type: 'newRegistration',
      permanent: true,
      returning: false,
      authenticated: true,
      traceMatched: true,
      gpLinksComplete: true,
    },
  },
  ...Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, arrivedEvent(message)])),
  requestSent: sentEvent('request', REQUEST),
  coreSent: sentEvent('extract', CORE),
  partSent: sentEvent('piece', 'P1'),
  requestNotSent: notSentEvent('request'),
  coreNotSent: notSentEvent('extract'),
  partNotSent: notSentEvent('piece'),
  continueNotSent: notSentEvent('continue'),
  answerNotSent: notSentEvent('acknowledgement'),
  mayAsk: doneEvent({ job: 'mayWeAsk', answer: { ask: true, peer } }),
  mayNotAsk: doneEvent({ job: 'mayWeAsk', answer: { ask: false, reason: 'NO_ENDPOINT' } }),
  maySend: doneEvent({ job: 'mayTheyAsk', answer: { send: true, peer } }),
  mayNotSend: doneEvent({ job: 'mayTheyAsk', answer: { send: false, code: '19', peer } }),
  fetched: doneEvent({ job: 'fetch', answer: { fetched: true, bundle: object, documents: object } }),
  notFetched: doneEvent({ job: 'fetch', answer: { fetched: false, code: '06' } }),
  written: doneEvent({
    job: 'toHl7',
    answer: {
      converted: true,
      version: 'UK06',
      extractId: 'X',
      messageId: CORE,
      hl7: wholeObject(object),
      large: null,
      documents: [{ ...announced, content: wholeObject({ sha256: 'b'.repeat(64), bytes: 9_000_000 }) }],
      report: object,
      summary: record.summary,
    },
  }),
  notWritten: doneEvent({ job: 'toHl7', answer: { converted: false, code: '10', fault: 'no patient' } }),
  read: doneEvent({ job: 'toFhir', answer: { converted: true, record, holds: [] } }),
  readWithHold: doneEvent({ job: 'toFhir', answer: { converted: true, record, holds: ['otherPatient'] } }),
  notRead: doneEvent({ job: 'toFhir', answer: { converted: false, code: '21', fault: 'line 7' } }),
  filed: doneEvent({ job: 'file', answer: 'filed', reason: null }),
  notFiled: doneEvent({ job: 'file', answer: 'refused', reason: 'locked' }),
  checkFailed: { ...head, kind: 'failed', job: 'mayWeAsk', fault: 'PDS' },
  theirCheckFailed: { ...head, kind: 'failed', job: 'mayTheyAsk', fault: 'PDS' },
  fetchFailed: { ...head, kind: 'failed', job: 'fetch', fault: '503' },
  writeFailed: { ...head, kind: 'failed', job: 'toHl7', fault: 'memory' },
  readFailed: { ...head, kind: 'failed', job: 'toFhir', fault: 'memory' },
  fileFailed: { ...head, kind: 'failed', job: 'file', fault: '503' },
  extractLate: { ...head, kind: 'due', timer: 'extractLate' },
  partsLate: { ...head, kind: 'due', timer: 'partsLate' },
  answerLate: { ...head, kind: 'due', timer: 'answerLate' },
  undecided: { ...head, kind: 'due', timer: 'undecided' },
  integrate: { ...head, kind: 'decided', decision: 'integrate' },
  reject: { ...head, kind: 'decided', decision: 'reject' },
  withdraw: { ...head, kind: 'decided', decision: 'withdraw' },
  resend: { ...head, kind: 'decided', decision: 'resend' },
  superseded: { ...head, kind: 'superseded', successor: 'T2' as TransferId },
};

/** Facts with ids that count up: N1, N2 … */
export function facts(over: Partial<Facts> = {}): Facts {
  let count = 0;
  return {
    now: NOW,
    newId: () => `N${++count}`,
    part: null,
    refersTo: null,
    recordMissing: false,
    own: {
      ods: common.practice,
      asid: '200000009902',
      partyKey: 'B99902-900002',
      redactions: 'auto',
      filing: 'automatic',
      messageLimit: 5_000_000,
    },
    ...over,
  };
}
