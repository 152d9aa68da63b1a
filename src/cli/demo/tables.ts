import type { DemoResult } from './run.ts';
import type { World } from './world.ts';

/** What was moved, degraded and missing, and where it lies; for people. */
export function printSummary({ summary, moves }: DemoResult, world: World, say: (line: string) => void): void {
  say('');
  if (moves.length > 1) {
    for (const [outcome, count] of Object.entries(summary.outcomes ?? {})) say(`${String(count).padStart(6)}  ${outcome}`);
  } else {
    say(summary.outcome === 'integrated' ? 'The record was filed and acknowledged.' : `The transfer ended: ${summary.outcome}.`);
    say('');
    row(say, ['Resource', 'sent', 'received']);
    for (const { type, sent, received, why } of summary.counts) {
      row(say, [type, sent, received]);
      if (why !== undefined) say(`      ${why}`);
    }
    row(say, [
      'documents with equal SHA-256',
      summary.documents.length,
      summary.documents.filter((one) => one.sha256Sent === one.sha256Received).length,
    ]);
    say('');
    say(
      `${summary.issues} issues in the two conversion reports, ${moves[0]?.degrades ?? 0} degraded codes, ${summary.missing.length} documents missing`,
    );
    for (const name of summary.missing) say(`  missing: ${name}`);
    if (summary.recordFile) say(`received record and documents: ${summary.recordFile}`);
  }
  say(`${summary.messages} messages, ${mb(summary.bytes)} MB crossed the hub in ${(summary.elapsedMs / 1000).toFixed(1)} s from the start`);
  say(`their ledger: ${world.ledgerFile}`);
  const { sending, receiving } = summary.objectStore;
  say(
    `object stores: sending node wrote ${mb(sending.written)} MB and keeps ${mb(sending.kept)} MB, receiving node ${mb(receiving.written)} MB and ${mb(receiving.kept)} MB`,
  );
  if (summary.mi) {
    const { sent, acknowledged, received, types } = summary.mi;
    say(`national reporting: ${sent} events told, ${acknowledged} acknowledged, ${received} there`);
    for (const [type, count] of Object.entries(types)) row(say, [type.toLowerCase().replaceAll('_', ' '), count]);
  }
  say(`peak memory: sending node ${mb(summary.peakRssBytes.sendingNode)} MB, receiving node ${mb(summary.peakRssBytes.receivingNode)} MB`);
}

function row(say: (line: string) => void, cells: readonly (string | number)[]): void {
  const [head, ...rest] = cells;
  say(`  ${String(head).padEnd(34)}${rest.map((cell) => String(cell).padStart(10)).join('')}`);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
