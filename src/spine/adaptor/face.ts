/** The existing message adaptor's outbound HTTP interface, for clients that must not notice that another program has taken its place. */
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { conversationId, messageId, type Ods, ods } from '../../base/ids.ts';
import { readContentType } from '../../ebxml/mime-header.ts';
import { SPINE_TYPES } from '../pack.ts';
import type { RelayRequest } from './relay-pack.ts';

/** What the client is told. */
export type FaceAnswer = { readonly status: number; readonly body: string };
export type FaceOptions = {
  /** `null`: the id was posted before with other content. The answer may come late: it is awaited. */
  readonly relay: (request: RelayRequest, digest: string) => Promise<FaceAnswer | null>;
  /** Recipient where the client names none. */
  readonly spineOds: Ods;
  /** Whether members that the interface does not know are refused. */
  readonly strict?: boolean;
};

const CHARACTERS = 5_000_000;
const ATTACHMENTS = 98;
/** A body of 98 attachments, escaped. */
const BODY_BYTES = 64 * 1024 * 1024;
const INTERACTIONS: ReadonlySet<string> = new Set([
  'RCMR_IN010000UK05',
  'RCMR_IN030000UK06',
  'RCMR_IN030000UK07',
  'COPC_IN000001UK01',
  'MCCI_IN010000UK13',
]);

const text = z.string().min(1, 'Length must be between 1 and 5000000.').max(CHARACTERS, 'Longer than maximum length 5000000.');
const attachment = z.object({
  content_type: z.enum(SPINE_TYPES),
  is_base64: z.boolean('Not a valid boolean.'),
  description: z.string().min(1, 'Shorter than minimum length 1.'),
  payload: text,
  document_id: z.string().optional(),
});
const external = z.object({ message_id: z.string().min(1), description: z.string().min(1), document_id: z.string().optional() });
const schema = z.object({
  payload: text,
  attachments: z.array(attachment).max(ATTACHMENTS, `Longer than maximum length ${ATTACHMENTS}.`).default([]),
  external_attachments: z.array(external).default([]),
});
const strictSchema = z.strictObject({
  ...schema.shape,
  attachments: z.array(attachment.strict()).max(ATTACHMENTS, `Longer than maximum length ${ATTACHMENTS}.`).default([]),
  external_attachments: z.array(external.strict()).default([]),
});

export async function adaptorFace(server: FastifyInstance, options: FaceOptions): Promise<void> {
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) => done(null, body));
    scope.get('/healthcheck', async (_request, reply) => reply.code(200).send());
    scope.post('/', { bodyLimit: BODY_BYTES }, async (request, reply) => {
      const read = readRequest(request, options);
      if ('status' in read) return refuse(reply, read);
      reply.header('message-id', read.request.messageId).header('correlation-id', read.request.conversationId);
      const answer = await options.relay(read.request, read.digest);
      if (!answer) return refuse(reply, { status: 409, body: 'Message-Id was used before for another message' });
      return reply
        .code(answer.status)
        .type(answer.status < 400 ? 'text/xml' : answer.body.startsWith('{') ? 'application/json' : 'text/plain')
        .send(answer.body);
    });
  });
}

function refuse(reply: FastifyReply, { status, body }: FaceAnswer): FastifyReply {
  return reply.code(status).type('text/plain').send(`${status}: ${body}`);
}

function readRequest(request: FastifyRequest, { spineOds, strict }: FaceOptions): { request: RelayRequest; digest: string } | FaceAnswer {
  const header = (name: string): string => {
    const value = request.headers[name];
    return typeof value === 'string' ? value.trim() : '';
  };
  const interaction = header('interaction-id');
  if (!interaction) return { status: 404, body: 'Required Interaction-Id header not found' };
  if (!INTERACTIONS.has(interaction)) return { status: 404, body: `Unknown interaction ID: ${interaction.slice(0, 100)}` };
  const wait = header('wait-for-response').toLowerCase();
  if (!wait) return { status: 400, body: 'wait-for-response header not found' };
  if (wait !== 'true' && wait !== 'false') return { status: 400, body: 'wait-for-response header must be set to "true" or "false"' };
  if (wait === 'true') return { status: 400, body: `wait-for-response header must be set to "false" for interaction ${interaction}` };
  if (!header('content-type')) return { status: 400, body: 'Missing Content-Type header' };
  // A charset behind it is no other type.
  if (readContentType(header('content-type')).type !== 'application/json')
    return { status: 415, body: 'Unsupported content type. Only application/json request bodies are supported.' };
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (raw.byteLength === 0) return { status: 400, body: 'Body missing from request' };
  let value: unknown;
  try {
    value = JSON.parse(raw.toString('utf8'));
  } catch {
    return { status: 400, body: 'Invalid JSON request body' };
  }
  const parsed = (strict ? strictSchema : schema).safeParse(value);
  if (!parsed.success) return { status: 400, body: `Invalid request. Validation errors: ${JSON.stringify(errorsOf(parsed.error))}` };
  const { payload, attachments, external_attachments } = parsed.data;
  const given = { messageId: header('message-id'), conversationId: header('correlation-id'), ods: header('ods-code') };
  return {
    digest: createHash('sha256')
      .update(`${interaction} ${given.conversationId.toUpperCase()} ${given.ods.toUpperCase()}\n`)
      .update(raw)
      .digest('hex'),
    request: {
      interaction,
      messageId: messageId(given.messageId || randomUUID()),
      conversationId: conversationId(given.conversationId || randomUUID()),
      ods: given.ods ? ods(given.ods) : spineOds,
      payload,
      attachments: attachments.map((each) => ({
        contentType: each.content_type,
        isBase64: each.is_base64,
        description: each.description,
        payload: each.payload,
        documentId: each.document_id ?? null,
      })),
      external: external_attachments.map((each) => ({
        messageId: each.message_id,
        description: each.description,
        documentId: each.document_id ?? null,
      })),
    },
  };
}

/** As the peer's own validator nests them: `{"attachments": {"0": {"is_base64": ["…"]}}}`. */
function errorsOf(error: z.ZodError): object {
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const issue of error.issues) {
    const path = issue.path.length > 0 ? issue.path.map(String) : ['_schema'];
    const said =
      issue.code === 'invalid_type' && /undefined/.test(issue.message)
        ? 'Missing data for required field.'
        : issue.code === 'unrecognized_keys'
          ? 'Unknown field.'
          : issue.message;
    let here = root;
    for (const part of path.slice(0, -1)) {
      const next = here[part];
      if (typeof next !== 'object' || next === null || Array.isArray(next)) here[part] = Object.create(null);
      here = here[part] as Record<string, unknown>;
    }
    here[path.at(-1) ?? ''] = [said];
  }
  return root;
}
