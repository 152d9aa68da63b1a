import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { INTEGRATION_OUTCOMES } from '../../mi/terms.ts';
import { foldWritten, REQUESTING, SENDING, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { loadEvents } from './bulk.ts';
import { ensureMonths, type StoredEvent } from './events.ts';
import { foldAll, foldNew } from './fold.ts';
import { writeOrganisations } from './organisations.ts';

let platform: TestPlatform;
before(async () => {
  platform = await testPlatform();
});
after(() => platform.close());
beforeEach(async () => {
  await sql`truncate platform.events, platform.transfers, platform.months, platform.pathway_months, platform.received,
    platform.spine_transfers`.execute(platform.db);
});

const rows = async (table: string) =>
  (await sql<Record<string, unknown>>`select * from platform.${sql.raw(table)} as t order by t::text`.execute(platform.db)).rows;
const transfer = async (...events: readonly StoredEvent[]) => {
  await sql`truncate platform.events, platform.transfers, platform.months, platform.received`.execute(platform.db);
  await write(platform.db, events);
  await foldWritten(platform.db);
  const all = await rows('transfers');
  assert.equal(all.length, 1);
  return all[0] ?? {};
};

const registered = stored('registrations', '2026-03-02T09:14:05Z');
const compatible = stored('transfer-compatibility-statuses', '2026-03-02T09:14:07Z');
const requested = stored('ehr-requests', '2026-03-02T09:14:09Z');
const responded = stored('ehr-responses', '2026-03-02T09:15:31.204Z');
const document = (at: string, successful = true) =>
  stored('document-responses', at, {
    payload: {
      attachment: { clinicalType: 'IMAGE', mimeType: 'image/png', sizeBytes: 10 },
      documentMigration: { successful, ...(!successful && { reason: '31' }) },
    },
  });
const ready = stored('ready-to-integrate-statuses', '2026-03-02T09:20:00Z');
const integrated = (at: string, outcome = 'INTEGRATED') => stored('ehr-integrations', at, { payload: { integration: { outcome } } });
const error = (at: string, failurePoint = 'EHR_RESPONSE') =>
  stored('errors', at, { payload: { error: { errorCode: '30', errorDescription: 'x', failurePoint } } });
const whole = [
  registered,
  compatible,
  requested,
  responded,
  document('2026-03-02T09:17:02.611Z'),
  document('2026-03-02T09:17:02.612Z', false),
  ready,
  integrated('2026-03-03T08:02:44Z'),
];

test('one row says what became of a transfer', async () => {
  const row = await transfer(...whole);
  assert.deepEqual(
    Object.fromEntries(
      ['requesting', 'sending', 'requesting_supplier', 'sending_supplier', 'documents', 'documents_failed', 'document_bytes'].map(
        (name) => [name, row[name]],
      ),
    ),
    {
      requesting: REQUESTING,
      sending: SENDING,
      requesting_supplier: 'EMIS',
      sending_supplier: 'SystmOne',
      documents: 2,
      documents_failed: 1,
      document_bytes: 20,
    },
  );
  assert.deepEqual(
    [row['registration_status'], row['result'], row['status'], row['category'], row['sla_seconds'], row['structured_bytes']],
    ['INTEGRATION', 'Successful integration', 'Integrated on time', 'within3', 82_033, 412_880],
  );
});

test('the order of events, doubles and the number of folds change nothing', async () => {
  await write(platform.db, whole);
  await foldWritten(platform.db);
  const expected = [await rows('transfers'), await rows('months')];
  for (let seed = 1; seed <= 6; seed++) {
    await sql`truncate platform.events, platform.transfers, platform.months, platform.received`.execute(platform.db);
    const shuffled = whole.map((event, at) => ({ event, key: (at * 7 + seed * 5) % 11 })).sort((a, b) => a.key - b.key);
    for (const { event } of shuffled) {
      await write(platform.db, [event, event]);
      if (seed % 2 === 0) await foldNew(platform.db);
    }
    await write(platform.db, whole);
    await foldWritten(platform.db);
    await foldWritten(platform.db);
    assert.deepEqual([await rows('transfers'), await rows('months')], expected, `order ${seed}`);
  }
});

test('a late event makes its transfer and both of its months anew', async () => {
  await write(platform.db, [requested, ready]);
  await foldWritten(platform.db);
  const month = async () =>
    (
      await sql<Record<string, unknown>>`select month::text as month, within3, not_integrated, open, documents from platform.months
        where level = 'practice' and role = 'requesting' and calendar = 'UTC' and code = ${REQUESTING} order by month`.execute(platform.db)
    ).rows;
  assert.deepEqual(await month(), [{ month: '2026-03-01', within3: 0, not_integrated: 1, open: 1, documents: 0 }]);
  await write(platform.db, [integrated('2026-03-02T10:00:00Z')]);
  // What came late says that the request was of the month before.
  await write(platform.db, [stored('ehr-requests', '2026-02-28T23:59:59Z')]);
  await foldWritten(platform.db);
  assert.deepEqual(await month(), [{ month: '2026-02-01', within3: 1, not_integrated: 0, open: 0, documents: 0 }]);
  await sameAsAtOnce('late events');
});

/** What many folds have made of the events is what one fold makes of all of them. */
const sameAsAtOnce = async (name: string) => {
  const tables = ['transfers', 'months', 'pathway_months', 'received'];
  const grown = await Promise.all(tables.map(rows));
  await sql`truncate platform.transfers, platform.months, platform.pathway_months, platform.received`.execute(platform.db);
  await sql`update platform.progress set batch = 0 where name = 'fold'`.execute(platform.db);
  await foldWritten(platform.db);
  const atOnce = await Promise.all(tables.map(rows));
  for (const [at, table] of tables.entries()) assert.deepEqual(grown[at], atOnce[at], `${table}: ${name}`);
};

test('counts that grew fold by fold, with corrections and moves, are those of all events at once', async () => {
  await writeOrganisations(platform.db, [
    { code: 'Y1', kind: 'region', name: 'NORTH', parent: null },
    { code: 'QAA', kind: 'icb', name: 'ONE', parent: 'Y1' },
    { code: '01A', kind: 'sicbl', name: 'ONE - 01A', parent: 'QAA' },
    { code: '01B', kind: 'sicbl', name: 'ONE - 01B', parent: 'QAA' },
    { code: 'Z1', kind: 'practice', name: 'RED', parent: '01A' },
    { code: 'Z2', kind: 'practice', name: 'BLUE', parent: '01B' },
  ]);
  let seed = 7;
  const below = (count: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * count);
  };
  const pick = <Each>(...of: readonly Each[]) => of[below(of.length)] as Each;
  for (let round = 0; round < 25; round++) {
    const events = Array.from({ length: 12 }, () => {
      // Months, practices and outcomes of one conversation change with nearly every event.
      const at = new Date(Date.UTC(2026, below(4), 1 + below(28), below(24), below(60), below(60))).toISOString();
      const over = {
        conversationId: `C${below(9)}`,
        requestingPracticeOdsCode: pick('Z1', 'Z2', 'NOBODY'),
        sendingPracticeOdsCode: pick('Z1', 'Z2', undefined),
        reportingPracticeOdsCode: pick('Z1', 'Z2'),
      };
      return pick(
        () => stored('registrations', at, over),
        () => stored('ehr-requests', at, over),
        () => stored('ehr-responses', at, { ...over, sendingPracticeOdsCode: 'Z2' }),
        () => stored('ready-to-integrate-statuses', at, over),
        () =>
          stored('ehr-integrations', at, {
            ...over,
            sendingPracticeOdsCode: 'Z1',
            payload: { integration: { outcome: pick('INTEGRATED', 'REJECTED', 'FILED_AS_ATTACHMENT', 'INTERNAL_TRANSFER') } },
          }),
        () => stored('errors', at, { ...over, payload: { error: { errorCode: '30', errorDescription: 'x', failurePoint: 'OTHER' } } }),
      )();
    });
    await write(platform.db, events);
    await foldWritten(platform.db);
    // A practice that comes to lie elsewhere takes its months along.
    if (round === 12) await writeOrganisations(platform.db, [{ code: 'Z1', kind: 'practice', name: 'RED', parent: '01B' }]);
  }
  const { rows: negative } = await sql`select from platform.months where least(within3, technical, requested, open, failed) < 0`.execute(
    platform.db,
  );
  assert.equal(negative.length, 0);
  await sameAsAtOnce('random events');
});

