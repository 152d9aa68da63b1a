/** GP2GP response codes by the short names of the existing reports. */
export const RESPONSE_CODES: ReadonlyMap<number, string> = new Map([
  [6, 'Not at surgery'],
  [7, 'GP2GP disabled'],
  [9, 'Unexpected EHR'],
  [10, 'Failed to generate'],
  [11, 'Failed to integrate'],
  [12, 'Duplicate EHR'],
  [13, 'Config issue'],
  [14, 'Req not LM compliant'],
  [15, 'ABA suppressed'],
  [17, 'ABA wrong patient'],
  [18, 'Req malformed'],
  [19, 'Unauthorised req'],
  [20, 'Spine error'],
  [21, 'Extract malformed'],
  [23, 'Sender not LM compliant'],
  [24, 'SDS lookup'],
  [25, 'Timeout'],
  [26, 'Filed as attachment'],
  [28, 'Wrong patient'],
  [29, 'LM reassembly'],
  [30, 'LM general failure'],
  [31, 'Missing LM'],
  [99, 'Unexpected'],
]);

/** `26 - Filed as attachment`; distinct, in order of their numbers; positive acknowledgements are none. */
export function errorsText(codes: readonly (number | null)[]): string {
  const distinct = [...new Set(codes.filter((code) => code !== null))].sort((a, b) => a - b);
  return distinct.map((code) => `${code} - ${RESPONSE_CODES.get(code) ?? 'Unknown error code'}`).join(', ');
}
