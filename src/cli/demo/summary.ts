import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { JsonFault, readJson } from '../../fhir/json.ts';
import type { Bundle, DocumentReference } from '../../fhir/types.ts';
import { differences, inWords } from '../../record/differences.ts';
import type { ConversionReport } from '../../record/types.ts';
import { SIDES } from './cast.ts';
import { ask, type Moved, node } from './moves.ts';
import type { World } from './world.ts';

/** One document of a move: what left the previous practice's system, and what the new one's has on its disk. */
export type DocumentFate = { readonly name: string; readonly sha256Sent: string | null; readonly sha256Received: string | null };
/** How many resources of a type left and arrived; `why` where they are not the same ones, by the reports of both conversions. */
export type TypeCount = { readonly type: string; readonly sent: number; readonly received: number; readonly why?: string };
export type MoveSummary = {
  readonly nhsNumber: string;
  readonly conversationId: string;
  readonly outcome: string;
  readonly recordFile: string | null;
  readonly documents: readonly DocumentFate[];
  readonly missing: readonly string[];
  readonly counts: readonly TypeCount[];
  /** Of both conversions. */
  readonly issues: number;
  readonly degrades: number;
};

type SystemState = {
  readonly records: readonly { readonly ods: string; readonly nhsNumber: string; readonly recordFile: string; readonly source: string }[];
  readonly served: readonly { readonly ods: string; readonly documentId: string; readonly sha256: string }[];
  readonly filed: readonly {
    readonly answer: string;
    readonly transferId: string;
    readonly recordFile: string;
    readonly documents: readonly {
      readonly documentId: string;
      readonly name: string;
      readonly sha256: string;
      readonly missing: boolean;
    }[];
  }[];
};

/** What became of each move, read from the practices' systems themselves and not from the nodes between them. */
export async function summarise(world: World, moved: readonly Moved[]): Promise<readonly MoveSummary[]> {
  const states = new Map<string, SystemState>();
  for (const side of SIDES) states.set(side, (await ask(`${world.systemUrl[side]}/control/state`)) as SystemState);
  return Promise.all(
    moved.map(async (one) => {
      const { move } = one;
      const there = states.get(move.to.side);
      const here = states.get(move.from.side);
      const filed = there?.filed.find((record) => record.transferId === one.requesting.transferId && record.answer === 'filed') ?? null;
      const source = here?.records.find((record) => record.ods === move.from.ods && record.nhsNumber === move.nhsNumber) ?? null;
      const sent = source ? await bundleOf(source.recordFile) : null;
      const received = filed ? await bundleOf(filed.recordFile) : null;
      const last = (role: 'requesting' | 'sending', name: string) =>
        Number(one.timelines[role].findLast((entry) => entry.measured[name] !== undefined)?.measured[name] ?? 0);
      return {
        nhsNumber: move.nhsNumber,
        conversationId: one.conversationId,
        outcome: outcomeOf(one),
        recordFile: filed?.recordFile ?? null,
        documents: fates(
          filed?.documents ?? [],
          sent,
          (here?.served ?? []).filter((document) => document.ods === move.from.ods),
        ),
        missing: (filed?.documents ?? []).filter((document) => document.missing).map((document) => document.name),
        counts: countsOf(sent, received, await reportsOf(world, one, filed?.recordFile ?? null)),
        issues: last('sending', 'issues') + last('requesting', 'issues'),
        degrades: last('requesting', 'degrades'),
      };
    }),
  );
}

/** `integrated` only where the new practice filed the record and the previous one heard of it. */
function outcomeOf({ requesting, sending }: Moved): string {
  const kind = requesting.outcome?.kind ?? requesting.state;
  if (kind !== 'integrated') return kind;
  return sending?.outcome?.kind === 'acknowledged' ? 'integrated' : 'notAcknowledged';
}

/** What stands in a record file; null where it is no JSON, as a practice's system may give it: then nothing of it can be counted. */
async function bundleOf(file: string): Promise<Bundle | null> {
  try {
    return readJson(await readFile(file)) as Bundle;
  } catch (thrown) {
    if (thrown instanceof JsonFault) return null;
    throw thrown;
  }
}

/** A document keeps its id from the previous practice's DocumentReference to the new practice's disk; by it the two hashes are paired. */
function fates(
  filed: SystemState['filed'][number]['documents'],
  sent: Bundle | null,
  served: SystemState['served'],
): readonly DocumentFate[] {
  const hashOf = new Map(served.map((document) => [document.documentId, document.sha256]));
  const binaryOf = new Map<string, string>();
  for (const { resource } of sent?.entry ?? []) {
    if (resource?.resourceType !== 'DocumentReference' || resource.id === undefined) continue;
    const url = (resource as DocumentReference).content?.[0]?.attachment?.url;
    const binary = url?.split('/').at(-1);
    if (binary) binaryOf.set(resource.id.toUpperCase(), binary);
  }
  // An id that is no UUID gets another on the wire: such a document is paired by its bytes.
  const left = new Set(hashOf.values());
  return filed
    .filter((document) => !document.missing)
    .map(({ documentId, name, sha256 }) => ({
      name,
      sha256Sent: hashOf.get(binaryOf.get(documentId.toUpperCase()) ?? '') ?? (left.has(sha256) ? sha256 : null),
      sha256Received: sha256,
    }));
}

type Reports = { readonly sent: ConversionReport; readonly received: ConversionReport };

/** The sender's from its node, the receiver's from the disk of the practice's system; null where the record did not arrive. */
async function reportsOf(world: World, { move, sending }: Moved, recordFile: string | null): Promise<Reports | null> {
  if (recordFile === null || sending === null) return null;
  const sent = (await node(world, move.from, `transfers/${sending.transferId}/report`)) as ConversionReport;
  const received = readJson(await readFile(join(dirname(recordFile), 'report.json'))) as ConversionReport;
  return { sent, received };
}

function countsOf(sent: Bundle | null, received: Bundle | null, reports: Reports | null): readonly TypeCount[] {
  const count = (bundle: Bundle | null) => {
    const counts = new Map<string, number>();
    for (const { resource } of bundle?.entry ?? [])
      if (resource) counts.set(resource.resourceType, (counts.get(resource.resourceType) ?? 0) + 1);
    return counts;
  };
  const [left, arrived] = [count(sent), count(received)];
  const told = reports ? differences({ report: reports.sent, counts: left }, { report: reports.received, counts: arrived }) : [];
  const why = new Map(told.map((difference) => [difference.type, inWords(difference)]));
  return [...new Set([...left.keys(), ...arrived.keys()])].sort().map((type) => {
    const reason = why.get(type);
    return { type, sent: left.get(type) ?? 0, received: arrived.get(type) ?? 0, ...(reason !== undefined && { why: reason }) };
  });
}
