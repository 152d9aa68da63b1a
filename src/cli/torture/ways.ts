/** The ways between programs: bytes pass, until a fault lies on one. TLS passes too; nobody looks into it. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Fault } from '../../base/errors.ts';

/**
 * `refuse`: nobody listens, and what was open is cut. `hang`: connections are taken and nothing moves on any of them. `cut`: a
 * connection ends as soon as something was sent on it, so that nobody knows how much of it arrived.
 */
export type Trouble = 'refuse' | 'hang' | 'cut';
export type Ways = {
  /** Opens a way to a program's port on this machine; resolves with the port by which others are to reach it. */
  open(name: string, port: number): Promise<number>;
  lay(name: string, trouble: Trouble): Promise<void>;
  clear(name: string): Promise<void>;
  close(): Promise<void>;
};

type Way = { readonly to: number; readonly port: number; server: Server; trouble: Trouble | null; readonly pairs: Set<Pair> };
type Pair = { readonly near: Socket; readonly far: Socket };

export function createWays(): Ways {
  const ways = new Map<string, Way>();
  const wayTo = (name: string): Way => {
    const way = ways.get(name);
    if (!way) throw new Fault('torture.way', `there is no way to ${name}`);
    return way;
  };
  return {
    async open(name, to) {
      const pairs = new Set<Pair>();
      const server = createServer((near) => pass(wayTo(name), near));
      const port = await listen(server, 0);
      ways.set(name, { to, port, server, trouble: null, pairs });
      return port;
    },
    async lay(name, trouble) {
      const way = wayTo(name);
      way.trouble = trouble;
      if (trouble === 'refuse') await shut(way);
      if (trouble === 'hang') for (const { near, far } of way.pairs) hold(near, far);
    },
    async clear(name) {
      const way = wayTo(name);
      const was = way.trouble;
      way.trouble = null;
      if (was === 'refuse') {
        way.server = createServer((near) => pass(way, near));
        await listen(way.server, way.port);
      }
      for (const { near, far } of way.pairs) {
        near.resume();
        far.resume();
      }
    },
    async close() {
      for (const way of ways.values()) if (way.trouble !== 'refuse') await shut(way);
      ways.clear();
    },
  };
}

function pass(way: Way, near: Socket): void {
  const far = connect(way.to, '127.0.0.1');
  const pair = { near, far };
  way.pairs.add(pair);
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    socket.setNoDelay(true);
    // Whatever happens to one end happens to the other.
    socket.once('close', () => {
      way.pairs.delete(pair);
      other.destroy();
    });
    socket.on('error', () => other.destroy());
    socket.on('end', () => other.end());
    socket.on('drain', () => {
      if (way.trouble !== 'hang') other.resume();
    });
    socket.on('data', (chunk: Buffer) => {
      if (!other.write(chunk)) socket.pause();
      if (way.trouble === 'cut') other.end(() => socket.destroy());
    });
  }
  if (way.trouble === 'hang') hold(near, far);
}

function hold(...sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.pause();
}

async function shut({ server, pairs }: Way): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  for (const { near, far } of pairs) {
    near.destroy();
    far.destroy();
  }
  await closed;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}
