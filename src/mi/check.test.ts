import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEvent, checkEventText, eventIdSeed } from './check.ts';
import type { TransferEvent } from './events.ts';
import { CLINICAL_TYPES, EVENT_PATHS, type EventPath, FAILURE_POINTS, INTEGRATION_OUTCOMES, PLACEHOLDER_REASONS } from './terms.ts';
import { EXAMPLES } from './testing.ts';

const NOW = Date.parse('2026-03-05T12:00:00Z') / 1000;
const compatible = (path: EventPath, body: unknown) => checkEvent(path, body, 'compatible', NOW);
const strict = (path: EventPath, body: unknown) => checkEvent(path, body, 'strict', NOW);
const errors = (checked: ReturnType<typeof checkEvent>) => ('fault' in checked ? checked.fault.errors : []);
/** The example of a path with one member exchanged, `payload.ehr.ehrStructuredSizeBytes`. */
function changed(path: EventPath, member: string, value: unknown): unknown {
  const body = structuredClone(EXAMPLES[path]) as Record<string, unknown>;
  const names = member.split('.');
  const last = names.pop() ?? '';
  let at = body;
  for (const name of names) at = at[name] as Record<string, unknown>;
  at[last] = value;
  return body;
}

test('each of the nine events is taken as the specification shows it, in both modes', () => {
  for (const path of EVENT_PATHS) {
    assert.deepEqual(errors(compatible(path, EXAMPLES[path])), [], path);
    assert.deepEqual(errors(strict(path, EXAMPLES[path])), [], path);
  }
});

test('an empty body breaks six rules of a registration, and says nothing of the sending practice', () => {
  const checked = compatible('registrations', {});
  assert.deepEqual(checked, {
    fault: {
      status: 'BAD_REQUEST',
      message: 'Failed to validate fields',
      errors: [
        'conversationId: must not be empty',
        'registrationEventDateTime: must not be empty',
        'reportingSystemSupplier: must not be empty',
        'reportingPracticeOdsCode: must not be empty',
        'requestingPracticeOdsCode: must not be empty',
        'payload: must not be null',
      ],
    },
  });
});

test('what is no JSON is told apart from a value that is cut short', () => {
  const answer = (text: string) => checkEventText('registrations', text, 'compatible', NOW);
  assert.deepEqual(answer('{'), { fault: { status: 'BAD_REQUEST', message: 'Invalid JSON', errors: ['Unable to parse JSON'] } });
  const cut = answer('{"conversationId":"A","registrationEventDateTime":"2026-0');
  assert.deepEqual(cut, {
    fault: {
      status: 'BAD_REQUEST',
      message: 'Invalid JSON',
      errors: ['registrationEventDateTime: the value is cut short or no JSON'],
    },
  });
});

test('each member of the envelope is needed, the sending practice where the national service insists', () => {
  const members = [
    'conversationId',
    'registrationEventDateTime',
    'reportingSystemSupplier',
    'reportingPracticeOdsCode',
    'requestingPracticeOdsCode',
  ];
  for (const path of EVENT_PATHS.filter((each) => each !== 'ehr-degrades')) {
    for (const member of members) {
      for (const value of [null, undefined, ''])
        assert.deepEqual(errors(compatible(path, changed(path, member, value))), [`${member}: must not be empty`], `${path} ${value}`);
    }
    const enforced = ['transfer-compatibility-statuses', 'ehr-responses', 'document-responses', 'ehr-integrations'].includes(path);
    for (const value of [null, undefined, '', '  ']) {
      const found = errors(compatible(path, changed(path, 'sendingPracticeOdsCode', value)));
      assert.deepEqual(found, enforced ? ['sendingPracticeOdsCode: must not be empty'] : [], `${path} ${JSON.stringify(value)}`);
    }
  }
});

test('an unknown value of a closed list is answered as a missing one, with the values there are', () => {
  assert.deepEqual(errors(compatible('registrations', changed('registrations', 'payload.registration.type', 'BABY_CARD'))), [
    'payload.registration.type: Must be either NEW_GP_REGISTRATION or CHANGE_PATIENT_TYPE',
  ]);
  assert.deepEqual(errors(compatible('ehr-integrations', changed('ehr-integrations', 'payload.integration.outcome', null))), [
    `payload.integration.outcome: Must be one of the following: ${INTEGRATION_OUTCOMES.join(', ')}`,
  ]);
});

