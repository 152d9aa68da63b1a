/** What goes wrong around a transfer: strangers, bad messages, bad records, and programs that are killed in its midst. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvelope } from '../../ebxml/envelope.ts';
import { makeCertificates } from '../../simulator/certificates.ts';
import { ask } from '../demo/moves.ts';
import { type Story, startTestWorld, type TestWorld, until } from './testing.ts';
import { allDecidedAgain } from './testing-replay.ts';

const story = (seed: number, documents: readonly number[] = [900]): Story => ({ seed, from: 0, to: 1, documents });
const STORIES: Readonly<Record<string, Story>> = {
  'after bad messages': story(201),
  'not JSON': story(202),
  'not a Bundle': story(203),
  'no Patient': story(204),
  'broken off': story(205),
  'system down': story(206),
  'hub killed': story(207, [5_000_000, 900]),
  'node killed': story(208, [7_000_000, 5_000_000]),
  'database killed': story(209, [4_000_000]),
};

let here: TestWorld;

before(async () => {
  here = await startTestWorld(STORIES, { practices: 2, contract: { retries: 20, retryInterval: 'PT2S' } });
  await Promise.all(Object.keys(STORIES).map((name) => here.give(name)));
});

after(() => here?.end());

type Answer = { readonly status: number; readonly body: string };

/** Posts over TLS; rejects where the handshake or the connection fails. */
function post(url: string, tls: RequestOptions, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { ...tls, method: 'POST', agent: false as const, headers: { 'content-length': String(body.byteLength), ...headers } };
    const outgoing = httpsRequest(url, options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    // A server that has heard enough answers and closes; what it said counts, not that the rest could not be written.
    let answered = false;
    outgoing.once('response', () => {
      answered = true;
    });
    outgoing.on('error', (thrown) => {
      if (!answered) reject(thrown);
    });
    outgoing.end(body);
  });
}

const files = (folder: string, name: string): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(join(folder, `${name}.pem`)),
  key: readFileSync(join(folder, `${name}.key`)),
});
/** What a program said of itself when it was ready. */
function saidBy(name: string): Record<string, unknown> {
  const program = here.world.programs.get(name);
  assert.ok(program, name);
  return program.ready;
}
const spineUrl = () => String(saidBy('south-1')['spine']);

test('whoever has no certificate, or one of a foreign authority, is let in neither by a node nor by the hub', async () => {
  const own = join(here.folder, 'certificates');
  const ca = readFileSync(join(own, 'authority.pem'));
  const strangers = join(here.folder, 'strangers');
  await makeCertificates(strangers, [{ name: 'spine', hosts: ['spine.gp2gp.invalid'] }]);
  const { hub } = saidBy('spine') as { hub: { url: string } };
  const body = Buffer.from('hello');
  for (const url of [spineUrl(), hub.url]) {
    await assert.rejects(post(url, { ca }, body), `${url} without a certificate`);
    await assert.rejects(post(url, { ca, ...files(strangers, 'spine') }, body), `${url} with a stranger's certificate`);
    // The refusal was the certificate's: ours gets an answer, though no welcome for such a message.
    const { status } = await post(url, { ca, ...files(own, 'spine') }, body, { 'content-type': 'text/plain' });
    assert.ok(status >= 400, `${url}: ${status}`);
  }
  // A certificate of our authority, but another's name: only Spine may post to a node.
  const neighbour = await post(spineUrl(), { ca, ...files(own, 'north-1') }, body, { 'content-type': 'text/plain' }).catch(() => null);
  assert.ok(neighbour === null || neighbour.status === 403, `${neighbour?.status}`);
});

