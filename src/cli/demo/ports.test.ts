import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from './ports.ts';

test('ports for programs that are started again are free, different, and none that an outgoing connection may be given', async () => {
  const ports = await freePorts(50);
  assert.equal(new Set(ports).size, 50);
  const servers = await Promise.all(
    ports.map(async (port) => {
      assert.ok(port >= 10_000 && port < 32_000, String(port));
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  for (const server of servers) server.close();
});

test('a port that was given out is not given out again, though nobody listens there yet', async () => {
  const before = new Set<number>();
  // Of 22,000 numbers, 600 drawn at random hold some eight twice.
  for (let i = 0; i < 6; i++) {
    for (const port of await freePorts(100)) {
      assert.ok(!before.has(port), String(port));
      before.add(port);
    }
  }
});