test('every value of a closed list is taken', () => {
  for (const outcome of INTEGRATION_OUTCOMES)
    assert.deepEqual(errors(compatible('ehr-integrations', changed('ehr-integrations', 'payload.integration.outcome', outcome))), []);
  for (const point of FAILURE_POINTS)
    assert.deepEqual(errors(compatible('errors', changed('errors', 'payload.error.failurePoint', point))), []);
  for (const type of CLINICAL_TYPES)
    assert.deepEqual(errors(compatible('document-responses', changed('document-responses', 'payload.attachment.clinicalType', type))), []);
  for (const reason of PLACEHOLDER_REASONS)
    assert.deepEqual(errors(compatible('ehr-responses', changed('ehr-responses', 'payload.ehr.placeholders.0.reason', reason))), []);
});

test('what is missing inside a payload is named by its path', () => {
  const cases: readonly [EventPath, string, unknown, string][] = [
    ['registrations', 'payload.gpLinks', null, 'payload.gpLinks: must not be null'],
    ['registrations', 'payload.registration.returningPatient', null, 'payload.registration.returningPatient: must not be null'],
    ['registrations', 'payload.demographicTraceStatus.matched', undefined, 'payload.demographicTraceStatus.matched: must not be null'],
    [
      'transfer-compatibility-statuses',
      'payload.transferCompatibilityStatus',
      null,
      'payload.transferCompatibilityStatus: must not be null',
    ],
    ['ehr-responses', 'payload.ehr.ehrStructuredSizeBytes', null, 'payload.ehr.ehrStructuredSizeBytes: must not be null'],
    ['ehr-responses', 'payload.ehr.ehrStructuredSizeBytes', -1, 'payload.ehr.ehrStructuredSizeBytes: must be greater than or equal to 0'],
    ['ehr-responses', 'payload.ehr.placeholders.0.originalMimeType', '', 'payload.ehr.placeholders.0.originalMimeType: must not be empty'],
    ['document-responses', 'payload.attachment', null, 'payload.attachment: must not be null'],
    ['document-responses', 'payload.documentMigration', null, 'payload.documentMigration: must not be null'],
    ['document-responses', 'payload.attachment.mimeType', '', 'payload.attachment.mimeType: must not be empty'],
    ['document-responses', 'payload.attachment.sizeBytes', -1, 'payload.attachment.sizeBytes: must be greater than or equal to 0'],
    ['ehr-degrades', 'payload.degrades', null, 'payload.degrades: must not be null'],
    ['ehr-degrades', 'payload.degrades.0.coding', null, 'payload.degrades.0.coding: must not be null'],
    ['ehr-degrades', 'payload.degrades.0.coding', [], 'payload.degrades.0.coding: must not be empty'],
    ['ehr-degrades', 'payload.degrades.0.coding.0.code', '', 'payload.degrades.0.coding.0.code: must not be empty'],
    ['ehr-degrades', 'payload.degrades.0.coding.0.system', null, 'payload.degrades.0.coding.0.system: must not be empty'],
    ['errors', 'payload.error.errorCode', '', 'payload.error.errorCode: must not be empty'],
    ['errors', 'payload.error.errorDescription', null, 'payload.error.errorDescription: must not be empty'],
  ];
  for (const [path, member, value, expected] of cases)
    assert.deepEqual(errors(compatible(path, changed(path, member, value))), [expected], `${path} ${member}`);
});

test('empty lists of placeholders and of degrades are taken', () => {
  for (const value of [[], null, undefined])
    assert.deepEqual(errors(compatible('ehr-responses', changed('ehr-responses', 'payload.ehr.placeholders', value))), []);
  assert.deepEqual(errors(compatible('ehr-degrades', changed('ehr-degrades', 'payload.degrades', []))), []);
});

test('wrong types, unknown members and what is no date are refused with the field and its path', () => {
  const refused = (path: EventPath, member: string, value: unknown) => {
    const checked = compatible(path, changed(path, member, value));
    assert.ok('fault' in checked && checked.fault.message === 'Invalid request field', member);
    return checked.fault.errors;
  };
  assert.deepEqual(refused('ehr-requests', 'payload', {}), ['payload: payload is not a member of this event']);
  assert.deepEqual(refused('ehr-degrades', 'conversationId', 'A'), ['conversationId: conversationId is not a member of this event']);
  assert.deepEqual(refused('ehr-responses', 'payload.ehr.total', 1), ['payload: payload.ehr.total is not a member of this event']);
  assert.deepEqual(refused('registrations', 'payload.registration.returningPatient', 'yes'), [
    'payload: payload.registration.returningPatient must be true or false',
  ]);
  assert.deepEqual(refused('document-responses', 'payload.attachment.sizeBytes', 1.5), [
    'payload: payload.attachment.sizeBytes must be a whole number',
  ]);
  assert.deepEqual(refused('document-responses', 'payload.attachment.sizeBytes', 2 ** 60), [
    'payload: payload.attachment.sizeBytes must be a whole number below 2^53',
  ]);
  for (const date of ['yesterday', '2026-02-30T00:00:00Z', '2026-01-01', '2026-01-01T25:00:00Z'])
    assert.deepEqual(refused('errors', 'registrationEventDateTime', date), [
      'registrationEventDateTime: registrationEventDateTime must be a date and time, 2026-02-08T08:30:27Z',
    ]);
  assert.match(refused('errors', 'payload.error.errorDescription', 'a\0b')[0] ?? '', /U\+0000/);
  assert.match(refused('errors', 'conversationId', '\ud800')[0] ?? '', /surrogate/);
});

