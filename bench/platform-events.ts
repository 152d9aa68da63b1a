/** Events as many as asked for, of transfers between the practices of a synthetic England over the months of a year. */
import type { TransferEvent } from '../src/mi/events.ts';
import type { EventPath } from '../src/mi/terms.ts';
import { type SyntheticEngland, syntheticEngland } from '../src/platform/demo/england.ts';
import { nameUuid, type StoredEvent, storedEvent } from '../src/platform/store/events.ts';
import type { OrganisationRow } from '../src/platform/store/organisations.ts';

export const NEWEST = { year: 2026, month: 6 } as const;
const MONTHS = 12;
/** Path, seconds after the request, payload. */
const COURSE: readonly (readonly [EventPath, number, object?])[] = [
  [
    'registrations',
    -60,
    {
      registration: { type: 'NEW_GP_REGISTRATION', returningPatient: false, multifactorAuthenticationPresent: true },
      demographicTraceStatus: { matched: true, multifactorAuthenticationPresent: true },
      gpLinks: { gpLinksComplete: true },
    },
  ],
  ['transfer-compatibility-statuses', -30, { transferCompatibilityStatus: { internalTransfer: false, transferCompatible: true } }],
  ['ehr-requests', 0],
  ['ehr-responses', 240, { ehr: { ehrStructuredSizeBytes: 412_880 } }],
  ['ready-to-integrate-statuses', 300],
  ['ehr-integrations', 90_000, { integration: { outcome: 'INTEGRATED' } }],
];

export const england: SyntheticEngland = syntheticEngland(1);

export function organisations(): OrganisationRow[] {
  return [
    ...england.areas.map(({ code, kind, name, parent }) => ({ code, kind, name, parent: parent?.code ?? null })),
    ...england.practices.map(
      ({ code, name, address, postcode, sicbl }): OrganisationRow => ({
        code,
        kind: 'practice',
        name,
        address,
        postcode,
        parent: sicbl.code,
      }),
    ),
  ];
}

/** Event number `from`, and those behind it up to `until`; each number is the same event whenever it is asked for. */
export function* events(from: number, until: number): Generator<StoredEvent> {
  for (let number = from; number < until; number++) yield storedEvent(eventOf(number));
}

let last = { transfer: -1, conversation: '' };

/** `recent`: all of them happened on the same two days, after the months that are published, as what comes over HTTP did. */
export function eventOf(number: number, recent = false): TransferEvent {
  const [path, after, payload] = COURSE[number % COURSE.length] ?? ['ehr-requests', 0];
  const transfer = Math.floor(number / COURSE.length);
  const practice = (at: number) => england.practices[at % england.practices.length]?.code ?? '';
  // Neighbours lie in all months, as they do in files of many suppliers; their ids say nothing of their order.
  const month = Date.UTC(NEWEST.year, NEWEST.month - MONTHS + (transfer % MONTHS), 1);
  const second = ((transfer * 7919) % 2_000_000) + 60 + after;
  const at = recent ? Date.UTC(NEWEST.year, NEWEST.month, 3) + (second % 172_800) * 1000 : month + second * 1000;
  const [requesting, sending] = [practice(transfer * 31), practice(transfer * 17 + 1)];
  const sender = path === 'ehr-responses';
  if (last.transfer !== transfer) last = { transfer, conversation: nameUuid(`transfer ${transfer}`).toUpperCase() };
  return {
    path,
    body: {
      conversationId: last.conversation,
      registrationEventDateTime: new Date(at).toISOString(),
      reportingSystemSupplier: sender ? 'YGA' : 'YGJ',
      reportingPracticeOdsCode: sender ? sending : requesting,
      requestingPracticeOdsCode: requesting,
      sendingPracticeOdsCode: sending,
      ...(payload && { payload }),
    },
  } as TransferEvent;
}
