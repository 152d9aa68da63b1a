/** What our readers make of a kept message, in one line: for tables of what is to be read and what refused. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Inspection, inspect } from '../src/cli/inspection.ts';
import { attr, children, textOf, type XmlElement } from '../src/xml/element.ts';

/** `mime 3: message; extract UK06; faults` and the like: kind, parts, envelope, payload, fault codes in order. */
export async function look(file: string, replacements: Readonly<Record<string, string>> = {}): Promise<string> {
  let bytes = withoutFrame(readFileSync(file));
  for (const [placeholder, text] of Object.entries(replacements))
    bytes = Buffer.from(
      bytes.toString('latin1').replaceAll(placeholder, () => text),
      'latin1',
    );
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.byteLength; from += 4096) yield bytes.subarray(from, from + 4096);
  }
  return inWords(await inspect(chunks()));
}

/** Some messages were saved with the queue's own frame (AMQP 1.0) around them: what counts begins with its boundary or its brace. */
function withoutFrame(bytes: Buffer): Buffer {
  if (!/^\0?Sp/.test(bytes.toString('latin1', 0, 3))) return bytes;
  const boundary = /boundary="?([^";]+)/.exec(bytes.toString('latin1', 0, 4096))?.[1];
  const body = boundary ? bytes.indexOf(`--${boundary}`, bytes.indexOf(boundary) + boundary.length) : bytes.indexOf('{');
  return body < 0 ? bytes : bytes.subarray(body);
}

function inWords(seen: Inspection): string {
  const said: string[] = [seen.kind];
  if ('parts' in seen && seen.parts) said[0] += ` ${seen.parts.length}`;
  if (seen.kind === 'json' && seen.holds !== 'message') said.push(seen.resourceType ?? seen.holds);
  if ('envelope' in seen && seen.envelope) said.push(seen.envelope.kind + ('action' in seen.envelope ? ` ${seen.envelope.action}` : ''));
  if ('attachments' in seen && seen.attachments?.length) said.push(`${seen.attachments.length} attached`);
  if ('payload' in seen && seen.payload) {
    const { payload } = seen;
    if (payload.interaction === 'other') said.push(payload.root);
    else if (payload.interaction === 'copc') said.push(payload.shape);
    else if (payload.interaction === 'acknowledgement') said.push(`${payload.typeCode} ${payload.code ?? ''}`.trim());
    else if (payload.interaction === 'extract') said.push(payload.version);
    else said.push(payload.interaction);
  }
  for (const { code } of seen.faults) said.push(`! ${code}`);
  for (const { code } of seen.defects) said.push(`(${code})`);
  return said.join('; ');
}

/** What a table says of each file, held against what is there: a file that no line names fails, and a line that names no file. */
export async function checkTable(
  name: string,
  folder: string,
  table: Readonly<Record<string, string>>,
  left: (file: string) => boolean = () => false,
): Promise<{ name: string; passed: number; failed: number; failures: string[] }> {
  const failures: string[] = [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => statSync(join(folder, file)).isFile() && !file.endsWith('case.json') && !left(file));
  for (const file of files.sort()) {
    const envelope = join(folder, dirname(file), 'ebxml.xml');
    const replacements: Record<string, string> =
      file.endsWith('.mime') && existsSync(envelope) ? { '{{ebxml}}': readFileSync(envelope, 'latin1') } : {};
    const seen = await look(join(folder, file), replacements);
    if (table[file] !== seen) failures.push(`${file}: ${JSON.stringify(seen)}, expected ${JSON.stringify(table[file] ?? null)}`);
  }
  for (const file of Object.keys(table)) if (!files.includes(file)) failures.push(`${file}: not there`);
  return { name, passed: files.length - failures.length, failed: failures.length, failures };
}

/**
 * Where what we write lacks something that a golden has; `null` where it has all of it: the same elements in the same order, the
 * golden's attributes and texts. `free` names what may differ: attributes by name, or the path of an element.
 */
export function lacking(golden: XmlElement, ours: XmlElement, free: ReadonlySet<string>, path = golden.name): string | null {
  if (golden.name !== ours.name) return `${path}: ours is ${ours.name}`;
  for (let i = 0; i < golden.attributes.length; i += 2) {
    const name = golden.attributes[i] ?? '';
    if (free.has(`@${name}`) || free.has(`${golden.name}/@${name}`)) continue;
    const value = attr(ours, name);
    if (value !== golden.attributes[i + 1])
      return `${path}/@${name}: ${JSON.stringify(value)}, golden ${JSON.stringify(golden.attributes[i + 1])}`;
  }
  const [theirs, own] = [children(golden), children(ours)];
  if (theirs.length === 0 && own.length === 0) {
    const [text, ourText] = [textOf(golden).trim(), textOf(ours).trim()];
    return text === ourText || free.has(golden.name) ? null : `${path}: ${JSON.stringify(ourText)}, golden ${JSON.stringify(text)}`;
  }
  if (theirs.length !== own.length) return `${path}: ${own.map(({ name }) => name)}, golden ${theirs.map(({ name }) => name)}`;
  for (const [i, element] of theirs.entries()) {
    const other = own[i];
    const found = other ? lacking(element, other, free, `${path}/${element.name}`) : null;
    if (found) return found;
  }
  return null;
}
