import { createHash, timingSafeEqual } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ConversationId, type DocumentId, documentId, type Ods, ods, type TransferId, transferId } from '../base/ids.ts';
import { type NhsNumber, nhsNumber } from '../base/nhs-number.ts';
import { createRooms } from '../base/rooms.ts';
import { writePieces } from '../web/pieces.ts';
import { Problem } from '../web/problem.ts';

/** A patient who was registered for good at the practice; `previousPractice` as PDS showed it before. */
export type Registration = z.infer<typeof registrationSchema>;
export type FiledWord = z.infer<typeof filingSchema>;
export type PersonalDecision = z.infer<typeof decisionSchema>;
export type TransferQuery = z.infer<typeof querySchema>;
/** Bytes with what a caller needs to check them. */
export type Download = {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** `into`: room that is read into again and again, where that can be. */
  body(into: Uint8Array): AsyncIterable<Uint8Array>;
};

/**
 * What the API does and reads, by the program that knows how. Every function gets the caller's own practice and must look no further;
 * `null` is "no such thing there", whatever may exist elsewhere. Values are answered as JSON as they are.
 */
export type PracticeActions = {
  /** Begins a transfer; the same registration id again gives the same answer. */
  register(
    practice: Ods,
    registration: Registration,
  ): Promise<{ readonly transferId: TransferId; readonly conversationId: ConversationId }>;
  transfers(practice: Ods, query: TransferQuery): Promise<object>;
  transfer(practice: Ods, id: TransferId): Promise<object | null>;
  timeline(practice: Ods, id: TransferId): Promise<object | null>;
  record(practice: Ods, id: TransferId): Promise<Download | null>;
  /** What the conversion said, whole (JSON): of either role. */
  report(practice: Ods, id: TransferId): Promise<Download | null>;
  documents(practice: Ods, id: TransferId): Promise<object | null>;
  document(practice: Ods, id: TransferId, document: DocumentId): Promise<(Download & { readonly name: string }) | null>;
  /** What of a record that was sent goes on paper. `open`: the transfer has not ended; `erased`: its content is gone. */
  printList(practice: Ods, id: TransferId): Promise<object | 'open' | 'erased' | null>;
  /** The word of the practice's system about an offer. `otherRecord`: not the version and bytes offered. `notNow`: nothing is offered. */
  filing(practice: Ods, id: TransferId, word: FiledWord): Promise<'taken' | 'otherRecord' | 'notNow' | null>;
  decide(practice: Ods, id: TransferId, decision: PersonalDecision): Promise<'taken' | 'notNow' | null>;
};
export type PracticeApiOptions = {
  readonly actions: PracticeActions;
  /** Practices of this node with the SHA-256 of the bearer key of each one's system, lower-case hexadecimal. */
  readonly practices: () => Iterable<{ readonly ods: Ods; readonly apiKeySha256: string }>;
};

const odsSchema = z
  .string()
  .regex(/^[A-Za-z0-9]{1,12}$/)
  .transform((text): Ods => ods(text));
