import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Fault, reasonOf } from '../base/errors.ts';
import type { Objects } from '../objects/objects.ts';
import { type EndpointOptions, messageEndpoint } from '../spine/endpoint.ts';
import type { SwappableClient } from '../web/client.ts';
import { identityProblems } from '../web/identity.ts';
import { Problem } from '../web/problem.ts';
import { createServer, swapIdentity } from '../web/server.ts';
import type { TlsIdentity } from '../web/tls.ts';
import { type Certificates, type IdentityFiles, watchCertificates } from './certificates.ts';
import { hasRoom } from './health.ts';
import type { Metrics } from './metrics.ts';

export type ListenerOptions = {
  readonly identity: TlsIdentity;
  /** Where the identity lies and may change; `null` where it came as text. */
  readonly files: IdentityFiles | null;
  readonly registeredName: string | undefined;
  readonly peerNames: readonly string[] | undefined;
  /** Our client towards Spine: it shows the same certificate. */
  readonly client: SwappableClient;
  readonly endpoint: EndpointOptions;
  readonly objects: Objects;
  readonly metrics: Pick<Metrics, 'alert'>;
  readonly log: Logger;
  readonly now: () => Date;
  /** Told to stop: each answer asks the other side to open no more requests on its connection. */
  readonly isStopping: () => boolean;
  readonly onFault: (thrown: unknown, where: { readonly method: string; readonly route: string }) => void;
};

/** Throws a `Fault` `config.certificate` that lists everything that keeps the identity from working. */
export function demandUsable(identity: TlsIdentity, now: Date, registeredName?: string): void {
  const wrong = identityProblems(identity, now, registeredName);
  if (wrong.length === 0) return;
  throw new Fault('config.certificate', `the certificate of spine.tls cannot be used:\n${wrong.map((each) => `  ${each}`).join('\n')}`, {
    remedy: 'Put the right files in their place; nothing was started.',
  });
}

/** The listener for Spine with its identity watched. Nothing listens yet. */
export async function createListener(
  options: ListenerOptions,
): Promise<{ readonly server: FastifyInstance; readonly certificates: Certificates }> {
  const { identity, files, registeredName, peerNames, client, objects, metrics, log, now, isStopping } = options;
  const server = createServer({
    tls: identity,
    ...(peerNames && { peerNames }),
    onFault: options.onFault,
    onTlsFault: ({ message, remedy }) => {
      metrics.alert('peer.refused');
      log.warn({ fault: message, remedy }, 'a connection was not let in');
    },
  });
  const certificates = watchCertificates({
    identity,
    files,
    ...(registeredName !== undefined && { host: registeredName }),
    now,
    apply(next) {
      swapIdentity(server, next);
      client.swap(next);
    },
    tell(code, text, remedy) {
      if (code !== 'certificate.exchanged') metrics.alert(code);
      log[code === 'certificate.exchanged' ? 'info' : 'warn']({ code, ...(remedy !== undefined && { remedy }) }, text);
    },
  });
  let hadRoom = true;
  server.addHook('onRequest', async (_request, reply) => {
    if (isStopping()) reply.header('connection', 'close');
    const room = await hasRoom(objects).catch((error: unknown) => {
      log.error({ fault: reasonOf(error) }, 'the object store does not say how much room there is');
      return false;
    });
    // Spine asks again and again: the log is told when it begins and when it is over.
    if (room !== hadRoom) {
      hadRoom = room;
      if (room) log.info('there is room again: messages are accepted');
      else log.warn({ code: 'disk.full', remedy: 'free some space where objects are kept' }, 'too little room: no message is accepted');
    }
    if (room) return;
    metrics.alert('disk.full');
    throw new Problem(503, 'disk.full', 'no message can be accepted at the moment; send it again');
  });
  await messageEndpoint(server, options.endpoint);
  return { server, certificates };
}
