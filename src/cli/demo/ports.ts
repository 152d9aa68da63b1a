/** Ports for programs that are to be found at the same address each time they are started. */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Fault } from '../../base/errors.ts';

/** Below the ports that systems give to outgoing connections: one of those may have the port of a program that is being started again. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000];
const TRIES = 1_000;

/**
 * Ports of the loopback address at which nobody listens, all different. As long as this process lives, no process of this machine is given
 * one of them again by this function: their numbers are held over UDP, which leaves them free for TCP.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > TRIES) throw new Fault('demo.ports', `there are not ${count} free ports between ${FIRST_PORT} and ${LAST_PORT}`);
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const claim = await claimed(port);
    if (!claim) continue;
    if (await nobodyListens(port)) ports.push(port);
    else claim.close();
  }
  return ports;
}

/** Null: somebody else has it. */
async function claimed(port: number): Promise<Socket | null> {
  const socket = createSocket('udp4').unref();
  try {
    const bound = once(socket, 'listening');
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await bound;
    return socket;
  } catch (thrown) {
    socket.close();
    return inUse(thrown);
  }
}

async function nobodyListens(port: number): Promise<boolean> {
  const server = createServer();
  try {
    const listening = once(server, 'listening');
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await listening;
  } catch (thrown) {
    return inUse(thrown) !== null;
  }
  await new Promise<void>((done) => server.close(() => done()));
  return true;
}

function inUse(thrown: unknown): null {
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE') return null;
  throw thrown;
}
