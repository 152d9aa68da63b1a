import type { NonEmpty } from '../../base/content.ts';
import { storedLength } from '../../base/content.ts';
import { Fault } from '../../base/errors.ts';
import { type Packed, type WirePiece, wireLength } from '../../base/wire.ts';
import { GP2GP_SERVICE } from '../../ebxml/envelope.ts';
import type { Message } from '../../transfer/types.ts';
import { attachmentsOf, contractOf, labelOf, type PackOptions, referencesOf } from '../pack.ts';
import { actionOf, payloadOf } from '../payload.ts';

/** What the existing message adaptor takes: characters of a payload or attachment, attachments of one message. */
const CHARACTERS = 5_000_000;
const ATTACHMENTS = 98;
/** The adaptor repeats by the contract itself; these are ours towards it, a minute apart, as its known callers have. */
const RETRIES = 6;
const EVERY_SECONDS = 60;

/**
 * A message as the body of a POST to the existing message adaptor, which makes the envelope. The same row as for Spine: texts in it,
 * documents as slices of the store. Same input, same bytes. Throws the `Fault`s of `pack`.
 */
export function packForAdaptor(message: Message, { own, peer }: Pick<PackOptions, 'own' | 'peer'>): Packed {
  const contract = contractOf(message, peer);
  const action = actionOf(message);
  const attachments = attachmentsOf(message);
  if (attachments.length > ATTACHMENTS)
    throw new Fault('pack.tooManyParts', `${attachments.length} attachments in one message; the adaptor takes ${ATTACHMENTS}`);
  const texts: (string | WirePiece)[] = ['{"payload":"'];
  if (message.interaction === 'extract') {
    if (message.hl7.stored !== 'bytes' || message.hl7.gzip)
      throw new Fault('pack.payload', 'the payload of an extract must be XML, neither compressed nor base64');
    if (storedLength(message.hl7) > CHARACTERS)
      throw new Fault('pack.tooLarge', `the payload has ${storedLength(message.hl7)} bytes; the adaptor takes ${CHARACTERS}`);
    texts.push(...message.hl7.pieces.map((piece) => ({ ...piece, encode: 'json' }) as const));
  } else texts.push(jsonText(payloadOf(message, own, peer)));
  texts.push('","attachments":[');
  const references = referencesOf(message);
  const here = references.filter(({ href }) => href.startsWith('cid:'));
  for (const [at, { part, announced }] of attachments.entries()) {
    const { id, description } = here[at] ?? {};
    const about = {
      content_type: labelOf(announced.contentType ?? part.contentType, announced),
      is_base64: true,
      description: description ?? '',
      // Taken over word for word as an XML id.
      ...(id && { document_id: id }),
    };
    texts.push(`${at > 0 ? ',' : ''}${JSON.stringify(about).slice(0, -1)},"payload":"`);
    texts.push(
      ...part.content.pieces.map((piece) => ({ ...piece, encode: part.content.stored === 'base64' ? 'none' : 'base64' }) as const),
      '"}',
    );
  }
  const elsewhere = references
    .filter(({ href }) => href.startsWith('mid:'))
    .map(({ href, id, description }) => ({
      message_id: href.slice('mid:'.length),
      description,
      document_id: id ?? `_${href.slice('mid:'.length)}`,
    }));
  texts.push(`],"external_attachments":${JSON.stringify(elsewhere)}}`);
  const body = joined(texts);
  return {
    messageId: message.messageId,
    soapAction: `${GP2GP_SERVICE}/${action}`,
    contentType: 'application/json',
    headers: {
      'interaction-id': action,
      'message-id': message.messageId,
      'correlation-id': message.conversationId,
      'ods-code': peer.ods,
      'from-asid': own.asid,
      'wait-for-response': 'false',
    },
    // How long a text is in JSON shows only when it is read.
    contentLength: message.interaction === 'extract' ? null : wireLength(body),
    body,
    retries: RETRIES,
    everySeconds: EVERY_SECONDS,
    persistSeconds: contract.persistSeconds,
  };
}

function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Neighbouring texts become one piece. */
function joined(parts: readonly (string | WirePiece)[]): NonEmpty<WirePiece> {
  const pieces: WirePiece[] = [];
  let text = '';
  const flush = (): void => {
    if (text) pieces.push({ in: 'row', data: Buffer.from(text, 'utf8'), encode: 'none' });
    text = '';
  };
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else {
      flush();
      pieces.push(part);
    }
  }
  flush();
  const [first, ...rest] = pieces;
  if (!first) throw new Fault('pack.payload', 'a message has no parts');
  return [first, ...rest];
}