test('registration status: each of the eight, by what is there', async () => {
  const cases: readonly [string, string, readonly StoredEvent[]][] = [
    ['INTEGRATION', 'Successful integration', [integrated('2026-03-03T08:02:44Z'), ready, registered]],
    ['READY_TO_INTEGRATE', 'Awaiting integration', [ready, responded]],
    ['EHR_SENT', 'In progress', [responded, requested]],
    ['EHR_REQUESTED', 'In progress', [requested, compatible]],
    ['ELIGIBLE_FOR_TRANSFER', 'In progress', [compatible, registered]],
    ['NOT_ELIGIBLE_FOR_ELECTRONIC_TRANSFER', 'Not eligible for electronic transfer', [incompatible('2026-03-02T09:14:08Z'), compatible]],
    ['REGISTRATION', 'Unknown', [registered]],
    ['UNKNOWN', 'Unknown', [document('2026-03-02T09:17:02.611Z')]],
  ];
  for (const [status, result, events] of cases) {
    const row = await transfer(...events);
    assert.deepEqual([row['registration_status'], row['result']], [status, result]);
  }
});

const incompatible = (at: string) =>
  stored('transfer-compatibility-statuses', at, {
    payload: { transferCompatibilityStatus: { internalTransfer: false, transferCompatible: false, reason: 'other nation' } },
  });

