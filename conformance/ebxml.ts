/**
 * Envelopes, raw MIME messages and signals of existing systems: what of them is read, what is refused, and whether what we write
 * says the same as what they write.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../src/base/errors.ts';
import { writeAcknowledgement } from '../src/ebxml/acknowledgement.ts';
import { type Ebxml, readEnvelope, writeEnvelope } from '../src/ebxml/envelope.ts';
import { type EbxmlErrorCode, writeMessageError } from '../src/ebxml/message-error.ts';
import { readMultipart } from '../src/ebxml/multipart.ts';
import { writeSoapFault } from '../src/ebxml/soap-fault.ts';
import { readXml } from '../src/xml/read.ts';
import { checkTable, lacking } from './look.ts';
import type { RunnerResult } from './run.ts';

/** `! code`: a node refuses it for that. `(code)`: wrong, and put up with. An empty MCCI stands for a payload in most of these. */
const TABLE: Readonly<Record<string, string>> = {
  'ack-aa/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'ack-aa/payload.xml': 'hl7; AA',
  'ack-ae/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'ack-ae/payload.xml': 'hl7; AE 99',
  'ack-ar/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'ack-ar/payload.xml': 'hl7; AR 18',
  'ack-nack-template/payload.xml': 'hl7; AE {{nackCode}}',
  'expected-ebxml-ack/expected.xml': 'ebxml; acknowledgement Acknowledgment',
  'expected-ebxml-nack/expected.xml': 'ebxml; error MessageError',
  'expected-ebxml-request/expected.mime': 'mime 2; message QUPA_IN000006UK02; QUPA_IN000006UK02',
  'expected-ebxml-request-multiple-attachments/expected.mime': 'mime 4; message QUPA_IN000006UK02; 2 attached; QUPA_IN000006UK02',
  'expected-ebxml-request-one-attachment/expected.mime': 'mime 3; message QUPA_IN000006UK02; 1 attached; QUPA_IN000006UK02',
  'expected-ebxml-request-one-attachment-with-document-id/expected.mime':
    'mime 3; message QUPA_IN000006UK02; 1 attached; QUPA_IN000006UK02',
  'expected-ebxml-request-one-external-attachment/expected.mime': 'mime 2; message QUPA_IN000006UK02; 1 attached; QUPA_IN000006UK02',
  'expected-soap-request/expected.xml': 'ebxml; ! ebxml.missing',
  'inbound-continue/ebxml.xml': 'ebxml; message COPC_IN000001UK01',
  'inbound-continue/payload.xml': 'hl7; continue',
  'inbound-expected-ack/expected.xml': 'ebxml; acknowledgement Acknowledgment',
  'inbound-expected-nack/expected.xml': 'ebxml; error MessageError',
  'inbound-final-ack/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'inbound-final-ack/payload.xml': 'hl7; AA',
  'inbound-no-reference/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'inbound-request/ebxml.xml': 'ebxml; message RCMR_IN010000UK05',
  'inbound-request/payload.xml': 'hl7; request',
  'inbound-request-unintended/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'inbound-unknown-ref-to/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'inbound-unsolicited/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'inbound-unsolicited/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'message-mcci-in010000uk13-ae-typefailure/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'message-mcci-in010000uk13-ae-typefailure/payload.xml': 'hl7; AE 15',
  'message-mcci-in010000uk13-ae-typefailure-extraqualifierfields/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'message-mcci-in010000uk13-ae-typefailure-extraqualifierfields/payload.xml': 'hl7; AE 15',
  'message-mcci-in010000uk13-ar-typefailure/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'message-mcci-in010000uk13-ar-typefailure/payload.xml': 'hl7; AR 01',
  'message-mcci-in010000uk13-emptyfailure/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'message-mcci-in010000uk13-emptyfailure/payload.xml': 'hl7; AE',
  'message-prpa-in000202uk01-messagebody/ebxml.xml': 'ebxml; message PRPA_IN000202UK01',
  'message-prpa-in000202uk01-messagebody/payload.xml': 'hl7; PRPA_IN000202UK01; ! hl7.interaction',
  'message-rcmr-in030000uk06-withmidmessagebody/ebxml.xml': 'ebxml; message RCMR_IN030000UK06; 1 attached',
  'message-rcmr-in030000uk06-withmidmessagebody/payload.xml': 'hl7; UK06',
  'mime-invalid-application-xml-binary-hl7-payload/message.mime': 'mime 2; message MCCI_IN010000UK13; ! xml.malformed',
  'mime-invalid-binary-ebxml-header/message.mime': 'mime 2; ! ebxml.malformed',
  'mime-invalid-binary-hl7-payload/message.mime': 'mime 2; message MCCI_IN010000UK13; ! xml.malformed',
  'mime-multibyte-character/ebxml.xml': 'ebxml; message RCMR_IN030000UK06; 1 attached',
  'mime-multibyte-character/message.mime': 'mime 2; message RCMR_IN030000UK06; 1 attached; xml; ! ebxml.reference; ! hl7.interaction',
  'mime-multiple-attachments/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 2 attached',
  'mime-multiple-attachments/message.mime': 'mime 4; message MCCI_IN010000UK13; 2 attached; ! hl7.missing',
  'mime-no-ack-requested/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-no-ack-requested/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'mime-no-duplicate-elimination/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-no-duplicate-elimination/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'mime-no-encoding/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-no-encoding/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-no-header/message.mime': 'unknown; ! input.unknown',
  'mime-no-payload/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-no-payload/message.mime': 'mime 1; message MCCI_IN010000UK13; ! ebxml.missing; ! ebxml.reference',
  'mime-no-soap-actor/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-no-soap-actor/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'mime-no-sync-reply/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-no-sync-reply/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'mime-one-7bit-attachment/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-7bit-attachment/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-one-8bit-attachment/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-8bit-attachment/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-one-attachment-application-xml-content-compressed/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-attachment-application-xml-content-compressed/message.mime':
    'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing; (mime.base64)',
  'mime-one-attachment-application-xml-content-type/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-attachment-application-xml-content-type/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-one-attachment-application-xml-content-type-no-description/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-attachment-application-xml-content-type-no-description/message.mime':
    'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-one-attachment-text-plain-content-compressed/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-attachment-text-plain-content-compressed/message.mime':
    'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing; (mime.base64)',
  'mime-one-attachment-text-plain-content-compressed-fragment/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-attachment-text-plain-content-compressed-fragment/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-one-binary-attachment/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-binary-attachment/message.mime': 'mime 3; message MCCI_IN010000UK13; 1 attached; ! hl7.missing',
  'mime-one-external-attachment/ebxml.xml': 'ebxml; message MCCI_IN010000UK13; 1 attached',
  'mime-one-external-attachment/message.mime': 'mime 2; message MCCI_IN010000UK13; 1 attached; ! hl7.missing; (mime.unclosed)',
  'mime-payload-defect/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-payload-defect/message.mime': 'mime 2; message MCCI_IN010000UK13; ! xml.malformed; (mime.header)',
  'mime-plain/ebxml.xml': 'ebxml; message MCCI_IN010000UK13',
  'mime-plain/message.mime': 'mime 2; message MCCI_IN010000UK13; ! hl7.missing',
  'parse-ebxml-header/message.xml': 'ebxml; message MCCI_IN010000UK13',
  'parse-ebxml-header-empty/message.xml': 'ebxml; ! ebxml.missing',
  'parse-ebxml-response-error-empty/message.xml': 'ebxml; error MessageError',
  'parse-ebxml-response-error-multiple/message.xml': 'ebxml; error MessageError',
  'parse-ebxml-response-error-single/message.xml': 'ebxml; error MessageError',
  'parse-soap-request-with-defect/message.mime': 'ebxml; ! ebxml.missing',
  'parse-soapfault-response-empty/message.xml': 'ebxml; fault',
  'parse-soapfault-response-multiple-errors/message.xml': 'ebxml; fault',
  'parse-soapfault-response-single-error/message.xml': 'ebxml; fault',
  'parse-soapfault-response-single-error-206/message.xml': 'ebxml; fault',
  'parse-soapfault-response-single-error-208/message.xml': 'ebxml; fault',
  'parse-soapfault-response-single-error-300/message.xml': 'ebxml; fault',
  'spine-async-reliable-success-response/response.xml': 'ebxml; message MCCI_IN010000UK13',
  'spine-ebxml-fault-single-error/response.xml': 'ebxml; error MessageError',
  'spine-soap-fault-single-error/response.xml': 'ebxml; fault',
  'spine-soap-fault-that-should-be-retried/response.xml': 'ebxml; fault',
};

