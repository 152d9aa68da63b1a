import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { makeClock } from '../clock.ts';
import { type Mesh, startMesh } from './mesh.ts';

const SHARED = 'shared by all';
const MAILBOXES = [
  { id: 'PRACTICE1', password: 'one', ods: 'A12345', workflows: ['GP2GP_MI', 'OTHER'] },
  { id: 'NATIONAL1', password: 'two', ods: 'X26', workflows: ['GP2GP_MI'] },
];
const clock = makeClock();
let folder: string;
let mesh: Mesh;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-mesh-'));
  await open();
});
after(async () => {
  await mesh.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<void> {
  mesh = await startMesh({ folder, mailboxes: MAILBOXES, sharedKey: SHARED, clock, chunkBytes: 1_000 });
}

type Token = { readonly nonce?: string; readonly count?: number; readonly password?: string; readonly at?: Date; readonly shared?: string };

function token(mailbox: string, { nonce = randomUUID(), count = 0, password, at = clock.now(), shared = SHARED }: Token = {}): string {
  const secret = password ?? MAILBOXES.find(({ id }) => id === mailbox)?.password ?? '';
  const stamp = at.toISOString().replace(/\D/g, '').slice(0, 12);
  const hash = createHmac('sha256', shared).update(`${mailbox}:${nonce}:${count}:${secret}:${stamp}`).digest('hex');
  return `NHSMESH ${mailbox}:${nonce}:${count}:${stamp}:${hash}`;
}

async function ask(
  mailbox: string,
  call: string,
  of: { headers?: Record<string, string>; body?: Uint8Array | string; authorization?: string } = {},
) {
  const [method = '', path = ''] = call.split(' ');
  const answer = await fetch(`${mesh.url}/messageexchange/${mailbox}${path}`, {
    method,
    headers: { authorization: of.authorization ?? token(mailbox), ...of.headers },
    ...(of.body !== undefined && { body: of.body }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const json = (): Record<string, unknown> => JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, bytes, json };
}

const OUT = { 'mex-to': 'NATIONAL1', 'mex-workflowid': 'GP2GP_MI' };

async function sent(headers: Record<string, string> = {}, body: Uint8Array | string = 'hello'): Promise<string> {
  const { status, json } = await ask('PRACTICE1', 'POST /outbox', { headers: { ...OUT, ...headers }, body });
  assert.equal(status, 202);
  return String(json()['messageID']);
}
const inbox = async (mailbox: string, query = ''): Promise<string[]> =>
  (await ask(mailbox, `GET /inbox${query}`)).json()['messages'] as string[];
const collect = (id: string, mailbox = 'NATIONAL1') => ask(mailbox, `PUT /inbox/${id}/status/acknowledged`);

test('a mailbox is let in by its hash, once for each nonce and count, within two hours', async () => {
  const hello = { 'mex-clientversion': 'x', 'mex-osname': 'y', 'mex-osversion': 'z' };
  const shake = async (authorization: string, headers: Record<string, string> = hello) =>
    (await ask('PRACTICE1', 'POST ', { authorization, headers })).status;
  const good = token('PRACTICE1');
  assert.equal(await shake(good), 200);
  assert.equal(await shake(good), 403);
  const nonce = randomUUID();
  assert.equal(await shake(token('PRACTICE1', { nonce, count: 1 })), 200);
  assert.equal(await shake(token('PRACTICE1', { nonce, count: 2 })), 200);
  assert.equal(await shake(token('PRACTICE1', { password: 'wrong' })), 403);
  assert.equal(await shake(token('PRACTICE1', { shared: 'wrong' })), 403);
  assert.equal(await shake(token('NATIONAL1')), 403);
  for (const hours of [-3, 3])
    assert.equal(await shake(token('PRACTICE1', { at: new Date(clock.now().getTime() + hours * 3_600_000) })), 403);
  assert.equal(await shake(good.replace('NHSMESH ', 'NHSMESH  ')), 403);
  assert.equal(await shake(token('PRACTICE1'), { 'mex-clientversion': 'x' }), 400);
  assert.equal((await ask('NOBODY', 'GET /inbox')).status, 403);
});

test('a file goes from outbox to inbox with its headers, and is there until it is acknowledged', async () => {
  const zipped = gzipSync('events');
  const id = await sent({ 'mex-filename': 'mi.json', 'mex-localid': 'L1', 'mex-subject': 's', 'content-encoding': 'gzip' }, zipped);
  assert.ok((await inbox('NATIONAL1')).includes(id));
  assert.deepEqual(await inbox('PRACTICE1'), []);
  const got = await fetch(`${mesh.url}/messageexchange/NATIONAL1/inbox/${id}`, { headers: { authorization: token('NATIONAL1') } });
  assert.equal(got.status, 200);
  for (const [name, value] of Object.entries({
    'mex-filename': 'mi.json',
    'mex-localid': 'L1',
    'mex-from': 'PRACTICE1',
    'mex-messagetype': 'DATA',
  }))
    assert.equal(got.headers.get(name), value);
  assert.equal(await got.text(), 'events');
  const status = async () => (await ask('PRACTICE1', `GET /outbox/tracking?messageID=${id}`)).json()['status'];
  assert.equal(await status(), 'accepted');
  assert.equal((await collect(id)).status, 200);
  assert.equal(await status(), 'acknowledged');
  assert.ok(!(await inbox('NATIONAL1')).includes(id));
  assert.equal((await ask('NATIONAL1', `GET /inbox/${id}`)).status, 410);
  assert.equal((await ask('PRACTICE1', 'GET /outbox/tracking/L1')).json()['messageId'], id);
});

test('a file in chunks is seen when the last has come, and is fetched chunk by chunk', async () => {
  const pieces = ['first ', 'second ', 'third'].map((text) => gzipSync(text));
  const headers = { 'content-encoding': 'gzip' };
  const id = await sent({ ...headers, 'mex-chunk-range': '1:3' }, pieces[0] ?? '');
  assert.ok(!(await inbox('NATIONAL1')).includes(id));
  const next = (n: number, range: string, more: Record<string, string> = headers) =>
    ask('PRACTICE1', `POST /outbox/${id}/${n}`, { headers: { ...more, 'mex-chunk-range': range }, body: pieces[n - 1] ?? 'x' });
  assert.equal((await next(3, '3:3')).status, 417);
  assert.equal((await next(2, '2:4')).status, 417);
  assert.equal((await next(4, '4:4')).status, 406);
  assert.equal((await next(2, '2:3', {})).status, 417);
  assert.equal((await next(2, '2:3')).status, 202);
  assert.equal((await next(3, '3:3')).status, 202);
  assert.equal((await next(3, '3:3')).status, 423);
  assert.ok((await inbox('NATIONAL1')).includes(id));
  let text = '';
  for (const [n, status] of [206, 206, 200].entries()) {
    const part = await fetch(`${mesh.url}/messageexchange/NATIONAL1/inbox/${id}/${n + 1}`, {
      headers: { authorization: token('NATIONAL1') },
    });
    assert.equal(part.status, status);
    assert.equal(part.headers.get('mex-chunk-range'), `${n + 1}:3`);
    text += await part.text();
  }
  assert.equal(text, 'first second third');
  assert.equal(gunzipSync(Buffer.concat(pieces)).toString(), text);
  await collect(id);
});

test('what is sent wrongly is refused with its code', async () => {
  const refused = async (headers: Record<string, string>, body: string = 'x') => {
    const { status, json } = await ask('PRACTICE1', 'POST /outbox', { headers, body });
    return [status, json()['errorCode']];
  };
  assert.deepEqual(await refused({ 'mex-workflowid': 'GP2GP_MI' }), [400, '08']);
  assert.deepEqual(await refused({ 'mex-to': 'NATIONAL1' }), [400, '06']);
  assert.deepEqual(await refused({ ...OUT, 'mex-to': 'NOBODY' }), [417, '12']);
  assert.deepEqual(await refused({ ...OUT, 'mex-workflowid': 'OTHER' }), [417, '17']);
  assert.deepEqual(await refused({ ...OUT, 'mex-from': 'NATIONAL1' }), [400, '07']);
  assert.deepEqual(await refused(OUT, ''), [400, '02']);
  assert.equal((await ask('PRACTICE1', 'POST /outbox', { headers: OUT, body: Buffer.alloc(1_001) })).status, 413);
  const v2 = await ask('PRACTICE1', 'POST /outbox', {
    headers: { ...OUT, 'mex-to': 'NOBODY', accept: 'application/vnd.mesh.v2+json' },
    body: 'x',
  });
  assert.deepEqual((v2.json()['detail'] as { code: string }[])[0]?.code, '12');
});

test('what nobody collects in five days comes back as a report, across a restart too', async () => {
  const id = await sent({ 'mex-localid': 'L9' });
  await mesh.close();
  await open();
  assert.ok((await inbox('NATIONAL1')).includes(id));
  clock.move(5 * 24 * 3_600_000 + 1_000);
  const reports = await inbox('PRACTICE1');
  const found = await Promise.all(reports.map((one) => ask('PRACTICE1', `GET /inbox/${one}`)));
  const report = found.find(({ headers }) => headers.get('mex-linkedmsgid') === id);
  assert.ok(report);
  assert.deepEqual(
    ['mex-messagetype', 'mex-statuscode', 'mex-localid'].map((name) => report.headers.get(name)),
    ['REPORT', '14', 'L9'],
  );
  assert.equal(report.bytes.byteLength, 0);
  assert.ok(!(await inbox('NATIONAL1')).includes(id));
  assert.equal((await ask('PRACTICE1', `GET /outbox/tracking?messageID=${id}`)).json()['status'], 'undeliverable');
});

test('mailboxes are found by organisation and workflow, and an inbox is listed by workflow', async () => {
  const look = async (ods: string, workflow: string) => {
    const answer = await fetch(`${mesh.url}/messageexchange/endpointlookup/${ods}/${workflow}`);
    return ((await answer.json()) as { results: { address: string }[] }).results.map(({ address }) => address);
  };
  assert.deepEqual(await look('x26', 'GP2GP_MI'), ['NATIONAL1']);
  assert.deepEqual(await look('X26', 'OTHER'), []);
  const id = await sent();
  assert.ok((await inbox('NATIONAL1', '?workflow_filter=GP2GP*')).includes(id));
  assert.deepEqual(await inbox('NATIONAL1', '?workflow_filter=!GP2GP_MI'), []);
  await collect(id);
});

test('an answer that is lost leaves the message sent: sent again, it is there twice', async () => {
  const before = (await inbox('NATIONAL1')).length;
  mesh.setSwitches({ loseAnswer: true, times: 1 });
  await assert.rejects(ask('PRACTICE1', 'POST /outbox', { headers: OUT, body: 'once' }));
  await sent({}, 'once');
  assert.equal((await inbox('NATIONAL1')).length, before + 2);
  mesh.setSwitches({ status: 500, times: 1 });
  assert.equal((await ask('PRACTICE1', 'GET /inbox')).status, 500);
  assert.equal((await ask('PRACTICE1', 'GET /inbox')).status, 200);
  mesh.setSwitches({ outage: true });
  await assert.rejects(ask('PRACTICE1', 'GET /inbox'));
  mesh.setSwitches({});
});
