import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { createClient, type HttpClient } from '../../web/client.ts';
import { foldWritten, stored, type TestPlatform, testPlatform, write } from '../testing.ts';
import { HOUR, look, MINUTE, START, tell } from './testing.ts';
import { deliverNext } from './webhook.ts';

const SECRET = 'a secret of the two of us';
type Post = { readonly headers: IncomingHttpHeaders; readonly body: string };

let platform: TestPlatform;
let server: Server;
let client: HttpClient;
let posts: Post[] = [];
/** What each of the next posts gets; 200 when there is nothing more. `cut`: it is taken, and the connection ends. */
let answers: (number | 'cut')[] = [];

before(async () => {
  platform = await testPlatform();
  client = createClient({ headersMs: 2_000 });
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      posts.push({ headers: request.headers, body });
      const answer = answers.shift() ?? 200;
      if (answer === 'cut') request.socket.destroy();
      else response.writeHead(answer).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
after(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await platform.close();
});
beforeEach(async () => {
  posts = [];
  answers = [];
  await sql`truncate platform.alerts, platform.alert_posts, platform.transfers, platform.months, platform.pathway_months, platform.received, platform.events`.execute(
    platform.db,
  );
});

const deliver = (afterMs: number) => {
  const webhook = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`, secret: SECRET };
  return deliverNext(platform.db, { webhook, client, now: () => new Date(START + afterMs) });
};
const late = async (name: string) => {
  await tell(platform, name, ['ehr-requests', 0]);
  await look(platform, HOUR, { posted: true });
};
const alertsIn = (post: Post | undefined) =>
  (JSON.parse(post?.body ?? '{}') as { alerts: { change: string; kind: string; subject: string; id: number }[] }).alerts;

test('a post says what was raised and what was cleared, and is signed over time, delivery and body', async () => {
  await late('a');
  assert.equal((await deliver(HOUR))?.outcome, 'delivered');
  await tell(platform, 'a', ['ehr-responses', 2 * HOUR]);
  await look(platform, 3 * HOUR, { posted: true });
  assert.equal((await deliver(3 * HOUR))?.outcome, 'delivered');
  assert.equal(await deliver(3 * HOUR), null);
  assert.deepEqual(
    posts.map((post) => alertsIn(post).map(({ change, kind, subject }) => [change, kind, subject])),
    [[['raised', 'SENDING_LATE', 'a']], [['cleared', 'SENDING_LATE', 'a']]],
  );
  assert.equal(alertsIn(posts[0])[0]?.id, alertsIn(posts[1])[0]?.id);
  for (const { headers, body } of posts) {
    const text = `${headers['x-gp2gp-timestamp']}.${headers['x-gp2gp-delivery']}.${body}`;
    assert.equal(headers['x-gp2gp-signature'], `sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`);
  }
  assert.notEqual(posts[0]?.headers['x-gp2gp-delivery'], posts[1]?.headers['x-gp2gp-delivery']);
});

test('a receiver that is away is tried again, later each time, and hears everything in the order in which it happened', async () => {
  await late('a');
  await late('b');
  answers = [500, 503];
  assert.deepEqual(await deliver(HOUR), { outcome: 'later', fault: 'HTTP 500' });
  assert.equal(await deliver(HOUR + 1_000), null, 'not before its time, nor the one behind it');
  assert.equal((await deliver(HOUR + 5_000))?.outcome, 'later');
  assert.equal(await deliver(HOUR + 10_000), null);
  assert.equal((await deliver(HOUR + 15_000))?.outcome, 'delivered');
  assert.equal((await deliver(HOUR + 15_000))?.outcome, 'delivered');
  assert.deepEqual(
    posts.map((post) => alertsIn(post)[0]?.subject),
    ['a', 'a', 'a', 'b'],
  );
  assert.equal(await deliver(HOUR + MINUTE), null);
});

test('a post that was taken is never made again, by however many programs', async () => {
  await late('a');
  await Promise.all(Array.from({ length: 5 }, () => deliver(HOUR)));
  assert.equal(posts.length, 1);
  assert.equal(await deliver(2 * HOUR), null);
  assert.equal(posts.length, 1);
});

test('a post of whose answer nothing is known comes again as the same delivery, byte for byte', async () => {
  await late('a');
  answers = ['cut'];
  assert.equal((await deliver(HOUR))?.outcome, 'later');
  assert.equal((await deliver(HOUR + MINUTE))?.outcome, 'delivered');
  assert.equal(posts.length, 2);
  assert.equal(posts[0]?.headers['x-gp2gp-delivery'], posts[1]?.headers['x-gp2gp-delivery']);
  assert.equal(posts[0]?.body, posts[1]?.body);
});

test('a program that ended while it posted leaves the post to the next one, when its lease is over', async () => {
  await late('a');
  await sql`update platform.alert_posts set attempts = 1, due_at = ${new Date(START + HOUR + 2 * MINUTE).toISOString()}::timestamptz`.execute(
    platform.db,
  );
  assert.equal(await deliver(HOUR + MINUTE), null);
  assert.equal((await deliver(HOUR + 2 * MINUTE))?.outcome, 'delivered');
});

test('after three days alerts are no news, and the next ones are not held up any longer', async () => {
  await late('a');
  await late('b');
  answers = [500, 500];
  assert.equal((await deliver(HOUR))?.outcome, 'later');
  assert.equal((await deliver(73 * HOUR + 1_000))?.outcome, 'given up');
  assert.equal((await deliver(73 * HOUR + 1_000))?.outcome, 'delivered');
  assert.deepEqual(alertsIn(posts.at(-1))[0]?.subject, 'b');
});

test('many alerts are a few posts', async () => {
  await write(
    platform.db,
    Array.from({ length: 120 }, (_, n) => stored('ehr-requests', new Date(START + n).toISOString(), { conversationId: `n${n}` })),
  );
  await foldWritten(platform.db);
  await look(platform, HOUR, { posted: true });
  while (await deliver(HOUR));
  assert.deepEqual(
    posts.map((post) => alertsIn(post).length),
    [100, 20],
  );
});
