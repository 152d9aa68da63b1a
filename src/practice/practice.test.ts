import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ods } from '../base/ids.ts';
import type { NhsNumber } from '../base/nhs-number.ts';
import { holdsOf } from './checks.ts';
import { mayTheyAsk, type SendFacts } from './may-they-ask.ts';
import { type AskFacts, mayWeAsk } from './may-we-ask.ts';

const own = 'B99902' as Ods;
const previous = 'A99901' as Ods;
const trace = { found: true, restricted: false, deceased: false, registeredAt: own, managingOrganisation: null } as const;
const ask: AskFacts = { own, permanent: true, trace, previousPractice: previous, asked: false };

test('a permanent registration at us with a previous practice asks that practice', () => {
  assert.deepEqual(mayWeAsk(ask), { ask: true, previousPractice: previous });
});

test('each condition that stops a request has its reason, in the order of the national table', () => {
  const cases: [Partial<AskFacts>, string][] = [
    [{ permanent: false, trace: { found: false } }, 'NOT_GMS1'],
    [{ asked: true, trace: { found: false } }, 'ALREADY_ASKED'],
    [{ trace: { found: false } }, 'NO_MATCH'],
    [{ trace: { ...trace, restricted: true, deceased: true } }, 'RESTRICTED'],
    [{ trace: { ...trace, deceased: true } }, 'DECEASED'],
    [{ trace: { ...trace, registeredAt: previous } }, 'NOT_REGISTERED_HERE'],
    [{ previousPractice: null }, 'NO_PREVIOUS_GP'],
    [{ previousPractice: own }, 'SAME_PRACTICE'],
  ];
  for (const [over, reason] of cases) assert.deepEqual(mayWeAsk({ ...ask, ...over }), { ask: false, reason });
});

test('the organisation that holds a suspended patient is asked where there is no previous practice', () => {
  assert.deepEqual(mayWeAsk({ ...ask, previousPractice: null, trace: { ...trace, managingOrganisation: previous } }), {
    ask: true,
    previousPractice: previous,
  });
});

const send: SendFacts = {
  enabled: true,
  addressedHere: true,
  requester: previous,
  asidOwner: previous,
  trace: { ...trace, registeredAt: previous },
};

test('a record goes to the practice that PDS and SDS name, and to no other', () => {
  assert.deepEqual(mayTheyAsk(send), { send: true });
  const cases: [Partial<SendFacts>, string][] = [
    [{ addressedHere: false }, '06'],
    [{ enabled: false, asidOwner: null }, '07'],
    [{ asidOwner: null }, '24'],
    [{ asidOwner: own }, '19'],
    [{ trace: 'unavailable' }, '20'],
    [{ trace: { found: false } }, '06'],
    [{ trace: { ...trace, restricted: true, registeredAt: previous } }, '19'],
    [{ trace }, '19'],
  ];
  for (const [over, code] of cases) assert.deepEqual(mayTheyAsk({ ...send, ...over }), { send: false, code });
});

test('another patient’s number, a returning patient and missing attachments hold a record back', () => {
  const summary = { issues: 3, degrades: 1, redactions: 0, missingDocuments: 1 };
  const expected = '9000000009' as NhsNumber;
  assert.deepEqual(holdsOf({ expected, found: expected, returning: false, undelivered: 0, summary }), []);
  assert.deepEqual(holdsOf({ expected, found: '9000000017' as NhsNumber, returning: true, undelivered: 2, summary }), [
    'otherPatient',
    'returningPatient',
    'attachmentsMissing',
  ]);
  assert.deepEqual(holdsOf({ expected, found: null, returning: false, undelivered: 0, summary }), ['otherPatient']);
});
