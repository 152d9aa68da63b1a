/** What an operator does with the transfers of nodes that run: looks, sends again, takes a failure home. Two nodes, a hub, two systems. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import type { Side } from '../demo/cast.ts';
import { startTestWorld, type TestWorld, until } from './testing.ts';
import { run, type Said } from './testing-cli.ts';

const STORIES = {
  whole: { seed: 401, from: 0, to: 1, documents: [900, 400_000] },
  'no Patient': { seed: 402, from: 0, to: 1, documents: [900] },
} as const;
type Moved = Awaited<ReturnType<TestWorld['move']>>;

const ROOT = join(import.meta.dirname, '..', '..', '..');

let here: TestWorld;
const moved = new Map<string, Moved>();
const of = (name: keyof typeof STORIES): Moved['moved'] => {
  const found = moved.get(name);
  assert.ok(found);
  return found.moved;
};

before(async () => {
  here = await startTestWorld(STORIES, { practices: 2, practiceSettings: { N82001: { messageLimit: 100_000 } } });
  await here.give('whole');
  const { recordFile } = await here.give('no Patient');
  const record = JSON.parse(await readFile(recordFile, 'utf8')) as { entry: { resource: { resourceType: string } }[] };
  const entry = record.entry.filter(({ resource }) => resource.resourceType !== 'Patient');
  await writeFile(recordFile, JSON.stringify({ ...record, entry }));
  await Promise.all(Object.keys(STORIES).map(async (name) => moved.set(name, await here.move(name))));
});
after(() => here?.end());

const on = (side: Side) => [
  '--database',
  here.world.databaseUrls[side],
  '--objects',
  join(here.folder, side, 'objects'),
  '--as',
  'jo.smith',
];
const transfers = (side: Side, ...words: readonly string[]): Promise<Said> => run('transfers', ...words, ...on(side));

async function json<Answer>(side: Side, ...words: readonly string[]): Promise<Answer> {
  const { code, out, err } = await transfers(side, ...words, '--json');
  assert.equal(code, 0, err);
  assert.equal(out.trimEnd().split('\n').length, 1, 'one line');
  return JSON.parse(out) as Answer;
}

async function rows<Row extends object>(side: Side, text: string, ...values: readonly unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: here.world.databaseUrls[side] });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

type Listed = {
  readonly transfers: readonly {
    readonly id: string;
    readonly nhsNumber: string;
    readonly tasks: readonly string[];
    readonly code: string | null;
  }[];
  readonly next: string | null;
};

test('the list finds by what an operator knows, in pages that neither overlap nor leave anything out', async () => {
  const [good, bad] = [of('whole'), of('no Patient')];
  const ids = async (...words: string[]) => (await json<Listed>('north', 'list', ...words)).transfers.map(({ id }) => id);
  const [sentGood, sentBad] = [good.sending?.transferId ?? '', bad.sending?.transferId ?? ''];
  assert.deepEqual(new Set(await ids()), new Set([sentGood, sentBad]));
  assert.deepEqual(await ids('--code', '10'), [sentBad]);
  assert.deepEqual(await ids('--outcome', 'acknowledged', '--state', 'ended', '--role', 'sending', '--practice', 'n82001'), [sentGood]);
  assert.deepEqual(await ids('--conversation', good.conversationId.toLowerCase()), [sentGood]);
  assert.deepEqual(await ids('--waiting'), [sentBad], 'its task notSent is open');
  assert.deepEqual(await ids('--attention'), []);
  assert.deepEqual(await ids('--role', 'requesting'), []);
  assert.deepEqual(await ids('--older-than', '1h'), []);
  assert.equal((await ids('--younger-than', '1h')).length, 2);
  const first = await json<Listed>('north', 'list', '--limit', '1');
  assert.ok(first.next);
  const second = await json<Listed>('north', 'list', '--limit', '1', '--after', first.next);
  assert.equal(second.next, null);
  assert.deepEqual(new Set([...first.transfers, ...second.transfers].map(({ id }) => id)), new Set([sentGood, sentBad]));
  const words = await transfers('north', 'list');
  assert.match(words.out, /Not sent \(10\) +task notSent/);
});

test('the node’s own settings lead to the same place as its database and objects', async () => {
  const settings = join(here.folder, 'configuration', 'north-1.yaml');
  const { code, out, err } = await run('transfers', 'list', '--config', settings, '--json');
  assert.equal(code, 0, err);
  assert.deepEqual(JSON.parse(out), await json('north', 'list'));

  const { database: _named, ...others } = parse(await readFile(settings, 'utf8')) as Record<string, unknown>;
  const elsewhere = join(here.folder, 'elsewhere.yaml');
  await writeFile(elsewhere, stringify({ ...others, data: join(here.folder, 'elsewhere') }));
  const nothing = await run('transfers', 'list', '--config', elsewhere);
  assert.equal(nothing.code, 2);
  assert.match(nothing.err, /there is no database of a node here/);
  assert.equal(existsSync(join(here.folder, 'elsewhere')), false, 'none was made');

  // A restore that was killed has put a cluster there, and not yet all of its objects.
  await mkdir(join(here.folder, 'elsewhere', 'database', 'cluster'), { recursive: true });
  await writeFile(join(here.folder, 'elsewhere', 'database', 'cluster', 'PG_VERSION'), '18\n');
  await writeFile(join(here.folder, 'elsewhere', 'restore-unfinished'), '1\n');
  for (const words of [['transfers', 'list'], ['store', 'backup', '--once', '--to', join(here.folder, 'no backup')], ['serve']]) {
    const half = await run(...words, '--config', elsewhere);
    assert.deepEqual([half.code, half.out], [1, ''], half.err);
    assert.match(half.err, /elsewhere holds a restore that was not finished\nRestore into it again/);
  }
});

test('NHS numbers are masked; whole ones, and a search by one, are in the audit with who and why', async () => {
  const number = here.told('whole').move.nhsNumber;
  const masked = await transfers('north', 'list');
  assert.ok(masked.out.includes(`*** *** ${number.slice(-4)}`));
  assert.ok(!masked.out.includes(number));
  const shown = await transfers('north', 'list', '--show-nhs-numbers', '--reason', 'the practice rang');
  assert.ok(shown.out.includes(number));
  const refused = await transfers('north', 'list', '--show-nhs-numbers');
  assert.deepEqual([refused.code, refused.out], [2, '']);
  const found = await json<Listed>('north', 'list', '--nhs-number', number);
  assert.deepEqual(
    found.transfers.map(({ id }) => id),
    [of('whole').sending?.transferId],
  );
  const audit = await rows<{ action: string; actor: string; detail: { reason?: string; transfers: string[] } }>(
    'north',
    "select action, actor, detail from audit where action in ('nhsNumbersShown', 'searchedByNhsNumber') order by id",
  );
  assert.deepEqual(
    audit.map(({ action, actor, detail }) => [action, actor, detail.reason, detail.transfers.length]),
    [
      ['nhsNumbersShown', 'jo.smith (operator)', 'the practice rang', 2],
      ['searchedByNhsNumber', 'jo.smith (operator)', undefined, 1],
    ],
  );
  assert.ok(!JSON.stringify(audit).includes(number), 'the audit names transfers, not the patient');
});

type Shown = {
  readonly why: string;
  readonly wakes: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly details: { readonly parts: readonly { readonly state: string }[]; readonly messages: readonly { readonly state: string }[] };
};

test('one transfer is shown with its parts, messages, tasks, why it stands where it stands and what comes next', async () => {
  const sent = await json<Shown>('north', 'show', of('whole').sending?.transferId ?? '');
  assert.ok(
    sent.details.parts.length > 2 && sent.details.parts.every(({ state }) => state === 'answered'),
    JSON.stringify(sent.details.parts),
  );
  assert.equal(sent.wakes, 'nothing: it has ended');
  const came = await json<Shown>('south', 'show', of('whole').conversationId);
  assert.equal(came.counts['partsWaiting'], 0);
  assert.equal(came.counts['partsHere'], came.details.parts.length);
  assert.ok(came.details.messages.length > 3 && came.details.messages.every(({ state }) => state === 'taken'));
  const words = await transfers('north', 'show', of('no Patient').sending?.transferId ?? '');
  assert.match(words.out, /why +The record could not be written: .*\(10: the record could not be taken out/);
  assert.match(words.out, /next +a person: notSent/);
  const { move } = here.told('no Patient');
  assert.ok(!words.out.includes(move.nhsNumber));
});

test('the timeline tells every step in order', async () => {
  const { entries } = await json<{ entries: { number: number; from: string | null; to: string; note: string }[] }>(
    'north',
    'timeline',
    of('whole').conversationId,
  );
  assert.deepEqual(
    entries.map(({ number }) => number),
    entries.map((_, at) => at + 1),
  );
  for (const [at, { from }] of entries.entries()) assert.equal(from, at === 0 ? null : entries[at - 1]?.to);
  const words = await transfers('north', 'timeline', of('whole').conversationId);
  assert.match(words.out, /The request was accepted/);
  assert.equal(words.out.trimEnd().split('\n').length, entries.length + 1);
});

type Replayed = {
  readonly same: boolean;
  readonly outcome: { readonly kind: string; readonly code?: string } | null;
  readonly decisions: number;
  readonly made: number;
  readonly differences: readonly { readonly entry: number; readonly what: string }[];
  readonly conversions: readonly { readonly do: string; readonly same: boolean; readonly replayed: { readonly ended: string } }[];
};
const EXPORTING = ['--reason', 'ticket 4713, for the supplier'];
const exported = (name: string) => join(here.folder, 'exports', name);
const replay = async (path: string): Promise<Replayed & Said> => {
  const said = await run('transfers', 'replay', path, '--json');
  return { ...(JSON.parse(said.out) as Replayed), ...said };
};
/** Everything in a folder, as one text. */
async function textOf(folder: string): Promise<string> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
  return (await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))).join('\n');
}
/** What would tell who the patient is. */
function patientIn(name: keyof typeof STORIES): readonly string[] {
  const { move, bundle } = here.told(name);
  const patient = (bundle.entry ?? []).map(({ resource }) => resource).find((one) => one?.resourceType === 'Patient');
  const {
    name: names = [],
    address = [],
    telecom = [],
  } = patient as {
    name?: { family?: string; given?: string[] }[];
    address?: { line?: string[]; postalCode?: string }[];
    telecom?: { value?: string }[];
  };
  const said = new Set<string>();
  const visit = (value: unknown, member: string): void => {
    if (typeof value === 'string' && /^(text|comment|description|title)$/.test(member) && /\w+ \w+ \w+/.test(value)) said.add(value);
    else if (typeof value === 'object' && value !== null)
      for (const [key, one] of Object.entries(value)) visit(one, Array.isArray(value) ? member : key);
  };
  visit(bundle, '');
  assert.ok(said.size > 5, 'the record says something');
  const words = [
    ...names.flatMap(({ family, given = [] }) => [family, ...given]),
    ...address.flatMap(({ line = [], postalCode }) => [...line, postalCode]),
    ...telecom.map(({ value }) => value),
    ...said,
  ];
  return [move.nhsNumber, ...words.filter((word) => word !== undefined && word.length > 3)] as string[];
}

