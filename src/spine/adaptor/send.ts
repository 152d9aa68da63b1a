import { Fault, reasonOf } from '../../base/errors.ts';
import type { Packed } from '../../base/wire.ts';
import { withBackOff } from '../../web/back-off.ts';
import { type HttpClient, HttpFault, readBody } from '../../web/client.ts';
import type { Sender, SendOutcome } from '../send.ts';
import { type ObjectReader, wireBytes } from '../wire-bytes.ts';

const CONNECT_WAITS = [100, 500, 2_000];
const ANSWER_BYTES = 1024 * 1024;

/**
 * Posts packed messages to the existing message adaptor: the second sender behind the same outbox row. A 202 is Spine's word through it;
 * a 4xx is final; anything else may have left, and the same bytes under the same id are posted again. Throws as the sender to Spine does.
 */
export function createAdaptorSender(options: {
  readonly client: HttpClient;
  readonly objects: ObjectReader;
  readonly connectWaits?: readonly number[];
}): Sender {
  return {
    async send(packed, url) {
      try {
        return await withBackOff(
          () => post(packed, url, options),
          (thrown) => thrown instanceof HttpFault && thrown.kind === 'unreachable',
          options.connectWaits ?? CONNECT_WAITS,
        );
      } catch (thrown) {
        if (!(thrown instanceof HttpFault)) throw thrown;
        return { outcome: thrown.kind === 'unknown' ? 'unknown' : 'unreachable', fault: thrown.message };
      }
    },
  };
}

async function post(packed: Packed, url: string, { client, objects }: { client: HttpClient; objects: ObjectReader }): Promise<SendOutcome> {
  const length = packed.contentLength ?? (await lengthOf(packed, objects));
  const answer = await client.request({
    method: 'POST',
    url,
    headers: { ...packed.headers, accept: 'application/json', 'content-type': packed.contentType, 'content-length': String(length) },
    body: wireBytes(packed.body, objects),
  });
  let said = '';
  try {
    said = (await readBody(answer, ANSWER_BYTES)).toString('utf8');
  } catch (thrown) {
    if (answer.status !== 202) return { outcome: 'unknown', fault: `HTTP ${answer.status}, and its body broke off: ${reasonOf(thrown)}` };
  }
  const { status } = answer;
  if (status === 202) return { outcome: 'delivered' };
  const fault = `the message adaptor answered HTTP ${status}${said && `: ${said.slice(0, 300)}`}`;
  const passing = status < 300 || status >= 500 || status === 408 || status === 429;
  return { outcome: passing ? 'unknown' : 'refused', fault };
}

/** Read through once to be counted: the adaptor's own server wants a length. */
async function lengthOf(packed: Packed, objects: ObjectReader): Promise<number> {
  let bytes = 0;
  for await (const piece of wireBytes(packed.body, objects)) bytes += piece.byteLength;
  if (bytes === 0) throw new Fault('spine.bodyUnreadable', 'the body of the message is empty');
  return bytes;
}
