/**
 * `mi`: events of the earlier service are read, each as its own type, and slow transfers told; the example requests to the present service
 * are taken as they are, and refused where one member is taken away; response codes have the names of the existing reports.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkEventText } from '../src/mi/check.ts';
import { EVENT_PATHS, type EventPath } from '../src/mi/terms.ts';
import { cellsOf } from '../src/platform/csv.ts';
import { earlierTransfers, readEarlierEvent } from '../src/platform/earlier-events.ts';
import { RESPONSE_CODES } from '../src/platform/response-codes.ts';
import type { RunnerResult } from './run.ts';

type PostmanItem = {
  readonly name: string;
  readonly request: { readonly url: { readonly path: readonly string[] }; readonly body: { readonly raw: string } };
};

/** Seconds: later than the times that the example requests are given. */
const NOW = Date.parse('2026-03-05T12:00:00Z') / 1000;

export async function run(fixtures: string): Promise<RunnerResult> {
  const failures: string[] = [];
  let passed = 0;
  const check = (name: string, work: () => void) => {
    try {
      work();
      passed++;
    } catch (thrown) {
      failures.push(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  };
  const home = join(fixtures, 'mi');
  earlier(join(home, 'events'), check);
  requests(join(home, 'postman', 'MI.postman_collection.json'), check);
  codes(join(home, 'response-codes', 'gp2gp_response_codes.csv'), check);
  return { name: 'mi', passed, failed: failures.length, failures };
}

type Check = (name: string, work: () => void) => void;

function earlier(folder: string, check: Check): void {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'case.json');
  const read = files.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  for (const { name, text } of read) {
    check(name, () => {
      const event = readEarlierEvent(text);
      const written = JSON.parse(text) as Record<string, unknown>;
      strictEqual(event.type, written['eventType']);
      // A file is named after its event.
      strictEqual(event.type.toLowerCase(), name.replace(/^gpc_/, '').replace(/\.json$/, ''));
      for (const member of ['conversationId', 'eventType', 'transferEventDateTime', 'reportingSystemSupplier']) {
        const { [member]: _without, ...rest } = written;
        let refused = '';
        try {
          readEarlierEvent(JSON.stringify(rest));
        } catch (thrown) {
          refused = String(thrown);
        }
        ok(refused.includes(member), `without ${member} it is taken, or refused without its name: ${refused}`);
      }
    });
  }
  check('slow transfers', () => {
    for (const { conversationId, slow, events } of earlierTransfers(read.map(({ text }) => readEarlierEvent(text)))) {
      const measurable = events.some((type) => /REQUEST/.test(type)) && events.some((type) => /VALIDATED|READY/.test(type));
      strictEqual(slow, measurable ? conversationId.includes('slow') : null, conversationId);
    }
  });
}

function requests(file: string, check: Check): void {
  const { item } = JSON.parse(readFileSync(file, 'utf8')) as { item: readonly PostmanItem[] };
  const seen: string[] = [];
  for (const { name, request } of item) {
    const path = request.url.path.at(-1) as EventPath;
    seen.push(path);
    const text = request.body.raw
      .replaceAll('{{conversation_id}}', '"7C0E2B8A-51D4-4E7F-9B61-0A4D6C1E9F20"')
      .replaceAll('{{a_datetime}}', '"2026-03-02T09:14:05Z"');
    check(name, () => {
      ok('event' in checkEventText(path, text, 'compatible', NOW), JSON.stringify(checkEventText(path, text, 'compatible', NOW)));
      const body = JSON.parse(text) as Record<string, unknown>;
      for (const member of Object.keys(body).filter((each) => each !== 'sendingPracticeOdsCode')) {
        const { [member]: _without, ...rest } = body;
        const answer = checkEventText(path, JSON.stringify(rest), 'compatible', NOW);
        ok('fault' in answer && answer.fault.errors.every((error) => error.startsWith(`${member}: `)), `without ${member}`);
      }
      const more = checkEventText(path, JSON.stringify({ ...body, unknown: 1 }), 'compatible', NOW);
      ok('fault' in more && more.fault.message === 'Invalid request field', 'with an unknown member');
      ok('fault' in checkEventText(path, text.slice(0, -10), 'compatible', NOW), 'cut short');
    });
  }
  check('one request for each event', () => deepStrictEqual(seen.toSorted(), EVENT_PATHS.toSorted()));
}

function codes(file: string, check: Check): void {
  const [, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  for (const row of rows) {
    const [code = '', name = ''] = cellsOf(row, ',') ?? [];
    check(`code ${code}`, () => strictEqual(RESPONSE_CODES.get(Number(code)), name));
  }
  check('no further codes', () => strictEqual(RESPONSE_CODES.size, rows.length));
}