test('a failed transfer is taken home without content, and replays with one command and nothing but the file', async () => {
  const id = of('no Patient').sending?.transferId ?? '';
  const folder = exported('failed');
  const taken = await json<{ entries: number; conversions: number }>('north', 'export', id, '--to', folder, ...EXPORTING);
  assert.equal(taken.conversions, 0);
  const text = await textOf(folder);
  for (const word of patientIn('no Patient')) assert.ok(!text.includes(word), word);
  const again = spawnSync(process.execPath, [join(ROOT, 'bin', 'gp2gp.ts'), 'transfers', 'replay', '.', '--json'], {
    cwd: folder,
    env: { PATH: '' },
    encoding: 'utf8',
  });
  assert.equal(again.status, 0, again.stderr);
  const { same, outcome, made, decisions } = JSON.parse(again.stdout) as Replayed;
  assert.deepEqual([same, outcome, made], [true, { kind: 'refusedByUs', code: '10' }, decisions]);
  const words = await run('transfers', 'replay', join(folder, 'transfer.json'));
  assert.match(words.out, /The same comes of it: Not sent \(10\)\./);
  const audit = await rows<{ actor: string; detail: object }>('north', "select actor, detail from audit where action = 'transferExported'");
  assert.deepEqual(audit, [{ actor: 'jo.smith (operator)', detail: { content: 'none', reason: EXPORTING[1] } }]);
});

