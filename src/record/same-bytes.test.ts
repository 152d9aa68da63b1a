/** The same record, ids and time give the same bytes, wherever the machine stands and in whatever order the entries come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeChance } from '../simulator/patients/chance.ts';
import { makePatient } from '../simulator/patients/patient.ts';
import { send } from './testing-record.ts';

const SEEDS = process.env['GP2GP_LONG'] ? 40 : 2;
const patients = Array.from({ length: SEEDS }, (_, at) => makePatient({ seed: 700 + at, ods: 'A12345', consultations: 5, documents: 3 }));
const written = ({ bundle, nhsNumber }: (typeof patients)[number]) => send(bundle, { nhsNumber }).xml;

test('an extract is the same in London, in UTC, in Auckland and in New York', () => {
  const before = process.env['TZ'];
  try {
    for (const patient of patients) {
      const extracts = ['Europe/London', 'UTC', 'Pacific/Auckland', 'America/New_York'].map((zone) => {
        process.env['TZ'] = zone;
        assert.equal(Intl.DateTimeFormat().resolvedOptions().timeZone, zone);
        return written(patient);
      });
      assert.equal(new Set(extracts).size, 1, `patient ${patient.nhsNumber}`);
    }
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
});

test('an extract is the same for every order of the entries', () => {
  for (const [at, patient] of patients.entries()) {
    const expected = written(patient);
    const chance = makeChance(at + 1);
    for (let turn = 0; turn < 3; turn++) {
      const ranked = (patient.bundle.entry ?? []).map((entry) => ({ entry, rank: chance.uuid() }));
      const entry = ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map((one) => one.entry);
      assert.ok(written({ ...patient, bundle: { ...patient.bundle, entry } }) === expected, `patient ${patient.nhsNumber}, order ${turn}`);
    }
  }
});
