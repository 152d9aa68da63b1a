import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { isUuid } from '../base/ids.ts';
import { hasValidCheckDigit, type NhsNumber } from '../base/nhs-number.ts';
import { writeWhole } from '../objects/file.ts';
import { makeClock, type SimulatedClock } from './clock.ts';
import { answerJson, BadRequest, header, isObject, parsed, readBody, readJsonObject, type Served, serve, target } from './http.ts';
import { type OAuthClients, tokenEndpoint } from './oauth.ts';
import { makeSwitches, TROUBLES } from './switches.ts';

/** A person as the service holds them. Dates are FHIR dates; `practice` null: registered nowhere. */
export const personSchema = z.strictObject({
  nhsNumber: z.string().regex(/^\d{10}$/),
  family: z.string(),
  given: z.array(z.string()),
  birthDate: z.iso.date(),
  gender: z.enum(['male', 'female', 'other', 'unknown']),
  postalCode: z.string().optional(),
  addressLines: z.array(z.string()).optional(),
  practice: z.object({ ods: z.string(), start: z.iso.date() }).nullable().default(null),
  restricted: z.boolean().optional(),
  invalidated: z.boolean().optional(),
  supersededBy: z.string().optional(),
  deceased: z.string().optional(),
  managingOrganisation: z.string().optional(),
});
export type PdsPerson = z.infer<typeof personSchema>;

export const pdsSwitchesSchema = z.strictObject({
  ...TROUBLES,
  /** A PATCH is carried out, then answered with 503: its outcome is unknown to the caller. */
  commitThenFail: z.boolean().optional(),
  /** Every PATCH meets a version that was changed a moment before. */
  race: z.boolean().optional(),
});
export type PdsSwitches = z.infer<typeof pdsSwitchesSchema>;

export type PdsOptions = {
  /** One JSON file per person; what is there already wins over `people`, so that a second run goes on. */
  readonly folder: string;
  readonly people: readonly PdsPerson[];
  /** What a token may do. Left out, every Bearer token may do all. Tokens given by `/oauth2/token` only read. */
  readonly tokens?: Readonly<Record<string, 'application' | 'worker'>>;
  readonly clients?: OAuthClients;
  readonly port?: number;
  readonly clock?: SimulatedClock;
  readonly log?: (line: string) => void;
};
export type Pds = Served & {
  add(person: PdsPerson): Promise<void>;
  person(nhsNumber: string): PdsPerson | null;
  people(): readonly PdsPerson[];
  switches(): PdsSwitches;
  setSwitches(switches: PdsSwitches): void;
};

type Held = { person: PdsPerson; version: number; gpId: string; answered: Answered[] };
type Answered = { readonly requestId: string; readonly status: number; readonly body: unknown; readonly etag: string | null };

const BASE = '/personal-demographics/FHIR/R4';
const ODS_SYSTEM = 'https://fhir.nhs.uk/Id/ods-organization-code';