test('with its content, whole or redacted, the failure itself happens again', async () => {
  const id = of('no Patient').sending?.transferId ?? '';
  for (const content of ['whole', 'redacted']) {
    const folder = exported(`failed ${content}`);
    const { problems } = await json<{ problems: string[] }>('north', 'export', id, '--to', folder, ...EXPORTING, '--content', content);
    assert.deepEqual(problems, []);
    const { code, same, conversions } = await replay(folder);
    assert.deepEqual(
      [code, same, conversions.map((one) => [one.do, one.same, one.replayed.ended])],
      [0, true, [['toHl7', true, 'refused']]],
    );
  }
});

test('a transfer that went well replays on both sides, its record is read again, and redacted nobody is in it', async () => {
  const { sending, requesting } = of('whole');
  for (const [side, id, what] of [
    ['north', sending?.transferId ?? '', 'toHl7'],
    ['south', requesting.transferId, 'toFhir'],
  ] as const) {
    for (const content of ['none', 'redacted', 'whole']) {
      const folder = exported(`${side} ${content}`);
      const { problems } = await json<{ problems: string[] }>(side, 'export', id, '--to', folder, ...EXPORTING, '--content', content);
      assert.deepEqual(problems, []);
      const { same, outcome, differences, conversions, err } = await replay(folder);
      assert.deepEqual([same, differences], [true, []], err);
      assert.ok(outcome?.kind === 'integrated' || outcome?.kind === 'acknowledged');
      assert.deepEqual(
        conversions.map((one) => [one.do, one.replayed.ended]),
        content === 'none' ? [] : [[what, 'converted']],
      );
      const text = await textOf(folder);
      const seen = patientIn('whole').filter((word) => text.includes(word));
      assert.ok(content === 'whole' ? seen.length > 0 : seen.length === 0, `${folder}: ${seen.join(', ')}`);
    }
  }
});

