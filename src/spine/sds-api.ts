import { Fault, reasonOf } from '../base/errors.ts';
import { readJson } from '../fhir/json.ts';
import { list, member, outcomeDiagnostics, text } from '../fhir/members.ts';
import { doubling, withBackOff } from '../web/back-off.ts';
import type { Budget } from '../web/budget.ts';
import { type HttpClient, HttpFault, readBody } from '../web/client.ts';

/** One answer of the directory's FHIR API, taken apart. Values are trimmed; what is absent is left out. */
export type SdsResource = {
  readonly identifiers: ReadonlyMap<string, string>;
  /** Owner of a device, managing organisation of an endpoint. */
  readonly organisation: string | null;
  readonly manufacturer: string | null;
  /** Service interactions, all of them. */
  readonly interactions: ReadonlySet<string>;
  readonly reliability: ReadonlyMap<string, string>;
  readonly address: string | null;
};
export type SdsApi = {
  readonly url: string;
  readonly apiKey: string;
  readonly client: HttpClient;
  readonly newId: () => string;
  /** Turns at the rate that SDS allows the application. */
  readonly budget?: Budget;
  /** Milliseconds before each repetition of a look-up that failed for a reason that may pass. */
  readonly waits?: readonly number[];
};

export const SDS = {
  ods: 'https://fhir.nhs.uk/Id/ods-organization-code',
  interaction: 'https://fhir.nhs.uk/Id/nhsServiceInteractionId',
  partyKey: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey',
  asid: 'https://fhir.nhs.uk/Id/nhsSpineASID',
  cpaId: 'https://fhir.nhs.uk/Id/nhsMhsCPAId',
} as const;
const EXTENSION = 'https://fhir.nhs.uk/StructureDefinition/Extension-SDS-';
const ANSWER_BYTES = 1024 * 1024;

/** SDS cannot be asked, or answers what is no answer. `code` is `sds.unavailable` where asking again may help, else `sds.refused`. */
export class SdsFault extends Fault {
  constructor(code: 'sds.unavailable' | 'sds.refused', message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(code, message, options);
    this.name = 'SdsFault';
  }
}

/** Looks up devices or endpoints by identifiers: `[system, value]`. No hit is an empty list. Throws `SdsFault`. */
export async function lookUp(
  api: SdsApi,
  kind: 'Device' | 'Endpoint',
  organisation: string | null,
  identifiers: readonly (readonly [system: string, value: string])[],
): Promise<SdsResource[]> {
  const query = [
    ...(organisation === null ? [] : [`organization=${encodeURIComponent(`${SDS.ods}|${organisation}`)}`]),
    ...identifiers.map(([system, value]) => `identifier=${encodeURIComponent(`${system}|${value}`)}`),
  ].join('&');
  return await withBackOff(
    () => get(api, `${api.url.replace(/\/+$/, '')}/${kind}?${query}`, kind),
    (thrown) => thrown instanceof SdsFault && thrown.code === 'sds.unavailable',
    api.waits ?? doubling(500, 3),
  );
}

async function get(api: SdsApi, url: string, kind: string): Promise<SdsResource[]> {
  let status: number;
  let body: Uint8Array;
  try {
    await api.budget?.();
    const answer = await api.client.request({
      method: 'GET',
      url,
      headers: { apikey: api.apiKey, accept: 'application/fhir+json', 'x-correlation-id': api.newId() },
    });
    status = answer.status;
    body = await readBody(answer, ANSWER_BYTES);
  } catch (cause) {
    const settings = cause instanceof HttpFault && cause.kind === 'configuration';
    throw new SdsFault(settings ? 'sds.refused' : 'sds.unavailable', `SDS cannot be asked: ${reasonOf(cause)}`, {
      ...(cause instanceof Fault && cause.remedy !== null && { remedy: cause.remedy }),
      cause,
    });
  }
  const read = jsonOf(body);
  if (status === 200 && member(read, 'resourceType') === 'Bundle') return resourcesOf(read, kind);
  const said = outcomeDiagnostics(read);
  const passing = status === 200 || status >= 500 || status === 408 || status === 429;
  throw new SdsFault(passing ? 'sds.unavailable' : 'sds.refused', `SDS answered HTTP ${status}${said ? `: ${said}` : ''}`, {
    ...(!passing && { remedy: status === 401 || status === 403 ? 'check the API key for SDS' : 'check the address of SDS' }),
  });
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return readJson(body);
  } catch {
    // A proxy's page instead of FHIR: the status says what there is to say.
    return null;
  }
}

/** A zero hit may have no `entry` at all. */
function resourcesOf(bundle: unknown, kind: string): SdsResource[] {
  return list(bundle, 'entry')
    .map((entry) => member(entry, 'resource'))
    .filter((resource) => member(resource, 'resourceType') === kind)
    .map(resourceOf);
}

function resourceOf(resource: unknown): SdsResource {
  const identifiers = new Map<string, string>();
  for (const each of list(resource, 'identifier')) {
    const system = text(each, 'system');
    const value = text(each, 'value');
    if (system && value) identifiers.set(system, value);
  }
  const interactions = new Set<string>();
  const reliability = new Map<string, string>();
  let manufacturer: string | null = null;
  for (const extension of list(resource, 'extension')) {
    const url = text(extension, 'url') ?? '';
    const value = text(member(member(extension, 'valueReference'), 'identifier'), 'value');
    if (url === `${EXTENSION}NhsServiceInteractionId` && value) interactions.add(value);
    else if (url === `${EXTENSION}ManufacturingOrganisation`) manufacturer = value;
    else if (url === `${EXTENSION}ReliabilityConfiguration`)
      for (const property of list(extension, 'extension')) {
        const name = text(property, 'url');
        const of = text(property, 'valueString') ?? numberOf(member(property, 'valueInteger'));
        if (name && of !== null) reliability.set(name, of);
      }
  }
  const organisation = member(resource, 'owner') ?? member(resource, 'managingOrganization');
  return {
    identifiers,
    organisation: text(member(organisation, 'identifier'), 'value'),
    manufacturer,
    interactions,
    reliability,
    address: text(resource, 'address'),
  };
}

function numberOf(value: unknown): string | null {
  return typeof value === 'number' ? String(value) : null;
}
