/** The evidence of a run as files: one in which all is well, and every way in which one may be hurt. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Line } from './count.ts';

const NHS = '9990000018';
const LETTER = 'Dear colleague';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
export const FILED = `filed/south/S1/${NHS}/T-ASK`;

/** A run of one transfer in which all is well, as files by their path; lists become JSON lines. */
export function goodRun(): Record<string, unknown> {
  const line = (direction: string, from: string, to: string, messageId: string, interaction: string) => ({
    ...{ direction, from, to, messageId, interaction, conversationId: 'C-1', status: direction === 'accepted' ? 202 : 200 },
  });
  const messages = [
    ['S1-P', 'N1-P', 'M-REQUEST', 'RCMR_IN010000UK05'],
    ['N1-P', 'S1-P', 'M-CORE', 'RCMR_IN030000UK07'],
    ['S1-P', 'N1-P', 'M-ANSWER', 'MCCI_IN010000UK13'],
  ] as const;
  const inbox = (from: string, id: string, action: string, message: object = {}) => ({
    ...{ from_party_key: from, message_id: id, conversation_id: 'C-1', action, message: { message }, done_at: 'then', dead_at: null },
  });
  const entry = (transfer: string, number: number, from: string | null, to: string) => ({
    ...{ transfer, number, event_id: `${transfer}-${number}`, from_state: from, to_state: to },
  });
  const record = {
    resourceType: 'Bundle',
    entry: [
      { resource: { resourceType: 'Patient', id: 'p' } },
      { resource: { resourceType: 'AllergyIntolerance', id: 'a' } },
      { resource: { resourceType: 'DocumentReference', id: 'd' } },
      { resource: { resourceType: 'MedicationRequest', id: 'm' } },
    ],
  };
  const files: Record<string, unknown> = {
    'plan.json': {
      seed: 1,
      practices: [
        { ods: 'N1', partyKey: 'N1-P', side: 'north' },
        { ods: 'S1', partyKey: 'S1-P', side: 'south' },
      ],
      transfers: [{ number: 1, kind: 'plain', nhsNumber: NHS, from: 'N1', to: 'S1', registrationId: 'R-1', ends: ['integrated'] }],
    },
    'kills.jsonl': [{ number: 1, target: 'south-1', pid: 1, signal: 'SIGKILL' }],
    'ledger.jsonl': messages.flatMap(([from, to, id, action]) => [
      line('accepted', from, to, id, action),
      line('delivered', from, to, id, action),
    ]),
    [`sent/${NHS}/record.json`]: record,
    [`sent/${NHS}/documents.json`]: [{ id: 'd', sha256: sha256(LETTER) }],
    [`${FILED}/filed.json`]: { answer: 'filed', documents: [{ file: '/there/documents/0001', missing: false }] },
    [`${FILED}/record.json`]: record,
    [`${FILED}/report.json`]: { issues: [] },
    [`${FILED}/documents/0001`]: LETTER,
  };
  for (const side of ['north', 'south'])
    for (const table of ['outbox', 'parts', 'outgoing_parts', 'sent_messages', 'tasks']) files[`database/${side}/${table}.jsonl`] = [];
  files['database/south/transfers.jsonl'] = [
    {
      ...{ id: 'T-ASK', role: 'requesting', registration_id: 'R-1', conversation_id: 'C-1', version: 2, state: 'ended' },
      body: { core: {}, outcome: { kind: 'integrated', answer: 'AA' } },
    },
  ];
  files['database/north/transfers.jsonl'] = [
    {
      ...{ id: 'T-SEND', role: 'sending', registration_id: null, conversation_id: 'C-1', version: 2, state: 'ended' },
      body: { outcome: { kind: 'acknowledged', answer: 'AA' } },
    },
  ];
  files['database/south/history.jsonl'] = [entry('T-ASK', 1, null, 'checking'), entry('T-ASK', 2, 'checking', 'ended')];
  files['database/north/history.jsonl'] = [entry('T-SEND', 1, null, 'checking'), entry('T-SEND', 2, 'checking', 'ended')];
  files['database/north/inbox.jsonl'] = [
    inbox('S1-P', 'M-REQUEST', 'RCMR_IN010000UK05'),
    inbox('S1-P', 'M-ANSWER', 'MCCI_IN010000UK13', { of: 'M-CORE' }),
  ];
  files['database/south/inbox.jsonl'] = [inbox('N1-P', 'M-CORE', 'RCMR_IN030000UK07')];
  return files;
}