test('where a replay comes out otherwise it says where, and an export that is not whole is refused in words', async () => {
  const [head = '', ...lines] = (await readFile(join(exported('failed'), 'transfer.json'), 'utf8')).split('\n');
  const written = async (name: string, text: string): Promise<string> => {
    const path = join(here.folder, `${name}.json`);
    await writeFile(path, text);
    return path;
  };
  const other = lines.join('\n').replace('"The request was accepted"', '"The request was refused"');
  assert.notEqual(other, lines.join('\n'));
  const sha256 = createHash('sha256').update(other).digest('hex');
  const changed = await written('changed', `${JSON.stringify({ ...JSON.parse(head), sha256 })}\n${other}`);
  const differs = await replay(changed);
  assert.deepEqual([differs.code, differs.same], [1, false]);
  assert.deepEqual(
    differs.differences.map(({ entry, what }) => [entry, what]),
    [[2, 'note']],
  );
  assert.match(
    (await run('transfers', 'replay', changed)).out,
    /entry 2, note:\n +recorded: "The request was refused"\n +replayed: "The request was accepted"/,
  );

  const harmed = async (name: string, harm: (object: string) => Promise<void>): Promise<string> => {
    const folder = exported(`harmed, ${name}`);
    await cp(exported('south whole'), folder, { recursive: true });
    const { conversions } = JSON.parse((await readFile(join(folder, 'transfer.json'), 'utf8')).replace(/^.*\n/, '')) as {
      conversions: { task: { hl7: { pieces: { object?: { sha256: string } }[] } } }[];
    };
    const sha256 = conversions[0]?.task.hl7.pieces.find(({ object }) => object)?.object?.sha256;
    assert.ok(sha256);
    await harm(join(folder, 'objects', sha256.slice(0, 2), sha256));
    return folder;
  };

  const refused: [string, RegExp][] = [
    [await written('cut', [head, ...lines.slice(0, 20)].join('\n')), /not as it was written: cut off/],
    [await written('other', '{"resourceType": "Bundle"}'), /no exported transfer/],
    [await written('text', 'hello'), /no exported transfer/],
    [
      await written('newer', [JSON.stringify({ ...JSON.parse(head), version: 2, product: '9.9.9' }), ...lines].join('\n')),
      /format 2, written by gp2gp 9\.9\.9/,
    ],
    [join(here.folder, 'nowhere'), /nowhere: cannot be read/],
    [
      await written('alone', await readFile(join(exported('south whole'), 'transfer.json'), 'utf8')),
      /objects of the export are not beside it/,
    ],
    [await harmed('cut', (object) => truncate(object, 100)), /the object [0-9a-f]{64} is not as it was written\n.*take the export again/],
    [await harmed('gone', (object) => rm(object)), /the object [0-9a-f]{64} is missing\n/],
  ];
  for (const [path, what] of refused) {
    const { code, out, err } = await run('transfers', 'replay', path);
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, what);
    assert.equal(err.trimEnd().split('\n').length, 2, 'what is wrong, and what to do');
  }
  const id = of('whole').conversationId;
  const again = await transfers('north', 'export', id, '--to', exported('failed'), ...EXPORTING);
  assert.match(again.err, /there is something in it already/);
  const unknown = await run(
    'transfers',
    'export',
    id,
    '--to',
    exported('x'),
    ...EXPORTING,
    '--content',
    'whole',
    ...on('north').slice(0, 2),
  );
  assert.match(unknown.err, /object store is not known/);
});

