/** The guide's quick start, typed as it stands in an empty folder; only the ports are others, since somebody else may use them. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { freePorts } from './demo/ports.ts';
import { until } from './e2e/testing.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = [process.execPath, join(ROOT, 'bin', 'gp2gp.ts')] as const;
const PORT = /\b1[89]\d{3}\b/g;

let folder: string;
let guide: readonly string[];
/** The examples of the control interface, each on one line. */
let examples: readonly string[];
const ports = new Map<string, number>();
const running: ChildProcess[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp2gp-guide-'));
  // PostgreSQL may run as another user and has to pass through.
  await chmod(folder, 0o755);
  const text = await readFile(join(ROOT, 'docs', 'simulator.md'), 'utf8');
  const block = /<!-- quick start -->\n```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  guide = block.split('\n').filter(Boolean);
  const interfaces = /## The control interface[\s\S]*?```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  examples = interfaces
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.startsWith('curl '));
});

after(async () => {
  for (const child of running.reverse()) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
  }
  await rm(folder, { recursive: true, force: true });
});

/** The same text with the ports of this run. */
function here(text: string): string {
  return text.replace(PORT, (port) => String(ports.get(port) ?? port));
}

/** Starts a program that goes on, and waits for the line that says it is ready. */
async function start(words: readonly string[], cwd: string): Promise<void> {
  const [program, file] = PROGRAM;
  const child = spawn(program, [file, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let [said, log] = ['', ''];
  child.stdout.on('data', (data) => {
    said += String(data);
  });
  child.stderr.on('data', (data) => {
    log += String(data);
  });
  await until(`${words.join(' ')} is ready`, () => {
    if (child.exitCode !== null) assert.fail(`${words.join(' ')} ended with ${child.exitCode}: ${log}`);
    return said.includes('"ready":true');
  });
}

/** What the line asks `curl` to do. */
async function curl(line: string): Promise<string> {
  const url = /http:\S+/.exec(here(line))?.[0] ?? '';
  const method = /-X (\w+)/.exec(line)?.[1] ?? 'GET';
  const body = /-d '([^']*)'/.exec(line)?.[1];
  const answer = await fetch(url, { method, ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body }) });
  const text = await answer.text();
  assert.ok(answer.ok, `${line}: ${answer.status} ${text}`);
  return text;
}

type Seen = { vendors: { ods: string; conversations: { role: string; state: string; documents: { bytes: number }[] }[] }[] };

test('what the guide says works in an empty folder, line by line', async () => {
  const [first = '', second = '', ...rest] = guide;
  assert.deepEqual([first, second], ['gp2gp simulate --init trial', 'cd trial']);
  const [program, file] = PROGRAM;
  const { stdout } = await run(program, [file, ...first.split(' ').slice(1)], { cwd: folder });
  const cwd = join(folder, 'trial');
  const files = stdout.trim().split('\n');
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const named = [...new Set(texts.flatMap((text) => text.match(PORT) ?? []))];
  for (const [i, port] of (await freePorts(named.length)).entries()) ports.set(named[i] ?? '', port);
  for (const [i, name] of files.entries()) await writeFile(join(folder, name), here(texts[i] ?? ''));
  await assert.rejects(run(program, [file, 'simulate', '--init', 'trial'], { cwd: folder }), /without these files/);

  const state = async (): Promise<Seen> => (await (await fetch(`http://127.0.0.1:${ports.get('18090')}/control`)).json()) as Seen;
  const closed = (ods: string, role: string) => async () => {
    const practice = (await state()).vendors.find((one) => one.ods === ods);
    return practice?.conversations.some((one) => one.role === role && one.state === 'closed') ?? false;
  };
  const done: string[] = [];
  for (const line of rest) {
    const words = line.split(' ').slice(1);
    if (line.endsWith(' &')) await start(words.slice(0, -1), cwd);
    else if (line.startsWith('gp2gp ')) done.push((await run(program, [file, ...words], { cwd })).stdout);
    else if (line.startsWith('curl ')) {
      await curl(line);
      await (line.includes('/register')
        ? until('E84001 is told', closed('E84001', 'sending'))
        : until('T84002 has it', closed('T84002', 'requesting')));
    } else assert.fail(`nobody knows how to do: ${line}`);
  }
  const [doctor = '', inspected = ''] = done;
  assert.match(doctor, /none fails/);
  assert.match(inspected, /payload {5}RCMR_IN010000UK05 \(request\)/);
  const received = (await state()).vendors.find((one) => one.ods === 'T84002')?.conversations[0]?.documents.map(({ bytes }) => bytes);
  assert.deepEqual(
    received?.toSorted((a, b) => a - b),
    [2_000, 6_000_000],
  );
  // What the practice told nationally: of the record that came everything, of the one that left that it did.
  const told = async (): Promise<string[]> => {
    const text = await readFile(join(cwd, 'mi/events.jsonl'), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [String((JSON.parse(line) as { eventType: string }).eventType)]));
  };
  const wanted = [
    'REGISTRATIONS',
    'TRANSFER_COMPATIBILITY_STATUSES',
    'EHR_REQUESTS',
    'DOCUMENT_RESPONSES',
    'DOCUMENT_RESPONSES',
    'READY_TO_INTEGRATE_STATUSES',
    'EHR_INTEGRATIONS',
    'EHR_RESPONSES',
  ];
  let events: string[] = [];
  await until('all events are told', async () => {
    events = (await told()).filter((type) => type !== 'DEGRADES');
    return events.length >= wanted.length;
  });
  assert.deepEqual(events.toSorted(), wanted.toSorted());

  assert.equal(examples.length, 12);
  for (const example of examples) await curl(example);
  const { clock } = JSON.parse(await curl(examples[0] ?? '')) as { clock: { rate: number; aheadMs: number } };
  assert.equal(clock.rate, 60);
  assert.ok(clock.aheadMs >= 7_200_000);
});
