import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLUMNS } from './classify/message.ts';
import { cellsOf, csvOf, readCsv } from './csv.ts';
import { type BrokenRow, readSpineLog } from './load-spine.ts';
import { localText } from './micros.ts';
import { organisationLookup, readOrganisationMetadata } from './organisations.ts';

const HEAD = COLUMNS.join(',');
const row = (over: Partial<Record<(typeof COLUMNS)[number], string>> = {}) =>
  COLUMNS.map(
    (name) =>
      over[name] ??
      { _time: '2026-02-03 10:00:00.123 UTC', messageRef: 'NotProvided', jdiEvent: 'NONE', toSystem: 'EMIS' }[name as '_time'] ??
      name,
  )
    .map((cell) => `"${cell}"`)
    .join(',');

async function* once(text: string) {
  yield text;
}

test('a line of the log is read by the names of its columns', async () => {
  const broken: BrokenRow[] = [];
  const [message] = await all(
    readSpineLog(once(`${HEAD}\n${row({ jdiEvent: '12', messageRef: 'abc', fromSystem: '' })}\r\n`), (each) => broken.push(each)),
  );
  assert.ok(message);
  assert.deepEqual(broken, []);
  assert.deepEqual(
    { ...message, at: localText(message.at) },
    {
      at: '2026-02-03T10:00:00.123000',
      conversationId: 'conversationID',
      guid: 'GUID',
      interaction: 'interactionID',
      from: 'messageSender',
      to: 'messageRecipient',
      ref: 'abc',
      error: 12,
      fromSystem: '',
      toSystem: 'EMIS',
    },
  );
});

test('systems may be missing; another column that is missing is named and nothing is read', async () => {
  const short = COLUMNS.filter((name) => name !== 'toSystem' && name !== 'fromSystem');
  const [message] = await all(readSpineLog(once(`${short.join(',')}\n2026-02-03 10:00:00 UTC,C,G,I,1,2,,\n`), () => assert.fail()));
  assert.equal(message?.fromSystem, null);
  assert.equal(message?.ref, null);
  assert.equal(message?.error, null);
  await assert.rejects(
    all(readSpineLog(once('_time,conversationID\n'), () => assert.fail())),
    /line 1 names no column GUID, interactionID, messageSender/,
  );
});

test('a broken line is named with its fault and costs nothing else', async () => {
  const broken: BrokenRow[] = [];
  const text = [
    HEAD,
    row({ GUID: '1' }),
    row({ _time: '2026-02-03 10:00:00' }),
    row({ jdiEvent: 'many' }),
    row({ conversationID: '' }),
    'a,b,c',
    '"never closed',
    row({ messageRef: 'a\0b' }),
    row({ GUID: '2' }),
  ].join('\n');
  const rows = await all(readSpineLog(once(text), (each) => broken.push(each)));
  assert.deepEqual(
    rows.map(({ guid }) => guid),
    ['1', '2'],
  );
  assert.deepEqual(
    broken.map(({ line, fault }) => `${line}: ${fault}`),
    [
      '3: _time is no time with a zone: "2026-02-03 10:00:00"',
      '4: jdiEvent is no whole number: "many"',
      '5: conversationID is empty',
      '6: 3 cells instead of 10',
      '7: a quote is not closed',
      '8: messageRef holds U+0000',
    ],
  );
});

test('delimited text: quotes, doubled quotes, a byte-order mark, pieces cut anywhere', async () => {
  const text = '\ufeffa,"b, c","d ""e"" f"\r\n\n1,,"3"\n';
  for (let cut = 1; cut < text.length; cut++) {
    const bytes = new TextEncoder().encode(text);
    const rows = await all(readCsv(pieces(bytes.subarray(0, cut), bytes.subarray(cut))));
    assert.deepEqual(
      rows.map((each) => ('cells' in each ? [each.line, ...each.cells] : each)),
      [
        [1, 'a', 'b, c', 'd "e" f'],
        [3, '1', '', '3'],
      ],
    );
  }
});

async function* pieces(...parts: readonly Uint8Array[]) {
  yield* parts;
}

