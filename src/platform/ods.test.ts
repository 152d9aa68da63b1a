import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokenRow } from './load-spine.ts';
import { readOrganisations } from './ods.ts';
import type { OrganisationRow } from './store/organisations.ts';

async function read(text: string): Promise<{ rows: OrganisationRow[]; broken: BrokenRow[] }> {
  const broken: BrokenRow[] = [];
  const rows: OrganisationRow[] = [];
  const pieces = (async function* () {
    yield text;
  })();
  for await (const row of readOrganisations(pieces, (each) => broken.push(each))) rows.push(row);
  return { rows, broken };
}

test('columns are found by their names, in any order; what is missing is left to what is known', async () => {
  const { rows, broken } = await read(
    'Kind,CODE,postcode,address,name\npractice,Z81001,AB1 2CD,"1 High Street; ;Town","Surgery, The"\nregion,Y1,,,\n',
  );
  assert.deepEqual(broken, []);
  assert.deepEqual(rows, [
    {
      code: 'Z81001',
      kind: 'practice',
      name: 'Surgery, The',
      parent: null,
      address: ['1 High Street', 'Town'],
      postcode: 'AB1 2CD',
      supplier: null,
      active: true,
    },
    { code: 'Y1', kind: 'region', name: null, parent: null, address: [], postcode: null, supplier: null, active: true },
  ]);
});

test('an organisation is closed by any of the usual words, and open by all others', async () => {
  const words = ['false', 'No', '0', 'INACTIVE', 'closed', '', 'true', 'active', 'not closed'];
  const { rows } = await read(`code,kind,active\n${words.map((word, at) => `Z8100${at},practice,${word}`).join('\n')}`);
  assert.deepEqual(
    rows.map(({ active }) => active),
    [false, false, false, false, false, true, true, true, true],
  );
});

test('a broken row is named and costs nothing else; without code or kind nothing is read', async () => {
  const { rows, broken } = await read(
    'code,kind\nz81001,practice\n,practice\nZ81002,surgery\n"open,practice\nZ81003,practice\nZ810031234567,icb\nZ81004,prac\0tice',
  );
  assert.deepEqual(
    rows.map(({ code }) => code),
    ['Z81003'],
  );
  assert.deepEqual(
    broken.map(({ line, fault }) => `${line}: ${fault}`),
    [
      '2: code is no ODS code: "z81001"',
      '3: code is no ODS code: null',
      '4: kind is none of practice, sicbl, icb, region: "surgery"',
      '5: a quote is not closed',
      '7: code is no ODS code: "Z810031234567"',
      '8: kind holds U+0000',
    ],
  );
  await assert.rejects(read('code,name\nZ81001,X'), /line 1 names no column kind/);
  await assert.rejects(read('kind,name\npractice,X'), /line 1 names no column code/);
});