/** Everything that existing systems write as an envelope, which we write again from what we read. */
const WRITTEN = [
  'expected-ebxml-request/expected.mime',
  'expected-ebxml-request-one-attachment/expected.mime',
  'expected-ebxml-request-multiple-attachments/expected.mime',
  'expected-ebxml-request-one-attachment-with-document-id/expected.mime',
  'expected-ebxml-request-one-external-attachment/expected.mime',
  'expected-ebxml-ack/expected.xml',
  'expected-ebxml-nack/expected.xml',
  'inbound-expected-ack/expected.xml',
  'inbound-expected-nack/expected.xml',
  'spine-ebxml-fault-single-error/response.xml',
  'parse-ebxml-response-error-multiple/message.xml',
  'spine-soap-fault-single-error/response.xml',
  'parse-soapfault-response-multiple-errors/message.xml',
  'spine-async-reliable-success-response/response.xml',
];

/** Language tags, which differ between systems, and the time that one system puts into an acknowledgement: that of the message acknowledged. */
const FREE: ReadonlySet<string> = new Set(['@xml:lang', 'Timestamp']);

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'ebxml');
  const read = await checkTable('ebxml', folder, TABLE);
  const failures = [...read.failures];
  for (const file of WRITTEN) {
    const missing = await writtenAgain(join(folder, file)).catch(reasonOf);
    if (missing) failures.push(`${file}, written by us: ${missing}`);
  }
  const cases = Object.keys(TABLE).length + WRITTEN.length;
  return { name: 'ebxml', passed: cases - failures.length, failed: failures.length, failures };
}