/** PDS's FHIR R4 interface: retrieve, trace of one, and change of the registered practice, with its versions and its locks. */
export async function startPds(options: PdsOptions): Promise<Pds> {
  await mkdir(options.folder, { recursive: true });
  const held = await readAll(options.folder);
  const saves = new Map<string, Promise<void>>();
  const tokens = new Map(Object.entries(options.tokens ?? {}));
  const clock = options.clock ?? makeClock();
  const giveToken = tokenEndpoint(options.clients ?? {}, clock, (token) => void tokens.set(token, 'application'));
  const switches = makeSwitches(pdsSwitchesSchema, {});

  /** In order for one person; what is written is the state at that moment. */
  function save(nhsNumber: string): Promise<void> {
    const after = (saves.get(nhsNumber) ?? Promise.resolve()).then(async () => {
      const path = join(options.folder, `${nhsNumber}.json`);
      await writeWhole(path, `${JSON.stringify(held.get(nhsNumber), null, 1)}\n`, { flush: true });
    });
    saves.set(
      nhsNumber,
      after.catch(() => undefined),
    );
    return after;
  }

  async function add(person: PdsPerson): Promise<void> {
    held.set(person.nhsNumber, { person, version: (held.get(person.nhsNumber)?.version ?? 0) + 1, gpId: gpIdOf(person), answered: [] });
    await save(person.nhsNumber);
  }

  for (const person of options.people) if (!held.has(person.nhsNumber)) await add(person);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = target(request);
    if (path.startsWith('/control/')) return control(request, response, path);
    if (switches.current().outage) {
      request.destroy();
      return;
    }
    if (path === '/oauth2/token') return giveToken(request, response);
    const { delayMs } = switches.current();
    if (delayMs) await clock.sleep(delayMs);
    const fail = (status: number, code: string, text: string, headers: Record<string, string> = {}): void =>
      answerFhir(response, status, outcome(code, text), { ...echo(request), ...headers });

    const token = /^Bearer (\S+)$/.exec(header(request, 'authorization') ?? '')?.[1];
    const access = token === undefined ? null : options.tokens || options.clients ? (tokens.get(token) ?? null) : 'worker';
    if (!access) return fail(401, 'ACCESS_DENIED', 'Missing or invalid OAuth 2.0 bearer token in request');
    const requestId = header(request, 'x-request-id');
    if (requestId === undefined) return fail(400, 'MISSING_VALUE', 'X-Request-ID header must be supplied to access this resource');
    if (!isUuid(requestId)) return fail(400, 'INVALID_VALUE', 'X-Request-ID is no UUID');
    const { status } = switches.current();
    if (status && switches.used()) return fail(status, codeFor(status), 'failed on purpose', { 'retry-after': '1' });

    const id = new RegExp(`^(?:${BASE})?/Patient/([^/]+)$`).exec(path)?.[1];
    if (id !== undefined && request.method === 'GET') return retrieve(response, id, fail);
    if (id !== undefined && request.method === 'PATCH') {
      if (access === 'application') return fail(403, 'ACCESS_DENIED', 'application-restricted access only reads');
      return change(request, response, id, requestId, fail);
    }
    if (new RegExp(`^(?:${BASE})?/Patient$`).test(path) && request.method === 'GET') return trace(response, query, fail);
    fail(400, 'UNSUPPORTED_SERVICE', `${request.method} ${path} is not supported`);
  }

  type Fail = (status: number, code: string, text: string, headers?: Record<string, string>) => void;

  function find(id: string, fail: Fail): Held | null {
    const found = held.get(id);
    // A test record may have a number with a wrong check digit: who is held is known, whatever the digit.
    if (!found && (!/^\d{10}$/.test(id) || !hasValidCheckDigit(id as NhsNumber)))
      fail(400, 'INVALID_RESOURCE_ID', 'Resource Id is invalid');
    else if (!found) fail(404, 'RESOURCE_NOT_FOUND', 'Resource not found');
    else if (found.person.invalidated) fail(404, 'INVALIDATED_RESOURCE', 'Resource that has been marked as invalid was requested');
    else if (found.person.supersededBy) return find(found.person.supersededBy, fail);
    else return found;
    return null;
  }

  function retrieve(response: ServerResponse, id: string, fail: Fail): void {
    const found = find(id, fail);
    if (found) answerFhir(response, 200, resource(found), { etag: etag(found) });
  }

  async function change(request: IncomingMessage, response: ServerResponse, id: string, requestId: string, fail: Fail): Promise<void> {
    const body = await readBody(request, 65_536);
    const found = find(id, fail);
    if (!found) return;
    const before = found.answered.find((one) => one.requestId === requestId.toUpperCase());
    if (before) return answerFhir(response, before.status, before.body, before.etag ? { etag: before.etag } : {});
    if (header(request, 'content-type')?.split(';')[0]?.trim() !== 'application/json-patch+json')
      return fail(400, 'INVALID_VALUE', 'Content-Type must be application/json-patch+json');
    if (found.person.restricted) return fail(403, 'FORBIDDEN_UPDATE', 'the record is restricted');
    const match = header(request, 'if-match');
    if (match === undefined || !/^W\/"\d+"$/.test(match))
      return fail(412, 'PRECONDITION_FAILED', 'Invalid request with error - If-Match header must be supplied to update this resource');
    if (switches.current().race && switches.used()) found.version++;
    if (match !== etag(found)) return fail(409, 'RESOURCE_VERSION_MISMATCH', `Resource version mismatch: ${etag(found)} is current`);
    const practice = readPatch(body, found);
    if (typeof practice === 'string') return fail(400, 'INVALID_UPDATE', practice);
    found.person = { ...found.person, practice };
    found.version++;
    found.gpId = gpIdOf(found.person);
    const answer = { requestId: requestId.toUpperCase(), status: 200, body: resource(found), etag: etag(found) };
    found.answered = [...found.answered.slice(-19), answer];
    await save(found.person.nhsNumber);
    if (switches.current().commitThenFail && switches.used())
      return fail(503, 'SERVICE_UNAVAILABLE', 'the outcome is not known', { 'retry-after': '1' });
    answerFhir(response, 200, answer.body, { etag: answer.etag });
  }

  function trace(response: ServerResponse, query: URLSearchParams, fail: Fail): void {
    const family = query.get('family');
    const birthDate = query.get('birthdate')?.replace(/^eq/, '');
    if (!family || !birthDate) {
      fail(400, 'MISSING_VALUE', 'Not enough search parameters were provided to be able to make a search');
      return;
    }
    const same = (asked: string | null, has: string | undefined) => asked === null || asked.toUpperCase() === has?.toUpperCase();
    const hits = [...held.values()].filter(
      ({ person }) =>
        !person.invalidated &&
        !person.supersededBy &&
        same(family, person.family) &&
        person.birthDate === birthDate &&
        same(query.get('gender'), person.gender) &&
        same(query.get('given'), person.given[0]) &&
        (!person.restricted || !query.has('address-postalcode')) &&
        same(query.get('address-postalcode'), person.postalCode),
    );
    const entry = hits.map((hit) => ({ search: { score: 1 }, resource: resource(hit) }));
    const bundle = { resourceType: 'Bundle', type: 'searchset', timestamp: clock.now().toISOString(), total: entry.length, entry };
    answerFhir(response, 200, hits.length > 1 ? outcome('TOO_MANY_MATCHES', 'Too Many Matches') : bundle, {});
  }

  /** `GET|POST /control/people`, `GET|PUT /control/people/{nhsNumber}`, `PUT /control/switches`. */
  async function control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === '/control/switches' && request.method === 'PUT') return switches.control(request, response);
    if (path === '/control/people' && request.method === 'POST') {
      const person = parsed(personSchema, await readJsonObject(request));
      await add(person);
      return answerJson(response, 200, person);
    }
    if (path === '/control/people' && request.method === 'GET')
      return answerJson(
        response,
        200,
        [...held.values()].map((one) => one.person),
      );
    const found = held.get(/^\/control\/people\/(\d{10})$/.exec(path)?.[1] ?? '');
    if (found && request.method === 'GET') return answerJson(response, 200, found.person);
    throw new BadRequest(404, `no ${request.method} ${path}`);
  }

  const served = await serve(handle, {
    clock,
    ...(options.port !== undefined && { port: options.port }),
    ...(options.log && { log: options.log }),
  });
  return {
    ...served,
    add,
    person: (nhsNumber) => held.get(nhsNumber)?.person ?? null,
    people: () => [...held.values()].map(({ person }) => person),
    switches: switches.current,
    setSwitches: switches.set,
    close: async () => {
      await served.close();
      await Promise.all(saves.values());
    },
  };
}

