/** Response codes of GP2GP with what each asks of people, for pages that tell of failures. */
import { RESPONSE_CODES } from '../response-codes.ts';

/** What may be done; of codes that are not here nothing is known. */
const GUIDANCE: ReadonlyMap<number, string> = new Map([
  [6, 'The previous practice does not have the patient. Check which practice the patient left; ask that one for a paper record.'],
  [7, 'GP2GP is switched off at the previous practice. Ask its supplier; a paper record is sent.'],
  [9, 'A record came that was not asked for, or not any more. Nothing is lost; tell the supplier if it comes again.'],
  [10, 'The previous practice’s system could not make the record. Its supplier has to look at it; a paper record is sent.'],
  [11, 'The new practice’s system could not file the record. Its supplier has to look at it.'],
  [12, 'The record had arrived already. Nothing is to be done.'],
  [13, 'A system is set up wrongly. Its supplier has to look at it.'],
  [14, 'The new practice’s system does not take large records. Ask for a paper record.'],
  [15, 'The patient came back and the practice kept its own record. Nothing is to be done.'],
  [17, 'Staff rejected the record as the wrong patient’s. Check the registration, then ask again or for paper.'],
  [18, 'The request could not be read. The new practice’s supplier has to look at it.'],
  [19, 'The request did not come from the patient’s new practice. Check that the registration has reached PDS, then ask again.'],
  [20, 'The Spine could not pass it on. Ask again later.'],
  [21, 'The record could not be read. The previous practice’s supplier has to look at it; a paper record is sent.'],
  [23, 'The previous practice’s system does not send large records. A paper record is sent.'],
  [24, 'The other practice was not found in the national directory. The supplier has to look at its entry.'],
  [25, 'The record or a part of it did not come in time. Ask again, or for paper.'],
  [26, 'The record was filed as an attachment. Staff have to enter what is needed by hand.'],
  [28, 'Staff rejected the record as the wrong patient’s. Check the registration, then ask again or for paper.'],
  [29, 'The parts of a large record could not be put together. Ask again, or for paper.'],
  [30, 'A large record could not be sent or taken. Ask again, or for paper; tell the supplier if it comes again.'],
  [31, 'A part of a large record never came. Ask again, or for paper.'],
  [99, 'An error without a code of its own. Tell the supplier.'],
]);

export type CodeText = { readonly code: string; readonly name: string; readonly guidance: string };

/** `06`, its name, and what to do; codes of suppliers stand as they are. */
export function codeText(code: string): CodeText {
  const number = /^\d{1,3}$/.test(code) ? Number(code) : Number.NaN;
  const name = RESPONSE_CODES.get(number);
  return name === undefined
    ? { code, name: 'Not a national code', guidance: 'The supplier who reports it knows what it means.' }
    : { code: String(number).padStart(2, '0'), name, guidance: GUIDANCE.get(number) ?? '' };
}

export const CODES: readonly CodeText[] = [...RESPONSE_CODES.keys()].map((code) => codeText(String(code)));
