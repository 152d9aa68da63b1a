import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault, reasonOf } from '../../base/errors.ts';
import { serveAssets } from '../../web/assets.ts';
import { PAGE_HEADERS, sendPage } from '../../web/pages.ts';
import { Problem } from '../../web/problem.ts';
import { createServer, listen } from '../../web/server.ts';
import { BadRequest } from '../http.ts';
import { type Actions, actionsOn } from './actions.ts';
import { controlPage } from './page.ts';
import { type Services, stateOf } from './services.ts';

export type Control = { readonly url: string; close(): Promise<void> };

/** The page at `/` and the interface for programs below `/control`, on loopback only. */
export async function startControl(
  services: Services,
  options: { readonly port?: number; readonly log?: (line: string) => void },
): Promise<Control> {
  const server = createServer({ onFault: (thrown, { route }) => options.log?.(`${route}: ${reasonOf(thrown)}`) });
  const actions = actionsOn(services);
  server.addHook('onRequest', async (request) => refuseOthers(request));
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 65_536 }, (_request, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
  await serveAssets(server);
  forPrograms(server, services, actions);
  forPeople(server, services, actions);
  const url = await listen(server, { ...(options.port !== undefined && { port: options.port }) });
  return { url, close: () => server.close() };
}

/** A page of another site must not set anything here, whatever name it gives this machine. */
function refuseOthers(request: FastifyRequest): void {
  const { host = '', origin, 'sec-fetch-site': site } = request.headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) throw new Problem(403, 'host', 'this is for the machine itself');
  if (request.method === 'GET') return;
  const foreign =
    site !== undefined ? !['same-origin', 'none'].includes(String(site)) : origin !== undefined && origin !== `http://${host}`;
  if (foreign) throw new Problem(403, 'origin', 'another site may not set anything here');
}

function forPrograms(server: FastifyInstance, services: Services, actions: Actions): void {
  const carryOut = async (work: () => unknown): Promise<unknown> => {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof BadRequest) throw new Problem(thrown.status, thrown.code, thrown.message);
      if (thrown instanceof Fault) throw new Problem(409, thrown.code, thrown.message);
      throw thrown;
    }
  };
  const faults = () => services.hub?.faults.list() ?? [];
  const thenFaults = (work: () => void) =>
    carryOut(() => {
      work();
      return faults();
    });
  server.get('/control', () => stateOf(services));
  server.put('/control/clock', ({ body }) => carryOut(() => actions.clock(body)));
  server.put('/control/outages', ({ body }) =>
    carryOut(() => {
      actions.outages(body);
      return stateOf(services);
    }),
  );
  server.get('/control/faults', () => faults());
  server.put('/control/faults', ({ body }) => thenFaults(() => actions.setFaults(body)));
  server.post('/control/faults', ({ body }) => thenFaults(() => actions.addFaults(body)));
  server.delete('/control/faults', () => thenFaults(() => actions.setFaults([])));
  for (const name of ['sds', 'pds', 'mesh', 'mi'] as const)
    server.put(`/control/${name}`, ({ body }) => carryOut(() => actions.switches(name, body)));
  server.put('/control/contracts/:ods', ({ params, body }) =>
    carryOut(() => {
      const { ods } = params as { ods: string };
      actions.contract(ods, body);
      return services.sds?.organisations().find((one) => one.ods === ods.toUpperCase());
    }),
  );
  server.post('/control/requests', ({ body }) => carryOut(() => actions.request(body)));
}

function forPeople(server: FastifyInstance, services: Services, actions: Actions): void {
  server.get('/', (request, reply) => {
    const { done } = request.query as { done?: string };
    const said = Object.entries(DONE).find(([part]) => part === done)?.[1];
    return sendPage(reply, controlPage(services, said === undefined ? {} : { done: said }));
  });
  const act = (
    path: string,
    done: keyof typeof DONE,
    work: (fields: Fields, params: Readonly<Record<string, string>>) => unknown,
  ): void => {
    server.post(`/act/${path}`, async (request, reply) => {
      if (!(request.body instanceof URLSearchParams)) throw new Problem(415, 'form', 'a form is awaited');
      try {
        await work(fieldsOf(request.body), request.params as Record<string, string>);
      } catch (thrown) {
        if (!(thrown instanceof Fault)) throw thrown;
        return sendPage(reply, controlPage(services, { error: thrown.message }), thrown instanceof BadRequest ? thrown.status : 409);
      }
      return back(reply, done);
    });
  };
  act('clock', 'clock', (fields) => {
    actions.clock(numbers(fields, ['forwardSeconds', 'rate']));
  });
  act('outages', 'outages', ({ service = '', away }) => actions.outages({ [service]: away === 'true' }));
  act('faults', 'faults', ({ interaction, from, to, ...rule }) => {
    const match = { ...(interaction && { interaction }), ...(from && { from }), ...(to && { to }) };
    actions.addFaults({ ...numbers(rule, ['ms', 'status', 'times', 'probability']), ...(Object.keys(match).length > 0 && { match }) });
  });
  act('faults/remove', 'faults', ({ n }) => actions.removeFault(Number(n)));
  act('faults/clear', 'faults', () => actions.setFaults([]));
  for (const name of ['sds', 'pds', 'mesh', 'mi'] as const)
    act(`answers/${name}`, 'answers', (fields) => {
      // What else is set of it, by programs, stays.
      const { status: _status, delayMs: _delayMs, ...others } = services[name]?.switches() ?? {};
      actions.switches(name, { ...others, ...numbers(fields, ['status', 'delayMs']) });
    });
  act('contract', 'contracts', ({ ods = '', ...contract }) => actions.contract(ods, numbers(contract, ['retries'])));
  act('request', 'suppliers', (fields) => actions.request(fields));
}

/** What is said on the page after something was done, by the part of the page. */
const DONE = {
  clock: 'The clock was changed.',
  outages: 'The service was changed.',
  faults: 'The faults were changed.',
  answers: 'The answers were changed.',
  contracts: 'The contract was changed.',
  suppliers: 'The record was asked for.',
};

function back(reply: FastifyReply, done: string): FastifyReply {
  return reply
    .code(303)
    .headers({ ...PAGE_HEADERS, location: `/?done=${done}#${done}` })
    .send();
}

type Fields = Readonly<Record<string, string>>;

/** Fields that were filled in. */
function fieldsOf(body: URLSearchParams): Fields {
  const fields = new Map<string, string>();
  for (const [name, value] of body) if (value.trim() !== '') fields.set(name, value.trim());
  return Object.fromEntries(fields);
}

/** The same with some of them read as numbers; what is none stays text, and is refused as such. */
function numbers(fields: Fields, names: readonly string[]): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, names.includes(name) && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value]),
  );
}