test('what is written is read again; formulas are made harmless', () => {
  const text = csvOf(
    ['name', 'a,b'],
    [
      ['O"Neill, X', 3],
      ['=cmd()', null],
      ['-12.5', 0.1],
    ],
  );
  assert.equal(text, 'name,"a,b"\n"O""Neill, X",3\n"\'=cmd()",\n"-12.5",0.1\n');
  assert.deepEqual(cellsOf('"O""Neill, X",3', ','), ['O"Neill, X', '3']);
});

const metadata = (month: number, name: string) =>
  readOrganisationMetadata(
    JSON.stringify({
      year: 2026,
      month,
      practices: [
        { ods_code: 'Z1', name, asids: ['1', '2'] },
        { ods_code: 'Z2', name: null, asids: ['3'] },
      ],
      sicbls: [{ ods_code: '99Z', name: 'NHS X', practices: ['Z1'] }],
    }),
  );
const AT = Date.UTC(2026, 1, 3) * 1000;

test('a practice is found by each of its ASIDs, with its sub ICB location; an unknown ASID by none', () => {
  const find = organisationLookup([metadata(2, 'A'), metadata(1, 'B')]);
  const expected = { ods: 'Z1', name: 'A', sicblOds: '99Z', sicblName: 'NHS X' };
  assert.deepEqual([find('1', AT), find('2', AT), find('9', AT)], [expected, expected, null]);
  assert.deepEqual(find('3', AT), { ods: 'Z2', name: null, sicblOds: null, sicblName: null });
});

test('where a month has no organisations, those of the month before stand in, and it is told once; else it is an error', () => {
  const told: number[] = [];
  const find = organisationLookup([metadata(1, 'B')], ({ month }) => told.push(month));
  assert.equal(find('1', AT)?.name, 'B');
  assert.equal(find('2', AT)?.name, 'B');
  assert.deepEqual(told, [2]);
  assert.throws(() => find('1', Date.UTC(2026, 2, 3) * 1000), /no organisations for 2026-03, nor for the month before/);
  assert.throws(() => readOrganisationMetadata('{"year":2026}'), /month/);
  const damaged = '{"year":2026,"month":3,"practices":[{"ods_code":"Z1","name":"A\\u0000B","asids":[]}],"sicbls":[]}';
  assert.throws(() => readOrganisationMetadata(damaged), /^Fault: practices\.0\.name: must be a text without U\+0000/);
});

test('a practice that stands in several locations is counted in the last of them, one without a location in none', () => {
  const find = organisationLookup([
    readOrganisationMetadata(
      JSON.stringify({
        year: 2026,
        month: 2,
        practices: [
          { ods_code: 'Z1', name: 'A', asids: ['1'] },
          { ods_code: 'Z2', name: 'B', asids: ['2'] },
          { ods_code: 'Z3', name: 'C', asids: [] },
        ],
        sicbls: [
          { ods_code: '97Z', name: 'X', practices: ['Z1'] },
          { ods_code: '98Z', name: 'Y', practices: ['Z1', 'Z9'] },
          { ods_code: '99Z', name: 'Z', practices: [] },
        ],
      }),
    ),
  ]);
  assert.deepEqual([find('1', AT)?.sicblOds, find('2', AT)?.sicblOds], ['98Z', null]);
});

test('an ASID that stands with two practices is the last one’s; a practice without ASIDs is found by none', () => {
  const find = organisationLookup([
    readOrganisationMetadata(
      JSON.stringify({
        year: 2026,
        month: 2,
        practices: [
          { ods_code: 'Z1', name: 'A', asids: ['1'] },
          { ods_code: 'Z1', name: 'A AGAIN', asids: ['1', '2'] },
          { ods_code: 'Z3', name: 'C', asids: [] },
        ],
        sicbls: [],
      }),
    ),
  ]);
  assert.deepEqual([find('1', AT)?.name, find('2', AT)?.name, find('', AT)], ['A AGAIN', 'A AGAIN', null]);
});

async function all<Each>(from: AsyncIterable<Each>): Promise<Each[]> {
  const found: Each[] = [];
  for await (const each of from) found.push(each);
  return found;
}
