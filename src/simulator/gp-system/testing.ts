import { createHash, randomUUID } from 'node:crypto';
import { answerJson, header, readJsonObject, type Served, serve, target } from '../http.ts';

export const NHS = '9990000018';

/** A record of one patient with documents, small enough to read. */
export function smallBundle(documents: readonly { id: string; contentType: string; size: number; url?: string }[] = []): object {
  return {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [
      { resource: { resourceType: 'Patient', id: 'p', identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: NHS }] } },
      ...documents.map(({ id, contentType, size, url }) => ({
        resource: {
          resourceType: 'DocumentReference',
          id,
          content: [{ attachment: { contentType, url: url ?? `https://elsewhere.test/Binary/${id}`, size } }],
        },
      })),
    ],
  };
}

/** The headers of a GP Connect consumer that migrates a record. */
export function consumer(to: string, ods: string, interaction: string, claims: object = {}): Record<string, string> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const token = `${part({ alg: 'none', typ: 'JWT' })}.${part({
    iss: 'https://consumer.test',
    sub: 'u1',
    aud: 'https://provider.test/fhir',
    iat,
    exp: iat + 300,
    reason_for_request: 'migration',
    requested_scope: 'patient/*.read conf/R',
    requesting_device: { resourceType: 'Device' },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods }],
    },
    requesting_practitioner: { resourceType: 'Practitioner', id: 'u1' },
    ...claims,
  })}.`;
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/fhir+json',
    'content-type': 'application/fhir+json',
    'ssp-traceid': randomUUID(),
    'ssp-from': '200000000002',
    'ssp-to': to,
    'ssp-interactionid': interaction,
  };
}

export const MIGRATE = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.migratestructuredrecord-1';
export const MIGRATE_BINARY = 'urn:nhs:names:services:gpconnect:documents:fhir:rest:migrate:binary-1';

export function parameters(nhsNumber: string): string {
  return JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      { name: 'patientNHSNumber', valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber } },
      { name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: true }] },
    ],
  });
}

export type FakeNode = Served & {
  readonly answers: { path: string; body: Record<string, unknown> }[];
  readonly registrations: Record<string, unknown>[];
  /** Requests for documents so far. */
  readonly fetched: () => number;
  hold(ms: number): void;
  offerOf(transferId: string): Record<string, unknown>;
};

/** The part of a node's API that a practice's system uses, over one record with documents. */
export async function fakeNode(record: object, documents: ReadonlyMap<string, Buffer>, apiKey: string): Promise<FakeNode> {
  const bytes = Buffer.from(JSON.stringify(record));
  const sha256 = (of: Buffer) => createHash('sha256').update(of).digest('hex');
  const answers: FakeNode['answers'] = [];
  const registrations: Record<string, unknown>[] = [];
  let fetched = 0;
  let holdMs = 0;
  const served = await serve(async (request, response) => {
    const { path } = target(request);
    if (header(request, 'authorization') !== `Bearer ${apiKey}`) return answerJson(response, 401, {});
    if (path.endsWith('/filing')) {
      answers.push({ path, body: await readJsonObject(request) });
      return answerJson(response, 200, {});
    }
    if (path.endsWith('/registrations')) {
      registrations.push(await readJsonObject(request));
      return answerJson(response, 202, { transferId: 'T1', conversationId: 'C1' });
    }
    if (path.endsWith('/record')) {
      response.end(bytes);
      return;
    }
    if (path.endsWith('/report')) return answerJson(response, 200, {});
    if (path.endsWith('/documents')) {
      const list = [...documents].map(([id, one]) => ({
        documentId: id,
        name: `${id}.bin`,
        contentType: 'application/octet-stream',
        bytes: one.byteLength,
        sha256: sha256(one),
        missing: false,
      }));
      return answerJson(response, 200, list);
    }
    const one = documents.get(decodeURIComponent(path.split('/').at(-1) ?? ''));
    if (!one) return answerJson(response, 404, {});
    fetched++;
    if (holdMs) await new Promise((resolve) => setTimeout(resolve, holdMs));
    response.end(one);
  }, {});
  return {
    ...served,
    answers,
    registrations,
    fetched: () => fetched,
    hold: (ms) => {
      holdMs = ms;
    },
    offerOf: (transferId) => ({
      transferId,
      conversationId: 'C1',
      nhsNumber: NHS,
      version: 1,
      sha256: sha256(bytes),
      recordUrl: `${served.url}/api/practices/B22222/transfers/${transferId}/record`,
      documentsUrl: `${served.url}/api/practices/B22222/transfers/${transferId}/documents`,
      as: 'integrate',
    }),
  };
}
