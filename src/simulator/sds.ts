import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { isUuid } from '../base/ids.ts';
import { makeClock, type SimulatedClock } from './clock.ts';
import { answerJson, BadRequest, header, isObject, parsed, readJsonObject, type Served, serve, target } from './http.ts';

/** As ISO 8601 writes it: `PT2H`, `PT4H10M`, `PT0.5S`. */
const duration = z.string().regex(/^P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/, 'is to be a duration like PT2H');

/** What a contract says; what is left out is as usual. */
export const contractSchema = z.strictObject({
  cpaId: z.string().optional(),
  retries: z.int().min(0).max(100).optional(),
  retryInterval: duration.optional(),
  persistDuration: duration.optional(),
  duplicateElimination: z.enum(['always', 'never']).optional(),
  ackRequested: z.enum(['always', 'never']).optional(),
  actor: z.string().optional(),
  syncReplyMode: z.string().optional(),
});
/** An organisation as the directory knows it. Interactions without a service are of GP2GP: `RCMR_IN030000UK07`. */
export const organisationSchema = z.strictObject({
  ods: z.string(),
  asid: z.string(),
  partyKey: z.string(),
  manufacturer: z.string().optional(),
  /** Left out: all of GP2GP. */
  interactions: z.array(z.string()).optional(),
  fqdn: z.string().optional(),
  /** Base address of its GP Connect provider; with it the migrate interactions are registered. */
  gpConnectBase: z.string().optional(),
  /** What its contracts say in place of the usual, by interaction. */
  contracts: z.record(z.string(), contractSchema).optional(),
});
export type Organisation = z.infer<typeof organisationSchema>;

/** What the directory may do wrong on purpose, until told otherwise. */
export const sdsSwitchesSchema = z.strictObject({
  empty: z.boolean().optional(),
  noEntryMember: z.boolean().optional(),
  twoDevices: z.boolean().optional(),
  blankAddress: z.boolean().optional(),
  noMhsId: z.boolean().optional(),
  noReliability: z.boolean().optional(),
  notABundle: z.boolean().optional(),
  /** UK07 keeps the practice's own address, as in the real directory. */
  uk07NotRewritten: z.boolean().optional(),
  status: z.int().min(400).max(599).optional(),
  delayMs: z.number().min(0).max(600_000).optional(),
  /** Connections are closed unread. */
  outage: z.boolean().optional(),
});
export type SdsSwitches = z.infer<typeof sdsSwitchesSchema>;

export type SdsOptions = {
  readonly organisations: readonly Organisation[];
  /** Where GP2GP messages go: Spine's intermediary. */
  readonly intermediaryUrl: string;
  /** Left out, every key is accepted. */
  readonly apiKey?: string;
  readonly port?: number;
  readonly clock?: SimulatedClock;
  readonly log?: (line: string) => void;
};
export type Contract = z.infer<typeof contractSchema>;
export type Sds = Served & {
  add(organisation: Organisation): void;
  organisations(): readonly Organisation[];
  /** Changes what the contracts of an organisation say, for one interaction or (null) all; an empty contract makes them usual again. */
  setContract(ods: string, interaction: string | null, contract: Contract): void;
  switches(): SdsSwitches;
  setSwitches(switches: SdsSwitches): void;
};

const GP2GP = 'urn:nhs:names:services:gp2gp';
/** The interactions of GP2GP. */
export const ALL_GP2GP: readonly string[] = [
  'RCMR_IN010000UK05',
  'RCMR_IN030000UK06',
  'RCMR_IN030000UK07',
  'COPC_IN000001UK01',
  'MCCI_IN010000UK13',
];
const GP_CONNECT = [
  'urn:nhs:names:services:gpconnect:fhir:operation:gpc.migratestructuredrecord-1',
  'urn:nhs:names:services:gpconnect:documents:fhir:rest:migrate:binary-1',
];
const ODS_SYSTEM = 'https://fhir.nhs.uk/Id/ods-organization-code';
const INTERACTION_SYSTEM = 'https://fhir.nhs.uk/Id/nhsServiceInteractionId';
const PARTY_KEY_SYSTEM = 'https://fhir.nhs.uk/Id/nhsMhsPartyKey';
const EXTENSION = 'https://fhir.nhs.uk/StructureDefinition';

