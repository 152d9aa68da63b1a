import { Fault } from '../../base/errors.ts';

/** A queue as the existing adaptors' settings name it. */
export type QueueSettings = {
  /** Tried in order. */
  readonly brokers: readonly Broker[];
  readonly queue: string;
  /** How the broker wants a queue addressed, `{queue}` being its name: RabbitMQ's first plug-in takes `/queue/{queue}` too. */
  readonly address?: string;
};
export type Broker = {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** SASL PLAIN; anonymous without. */
  readonly username?: string;
  readonly password?: string;
};

export function addressOf({ queue, address = '{queue}' }: Pick<QueueSettings, 'queue' | 'address'>): string {
  return address.replace('{queue}', queue);
}

/**
 * Reads what suppliers write into the broker variables: a list with commas, `failover:(a,b)?options`, the console's `amqp+ssl://`, and a
 * service bus address with its key behind semicolons. User and password given apart stand above those in an address. Throws a `Fault`.
 */
export function readBrokers(text: string, credentials: { readonly username?: string; readonly password?: string } = {}): Broker[] {
  const inside = /^failover:(?:\/\/)?\(([^)]*)\)/.exec(text.trim())?.[1] ?? text;
  const brokers = inside
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
    .map((each) => readBroker(each, credentials));
  if (brokers.length === 0)
    throw new Fault('queue.broker', 'no broker is named', { remedy: 'name one as amqp://host:5672 or amqps://host:5671' });
  return brokers;
}

function readBroker(text: string, { username, password }: { readonly username?: string; readonly password?: string }): Broker {
  // `amqps://name.servicebus.windows.net/;SharedAccessKeyName=policy;SharedAccessKey=key`
  const [address = '', ...settings] = text.split(';');
  const shared = new Map(settings.map((each) => [each.slice(0, each.indexOf('=')).trim(), each.slice(each.indexOf('=') + 1)]));
  const url = URL.parse(address.replace(/^amqp\+ssl:/i, 'amqps:'));
  const tls = url?.protocol === 'amqps:';
  if (!url || (!tls && url.protocol !== 'amqp:'))
    throw new Fault('queue.broker', `${address.replace(/\/\/[^@/]*@/, '//…@').slice(0, 120)} is no address of a broker`, {
      remedy: 'write it as amqp://host:5672 or amqps://host:5671',
    });
  const user = username || shared.get('SharedAccessKeyName') || decodeURIComponent(url.username);
  const key = password || shared.get('SharedAccessKey') || decodeURIComponent(url.password);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || (tls ? 5671 : 5672)),
    tls,
    ...(user && { username: user }),
    ...(key && { password: key }),
  };
}