test('of several compatibility statuses the latest wins, in whatever order they come', async () => {
  const later = stored('transfer-compatibility-statuses', '2026-03-02T09:15:00Z');
  assert.equal((await transfer(later, incompatible('2026-03-02T09:14:08Z')))['compatible'], true);
  assert.equal((await transfer(incompatible('2026-03-02T09:16:08Z'), later))['compatible'], false);
});

test('outcomes: successes, rejection, failure, errors on the way', async () => {
  const result = async (...events: readonly StoredEvent[]) => {
    const row = await transfer(requested, responded, ...events);
    return [row['result'], row['category']];
  };
  const at = '2026-03-03T08:00:00Z';
  for (const outcome of ['INTEGRATED', 'INTEGRATED_AND_SUPPRESSED', 'SUPPRESSED_AND_REACTIVATED'])
    assert.deepEqual(await result(integrated(at, outcome)), ['Successful integration', 'within3']);
  // A success in the events, a failure by the national definitions (code 26).
  assert.deepEqual(await result(integrated(at, 'FILED_AS_ATTACHMENT')), ['Successful integration', 'technical']);
  assert.deepEqual(await result(integrated(at, 'REJECTED')), ['Rejected', 'technical']);
  assert.deepEqual(await result(integrated(at, 'FAILED_TO_INTEGRATE')), ['Technical failure', 'technical']);
  assert.deepEqual(await result(error(at)), ['Technical failure', 'technical']);
  assert.deepEqual(await result(), ['In progress', 'notIntegrated']);
  assert.deepEqual(await result(ready), ['Awaiting integration', 'notIntegrated']);
  assert.deepEqual(await result(integrated(at, 'FAILED_TO_INTEGRATE'), integrated('2026-03-03T07:00:00Z')), [
    'Successful integration',
    'within3',
  ]);
});

