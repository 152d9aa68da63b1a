/** The protocol's list of cases, the known defects of peers and its decisions, line by line: which test takes up each, and where we do otherwise. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingTests, type TestsOf } from '../base/listed-testing.ts';

const SRC = join(import.meta.dirname, '..');
const FILES = {
  adaptor: 'spine/adaptor/adaptor.test.ts',
  api: 'gp-system/api.test.ts',
  arrivals: 'service/arrivals.test.ts',
  base: 'base/base.test.ts',
  cases: 'transfer/protocol-cases.test.ts',
  config: 'service/config.test.ts',
  connect: 'gp-system/connect.test.ts',
  content: 'objects/content.test.ts',
  contract: 'service/contract.test.ts',
  conversions: 'service/conversions/conversions.test.ts',
  decisions: 'transfer/decisions.test.ts',
  description: 'ebxml/description.test.ts',
  documentsOut: 'record/document/to-hl7.test.ts',
  endpoint: 'spine/endpoint.test.ts',
  envelope: 'ebxml/envelope.test.ts',
  inbox: 'store/inbox.test.ts',
  match: 'record/document/match.test.ts',
  messages: 'hl7v3/messages.test.ts',
  multipart: 'ebxml/multipart.test.ts',
  node: 'service/node.test.ts',
  odd: 'transfer/odd-messages.test.ts',
  outbox: 'store/outbox.test.ts',
  pack: 'spine/pack.test.ts',
  packing: 'transfer/packing.test.ts',
  parts: 'store/parts.test.ts',
  post: 'service/post.test.ts',
  roles: 'simulator/vendors/roles.test.ts',
  vendors: 'cli/e2e/vendors.test.ts',
  posting: 'store/posting.test.ts',
  practice: 'practice/practice.test.ts',
  sds: 'spine/sds.test.ts',
  send: 'spine/send.test.ts',
  terms: 'record/document/terms.test.ts',
  transfers: 'cli/e2e/transfers.test.ts',
  troubles: 'cli/e2e/troubles.test.ts',
  unpack: 'spine/unpack.test.ts',
  validate: 'hl7v3/validate.test.ts',
  workers: 'service/workers.test.ts',
  world: 'simulator/world/world.test.ts',
  xml: 'xml/xml.test.ts',
} as const;
/** `otherwise`: what we do in place of what was seen. */
type Line = TestsOf<keyof typeof FILES> & { readonly otherwise?: string };

const ONE_REQUEST = 'a request that is delivered three times begins one transfer, of the practice it is addressed to';
const NO_PATIENT = 'a request without a patient, or with a number that is none, cannot be read';
const LACKS = 'that lacks something says everything it lacks';
const REFUSALS = 'each refusal of a record has the code that the other practice is told';
const CODES_OUT = 'every refusal answers the request with its code';
const MISSING = 'a document that cannot be had says why, in place of failing the transfer';
const FINAL = 'the first final acknowledgement wins; 12 is none; 15 and 26 are successes; a late one heals the eighth day';
const CUT = 'small documents ride in the core, large ones go in messages of their own, larger ones in pieces behind an index';
const WHERE = 'the document id goes before the name, with or without an underscore, in any case';
const NEWER = 'a newer request of the same practice for the same patient takes the place of the older one';
const ANY_ORDER = 'pieces before their index, an index before its core: nothing is lost, and the count is right at each step';
const LEDGER = 'the ledger of the simulated worlds is this one: any messages in any order, the same facts and the same rows';
const SENT_AGAIN = 'a failed transfer can be sent again, a finished one cannot';
const PAIRS_SENDING = 'every pair of sending state and event is decided, and only the named pairs change the state';
const PAIRS_REQUESTING = 'every pair of requesting state and event is decided, and only the named pairs change the state';
const UNKNOWN = 'a request of an unknown conversation begins one, everything else waits for its own';
const SECOND = 'a second extract is a duplicate while the first is good, and a fresh start after a failure';
const GOOD_ON = 'whatever is wrong with a message, its sender is told for good and the node goes on';
const ENDS = 'the sender hears what became of the record: filed, suppressed, filed as a document, not integrated, another’s';
const AFTER_END = 'a part that comes after the end is answered by how it ended, and nothing is kept';
const NO_CODE = 'may have no code, one digit, no system, several codes, or a code only in the reason';
const BY_CODE = 'a refusal of the request with any code, an unknown one or none ends it, and a person hears of it';
const SPINE = 'each answer of Spine means what the contract says';
const TIME_OUT = 'the time-out is A·P(extract) + B·N·P(part) from the time in the core, and an index makes N larger';
const GAPS = 'documents that are missing at the time-out become placeholders and a task, and do not fail the transfer';

