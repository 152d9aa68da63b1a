/**
 * The chain without logic, each part a process of its own: a sender with a durable spool, a hub that keeps what comes, says so, and carries
 * it on, and a receiver that decodes, hashes, writes, syncs, and commits one row for each message before it answers. All over mutual TLS.
 * `bare-chain.ts receive CERTIFICATES FOLDER DATABASE`, `hub CERTIFICATES FOLDER URL`, `send CERTIFICATES FOLDER URL`.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';

/** What the sender is told to send: the bytes of each message, all messages of one transfer after another. */
export type Order = { readonly sizes: readonly number[] };

const AT_ONCE = 8;
/** Pieces are gathered before they are written: TLS gives 16 kB at a time. */
const WRITE = 262_144;
const PEER = { south: 'south-1.gp2gp.invalid', hub: 'spine.gp2gp.invalid' };

const [role, certificates = '', folder = '', where = ''] = process.argv.slice(2);
const pem = (name: string) => readFileSync(join(certificates, name));
const tls = (name: string) => ({
  ca: pem('authority.pem'),
  minVersion: 'TLSv1.3' as const,
  cert: pem(`${name}.pem`),
  key: pem(`${name}.key`),
});
// Not known until every message has arrived: whoever asks is told the process's highest memory.
process.on('message', (said) => {
  if (said === 'peak') process.send?.({ peak: process.resourceUsage().maxRSS * 1024 });
});
if (role === 'receive') receive();
else if (role === 'hub') hub();
else send();

function receive(): void {
  const pool = new pg.Pool({ connectionString: where, max: AT_ONCE });
  let number = 0;
  listenAs('south-1', async (message, answer) => {
    const mine = number++;
    const path = join(folder, `received-${mine}`);
    const hash = createHash('sha256');
    let rest = '';
    await toFile(path, message, (chunk) => {
      const text = rest + chunk.toString('latin1');
      const whole = text.length - (text.length % 4);
      rest = text.slice(whole);
      const decoded = Buffer.from(text.slice(0, whole), 'base64');
      hash.update(decoded);
      return decoded;
    });
    await pool.query('insert into bare_inbox (number, sha256) values ($1, $2)', [mine, hash.digest('hex')]);
    answer.writeHead(202).end();
  });
  void pool.query('create table if not exists bare_inbox (number int, sha256 text)');
}

function hub(): void {
  const agent = new Agent({ ...tls('spine'), servername: PEER.south, keepAlive: true, maxSockets: AT_ONCE });
  let number = 0;
  listenAs('spine', async (message, answer) => {
    const path = join(folder, `hub-${number++}`);
    const bytes = await toFile(path, message, (chunk) => chunk);
    answer.writeHead(202).end();
    await post(where, agent, path, bytes);
    process.send?.('delivered');
  });
}

function send(): void {
  const agent = new Agent({ ...tls('north-1'), servername: PEER.hub, keepAlive: true, maxSockets: AT_ONCE });
  const text = randomBytes(6_000_000).toString('base64');
  let number = 0;
  const carryOut = async ({ sizes }: Order): Promise<void> => {
    let next = 0;
    const turn = async (): Promise<void> => {
      for (let at = next++; at < sizes.length; at = next++) {
        const path = join(folder, `sent-${number++}`);
        // Every message has bytes of its own, which cost nothing to make.
        const from = (at * 64) % 100_000;
        const body = Buffer.from(text.slice(from, from + (sizes[at] ?? 0)), 'latin1');
        await toFile(path, [body], (chunk) => chunk);
        await post(where, agent, path, body.byteLength);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, turn));
  };
  process.on('message', (order: Order | 'peak') => {
    if (order !== 'peak') void carryOut(order);
  });
}

function listenAs(name: string, keep: (message: AsyncIterable<Buffer>, answer: ServerResponse) => Promise<void>): void {
  const server = createServer({ ...tls(name), requestCert: true }, (message, answer) => {
    keep(message, answer).catch((thrown: unknown) => {
      console.error(thrown);
      process.exit(1);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`));
}

async function toFile(path: string, source: AsyncIterable<Buffer> | Iterable<Buffer>, change: (chunk: Buffer) => Buffer): Promise<number> {
  const file = await open(path, 'w');
  let bytes = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const flush = async (): Promise<void> => {
    await file.writev(held);
    held = [];
    heldBytes = 0;
  };
  for await (const chunk of source) {
    const piece = change(chunk);
    bytes += chunk.byteLength;
    held.push(piece);
    heldBytes += piece.byteLength;
    if (heldBytes >= WRITE) await flush();
  }
  if (held.length > 0) await flush();
  await file.datasync();
  await file.close();
  const home = await open(folder, 'r');
  await home.sync();
  await home.close();
  return bytes;
}

function post(url: string, agent: Agent, path: string, bytes: number): Promise<void> {
  return new Promise((done, fail) => {
    const sent = request(url, { agent, method: 'POST', headers: { 'content-length': bytes } }, (answer) => {
      if (answer.statusCode !== 202) fail(new Error(`HTTP ${answer.statusCode}`));
      answer.resume().once('end', done);
    });
    sent.once('error', fail);
    createReadStream(path, { highWaterMark: WRITE }).pipe(sent);
  });
}