/** The national tables, line by line. */
function nationally({
  registered,
  compatible,
  requested,
  responded,
  ready,
  outcome,
  failed,
}: Set): readonly [status: string, result: string] {
  if (outcome)
    return [
      'INTEGRATION',
      outcome === 'REJECTED' ? 'Rejected' : outcome === 'FAILED_TO_INTEGRATE' ? 'Technical failure' : 'Successful integration',
    ];
  if (ready) return ['READY_TO_INTEGRATE', 'Awaiting integration'];
  const onItsWay = failed ? 'Technical failure' : 'In progress';
  if (responded) return ['EHR_SENT', onItsWay];
  if (requested) return ['EHR_REQUESTED', onItsWay];
  if (compatible === true) return ['ELIGIBLE_FOR_TRANSFER', onItsWay];
  const notEligible = 'Not eligible for electronic transfer';
  if (compatible === false) return ['NOT_ELIGIBLE_FOR_ELECTRONIC_TRANSFER', notEligible];
  if (registered) return ['REGISTRATION', registered === 'not traced' || failed ? notEligible : 'Unknown'];
  return ['UNKNOWN', failed ? notEligible : 'Unknown'];
}
type Set = {
  readonly registered: 'traced' | 'not traced' | null;
  readonly compatible: boolean | null;
  readonly requested: boolean;
  readonly responded: boolean;
  readonly ready: boolean;
  readonly outcome: string | null;
  readonly failed: boolean;
};

test('any set of events has the status and the outcome of the first line of the national tables that holds', async () => {
  const sets: Set[] = [];
  for (const registered of ['traced', 'not traced', null] as const)
    for (const compatible of [true, false, null])
      for (const outcome of [...INTEGRATION_OUTCOMES, null])
        for (let bits = 0; bits < 16; bits++) {
          const [requested = false, responded = false, ready = false, failed = false] = [1, 2, 4, 8].map((bit) => (bits & bit) > 0);
          sets.push({ registered, compatible, requested, responded, ready, outcome, failed });
        }
  // The last has no event at all.
  sets.splice(
    sets.findIndex(
      ({ registered, compatible, requested, responded, ready, outcome, failed }) =>
        !(registered || compatible !== null || requested || responded || ready || outcome || failed),
    ),
    1,
  );
  const events = sets.flatMap((set, number) => {
    const of = (path: Parameters<typeof stored>[0], at: string, payload?: object) =>
      stored(path, `2026-03-02T09:${at}Z`, { conversationId: `S${number}`, ...(payload && { payload }) });
    const trace = { matched: set.registered === 'traced', multifactorAuthenticationPresent: true };
    return [
      set.registered &&
        of('registrations', '00:00', {
          registration: { type: 'NEW_GP_REGISTRATION', returningPatient: false, multifactorAuthenticationPresent: true },
          demographicTraceStatus: trace,
          gpLinks: { gpLinksComplete: true },
        }),
      set.compatible !== null &&
        of('transfer-compatibility-statuses', '01:00', {
          transferCompatibilityStatus: { internalTransfer: false, transferCompatible: set.compatible },
        }),
      set.requested && of('ehr-requests', '02:00'),
      set.responded && of('ehr-responses', '03:00'),
      set.ready && of('ready-to-integrate-statuses', '04:00'),
      set.outcome && of('ehr-integrations', '05:00', { integration: { outcome: set.outcome } }),
      set.failed && of('errors', '06:00'),
    ].filter((event) => typeof event === 'object' && event !== null);
  });
  await write(platform.db, events);
  await foldWritten(platform.db);
  const found = new Map((await rows('transfers')).map((row) => [row['conversation'], [row['registration_status'], row['result']]]));
  assert.equal(found.size, 1151);
  for (const [number, set] of sets.entries()) assert.deepEqual(found.get(`S${number}`), nationally(set), JSON.stringify(set));
});

test('three and eight days run from the response, the edge included; after fourteen from the request nothing counts', async () => {
  const category = async (at: string) =>
    (await transfer(requested, stored('ehr-responses', '2026-03-02T09:15:00Z'), integrated(at)))['category'];
  assert.equal(await category('2026-03-05T09:15:00Z'), 'within3');
  assert.equal(await category('2026-03-05T09:15:01Z'), 'within8');
  assert.equal(await category('2026-03-10T09:15:00Z'), 'within8');
  assert.equal(await category('2026-03-10T09:15:01Z'), 'late');
  assert.equal(await category('2026-03-16T09:14:09Z'), 'late');
  assert.equal(await category('2026-03-16T09:14:10Z'), 'notIntegrated');
});

