/** One hop with nothing but what no node can do without: `bare-hop.ts receive|send CERTIFICATES FOLDER-or-URL DOCUMENTS BYTES`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Decoded bytes of one message, as a node cuts them, and messages at the same time. */
const PIECE = 3_700_000;
const AT_ONCE = 8;

const [role, certificates = '', where = '', documents, bytes] = process.argv.slice(2);
const pem = (name: string) => readFileSync(join(certificates, name));
const tls = { ca: pem('authority.pem'), minVersion: 'TLSv1.3' as const };
if (role === 'receive') receive();
else await send();

function receive(): void {
  let number = 0;
  const identity = { ...tls, cert: pem('south-1.pem'), key: pem('south-1.key'), requestCert: true };
  const server = createServer(identity, (message, answer) => void keep(message, answer, join(where, `bare-${number++}`)));
  server.listen(0, '127.0.0.1', () => process.send?.(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`));
}

async function keep(message: AsyncIterable<Buffer>, answer: ServerResponse, path: string): Promise<void> {
  const file = await open(path, 'w');
  const hash = createHash('sha256');
  let rest = '';
  for await (const chunk of message) {
    const text = rest + chunk.toString('latin1');
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    const decoded = Buffer.from(text.slice(0, whole), 'base64');
    hash.update(decoded);
    await file.write(decoded);
  }
  await file.datasync();
  await file.close();
  answer.end(hash.digest('hex'));
}

async function send(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const identity = { ...tls, cert: pem('north-1.pem'), key: pem('north-1.key'), servername: 'south-1.gp2gp.invalid', agent };
  const piece = Buffer.alloc(PIECE, 7);
  const from = performance.now();
  let left = Number(documents) * Number(bytes);
  const turn = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(PIECE, left);
      left -= size;
      await new Promise<void>((done, fail) => {
        const sent = request(where, { ...identity, method: 'POST' }, (answer) => answer.resume().once('end', done));
        sent.once('error', fail);
        sent.end(piece.subarray(0, size).toString('base64'), 'latin1');
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
  const seconds = (performance.now() - from) / 1000;
  agent.destroy();
  process.send?.(seconds, () => process.disconnect());
}