test('a body that is no object is refused', () => {
  for (const body of [null, [], 'text', 7]) assert.equal(errors(compatible('errors', body)).length, 1);
});

test('strict asks for what the specification says and the national service does not check', () => {
  const cases: readonly [EventPath, string, unknown, RegExp][] = [
    ['ehr-requests', 'sendingPracticeOdsCode', null, /^sendingPracticeOdsCode: must not be empty$/],
    ['ready-to-integrate-statuses', 'sendingPracticeOdsCode', '', /^sendingPracticeOdsCode: must not be empty$/],
    ['registrations', 'payload.demographicTraceStatus.matched', false, /^payload.demographicTraceStatus.reason: must not be empty$/],
    [
      'transfer-compatibility-statuses',
      'payload.transferCompatibilityStatus.transferCompatible',
      false,
      /^payload.transferCompatibilityStatus.reason: must not be empty$/,
    ],
    ['document-responses', 'payload.documentMigration.reason', null, /^payload.documentMigration.reason: must not be empty$/],
    ['errors', 'payload.error.failurePoint', 'OTHER', /^payload.error.otherFailurePoint: must not be empty$/],
    ['errors', 'payload.error.errorCode', 'no code', /^payload.error.errorCode: must be 1 to 50/],
    ['errors', 'conversationId', 'not-a-uuid', /^conversationId: must be a UUID/],
    ['errors', 'conversationId', '7c0e2b8a-51d4-4e7f-9b61-0a4d6c1e9f20', /^conversationId: must be a UUID in upper case$/],
    ['errors', 'registrationEventDateTime', '2026-03-02T09:00:00', /must be UTC and end in Z$/],
    ['errors', 'registrationEventDateTime', '2026-03-02T09:00:00+00:00', /must be UTC and end in Z$/],
    ['errors', 'registrationEventDateTime', '2026-03-05T12:06:00Z', /must not lie in the future$/],
    ['registrations', 'sendingPracticeOdsCode', 'b82002', /^sendingPracticeOdsCode: must be an ODS code/],
    ['registrations', 'reportingPracticeOdsCode', 'Z82002', /must be the requesting practice/],
    ['ehr-responses', 'reportingPracticeOdsCode', 'Z81001', /must be the sending practice/],
    ['errors', 'reportingPracticeOdsCode', 'Z83003', /must be the requesting or sending practice/],
  ];
  for (const [path, member, value, expected] of cases) {
    const body = changed(path, member, value);
    assert.deepEqual(errors(compatible(path, body)), [], `${path} ${member}: compatible`);
    const found = errors(strict(path, body));
    assert.equal(found.length, 1, `${path} ${member}: ${found}`);
    assert.match(found[0] ?? '', expected);
  }
});

test('an event id is made of conversation, type and the zone-less time, seconds left out where they are nought', () => {
  const seed = (time: string) => {
    const body = { ...EXAMPLES['ehr-requests'], conversationId: 'C-', registrationEventDateTime: time };
    return eventIdSeed({ path: 'ehr-requests', body } satisfies TransferEvent);
  };
  assert.equal(seed('2020-01-01T22:22:22Z'), 'C-EHR_REQUESTS2020-01-01T22:22:22');
  assert.equal(seed('2020-01-01T22:22:22'), 'C-EHR_REQUESTS2020-01-01T22:22:22');
  assert.equal(seed('2020-01-01T22:22:00Z'), 'C-EHR_REQUESTS2020-01-01T22:22');
  assert.equal(seed('2020-01-01T22:22:22.2Z'), 'C-EHR_REQUESTS2020-01-01T22:22:22.200');
  assert.equal(seed('2020-01-01T22:22:22.000204Z'), 'C-EHR_REQUESTS2020-01-01T22:22:22.000204');
  assert.equal(seed('2020-01-01T23:22:22+01:00'), 'C-EHR_REQUESTS2020-01-01T22:22:22');
});
