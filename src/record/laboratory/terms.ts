/** The codes, identifiers and labels of laboratory reports: written by one direction and read by the other. */

/** What a report's, and a specimen's, CompoundStatement is coded as. */
export const REPORT = { code: '16488004', display: 'laboratory reporting', text: 'Filed Report' } as const;
export const SPECIMEN = { code: '123038009', display: 'specimen (specimen)' } as const;

/** The number by which the laboratory knows the report (second `id`), and the one by which it knows the specimen. */
export const PMIP_REPORT_OID = '2.16.840.1.113883.2.1.4.5.5';
export const ACCESSION_OID = '2.16.840.1.113883.2.1.4.5.2';

export const FASTING = 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-FastingStatus-1';
export const LABORATORY = { system: 'http://hl7.org/fhir/observation-category', code: 'laboratory', display: 'Laboratory' } as const;
/** FHIR wants a code for a report, and no extract has one. */
export const ANY_REPORT = { system: 'http://snomed.info/sct', code: '721981007', display: 'Diagnostic studies report' } as const;

/** Receivers show nothing of a report without a specimen or a result: these stand where there is none, and are taken out again. */
export const PLACEHOLDER = {
  accession: 'NOT PRESENT',
  material: 'UNKNOWN',
  report: 'EMPTY REPORT',
  specimen: 'EMPTY SPECIMEN',
} as const;

/** Labels of the narratives of a report. */
export const REPORT_LABEL = {
  conclusion: 'Interpretation: ',
  diagnosis: 'Lab Diagnosis: ',
  status: 'Status: ',
  filingDate: 'Filing Date: ',
  participants: 'Participants: ',
} as const;

/** States of a specimen that change how its results are read; an available one is what every receiver assumes. */
export const SPECIMEN_STATES: ReadonlySet<string> = new Set(['unavailable', 'unsatisfactory', 'entered-in-error']);

/** Labels of the lines of a specimen's narrative. */
export const SPECIMEN_LABEL = {
  status: 'Specimen Status: ',
  site: 'Collection Site: ',
  quantity: 'Quantity: ',
  fastingStatus: 'Fasting Status: ',
  fastingDuration: 'Fasting Duration: ',
  received: 'Received Date: ',
  collector: 'Collected By: ',
} as const;

/** Labels of a result that have a narrative each. */
export const RESULT_LABEL = { dataAbsent: 'Data Absent: ', site: 'Site: ', method: 'Method: ' } as const;
export type ResultKey = keyof typeof RESULT_LABEL;

/** Labels of the lines around a result's comment: the first before it, the others after it, in this order. */
export const LINE = {
  interpretation: 'Interpretation: ',
  value: 'Value: ',
  codeValue: 'Code Value: ',
  booleanValue: 'Boolean Value: ',
  rangeValue: 'Range Value: ',
  ratioValue: 'Ratio Value: ',
  timeValue: 'Time Value: ',
  dateTimeValue: 'DateTime Value: ',
  periodValue: 'Period Value: ',
  quantityValue: 'Quantity Value: ',
  components: 'Component(s): ',
  status: 'Observation Status: ',
  rangeText: 'Range Text: ',
  rangeUnits: 'Range Units: ',
  range: 'Range: ',
} as const;
export type LineKey = keyof typeof LINE;
