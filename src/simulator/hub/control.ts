import { answerJson, BadRequest, type Handler, isObject, readBody, readJsonObject, target } from '../http.ts';
import { type Faults, readFaultRules } from './faults.ts';
import type { Counters, Route } from './hub.ts';

/**
 * The hub's loopback interface for those who run it. `GET /control/state`: counters and what is pending.
 * `GET|PUT|POST|DELETE /control/faults`: list, replace, add, clear. `PUT /control/routes/{partyKey}`: `{urls, asid?}`.
 */
export function hubControl(hub: {
  readonly faults: Faults;
  readonly counters: Readonly<Counters>;
  readonly routes: ReadonlyMap<string, Route>;
  readonly pending: () => number;
  readonly setRoute: (partyKey: string, route: Route) => void;
}): Handler {
  return async (request, response) => {
    const { path } = target(request);
    const route = /^\/control\/routes\/([^/]+)$/.exec(path)?.[1];
    if (path === '/control/state' && request.method === 'GET') {
      return answerJson(response, 200, { ...hub.counters, pending: hub.pending(), routes: Object.fromEntries(hub.routes) });
    }
    if (path === '/control/faults') {
      if (request.method === 'DELETE') hub.faults.set([]);
      else if (request.method === 'PUT' || request.method === 'POST') {
        const rules = readFaultRules(JSON.parse((await readBody(request)).toString('utf8')));
        if (typeof rules === 'string') throw new BadRequest(400, rules);
        if (request.method === 'PUT') hub.faults.set(rules);
        else for (const rule of rules) hub.faults.add(rule);
      }
      return answerJson(response, 200, hub.faults.list());
    }
    if (route !== undefined && request.method === 'PUT') {
      const { urls, asid } = await readJsonObject(request);
      if (!isTexts(urls)) throw new BadRequest(400, 'urls is a list of addresses');
      hub.setRoute(decodeURIComponent(route), { urls, ...(typeof asid === 'string' && { asid }) });
      return answerJson(response, 200, { urls });
    }
    throw new BadRequest(404, `no ${request.method} ${path}`);
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && !isObject(value) && value.every((one) => typeof one === 'string');
}