test('a record that was not sent is sent again once its system gives it, and the audit knows who and why', async () => {
  const { sending, requesting } = of('no Patient');
  const id = sending?.transferId ?? '';
  const reason = 'the record was mended, ticket 4711';
  await here.give('no Patient');
  const again = await json<{ sent: boolean }>('north', 'resend', id, '--reason', reason);
  assert.equal(again.sent, true);
  const outcome = async (side: Side, transfer: string) =>
    (await json<{ transfers: { id: string; outcome: string | null }[] }>(side, 'list')).transfers.find((one) => one.id === transfer)
      ?.outcome;
  await until('the record is filed after all', async () => (await outcome('south', requesting.transferId)) === 'integrated');
  await until('the sender hears of it', async () => (await outcome('north', id)) === 'acknowledged');
  const [audit] = await rows<{ actor: string; detail: { reason: string; decision: string } }>(
    'north',
    "select actor, detail from audit where transfer = $1 and action = 'decided'",
    id,
  );
  assert.deepEqual([audit?.actor, audit?.detail.decision, audit?.detail.reason], ['jo.smith (operator)', 'resend', reason]);
});

test('what cannot be sent again is refused in words: what was taken, and what this practice asked for itself', async () => {
  const why = ['--reason', 'somebody asked for it'];
  const taken = await transfers('north', 'resend', of('whole').sending?.transferId ?? '', ...why);
  assert.deepEqual([taken.code, taken.out], [1, '']);
  assert.match(taken.err, /not sent again: Nothing to send again: acknowledged\n.*transfers show/);
  const asked = await transfers('south', 'resend', of('whole').requesting.transferId, ...why, '--json');
  assert.equal(asked.code, 1);
  assert.deepEqual(JSON.parse(asked.out).sent, false);
  assert.match(asked.err, /Only a sender can send again/);
});

const letters = (side: Side, ...words: readonly string[]): Promise<Said> => run('dead-letters', ...words, ...on(side));
type Letters = { letters: { letter: string; fault: string; transfer: string | null }[]; next: string | null };
const listed = async (...words: string[]): Promise<Letters> =>
  JSON.parse((await letters('north', 'list', ...words, '--json')).out) as Letters;

/** An acknowledgement came eight hours ago and has waited since: it answers a message that nobody here knows. */
async function strayAnswer(id: string, answers: string): Promise<void> {
  const { length } = await rows(
    'north',
    `insert into inbox (from_party_key, message_id, practice, conversation_id, action, digest, bytes, message, received_at, attempts)
     select from_party_key, $1, practice, conversation_id, action, digest, bytes,
       jsonb_set(jsonb_set(message, '{message,messageId}', to_jsonb($1::text)), '{message,of}', to_jsonb($2::text)), now() - interval '8 hours', 5
     from inbox where message->'message'->>'interaction' = 'acknowledgement' and done_at is not null order by id limit 1 returning id`,
    id,
    answers,
  );
  assert.equal(length, 1);
}