/** The new practice that a JSON Patch asks for, or what is wrong with it. */
function readPatch(body: Buffer, found: Held): { ods: string; start: string } | string {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return 'the body is no JSON';
  }
  if (!isObject(value) || !Array.isArray(value['patches'])) return 'patches is missing';
  const [patch, ...more] = value['patches'] as unknown[];
  if (!isObject(patch) || more.length) return 'exactly one patch is supported';
  const gp = patch['value'];
  if (!isObject(gp)) return 'value is missing';
  const replaces = patch['op'] === 'replace' && patch['path'] === '/generalPractitioner/0';
  const adds = patch['op'] === 'add' && patch['path'] === '/generalPractitioner/-';
  if (!replaces && !adds) return `${String(patch['op'])} ${String(patch['path'])} is not supported`;
  if (replaces && !found.person.practice) return 'there is no generalPractitioner to replace';
  if (adds && found.person.practice) return 'there is a generalPractitioner already';
  if (replaces && gp['id'] !== found.gpId) return `generalPractitioner/0 has the id ${found.gpId}`;
  if (adds && gp['id'] !== undefined) return 'an added object must not have an id';
  const identifier = gp['identifier'];
  if (gp['type'] !== 'Organization' || !isObject(identifier) || identifier['system'] !== ODS_SYSTEM)
    return 'no ODS identifier of an Organization';
  const { value: ods, period } = identifier;
  if (typeof ods !== 'string' || !/^[A-Z0-9]{3,10}$/.test(ods)) return `${String(ods)} is no ODS code`;
  if (!isObject(period) || typeof period['start'] !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(period['start']))
    return 'period.start is missing';
  if (period['end'] !== undefined) return 'period.end must not be given';
  return { ods, start: period['start'] };
}

