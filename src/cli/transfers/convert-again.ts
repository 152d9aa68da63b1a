/** The same conversion again, from the objects of an export, without a node. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault, reasonOf } from '../../base/errors.ts';
import { type Objects, openObjects } from '../../objects/objects.ts';
import type { Terminology } from '../../record/types.ts';
import { convertToFhir } from '../../service/conversions/to-fhir.ts';
import { convertToHl7 } from '../../service/conversions/to-hl7.ts';
import type { Ended, ExportedConversion } from './exported.ts';

/** How it ends. What it writes goes to a folder of its own, which is removed. */
export async function convertAgain(
  { task }: ExportedConversion,
  exported: Objects,
  given: { readonly terminology: Terminology; readonly newId: () => string },
): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-replay-'));
  try {
    const scratch = await openObjects(folder);
    // Read from the export, written beside it; what is written may be read again.
    const objects: Objects = {
      ...scratch,
      head: async (ref) => (await exported.head(ref)) ?? (await scratch.head(ref)),
      async *get(ref, ...range) {
        yield* ((await exported.head(ref)) ? exported : scratch).get(ref, ...range);
      },
    };
    const context = { objects, place: { folder, s3: null }, newId: given.newId, counted: { written: 0, kept: 0 } };
    if (task.do === 'toHl7') {
      const answer = await convertToHl7(context, task);
      return answer.converted
        ? { ended: 'converted', summary: { ...answer.summary } }
        : { ended: 'refused', code: '10', fault: answer.fault };
    }
    const answer = await convertToFhir(context, task, given.terminology);
    return answer.converted
      ? { ended: 'converted', summary: { ...answer.summary } }
      : { ended: 'refused', code: answer.code, fault: answer.fault };
  } catch (thrown) {
    // As a node tells its transfer; what it wrote itself is at fault, or the objects of the export.
    return {
      ended: 'failed',
      fault: thrown instanceof Fault ? `${thrown.code}: ${thrown.message}` : `conversion.failed: ${reasonOf(thrown)}`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function endInWords(end: Ended): string {
  switch (end.ended) {
    case 'converted': {
      const counts = Object.entries(end.summary).filter(([, count]) => count > 0);
      return `converted${counts.length > 0 ? ` (${counts.map(([name, count]) => `${name} ${count}`).join(', ')})` : ''}`;
    }
    case 'refused':
      return `refused with ${end.code}: ${end.fault}`;
    case 'failed':
      return `failed: ${end.fault}`;
  }
}

/** Whether two ends are the same; of redacted content the counts of what was degraded, and words quoted in a fault, may differ. */
export function sameEnd(recorded: Ended, replayed: Ended, redacted: boolean): boolean {
  if (recorded.ended === 'converted') {
    if (replayed.ended !== 'converted') return false;
    return redacted || Object.entries(recorded.summary).every(([name, count]) => replayed.summary[name] === count);
  }
  if (replayed.ended !== recorded.ended) return false;
  if (recorded.ended === 'refused' && replayed.ended === 'refused' && recorded.code !== replayed.code) return false;
  return redacted ? wordless(recorded.fault) === wordless(replayed.fault) : recorded.fault === replayed.fault;
}

/** A fault without what it may quote: only its shape is compared. */
function wordless(fault: string): string {
  return fault.replace(/["'“”‘’][^"'“”‘’]*["'“”‘’]/g, '"…"').replace(/\d+/g, '0');
}