/** Lays the files out in a folder of its own while `look` looks at it. */
export async function inFolder<Seen>(files: Record<string, unknown>, look: (folder: string) => Promise<Seen>): Promise<Seen> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-count-'));
  try {
    for (const [path, value] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      const text = path.endsWith('.jsonl') && Array.isArray(value) ? value.map((one) => `${JSON.stringify(one)}\n`).join('') : null;
      await writeFile(join(folder, path), text ?? (typeof value === 'string' ? value : JSON.stringify(value)));
    }
    return await look(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const CLEAN = { transfers: 1, kills: 1, integrated: 1, rejectedAsDesigned: 0, lost: 0, duplicated: 0, stuck: 0 };

export type Rows = Record<string, unknown>[];
export const rows = (files: Record<string, unknown>, path: string) => files[path] as Rows;

export const HURT: readonly (readonly [
  what: string,
  kind: 'lost' | 'duplicated' | 'stuck',
  hurt: (files: Record<string, unknown>) => void,
])[] = [
  ['a message that a node acknowledged and does not have', 'lost', (files) => rows(files, 'database/south/inbox.jsonl').splice(0)],
  [
    'a message that the hub accepted and nobody got',
    'lost',
    (files) => {
      rows(files, 'ledger.jsonl').splice(3, 1);
      rows(files, 'database/south/inbox.jsonl').splice(0);
      rows(files, 'database/north/inbox.jsonl').splice(0);
    },
  ],
  [
    'a message that was put aside',
    'lost',
    (files) => Object.assign(rows(files, 'database/north/inbox.jsonl')[0] ?? {}, { done_at: null, dead_at: 'then' }),
  ],
  ['a message that still waits', 'stuck', (files) => Object.assign(rows(files, 'database/north/inbox.jsonl')[0] ?? {}, { done_at: null })],
  [
    'a job that is still to be done',
    'stuck',
    (files) => rows(files, 'database/south/outbox.jsonl').push({ kind: 'job', name: 'file', transfer: 'T-ASK' }),
  ],
  ['a record that was acknowledged and is not filed', 'lost', (files) => delete files[`${FILED}/filed.json`]],
  [
    'a record that was filed twice',
    'duplicated',
    (files) => Object.assign(files, { [`filed/south/S1/${NHS}/OTHER/filed.json`]: files[`${FILED}/filed.json`] }),
  ],
  ['a document with other bytes', 'lost', (files) => Object.assign(files, { [`${FILED}/documents/0001`]: 'Dear college' })],
  ['a document that is not there', 'lost', (files) => delete files[`${FILED}/documents/0001`]],
  [
    'a document that is there twice',
    'duplicated',
    (files) =>
      Object.assign(files, {
        [`${FILED}/documents/0002`]: LETTER,
        [`${FILED}/filed.json`]: { answer: 'filed', documents: [{ file: '0001' }, { file: '0002' }] },
      }),
  ],
  ['an entry that is not in the record', 'lost', (files) => withoutEntry(files, 'AllergyIntolerance')],
  ['a medicine that is not in the record', 'lost', (files) => withoutEntry(files, 'MedicationRequest')],
  [
    'a transfer that has not ended',
    'stuck',
    (files) => Object.assign(rows(files, 'database/north/transfers.jsonl')[0] ?? {}, { state: 'waitingForAnswer' }),
  ],
  ['a registration that nobody took', 'stuck', (files) => rows(files, 'database/south/transfers.jsonl').splice(0)],
  [
    'two final answers to one core',
    'duplicated',
    (files) => rows(files, 'database/north/inbox.jsonl').push({ ...rows(files, 'database/north/inbox.jsonl')[1], message_id: 'M-AGAIN' }),
  ],
  [
    'an event that had its effect twice',
    'duplicated',
    (files) => Object.assign(rows(files, 'database/south/history.jsonl')[1] ?? {}, { event_id: 'T-ASK-1' }),
  ],
  [
    'a part that never came',
    'lost',
    (files) => rows(files, 'database/south/parts.jsonl').push({ transfer: 'T-ASK', key: 'P', came_at: null }),
  ],
  ['other bytes under a known message id', 'duplicated', (files) => Object.assign(rows(files, 'ledger.jsonl')[0] ?? {}, { altered: true })],
];

export function withoutEntry(files: Record<string, unknown>, type: string): void {
  const record = files[`${FILED}/record.json`] as { entry: { resource: { resourceType: string } }[] };
  files[`${FILED}/record.json`] = { ...record, entry: record.entry.filter(({ resource }) => resource.resourceType !== type) };
}

/** The script that counts without any of this program's code. */
export const STRANGER = join(import.meta.dirname, '..', '..', '..', '..', 'witness', 'recount.py');

/** Why the stranger cannot be asked here, or null. */
export function noPython(): string | null {
  return spawnSync('python3', ['--version']).status === 0 ? null : 'there is no python3';
}

/** What the stranger makes of a folder; `said` is what it found wrong. */
export function strangersCount(folder: string): { readonly line: Line | null; readonly status: number | null; readonly said: string } {
  const { stdout, stderr, status } = spawnSync('python3', ['-I', STRANGER, folder], { encoding: 'utf8' });
  return { line: stdout.trim() ? (JSON.parse(stdout) as Line) : null, status, said: stderr };
}
