import { Fault, reasonOf } from '../../base/errors.ts';
import { type Answer, ask, type Question } from '../ask.ts';
import { isObject } from '../http.ts';

export type PdsView = {
  readonly nhsNumber: string;
  readonly etag: string;
  readonly restricted: boolean;
  readonly practice: { readonly id: string; readonly ods: string } | null;
};
export type PdsClient = {
  read(nhsNumber: string): Promise<PdsView | null>;
  /**
   * Makes a practice the registered one; `requestId` is the same for every attempt, so that it happens once. `seen`: as the person was just
   * read.
   */
  move(nhsNumber: string, ods: string, today: string, requestId: string, seen?: PdsView | null): Promise<void>;
};

const ATTEMPTS = 8;

/** What a practice's system does with PDS on behalf of a user who holds a token. */
export function pdsClient(url: string, token: string, newId: () => string): PdsClient {
  async function askPds(path: string, init: Question): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
      try {
        const answer = await ask(`${url}${path}`, {
          ...init,
          headers: { authorization: `Bearer ${token}`, 'x-request-id': newId(), ...init.headers },
        });
        if (attempt === ATTEMPTS || (answer.status < 500 && answer.status !== 429 && answer.status !== 408)) return answer;
        await answer.drop();
      } catch (cause) {
        if (attempt === ATTEMPTS) throw new Fault('simulator.pds', `PDS does not answer: ${reasonOf(cause)}`, { cause });
      }
      await wait(100 * 2 ** attempt);
    }
  }

  async function read(nhsNumber: string): Promise<PdsView | null> {
    const answer = await askPds(`/Patient/${nhsNumber}`, {});
    if (answer.status === 404) {
      await answer.drop();
      return null;
    }
    const body: unknown = await answer.json();
    if (answer.status !== 200 || !isObject(body))
      throw new Fault('simulator.pds', `PDS answered ${answer.status}: ${JSON.stringify(body)}`);
    return viewOf(body, String(answer.headers['etag'] ?? ''));
  }

  async function move(nhsNumber: string, ods: string, today: string, requestId: string, seen: PdsView | null = null): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const now = attempt === 1 && seen ? seen : await read(nhsNumber);
      if (!now) throw new Fault('simulator.pds', `PDS does not know ${nhsNumber}`);
      if (now.practice?.ods === ods) return;
      const identifier = { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods, period: { start: today } };
      const patch = now.practice
        ? { op: 'replace', path: '/generalPractitioner/0', value: { id: now.practice.id, type: 'Organization', identifier } }
        : { op: 'add', path: '/generalPractitioner/-', value: { type: 'Organization', identifier } };
      const answer = await askPds(`/Patient/${now.nhsNumber}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json-patch+json', 'if-match': now.etag, 'x-request-id': requestId },
        body: JSON.stringify({ patches: [patch] }),
      });
      const text = await answer.text();
      if (answer.status === 200) return;
      if (answer.status !== 409) throw new Fault('simulator.pds', `PDS refused the new practice: ${answer.status} ${text}`);
    }
    throw new Fault('simulator.pds', `PDS changed ${ATTEMPTS} times while the practice of ${nhsNumber} was to be changed`);
  }

  return { read, move };
}

function viewOf(body: Record<string, unknown>, etag: string): PdsView {
  const [gp] = Array.isArray(body['generalPractitioner']) ? (body['generalPractitioner'] as unknown[]) : [];
  const identifier = isObject(gp) && isObject(gp['identifier']) ? gp['identifier'] : null;
  const ods = identifier?.['value'];
  return {
    nhsNumber: String(body['id']),
    etag,
    restricted: JSON.stringify(body['meta'] ?? {}).includes('"code":"R"'),
    practice: isObject(gp) && typeof ods === 'string' ? { id: String(gp['id']), ods } : null,
  };
}
