/** Transfers of several messages whose goldens are states, not records: what came is joined, and what did not come is known. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../src/base/errors.ts';
import { joined } from '../src/cli/conformance/large-message.ts';
import { bundleOf } from '../src/cli/conversion.ts';
import { readXml } from '../src/xml/read.ts';
import type { RunnerResult } from './run.ts';

type State = { readonly migrationStatus?: string; readonly isBase64?: boolean; readonly inboundFragmentMessageIds?: readonly string[] };
type Case = { readonly cli?: boolean; readonly kind: string; readonly messages?: readonly string[]; readonly expectedState?: State };

/** Gives what is wrong, null for nothing. */
type Check = (folder: string, golden: Case) => Promise<string | null>;

export async function run(fixtures: string): Promise<RunnerResult> {
  const folder = join(fixtures, 'large-message');
  const failures: string[] = [];
  let ran = 0;
  for (const name of readdirSync(folder)) {
    const golden = JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as Case;
    if (golden.cli !== false) continue;
    ran += 1;
    const check = golden.kind === 'forward' ? forwarded : transfer;
    const wrong = await check(join(folder, name), golden).catch(reasonOf);
    if (wrong !== null) failures.push(`${name}: ${wrong}`);
  }
  return { name: 'large-messages', passed: ran - failures.length, failed: failures.length, failures };
}

const transfer: Check = async (folder, { messages = [], expectedState = {} }) => {
  const { attachments, announced } = await joined(messages.map((file) => join(folder, file)));
  const { migrationStatus, isBase64, inboundFragmentMessageIds } = expectedState;
  if (inboundFragmentMessageIds) {
    const ids = announced.map((id) => id.toUpperCase()).sort();
    const golden = inboundFragmentMessageIds.map((id) => id.toUpperCase()).sort();
    return JSON.stringify(ids) === JSON.stringify(golden) ? null : `announced were ${ids}, golden ${golden}`;
  }
  const lost = attachments.filter(({ bytes }) => bytes === null).length;
  if (migrationStatus?.includes('ATTACHMENTS_NOT_RECEIVED')) return lost > 0 ? null : 'nothing is missing';
  if (lost > 0) return `${lost} attachments are missing`;
  for (const { announced: said, bytes } of attachments) {
    const length = bytes?.byteLength ?? 0;
    // Some count the base64 that the attachment was before it came as plain text.
    const lengths = [length, Math.ceil(length / 3) * 4];
    if (said.length !== undefined && !lengths.includes(said.length)) return `${length} bytes, announced were ${said.length}`;
    // Whole again, it reads as what it is.
    if (isBase64 === false && said.contentType === 'application/xml') readXml(bytes ?? new Uint8Array());
  }
  return attachments.length > 0 ? null : 'there is no attachment';
};

/** A record that was sent on has the entries that the one before had, under their ids; only the message has others. */
const forwarded: Check = async (folder) => {
  const [original, forward] = ['original', 'forwarded'].map((which) => {
    const messages = readdirSync(join(folder, which)).sort();
    const core = JSON.parse(readFileSync(join(folder, which, messages[0] ?? ''), 'utf8')) as { payload: string };
    let drawn = 0;
    const converted = bundleOf(readXml(core.payload), { losingPractice: 'ANY', newId: () => String(drawn++) });
    if ('refused' in converted) return converted.text;
    return (converted.bundle.entry ?? []).map(({ resource }) => `${resource?.resourceType}/${resource?.id}`).join(' ');
  });
  return original === forward ? null : `${forward}, before it was sent on ${original}`;
};
