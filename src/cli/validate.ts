import { Command } from 'commander';
import { Fault } from '../base/errors.ts';
import type { Instant } from '../base/ids.ts';
import { extractFrame } from '../hl7v3/extract.ts';
import { INTERACTION } from '../hl7v3/oids.ts';
import { validatePayload } from '../hl7v3/validate.ts';
import { descendants, type XmlElement } from '../xml/element.ts';
import { readXml } from '../xml/read.ts';
import { fileBytes } from './inspect.ts';
import { payloadBytes } from './payload-file.ts';
import { validateAgainst } from './schema.ts';

const HELP = `
FILE is an HL7 payload, an EhrExtract alone, or a message that holds a payload (MIME, or JSON of the existing message adaptor); - reads
standard input. Our own rules are always checked: required fields, one id for one thing, upper case, links that lead somewhere.
With --schema the XML schemas are checked too; DIR holds <interaction>.xsd, or folders that do.
Exit code: 0 valid, 1 not valid, 2 the file cannot be read.

Examples:
  gp2gp validate message.mime
  gp2gp convert --to hl7 record.json | gp2gp validate - --schema schema
  gp2gp validate extract.xml --json`;

export type Verdict = {
  /** The root element. */
  readonly root: string;
  readonly valid: boolean;
  /** Whether an XML schema was looked at: there is none of a request. */
  readonly schema: boolean;
  readonly findings: readonly { readonly rule: string; readonly message: string; readonly line: number }[];
};

/** `validate`: own structural rules, and XML schemas where a folder of them is given. */
export function validateCommand(): Command {
  return new Command('validate')
    .description('check a message or an extract against the rules of GP2GP, and XML schemas')
    .argument('<file>', 'the message, - for standard input')
    .option('--schema <dir>', 'a folder of XML schemas')
    .option('--json', 'one line of JSON')
    .addHelpText('after', HELP)
    .action(async (file: string, options: { schema?: string; json?: boolean }) => {
      const verdict = await validate(await payloadBytes(fileBytes(file)), options.schema);
      process.stdout.write(options.json ? `${JSON.stringify(verdict)}\n` : inWords(verdict));
      if (!verdict.valid) process.exitCode = 1;
    });
}

/** Validates a payload or an `EhrExtract`. A document that is not well formed is not valid; `input.` faults are about the schemas. */
export async function validate(payload: Uint8Array, schemas?: string): Promise<Verdict> {
  let root: XmlElement;
  try {
    root = readXml(payload);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const line = 'line' in thrown && typeof thrown.line === 'number' ? thrown.line : 0;
    return { root: '', valid: false, schema: false, findings: [{ rule: thrown.code, message: thrown.message, line }] };
  }
  const findings: Verdict['findings'][number][] = [...validatePayload(root)];
  // The schema of a request was never published.
  const schema = schemas !== undefined && root.name !== INTERACTION.request;
  if (schema) {
    const { interaction, xml } = root.name === 'EhrExtract' ? framed(root, payload) : { interaction: root.name, xml: payload };
    for (const found of await validateAgainst(schemas, interaction, xml)) findings.push({ rule: 'schema', ...found });
  }
  return { root: root.name, valid: findings.length === 0, schema, findings };
}

/** An extract alone in a wrapper that only makes it a message, lines kept. */
function framed(root: XmlElement, payload: Uint8Array): { interaction: string; xml: Uint8Array } {
  const marked = [...descendants(root)].some(({ name }) => name === 'confidentialityCode');
  const frame = extractFrame({
    version: marked ? 'UK07' : 'UK06',
    messageId: '00000000-0000-4000-8000-000000000000',
    createdAt: '2000-01-01T00:00:00.000Z' as Instant,
    fromAsid: '000000000000',
    toAsid: '000000000000',
  });
  const extract = new TextDecoder().decode(payload).replace(/^\s*<\?xml[^>]*\?>/, '');
  return { interaction: marked ? INTERACTION.extractUk07 : INTERACTION.extractUk06, xml: Buffer.from(frame.head + extract + frame.tail) };
}

function inWords({ root, valid, schema, findings }: Verdict): string {
  const lines = findings.map(({ rule, message, line }) => `${line ? `line ${line}: ` : ''}${rule}: ${message}`);
  const checked = schema ? 'own rules and XML schema' : 'own rules';
  const verdict = valid
    ? `${root}: valid (${checked})`
    : `${root || 'not well formed'}: ${findings.length} ${findings.length === 1 ? 'fault' : 'faults'} (${checked})`;
  return `${[...lines, verdict].join('\n').replace(/[^\P{C}\n]/gu, '\uFFFD')}\n`;
}
