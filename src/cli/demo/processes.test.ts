import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from './processes.ts';

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
