import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWays } from './ways.ts';

const heard: string[] = [];
const echo = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    heard.push(chunk.toString());
    socket.write(`heard ${chunk.toString()}`);
  });
});
await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
const address = echo.address();
const ways = createWays();
const port = await ways.open('echo', typeof address === 'object' && address ? address.port : 0);
after(async () => {
  await ways.close();
  echo.close();
});

async function opened(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function answerTo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

test('bytes pass in both directions', async () => {
  const socket = await opened();
  assert.equal(await answerTo(socket, 'one'), 'heard one');
  socket.destroy();
});

test('a way that refuses cuts what was open, takes nobody, and passes again at the same port', async () => {
  const before = await opened();
  before.on('error', () => undefined);
  const closed = once(before, 'close');
  await ways.lay('echo', 'refuse');
  await closed;
  await assert.rejects(opened(), { code: 'ECONNREFUSED' });
  await ways.clear('echo');
  const after = await opened();
  assert.equal(await answerTo(after, 'two'), 'heard two');
  after.destroy();
});

test('on a way that hangs nothing moves, on old connections or new, and then all of it does', async () => {
  const before = await opened();
  await ways.lay('echo', 'hang');
  const during = await opened();
  const answers = [answerTo(before, 'three'), answerTo(during, 'four')];
  const first = await Promise.race([...answers, sleep(300).then(() => 'nothing')]);
  assert.equal(first, 'nothing');
  await ways.clear('echo');
  assert.deepEqual(await Promise.all(answers), ['heard three', 'heard four']);
  before.destroy();
  during.destroy();
});

test('a way that cuts lets something through and no answer back', async () => {
  await ways.lay('echo', 'cut');
  const socket = await opened();
  socket.on('error', () => undefined);
  let answered = '';
  socket.on('data', (chunk: Buffer) => {
    answered += chunk.toString();
  });
  socket.write('five');
  await once(socket, 'close');
  await ways.clear('echo');
  assert.equal(answered, '');
  assert.ok(heard.includes('five'));
});
