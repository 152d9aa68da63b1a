/** Twelve patients move between six practices, all at once, through real processes: what must hold of every one of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { readJson } from '../../fhir/json.ts';
import type { Bundle } from '../../fhir/types.ts';
import { SIDES } from '../demo/cast.ts';
import { ask } from '../demo/moves.ts';
import { type Story, startTestWorld, type TestWorld } from './testing.ts';
import { allDecidedAgain } from './testing-replay.ts';
import { messagesOf, recordFrom, withoutOwnIds } from './testing-wire.ts';

const [N1, S2, N3, S4, N5, S6] = [0, 1, 2, 3, 4, 5];
const LARGE = 6_000_000;
/** The least that a practice may be given. */
const NARROW = 100_000;

const STORIES: Readonly<Record<string, Story>> = {
  documents: { seed: 101, from: N1, to: S2, documents: [LARGE, 30_000, 700] },
  'to one without UK07': { seed: 102, from: N1, to: S4, documents: [900] },
  'above the limit': { seed: 103, from: N5, to: S6, documents: [250_000, 800], consultations: 60 },
  ...Object.fromEntries(
    Array.from({ length: 9 }, (_, i): [string, Story] => [
      `neighbour ${i + 1}`,
      { seed: 110 + i, from: i % 6, to: (i + 1) % 6, documents: [1_000 + i] },
    ]),
  ),
};
type Outcome = Awaited<ReturnType<TestWorld['move']>>;

let here: TestWorld;
const outcomes = new Map<string, Outcome>();
const outcome = (name: string): Outcome => {
  const found = outcomes.get(name);
  assert.ok(found);
  return found;
};

before(async () => {
  here = await startTestWorld(STORIES, { practices: 6, practiceSettings: { N82005: { messageLimit: NARROW } } });
  const { world } = here;
  const plain = world.practices[S4];
  assert.ok(plain && N3 === 2);
  const spine = world.programs.get('spine');
  assert.ok(spine);
  const { sds } = spine.ready as { sds: { url: string } };
  const interactions = ['RCMR_IN010000UK05', 'RCMR_IN030000UK06', 'COPC_IN000001UK01', 'MCCI_IN010000UK13'];
  const { ods, asid, partyKey } = plain;
  await ask(`${sds.url}/control/organisations`, { method: 'POST', body: JSON.stringify({ ods, asid, partyKey, interactions }) });
  await Promise.all(Object.keys(STORIES).map((name) => here.give(name)));
  await Promise.all(Object.keys(STORIES).map(async (name) => outcomes.set(name, await here.move(name))));
});

after(() => here?.end());

test('every record is filed by the new practice and the previous one hears of it', () => {
  const kinds = Object.keys(STORIES).map((name) => [name, outcome(name).summary.outcome]);
  assert.deepEqual(
    kinds,
    kinds.map(([name]) => [name, 'integrated']),
  );
});

test('every document arrives with its bytes, the large one in pieces', async () => {
  for (const [name, { documents = [] }] of Object.entries(STORIES)) {
    const { summary } = outcome(name);
    assert.deepEqual(summary.missing, [], name);
    assert.equal(summary.documents.length, documents.length, name);
    for (const { sha256Sent, sha256Received } of summary.documents) assert.ok(sha256Sent && sha256Sent === sha256Received, name);
  }
  const messages = await messagesOf(here.wire, outcome('documents').moved.conversationId);
  const actions = messages.map(({ envelope }) => envelope.action);
  assert.equal(actions.filter((action) => action.startsWith('RCMR_IN030000')).length, 1);
  // The continue, the document's index, two pieces.
  assert.equal(actions.filter((action) => action === 'COPC_IN000001UK01').length, 4, actions.join(' '));
});

test('messages on the wire, split and joined without a node, are the record that was filed', async () => {
  for (const name of ['documents', 'above the limit', 'neighbour 1']) {
    const { moved, summary } = outcome(name);
    const rebuilt = recordFrom(await messagesOf(here.wire, moved.conversationId));
    assert.ok(summary.recordFile);
    const filed = readJson(await readFile(summary.recordFile)) as Bundle;
    assert.equal(withoutOwnIds(rebuilt.bundle), withoutOwnIds(filed), name);
    const hashes = rebuilt.documents.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex')).sort();
    assert.deepEqual(hashes, summary.documents.map((one) => one.sha256Received ?? '').sort(), name);
  }
});

