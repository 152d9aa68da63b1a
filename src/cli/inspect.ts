import { createReadStream } from 'node:fs';
import { Command } from 'commander';
import { Fault, reasonOf } from '../base/errors.ts';
import type { Ebxml } from '../ebxml/envelope.ts';
import { type AttachmentSeen, type Inspection, inspect, type PartSeen, type PayloadSeen } from './inspection.ts';

const HELP = `
FILE is a MIME message (with its headers, as a captured HTTP request, or beginning with its boundary), an ebXML envelope,
an HL7 payload, or a message as the existing message adaptor hands it on in JSON; - reads standard input.
A message that a node would refuse is listed part by part all the same, with what is wrong under "faults";
"defects" are put up with. "a node" (in JSON "receiver") says what would be done with it.

Examples:
  gp2gp inspect message.mime
  gp2gp inspect message.mime --json
  curl -s https://example.test/message | gp2gp inspect -`;

/** `inspect`: a message explained, for people or as one line of JSON. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('explain a MIME, ebXML, HL7 or JSON message')
    .argument('<file>', 'the message, - for standard input')
    .option('--json', 'one line of JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, options: { json?: boolean }) => {
      const inspection = await inspect(fileBytes(file));
      process.stdout.write(`${options.json ? JSON.stringify(inspection) : inWords(inspection)}\n`);
    });
}

/** The bytes of a file, or of standard input for `-`. A file that cannot be read is an `input.` fault: exit code 2, one line. */
export async function* fileBytes(file: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
  } catch (thrown) {
    throw new Fault('input.unreadable', `${file} cannot be read: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

/** An inspection for people: envelope, parts, attachments, payload, faults. Control characters of a message never reach the terminal. */
export function inWords(inspection: Inspection): string {
  const lines: string[] = [
    `kind        ${inspection.kind}${inspection.kind === 'json' ? ` (${inspection.resourceType ?? inspection.holds})` : ''}`,
  ];
  if ('envelope' in inspection && inspection.envelope) lines.push(...envelopeLines(inspection.envelope));
  if ('parts' in inspection && inspection.parts)
    lines.push('', `parts       ${inspection.parts.length}`, ...inspection.parts.map(partLine));
  if ('attachments' in inspection && inspection.attachments?.length)
    lines.push('', `attachments ${inspection.attachments.length}`, ...inspection.attachments.flatMap(attachmentLines));
  if ('payload' in inspection && inspection.payload) lines.push('', ...payloadLines(inspection.payload));
  if (inspection.receiver.length > 0)
    lines.push('', 'a node', ...inspection.receiver.flatMap((sentence, n) => folded(`${n + 1}. `, sentence)));
  lines.push('', inspection.faults.length ? `faults      ${inspection.faults.length}` : 'no faults');
  for (const { code, message } of inspection.faults) lines.push(`  ${code}: ${message}`);
  if (inspection.defects.length) lines.push(`defects     ${inspection.defects.length}, put up with`);
  for (const { code, message } of inspection.defects) lines.push(`  ${code}: ${message}`);
  return lines.map(printable).join('\n');
}

function envelopeLines(envelope: Ebxml): string[] {
  if (envelope.kind === 'fault')
    return [`SOAP fault  ${envelope.faultString}`, ...envelope.errors.map(({ code, description }) => `  ${code} ${description}`)];
  const lines = [
    '',
    `ebXML       ${envelope.kind}`,
    ...rows({
      service: envelope.service,
      action: envelope.action,
      from: envelope.fromPartyKey,
      to: envelope.toPartyKey,
      conversation: envelope.conversationId,
      message: envelope.messageId,
      'refers to': envelope.refToMessageId,
      time: envelope.timestamp,
      'lives until': envelope.timeToLive,
      agreement: envelope.cpaId,
    }),
  ];
  if (envelope.kind === 'error')
    for (const { code, severity, description } of envelope.errors) lines.push(`  ${severity} ${code} ${description}`);
  return lines;
}

function partLine({ contentId, contentType, encoding, bytes, sha256 }: PartSeen): string {
  return `  ${contentType || '(no type)'}  ${bytes} bytes (${encoding})  ${contentId || '(no content id)'}\n    SHA-256 ${sha256}`;
}

function attachmentLines({ href, id, text, description }: AttachmentSeen): string[] {
  const { filename, contentType, compressed, large, length, skeleton } = description;
  return [
    `  ${href}`,
    ...rows({
      document: id,
      described: text?.replace(/\s+/g, ' ').trim(),
      'file name': filename,
      type: contentType,
      compressed: compressed ? 'yes' : 'no',
      'in pieces': large === undefined ? undefined : large ? 'yes' : 'no',
      length: length === undefined ? undefined : String(length),
      skeleton: skeleton ? 'yes' : undefined,
    }).map((row) => `  ${row}`),
  ];
}

function payloadLines(payload: PayloadSeen): string[] {
  if (payload.interaction === 'other') return [`payload     ${payload.root}`];
  const { wrapper, interaction, ...rest } = payload;
  const fields: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(rest)) if (typeof value === 'string' || value === null) fields[name] = value;
  return [
    `payload     ${wrapper.interaction} (${interaction})`,
    ...rows({ id: wrapper.messageId, created: wrapper.createdAt, 'from ASID': wrapper.fromAsid, 'to ASID': wrapper.toAsid, ...fields }),
  ];
}

const WIDE = 110;

/** A sentence in lines of bearable length, the later ones below the beginning of the first. */
function folded(mark: string, sentence: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDE) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((text, n) => `  ${n === 0 ? mark : ' '.repeat(mark.length)}${text}`);
}

function rows(fields: Readonly<Record<string, string | null | undefined>>): string[] {
  return Object.entries(fields).flatMap(([name, value]) => (value ? [`  ${name.padEnd(12)} ${value}`] : []));
}

function printable(line: string): string {
  return line.replace(/[^\P{C}\n]/gu, '\uFFFD');
}
