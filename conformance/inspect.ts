/**
 * Every message of the fixtures explained: none may fail, each is told with its parts, and what a node would do fits what it is.
 * What exactly is seen in each stands in the tables of the other runners.
 */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../src/base/errors.ts';
import { inWords } from '../src/cli/inspect.ts';
import { type Inspection, inspect } from '../src/cli/inspection.ts';
import type { RunnerResult } from './run.ts';

/** What is no message is a bundle of FHIR, a table or a schema, and has runners of its own. */
const FOLDERS = ['ebxml', 'conversations', 'large-message', 'to-hl7/messages', 'to-fhir', 'gpconnect', 'sds'];

/** By what a message is, what has to be among the things that a node does with it. */
const DOES: readonly (readonly [is: (seen: Inspection) => boolean, does: RegExp])[] = [
  [(seen) => seen.kind === 'unknown', /this is no message/],
  [(seen) => seen.kind === 'json' && seen.holds !== 'message', /this is no message/],
  [(seen) => kindOf(seen) === 'acknowledgement', /for delivered/],
  [(seen) => kindOf(seen) === 'error', /refused for good|Notes a warning/],
  [(seen) => kindOf(seen) === 'fault', /again/],
  [(seen) => seen.kind === 'mime' && seen.envelope === null, /SOAP fault \(201/],
  [(seen) => kindOf(seen) === 'message', /is a party key of its own/],
  [(seen) => isRead(seen) && interactionOf(seen) === 'request', /Acknowledges the request/],
  [(seen) => isRead(seen) && interactionOf(seen) === 'extract', /Reads the record/],
  [(seen) => isRead(seen) && interactionOf(seen) === 'copc', /announced|index/],
  [(seen) => isRead(seen) && interactionOf(seen) === 'acknowledgement', /Notes that|for refused|for undelivered|neither yes nor no/],
  [(seen) => kindOf(seen) === 'message' && seen.kind !== 'ebxml' && seen.faults.length > 0, /Refuses it|Passes it on/],
];

function kindOf(seen: Inspection): string | null {
  return 'envelope' in seen && seen.envelope ? seen.envelope.kind : null;
}

function interactionOf(seen: Inspection): string | null {
  return 'payload' in seen && seen.payload ? seen.payload.interaction : null;
}

/** A message of another service is passed on unread, and one with faults is refused. */
function isRead(seen: Inspection): boolean {
  const foreign = 'envelope' in seen && seen.envelope?.kind === 'message' && seen.envelope.service !== 'urn:nhs:names:services:gp2gp';
  return !foreign && seen.faults.length === 0;
}

export async function run(fixtures: string): Promise<RunnerResult> {
  const failures: string[] = [];
  let passed = 0;
  for (const folder of FOLDERS) {
    for (const file of readdirSync(join(fixtures, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const path = join(fixtures, folder, file);
      if (!statSync(path).isFile()) continue;
      const fault = await faultOf(path);
      if (fault === null) passed++;
      else failures.push(`${folder}/${file}: ${fault}`);
    }
  }
  return { name: 'inspect', passed, failed: failures.length, failures };
}

async function faultOf(path: string): Promise<string | null> {
  try {
    const seen = await inspect(createReadStream(path));
    if (seen.receiver.length === 0) return 'nothing is said of what a node does';
    const said = seen.receiver.join('\n');
    const wrong = DOES.find(([is, does]) => is(seen) && !does.test(said));
    if (wrong) return `${JSON.stringify(seen.receiver)} has nothing like ${wrong[1]}`;
    // What is printed for programs is the same that people read.
    const json = JSON.parse(JSON.stringify(seen)) as { readonly kind: string; readonly parts?: readonly { readonly sha256: string }[] };
    const words = inWords(seen);
    if (/[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/.test(words)) return 'a control character reaches the terminal';
    for (const { sha256 } of json.parts ?? []) if (!words.includes(sha256)) return `part ${sha256} is not told to people`;
    return null;
  } catch (thrown) {
    return reasonOf(thrown);
  }
}
