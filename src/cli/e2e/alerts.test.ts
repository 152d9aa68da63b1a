/** Alerts of `platform serve` as a process: events come late, and whoever wants to hear of it does. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freshDatabase, type TestDatabase } from '../../database/testing.ts';
import { signatureOf } from '../../platform/alerts/webhook.ts';
import { addSubmitter } from '../../platform/ingest/submitters.ts';
import { openPlatform, PLATFORM_MIGRATIONS } from '../../platform/store/open.ts';
import { body } from '../../platform/testing.ts';
import { startProgram } from '../demo/processes.ts';
import { until } from './testing.ts';
import { run } from './testing-cli.ts';

const SECRET = 'known to both of us';
let folder: string;
let database: TestDatabase;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-e2e-alerts-'));
  database = await freshDatabase(PLATFORM_MIGRATIONS, 'platform');
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

test('a request that is not answered is posted within seconds, signed, and said in the log without a conversation', async () => {
  const posts: { readonly headers: IncomingMessage['headers']; readonly text: string }[] = [];
  const receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      posts.push({ headers: request.headers, text });
      response.end();
    });
  });
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const log = join(folder, 'platform.log');
  const args = ['platform', 'serve', '--database', database.url, '--fold-seconds', '1', '--alert-seconds', '1', '--alert-webhook', webhook];
  const server = await startProgram('platform', args, log, { GP2GP_ALERT_SECRET: SECRET });
  try {
    const db = await openPlatform(database.url, 1);
    const key = await addSubmitter(db, 'A supplier').finally(() => db.destroy());
    const conversationId = '7C0E2B8A-51D4-4E7F-9B61-0A4D6C1E9F20';
    const post = async (path: Parameters<typeof body>[0], minutesAgo: number) => {
      const at = new Date(Date.now() - minutesAgo * 60_000).toISOString();
      const { status } = await fetch(`${String(server.ready['api'])}/${path}`, {
        method: 'POST',
        headers: { apikey: key, 'content-type': 'application/json' },
        body: JSON.stringify(body(path, at, { conversationId })),
      });
      assert.equal(status, 200);
    };
    await post('ehr-requests', 21);
    await until('the alert is posted', () => posts.length > 0);
    await post('ehr-responses', 0);
    await until('its end is posted', () => posts.length > 1);
    const said = posts.flatMap(({ text }) => (JSON.parse(text) as { alerts: { change: string; kind: string; subject: string }[] }).alerts);
    assert.deepEqual(
      said.map(({ change, kind, subject }) => [change, kind, subject]),
      [
        ['raised', 'SENDING_LATE', conversationId],
        ['cleared', 'SENDING_LATE', conversationId],
      ],
    );
    for (const { headers, text } of posts) {
      const [time, delivery] = [String(headers['x-gp2gp-timestamp']), String(headers['x-gp2gp-delivery'])];
      assert.equal(headers['x-gp2gp-signature'], signatureOf(SECRET, time, delivery, text));
    }
    const lines = await readFile(log, 'utf8');
    assert.match(lines, /^alert \d+ raised: Not sent within 20 minutes of the request, Z82002 .* > Z81001 \(EMIS\), since /m);
    assert.ok(!lines.includes(conversationId));
  } finally {
    await server.stop();
    receiver.closeAllConnections();
    await new Promise((done) => receiver.close(done));
  }
});

test('a webhook without a secret, or at no address, is refused before anything starts', async () => {
  const serve = (...more: readonly string[]) => run('platform', 'serve', '--database', database.url, ...more);
  const unsigned = await serve('--alert-webhook', 'http://127.0.0.1:9/');
  assert.equal(unsigned.code, 2);
  assert.match(unsigned.err, /GP2GP_ALERT_SECRET is missing/);
  const nowhere = await serve('--alert-webhook', 'ftp://example.test/');
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.err, /an http or https address is wanted/);
});
