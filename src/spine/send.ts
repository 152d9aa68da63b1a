import { Fault, reasonOf } from '../base/errors.ts';
import { createRooms } from '../base/rooms.ts';
import type { Packed, WireBody } from '../base/wire.ts';
import { type Ebxml, EnvelopeFault, readEnvelope } from '../ebxml/envelope.ts';
import type { MessageError } from '../ebxml/message-error.ts';
import type { SoapFault } from '../ebxml/soap-fault.ts';
import { withBackOff } from '../web/back-off.ts';
import { type HttpAnswer, type HttpClient, HttpFault, readBody, WAIT_BYTES } from '../web/client.ts';
import { type ObjectReader, ROOM_FROM_BYTES, TEXT_BYTES, wireBytes } from './wire-bytes.ts';

/**
 * What became of one attempt. `unreachable`: nothing can have arrived, so the attempt does not count against the contract.
 * `accepted`: taken, and an acknowledgement is to come by itself. `unknown`: it may have arrived, or the other side was in trouble. After
 * both the same bytes are repeated when the contract says. `refused`: final.
 */
export type SendOutcome =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'accepted' | 'unknown' | 'unreachable'; readonly fault: string }
  | { readonly outcome: 'refused'; readonly fault: string };
export type Sender = { send(packed: Packed, url: string): Promise<SendOutcome> };
export type SenderOptions = {
  readonly client: HttpClient;
  readonly objects: ObjectReader;
  /** Whether an empty answer of success is the last word (the default), or an Acknowledgment has to come. */
  readonly emptyIsFinal?: boolean;
  /** Milliseconds before each further attempt to connect within one `send`. */
  readonly connectWaits?: readonly number[];
};

const CONNECT_WAITS = [100, 500, 2_000];
const ANSWER_BYTES = 1024 * 1024;

/**
 * Posts packed messages to Spine: the same bytes at every call. Contract repetitions are the outbox's; only failures to connect are
 * tried again here. Throws only where our own object store cannot give the body (`Fault`).
 */
export function createSender(options: SenderOptions): Sender {
  return {
    async send(packed, url) {
      try {
        return await withBackOff(
          () => post(packed, url, options),
          (thrown) => thrown instanceof HttpFault && thrown.kind === 'unreachable',
          options.connectWaits ?? CONNECT_WAITS,
        );
      } catch (thrown) {
        if (thrown instanceof Fault && thrown.code === 'egress.refused') return { outcome: 'refused', fault: thrown.message };
        if (!(thrown instanceof HttpFault)) throw thrown;
        // A wrong certificate delivers nothing either: it waits for a person without using up the contract.
        return { outcome: thrown.kind === 'unknown' ? 'unknown' : 'unreachable', fault: thrown.message };
      }
    },
  };
}

/** Of the texts on their way: so many can wait in a connection, and two more are certainly free. */
const ROOMS = createRooms(TEXT_BYTES, 12);
const IN_TURNS = Math.floor((WAIT_BYTES - 1) / ROOM_FROM_BYTES) + 2;

async function* bytesOf(body: WireBody, objects: ObjectReader, rooms: readonly Buffer[], end: () => void): AsyncGenerator<Uint8Array> {
  yield* wireBytes(body, objects, rooms);
  end();
}

async function post(packed: Packed, url: string, options: SenderOptions): Promise<SendOutcome> {
  const rooms = (packed.contentLength ?? 0) < ROOM_FROM_BYTES ? [] : Array.from({ length: IN_TURNS }, ROOMS.take);
  let whole = false;
  const answer = await options.client.request({
    method: 'POST',
    url,
    headers: {
      soapaction: `"${packed.soapAction}"`,
      'content-type': packed.contentType,
      'content-length': String(packed.contentLength),
    },
    body: bytesOf(packed.body, options.objects, rooms, () => {
      whole = true;
    }),
  });
  let body: Uint8Array;
  try {
    body = await readBody(answer, ANSWER_BYTES);
  } catch (thrown) {
    return { outcome: 'unknown', fault: `HTTP ${answer.status}, and its body broke off: ${reasonOf(thrown)}` };
  }
  // An answer may come before the end of what it answers; then a piece may still be on its way.
  if (whole) rooms.forEach(ROOMS.give);
  return classify(answer, body, packed.messageId, options.emptyIsFinal ?? true);
}

/** An error on a 2xx is an error, a fault of Spine's own machinery may pass, and an empty 2xx is acceptance. */
function classify(answer: HttpAnswer, body: Uint8Array, messageId: string, emptyIsFinal: boolean): SendOutcome {
  const { status } = answer;
  const signal = readSignal(body);
  switch (signal?.kind) {
    case 'acknowledgement':
      return signal.of.toUpperCase() === messageId.toUpperCase()
        ? { outcome: 'delivered' }
        : { outcome: 'unknown', fault: `HTTP ${status} with an acknowledgement of another message, ${signal.of}` };
    case 'error':
      return signal.final ? { outcome: 'refused', fault: errorText(signal) } : { outcome: 'delivered' };
    case 'fault':
      return { outcome: signal.retriable ? 'unknown' : 'refused', fault: faultText(signal) };
    case 'message':
    case undefined:
      return byStatus(status, body.byteLength, emptyIsFinal);
  }
}

function readSignal(body: Uint8Array): Ebxml | null {
  if (body.byteLength === 0) return null;
  try {
    return readEnvelope(body);
  } catch (thrown) {
    // A proxy's error page, or a text: then the status alone counts.
    if (thrown instanceof EnvelopeFault) return null;
    throw thrown;
  }
}

function byStatus(status: number, bytes: number, emptyIsFinal: boolean): SendOutcome {
  // A 202 is the intermediary's word whatever stands beside it; a 200 with something else may come from a proxy on the way.
  if (status === 202 || (status >= 200 && status < 300 && bytes === 0))
    return emptyIsFinal ? { outcome: 'delivered' } : { outcome: 'accepted', fault: `HTTP ${status}: the acknowledgement is to come` };
  const fault = `HTTP ${status} ${bytes ? 'with a body that is no ebXML or SOAP answer' : 'without a body'}`;
  const passing = status < 300 || status >= 500 || status === 408 || status === 429;
  return { outcome: passing ? 'unknown' : 'refused', fault };
}

function errorText({ errors }: MessageError): string {
  return `ebXML error ${errors.map(({ code, description }) => `${code} ${description}`.trim()).join('; ') || 'without a code'}`;
}

function faultText({ faultString, errors }: SoapFault): string {
  return `SOAP fault ${errors.map(({ code, location }) => `${code} ${location}`.trim()).join('; ') || faultString || 'without a code'}`;
}