function resource(held: Held): unknown {
  const { person } = held;
  const open = !person.restricted;
  return {
    resourceType: 'Patient',
    id: person.nhsNumber,
    identifier: [
      {
        system: 'https://fhir.nhs.uk/Id/nhs-number',
        value: person.nhsNumber,
        extension: [
          {
            url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus',
            valueCodeableConcept: {
              coding: [
                {
                  system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus',
                  version: '1.0.0',
                  code: '01',
                  display: 'Number present and verified',
                },
              ],
            },
          },
        ],
      },
    ],
    meta: {
      versionId: String(held.version),
      security: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
          code: open ? 'U' : 'R',
          display: open ? 'unrestricted' : 'restricted',
        },
      ],
    },
    name: [{ id: 'name1', use: 'usual', family: person.family, given: person.given }],
    gender: person.gender,
    birthDate: person.birthDate,
    ...(person.deceased && { deceasedDateTime: person.deceased }),
    ...(person.deceased && { extension: [removal('DEA', 'Death')] }),
    ...(open &&
      person.postalCode && { address: [{ id: 'address1', use: 'home', line: person.addressLines ?? [], postalCode: person.postalCode }] }),
    ...(open &&
      person.practice && {
        generalPractitioner: [
          {
            id: held.gpId,
            type: 'Organization',
            identifier: { system: ODS_SYSTEM, value: person.practice.ods, period: { start: person.practice.start } },
          },
        ],
      }),
    ...(person.managingOrganisation && {
      managingOrganization: { type: 'Organization', identifier: { system: ODS_SYSTEM, value: person.managingOrganisation } },
    }),
  };
}

function removal(code: string, display: string): unknown {
  const url = 'https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration';
  const coding = [{ system: 'https://fhir.nhs.uk/CodeSystem/PDS-RemovalReasonExitCode', code, display }];
  return { url, extension: [{ url: 'removalFromRegistrationCode', valueCodeableConcept: { coding } }] };
}

function outcome(code: string, diagnostics: string): unknown {
  const coding = [{ system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode', version: '1', code, display: code }];
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'value', details: { coding }, diagnostics }] };
}

function codeFor(status: number): string {
  if (status === 429) return 'TOO_MANY_REQUESTS';
  return status === 408 ? 'UNABLE_TO_CALL_SERVICE' : 'SERVICE_UNAVAILABLE';
}

function etag(held: Held): string {
  return `W/"${held.version}"`;
}

/** PDS gives every object of a record an id of its own, which an update has to name. */
function gpIdOf(person: PdsPerson): string {
  const of = `${person.nhsNumber} ${person.practice?.ods} ${person.practice?.start}`;
  return createHash('sha256').update(of).digest('hex').slice(0, 8).toUpperCase();
}

function answerFhir(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>>): void {
  answerJson(response, status, body, { 'content-type': 'application/fhir+json', ...headers });
}

function echo(request: IncomingMessage): Record<string, string> {
  return { 'x-request-id': header(request, 'x-request-id') ?? randomUUID() };
}

async function readAll(folder: string): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  for (const name of await readdir(folder)) {
    if (!/^\d{10}\.json$/.test(name)) continue;
    const one = JSON.parse(await readFile(join(folder, name), 'utf8')) as Held;
    held.set(one.person.nhsNumber, one);
  }
  return held;
}
