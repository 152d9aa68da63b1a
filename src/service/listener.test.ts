import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import type { Objects } from '../objects/objects.ts';
import { memoryObjects } from '../spine/testing.ts';
import { createClient, discard } from '../web/client.ts';
import { listen } from '../web/server.ts';
import { testAuthority, testIdentity } from '../web/testing.ts';
import { createListener } from './listener.ts';

test('with too little room each message is to come again, and the log is told when that begins and when it is over', async () => {
  const identity = await testIdentity(await testAuthority('Spine'), 'localhost');
  const lines: string[] = [];
  const alerts: string[] = [];
  let free = 1e12;
  const objects: Objects = { ...memoryObjects(), space: async () => ({ free, total: 1e12 }) };
  const client = createClient({ tls: identity });
  const { server, certificates } = await createListener({
    identity,
    files: null,
    registeredName: undefined,
    peerNames: undefined,
    client,
    endpoint: {
      objects,
      accept: () => Promise.reject(new Error('nothing comes so far')),
      ownsPartyKey: () => false,
      now: () => new Date(),
      isOurs: async () => false,
      acknowledged: async () => undefined,
      forward: null,
      alert: () => undefined,
    },
    objects,
    metrics: { alert: (code) => void alerts.push(code) },
    log: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }),
    now: () => new Date(),
    isStopping: () => false,
    onFault: () => undefined,
  });
  const url = (await listen(server)).replace('127.0.0.1', 'localhost');
  try {
    const post = async () => {
      const answer = await client.request({
        method: 'POST',
        url,
        body: Buffer.from('no message'),
        headers: { 'content-type': 'text/plain' },
      });
      await discard(answer);
      return answer.status;
    };
    const told = () => lines.splice(0).map((line) => (JSON.parse(line) as { msg: string }).msg);
    // The certificate of a test is good for some days only, and that has been told.
    told();
    alerts.length = 0;
    assert.notEqual(await post(), 503);
    assert.deepEqual(told(), []);
    free = 1e9;
    assert.equal(await post(), 503);
    assert.equal(await post(), 503);
    assert.deepEqual(told(), ['too little room: no message is accepted']);
    assert.deepEqual(alerts, ['disk.full', 'disk.full']);
    free = 1e12;
    assert.notEqual(await post(), 503);
    assert.notEqual(await post(), 503);
    assert.deepEqual(told(), ['there is room again: messages are accepted']);
  } finally {
    certificates.close();
    await client.close();
    await server.close();
  }
});
