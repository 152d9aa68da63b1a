/** The receiver's contract, half an hour in a second: attempts at the right times whatever kills the sender, and what comes after its end. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { sql } from 'kysely';
import { messageId } from '../base/ids.ts';
import { readEnvelope } from '../ebxml/envelope.ts';
import { claim, revive } from '../store/outbox.ts';
import { findSent } from '../store/sent-messages.ts';
import { readTransfer } from '../store/transfers.ts';
import type { Transfer } from '../transfer/types.ts';
import { createDeliver } from './arrivals.ts';
import { createAcknowledged } from './outgoing.ts';
import { event, from, peerOf, register, type TestNode, testNode, testPractice, uuid } from './testing.ts';
import { startSendingPart } from './testing-sender.ts';

const own = testPractice('Z81001');
const other = testPractice('Z82002');
/** PT2H twice within PT4H10M. */
const CONTRACT = { retries: 2, retryIntervalSeconds: 4, persistSeconds: 8 + 20 / 60 };

let node: TestNode;
before(async () => {
  node = await testNode([own]);
});
after(() => node.close());

type Came = { readonly at: number; readonly body: string };
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await sql`truncate outbox`.execute(node.db);
});

/** Spine, as far as an attempt sees it. */
async function spine(answer: (response: ServerResponse) => void, port = 0) {
  const came: Came[] = [];
  const server = createServer((request, response) => {
    const at = performance.now();
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      came.push({ at, body: Buffer.concat(pieces).toString('utf8') });
      answer(response);
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  closers.push(
    () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  );
  return { came, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function asked(contract: Partial<typeof CONTRACT> = {}): Promise<Transfer & { state: 'waitingForExtract' }> {
  const transfer = await register(node, own.ods, other.ods);
  const [job] = (await claim(node.db, 'job', 'me', 100, 600)).filter((work) => work.transfer === transfer.id);
  assert.ok(job);
  const { contracts, ...peer } = peerOf(other);
  assert.ok(contracts.request);
  const answer = {
    ask: true,
    peer: { ...peer, contracts: { ...contracts, request: { ...contracts.request, ...CONTRACT, ...contract } } },
  } as const;
  const { transfer: next } = await node.post({
    practice: own.ods,
    transfer: transfer.id,
    event: event({ kind: 'done', result: { job: 'mayWeAsk', answer } }),
    cause: { queue: 'outbox', claim: job.claim },
  });
  assert.ok(next?.state === 'waitingForExtract');
  return next;
}

const objectsFolder = (): string => join(node.folder, 'objects');

async function sender(spineUrl: string): Promise<ChildProcess> {
  const program = new URL('./testing-sender.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, node.url, objectsFolder(), spineUrl, 'true'], { stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(async () => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function sendingPart(spineUrl: string, emptyIsFinal = true): Promise<void> {
  const part = await startSendingPart({ url: node.url, objectsFolder: objectsFolder(), spineUrl, emptyIsFinal });
  closers.push(() => part.close());
}

async function until(what: string, holds: () => Promise<boolean> | boolean, ms = 30_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > deadline) assert.fail(`${what}: not within ${ms} ms`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

const row = async (transfer: Transfer) =>
  (
    await sql<{ attempts: number; dead_at: string | null; name: string }>`
      select attempts, dead_at, name from outbox where kind = 'message' and transfer = ${transfer.id}`.execute(node.db)
  ).rows[0];
const now = async (transfer: Transfer): Promise<Transfer | null> => readTransfer(node.db, own.ods, transfer.id);
const idIn = (body: string): string => /<eb:MessageId>(.*?)</.exec(body)?.[1] ?? '';

test('three attempts two hours apart, the sender killed after each: the same bytes under the same id, then the transfer hears of the end', async () => {
  const { came, url } = await spine((response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('trouble'));
  const children = [await sender(url)];
  const transfer = await asked();
  const queued = performance.now();
  for (const attempt of [1, 2, 3]) {
    await until(`attempt ${attempt}`, async () => (await row(transfer))?.attempts === attempt);
    // The next stands ready: a process takes as long to start as an hour does here.
    children.push(await sender(url));
    children.at(-2)?.kill('SIGKILL');
  }
  await until('the end', async () => (await row(transfer))?.dead_at !== null);
  assert.ok(performance.now() - queued >= CONTRACT.persistSeconds * 1000 - 50, 'not before the contract ends');
  assert.equal(came.length, 3);
  const [first, second, third] = came;
  assert.ok(first && second && third);
  assert.equal(second.body, first.body);
  assert.equal(third.body, first.body);
  assert.equal(idIn(first.body), transfer.request);
  for (const [before, then] of [
    [first, second],
    [second, third],
  ] as const)
    assert.ok(then.at - before.at >= 3_950 && then.at - before.at < 6_000, `${then.at - before.at} ms`);
  const ended = await now(transfer);
  assert.ok(ended?.state === 'ended');
  assert.equal(ended.outcome.kind, 'undeliverable');
});

test('an attempt that a killed sender did not record is made again at once, and does not count', async () => {
  let answered = 0;
  const { came, url } = await spine((response) => {
    // The first is never answered: the sender dies over it.
    if (++answered > 1) response.writeHead(202).end();
  });
  const child = await sender(url);
  const transfer = await asked({ retryIntervalSeconds: 600, persistSeconds: 1500 });
  await until('the first', () => came.length === 1);
  child.kill('SIGKILL');
  await sender(url);
  await until('delivered', async () => (await row(transfer)) === undefined);
  assert.equal(came.length, 2);
  assert.equal(came[1]?.body, came[0]?.body);
});

test('while Spine is away nothing of the contract is used up; what waited too long leaves as a new message, and answers to either find it', async () => {
  const free = await spine(() => undefined);
  await closers.pop()?.();
  await sendingPart(free.url);
  const transfer = await asked({ persistSeconds: 1 });
  await until('made anew', async () => ((await row(transfer))?.name ?? transfer.request) !== transfer.request);
  const { came } = await spine((response) => response.writeHead(202).end(), Number(new URL(free.url).port));
  await until('delivered', async () => (await row(transfer)) === undefined);
  const body = came[0]?.body ?? '';
  const id = messageId(idIn(body));
  assert.notEqual(id, transfer.request);
  assert.ok(!body.includes(transfer.request), 'the old id stands nowhere');
  const parts = body.split('<?xml');
  const envelope = readEnvelope(`<?xml${parts[1]?.slice(0, parts[1].indexOf('\r\n--'))}`);
  assert.ok(envelope.kind === 'message' && envelope.timestamp && envelope.timeToLive);
  assert.ok(Math.abs(Date.now() - Date.parse(envelope.timestamp)) < 20_000);
  assert.equal(Date.parse(envelope.timeToLive) - Date.parse(envelope.timestamp), 1_000);
  const waiting = await now(transfer);
  assert.ok(waiting?.state === 'waitingForExtract' && waiting.request === transfer.request);

  for (const named of [id, transfer.request]) {
    assert.equal((await findSent(node.db, own.ods, named))?.message, transfer.request);
    const message = from(other, own, transfer, { interaction: 'acknowledgement', of: named, answer: { accepted: true } });
    const deliver = createDeliver({ ...node, now: () => new Date(), owner: 'test', committed: () => undefined });
    await deliver({
      claim: await inboxClaim(message.messageId),
      fromPartyKey: other.partyKey,
      practice: own.ods,
      attempts: 0,
      ageSeconds: 0,
      message: { message },
    });
  }
  const answered = await now(transfer);
  assert.ok(answered?.state === 'waitingForExtract' && answered.acknowledged !== null);
});

/** A row in the inbox, claimed. */
async function inboxClaim(id: string) {
  const { rows } = await sql<{ id: number }>`
    insert into inbox (from_party_key, message_id, practice, conversation_id, action, digest, bytes, message, owner, claims)
    values (${other.partyKey}, ${id}, ${own.ods}, 'C', 'MCCI_IN010000UK13', ${id}, 1, '{}', 'me', 1) returning id`.execute(node.db);
  return { id: rows[0]?.id ?? 0, owner: 'me', claims: 1 };
}

test('where an acknowledgement has to come by itself, the message is repeated until it does, and no longer', async () => {
  const { came, url } = await spine((response) => response.writeHead(202).end());
  await sendingPart(url, false);
  const transfer = await asked({ retryIntervalSeconds: 1, persistSeconds: 600 });
  await until('repeated', () => came.length === 2);
  assert.equal(came[1]?.body, came[0]?.body);
  const acknowledged = createAcknowledged({ ...node, now: () => new Date(), newId: uuid, owner: 'test', committed: () => undefined });
  await acknowledged(own.partyKey, messageId(uuid()));
  assert.equal((await row(transfer))?.dead_at, null, 'an acknowledgement of another message ends nothing');
  await acknowledged(own.partyKey, transfer.request);
  await acknowledged(own.partyKey, transfer.request);
  assert.equal(await row(transfer), undefined);
  const history = await sql<{ kind: string }>`select kind from history where transfer = ${transfer.id}`.execute(node.db);
  assert.equal(history.rows.filter(({ kind }) => kind === 'sent').length, 1);
  const before = came.length;
  await new Promise((done) => setTimeout(done, 1_500));
  assert.equal(came.length, before);
});

test('an operator who replays an expired message sends it anew; one that was refused in time goes again as it was', async () => {
  const refused = await spine((response) => response.writeHead(404).end());
  await sendingPart(refused.url);
  const transfer = await asked({ persistSeconds: 3 });
  await until('refused', async () => typeof (await row(transfer))?.dead_at === 'string');
  const id = async (): Promise<number> =>
    (await sql<{ id: number }>`select id from outbox where kind = 'message' and transfer = ${transfer.id}`.execute(node.db)).rows[0]?.id ??
    0;
  assert.equal(await revive(node.db, own.ods, await id()), transfer.id);
  await until('refused again', () => refused.came.length === 2);
  assert.equal(refused.came[1]?.body, refused.came[0]?.body);
  await until('put aside', async () => typeof (await row(transfer))?.dead_at === 'string');
  await sql`update outbox set until = now() - interval '1 second' where kind = 'message' and transfer = ${transfer.id}`.execute(node.db);
  assert.equal(await revive(node.db, own.ods, await id()), transfer.id);
  await until('sent anew', () => refused.came.length === 3);
  assert.notEqual(idIn(refused.came[2]?.body ?? ''), transfer.request);
  assert.equal(refused.came[2]?.body.length, refused.came[0]?.body.length);
});
