import type { FastifyInstance } from 'fastify';
import { practiceApi } from '../gp-system/api.ts';
import type { Practice } from '../store/practices.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { practiceActions } from './practice-actions.ts';
import type { Practices } from './practices.ts';

export type NodeApiOptions = {
  readonly name: string;
  readonly actions: ReturnType<typeof practiceActions>;
  readonly practices: Practices;
  /** The practices as they were when the node started. */
  readonly served: readonly Practice[];
  /** `whole`: with what only warns. */
  readonly health: (whole: boolean) => Promise<Health>;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** Told to stop: each answer asks the other side to open no more requests on its connection. */
  readonly isStopping: () => boolean;
};

/** What a node offers on its own network: its practices' systems theirs, and whoever watches it health and figures. */
export async function openNodeApi(
  api: FastifyInstance,
  { name, actions, practices, served, health, metrics, isStopping }: NodeApiOptions,
): Promise<void> {
  let known = served;
  api.addHook('onRequest', async (_request, reply) => {
    if (isStopping()) reply.header('connection', 'close');
    // Without a database a key is still known; what it asks for fails by itself.
    known = await practices.all().catch(() => known);
  });
  await practiceApi(api, { actions, practices: () => known });
  api.get('/health', async (_request, reply) => {
    const seen = await health(true);
    return reply.code(seen.ok ? 200 : 503).send({ name, ...seen });
  });
  // As the existing adaptors have it: their orchestration asks here.
  api.get('/healthcheck', async (_request, reply) => {
    const { ok } = await health(false);
    return reply.code(ok ? 200 : 503).send({ status: ok ? 'UP' : 'DOWN' });
  });
  api.get('/health/live', async () => ({ ok: true }));
  api.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