/** The directory's FHIR R4 interface: `GET /Device`, `GET /Endpoint`, strict about what it is asked. */
export async function startSds(options: SdsOptions): Promise<Sds> {
  const clock = options.clock ?? makeClock();
  let organisations = [...options.organisations];
  let switches: SdsSwitches = {};
  const add = (organisation: Organisation): void => {
    organisations = [...organisations.filter((one) => one.ods !== organisation.ods || one.asid !== organisation.asid), organisation];
  };

  function setContract(ods: string, interaction: string | null, contract: Contract): void {
    const code = ods.toUpperCase();
    if (!organisations.some((one) => one.ods.toUpperCase() === code)) throw new BadRequest(404, `no organisation ${ods} here`);
    const names = interaction === null ? ALL_GP2GP : [interaction];
    organisations = organisations.map((one) => {
      if (one.ods.toUpperCase() !== code) return one;
      const contracts = { ...one.contracts };
      for (const name of names) {
        if (Object.keys(contract).length === 0) delete contracts[name];
        else contracts[name] = { ...contracts[name], ...contract };
      }
      return { ...one, contracts };
    });
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = target(request);
    if (path === '/control/organisations' && request.method === 'POST') {
      add(parsed(organisationSchema, await readJsonObject(request)));
      return answerJson(response, 200, organisations);
    }
    if (path === '/control/switches' && request.method === 'PUT') {
      switches = parsed(sdsSwitchesSchema, await readJsonObject(request));
      return answerJson(response, 200, switches);
    }
    if (switches.outage) {
      request.destroy();
      return;
    }
    if (switches.delayMs) await clock.sleep(switches.delayMs);
    const correlation = header(request, 'x-correlation-id');
    const fail = (status: number, issue: string, code: string, text: string, headers: Record<string, string> = {}): void =>
      answerFhir(response, status, outcome(issue, code, text, correlation ?? randomUUID().toUpperCase()), {
        ...headers,
        ...echo(correlation),
      });

    if (header(request, 'apikey') === undefined || (options.apiKey !== undefined && header(request, 'apikey') !== options.apiKey)) {
      return answerJson(response, 401, { fault: { faultstring: 'Invalid ApiKey', detail: { errorcode: 'oauth.v2.InvalidApiKey' } } });
    }
    const kind = /^(?:\/spine-directory\/FHIR\/R4)?\/(Device|Endpoint)$/.exec(path)?.[1];
    if (!kind) return fail(404, 'not-found', 'NO_RECORD_FOUND', 'HTTP operation not supported on this path');
    if (request.method !== 'GET') return fail(405, 'not-supported', 'NOT_IMPLEMENTED', 'HTTP operation not supported', { allow: 'GET' });
    if (!/application\/(fhir\+)?json|\*\/\*/.test(header(request, 'accept') ?? '*/*'))
      return fail(406, 'not-supported', 'NOT_IMPLEMENTED', 'Accept must be application/fhir+json');
    if (correlation !== undefined && !isUuid(correlation))
      return fail(400, 'required', 'MISSING_OR_INVALID_HEADER', 'X-Correlation-Id is no UUID');
    if (switches.status) {
      const code = switches.status === 429 ? 'TOO_MANY_REQUESTS' : 'INTERNAL_SERVER_ERROR';
      return fail(switches.status, switches.status === 504 ? 'timeout' : 'exception', code, 'failed on purpose');
    }
    const asked = readQuery(kind, query);
    if (typeof asked === 'string') return fail(400, 'required', 'BAD_REQUEST', asked);
    if (switches.notABundle) return answerFhir(response, 200, { unexpected: true }, echo(correlation));

    const found = switches.empty ? [] : organisations.filter((one) => fits(one, asked));
    const resources =
      kind === 'Device' ? devices(found, switches) : found.flatMap((one) => endpoints(one, asked, options.intermediaryUrl, switches));
    const base = `http://${header(request, 'host') ?? 'localhost'}${path}`;
    answerFhir(response, 200, bundle(resources, base, `${base}?${query}`, switches), echo(correlation));
  }

  const served = await serve(handle, {
    clock,
    ...(options.port !== undefined && { port: options.port }),
    ...(options.log && { log: options.log }),
  });
  return {
    ...served,
    add,
    organisations: () => organisations,
    setContract,
    switches: () => switches,
    setSwitches: (next) => {
      switches = next;
    },
  };
}

type Asked = {
  readonly ods: string | null;
  readonly interaction: string | null;
  readonly partyKey: string | null;
  readonly manufacturer: string | null;
};