test('half a second goes to the even one, as in the durations of the Spine’s log', async () => {
  const of = async (at: string) => {
    const row = await transfer(requested, stored('ehr-responses', '2026-03-02T09:15:00Z'), integrated(at));
    return [row['sla_seconds'], row['category']];
  };
  assert.deepEqual(await of('2026-03-05T09:15:00.500Z'), [259_200, 'within3']);
  assert.deepEqual(await of('2026-03-05T09:15:01.500Z'), [259_202, 'within8']);
  assert.deepEqual(await of('2026-03-02T09:15:00.500Z'), [0, 'within3']);
  assert.deepEqual(await of('2026-03-02T09:14:59Z'), [0, 'within3']);
});

test('suppliers have the names of the Spine’s log: by their codes, a number for the one that sends it, and others as they say', async () => {
  const names: Readonly<Record<string, string>> = {
    YGJ: 'EMIS',
    '918999198738': 'EMIS',
    'EMIS Web': 'EMIS',
    YGA: 'SystmOne',
    TPP: 'SystmOne',
    YGC: 'Vision',
    INPS: 'Vision',
    YGMYW: 'Medicus',
    ZZ901: 'ZZ901',
    YGJ2: 'YGJ2',
  };
  const found: Record<string, unknown> = {};
  for (const supplier of Object.keys(names)) {
    const reportingSystemSupplier = supplier;
    const row = await transfer(
      stored('ehr-requests', '2026-03-02T09:14:09Z', { reportingSystemSupplier }),
      stored('ehr-responses', '2026-03-02T09:15:00Z', { reportingSystemSupplier }),
    );
    assert.equal(row['sending_supplier'], row['requesting_supplier'], supplier);
    found[supplier] = row['requesting_supplier'];
  }
  assert.deepEqual(found, names);
});

test('a move inside one system is a success and no transfer', async () => {
  const internal = stored('transfer-compatibility-statuses', '2026-03-02T09:14:08Z', {
    payload: { transferCompatibilityStatus: { internalTransfer: true, transferCompatible: true } },
  });
  const row = await transfer(registered, internal, integrated('2026-03-02T09:20:00Z', 'INTERNAL_TRANSFER'));
  assert.deepEqual([row['result'], row['category'], row['internal']], ['Successful integration', null, true]);
});

test('two attachments of the same moment are two; the same one twice is one', async () => {
  const at = '2026-03-02T09:17:02.611Z';
  const [one, other] = [document(at), document(at, false)];
  assert.equal(one.eventId, other.eventId);
  assert.equal((await transfer(one, other, one))['documents'], 2);
});

test('a request at half past midnight of London belongs to two months, each by its calendar', async () => {
  await transfer(stored('ehr-requests', '2026-06-30T23:30:00Z'));
  const { rows: months } = await sql<{ calendar: string; month: string }>`select calendar, month::text as month from platform.months
    where level = 'practice' and role = 'requesting' order by calendar`.execute(platform.db);
  assert.deepEqual(months, [
    { calendar: 'Europe/London', month: '2026-07-01' },
    { calendar: 'UTC', month: '2026-06-01' },
  ]);
});

test('what belongs to a transaction that is still open is folded after it, not lost', async () => {
  const waiting = Promise.withResolvers<void>();
  const wrote = Promise.withResolvers<void>();
  const slow = platform.db.transaction().execute(async (trx) => {
    await sql`insert into platform.events (at, event_id, digest, type, conversation, supplier, reporting, requesting)
      values ('2026-03-02T09:14:05Z', gen_random_uuid(), 1, 'EHR_REQUESTS', 'SLOW', 'X', 'A', 'A')`.execute(trx);
    wrote.resolve();
    await waiting.promise;
  });
  await wrote.promise;
  await write(platform.db, [requested]);
  await foldAll(platform.db);
  waiting.resolve();
  await slow;
  await foldWritten(platform.db);
  assert.deepEqual((await rows('transfers')).map(({ conversation }) => conversation).sort(), [requested.conversation, 'SLOW'].sort());
});