async function alerts(): Promise<Map<string, number>> {
  const text = await (await fetch(`${here.world.nodeUrls.south[0]}/metrics`)).text();
  return new Map([...text.matchAll(/^gp2gp_alerts_total\{code="([^"]+)"\} (\d+)$/gm)].map(([, code = '', count]) => [code, Number(count)]));
}

/** Posts to the new practice's node as Spine would; resolves with the answer and the codes of the alerts that rose. */
async function asSpine(body: Buffer, contentType: string): Promise<Answer & { readonly alerts: readonly string[] }> {
  const own = join(here.folder, 'certificates');
  const before = await alerts();
  const tls = { ca: readFileSync(join(own, 'authority.pem')), ...files(own, 'spine') };
  const answer = await post(spineUrl(), tls, body, {
    'content-type': contentType,
    soapaction: '"urn:nhs:names:services:gp2gp/RCMR_IN030000UK07"',
  });
  const rose = [...(await alerts())].filter(([code, count]) => count > (before.get(code) ?? 0)).map(([code]) => code);
  return { ...answer, alerts: rose };
}

/** A message of the last transfer as the hub kept it, the second header line onwards in one text. */
async function kept(which: RegExp): Promise<{ contentType: string; body: Buffer }> {
  const name = (await readdir(here.wire)).sort().findLast((file) => which.test(file));
  assert.ok(name);
  const bytes = await readFile(join(here.wire, name));
  const end = bytes.indexOf('\r\n\r\n');
  const contentType = /^content-type: *(.*)$/im.exec(bytes.toString('latin1', 0, end))?.[1]?.trim();
  assert.ok(contentType);
  return { contentType, body: bytes.subarray(end + 4) };
}

test('bad messages get the answer of the protocol, an operator sees them, and the node goes on', async () => {
  const nonsense = await asSpine(Buffer.from('nothing that anybody meant'), 'text/plain');
  assert.ok(nonsense.status >= 400 && nonsense.alerts.length > 0, JSON.stringify(nonsense));

  const notXml = await asSpine(
    Buffer.from('--b\r\nContent-Id: <e@x>\r\nContent-Type: text/xml\r\n\r\n<eb:Envelope\r\n--b--\r\n'),
    'multipart/related; boundary="b"; type="text/xml"; start="<e@x>"',
  );
  assert.equal(notXml.status, 500);
  assert.match(notXml.body, /not well formed/);
  assert.ok(notXml.alerts.length > 0);

  const { moved, summary } = await here.move('after bad messages');
  assert.equal(summary.outcome, 'integrated');
  const { contentType, body } = await kept(/RCMR_IN030000/);
  // Nobody waits for it: another conversation and message id in place of the true ones.
  const stranger = (text: Buffer, cut?: number): Buffer => {
    const id = /<eb:MessageId>([^<]*)</.exec(text.toString('latin1'))?.[1] ?? '';
    const renamed = text
      .toString('latin1')
      .replaceAll(id, randomUUID().toUpperCase())
      .replaceAll(moved.conversationId, randomUUID().toUpperCase());
    return Buffer.from(renamed.slice(0, cut), 'latin1');
  };

  const truncated = await asSpine(stranger(body, body.byteLength >> 1), contentType);
  assert.equal(truncated.status, 200);
  assert.equal(readEnvelope(Buffer.from(truncated.body)).kind, 'error');
  assert.ok(truncated.alerts.includes('endpoint.refused'));

  const payload = stranger(body);
  const broken = await asSpine(Buffer.from(payload.toString('latin1').replace('</EhrExtract>', '</EhrExtractt>'), 'latin1'), contentType);
  assert.ok(broken.status === 200, broken.body);

  const oversized = await asSpine(Buffer.concat([body.subarray(0, 2000), Buffer.alloc(9_000_000, 'x')]), contentType);
  assert.equal(oversized.status, 413);
  assert.ok(oversized.alerts.includes('endpoint.tooLarge'));

  const [first, second] = [await asSpine(body, contentType), await asSpine(body, contentType)];
  for (const answer of [first, second]) {
    assert.equal(answer.status, 200);
    assert.equal(readEnvelope(Buffer.from(answer.body)).kind, 'acknowledgement');
  }
  assert.equal(first.body, second.body);
  const altered = await asSpine(Buffer.from(body.toString('latin1').replace('EhrExtract', 'EhrExtracT'), 'latin1'), contentType);
  assert.ok(altered.alerts.includes('endpoint.altered') || altered.alerts.includes('endpoint.refused'), JSON.stringify(altered));

  const health = await fetch(`${here.world.nodeUrls.south[0]}/health`);
  assert.equal(health.status, 200);
  assert.equal((await filings(moved.requesting.transferId)).length, 1);
});

type Filing = { readonly transferId: string; readonly answer: string };

async function filings(transferId: string): Promise<readonly Filing[]> {
  const { filed } = (await ask(`${here.world.systemUrl.south}/control/state`)) as { filed: readonly Filing[] };
  return filed.filter((one) => one.transferId === transferId && one.answer === 'filed');
}

test('a record that is no JSON, no Bundle, or nobody’s ends with code 10 on both sides; one that breaks off is asked for again', async () => {
  const { world } = here;
  const misbehave = (name: string, how: object) => {
    const { move } = here.told(name);
    const body = JSON.stringify({ ods: move.from.ods, about: move.nhsNumber, ...how });
    return ask(`${world.systemUrl.north}/control/misbehave`, { method: 'PUT', body });
  };
  // The system serves its file as it is.
  const rewrite = async (name: string, change: (text: string) => string) => {
    const { recordFile } = await here.give(name);
    await writeFile(recordFile, change(await readFile(recordFile, 'utf8')));
  };
  await misbehave('broken off', { as: 'truncated', times: 1 });
  await rewrite('not JSON', (text) => `<html>${text}</html>`);
  await rewrite('not a Bundle', () => JSON.stringify({ resourceType: 'Parameters', parameter: [] }));
  await rewrite('no Patient', (text) => {
    const record = JSON.parse(text) as { entry: { resource: { resourceType: string } }[] };
    return JSON.stringify({ ...record, entry: record.entry.filter(({ resource }) => resource.resourceType !== 'Patient') });
  });
  const names = ['not JSON', 'not a Bundle', 'no Patient'];
  const [whole, ...ended] = await Promise.all([here.move('broken off'), ...names.map((name) => here.move(name))]);
  assert.equal(whole?.summary.outcome, 'integrated');
  for (const [i, { moved }] of ended.entries()) {
    assert.deepEqual([moved.requesting.outcome?.kind, moved.requesting.outcome?.['code']], ['refusedBySender', '10'], names[i]);
    assert.deepEqual([moved.sending?.outcome?.kind, moved.sending?.outcome?.['code']], ['refusedByUs', '10'], names[i]);
  }
});

/** Begins the move, waits for a note of the timeline, and gives what comes of it. */
async function movingUntil(name: string, note: RegExp): Promise<{ finished: ReturnType<TestWorld['move']>; done: () => boolean }> {
  let done = false;
  const finished = here.move(name).finally(() => {
    done = true;
  });
  // Whoever waits for the note must not miss that it failed before.
  finished.catch(() => undefined);
  const { move } = here.told(name);
  await until(`${name}: ${note}`, async () => {
    for (const practice of [move.from, move.to]) {
      const url = `${here.world.nodeUrls[practice.side][0]}/api/practices/${practice.ods}/transfers`;
      const init = { headers: { authorization: `Bearer ${practice.apiKey}` } };
      const { transfers } = (await ask(`${url}?nhsNumber=${move.nhsNumber}`, init)) as { transfers: { transferId: string }[] };
      for (const { transferId } of transfers) {
        const { entries } = (await ask(`${url}/${transferId}/timeline`, init)) as { entries: { note: string }[] };
        if (entries.some((entry) => note.test(entry.note))) return true;
      }
    }
    return done;
  });
  return { finished, done: () => done };
}

async function kill(name: string): Promise<void> {
  const program = here.world.programs.get(name);
  assert.ok(program);
  program.kill('SIGKILL');
  await program.ended;
}

async function isWhole(finished: ReturnType<TestWorld['move']>): Promise<void> {
  const { moved, summary } = await finished;
  assert.equal(summary.outcome, 'integrated', JSON.stringify(moved.requesting));
  assert.deepEqual(summary.missing, []);
  for (const { sha256Sent, sha256Received } of summary.documents) assert.ok(sha256Sent && sha256Sent === sha256Received);
  assert.equal((await filings(moved.requesting.transferId)).length, 1);
}

test("while the previous practice's system is down the transfer waits, and completes when it is back", async () => {
  await kill('north-system');
  const { finished, done } = await movingUntil('system down', /request was accepted/);
  await sleep(3_000);
  assert.equal(done(), false);
  await here.world.restart('north-system');
  await isWhole(finished);
});

test('while Spine is away nothing completes and nothing is lost; when it is back the transfer goes on', async () => {
  const { finished, done } = await movingUntil('hub killed', /core is queued|core left/);
  await kill('spine');
  await sleep(4_000);
  assert.equal(done(), false);
  await here.world.restart('spine');
  await isWhole(finished);
});

test('nodes killed in the midst of a transfer go on with it, and the record is filed once', async () => {
  const { finished, done } = await movingUntil('node killed', /core came/);
  assert.equal(done(), false);
  await Promise.all(['south-1', 'north-1'].map(kill));
  await Promise.all(['south-1', 'north-1'].map((name) => here.world.restart(name)));
  await isWhole(finished);
});

test('a database that is killed under running nodes comes back with all that was said, and the transfer completes', async () => {
  const { finished } = await movingUntil('database killed', /Request sent/);
  process.kill(here.world.database.pid, 'SIGKILL');
  await until('the server has ended', () => spawnSync('kill', ['-0', String(here.world.database.pid)]).status !== 0);
  await here.world.restartDatabase();
  await isWhole(finished);
});

test('every decision of both sides is made again from what was kept beside it', async () => {
  assert.ok((await allDecidedAgain(here)) > 50);
});
