import type { Instant, MessageId, TransferId } from '../../base/ids.ts';
import type { NhsNumber } from '../../base/nhs-number.ts';
import type { decide } from '../../transfer/decide.ts';
import type { assemble } from '../../transfer/parts.ts';
import type { route } from '../../transfer/routing.ts';
import type { Document, Event, Job, JobResult, Measured, OwnPractice, Peer, Received, Transfer } from '../../transfer/types.ts';
import type { Chance } from '../patients/chance.ts';
import type { WorldClock } from './clock.ts';
import type { Coverage } from './coverage.ts';
import type { Habits } from './habits.ts';
import type { Hub } from './hub.ts';
import type { WorldStore } from './store.ts';
import type { Watch } from './watch.ts';

/** The pure functions that every node of a world is made of, and the promises of its store. A seeded bug replaces one of them. */
export type Machine = {
  readonly decide: typeof decide;
  readonly route: typeof route;
  readonly assemble: typeof assemble;
  /** Promises of the store and of the work on the queue. */
  readonly keeps: {
    /** A message is told by who sent it and its id, an event by its id. */
    readonly once: boolean;
    /** A message is durable before its sender hears so. */
    readonly durableFirst: boolean;
    /** Timers outlive a restart. */
    readonly timers: boolean;
    /** What nobody knows yet waits. */
    readonly parked: boolean;
    /** A post whose fate is unknown is repeated. */
    readonly unknown: boolean;
    /** Under the same id. */
    readonly ids: boolean;
    /** What a decision asks for is written with the transfer. */
    readonly together: boolean;
  };
};

/** What the world knows of one patient's move, beside what the nodes do. */
export type Story = {
  readonly number: number;
  readonly nhsNumber: NhsNumber;
  readonly requester: WorldNode;
  readonly sender: WorldNode;
  readonly hl7Bytes: number;
  readonly documents: readonly Document[];
  readonly missingDocuments: number;
  /** Another practice than the requester's in PDS, or none that is found. */
  readonly trace: 'right' | 'elsewhere' | 'unknown';
  /** A job that fails whenever it is tried, or gives an answer that ends the transfer. */
  readonly failing: Job | null;
  readonly answers: { readonly fetch: '06' | '10' | '20' | null; readonly check: string | null; readonly read: '21' | '99' | null };
  readonly otherPatient: boolean;
  readonly returning: boolean;
  /** Odd events are thrown in: what two sides tell each other is then compared less strictly. */
  readonly noisy: boolean;
  registrations: number;
};

export type WorldNode = {
  readonly name: string;
  readonly own: OwnPractice;
  /** As SDS shows it to others. */
  readonly asPeer: Peer;
  readonly habits: Habits;
  readonly store: WorldStore;
  now(): number;
  isUp(): boolean;
  accept(message: Received): 'accepted' | 'noAnswer';
  post(target: { readonly transfer: TransferId } | { readonly begin: Transfer }, event: Event): void;
  /** The process ends here and now, whatever it is at. */
  crash(): void;
  jumpClock(ms: number): void;
};

export type JobRun =
  | { readonly outcome: 'done'; readonly result: JobResult }
  | { readonly outcome: 'moot' }
  | { readonly outcome: 'again'; readonly afterMs: number }
  | { readonly outcome: 'fault'; readonly fault: string };

/** Somebody who looks on: what nodes write into their histories, and what Spine has in its log. */
export type Observer = {
  /** An entry was committed. */
  readonly entry?: (of: {
    readonly node: WorldNode;
    readonly transfer: Transfer;
    readonly at: Instant;
    readonly measured: Measured;
  }) => void;
  /** Spine took a message, at its own time. */
  readonly taken?: (message: Received, at: number) => void;
};

export type World = {
  readonly clock: WorldClock;
  readonly chance: Chance;
  readonly machine: Machine;
  readonly coverage: Coverage;
  readonly observer: Observer;
  readonly hub: Hub;
  readonly watch: Watch;
  readonly nodes: WorldNode[];
  readonly stories: Map<string, Story>;
  newId(): string;
  runJob(node: WorldNode, transfer: Transfer, job: Job, attempts: number): JobRun;
  /** People and practices' systems see what was committed. */
  changed(node: WorldNode, before: Transfer | null, after: Transfer): void;
};

export const instantOf = (ms: number) => new Date(ms).toISOString() as Instant;
export const idOf = (text: string) => text as MessageId;