/** What a look-up asks for, or what is wrong with it. */
function readQuery(kind: string, query: URLSearchParams): Asked | string {
  const allowed = kind === 'Device' ? ['organization', 'identifier', 'manufacturing-organization'] : ['organization', 'identifier'];
  for (const name of query.keys()) if (!allowed.includes(name)) return `Unsupported query parameter ${name}`;
  const found = new Map<string, string>();
  for (const name of allowed) {
    for (const value of query.getAll(name)) {
      const bar = value.indexOf('|');
      const system = value.slice(0, bar);
      const text = value.slice(bar + 1).trim();
      const systems = name === 'identifier' ? [INTERACTION_SYSTEM, PARTY_KEY_SYSTEM] : [ODS_SYSTEM];
      if (bar < 0 || !systems.includes(system)) return `Unsupported system in ${name}: ${value}`;
      if (!text) return `Missing value in ${name}`;
      found.set(name === 'identifier' ? system : name, text);
    }
  }
  const asked: Asked = {
    ods: found.get('organization')?.toUpperCase() ?? null,
    interaction: found.get(INTERACTION_SYSTEM) ?? null,
    partyKey: found.get(PARTY_KEY_SYSTEM) ?? null,
    manufacturer: found.get('manufacturing-organization')?.toUpperCase() ?? null,
  };
  if (kind === 'Device')
    return asked.ods && asked.interaction ? asked : 'organization and identifier (nhsServiceInteractionId) are required';
  const given = [asked.ods, asked.interaction, asked.partyKey].filter((one) => one !== null).length;
  return given >= 2 ? asked : 'two of organization, nhsServiceInteractionId and nhsMhsPartyKey are required';
}

function interactionsOf(organisation: Organisation): string[] {
  const own = (organisation.interactions ?? ALL_GP2GP).map((one) => (one.includes(':') ? one : `${GP2GP}:${one}`));
  return organisation.gpConnectBase ? [...own, ...GP_CONNECT] : own;
}

function fits(organisation: Organisation, asked: Asked): boolean {
  return (
    (asked.ods === null || organisation.ods.toUpperCase() === asked.ods) &&
    (asked.partyKey === null || organisation.partyKey === asked.partyKey) &&
    (asked.manufacturer === null || organisation.manufacturer?.toUpperCase() === asked.manufacturer) &&
    (asked.interaction === null || interactionsOf(organisation).includes(asked.interaction))
  );
}

function devices(found: readonly Organisation[], switches: SdsSwitches): unknown[] {
  return found.flatMap((one) =>
    switches.twoDevices ? [device(one, one.asid), device(one, `${one.asid.slice(0, -1)}9`)] : [device(one, one.asid)],
  );
}

function device(organisation: Organisation, asid: string): unknown {
  return {
    resourceType: 'Device',
    id: stableId('device', organisation.ods, asid),
    identifier: [
      { system: 'https://fhir.nhs.uk/Id/nhsSpineASID', value: asid },
      { system: PARTY_KEY_SYSTEM, value: organisation.partyKey },
    ],
    extension: [
      ...(organisation.manufacturer
        ? [
            {
              url: `${EXTENSION}/Extension-SDS-ManufacturingOrganisation`,
              valueReference: { identifier: { system: ODS_SYSTEM, value: organisation.manufacturer } },
            },
          ]
        : []),
      ...interactionsOf(organisation).map(interactionExtension),
    ],
    owner: { identifier: { system: ODS_SYSTEM, value: organisation.ods } },
  };
}

function interactionExtension(value: string): unknown {
  return {
    url: `${EXTENSION}/Extension-SDS-NhsServiceInteractionId`,
    valueReference: { identifier: { system: INTERACTION_SYSTEM, value } },
  };
}

function endpoints(organisation: Organisation, asked: Asked, intermediaryUrl: string, switches: SdsSwitches): unknown[] {
  const interactions = interactionsOf(organisation).filter((one) => asked.interaction === null || one === asked.interaction);
  return interactions.map((interaction) => endpoint(organisation, interaction, intermediaryUrl, switches));
}

const PERSIST: ReadonlyMap<string, string> = new Map([
  ['COPC_IN000001UK01', 'PT7H'],
  ['MCCI_IN010000UK13', 'PT4M'],
]);

