import type { FastifyRequest } from 'fastify';
import { reasonOf } from '../base/errors.ts';
import { type HttpClient, readBody } from '../web/client.ts';
import { Problem } from '../web/problem.ts';
import type { InboundBody } from './inbound-body.ts';

/** The answer of the system that a message was passed on to. */
export type PassedOn = { readonly status: number; readonly contentType: string | null; readonly body: Uint8Array };

const ANSWER_BYTES = 1024 * 1024;

/**
 * Passes a message of another service on as it came: same bytes, same content type, same SOAPAction; its answer becomes ours. Where
 * that system does not answer, a `Problem` 503 makes Spine send again.
 */
export async function passOn(
  request: FastifyRequest,
  body: InboundBody,
  to: { readonly url: string; readonly client: HttpClient },
): Promise<PassedOn> {
  const headers: Record<string, string> = {};
  for (const name of ['content-type', 'content-length', 'soapaction']) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  try {
    const answer = await to.client.request({ method: 'POST', url: to.url, headers, body: body.fromStart() });
    const read = await readBody(answer, ANSWER_BYTES);
    return { status: answer.status, contentType: answer.headers.get('content-type') ?? null, body: read };
  } catch (cause) {
    throw new Problem(503, 'endpoint.notPassedOn', `the system for other services does not answer: ${reasonOf(cause)}`, { cause });
  }
}
