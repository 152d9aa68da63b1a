import { z } from 'zod';

/**
 * How one supplier's system speaks and behaves, property by property, as it was seen on the wire or read in its code. The numbers name
 * the section of the notes on the protocol (P), on transport (T), and the line of the list of known defects (D) that a property stands for.
 * A simulated practice may be given any of them otherwise.
 */
export const profileSchema = z.strictObject({
  /** In words, for people. */
  title: z.string(),
  /** The adaptors of the NHS know one role each. */
  roles: z.array(z.enum(['requesting', 'sending'])).min(1),
  /** ODS code of the supplier, as SDS shows it (T 4.7). */
  manufacturer: z.string(),
  /** Properties of this profile that no source confirms. */
  unverified: z.array(z.string()),

  // ---- envelope
  /** Of SOAP: prefixes vary freely (P 1.6). */
  soapPrefix: z.enum(['SOAP', 'soap', 'SOAP-ENV']),
  /** `eb:version` stands before `mustUnderstand`, as EMIS writes it (T 1.4). */
  versionFirst: z.boolean(),
  /** `mustUnderstand` on the manifest; EMIS has none (T 1.4). */
  manifestMustUnderstand: z.boolean(),
  /** Namespaces are declared on the elements that use them, not on the envelope (T 1.4). */
  innerNamespaces: z.boolean(),
  /** Of XLink: EMIS declares `d4p1` (P 1.6). */
  xlinkPrefix: z.string(),
  /** With `ebXML` or `ebxml`: both are in use (T 0). */
  hl7ebxmlNamespace: z.enum(['urn:hl7-org:transport/ebXML/DSTUv1.0', 'urn:hl7-org:transport/ebxml/DSTUv1.0']),
  /** Digits behind the second: EMIS sends seven (T 1.4). */
  timestampDigits: z.int().min(0).max(9),
  /** Seconds from `Timestamp` to `TimeToLive`, by interaction; null: none is written (P 2.3). */
  timeToLive: z.strictObject({
    request: z.int().nullable(),
    extract: z.int().nullable(),
    copc: z.int().nullable(),
    acknowledgement: z.int().nullable(),
  }),
  /** What stands in `DuplicateElimination` (P 2.3). */
  duplicateElimination: z.enum(['', 'always']),
  /** A continue asks for an acknowledgement; one capture does not (T 2.3). */
  continueAckRequested: z.boolean(),
  /** The request goes under the id of its conversation (P 2.4: EMIS). */
  requestIdIsConversation: z.boolean(),

  // ---- MIME
  contentIdHeader: z.enum(['Content-Id', 'Content-ID']),
  /** `{uuid}` is new in each message. */
  boundary: z.string(),
  /** The message adaptor of the NHS ends its lines with a bare LF (T 9). */
  lineEnd: z.enum(['\r\n', '\n']),
  /** `type` and `start` quoted and bracketed, or bare as the message adaptor of the NHS writes them (T 1.1). */
  quotedParameters: z.boolean(),
  soapActionQuoted: z.boolean(),
  /** Content id of the ebXML part (T 1.2). */
  rootContentId: z.string(),
  /** The ebXML part names its encoding; EMIS leaves it out (T 1.4). */
  rootEncoding: z.boolean(),
  /** What the text parts claim; TPP says ISO-8859-1 and writes UTF-8 (P 3.7). */
  charset: z.enum(['UTF-8', 'ISO-8859-1']),
  /** `{message}` and `{uuid}` are filled in. Names repeat from message to message where neither stands in them (P 2.3). */
  payloadContentId: z.string(),
  attachmentContentId: z.string(),
  /** What `{n}` begins with in an extract and in a COPC. */
  firstAttachment: z.strictObject({ core: z.int(), copc: z.int() }),
  /** The part names the document's type where Spine knows it, or never (P 3.4 ContentType). */
  attachmentContentType: z.enum(['listed', 'octet-stream']),
  /** Characters in a line of base64, 0 for one line (P 3.3). */
  base64Line: z.int().min(0),

  // ---- manifest
  /** Of the first reference: `{interaction}` is filled in; null: none (P 2.3). */
  payloadDescription: z.string().nullable(),
  /** What a small attachment in the core is described by: all keys, or its bare name (P 3.4). */
  inlineDescription: z.enum(['keys', 'name']),
  /** The same of an attachment in a message of its own. */
  attachmentDescription: z.enum(['keys', 'name', 'Attachment', 'documentId']),
  /** The same of a piece in its message, and of the first piece in an index. */
  pieceDescription: z.enum(['keys', 'name', 'Attachment']),
  /** `eb:id` of the references of an index (P 3.4). */
  indexReferenceId: z.enum(['none', 'messageId', 'uuid']),
  /** Whether `OriginalBase64` says Yes of documents, and of pieces (P 3.4). */
  originalBase64: z.strictObject({ document: z.boolean(), piece: z.boolean() }),
  /** `Length` counts line ends too (P 3.4: TPP). */
  lengthWithLineEnds: z.boolean(),

  // ---- names (P 2.6.2, 3.4)
  /** Of a document: `{document}` is its id, `{name}` its name, `{extension}` with the dot. */
  documentName: z.string(),
  /** Of a piece: also `{index}`, the message id of the index, `{n}` from 0, `{stem}` the name without extension. */
  pieceName: z.string(),
  /** An index names the whole, or its first piece. */
  indexNames: z.enum(['whole', 'firstPiece']),
  /** The name in the record is percent-encoded (P 3.5: EMIS). */
  percentEncoded: z.boolean(),

  // ---- packing (P 3.3, 3.5)
  /** Bytes of base64 that ride in the core before the rest goes outside; 0: all outside (D 19). */
  inlineBytes: z.int().min(0),
  /** Base64 characters of a piece, line ends included where there are any. */
  pieceCharacters: z.int().min(4),
  /** The index carries the first piece (style B). */
  firstPieceInline: z.boolean(),
  /** A core above so many bytes goes as a skeleton with the record gzipped outside (P 3.6). */
  skeletonAbove: z.int(),

  // ---- payloads
  /** `type="…"` defaults are written out (P 2.2: EMIS). */
  defaultTypes: z.boolean(),
  /** `typeCode` on the communication functions of a COPC (P 2.2). */
  copcFunctionTypes: z.boolean(),
  copcActClass: z.enum(['CACT', 'OBS']),
  /** The receiver's ASID stands in `author1` of a COPC: wrong and harmless (P 2.2). */
  copcAuthorIsReceiver: z.boolean(),
  versionCodes: z.strictObject({ record: z.string(), copc: z.string(), positive: z.string(), negative: z.string() }),
  /** Codes and message type of an attachment's cover: Vision uses those of a continue (P 2.6.2). */
  coverCodes: z.enum(['attachment', 'continue']),
  coverMessageType: z.string(),
  coverSubject: z.string(),
  /** `{name}` in the reference of the cover. */
  coverReference: z.string(),
  /** Neither `From` nor `Recipient` is filled in (P 2.6.2: Vision). */
  coverPartiesEmpty: z.boolean(),
  coverBodyId: z.enum(['message', 'uuid']),
  /** `xsi:type` on `Version` (P 2.6.2: EMIS). */
  versionTyped: z.boolean(),
  /** What names the placeholder in a cover: as the core does, or by the document's id (P 4.3). */
  placeholderCoverName: z.enum(['asAnnounced', 'documentId']),
  /** The inner ids of a continue are not those of its message (P 2.6.1: TPP). */
  continueInnerIds: z.enum(['message', 'other']),
  /** ASIDs stand on `device` itself, and prefixes on all (P 2.6.1: TPP). */
  continueDeviceIds: z.boolean(),
  /** One `typecode` for `typeCode` (P 2.6.1, D 13). */
  continueTypo: z.boolean(),
  extractVersion: z.enum(['UK06', 'UK07']),
  /**
   * Which ids of an extract are one: `message`: HL7 and ebXML, the extract's is another; `all` three; `crossed`: the ebXML id is the
   * extract's, the HL7 id another (P 1.3, D 1).
   */
  extractIds: z.enum(['message', 'all', 'crossed']),
  /** `EVNT` is Vision's slip (P 7). */
  folderMood: z.enum(['EVN', 'EVNT']),
  /** Time of the extract's author, or a null flavour (P 7: Vision). */
  authorTimeKnown: z.boolean(),

  // ---- acknowledgements
  /** When a request is acknowledged (P 3.1, D 15). */
  requestAck: z.enum(['beforeExtract', 'afterAll', 'never']),
  /** Each COPC is acknowledged (P 3.2). */
  acknowledgesParts: z.boolean(),
  /** Which id of a message its acknowledgement names (P 1.3, D 2). A continue always names the ebXML id. */
  ackNames: z.enum(['ebxml', 'hl7']),
  /** An acknowledgement of the extract closes only if it names this id (P 1.3, D 1). */
  closesOn: z.enum(['ebxml', 'any']),
  /** AE or AR (P 5.1). */
  negativeType: z.enum(['AE', 'AR']),
  /** Where the code of a refusal stands (P 2.7). */
  codeIn: z.enum(['both', 'reason']),
  detailType: z.enum(['ER', 'AR']),
  /** Where it looks for the code of a refusal: TPP and EMIS anywhere, the sending adaptor by type (P 2.7, D 23). */
  readsCode: z.enum(['anywhere', 'byType']),
  /** A code without display name is an error for it (P 2.7, D 23). */
  needsDisplayName: z.boolean(),

  // ---- what it does not take
  /** White space between elements of a request: refused with 18 (P 2.2: TPP). */
  refusesWhiteSpace: z.boolean(),
  /** An index with a single reference is taken for content and refused (D 3). */
  indexNeedsTwo: z.boolean(),
  /** Every attachment has to be named in the record, or the transfer fails (D 6). */
  needsNamesInRecord: z.boolean(),
  /** Bytes: a larger attachment becomes a placeholder; more in all is refused with 30 (P 3.3). Null: no limit is known. */
  attachmentLimit: z.int().nullable(),
  totalLimit: z.int().nullable(),
});
export type VendorProfile = z.infer<typeof profileSchema>;