test('what nobody could take waits for an operator with its bytes: seen, replayed when the cause is mended, or dropped with a reason', async () => {
  const transfer = of('whole').sending?.transferId ?? '';
  await strayAnswer('STRAY-1', 'LOST-1');
  await strayAnswer('STRAY-2', 'LOST-2');
  await until('both are put aside', async () => (await listed()).letters.length === 2);
  assert.equal((await listed('--queue', 'outbox')).letters.length, 0);
  const first = await listed('--limit', '1');
  const second = await listed('--limit', '1', '--after', first.next ?? '');
  assert.equal(second.next, null);
  assert.deepEqual(new Set([...first.letters, ...second.letters].map(({ letter }) => letter)).size, 2);
  const metrics = await (await fetch(`${here.world.nodeUrls.north[0]}/metrics`)).text();
  assert.match(metrics, /^gp2gp_dead_letters\{practice="N82001",queue="inbox"\} 2$/m);
  assert.match(metrics, /^gp2gp_dead_letter_age_seconds\{practice="N82001",queue="inbox"\} /m);

  const found = await rows<{ id: number; message_id: string }>(
    'north',
    'select id, message_id from inbox where dead_at is not null order by message_id',
  );
  const [one, other] = found.map(({ id }) => `in-${id}`);
  assert.ok(one && other);
  const shown = await letters('north', 'show', one);
  for (const words of [
    /^what +message MCCI_IN010000UK13$/m,
    /^name +STRAY-1$/m,
    /^why +nobody here knows the conversation /m,
    /^interaction +acknowledgement$/m,
  ])
    assert.match(shown.out, words);

  const why = 'the lost table was restored, ticket 4712';
  await rows(
    'north',
    `insert into sent_messages (practice, id, transfer, interaction, message_id) values ('N82001', 'LOST-1', $1, 'extract', 'LOST-1')`,
    transfer,
  );
  const replayed = await letters('north', 'replay', one, '--reason', why);
  assert.deepEqual([replayed.code, replayed.out], [0, `${one}: replayed\n`], replayed.err);
  await until('its transfer has it', async () => {
    const [row] = await rows<{ transfer: string | null }>('north', "select transfer from inbox where message_id = 'STRAY-1'");
    return row?.transfer === transfer;
  });

  const unsaid = await letters('north', 'drop', other);
  assert.deepEqual([unsaid.code, (await listed()).letters.length], [2, 1], 'no drop without a reason');
  const dropped = await letters('north', 'drop', other, '--reason', 'a test of theirs', '--json');
  assert.deepEqual(JSON.parse(dropped.out), { dropped: [other] });
  assert.deepEqual((await listed()).letters, []);
  const again = await letters('north', 'replay', other, '--reason', 'after all');
  assert.deepEqual([again.code, again.out], [2, '']);
  assert.match(again.err, /there is no dead letter in-\d+\n.*replayed or dropped/);

  const audit = await rows<{ actor: string; action: string; detail: { letter: string; reason: string } }>(
    'north',
    "select actor, action, detail from audit where action like 'deadLetter%' order by id",
  );
  assert.deepEqual(
    audit.map(({ actor, action, detail }) => [actor, action, detail.letter, detail.reason]),
    [
      ['jo.smith (operator)', 'deadLetterReplayed', one, why],
      ['jo.smith (operator)', 'deadLetterDropped', other, 'a test of theirs'],
    ],
  );
});

