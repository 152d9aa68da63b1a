import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { conversationId, transferId } from '../base/ids.ts';
import { nhsNumber } from '../base/nhs-number.ts';
import { createClient } from '../web/client.ts';
import { createServer, listen } from '../web/server.ts';
import { createFiling, type Offer } from './filing.ts';

const closers: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closers.reverse()) await close();
});
const client = createClient();
closers.push(() => client.close());

const number = nhsNumber('9000000009');
assert.ok(number);
const sha256 = 'a'.repeat(64);
const OFFER: Offer = {
  transferId: transferId('T-1'),
  conversationId: conversationId('C-1'),
  nhsNumber: number,
  version: 3,
  sha256,
  recordUrl: 'http://node.test/record',
  documentsUrl: 'http://node.test/documents',
  as: 'integrate',
};

/** A practice's system that answers everything alike and keeps what it was asked. */
async function practice(status: number, body: unknown) {
  const asked: { method: string; url: string; authorization: string | undefined; body: unknown }[] = [];
  const server = createServer();
  server.all('*', async (request, reply) => {
    asked.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body: request.body });
    return reply
      .code(status)
      .header('content-type', 'application/json')
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const url = await listen(server);
  closers.push(() => server.close());
  return { filing: createFiling({ url: `${url}/filing/`, apiKey: 'KEY', client }), asked };
}

test('an offer is put under its transfer, and the answer is filed, refused or leased', async () => {
  const filed = await practice(200, { answer: 'filed', version: 3, sha256, extra: 'ignored' });
  assert.deepEqual(await filed.filing.offer(OFFER), { answer: 'filed', version: 3, sha256 });
  assert.deepEqual(filed.asked, [{ method: 'PUT', url: '/filing/records/T-1', authorization: 'Bearer KEY', body: OFFER }]);
  const refused = await practice(200, { answer: 'refused', version: '3', sha256, reason: 'not our patient' });
  assert.deepEqual(await refused.filing.offer(OFFER), { answer: 'refused', version: 3, sha256, reason: 'not our patient' });
  const leased = await practice(202, { answer: 'leased', leaseUntil: '2026-01-05T10:00:00Z' });
  assert.deepEqual(await leased.filing.offer(OFFER), { answer: 'leased', leaseUntil: '2026-01-05T10:00:00Z' });
});

test('an answer about another version or other bytes is not an answer to the offer', async () => {
  for (const other of [
    { version: 2, sha256 },
    { version: 3, sha256: 'b'.repeat(64) },
  ]) {
    const { filing } = await practice(200, { answer: 'filed', ...other });
    await assert.rejects(filing.offer(OFFER), { code: 'filing.otherRecord' });
  }
});

test('a system that never heard of an offer says so when it is asked', async () => {
  const { filing, asked } = await practice(404, {});
  assert.deepEqual(await filing.ask(OFFER.transferId), { answer: 'unknown' });
  assert.deepEqual([asked[0]?.method, asked[0]?.url], ['GET', '/filing/records/T-1']);
});

test('trouble that passes is told from what somebody has to look at', async () => {
  const code = async (work: Promise<unknown>) =>
    await work.then(
      () => 'none',
      (thrown: { code: string }) => thrown.code,
    );
  assert.equal(await code((await practice(503, '')).filing.offer(OFFER)), 'filing.unavailable');
  assert.equal(await code((await practice(401, {})).filing.offer(OFFER)), 'filing.refused');
  assert.equal(await code((await practice(200, '<html>')).filing.offer(OFFER)), 'filing.refused');
  assert.equal(await code((await practice(200, { answer: 'maybe' })).filing.offer(OFFER)), 'filing.refused');
  assert.equal(await code((await practice(200, { answer: 'filed', version: 'x', sha256 })).filing.offer(OFFER)), 'filing.refused');
  assert.equal(await code(createFiling({ url: 'http://127.0.0.1:1', apiKey: 'KEY', client }).ask(OFFER.transferId)), 'filing.unavailable');
  assert.equal(await code((await practice(404, {})).filing.notify([{ transferId: OFFER.transferId, state: 'ended' }])), 'filing.refused');
});

test('an event is a thin word: the transfer and its state; those of the same moment come together', async () => {
  const { filing, asked } = await practice(204, '');
  const events = ['converting', 'filing'].map((state) => ({ transferId: OFFER.transferId, state }));
  await filing.notify(events);
  assert.deepEqual(asked[0]?.body, {
    events: [
      { transferId: 'T-1', state: 'converting' },
      { transferId: 'T-1', state: 'filing' },
    ],
  });
  assert.equal(asked[0]?.url, '/filing/events');
});
