import { readEvidence } from './evidence.ts';
import { type Finding, textAt } from './findings.ts';
import { countMessages } from './messages.ts';
import { countTransfer } from './transfer.ts';

/** The last line of the fault test. Numbers of transfers, and of kills. */
export type Line = {
  readonly transfers: number;
  readonly kills: number;
  readonly integrated: number;
  readonly rejectedAsDesigned: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly stuck: number;
};
export type Count = { readonly line: Line; readonly findings: readonly Finding[] };

/**
 * Counts a run from its files alone. A transfer is `integrated` or `rejectedAsDesigned` only where it was meant to be and nothing is wrong
 * with it; `lost`, `duplicated` and `stuck` count the transfers that something of the kind was found of.
 */
export async function recount(folder: string): Promise<Count> {
  const evidence = await readEvidence(folder);
  const findings: Finding[] = countMessages(evidence);
  const ends: { readonly conversation: string; readonly end: string | null; readonly meant: boolean }[] = [];
  for (const meant of evidence.plan.transfers) {
    const counted = await countTransfer(evidence, meant);
    findings.push(...counted.findings);
    const { end, conversation } = counted;
    const asMeant = end !== null && meant.ends.includes(end);
    if (end !== null && !asMeant)
      findings.push({ kind: 'odd', about: conversation, text: `transfer ${meant.number} (${meant.kind}) ended as ${end}` });
    ends.push({ conversation, end, meant: asMeant });
  }
  const wrong = new Set(findings.map((finding) => finding.about));
  const right = ends.filter(({ conversation, meant }) => meant && !wrong.has(conversation));
  const about = (kind: Finding['kind']) =>
    new Set(findings.filter((finding) => finding.kind === kind).map((finding) => finding.about)).size;
  return {
    line: {
      transfers: evidence.plan.transfers.length,
      kills: evidence.kills.filter((kill) => textAt(kill, 'signal') === 'SIGKILL').length,
      integrated: right.filter(({ end }) => end === 'integrated').length,
      rejectedAsDesigned: right.filter(({ end }) => end !== 'integrated').length,
      lost: about('lost'),
      duplicated: about('duplicated'),
      stuck: about('stuck'),
    },
    findings,
  };
}

/** Whether a run was without fault: every transfer ended as it was meant to. */
export function isClean(line: Line): boolean {
  return line.integrated + line.rejectedAsDesigned === line.transfers && line.lost + line.duplicated + line.stuck === 0;
}