test('work of ours that was put aside makes its transfer need attention, and goes on when it is replayed', async () => {
  const transfer = of('whole').sending?.transferId ?? '';
  const [row] = await rows<{ id: number }>(
    'north',
    `insert into outbox (practice, transfer, kind, name, body, due_at, dead_at, fault, attempts)
     values ('N82001', $1, 'notice', 'ended', '{"state": "ended"}', now(), now(), 'the system was away', 12) returning id`,
    transfer,
  );
  const letter = `out-${row?.id}`;
  const { transfers: found } = await json<{ transfers: { id: string; attention: string[] }[] }>('north', 'list', '--attention');
  assert.deepEqual(
    found.map(({ id, attention }) => [id, ...attention]),
    [[transfer, 'deadLetter']],
  );
  assert.match((await transfers('north', 'show', transfer)).out, /needs +something was put aside/);
  assert.equal((await letters('north', 'replay', letter, 'in-99999', '--reason', 'it is back')).out, `${letter}: replayed\n`);
  await until('it was told', async () => (await rows('north', 'select from outbox where id = $1', row?.id)).length === 0);
  assert.equal((await letters('north', 'show', letter)).code, 2);
  assert.equal((await letters('north', 'list')).out, 'Nothing was put aside.\n');
  assert.equal((await letters('north', 'list', '--parked')).out, 'No message waits.\n');
  assert.match((await letters('north', 'show', 'x')).err, /in-… or out-… is wanted/);
});

test('a wrong id, place or word is one plain line and what to do', async () => {
  const cases: [Said, RegExp, number][] = [
    [await transfers('north', 'show', 'nonsense'), /nonsense: the id of a transfer or a conversation is wanted\n.*transfers list/, 2],
    [await transfers('north', 'show', '00000000-0000-4000-8000-000000000000'), /there is no transfer or conversation 0{8}-/, 2],
    [await transfers('north', 'list', '--after', 'X'), /--after: there is no transfer X/, 2],
    [await transfers('north', 'list', '--limit', '0'), /1 to 1000/, 2],
    [await transfers('north', 'list', '--older-than', 'long'), /an age is wanted/, 2],
    [await transfers('north', 'list', '--state', 'lost'), /Allowed choices/, 2],
    [await transfers('north', 'list', '--nhs-number', '123'), /ten digits/, 2],
    [await transfers('north', 'resend', of('whole').conversationId), /--reason/, 2],
    [await transfers('north', 'resend', of('whole').conversationId, '--reason', 'x'), /5 to 500/, 2],
    [await transfers('north', 'list', '--outcome', 'lost'), /Allowed choices are .*timedOut/, 2],
    [await transfers('north', 'list', '--code', '77'), /a response code is wanted/, 2],
    [await transfers('north', 'list', '--conversation', 'last'), /the id of a conversation is wanted/, 2],
    [await transfers('north', 'list', '--practice', 'Z99999'), /Z99999 is no practice of this node\nIt serves N82001\./, 2],
    [await letters('north', 'list', '--practice', 'Z99999'), /Z99999 is no practice of this node\n/, 2],
    [await transfers('north', 'show'), /missing required argument 'id'\n\(gp2gp transfers show --help says how\)/, 2],
    [await run('transfers', 'list', '--database', 'nowhere'), /postgresql:\/\/.*\n.*PGPASSWORD/, 2],
    [await run('transfers', 'list', '--database', 'postgresql://x@h:99999/x'), /is no URL\nCorrect --database/, 2],
    [
      await run('transfers', 'list', '--database', here.world.databaseUrls.north.replace('/north?', '/nowhere?')),
      /the database refuses us: .*"nowhere".*\nCorrect user, password or name/,
      2,
    ],
    [await run('transfers', 'list', '--config', here.folder), /cannot be read .*\nName the file that the node is started with/, 2],
    [
      await transfers('north', 'export', of('whole').conversationId, '--to', '/proc/nowhere/x', ...EXPORTING),
      /\/proc\/nowhere\/x: cannot be made .*\nName another folder/,
      2,
    ],
    [await run('transfers', 'list', '--database', 'postgresql://x@127.0.0.1:1/x'), /does not answer.*\n.*Start the database/, 1],
    [await run('transfers', 'list', '--config', join(here.folder, 'none.yaml')), /none\.yaml: cannot be read/, 2],
    [await run('transfers', 'list', ...on('north').slice(0, 2), '--as', '\u0007'), /--as: this is no name/, 2],
  ];
  for (const [{ code, out, err }, what, exit] of cases) {
    assert.match(err, what);
    assert.equal(code, exit, err);
    assert.equal(out, '', err);
    assert.doesNotMatch(err, /^\s+at |undefined/m);
  }
});
