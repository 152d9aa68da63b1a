import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { Fault, reasonOf } from '../base/errors.ts';
import { readJson } from '../fhir/json.ts';
import type { Bundle } from '../fhir/types.ts';
import type { ConversionReport, Refusal } from '../record/types.ts';
import { bundleTextOf, type ExtractRequest, extractOf, requestFor } from './conversion.ts';
import { fileBytes } from './inspect.ts';
import { readReceived } from './received-file.ts';
import { terminologyAt } from './terminology-file.ts';

const HELP = `
--to hl7   FILE is a GP Connect structured record (a FHIR STU3 Bundle); the EhrExtract is written. Redactions are marked as in
           RCMR_IN030000UK07; --redactions off leaves the marks out, as RCMR_IN030000UK06 has no room for them.
--to fhir  FILE is a MIME message, an RCMR_IN030000UK06 or UK07 payload, or an EhrExtract; a FHIR STU3 Bundle is written.
           Of a MIME message the documents inside it are known, those sent in further messages are called missing.
The result goes to standard output. - as FILE reads standard input. Exit code 2: FILE is not what it should be.

Examples:
  gp2gp convert --to hl7 record.json > extract.xml
  gp2gp convert --to hl7 record.json --redactions off --report report.json > extract.xml
  gp2gp convert --to fhir extract.xml > record.json
  gp2gp convert --to fhir extract.xml --terminology snomed.terminology > record.json
  gp2gp convert --to fhir message.mime --report report.json > record.json`;

type Options = { to: 'hl7' | 'fhir'; redactions: 'on' | 'off'; report?: string; terminology?: string };

/** `convert`: a record from FHIR to HL7 or back. */
export function convertCommand(): Command {
  return new Command('convert')
    .description('convert a record from FHIR to HL7 or from HL7 to FHIR')
    .argument('<file>', 'the record or message, - for standard input')
    .addOption(new Option('--to <format>', 'what to write').choices(['hl7', 'fhir']).makeOptionMandatory())
    .addOption(new Option('--redactions <switch>', 'mark redactions (--to hl7)').choices(['on', 'off']).default('on'))
    .option('--report <file>', 'write what was degraded, lost or missing, as JSON')
    .option('--terminology <file>', 'a file that `gp2gp terminology build` wrote (--to fhir)')
    .addHelpText('after', HELP)
    .action(convert);
}

async function convert(file: string, options: Options): Promise<void> {
  const { text, report } = options.to === 'hl7' ? await toHl7(file, options) : await toFhir(file, options);
  if (options.report !== undefined) await writeReport(options.report, report);
  process.stdout.write(`${text}\n`);
  const { issues, degrades, missingDocuments } = report.summary;
  if (issues) console.error(`${file}: ${issues} issues, ${degrades} degraded codes, ${missingDocuments} missing documents`);
}

type Converted = { readonly text: string; readonly report: ConversionReport };

async function toHl7(file: string, { redactions, terminology }: Options): Promise<Converted> {
  if (terminology !== undefined) throw new Fault('input.terminology', '--terminology is of use with --to fhir only');
  const bundle = await readBundle(file);
  const request: ExtractRequest = requestFor(bundle);
  const converted = extractOf(bundle, request, { redactions: redactions === 'on' });
  if ('refused' in converted) throw refused(file, converted);
  return { text: converted.extract, report: converted.report };
}

async function readBundle(file: string): Promise<Bundle> {
  const bytes = await readWhole(file);
  let read: unknown;
  try {
    read = readJson(bytes);
  } catch (thrown) {
    throw new Fault('input.json', `${file} is no JSON: ${reasonOf(thrown)}`, { cause: thrown });
  }
  const type = typeof read === 'object' && read !== null && 'resourceType' in read ? read.resourceType : undefined;
  if (type !== 'Bundle') throw new Fault('input.bundle', `${file} is no FHIR Bundle${typeof type === 'string' ? ` but a ${type}` : ''}`);
  return read as Bundle;
}

async function toFhir(file: string, options: Options): Promise<Converted> {
  const terminology = options.terminology === undefined ? undefined : await terminologyAt(options.terminology);
  const { root, documents } = await readReceived(file, fileBytes(file));
  const converted = bundleTextOf(root, { documents, ...(terminology && { terminology }) });
  if ('refused' in converted) throw refused(file, converted);
  return { text: converted.bundle, report: converted.report };
}

function refused(file: string, { refused: why, text }: Refusal): Fault {
  return new Fault(`input.${why}`, `${file} is refused: ${text}`);
}

async function readWhole(file: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of fileBytes(file)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function writeReport(file: string, report: ConversionReport): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(report, null, 1)}\n`);
  } catch (thrown) {
    throw new Fault('input.report', `${file} cannot be written: ${reasonOf(thrown)}`, { cause: thrown });
  }
}
