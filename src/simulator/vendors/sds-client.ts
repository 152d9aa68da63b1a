import { Fault } from '../../base/errors.ts';
import { isObject } from '../http.ts';
import type { Party } from './post.ts';

const SYSTEM = 'https://fhir.nhs.uk/Id';

/** What a simulated system asks of SDS: who a practice's system is, and the agreement under which it is written to. */
export type SdsClient = {
  /** Throws a `Fault` where SDS knows none, or more than one. */
  party(ods: string): Promise<Party>;
  cpaId(partyKey: string, action: string): Promise<string>;
};

export function sdsClient(url: string, apiKey: string): SdsClient {
  const agreements = new Map<string, Promise<string>>();
  async function look(kind: 'Device' | 'Endpoint', parameters: readonly (readonly [string, string])[]): Promise<Record<string, unknown>[]> {
    const query = new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value]));
    const answer = await fetch(`${url}/${kind}?${query}`, { headers: { apikey: apiKey, accept: 'application/fhir+json' } });
    const body: unknown = await answer.json();
    if (!answer.ok || !isObject(body)) throw new Fault('vendor.sds', `SDS answered ${answer.status}`);
    const entries = Array.isArray(body['entry']) ? (body['entry'] as unknown[]) : [];
    return entries.map((entry) => (isObject(entry) ? entry['resource'] : null)).filter(isObject);
  }

  const interaction = (action: string): readonly [string, string] => [
    'identifier',
    `${SYSTEM}/nhsServiceInteractionId|urn:nhs:names:services:gp2gp:${action}`,
  ];
  return {
    party: async (ods) => {
      const found = await look('Device', [['organization', `${SYSTEM}/ods-organization-code|${ods}`], interaction('RCMR_IN010000UK05')]);
      const [device] = found;
      if (!device || found.length > 1) throw new Fault('vendor.sds', `SDS has ${found.length} systems of practice ${ods}`);
      return { ods, asid: identifier(device, 'nhsSpineASID'), partyKey: identifier(device, 'nhsMhsPartyKey') };
    },
    cpaId: (partyKey, action) => {
      const key = `${partyKey} ${action}`;
      const known = agreements.get(key);
      if (known) return known;
      const asked = (async () => {
        const [endpoint] = await look('Endpoint', [interaction(action), ['identifier', `${SYSTEM}/nhsMhsPartyKey|${partyKey}`]]);
        if (!endpoint) throw new Fault('vendor.sds', `SDS has no agreement with ${partyKey} for ${action}`);
        return identifier(endpoint, 'nhsMhsCPAId');
      })();
      agreements.set(key, asked);
      asked.catch(() => agreements.delete(key));
      return asked;
    },
  };
}

function identifier(resource: Record<string, unknown>, name: string): string {
  const list = Array.isArray(resource['identifier']) ? (resource['identifier'] as unknown[]) : [];
  for (const one of list) if (isObject(one) && one['system'] === `${SYSTEM}/${name}`) return String(one['value']);
  throw new Fault('vendor.sds', `what SDS shows has no ${name}`);
}
