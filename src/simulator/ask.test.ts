import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

test('a connection that ends while its reader is behind ends no process, and the reader has the whole body, whoever else asks', async () => {
  // More than a reader holds back; then the rest, together with the end of the connection.
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 180000\r\n\r\n${'x'.repeat(140_000)}`);
      setTimeout(() => socket.end('x'.repeat(40_000)), 100);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    // Whoever comes first, the engine's `fetch` or the library, makes its agent the one of everybody who brings none.
    await (await fetch(url)).arrayBuffer();
    const { ask } = await import('./ask.ts');
    const answer = await ask(url, {});
    await sleep(300);
    let bytes = 0;
    for await (const piece of answer.body) {
      bytes += piece.byteLength;
      await sleep(5);
    }
    assert.equal(bytes, 180_000);
  } finally {
    server.close();
  }
});