test('many events are loaded at once, those that are there already passed over', async () => {
  const { url, db } = platform;
  await write(db, [requested]);
  const odd = stored('errors', '1999-01-01T00:00:00Z', {
    conversationId: 'tab\there \\N',
    payload: { error: { errorCode: 'a\\b', errorDescription: 'line\nend "quoted"', failurePoint: 'OTHER' } },
  });
  assert.deepEqual(await loadEvents(db, url, [...whole, odd, odd]), { read: whole.length + 2, written: whole.length });
  await foldWritten(db);
  const row = (await rows('transfers')).find(({ conversation }) => conversation === 'tab\there \\N');
  assert.deepEqual([row?.['error_code'], row?.['error_description']], ['a\\b', 'line\nend "quoted"']);
});

test('degrades are loaded under their ids: the same ones again are passed over', async () => {
  const { url, db } = platform;
  const loaded = (eventId: string) => ({
    eventId,
    day: '2026-02-03',
    supplier: 'YGA',
    degrades: ['MEDICATION', 'PLAN'].map((type) => ({
      type: type as 'PLAN',
      reason: 'CODE' as const,
      coding: [{ code: '1', system: 'http://snomed.info/sct' }],
    })),
  });
  const one = loaded('00000000-0000-4000-8000-000000000001');
  assert.deepEqual(await loadEvents(db, url, [one, requested, one]), { read: 3, written: 2 });
  assert.deepEqual(await loadEvents(db, url, [loaded('00000000-0000-4000-8000-000000000002'), one]), { read: 2, written: 1 });
  const { rows: degrades } = await sql`select day::text as day, supplier, type, reason, coding from platform.degrades
    where event_id = '00000000-0000-4000-8000-000000000001' order by number`.execute(db);
  assert.deepEqual(
    degrades,
    one.degrades.map((each) => ({ day: '2026-02-03', supplier: 'YGA', ...each })),
  );
});

test('a file that ends with a fault gives it, and the connections are closed', async () => {
  const faulty = function* () {
    yield requested;
    throw new Error('the disk is gone');
  };
  await assert.rejects(loadEvents(platform.db, platform.url, faulty()), /the disk is gone/);
});

test('events that came before their month was made move into it', async () => {
  const { db } = platform;
  await sql`insert into platform.events (at, event_id, digest, type, conversation, supplier, reporting, requesting) values
    ('2031-04-30T23:59:59Z', gen_random_uuid(), 1, 'EHR_REQUESTS', 'BEFORE', 'X', 'A', 'A'),
    ('2031-05-31T23:59:59Z', gen_random_uuid(), 1, 'EHR_REQUESTS', 'WITHIN', 'X', 'A', 'A')`.execute(db);
  const where = async () =>
    (
      await sql<{
        conversation: string;
        lies: string;
      }>`select conversation, tableoid::regclass::text as lies from platform.events where at > '2031-01-01' order by at`.execute(db)
    ).rows;
  const others = 'platform.events_other';
  assert.deepEqual(await where(), [
    { conversation: 'BEFORE', lies: others },
    { conversation: 'WITHIN', lies: others },
  ]);
  await ensureMonths(db, ['2031-05']);
  assert.deepEqual(await where(), [
    { conversation: 'BEFORE', lies: others },
    { conversation: 'WITHIN', lies: 'platform.events_2031_05' },
  ]);
  await write(db, [stored('ehr-requests', '2031-05-02T10:00:00Z')]);
  assert.equal((await where()).filter(({ lies }) => lies === 'platform.events_2031_05').length, 2);
  // The key is that of all events there too.
  await write(db, [stored('ehr-requests', '2031-05-02T10:00:00Z')]);
  assert.equal((await where()).length, 3);
});