const EVERY_PAIR = 'every pair of state and event, every response code and every fault was met';
const HEALS = 'a record that was filed is acknowledged, though we had given up, refused, or begun to send it again';
const LONELY = 'an index of a single message is an index, whatever was announced of it; content announced as large is content';
const LENGTHS = 'lengths that are wrong, and names that are alike, do not keep attachments from being joined';
const CUTS =
  'a document of exactly one message is sent whole, one byte more behind an index, and every cut but the last is on four characters';
const RENEWED =
  'while Spine is away nothing of the contract is used up; what waited too long leaves as a new message, and answers to either find it';
const SKELETON_WHOLE =
  'a record too large for one message comes back whole from its skeleton, with its documents, one damaged and one not there';
// One for each profile, its name before it.
const CLOSES = '\u0024{name} sends us a record with documents inline, whole and in pieces, and hears that it was filed';
const ASKS = '\u0024{name} asks us for a record, gets every document as our system has it, and files it';

const LINES: Readonly<Record<number, Line>> = {
  1: { arrivals: ONE_REQUEST },
  2: { arrivals: ONE_REQUEST, decisions: 'the same request again is answered again, without a second record' },
  3: { messages: LACKS },
  4: { messages: LACKS },
  5: { envelope: 'names everything that a message lacks' },
  6: { unpack: NO_PATIENT, endpoint: GOOD_ON, otherwise: 'refused on the wire by a MessageError, at once, instead of by a later 18' },
  7: { connect: REFUSALS, decisions: CODES_OUT },
  8: { connect: REFUSALS },
  9: { connect: REFUSALS },
  10: { connect: REFUSALS },
  11: { connect: REFUSALS },
  12: { connect: REFUSALS },
  13: {
    troubles: 'a record that is no JSON, no Bundle, or nobody’s ends with code 10 on both sides; one that breaks off is asked for again',
  },
  14: { decisions: CODES_OUT, otherwise: 'a patient without entries has a record without entries, which is sent' },
  15: { decisions: CODES_OUT },
  16: { decisions: CODES_OUT, connect: REFUSALS },
  17: { connect: REFUSALS },
  18: {
    cases:
      'a continue that cannot be sent ends the transfer with 99, a part that cannot with 30, a refusal that cannot is not answered by another',
  },
  19: { workers: 'the database is killed and comes back: the workers go on by themselves' },
  20: { decisions: PAIRS_SENDING, otherwise: 'each message is decided about; what belongs to nothing is noted' },
  21: { endpoint: GOOD_ON, decisions: 'a continue that overtakes our own knowledge proves that the core left' },
  22: { practice: 'a record goes to the practice that PDS and SDS name, and to no other' },
  23: { endpoint: GOOD_ON },
  24: { connect: REFUSALS, decisions: CODES_OUT },
  25: { arrivals: ONE_REQUEST },
  26: { arrivals: NEWER, otherwise: 'the newer request is served and the older given up, so that one record is sent' },
  27: {
    practice: 'a record goes to the practice that PDS and SDS name, and to no other',
    node: 'a practice whose patient it is not gets no record',
  },
  28: { cases: UNKNOWN },
  29: { endpoint: GOOD_ON },
  30: {
    decisions: 'ids of all parts are fixed before the core leaves, and none leaves before the continue',
    otherwise: 'the request is acknowledged before the record is fetched',
  },
  31: { documentsOut: 'a document that is not sent is a text file, and its reason stands in the words and in the report' },
  32: { packing: 'a core above the limit goes as a skeleton with the whole message as its first attachment' },
  33: { messages: 'has the header of the record and one component that names the document' },
  34: { validate: 'finds nothing wrong with what we write', otherwise: 'no schema is asked before sending' },
  35: { send: SPINE, decisions: CODES_OUT },
  36: {
    terms: 'types are known in any case and with parameters',
    documentsOut: 'why a placeholder is sent: a title, a type that is not taken, no address',
  },
  37: { documentsOut: 'why a placeholder is sent: a title, a type that is not taken, no address' },
  38: { documentsOut: 'a document that is not sent is a text file, and its reason stands in the words and in the report' },
  39: { connect: MISSING },
  40: { connect: MISSING, conversions: 'the documents of a bundle are listed, with the reason where one cannot be fetched' },
  41: {
    cases:
      'a document of exactly one message is sent whole, one byte more behind an index, and every cut but the last is on four characters',
  },
  42: { packing: CUT, pack: 'an index names its pieces in order and a piece brings its own bytes' },
  43: {
    cases:
      'a document of exactly one message is sent whole, one byte more behind an index, and every cut but the last is on four characters',
  },
  44: { packing: 'no message is larger than the limit, whatever the documents' },
  45: { post: 'a repeated event changes nothing, and closes the row that brought it again' },
  46: { contract: 'an attempt that a killed sender did not record is made again at once, and does not count' },
  47: { cases: 'more documents than a message may have parts go outside it, and none is left out' },
  48: { description: 'is read with all its keys' },
  49: { terms: 'a file is named by its id and its type, without an extension where the type has none' },
  50: { content: 'what is called compressed and bears no mark of gzip is kept as it is' },
  51: { send: SPINE, pack: 'a message that Spine would refuse for its size or its parts is not packed' },
  52: { envelope: 'an href leads to a part or to a message, its id in upper case' },
  53: { messages: 'has the time of London and both systems, and no white space between elements' },
  54: { base: 'ids are compared in upper case, and a document id loses the underscore that XML demands' },
  55: {
    contract:
      'while Spine is away nothing of the contract is used up; what waited too long leaves as a new message, and answers to either find it',
  },
  56: { decisions: SENT_AGAIN, otherwise: 'a record is sent again as it is today, not from a copy' },
  57: { decisions: SENT_AGAIN },
  58: { transfers: 'every document arrives with its bytes, the large one in pieces' },
  59: { cases: 'more documents than a message may have parts go outside it, and none is left out' },
  60: { decisions: 'a continue that overtakes our own knowledge proves that the core left' },
  61: {
    messages: 'is told by its message type, its subject or the message inside, not by its codes',
    otherwise: 'the message type or the message inside do as well as the marker text',
  },
  62: { cases: UNKNOWN, decisions: PAIRS_SENDING },
  63: { decisions: PAIRS_SENDING, odd: 'no message of another practice than the one a transfer is with changes it, whatever it says' },
  64: { decisions: CODES_OUT },
  65: { decisions: FINAL },
  66: { decisions: FINAL },
  67: { messages: 'that answers nothing is refused' },
  68: { decisions: 'a refused document is recorded and the conversation stays open' },
  69: { odd: 'a record that was filed is acknowledged, though we had given up, refused, or begun to send it again' },
  70: { odd: 'a final answer that contradicts the first changes nothing and goes to a person' },
  71: { cases: 'the eighth day is eight times twenty-four hours after the core left, in every state that waits, and tells nobody outside' },
  72: { decisions: SENT_AGAIN },
  73: { world: 'every pair of state and event, every response code and every fault was met' },
  74: {
    terms: 'placeholders are told by their names, in any case',
    decisions: 'a refused document is recorded and the conversation stays open',
  },
  75: { messages: "of Spine's own is told from one of a practice" },
  76: { decisions: FINAL },
  77: { outbox: 'what is put aside is seen by its practice only, and can be replayed by it only', otherwise: 'nothing is deleted yet' },
  78: { pack: 'a request is the envelope and the payload that Spine asks for' },
  79: { messages: LACKS },
  80: { api: 'what is wrong with a body is said, all of it', base: 'an NHS number has ten digits and its check digit is modulus 11' },
  81: {
    sds: 'a failure that passes is asked again before it is told',
    node: 'a registration that may not be asked for ends with its reason, and nothing is sent',
  },
  82: { messages: 'is positive, or negative with its code in both places' },
  83: { messages: NO_CODE, decisions: 'an acknowledgement of the request may come at any time and never moves a transfer back' },
  84: { decisions: PAIRS_REQUESTING },
  85: { cases: BY_CODE },
  86: { messages: NO_CODE },
  87: {
    messages: 'that answers nothing is refused',
    unpack: 'an acknowledgement is positive where it says AA and negative where it says AE or AR; anything else cannot be read',
  },
  88: { messages: NO_CODE },
  89: { cases: BY_CODE },
  90: { cases: ENDS },
  91: {
    decisions: 'a small record: asked for, taken whole, filed, acknowledged once',
    otherwise: 'nothing of the extract is read again to acknowledge it',
  },
  92: {
    send: SPINE,
    cases:
      'a continue that cannot be sent ends the transfer with 99, a part that cannot with 30, a refusal that cannot is not answered by another',
  },
  93: { practice: 'each condition that stops a request has its reason, in the order of the national table' },
  94: { odd: 'the acknowledgement of the request proves that it left: a post whose answer was lost does not end the transfer' },
  95: { decisions: PAIRS_REQUESTING, post: 'an event for another practice’s transfer finds nothing' },
  96: {
    envelope: 'an href leads to a part or to a message, its id in upper case',
    decisions: 'a core with parts elsewhere is answered with the continue, even if every part came before it',
  },
  97: { envelope: 'names everything that a message lacks' },
  98: { unpack: NO_PATIENT },
  99: { cases: UNKNOWN, endpoint: GOOD_ON },
  100: { adaptor: 'what nobody can use is put where an operator looks, with its reason, and never dropped' },
  101: { adaptor: 'a conversation of somebody else is passed on unchanged, at once, and not round and round' },
  102: { arrivals: 'one that waited too long is shown to an operator of that practice, and to no other' },
  103: { decisions: 'a small record: asked for, taken whole, filed, acknowledged once' },
  104: { decisions: SECOND },
  105: { post: 'parts that come before, after and beside their core are counted to the last, and start the conversion once' },
  106: { conversions: 'what cannot be read is an answer with its code: no XML, a skeleton without its record' },
  107: {
    cases:
      'a continue that cannot be sent ends the transfer with 99, a part that cannot with 30, a refusal that cannot is not answered by another',
  },
  108: { description: 'is a file name where it has no key, unless it is one of the stock texts' },
  109: { parts: ANY_ORDER, cases: 'an index with its first piece inside is joined in the order of its manifest' },
  110: {
    messages: 'gives way to a whole interaction of either version and any prefix',
    conversions: 'a record too large for one message comes back whole from its skeleton, with its documents, one damaged and one not there',
  },
  111: { arrivals: 'a core that names two thousand documents keeps its row small, and loses none of them' },
  112: { cases: 'lengths that are wrong, and names that are alike, do not keep attachments from being joined' },
  113: { messages: 'without an element of that id stays as it is, and says so', match: WHERE },
  114: { parts: ANY_ORDER },
  115: { cases: 'lengths that are wrong, and names that are alike, do not keep attachments from being joined', parts: LEDGER },
  116: {
    cases: 'a part that cannot be read is refused with 30, and the transfer goes on; a core that cannot, with 21, and it ends',
    decisions: GAPS,
    otherwise: 'an attachment that cannot be joined becomes a placeholder instead of 29 and 31',
  },
  117: { arrivals: 'a crash after the transfer was begun and before anything else does not begin another' },
  118: { endpoint: 'a manifest that names what did not come is refused for good', decisions: GAPS },
  119: {
    multipart: 'yields headers and decoded contents, the line end before a boundary belonging to the boundary',
    content: 'slices of objects and of rows are read as one',
  },
  120: { cases: AFTER_END },
  121: { decisions: 'the last part starts the conversion; an index announces more' },
  122: {
    content: 'what is called compressed and bears no mark of gzip is kept as it is',
    description: 'does not fail on lengths that are none, nor on texts without end',
  },
  123: { match: 'names are compared decoded, then without case, then without the id in front' },
  124: { description: 'may have its keys in any order, case and spacing, anywhere in the text' },
  125: { odd: TIME_OUT, decisions: GAPS },
  126: { odd: TIME_OUT, otherwise: 'the duration is kept with the transfer from the look-up that allowed the request' },
  127: { sds: 'durations are read as the directory writes them' },
  128: { decisions: PAIRS_REQUESTING },
  129: { decisions: 'the last part starts the conversion; an index announces more' },
  130: { packing: 'an index inside an index is joined depth first', parts: LEDGER },
  131: { endpoint: 'the same id with other content is acknowledged, kept apart and shown to an operator' },
  132: { multipart: 'gives the same parts for every size of chunk' },
  133: { description: 'may hold names that look like something else' },
  134: {
    odd: 'a final answer that contradicts the first changes nothing and goes to a person',
    world: 'every pair of state and event, every response code and every fault was met',
  },
  135: { cases: 'an index of a single message is an index, whatever was announced of it; content announced as large is content' },
  136: { packing: 'an index inside an index is joined depth first' },
  137: {
    endpoint: 'the same id with other content is acknowledged, kept apart and shown to an operator',
    inbox: 'an id that comes again with other bytes changes nothing and is recorded',
  },
  138: { cases: 'an answer is looked for by what it answers, a part by its own id before its conversation, which may be wrong' },
  139: { messages: 'gives way to a whole interaction of either version and any prefix' },
  140: {
    contract:
      'while Spine is away nothing of the contract is used up; what waited too long leaves as a new message, and answers to either find it',
  },
  141: {
    sds: 'a practice that takes no redactions gets the agreement for UK06, and one without COPC has none for parts',
    transfers: 'UK07 goes to who takes it, UK06 to who does not',
  },
  142: { content: 'a leaf between two cuts that decoded to what nobody meant is joined as the text it came as' },
  143: {
    content: 'what is called compressed and bears no mark of gzip is kept as it is',
    cases: 'whether an attachment is compressed the core says, not the index and not its pieces',
  },
  144: { multipart: 'keeps a leaf that does not decode, so that its text can be joined with its neighbours' },
  145: { description: 'may hold names that look like something else' },
  146: {
    messages: 'as the cover of an attachment names the file, whatever is in its name',
    config: 'a name from outside is never more than a name',
  },
  147: { cases: 'lengths that are wrong, and names that are alike, do not keep attachments from being joined' },
  148: { content: 'a gzip bomb stops at the cap, by size and by ratio', otherwise: 'there is no quota over a whole transfer yet' },
  149: { cases: 'codes are read as peers write them, and each says what it means, why it comes and whether to try again' },
  150: { decisions: 'a final answer while parts are still leaving stops them' },
  151: { decisions: 'a refusal of the request ends what is incomplete and takes nothing away from what is whole' },
  152: { post: 'parts that come before, after and beside their core are counted to the last, and start the conversion once' },
  153: { odd: TIME_OUT, envelope: 'reads times without a zone as UTC and refuses what is no time' },
  154: { xml: 'what is no well-formed document, a DTD or an unknown encoding is refused with its line' },
};