async function writtenAgain(file: string): Promise<string | null> {
  const golden = file.endsWith('.mime') ? await firstPart(file) : readFileSync(file);
  return lacking(readXml(golden), readXml(write(readEnvelope(golden))), FREE);
}

function write(envelope: Ebxml): string {
  switch (envelope.kind) {
    case 'message':
      return writeEnvelope(envelope);
    case 'fault':
      return writeSoapFault(envelope.errors, envelope.faultString);
    default: {
      const at = envelope.timestamp;
      if (!at) throw new Error('a signal without a time');
      // As if we answered what was sent the other way.
      const { fromPartyKey: toPartyKey, toPartyKey: fromPartyKey, cpaId, conversationId, messageId } = envelope;
      const signal = { received: { fromPartyKey, toPartyKey, cpaId, conversationId, messageId: envelope.of }, messageId, at };
      if (envelope.kind === 'acknowledgement') return writeAcknowledgement(signal);
      return writeMessageError(
        signal,
        envelope.errors.map(({ code, description }) => ({ code: code as EbxmlErrorCode, description })),
      );
    }
  }
}

async function firstPart(file: string): Promise<Buffer> {
  const body = readFileSync(file);
  for await (const part of readMultipart([body], 'multipart/related; boundary="--=_MIME-Boundary"')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of part.bytes()) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  throw new Error('no part');
}