function endpoint(organisation: Organisation, interaction: string, intermediaryUrl: string, switches: SdsSwitches): unknown {
  const gp2gp = interaction.startsWith(`${GP2GP}:`);
  const name = interaction.slice(interaction.lastIndexOf(':') + 1);
  const contract = organisation.contracts?.[name] ?? {};
  const id = contract.cpaId ?? stableId('cpa', organisation.partyKey, interaction).replace(/-/g, '').slice(0, 20);
  const fqdn = organisation.fqdn ?? `${organisation.ods.toLowerCase()}.thirdparty.nhs.uk`;
  const reliability = gp2gp
    ? [
        { url: 'nhsMHSSyncReplyMode', valueString: contract.syncReplyMode ?? 'None' },
        { url: 'nhsMHSRetryInterval', valueString: contract.retryInterval ?? 'PT2H' },
        { url: 'nhsMHSRetries', valueInteger: contract.retries ?? 2 },
        { url: 'nhsMHSPersistDuration', valueString: contract.persistDuration ?? PERSIST.get(name) ?? 'PT4H10M' },
        { url: 'nhsMHSDuplicateElimination', valueString: contract.duplicateElimination ?? 'always' },
        { url: 'nhsMHSAckRequested', valueString: contract.ackRequested ?? 'always' },
        { url: 'nhsMHSActor', valueString: contract.actor ?? 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH' },
      ]
    : [
        { url: 'nhsMHSSyncReplyMode', valueString: 'None' },
        { url: 'nhsMHSDuplicateElimination', valueString: 'never' },
        { url: 'nhsMHSAckRequested', valueString: 'never' },
      ];
  const own = gp2gp ? `https://${fqdn}/reliablemessaging/forwardreliable` : (organisation.gpConnectBase ?? '');
  const rewritten = gp2gp && !(switches.uk07NotRewritten && name === 'RCMR_IN030000UK07');
  return {
    resourceType: 'Endpoint',
    id: stableId('endpoint', organisation.ods, interaction),
    status: 'active',
    connectionType: {
      system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
      code: 'hl7-fhir-msg',
      display: 'HL7 FHIR Messaging',
    },
    payloadType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'any', display: 'Any' }] }],
    address: switches.blankAddress ? '' : rewritten ? intermediaryUrl : own,
    managingOrganization: { identifier: { system: ODS_SYSTEM, value: organisation.ods } },
    identifier: [
      { system: 'https://fhir.nhs.uk/Id/nhsMhsFQDN', value: fqdn },
      { system: PARTY_KEY_SYSTEM, value: organisation.partyKey },
      { system: 'https://fhir.nhs.uk/Id/nhsMhsCPAId', value: id },
      ...(switches.noMhsId ? [] : [{ system: 'https://fhir.nhs.uk/Id/nhsMHSId', value: id }]),
    ],
    extension: [
      ...(switches.noReliability ? [] : [{ url: `${EXTENSION}/Extension-SDS-ReliabilityConfiguration`, extension: reliability }]),
      interactionExtension(interaction),
    ],
  };
}

function bundle(resources: readonly unknown[], base: string, self: string, switches: SdsSwitches): unknown {
  const entry = resources.map((resource) => ({
    fullUrl: `${base}/${isObject(resource) ? String(resource['id']) : ''}`,
    resource,
    search: { mode: 'match' },
  }));
  return {
    resourceType: 'Bundle',
    id: randomUUID().toUpperCase(),
    type: 'searchset',
    total: entry.length,
    link: [{ relation: 'self', url: self }],
    ...(switches.noEntryMember && entry.length === 0 ? {} : { entry }),
  };
}

function outcome(issue: string, code: string, diagnostics: string, id: string): unknown {
  const system = 'https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1';
  return {
    resourceType: 'OperationOutcome',
    id,
    meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/Spine-OperationOutcome-1'] },
    issue: [{ severity: 'error', code: issue, details: { coding: [{ system, version: '1', code, display: code }] }, diagnostics }],
  };
}

function answerFhir(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>>): void {
  answerJson(response, status, body, { 'content-type': 'application/fhir+json', ...headers });
}

function echo(correlation: string | undefined): Record<string, string> {
  return correlation === undefined ? {} : { 'x-correlation-id': correlation };
}

/** The same id for the same thing in every run. */
function stableId(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join('\n')).digest('hex').toUpperCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** How long messages of a kind to a party are to be tried, where a contract of the directory was given a time; null: as usual. */
export function livesMs(sds: Sds | null, partyKey: string, action: string): number | null {
  const duration = sds?.organisations().find((one) => one.partyKey === partyKey)?.contracts?.[action]?.persistDuration;
  const [, days, hours, minutes, seconds] = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(duration ?? '') ?? [];
  if (duration === undefined) return null;
  return (((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0)) * 1000;
}