/** Defects of the peers that are known: what shows that ours has none of them. */
const DEFECTS: Readonly<Record<number, Line>> = {
  1: { contract: RENEWED, vendors: CLOSES },
  2: { vendors: CLOSES },
  3: { cases: LONELY },
  4: { messages: 'gives way to a whole interaction of either version and any prefix' },
  5: { description: 'does not fail on lengths that are none, nor on texts without end' },
  6: { conversions: SKELETON_WHOLE },
  7: { cases: 'a part that cannot be read is refused with 30, and the transfer goes on; a core that cannot, with 21, and it ends' },
  8: { decisions: 'an acknowledgement of the request may come at any time and never moves a transfer back' },
  9: { post: 'parts that come before, after and beside their core are counted to the last, and start the conversion once' },
  10: { sds: 'a practice that takes no redactions gets the agreement for UK06, and one without COPC has none for parts', odd: TIME_OUT },
  11: { post: 'the request is queued with its exact bytes in the transaction that decides on it', world: EVERY_PAIR },
  12: {
    parts: 'a delivery that failed is forgotten before the next is counted',
    otherwise: 'rows are forgotten; objects stay until sweeps are there',
  },
  13: { messages: 'is positive, or negative with its code in both places' },
  14: {
    decisions: SECOND,
    practice: 'a record goes to the practice that PDS and SDS name, and to no other',
    otherwise: '09 is not said yet: an extract that nobody asked for waits for an operator',
  },
  15: { decisions: 'ids of all parts are fixed before the core leaves, and none leaves before the continue', vendors: ASKS },
  16: { decisions: 'a refusal of the request ends what is incomplete and takes nothing away from what is whole', odd: HEALS },
  17: { practice: 'a record goes to the practice that PDS and SDS name, and to no other', arrivals: NEWER },
  18: { odd: HEALS },
  19: { packing: CUT },
  20: { connect: MISSING },
  21: {
    pack: 'an index names its pieces in order and a piece brings its own bytes',
    documentsOut: 'a document that is not sent is a text file, and its reason stands in the words and in the report',
  },
  22: { connect: 'a document of 30 MB passes in little memory' },
  23: { messages: NO_CODE },
  24: { terms: 'types are known in any case and with parameters' },
  25: { validate: 'wants the code of a refusal in both places, in two digits, in words' },
  26: { decisions: SENT_AGAIN },
  27: { cases: LENGTHS },
  28: { multipart: 'gives the same parts for every size of chunk', description: 'may hold names that look like something else' },
  29: {
    transfers: 'UK07 goes to who takes it, UK06 to who does not',
    decisions: 'a small record: asked for, taken whole, filed, acknowledged once',
  },
  30: { pack: 'the same message gives the same bytes' },
  31: { posting: 'a timer exists once per transfer and name; setting it again moves it and fences off who holds it' },
  32: { cases: 'codes are read as peers write them, and each says what it means, why it comes and whether to try again' },
  33: {
    sds: 'a practice that takes no redactions gets the agreement for UK06, and one without COPC has none for parts',
    decisions: 'a document that comes while a person looks at the gap is taken, and with the last the record is read again',
  },
  34: { roles: 'an attachment above the limit becomes a note, and more than can be held in all is refused', connect: MISSING },
};

