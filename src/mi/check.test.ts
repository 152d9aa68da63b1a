import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEvent, checkEventText, eventIdSeed } from './check.ts';
import type { TransferEvent } from './events.ts';
import {
  CLINICAL_TYPES,
  DEGRADE_REASONS,
  DEGRADE_TYPES,
  EVENT_PATHS,
  type EventPath,
  FAILURE_POINTS,
  INTEGRATION_OUTCOMES,
  PLACEHOLDER_ORIGINS,
  PLACEHOLDER_REASONS,
  REGISTRATION_TYPES,
} from './terms.ts';
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
        'registrationEventDateTime: must not be null',
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

test('a body that is cut short anywhere is refused, and names the member in whose value it ends', () => {
  for (const path of EVENT_PATHS) {
    const text = JSON.stringify(EXAMPLES[path]);
    const members = Object.entries(EXAMPLES[path]).map(([name, value]) => {
      const begins = text.indexOf(`"${name}":`) + name.length + 3;
      return { name, begins, ends: begins + JSON.stringify(value).length };
    });
    for (let length = 0; length < text.length; length++) {
      const checked = checkEventText(path, text.slice(0, length), 'compatible', NOW);
      assert.ok('fault' in checked && checked.fault.message === 'Invalid JSON');
      const within = members.find(({ begins, ends }) => length >= begins && length <= ends);
      const expected = within ? `${within.name}: the value is cut short or no JSON` : 'Unable to parse JSON';
      assert.deepEqual(checked.fault.errors, [expected], text.slice(0, length));
    }
  }
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
        assert.deepEqual(
          errors(compatible(path, changed(path, member, value))),
          [`${member}: must not be ${member === 'registrationEventDateTime' ? 'null' : 'empty'}`],
          `${path} ${value}`,
        );
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

/** Each of the values, in the place of the member, is answered by this line alone. */
type Member = readonly [member: string, values: readonly unknown[], answer: string];
const NOT_NULL = [null, undefined];
const NOT_EMPTY = [null, undefined, ''];
const oneOf = (values: readonly string[]) => `Must be one of the following: ${values.join(', ')}`;

const MEMBERS: Readonly<Record<Exclude<EventPath, 'ehr-requests' | 'ready-to-integrate-statuses'>, readonly Member[]>> = {
  registrations: [
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.registration', NOT_NULL, 'must not be null'],
    ['payload.registration.type', NOT_NULL, 'Must be either NEW_GP_REGISTRATION or CHANGE_PATIENT_TYPE'],
    ['payload.registration.returningPatient', NOT_NULL, 'must not be null'],
    ['payload.registration.multifactorAuthenticationPresent', NOT_NULL, 'must not be null'],
    ['payload.demographicTraceStatus', NOT_NULL, 'must not be null'],
    ['payload.demographicTraceStatus.matched', NOT_NULL, 'must not be null'],
    ['payload.demographicTraceStatus.multifactorAuthenticationPresent', NOT_NULL, 'must not be null'],
    ['payload.gpLinks', NOT_NULL, 'must not be null'],
    ['payload.gpLinks.gpLinksComplete', NOT_NULL, 'must not be null'],
  ],
  'transfer-compatibility-statuses': [
    ['requestingPracticeOdsCode', NOT_EMPTY, 'must not be empty'],
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.transferCompatibilityStatus', NOT_NULL, 'must not be null'],
    ['payload.transferCompatibilityStatus.internalTransfer', NOT_NULL, 'must not be null'],
    ['payload.transferCompatibilityStatus.transferCompatible', NOT_NULL, 'must not be null'],
  ],
  'ehr-responses': [
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.ehr', NOT_NULL, 'must not be null'],
    ['payload.ehr.ehrStructuredSizeBytes', NOT_NULL, 'must not be null'],
    ['payload.ehr.ehrStructuredSizeBytes', [-1], 'must be greater than or equal to 0'],
    ['payload.ehr.placeholders.0.generatedBy', [...NOT_NULL, 'SOMEBODY'], 'Must be either SENDER or PRE_EXISTING'],
    ['payload.ehr.placeholders.0.clinicalType', [...NOT_NULL, 'LETTER'], oneOf(CLINICAL_TYPES)],
    ['payload.ehr.placeholders.0.reason', [...NOT_NULL, 'LOST'], oneOf(PLACEHOLDER_REASONS)],
    ['payload.ehr.placeholders.0.originalMimeType', NOT_EMPTY, 'must not be empty'],
  ],
  'document-responses': [
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.attachment', NOT_NULL, 'must not be null'],
    ['payload.attachment.clinicalType', [...NOT_NULL, 'LETTER'], oneOf(CLINICAL_TYPES)],
    ['payload.attachment.mimeType', NOT_EMPTY, 'must not be empty'],
    ['payload.attachment.sizeBytes', NOT_NULL, 'must not be null'],
    ['payload.attachment.sizeBytes', [-1], 'must be greater than or equal to 0'],
    ['payload.documentMigration', NOT_NULL, 'must not be null'],
    ['payload.documentMigration.successful', NOT_NULL, 'must not be null'],
  ],
  'ehr-degrades': [
    ['reportingSystemSupplier', NOT_EMPTY, 'must not be empty'],
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.degrades', NOT_NULL, 'must not be null'],
    ['payload.degrades.0.type', [...NOT_NULL, 'CONSULTATION'], oneOf(DEGRADE_TYPES)],
    ['payload.degrades.0.reason', [...NOT_NULL, 'TEXT'], oneOf(DEGRADE_REASONS)],
    ['payload.degrades.0.coding', [...NOT_NULL, []], 'must not be empty'],
    ['payload.degrades.0.coding.0.code', NOT_EMPTY, 'must not be empty'],
    ['payload.degrades.0.coding.0.system', NOT_EMPTY, 'must not be empty'],
  ],
  'ehr-integrations': [
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.integration', NOT_NULL, 'must not be null'],
    ['payload.integration.outcome', [...NOT_NULL, 'LOST'], oneOf(INTEGRATION_OUTCOMES)],
  ],
  errors: [
    ['payload', NOT_NULL, 'must not be null'],
    ['payload.error', NOT_NULL, 'must not be null'],
    ['payload.error.errorCode', NOT_EMPTY, 'must not be empty'],
    ['payload.error.errorDescription', NOT_EMPTY, 'must not be empty'],
    ['payload.error.failurePoint', [...NOT_NULL, 'SOMEWHERE'], oneOf(FAILURE_POINTS)],
  ],
};
for (const [path, members] of Object.entries(MEMBERS) as [keyof typeof MEMBERS, readonly Member[]][])
  test(`what is missing in the payload of ${path} is named by its path, with what it must be`, () => {
    for (const [member, values, answer] of members)
      for (const value of values)
        assert.deepEqual(errors(compatible(path, changed(path, member, value))), [`${member}: ${answer}`], `${member} ${value}`);
  });

test('a placeholder that is wrong among others is named by its place in the list', () => {
  const [placeholder] = EXAMPLES['ehr-responses'].payload.ehr.placeholders ?? [];
  const placeholders = [placeholder, { ...placeholder, reason: null }, placeholder, { ...placeholder, originalMimeType: '' }];
  assert.deepEqual(errors(compatible('ehr-responses', changed('ehr-responses', 'payload.ehr.placeholders', placeholders))), [
    `payload.ehr.placeholders.1.reason: ${oneOf(PLACEHOLDER_REASONS)}`,
    'payload.ehr.placeholders.3.originalMimeType: must not be empty',
  ]);
});

const CLOSED_LISTS: readonly (readonly [EventPath, string, readonly string[]])[] = [
  ['registrations', 'payload.registration.type', REGISTRATION_TYPES],
  ['ehr-responses', 'payload.ehr.placeholders.0.generatedBy', PLACEHOLDER_ORIGINS],
  ['ehr-responses', 'payload.ehr.placeholders.0.clinicalType', CLINICAL_TYPES],
  ['ehr-responses', 'payload.ehr.placeholders.0.reason', PLACEHOLDER_REASONS],
  ['document-responses', 'payload.attachment.clinicalType', CLINICAL_TYPES],
  ['ehr-degrades', 'payload.degrades.0.type', DEGRADE_TYPES],
  ['ehr-degrades', 'payload.degrades.0.reason', DEGRADE_REASONS],
  ['ehr-integrations', 'payload.integration.outcome', INTEGRATION_OUTCOMES],
  ['errors', 'payload.error.failurePoint', FAILURE_POINTS],
];
test('every value of a closed list is taken', () => {
  for (const [path, member, values] of CLOSED_LISTS)
    for (const value of values) assert.deepEqual(errors(compatible(path, changed(path, member, value))), [], `${member} ${value}`);
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
