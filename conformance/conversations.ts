/** Messages of whole conversations, captured: what of them is read and what refused; and one large message put together again. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { reasonOf } from '../src/base/errors.ts';
import { readDescription } from '../src/ebxml/description.ts';
import { openEntity } from '../src/ebxml/entity.ts';
import { type EbxmlMessage, readEnvelope } from '../src/ebxml/envelope.ts';
import { readMultipart } from '../src/ebxml/multipart.ts';
import { attachmentReferences, targetOf } from '../src/ebxml/parts.ts';
import { checkTable } from './look.ts';
import type { RunnerResult } from './run.ts';

/**
 * `! code`: a node refuses it for that. `(code)`: wrong, and put up with. Templates hold placeholders where ids and numbers belong; messages of
 * the demographics service are none of GP2GP.
 */
const TABLE: Readonly<Record<string, string>> = {
  'errors/01-spine-gp2gp-error.xml': 'mime 2; message MCCI_IN010000UK13; AR 19',
  'errors/02-spine-pds-response-1.xml': 'hl7; AR 202',
  'errors/03-spine-pds-response-2.xml': 'hl7; QUQI_IN010000UK14; ! hl7.interaction',
  'errors/04-spine-pds-response-3.xml': 'hl7; QUQI_IN010000UK14; ! hl7.interaction',
  'errors/05-spine-pds-response-4.xml': 'hl7; ! xml.malformed',
  'large-ehr-sample/01-sender-RCMR_IN030000UK06.json': 'json 0; message RCMR_IN030000UK06; UK06',
  'large-message-1/01-sender-RCMR_IN030000UK06.mime': 'mime 3; message RCMR_IN030000UK06; 4 attached; UK06; (hl7.id)',
  'large-message-1/02-requester-COPC_IN000001UK01-continue.mime': 'mime 2; message COPC_IN000001UK01; continue',
  'large-message-1/03-sender-COPC_IN000001UK01-compressed.mime': 'mime 3; message COPC_IN000001UK01; 1 attached; attachment',
  'large-message-1/04-sender-COPC_IN000001UK01-video.mime': 'mime 3; message COPC_IN000001UK01; 1 attached; attachment',
  'large-message-1/05-sender-COPC_IN000001UK01-index.mime': 'mime 2; message COPC_IN000001UK01; 2 attached; attachment',
  'large-message-1/06-sender-COPC_IN000001UK01-fragment0.mime': 'mime 3; message COPC_IN000001UK01; 1 attached; attachment',
  'large-message-1/07-sender-COPC_IN000001UK01-fragment1.mime': 'mime 3; message COPC_IN000001UK01; 1 attached; attachment',
  'patient-9442964410/01-spine-pds-update-response.xml': 'mime 2; message PRPA_IN000202UK01; PRPA_IN000202UK01',
  'patient-9442964410/02-sender-acknowledgement.xml': 'mime 2; message MCCI_IN010000UK13; AA',
  'patient-9442964410/03-sender-RCMR_IN030000UK06.xml': 'mime 3; message RCMR_IN030000UK06; 1 attached; UK06',
  'queue-messages/01-RCMR_IN010000UK05.json': 'json 0; message RCMR_IN010000UK05; request; (hl7.id)',
  'queue-messages/02-RCMR_IN030000UK06.json': 'json 0; message RCMR_IN030000UK06; UK06; (hl7.id)',
  'queue-messages/03-RCMR_IN030000UK06WithMid.json': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id)',
  'queue-messages/04-PRPA_IN000202UK01.json': 'json 0; message PRPA_IN000202UK01; PRPA_IN000202UK01',
  'queue-messages-broken/01-RCMR_IN030000UK06WithIncorrectInteractionId.json':
    'json 0; message RCMR_IN0; UK06; ! hl7.interaction; (hl7.id)',
  'queue-messages-broken/02-RCMR_IN030000UK06WithUnexpectedBackslash.json':
    'json 0; message RCMR_IN030000UK06; UK06; (hl7.id); (hl7.missing)',
  'queue-messages-broken/03-RCMR_IN030000UK06WithoutInteractionId.json': 'json 0; UK06; ! ebxml.missing',
  'queue-messages-broken/04-RCMR_IN030000UK06WithoutMessageHeader.json': 'json 0; UK06; ! ebxml.missing',
  'queue-messages-broken/05-RCMR_IN030000UK06WithoutSoapHeader.json': 'json 0; UK06; ! ebxml.missing',
  'record-request/01-requester-RCMR_IN010000UK05.xml': 'mime 2; message RCMR_IN010000UK05; request',
  'record-request/02-requester-COPC_IN000001UK01-continue.xml': 'mime 2; message COPC_IN000001UK01; continue; (mime.header); (mime.header)',
  'templates/01-ehr-request.template.txt': 'json 0; message RCMR_IN010000UK05; ! hl7.missing',
  'templates/02-small-ehr.template.txt': 'json 0; message RCMR_IN030000UK06; UK06; (hl7.id); (hl7.missing)',
  'templates/03-small-ehr-with-linebreaks.template.txt': 'json 0; message RCMR_IN030000UK06; UK06; (hl7.missing)',
  'templates/04-small-ehr-with-99-attachments.template.txt': 'json 0; message RCMR_IN030000UK06; UK06; (hl7.missing)',
  'templates/05-large-ehr-core.template.txt': 'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'templates/06-large-ehr-core-variable-manifest.template.txt':
    'json 0; message RCMR_IN030000UK06; 1 attached; UK06; (hl7.id); (hl7.missing)',
  'templates/07-continue-request.template.txt': 'json 0; message COPC_IN000001UK01; continue; (hl7.id)',
  'templates/08-large-ehr-fragment-no-ref.template.txt': 'json 1; message COPC_IN000001UK01; 1 attached; attachment',
  'templates/09-large-ehr-fragment-with-ref.template.txt': 'json 1; message COPC_IN000001UK01; 2 attached; attachment',
  'templates/10-positive-acknowledgement.template.txt': 'json 0; message MCCI_IN010000UK13; AA',
  'templates/11-negative-acknowledgement.template.txt': 'json 0; message MCCI_IN010000UK13; AR 30',
  'templates/12-change-of-gp-suspension.template.txt': 'hl7; Bundle; ! hl7.interaction',
  'templates/13-change-of-gp-non-suspension.template.txt': 'hl7; Bundle; ! hl7.interaction',
  'templates/14-change-of-gp-re-registration.template.txt': 'hl7; Bundle; ! hl7.interaction',
  'tpp-process/03-spine-pds-retrieval-response.xml': 'ebxml; ! ebxml.missing',
  'tpp-process/04-requester-pds-update.xml': 'hl7; PRPA_IN000203UK03; ! hl7.interaction',
  'tpp-process/05-spine-pds-update-response.xml': 'hl7; PRPA_IN000202UK01; ! hl7.interaction',
  'tpp-process/06-requester-RCMR_IN010000UK05-pretty.xml': 'hl7; request',
  'tpp-process/06-requester-RCMR_IN010000UK05.xml': 'hl7; request',
  'tpp-process/07-sender-RCMR_IN030000UK06.xml': 'hl7; UK06',
  'tpp-process/07-sender-error.xml': 'hl7; AR 18',
  'tpp-process/07-spine-acknowledgement.xml': 'hl7; AA',
};

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'conversations');
  const { failures } = await checkTable('conversations', folder, TABLE);
  const wrong = await largeMessage(join(folder, 'large-message-1')).catch((thrown: unknown) => [reasonOf(thrown)]);
  failures.push(...wrong.map((words) => `large-message-1: ${words}`));
  const cases = Object.keys(TABLE).length + 1;
  return { name: 'conversations', passed: Math.max(0, cases - failures.length), failed: failures.length, failures };
}