test('a record larger than a message travels as a skeleton and a compressed record of its own', async () => {
  const { moved } = outcome('above the limit');
  const messages = await messagesOf(here.wire, moved.conversationId);
  const rebuilt = recordFrom(messages);
  assert.ok(rebuilt.skeleton);
  for (const { file, parts, envelope } of messages) {
    const bytes = parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
    assert.ok(envelope.fromPartyKey.startsWith('S') || bytes < NARROW, `${file} has ${bytes} bytes`);
  }
});

test('UK07 goes to who takes it, UK06 to who does not', async () => {
  const extract = async (name: string) =>
    (await messagesOf(here.wire, outcome(name).moved.conversationId)).find(({ envelope }) => envelope.action.startsWith('RCMR_IN030000'));
  const [plain, redacting] = [await extract('to one without UK07'), await extract('documents')];
  assert.equal(plain?.envelope.action, 'RCMR_IN030000UK06');
  assert.match(plain?.payload.toString('utf8', 0, 400) ?? '', /<RCMR_IN030000UK06\b/);
  assert.equal(redacting?.envelope.action, 'RCMR_IN030000UK07');
  assert.match(redacting?.payload.toString('utf8', 0, 400) ?? '', /<RCMR_IN030000UK07\b/);
});

test('no row of one practice speaks of the patient of another', async () => {
  const { world } = here;
  const places = new Map<string, Set<string>>();
  const conversations = new Map<string, string>();
  for (const name of Object.keys(STORIES)) {
    const { move } = here.told(name);
    places.set(move.nhsNumber, new Set([move.from.ods, move.to.ods]));
    conversations.set(outcome(name).moved.conversationId.toUpperCase(), move.nhsNumber);
  }
  let rows = 0;
  let seen = 0;
  for (const side of SIDES) {
    const client = new pg.Client({ connectionString: world.databaseUrls[side] });
    await client.connect();
    try {
      const { rows: owners } = await client.query<{ id: string; practice: string; nhs_number: string; conversation_id: string }>(
        'select id, practice, nhs_number, conversation_id from transfers',
      );
      const owner = new Map(owners.map((row) => [row.id, row]));
      for (const { practice, nhs_number, conversation_id } of owners) {
        assert.ok(places.get(nhs_number)?.has(practice), `transfers: ${practice} knows a patient of others`);
        assert.equal(conversations.get(conversation_id.toUpperCase()), nhs_number);
      }
      const { rows: tables } = await client.query<{ name: string; transfer: boolean }>(`
        select table_name as name, bool_or(column_name = 'transfer') as transfer from information_schema.columns
        where table_schema = 'public' group by table_name having bool_or(column_name = 'practice')`);
      assert.ok(tables.length >= 7, `only ${tables.map(({ name }) => name).join(' ')}`);
      for (const { name, transfer } of tables) {
        const { rows: lines } = await client.query<{ practice: string | null; transfer: string | null; line: string }>(
          `select practice, ${transfer ? 'transfer' : 'null'} as transfer, to_jsonb(t)::text as line from ${name} t`,
        );
        for (const line of lines) {
          rows++;
          if (line.transfer !== null)
            assert.equal(owner.get(line.transfer)?.practice, line.practice, `${name}: the transfer of another practice`);
          for (const [nhsNumber, allowed] of places) {
            if (!line.line.includes(nhsNumber)) continue;
            seen++;
            assert.ok(line.practice !== null && allowed.has(line.practice), `${name}: ${line.practice} has a row with another's patient`);
          }
        }
      }
    } finally {
      await client.end();
    }
  }
  // The look found something to look at.
  assert.ok(rows > 100 && seen >= 24, `${rows} rows, ${seen} with a patient`);
});

test("a practice's key opens nothing of its neighbour on the same node", async () => {
  const { move } = here.told('documents');
  const { requesting } = outcome('documents').moved;
  const other = here.world.practices[S4];
  const [url] = here.world.nodeUrls.south;
  assert.ok(other);
  const asked = async (ods: string, key: string) =>
    (await fetch(`${url}/api/practices/${ods}/transfers/${requesting.transferId}`, { headers: { authorization: `Bearer ${key}` } })).status;
  assert.equal(await asked(move.to.ods, move.to.apiKey), 200);
  assert.equal(await asked(other.ods, other.apiKey), 404);
  assert.ok([401, 403, 404].includes(await asked(move.to.ods, other.apiKey)));
});

test('every decision of both sides is made again from what was kept beside it', async () => {
  assert.ok((await allDecidedAgain(here)) > 120);
});
