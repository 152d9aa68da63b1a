/** Codes and labels of a referral: FHIR ReferralRequest, HL7 RequestStatement. */
import { attr, child, children, type XmlElement } from '../../xml/element.ts';
import type { Labels } from '../shared/labels.ts';

export const PATIENT_REFERRAL = { code: '3457005', display: 'Patient referral' } as const;

export type Urgency = { readonly code: string; readonly display: string; readonly text: string };

/** Priorities with a code of their own. `asap` is only read: systems in use do not know its code, and `Priority: ASAP` is read by people. */
const URGENCIES: ReadonlyMap<string, Urgency> = new Map([
  ['routine', { code: '394848005', display: 'Normal', text: 'Routine' }],
  ['urgent', { code: '394849002', display: 'High', text: 'Urgent' }],
]);
const READ_ONLY: ReadonlyMap<string, string> = new Map([['88694003', 'asap']]);

/** How a priority is written: as a code, in words, or both. A priority nobody knows is words under `High`: the safe side. */
export function urgencyOf(priority: string | undefined): { code?: Urgency; words?: string } {
  if (priority === undefined || priority === '') return {};
  const code = URGENCIES.get(priority);
  if (code) return { code };
  return priority === 'asap'
    ? { words: 'ASAP' }
    : { code: { code: '394849002', display: 'High', text: priority.toUpperCase() }, words: priority.toUpperCase() };
}

/** The priority of a SNOMED code; undefined for others. */
export function priorityOf(code: string | undefined): string | undefined {
  for (const [priority, urgency] of URGENCIES) if (urgency.code === code) return priority;
  return READ_ONLY.get(code ?? '');
}

/** Priorities that stand in words. */
export const PRIORITY_WORDS: Readonly<Record<string, string>> = { ASAP: 'asap', STAT: 'stat' };

/** The e-referral number goes by two systems. */
export const UBRN_SYSTEMS = ['https://fhir.nhs.uk/Id/ubr-number', 'https://fhir.nhs.uk/Id/UBRN'] as const;
export const UBRN_OID = '2.16.840.1.113883.2.1.4.5.3';

/** States in which nobody waits for the referral. HL7 has no place for one; `active` and `completed` are what a reader assumes. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  draft: 'Draft',
  suspended: 'Suspended',
  cancelled: 'Cancelled',
  'entered-in-error': 'Entered In Error',
};

/** The words for a status; undefined for one that is not told. */
export function statusWords(status: string | undefined): string | undefined {
  return status !== undefined && Object.hasOwn(STATUS_WORDS, status) ? STATUS_WORDS[status] : undefined;
}

/** The status behind the words. */
export function statusOf(words: string | undefined): string | undefined {
  return Object.keys(STATUS_WORDS).find((status) => STATUS_WORDS[status] === words);
}

/** Facts that only the text can carry, in the order in which they are written. The description follows. */
export const LABELS = {
  status: { label: 'Referral Status: ', value: /Draft|Suspended|Cancelled|Entered In Error/ },
  relation: { label: 'Requester: Relation ' },
  patient: { label: 'Requester: Patient', value: /(?:)/ },
  organisation: { label: 'Requester Org: ' },
  device: { label: 'Requester Device: ' },
  priority: { label: 'Priority: ', value: /ASAP|STAT/ },
  supporting: { label: 'Supporting Information: ' },
  ubrn: { label: 'UBRN: ' },
  services: { label: 'Service(s) Requested: ' },
  specialty: { label: 'Specialty: ' },
  /** `Recipient Org: A Recipient Practitioner: B`: one fact, however many there are. */
  recipients: { label: 'Recipient ' },
  reasons: { label: 'Reason Codes: ' },
} as const satisfies Labels<string>;

/** What the notes are called that a referral gets on arrival for what has no member. Sent on, they go back where they came from. */
export const NOTE = {
  priority: 'Priority: ',
  actionDate: 'Action Date: ',
  annotation: 'Annotation: ',
  /** The existing adaptor ends a note with a comma and a blank, which a note may have inside as well. */
  between: ',\n',
  /** Stands before the description where notes stand before that. */
  description: 'Description: ',
} as const;

/** EMIS marks a self-referral with a qualifier: it is something the patient did, not a request of the practice. */
export function isSelfReferral(statement: XmlElement): boolean {
  return (
    statement.name === 'RequestStatement' &&
    children(child(statement, 'code'), 'qualifier').some((qualifier) => attr(child(qualifier, 'value'), 'code') === 'SelfReferral')
  );
}
