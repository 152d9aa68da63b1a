import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { putAsContent } from '../../objects/content.ts';
import { createAccept } from '../../service/arrivals.ts';
import { from, register, type TestNode, testNode, testPractice, uuid } from '../../service/testing.ts';
import { buryArrival, claimArrivals } from '../../store/inbox.ts';
import { bury, claim, enqueue } from '../../store/outbox.ts';
import { packedMessage } from '../../store/testing.ts';
import { run, type Said } from '../e2e/testing-cli.ts';

const own = testPractice('Z81001');
const other = testPractice('Z82002');
let node: TestNode;
before(async () => {
  node = await testNode([own]);
});
after(() => node.close());

const letters = (...words: readonly string[]): Promise<Said> =>
  run('dead-letters', ...words, '--database', node.url, '--objects', join(node.folder, 'objects'), '--as', 'jo');

test('a message that nobody could read is kept with every byte, and can be looked at', async () => {
  const transfer = await register(node, own.ods, other.ods);
  const big = '<notXml'.repeat(10_000);
  const message = from(
    other,
    own,
    { ...transfer, conversationId: uuid() as typeof transfer.conversationId },
    {
      interaction: 'unreadable',
      action: 'COPC_IN000001UK01',
      fault: 'cut short',
      parts: [
        {
          contentId: 'envelope',
          contentType: 'text/xml',
          content: { pieces: [{ in: 'row', data: Buffer.from('<Envelope/>') }], stored: 'bytes', gzip: false },
        },
        { contentId: 'payload', contentType: 'text/xml', content: await putAsContent(node.objects, Buffer.from(big)) },
      ],
    },
  );
  const options = { ...node, now: () => new Date(), owner: 'test', committed: () => undefined };
  await createAccept(options)({
    fromPartyKey: other.partyKey,
    toPartyKey: own.partyKey,
    messageId: message.messageId,
    conversationId: message.conversationId,
    action: 'COPC_IN000001UK01',
    digest: uuid(),
    receivedAt: message.at,
    message,
    wire: 1000,
    refused: { code: 'OtherXml', description: 'cut short' },
  });
  const [arrival] = await claimArrivals(node.db, 'me', 1, 60);
  assert.ok(arrival);
  await buryArrival(node.db, arrival.claim, 'nobody here knows the conversation');
  const letter = `in-${arrival.claim.id}`;
  const shown = await letters('show', letter);
  assert.match(shown.out, /^parts +2$/m);
  assert.match(shown.out, /^refused +OtherXml$/m);
  assert.ok(!shown.out.includes('notXml'));

  const folder = join(node.folder, 'saved');
  const saved = await letters('save', letter, '--to', folder, '--reason', 'their supplier asks', '--json');
  assert.deepEqual(JSON.parse(saved.out), { letter, folder, files: ['letter.json', 'content-1', 'content-2'] });
  assert.deepEqual(
    [await readFile(join(folder, 'content-1'), 'utf8'), await readFile(join(folder, 'content-2'), 'utf8')],
    ['<Envelope/>', big],
  );
  const { rows } = await sql<{ actor: string; detail: object }>`select actor, detail from audit where action = 'deadLetterSaved'`.execute(
    node.db,
  );
  assert.deepEqual(rows, [{ actor: 'jo (operator)', detail: { letter, reason: 'their supplier asks' } }]);
  const again = await letters('save', letter, '--to', folder, '--reason', 'their supplier asks');
  assert.deepEqual([again.code, again.out], [2, '']);
});

test('a part of a record whose transfer has ended is not sent by a replay; what is owed all the same is, and nothing else is touched', async () => {
  const transfer = await register(node, own.ods, other.ods, uuid());
  const put = async (interaction: 'extract' | 'continue' | 'acknowledgement' | 'request'): Promise<string> => {
    await enqueue(node.db, own.ods, transfer.id, [
      { kind: 'message', interaction, packed: packedMessage(interaction), tellWhenSent: false },
    ]);
    const [work] = await claim(node.db, 'message', 'me', 1, 60);
    assert.ok(work);
    await bury(node.db, work.claim, 'refused');
    return `out-${work.claim.id}`;
  };
  const why = ['--reason', 'the hub was mended'];
  const running = await put('continue');
  assert.deepEqual((await letters('replay', running, ...why)).code, 0, 'it runs, and goes on');
  await sql`delete from outbox where transfer = ${transfer.id}`.execute(node.db);

  await sql`update transfers set state = 'ended' where id = ${transfer.id}`.execute(node.db);
  for (const interaction of ['extract', 'continue'] as const) {
    const letter = await put(interaction);
    const refused = await letters('replay', letter, ...why, '--json');
    assert.deepEqual([refused.code, JSON.parse(refused.out)], [1, { replayed: [] }]);
    assert.match(refused.err, new RegExp(`the transfer of this ${interaction} has ended.*\\n.*dead-letters drop`));
    assert.equal((await letters('show', letter)).code, 0, 'it is still there');
  }
  for (const interaction of ['acknowledgement', 'request'] as const) {
    const letter = await put(interaction);
    assert.equal((await letters('replay', letter, ...why)).out, `${letter}: replayed\n`);
    await sql`delete from outbox where transfer = ${transfer.id} and dead_at is null`.execute(node.db);
  }
  await sql`update transfers set role = 'sending' where id = ${transfer.id}`.execute(node.db);
  const core = await put('extract');
  assert.match((await letters('replay', core, ...why)).err, new RegExp(`transfers resend ${transfer.id} sends the record again`));
});

test('a message of ours that was put aside is saved as the exact bytes that were to leave', async () => {
  const transfer = await register(node, own.ods, other.ods);
  await enqueue(node.db, own.ods, transfer.id, [
    { kind: 'message', interaction: 'acknowledgement', packed: packedMessage('every single byte'), tellWhenSent: false },
  ]);
  const [work] = await claim(node.db, 'message', 'me', 1, 60);
  assert.ok(work);
  await bury(node.db, work.claim, 'refused');
  const folder = join(node.folder, 'outgoing');
  const saved = await letters('save', `out-${work.claim.id}`, '--to', folder, '--reason', 'to compare them');
  assert.equal(saved.code, 0, saved.err);
  assert.deepEqual((await readdir(folder)).sort(), ['letter.json', 'message.mime']);
  assert.equal(await readFile(join(folder, 'message.mime'), 'utf8'), 'every single byte');
  const unknown = await run(
    'dead-letters',
    'save',
    `out-${work.claim.id}`,
    '--to',
    join(node.folder, 'x'),
    '--reason',
    'to compare',
    '--database',
    node.url,
  );
  assert.match(unknown.err, /object store is not known/);
});