/** SHA-256 of the 1,271,430 bytes that Python's `email` makes of the two pieces. */
const BOOK = 'e125a9852f9465e16c0d624d9d310382b0006fd0aaa243f8de35f5a60e1cade6';

type Kept = { readonly envelope: EbxmlMessage; readonly attachments: readonly Buffer[] };

/** The core announces three messages, one of them an index of two pieces; pieces in the order of the index make the document. */
async function largeMessage(folder: string): Promise<string[]> {
  const names = ['01-sender-RCMR_IN030000UK06', '03-sender-COPC_IN000001UK01-compressed', '04-sender-COPC_IN000001UK01-video'];
  const pieces = ['05-sender-COPC_IN000001UK01-index', '06-sender-COPC_IN000001UK01-fragment0', '07-sender-COPC_IN000001UK01-fragment1'];
  const messages = new Map<string, Kept>();
  for (const name of [...names, ...pieces]) {
    const message = await open(join(folder, `${name}.mime`));
    // Core and attachment of this example share one message id; each is asked for by its own file.
    messages.set(name, message);
    messages.set(message.envelope.messageId.toUpperCase(), message);
  }
  const wrong: string[] = [];
  const index = messages.get(pieces[0] ?? '');
  const children = index ? attachmentReferences(index.envelope).map(targetOf) : [];
  const parts = children.flatMap((target) => (target?.at === 'message' ? (messages.get(target.messageId)?.attachments ?? []) : []));
  const whole = Buffer.concat(parts);
  if (parts.length !== 2) wrong.push(`${parts.length} of two pieces found by the index`);
  if (createHash('sha256').update(whole).digest('hex') !== BOOK)
    wrong.push(`the pieces make another document, of ${whole.byteLength} bytes`);
  const compressed = messages.get(names[1] ?? '')?.attachments[0];
  const described = readDescription(
    attachmentReferences(messages.get(names[0] ?? '')?.envelope ?? { references: [] })[0]?.description ?? null,
  );
  if (!described.compressed || !compressed || gunzipSync(compressed).byteLength < compressed.byteLength)
    wrong.push('the compressed attachment does not unzip');
  return wrong;
}

async function open(file: string): Promise<Kept> {
  const { contentType, body } = await openEntity(streamOf(readFileSync(file)));
  const parts: Buffer[] = [];
  for await (const part of readMultipart(body, contentType ?? '')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of part.bytes()) chunks.push(chunk);
    parts.push(Buffer.concat(chunks));
  }
  const envelope = readEnvelope(parts[0] ?? '');
  if (envelope.kind !== 'message') throw new Error(`${file} is no message`);
  return { envelope, attachments: parts.slice(2) };
}

async function* streamOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
