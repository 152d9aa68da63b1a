import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokenRow } from './load-spine.ts';
import { type MeshRecord, readMeshFile, registrationKey, registrationKind } from './mesh.ts';

async function read(text: string): Promise<{ records: MeshRecord[]; broken: BrokenRow[] }> {
  const broken: BrokenRow[] = [];
  const records: MeshRecord[] = [];
  const pieces = (async function* () {
    yield text;
  })();
  for await (const record of readMeshFile(pieces, (row) => broken.push(row))) records.push(record);
  return { records, broken };
}
const requester = (over: Readonly<Record<number, string>>, delimiter = '|') =>
  Array.from(
    { length: 31 },
    (_, at) => over[at] ?? { 0: 'RR', 1: 'C1', 2: 'Z1', 3: 'Z2', 4: '2020-08-21T10:01:41', 5: '1', 7: '0', 10: '1' }[at] ?? '',
  ).join(delimiter);
const kindOf = async (over: Readonly<Record<number, string>>) => registrationKind((await read(requester(over))).records[0] as MeshRecord);

test('records are told by their type, columns by position, the delimiter by the first line', async () => {
  for (const delimiter of ['|', ',', '\t', ';']) {
    const text = [
      ['HR', 'Z1', '2000', 'EMIS_Web_1', '1', '6', '5', '99', '5', '', ''].join(delimiter),
      requester({}, delimiter),
      Array.from({ length: 33 }, (_, at) => (at === 0 ? 'SR' : at === 2 ? 'C9' : '')).join(delimiter),
      ['FR', '1', '1', 'Z1', '6'].join(delimiter),
    ].join('\r\n');
    const { records, broken } = await read(text);
    assert.deepEqual(broken, []);
    assert.deepEqual(
      records.map(({ kind, cells }) => [kind, cells['ConversationID'] ?? cells['RequestorODS']]),
      [
        ['HR', 'Z1'],
        ['RR', 'C1'],
        ['SR', 'C9'],
        ['FR', 'Z1'],
      ],
    );
  }
});

test('a broken line is named and costs nothing else', async () => {
  const { records, broken } = await read(
    ['FR|1|1|Z1|6', 'RR|too|short', 'XX|1', 'FR|"open|1', requester({ 1: 'C\0' }), 'FR|2|2|Z1|7'].join('\n'),
  );
  assert.equal(records.length, 2);
  assert.deepEqual(
    broken.map(({ line, fault }) => `${line}: ${fault}`),
    [
      '2: RR has 3 columns instead of 31',
      '3: the record type is none of HR, RR, SR, FR: "XX"',
      '4: a quote is not closed',
      '5: ConversationID holds U+0000',
    ],
  );
});

test('what a requester record reports, in the order of the rules', async () => {
  assert.equal(await kindOf({}), 'gp2gp');
  assert.equal(await kindOf({ 10: '5' }), 'newRegistrant');
  assert.equal(await kindOf({ 5: '2', 10: '5' }), 'returningNoOtherGp');
  assert.equal(await kindOf({ 10: '2' }), 'alreadyRegistered');
  assert.equal(await kindOf({ 7: '10' }), 'patientLookupFailure');
  assert.equal(await kindOf({ 7: '20' }), 'patientLookupFailure');
  assert.equal(await kindOf({ 7: '40' }), 'systemLookupFailure');
  assert.equal(await kindOf({ 7: '40', 10: '3' }), 'nonGp2gpPractice');
  assert.equal(await kindOf({ 5: '3', 10: '0' }), 'internal');
  assert.equal(await kindOf({ 7: '60', 8: '2020-08-21T10:01:42' }), 'gp2gp');
  assert.equal(await kindOf({ 7: '30', 8: '2020-08-21T10:01:42' }), 'unknown');
});

test('a file that is sent again has the same registrations', async () => {
  const { records } = await read(`${requester({})}\n${requester({ 13: '4' })}\n${requester({ 3: 'Z9' })}`);
  assert.equal(new Set(records.map(registrationKey)).size, 2);
});
