/** Identifiers of the wire and of this product. Ids are compared without case, stored and sent in upper case. */
export type Brand<T, B extends string> = T & { readonly brand: B };

/** ebXML MessageId; equal to the HL7 id in everything we send. Upper case. */
export type MessageId = Brand<string, 'MessageId'>;
export type ConversationId = Brand<string, 'ConversationId'>;
/** Ours: one conversation may exist twice in one node, once per role. */
export type TransferId = Brand<string, 'TransferId'>;
/** Opaque: most are UUIDs, some real ones are not. */
export type DocumentId = Brand<string, 'DocumentId'>;
/** The ODS code of a practice or another organisation, upper case. */
export type Ods = Brand<string, 'Ods'>;
/** UTC with milliseconds: `2026-01-05T09:30:00.000Z`. */
export type Instant = Brand<string, 'Instant'>;

const UUID = /^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/i;

/** Whether a text has the shape of a UUID, in either case. Version bits are not looked at: real ids are of every version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Upper case, without surrounding white space: the one form in which ids are stored and compared. */
export function messageId(text: string): MessageId {
  return text.trim().toUpperCase() as MessageId;
}

export function conversationId(text: string): ConversationId {
  return text.trim().toUpperCase() as ConversationId;
}

export function transferId(text: string): TransferId {
  return text.trim().toUpperCase() as TransferId;
}

/** Strips the one leading underscore that XML demands of `eb:Reference/@eb:id`. */
export function documentId(text: string): DocumentId {
  return text.trim().replace(/^_/, '').toUpperCase() as DocumentId;
}

export function ods(text: string): Ods {
  return text.trim().toUpperCase() as Ods;
}

export function instant(date: Date): Instant {
  return date.toISOString() as Instant;
}
