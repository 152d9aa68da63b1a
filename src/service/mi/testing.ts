/** A node's door with its queue of management information, over real sockets: to the simulated national service, or to another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type ObjectRef, wholeObject } from '../../base/content.ts';
import { type MiService, type MiServiceOptions, startMi } from '../../simulator/mi.ts';
import { createMiApi, type MiAnswer } from '../../spine/mi-api.ts';
import { claim, type Work } from '../../store/outbox.ts';
import type { Practice } from '../../store/practices.ts';
import type { JobResult, Transfer } from '../../transfer/types.ts';
import { createClient } from '../../web/client.ts';
import { event, from, peerOf, register, type TestNode, testNode, testPractice, uuid } from '../testing.ts';
import { createCarryOutMi, type MiAlert, type MiTask } from './carry-out.ts';

export const own: Practice = { ...testPractice('Z81001'), mi: { events: true, files: true } };
export const silent: Practice = { ...testPractice('Z81009'), mi: { events: false, files: true } };
export const other = testPractice('Z82002');

/** At the same time, as a node does it. */
const POSTS = 4;

export type TellingNode = TestNode & {
  readonly alerts: { readonly code: MiAlert; readonly fault: string; readonly path: string }[];
  readonly outcomes: MiAnswer['outcome'][];
  /** Carries out what is due, until nothing is. */
  drain(): Promise<void>;
  carryOut(work: Work): Promise<void>;
  due(limit?: number): Promise<Work[]>;
  /** Lets so much time pass, for the queue and the clock. */
  pass(seconds: number): Promise<void>;
};
export type MiNode = TellingNode & { readonly service: MiService };

type Telling = { readonly headersMs?: number; readonly apiKey?: string };

export async function miNode(options: Telling & { readonly service?: Partial<MiServiceOptions> } = {}): Promise<MiNode> {
  const folder = await mkdtemp(join(tmpdir(), 'gp2gp-mi-'));
  const service = await startMi({ folder, apiKeys: ['the key'], ...options.service });
  const node = await tellingNode(service.url, options);
  return {
    ...node,
    service,
    async close() {
      await node.close();
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A node that tells its events to whatever answers at `url`. */
export async function tellingNode(url: string, options: Telling = {}): Promise<TellingNode> {
  const node = await testNode([own, silent]);
  const client = createClient({ headersMs: options.headersMs ?? 10_000 });
  const alerts: { code: MiAlert; fault: string; path: string }[] = [];
  const outcomes: MiAnswer['outcome'][] = [];
  let passed = 0;
  const now = (): Date => new Date(Date.now() + passed * 1000);
  const carry = createCarryOutMi({
    db: node.db,
    objects: node.objects,
    api: createMiApi({ url, client, now }),
    practice: node.practices.byOds,
    supplier: 'ZZ901',
    apiKey: options.apiKey ?? 'the key',
    owner: 'test',
    now,
    alert: (code, { fault, path }) => alerts.push({ code, fault, path }),
    counted: (outcome) => outcomes.push(outcome),
  });
  const due = (limit = 50): Promise<Work[]> => claim(node.db, 'mi', 'test', limit, 60);
  const carryOut = (work: Work): Promise<void> => carry(work, work.task as MiTask);
  return {
    ...node,
    alerts,
    outcomes,
    due,
    carryOut,
    async drain() {
      for (let works = await due(POSTS); works.length > 0; works = await due(POSTS)) for (const work of works) await carryOut(work);
    },
    async pass(seconds) {
      passed += seconds;
      await sql`update outbox set due_at = due_at - make_interval(secs => ${seconds}),
        queued_at = queued_at - make_interval(secs => ${seconds})`.execute(node.db);
    },
    async close() {
      await client.close();
      await node.close();
    },
  };
}

export type Lists = { readonly documents: ObjectRef; readonly degrades?: ObjectRef };

/** Carries a requesting transfer from the registration to its end, integrated: every event that it has in its course. */
export async function integrated(node: TestNode, lists: Lists, practice: Practice = own): Promise<Transfer> {
  const { id } = await converted(node, lists, { practice });
  const result = { job: 'file', answer: 'filed', reason: null } as const;
  const { transfer } = await node.post({ practice: practice.ods, transfer: id, event: event({ kind: 'done', result }) });
  return transfer ?? missing();
}

/** The same up to the request, to the core, or to the record that is offered. */
export async function converted(
  node: TestNode,
  lists: Lists,
  options: {
    readonly practice?: Practice;
    readonly upTo?: 'asked' | 'core';
    readonly holds?: readonly Hold[];
    readonly version?: 'UK06' | 'UK07';
  } = {},
): Promise<Transfer> {
  const { practice = own, upTo, holds = [], version = 'UK06' } = options;
  const { id } = await register(node, practice.ods, other.ods);
  const posted = async (what: Parameters<typeof event>[0]): Promise<Transfer> => {
    const { transfer } = await node.post({ practice: practice.ods, transfer: id, event: event(what) });
    return transfer ?? missing();
  };
  const asked = await posted({ kind: 'done', result: { job: 'mayWeAsk', answer: { ask: true, peer: peerOf(other) } } });
  if (asked.state !== 'waitingForExtract') throw new Error(asked.state);
  const left = await posted({ kind: 'sent', messageId: asked.request, interaction: 'request' });
  if (upTo === 'asked') return left;
  const message = from(other, practice, asked, {
    interaction: 'extract',
    version,
    extractId: uuid(),
    nhsNumber: asked.nhsNumber,
    hl7: wholeObject(lists.documents),
    references: [],
  });
  const core = await posted({ kind: 'arrived', message });
  if (upTo === 'core') return core;
  const object = lists.documents;
  const summary = { issues: 0, degrades: lists.degrades ? 1 : 0, redactions: 0, missingDocuments: 0 };
  const record = { bundle: object, report: object, ...lists, summary };
  return await posted({ kind: 'done', result: { job: 'toFhir', answer: { converted: true, record, holds } } });
}

type Hold = Extract<Extract<JobResult, { job: 'toFhir' }>['answer'], { converted: true }>['holds'][number];

function missing(): never {
  throw new Error('there is no transfer');
}
