import type { MessageToSend, Party } from './post.ts';
import type { VendorProfile } from './profile.ts';

/** What a simulated system needs of the world in either role. */
export type Desk = {
  readonly ods: string;
  readonly asid: string;
  readonly partyKey: string;
  readonly profile: VendorProfile;
  readonly now: () => Date;
  /** So much simulated time; fails when the simulation ends. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Upper-case UUIDs. */
  readonly newId: () => string;
  /** Puts a message behind those that wait already; they leave in this order. */
  readonly send: (message: MessageToSend) => void;
  readonly log: (line: string) => void;
};

/** One conversation as it is shown to whoever looks on. */
export type Conversation = {
  readonly conversationId: string;
  readonly role: 'requesting' | 'sending';
  readonly nhsNumber: string;
  readonly other: Party;
  /** `waiting…` while something is to come, then `closed` (all is well), `refused` or `failed`. */
  state: 'waitingForExtract' | 'waitingForParts' | 'waitingForContinue' | 'waitingForAnswer' | 'closed' | 'refused' | 'failed';
  /** Why it was refused or failed, or the code of the answer. */
  reason: string | null;
  /** Documents sent, or received and put together. */
  documents: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
  /** What happened, in order. */
  readonly steps: string[];
};

/** Texts of the codes that a simulated system gives. */
export const REFUSALS: Readonly<Record<string, string>> = {
  '06': 'Patient not at surgery.',
  '09': 'EHR Extract received without corresponding request',
  '12': 'Duplicate EHR Extract received',
  '18': 'Request message not well-formed or not able to be processed',
  '19': "Sender check indicates that Requester is not the patient's current healthcare provider",
  '21': 'EHR Extract message not well-formed or not able to be processed',
  '29': 'Large Message Re-assembly failure',
  '30': 'Large Message general failure',
  '31': 'The overall EHR Extract has been rejected because one or more attachments via Large Messages were not received',
};
