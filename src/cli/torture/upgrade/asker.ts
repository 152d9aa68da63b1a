/** A practice with another supplier's system that asks for records that nobody holds: each request is a message with one right answer, no. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { makeCertificates } from '../../../simulator/certificates.ts';
import { header, readBody, serve } from '../../../simulator/http.ts';
import { testNhsNumber } from '../../../simulator/patients/chance.ts';
import { writeTaken } from '../../../simulator/vendors/envelope.ts';
import { writeRequest } from '../../../simulator/vendors/payloads.ts';
import { compose, isMessage } from '../../../simulator/vendors/post.ts';
import { PROFILES } from '../../../simulator/vendors/profiles.ts';
import { readAnswer, readIncoming } from '../../../simulator/vendors/read.ts';
import type { CastPractice } from '../../demo/cast.ts';
import { ask } from '../../demo/moves.ts';
import type { World } from '../../demo/world.ts';
import type { Posted } from './balancer.ts';

export type Asker = {
  readonly partyKey: string;
  /** The next request to a practice: another patient each time. */
  request(to: CastPractice): Posted;
  /** Ids of the answers to each request that was made, by its id. */
  readonly answers: ReadonlyMap<string, ReadonlySet<string>>;
  close(): Promise<void>;
};

const PRACTICE = { ods: 'V84009', asid: '200009900009', partyKey: 'V84009-840009' };
const PROFILE = PROFILES.emis;
/** Behind the numbers of all patients of a plan. */
const FIRST_PATIENT = 450_000;
const CPA = 'S1001A1000001';

/** Opens its endpoint and makes it known to the hub and SDS. */
export async function startAsker(world: World): Promise<Asker> {
  const { authority, endpoints } = await makeCertificates(join(world.folder, 'certificates'), [{ name: 'asker' }]);
  const files = endpoints.get('asker');
  const tls = { certificate: files?.certificate ?? '', key: files?.key ?? '', authorities: [authority] };
  const newId = () => randomUUID().toUpperCase();
  const answers = new Map<string, Set<string>>();
  let asked = 0;

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const contentType = header(request, 'content-type') ?? '';
    const body = await readBody(request);
    if (!isMessage(contentType)) {
      response.writeHead(200, { 'content-length': 0 }).end();
      return;
    }
    const { envelope, messageId, payload } = readIncoming(contentType, body);
    answers.get(readAnswer(payload).of)?.add(messageId);
    const taken = Buffer.from(writeTaken(PROFILE, envelope, newId(), new Date()));
    response.writeHead(200, { 'content-type': 'text/xml', 'content-length': taken.byteLength }).end(taken);
  }

  const door = await serve(receive, { tls });
  const { ods, asid, partyKey } = PRACTICE;
  const sds = world.programs.get('spine')?.ready['sds'] as { readonly url: string } | undefined;
  await ask(`${world.spineControl}/control/routes/${partyKey}`, { method: 'PUT', body: JSON.stringify({ urls: [`${door.url}/`], asid }) });
  await ask(`${new URL(sds?.url ?? '').origin}/control/organisations`, {
    method: 'POST',
    body: JSON.stringify({ ...PRACTICE, manufacturer: PROFILE.manufacturer }),
  });
  return {
    partyKey,
    request(to) {
      const id = newId();
      answers.set(id, new Set());
      const wrapping = { id, at: new Date(), fromAsid: asid, toAsid: to.asid };
      const about = { requestId: newId(), nhsNumber: testNhsNumber(FIRST_PATIENT + asked++), from: ods, to: to.ods };
      const message = {
        kind: 'request',
        action: 'RCMR_IN010000UK05',
        to,
        conversationId: id,
        messageId: id,
        payload: writeRequest(PROFILE, wrapping, about),
      } as const;
      const mime = compose(PROFILE, PRACTICE, CPA, message, { now: new Date(), newId });
      return { id, soapAction: `"urn:nhs:names:services:gp2gp/${message.action}"`, ...mime };
    },
    answers,
    close: () => door.close(),
  };
}
