/** Connections to a broker over AMQP 1.0, for `publish.ts` and `consume.ts`: each is used until anything of it ends, and is then let go of whole. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import rhea, { type Connection, type ConnectionOptions, type EventContext } from 'rhea';
import { Fault, reasonOf } from '../../base/errors.ts';
import type { Broker } from './brokers.ts';

export type { Message } from 'rhea';

const CONNECT_MS = 10_000;
/** How long a broker may take to answer. */
export const ANSWER_MS = 30_000;
const IDLE_MS = 30_000;
const CLOSE_MS = 1_000;
/** Terminus durability `unsettled-state`: a broker that makes queues on demand makes one that outlives it. */
export const KEPT = 2;

/**
 * Every way in which a link, the session that it runs in, or the connection below them ends. A broker may end the session alone and go on
 * with the heartbeats of the connection (RabbitMQ does where it stumbles), so that none of these may be left out.
 */
const ENDS = [
  'sender_error',
  'sender_close',
  'receiver_error',
  'receiver_close',
  'session_error',
  'session_close',
  'connection_error',
  'connection_close',
  'protocol_error',
  'error',
  'disconnected',
] as const;

export type Opened = {
  readonly connection: Connection;
  /** Resolves with the reason when the connection, or anything that runs over it, has ended. Never rejects. */
  readonly ended: Promise<string>;
  /**
   * Resolves when the broker cannot take the connection for alive any more: until then it would hold on to what it has given out over it.
   */
  shut(): Promise<void>;
};

/** Connects to the first of the brokers that takes us. Throws a `Fault` `queue.unreachable`. */
export async function openConnection(brokers: readonly Broker[]): Promise<Opened> {
  const faults: string[] = [];
  for (const broker of brokers) {
    const opened = connect(broker);
    const why = await within(opened, CONNECT_MS, (done) => opened.connection.once('connection_open', done));
    if (why === null) return opened;
    void opened.shut();
    faults.push(`${broker.host}:${broker.port}: ${why}`);
  }
  throw new Fault('queue.unreachable', `no broker takes us: ${faults.join('; ')}`, {
    remedy: 'check the addresses, the user and the password, and whether a broker runs that speaks AMQP 1.0',
  });
}

/** Waits until `listen` calls back. `null` when it did; else why it never will, or that the time is over. */
export async function within({ ended }: Opened, ms: number, listen: (done: () => void) => void): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((done) => {
    timer = setTimeout(() => done('no answer'), ms);
  });
  const happened = new Promise<null>((done) => listen(() => done(null)));
  try {
    return await Promise.race([happened, ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

function connect({ host, port, tls, username, password }: Broker): Opened {
  const connection = rhea.create_container().connect({
    host,
    port,
    reconnect: false,
    idle_time_out: IDLE_MS,
    // Some brokers let each name in once.
    container_id: `gp2gp-${randomUUID()}`,
    ...(tls && { transport: 'tls', servername: host, rejectUnauthorized: true }),
    ...(username !== undefined && { username, password: password ?? '' }),
  } as ConnectionOptions);
  // Not among the library's declared members; it has no other way to end a connection that the broker does not end.
  const { socket } = connection as unknown as { readonly socket: Socket };
  const gone = new Promise<void>((done) => socket.once('close', () => done()));
  const ended = new Promise<string>((done) => {
    for (const end of ENDS) connection.on(end, (context: EventContext | Error) => done(errorText(context)));
    socket.once('close', () => done('the connection was cut'));
  });
  return {
    connection,
    ended,
    async shut() {
      connection.close();
      const timer = setTimeout(() => socket.destroy(new Error('closed')), CLOSE_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

function errorText(context: EventContext | Error): string {
  if (context instanceof Error) return reasonOf(context);
  const { error, connection, session, receiver, sender } = context;
  const found = error ?? receiver?.error ?? sender?.error ?? session?.error ?? connection?.error;
  if (found instanceof Error) return reasonOf(found);
  const { condition, description } = (found ?? {}) as { condition?: string; description?: string };
  return [condition, description?.slice(0, 500)].filter(Boolean).join(': ') || 'without a reason';
}
