/**
 * The codes by which a blood pressure is known, as concept or as description ids, and the labels of what its readings cannot
 * hold. A panel's code goes with certain codes of its two readings.
 */

type Codes = ReadonlySet<string>;
const codes = (...ids: string[]): Codes => new Set(ids);

const SYSTOLIC = {
  arterial: codes('72313002', '120159016'),
  blood: codes('271649006', '406507015'),
  standing: codes('400974009', '1780182014'),
  sitting: codes('407554009', '2159155011'),
  lying: codes('407556006', '2159157015'),
};
const DIASTOLIC = {
  arterial: codes('1091811000000102', '2734671000000117'),
  blood: codes('271650006', '406508013'),
  standing: codes('400975005', '1780183016'),
  sitting: codes('407555005', '2159156012'),
  lying: codes('407557002', '2159158013'),
};

// 7536700 is 75367002 as the existing adaptor misspells it; a sender that copied the mistake is understood.
const GENERAL = codes(
  ...['163020007', '254063019', '254065014', '254064013', '2667419011'],
  ...['386534000', '1480679010'],
  ...['75367002', '7536700', '125176019'],
);

type Kind = keyof typeof SYSTOLIC;
const PANELS: readonly { readonly panel: Codes; readonly readings: readonly Kind[] }[] = [
  { panel: GENERAL, readings: ['arterial', 'blood'] },
  { panel: codes('163034007', '254081016', '254080015'), readings: ['standing'] },
  { panel: codes('163035008', '254082011', '254083018'), readings: ['sitting'] },
  { panel: codes('163033001', '254078014', '254079018'), readings: ['lying'] },
];

const KINDS: readonly Kind[] = ['arterial', 'blood', 'standing', 'sitting', 'lying'];

export const isPanelCode = (code: string) => PANELS.some(({ panel }) => panel.has(code));
export const isSystolic = (code: string) => KINDS.some((kind) => SYSTOLIC[kind].has(code));
export const isDiastolic = (code: string) => KINDS.some((kind) => DIASTOLIC[kind].has(code));

/** Whether two readings belong together under a panel's code. */
export function isTriple(panel: string, systolic: string, diastolic: string): boolean {
  return PANELS.some(
    (row) => row.panel.has(panel) && row.readings.some((kind) => SYSTOLIC[kind].has(systolic) && DIASTOLIC[kind].has(diastolic)),
  );
}

/** Whether a single reading belongs under a panel's code: the other one was not taken. */
export function isReadingOf(panel: string, reading: string): boolean {
  return PANELS.some(
    (row) => row.panel.has(panel) && row.readings.some((kind) => SYSTOLIC[kind].has(reading) || DIASTOLIC[kind].has(reading)),
  );
}

/** Labels of the lines that follow the comment in the panel's narrative, in the order in which they are written. */
export const LINE = {
  site: 'Measurement Site: ',
  systolicAbsent: 'Systolic Measurement Absent: ',
  diastolicAbsent: 'Diastolic Measurement Absent: ',
  interpretations: 'Interpretation(s): ',
  components: 'Component(s): ',
  method: 'Observation Method: ',
  status: 'Observation Status: ',
} as const;
export type LineKey = keyof typeof LINE;

/** Labels in the comment of the FHIR observation, which has one comment for panel and readings. */
export const NOTE = { systolic: 'Systolic Note: ', diastolic: 'Diastolic Note: ', panel: 'BP Note: ' } as const;