const nhsNumberSchema = z.string().transform((text, context): NhsNumber => {
  const number = nhsNumber(text);
  if (number) return number;
  context.addIssue('an NHS number has ten digits');
  return z.NEVER;
});
const registrationSchema = z.strictObject({
  registrationId: z.string().min(1).max(64),
  nhsNumber: nhsNumberSchema,
  previousPractice: odsSchema.nullish().transform((value) => value ?? null),
  /** `permanent` (GMS1) is the only one that asks for a record. */
  patientClass: z.string().max(32).default('permanent'),
});
const filingSchema = z.strictObject({
  version: z.int(),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .transform((text) => text.toLowerCase()),
  answer: z.enum(['filed', 'refused']),
  reason: z.string().max(1000).optional(),
});
const decisionSchema = z.strictObject({
  decision: z.enum(['integrate', 'suppress', 'fileAsAttachment', 'reject', 'withdraw', 'resend']),
  user: z.string().min(1).max(200),
  role: z.string().min(1).max(100),
});
const querySchema = z.strictObject({
  role: z.enum(['requesting', 'sending']).optional(),
  state: z.string().max(40).optional(),
  nhsNumber: nhsNumberSchema.optional(),
  registrationId: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** The node's API for the practices' own systems, below `/api/practices/{ods}`. */
export async function practiceApi(server: FastifyInstance, { actions, practices }: PracticeApiOptions): Promise<void> {
  await server.register(
    async (api) => {
      api.addHook('onRequest', async (request) => authenticate(request, practices));

      api.post('/registrations', async (request, reply) => {
        const begun = await actions.register(practiceOf(request), parsed(registrationSchema, request.body));
        return reply.code(202).send(begun);
      });
      api.get('/transfers', async (request) => await actions.transfers(practiceOf(request), parsed(querySchema, request.query)));
      api.get('/transfers/:id', async (request) => found(await actions.transfer(practiceOf(request), transferOf(request))));
      api.get('/transfers/:id/timeline', async (request) => found(await actions.timeline(practiceOf(request), transferOf(request))));
      api.get('/transfers/:id/documents', async (request) => found(await actions.documents(practiceOf(request), transferOf(request))));
      api.get('/transfers/:id/record', async (request, reply) =>
        sendFile(reply, found(await actions.record(practiceOf(request), transferOf(request))), 'application/fhir+json'),
      );
      api.get('/transfers/:id/report', async (request, reply) =>
        sendFile(reply, found(await actions.report(practiceOf(request), transferOf(request))), 'application/json'),
      );
      api.get('/transfers/:id/print-list', async (request) => {
        const list = found(await actions.printList(practiceOf(request), transferOf(request)));
        if (list === 'open') throw new Problem(409, 'printList.open', 'the transfer has not ended: nothing is to be printed yet');
        if (list === 'erased') throw new Problem(410, 'printList.erased', 'what was sent is no longer kept');
        return list;
      });
      api.get('/transfers/:id/documents/:document', async (request, reply) => {
        const wanted = documentId(parameter(request, 'document'));
        const document = found(await actions.document(practiceOf(request), transferOf(request), wanted));
        // Its own type stands in the list: no browser that follows this address shall act on it.
        reply.header('content-disposition', `attachment; filename*=UTF-8''${encoded(document.name)}`);
        return sendFile(reply, document, 'application/octet-stream');
      });
      api.post('/transfers/:id/filing', async (request, reply) => {
        const word = parsed(filingSchema, request.body);
        const fate = found(await actions.filing(practiceOf(request), transferOf(request), word));
        if (fate === 'otherRecord')
          throw new Problem(422, 'filing.otherRecord', 'version and hash are not those of the record that was offered', {
            remedy: 'read the transfer again and answer about the record that it offers now',
          });
        if (fate === 'notNow') throw new Problem(409, 'filing.notNow', 'no record of this transfer waits to be filed');
        return reply.code(200).send({ taken: true });
      });
      api.post('/transfers/:id/decision', async (request, reply) => {
        const decision = parsed(decisionSchema, request.body);
        const fate = found(await actions.decide(practiceOf(request), transferOf(request), decision));
        if (fate === 'notNow')
          throw new Problem(409, 'decision.notNow', `"${decision.decision}" is not possible in the transfer's present state`);
        return reply.code(200).send({ taken: true });
      });
    },
    { prefix: '/api/practices/:ods' },
  );
}

/** Another practice's key finds nothing here, in the words in which nothing is found: what exists elsewhere is not told. */
function authenticate(request: FastifyRequest, practices: PracticeApiOptions['practices']): void {
  const key = /^Bearer (\S{1,512})$/.exec(request.headers.authorization ?? '')?.[1];
  const digest = createHash('sha256')
    .update(key ?? '')
    .digest();
  const wanted = ods(parameter(request, 'ods'));
  let known = false;
  let own = false;
  // All of them each time, so that the time taken says nothing.
  for (const practice of practices()) {
    const expected = Buffer.from(practice.apiKeySha256, 'hex');
    if (expected.byteLength !== digest.byteLength || !timingSafeEqual(expected, digest)) continue;
    known = true;
    own ||= practice.ods === wanted;
  }
  if (key === undefined || !known)
    throw new Problem(401, 'unauthenticated', "show the practice's key as a bearer token", {
      remedy: 'Authorization: Bearer KEY, with the key that the operator of the node gave to the practice',
    });
  if (!own) throw nothing();
}

function nothing(): Problem {
  return new Problem(404, 'notFound', 'nothing is here');
}

function found<T>(value: T | null): T {
  if (value === null) throw nothing();
  return value;
}

function parameter(request: FastifyRequest, name: string): string {
  const value: unknown = (request.params as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}

function practiceOf(request: FastifyRequest): Ods {
  return ods(parameter(request, 'ods'));
}

function transferOf(request: FastifyRequest): TransferId {
  const text = parameter(request, 'id');
  if (!/^[A-Za-z0-9-]{1,64}$/.test(text)) throw nothing();
  return transferId(text);
}

function parsed<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const read = schema.safeParse(value ?? {});
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
  throw new Problem(400, 'request.invalid', faults.slice(0, 10).join('; '));
}

const ROOMS = createRooms(262_144, 8);

async function sendFile(reply: FastifyReply, file: Download, contentType: string): Promise<FastifyReply> {
  const room = ROOMS.take();
  const pieces = file.body(room)[Symbol.asyncIterator]();
  // What cannot be read at all is an answer of its own; what breaks off later is a connection that does.
  const first = await pieces.next();
  reply
    .header('content-type', contentType)
    .header('content-length', String(file.bytes))
    .header('etag', `"${file.sha256}"`)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "sandbox; default-src 'none'")
    .hijack();
  const { raw } = reply;
  try {
    raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
    await writePieces(raw, { [Symbol.asyncIterator]: () => behind(first, pieces) });
    raw.end();
    // Only here: where it broke off, a piece may still be on its way.
    ROOMS.give(room);
  } catch {
    // Nobody is there any more, or the rest cannot be read: a length that is not reached says so.
    raw.destroy();
  }
  return reply;
}

async function* behind(first: IteratorResult<Uint8Array>, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    for (let step = first; !step.done; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}

/** RFC 8187: what `encodeURIComponent` leaves and a header parameter may not hold. */
function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