/** The decisions for implementers, in their order. */
const DECISIONS: Readonly<Record<number, Line>> = {
  1: { odd: HEALS, contract: RENEWED },
  2: { messages: 'is positive, or negative with its code in both places' },
  3: { cases: LONELY, content: 'a leaf between two cuts that decoded to what nobody meant is joined as the text it came as' },
  4: { parts: ANY_ORDER, world: EVERY_PAIR },
  5: { messages: 'gives way to a section: to the element of the same name with the id of the document, else to the first with it' },
  6: { decisions: GAPS },
  7: { cases: CUTS, packing: 'no message is larger than the limit, whatever the documents' },
  8: { post: 'ten posts of the same event at the same moment are one' },
  9: { decisions: FINAL },
  10: {
    xml: 'what is no well-formed document, a DTD or an unknown encoding is refused with its line',
    content: 'a gzip bomb stops at the cap, by size and by ratio',
  },
};

for (const [what, lines, count] of [
  ['lines of the test list', LINES, 154],
  ['known defects of peers', DEFECTS, 34],
  ['decisions for implementers', DECISIONS, 10],
] as const) {
  test(`each of the ${count} ${what} has a test that is there`, () => {
    assert.deepEqual(
      Object.keys(lines).map(Number),
      Array.from({ length: count }, (_, at) => at + 1),
    );
    assert.deepEqual(
      missingTests(
        SRC,
        FILES,
        Object.entries(lines).map(([line, { otherwise: _otherwise, ...tests }]) => [line, tests] as const),
      ),
      [],
    );
  });
}
