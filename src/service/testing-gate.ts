import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A door before a program's port or socket. */
export type Gate = {
  readonly port: number;
  /** Every connection is cut, and none is taken. */
  shut(): void;
  open(): void;
  /** So many answers from now on do not come through: a connection ends as soon as one begins, when what was asked for is done. */
  loseAnswers(count: number): void;
  /** How many did not. */
  lost(): number;
  close(): Promise<void>;
};

/** `delayMs`: how long everything that goes in is held up. */
export async function openGate(to: number | string, delayMs = 0): Promise<Gate> {
  let shut = false;
  let [losing, lost] = [0, 0];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (shut) {
      socket.destroy();
      return;
    }
    const onward = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        onward.destroy();
      });
    }
    onward.on('data', () => {
      if (losing === 0) return;
      losing--;
      lost++;
      onward.unpipe(socket);
      socket.destroy();
    });
    onward.pipe(socket);
    if (delayMs === 0) socket.pipe(onward);
    else
      socket.on('data', (chunk) => {
        void sleep(delayMs).then(() => onward.write(chunk));
      });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    shut() {
      shut = true;
      cut();
    },
    open() {
      shut = false;
    },
    loseAnswers(count) {
      losing = count;
    },
    lost: () => lost,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        cut();
      }),
  };
}
