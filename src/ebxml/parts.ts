/** Which part of a message is which: the root by `start`, the payload and the attachments by the manifest. */
import type { EbxmlMessage, ManifestReference } from './envelope.ts';
import { bareContentId, readContentType } from './mime-header.ts';

/** Where a manifest reference points. */
export type Target = { readonly at: 'here'; readonly contentId: string } | { readonly at: 'message'; readonly messageId: string } | null;

/** `cid:` is percent-decoded once and bare, `mid:` is a message id in upper case; `null` for any other href. */
export function targetOf({ href }: Pick<ManifestReference, 'href'>): Target {
  const scheme = href.slice(0, 4).toLowerCase();
  const value = href.slice(4);
  if (scheme === 'cid:') return { at: 'here', contentId: bareContentId(percentDecoded(value)) };
  // Spine's `mid:` is the message id alone; RFC 2392 would allow `message/part`.
  if (scheme === 'mid:') return { at: 'message', messageId: bareContentId(percentDecoded(value)).toUpperCase() };
  return null;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The part that a content id names: compared exactly, then without case. */
export function partByContentId<P extends { readonly contentId: string }>(parts: readonly P[], contentId: string): P | undefined {
  const wanted = contentId.toLowerCase();
  return parts.find((part) => part.contentId === contentId) ?? parts.find((part) => part.contentId.toLowerCase() === wanted);
}

/** The ebXML part: the one that `start` names, else the first. */
export function rootPart<P extends { readonly contentId: string }>(parts: readonly P[], contentType: string): P | undefined {
  const start = readContentType(contentType).parameters.get('start');
  return (start === undefined ? undefined : partByContentId(parts, bareContentId(start))) ?? parts[0];
}

/** The manifest reference of the HL7 payload: the first `cid:` that says so, else the first `cid:` of the manifest's first line. */
export function payloadReference(message: Pick<EbxmlMessage, 'references'>): ManifestReference | undefined {
  const here = message.references.filter((reference) => targetOf(reference)?.at === 'here');
  return here.find(({ payload }) => payload) ?? (here[0] === message.references[0] ? here[0] : undefined);
}

/** The HL7 payload: as the manifest says, else the second part. An XML attachment is no payload. */
export function payloadPart<P extends { readonly contentId: string }>(
  message: Pick<EbxmlMessage, 'references'>,
  parts: readonly P[],
  root: P | undefined,
): P | undefined {
  const target = targetOf(payloadReference(message) ?? { href: '' });
  const named = target?.at === 'here' ? partByContentId(parts, target.contentId) : undefined;
  return named && named !== root ? named : parts.find((part) => part !== root);
}

/** The references behind the payload's: attachments here and in other messages, in the order of the manifest. */
export function attachmentReferences(message: Pick<EbxmlMessage, 'references'>): ManifestReference[] {
  const payload = payloadReference(message);
  return message.references.filter((reference) => reference !== payload);
}
