/** One event of each path, of one made-up transfer, as the specification asks for it. */
import type { MiBody } from './events.ts';
import type { EventPath } from './terms.ts';

const envelope = (at: string, reporting: 'Z81001' | 'Z82002') => ({
  conversationId: '7C0E2B8A-51D4-4E7F-9B61-0A4D6C1E9F20',
  registrationEventDateTime: at,
  reportingSystemSupplier: reporting === 'Z81001' ? 'ZZ901' : 'ZZ902',
  reportingPracticeOdsCode: reporting,
  requestingPracticeOdsCode: 'Z81001',
  sendingPracticeOdsCode: 'Z82002',
});

export const EXAMPLES: { readonly [Path in EventPath]: MiBody<Path> } = {
  registrations: {
    ...envelope('2026-03-02T09:14:05Z', 'Z81001'),
    payload: {
      registration: { type: 'NEW_GP_REGISTRATION', returningPatient: false, multifactorAuthenticationPresent: true },
      demographicTraceStatus: { matched: true, multifactorAuthenticationPresent: true },
      gpLinks: { gpLinksComplete: true },
    },
  },
  'transfer-compatibility-statuses': {
    ...envelope('2026-03-02T09:14:07Z', 'Z81001'),
    payload: { transferCompatibilityStatus: { internalTransfer: false, transferCompatible: true } },
  },
  'ehr-requests': envelope('2026-03-02T09:14:09Z', 'Z81001'),
  'ehr-responses': {
    ...envelope('2026-03-02T09:15:31.204Z', 'Z82002'),
    payload: {
      ehr: {
        ehrStructuredSizeBytes: 412_880,
        placeholders: [
          { generatedBy: 'SENDER', clinicalType: 'SCANNED_DOCUMENT', reason: 'FILE_NOT_FOUND', originalMimeType: 'image/tiff' },
        ],
      },
    },
  },
  'document-responses': {
    ...envelope('2026-03-02T09:17:02.611Z', 'Z81001'),
    payload: {
      attachment: { clinicalType: 'SCANNED_DOCUMENT', mimeType: 'application/pdf', sizeBytes: 188_211 },
      documentMigration: { successful: false, reason: '31 fragment missing' },
    },
  },
  'ready-to-integrate-statuses': envelope('2026-03-02T09:17:10Z', 'Z81001'),
  'ehr-degrades': {
    reportingSystemSupplier: 'ZZ901',
    payload: {
      degrades: [
        { type: 'MEDICATION', reason: 'CODE', coding: [{ code: '39999999999991103', system: 'http://snomed.info/sct' }] },
        { type: 'RECORD_ENTRY', reason: 'NUMERIC_VALUE', coding: [{ code: '22A..', system: 'urn:oid:2.16.840.1.113883.2.1.6.2' }] },
      ],
    },
  },
  'ehr-integrations': { ...envelope('2026-03-03T08:02:44Z', 'Z81001'), payload: { integration: { outcome: 'INTEGRATED' } } },
  errors: {
    ...envelope('2026-03-02T09:20:00Z', 'Z81001'),
    payload: { error: { errorCode: '30', errorDescription: 'Large message general failure', failurePoint: 'EHR_RESPONSE' } },
  },
};
