/** `npm start` as a person runs it: the console stays up until Ctrl-C, and a second start on the same folder moves the patient back. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { readJson } from '../../fhir/json.ts';
import type { Bundle, Patient } from '../../fhir/types.ts';
import type { DemoSummary } from '../demo/run.ts';
import { run } from './testing-cli.ts';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-demo-again-'));
  // PostgreSQL runs as another user where this is root.
  await chmod(folder, 0o755);
});
after(() => rm(folder, { recursive: true, force: true }));

type Shown = {
  readonly said: string;
  readonly page: string;
  readonly figures: string;
  readonly summary: DemoSummary;
  readonly code: number | null;
};

/** Starts the demonstration, opens the console when it is announced, then presses Ctrl-C. */
async function show(): Promise<Shown> {
  const args = [join(ROOT, 'bin', 'dev.mjs'), join(ROOT, 'bin', 'gp2gp.ts'), 'demo', '--json', '--data', folder, '--documents', '1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    text.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.err += chunk;
    child.emit('said');
  });
  try {
    const consoleUrl = await heard(child, text, /console: (\S+)/);
    const list = await (await fetch(consoleUrl)).text();
    const link = /href="(\/practices\/[^"]+\/transfers\/[^"]+)"/.exec(list)?.[1] ?? '';
    const page = await (await fetch(new URL(link, consoleUrl))).text();
    const figures = await (await fetch(await heard(child, text, /national reporting: (http\S+)/))).text();
    await heard(child, text, /Ctrl-C ends everything/);
    const settings = await heard(child, text, /operator: .* transfers list --config (\S+)/);
    const { out: listed } = await run('transfers', 'list', '--config', settings, '--json');
    assert.ok((JSON.parse(listed) as { transfers: object[] }).transfers.length > 0, listed);
    child.kill('SIGINT');
    const code = await ended;
    return { said: text.err, page, figures, summary: JSON.parse(text.out.trim().split('\n').at(-1) ?? '') as DemoSummary, code };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Resolves with what was asked for as soon as the program has said it; rejects with all it said where it ends before. */
function heard(child: ChildProcess, text: { readonly err: string }, wanted: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    const look = (): void => {
      const match = wanted.exec(text.err);
      if (match) found(match[1] ?? match[0]);
    };
    child.on('said', look);
    child.once('close', () => failed(new Error(`the demonstration ended early:\n${text.err}`)));
    look();
  });
}

/** Both nodes told national reporting all that happened, it has it under the ids that they were given, and its site counts it. */
function told({ summary: { mi, documents }, figures }: Shown, transfers: number): void {
  assert.ok(mi);
  assert.deepEqual([mi.sent, mi.received], [mi.acknowledged, mi.acknowledged]);
  assert.deepEqual(mi.types, {
    REGISTRATIONS: 1,
    TRANSFER_COMPATIBILITY_STATUSES: 1,
    EHR_REQUESTS: 1,
    EHR_RESPONSES: 1,
    DOCUMENT_RESPONSES: documents.length,
    READY_TO_INTEGRATE_STATUSES: 1,
    EHR_INTEGRATIONS: 1,
  });
  assert.match(figures, new RegExp(`In \\w+ \\d+ 0 of ${transfers} transfers requested failed`));
}

test('a second start on the same folder moves the patient back, with what the first one brought', { timeout: 240_000 }, async () => {
  const first = await show();
  assert.equal(first.code, 0, first.said);
  assert.equal(first.summary.outcome, 'integrated');
  assert.match(first.page, new RegExp(first.summary.conversationId));

  told(first, 1);

  const second = await show();
  assert.equal(second.code, 0, second.said);
  assert.equal(second.summary.outcome, 'integrated');
  assert.notEqual(second.summary.conversationId, first.summary.conversationId);
  const [there, back] = [first, second].map(({ said }) => /(\d{10}) registers at .* \((\w+)\); the record is at .* \((\w+)\)/.exec(said));
  assert.ok(there && back, second.said);
  assert.equal(back[1], there[1], 'the same patient');
  assert.deepEqual([back[2], back[3]], [there[3], there[2]], 'from where the first move ended, to where it began');
  assert.deepEqual(
    second.summary.documents.map(({ sha256Received }) => sha256Received),
    first.summary.documents.map(({ sha256Sent }) => sha256Sent),
  );
  told(second, 1);
  const { entry } = readJson(await readFile(second.summary.recordFile ?? '')) as Bundle;
  const patient = entry?.map(({ resource }) => resource).find((one) => one?.resourceType === 'Patient') as Patient | undefined;
  assert.ok(patient?.identifier?.some(({ value }) => value === there[1]));
});
