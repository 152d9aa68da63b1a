import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { reasonOf } from '../base/errors.ts';
import type { Terminology } from '../record/types.ts';
import { builtInTerminology } from '../terminology/built-in.ts';
import { type Answer, type BatchCase, readCase } from './conformance/case.ts';
import { fragment } from './conformance/fragment.ts';
import { largeMessage } from './conformance/large-message.ts';
import { recordToFhir, recordToHl7 } from './conformance/record.ts';
import { terminologyAt } from './terminology-file.ts';

const HELP = `
Reads one JSON object a line: {"path", "id", "kind", "context", "messages", "dir", "options"}
and writes one a line: {"path", "id", "output", "issues"} or {"path", "id", "error"}.

Example:
  echo '{"path":"record.json","kind":"bundle-to-hl7","options":{"redactions":false}}' | gp2gp conformance-batch`;

/** `conformance-batch`: one case a line in, one answer a line out, for comparing what we write with goldens. */
export function conformanceBatchCommand(): Command {
  return new Command('conformance-batch')
    .description('convert test cases, one JSON object a line, for a comparison with goldens')
    .option('--terminology <file>', 'a file that `gp2gp terminology build` wrote; left out, the built-in set answers')
    .addHelpText('after', HELP)
    .action(async (options: { terminology?: string }) => {
      const terminology = options.terminology === undefined ? builtInTerminology : await terminologyAt(options.terminology);
      await runBatch(process.stdin, (line) => process.stdout.write(`${line}\n`), terminology);
    });
}

/** Answers every line of `input`; a case that fails is answered with its error and the next one is read. */
export async function runBatch(
  input: NodeJS.ReadableStream,
  write: (line: string) => void,
  terminology: Terminology = builtInTerminology,
): Promise<void> {
  for await (const line of createInterface({ input })) {
    if (line.trim() === '') continue;
    write(JSON.stringify(await answerLine(line, terminology)));
  }
}

async function answerLine(line: string, terminology: Terminology): Promise<object> {
  let asked: BatchCase;
  try {
    asked = readCase(line);
  } catch (thrown) {
    return { error: reasonOf(thrown) };
  }
  const named = { path: asked.path, ...(asked.id !== undefined && { id: asked.id }) };
  try {
    return { ...named, ...(await answer(asked, terminology)) };
  } catch (thrown) {
    return { ...named, error: reasonOf(thrown) };
  }
}

async function answer(asked: BatchCase, terminology: Terminology): Promise<Answer> {
  switch (asked.kind) {
    case 'bundle-to-hl7':
    case 'bundle-to-hl7-input':
      return recordToHl7(asked);
    case 'resource-to-hl7':
      return fragment(asked);
    case 'extract-to-fhir':
    case 'extract-to-fhir-input':
    case 'extract-to-fhir-reference':
      return recordToFhir(asked, terminology);
    case 'large-message':
      return largeMessage(asked, terminology);
    default:
      return { error: `unknown kind of case: ${asked.kind}` };
  }
}
