/** Writes `docs/round-trip.md`: what survives a transfer, counted over a thousand synthetic records. */
import { writeFileSync } from 'node:fs';
import { count, emptyTables, page } from '../src/record/testing-round-trip.ts';
import { FULL_COUNT, syntheticRecord } from '../src/simulator/patients/testing.ts';

const tables = emptyTables();
for (let at = 0; at < FULL_COUNT; at++) {
  count(syntheticRecord(at), tables);
  if (process.stderr.isTTY) process.stderr.write(`\r${at + 1} of ${FULL_COUNT} records`);
}
writeFileSync(new URL('../docs/round-trip.md', import.meta.url), page(tables, FULL_COUNT));
console.log(`docs/round-trip.md: ${FULL_COUNT} records`);
