import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Objects } from '../objects/objects.ts';
import { miSpool } from '../store/mi-events.ts';
import { queueDepths } from '../store/outbox.ts';
import { countDeadLetters } from '../store/reads/dead-letters.ts';
import { countTransfers } from '../store/reads/transfers.ts';
import type { Store } from '../store/tables.ts';
import { daysLeft, type Expiry } from '../web/identity.ts';
import type { Conversions } from './conversions/conversions.ts';

/** What a node counts. Labels name practices, kinds and codes; never a patient. */
export type Metrics = {
  /** Committed transactions of the door and of acceptance. */
  committed(): void;
  transactions(): number;
  alert(code: string): void;
  fault(where: string): void;
  /** Bytes of accepted messages as they came over the wire. */
  received(bytes: number): void;
  sent(outcome: string, bytes: number): void;
  /** A post to the national service for management information. */
  mi(outcome: string): void;
  text(): Promise<string>;
  readonly contentType: string;
};

export function createMetrics(options: {
  readonly db: Store;
  readonly objects: Objects;
  readonly conversions: Conversions;
  readonly expiries: () => readonly Expiry[];
  readonly now: () => Date;
}): Metrics {
  const { db, objects, conversions, expiries, now } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const transactions = new Counter({
    name: 'gp2gp_transactions_total',
    help: 'Transactions that changed a transfer or the inbox',
    registers,
  });
  const alerts = new Counter({ name: 'gp2gp_alerts_total', help: 'What an operator should look at', labelNames: ['code'], registers });
  const faults = new Counter({ name: 'gp2gp_faults_total', help: 'Faults of the node itself', labelNames: ['where'], registers });
  const received = new Counter({ name: 'gp2gp_messages_received_total', help: 'Messages accepted from Spine', registers });
  const receivedBytes = new Counter({ name: 'gp2gp_received_bytes_total', help: 'Bytes of accepted messages', registers });
  const sent = new Counter({ name: 'gp2gp_messages_sent_total', help: 'Attempts to send, by outcome', labelNames: ['outcome'], registers });
  const sentBytes = new Counter({ name: 'gp2gp_sent_bytes_total', help: 'Bytes of delivered messages', registers });
  const mi = new Counter({
    name: 'gp2gp_mi_posts_total',
    help: 'Events posted to the national service for management information, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  new Gauge({
    name: 'gp2gp_mi_oldest_seconds',
    help: 'For how long the oldest event of management information has waited to be taken',
    registers,
    async collect() {
      const { oldest } = await miSpool(db);
      this.set(oldest === null ? 0 : Math.max(0, (now().getTime() - Date.parse(oldest)) / 1000));
    },
  });
  const objectBytes = (name: 'written' | 'kept', help: string): void => {
    new Gauge({
      name: `gp2gp_object_bytes_${name}`,
      help,
      registers,
      collect() {
        this.set(objects.counters[name] + conversions.counters[name]);
      },
    });
  };
  objectBytes('written', 'Bytes that went to the object store since the start');
  objectBytes('kept', 'Of them, bytes of objects that were new');
  new Gauge({
    name: 'gp2gp_queue_depth',
    help: 'Rows of the queues, by kind and state',
    labelNames: ['kind', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const { kind, waiting, dead } of await queueDepths(db)) {
        this.set({ kind, state: 'waiting' }, waiting);
        this.set({ kind, state: 'dead' }, dead);
      }
    },
  });
  const deadLetters = (name: string, help: string, value: 'count' | 'oldestSeconds'): void => {
    new Gauge({
      name,
      help,
      labelNames: ['practice', 'queue'],
      registers,
      async collect() {
        this.reset();
        for (const { practice, queue, [value]: number } of await countDeadLetters(db)) this.set({ practice, queue }, number);
      },
    });
  };
  deadLetters('gp2gp_dead_letters', 'Messages and work put aside, which wait for an operator', 'count');
  deadLetters('gp2gp_dead_letter_age_seconds', 'How long the oldest of them has waited', 'oldestSeconds');
  new Gauge({
    name: 'gp2gp_transfers',
    help: 'Transfers by practice, role, state and outcome',
    labelNames: ['practice', 'role', 'state', 'outcome'],
    registers,
    async collect() {
      this.reset();
      for (const { practice, role, state, outcome, count } of await countTransfers(db)) {
        this.set({ practice, role, state, outcome: outcome ?? '' }, count);
      }
    },
  });
  new Gauge({
    name: 'gp2gp_certificate_expiry_days',
    help: 'Days until a certificate ends: our own, its chain, the authorities of our peers; of several the first to end',
    labelNames: ['purpose'],
    registers,
    collect() {
      this.reset();
      for (const expiry of [...expiries()].reverse()) this.set({ purpose: expiry.purpose }, daysLeft(expiry, now()));
    },
  });
  let committed = 0;
  return {
    committed() {
      committed++;
      transactions.inc();
    },
    transactions: () => committed,
    alert: (code) => alerts.inc({ code }),
    fault: (where) => faults.inc({ where }),
    received(bytes) {
      received.inc();
      receivedBytes.inc(bytes);
    },
    sent(outcome, bytes) {
      sent.inc({ outcome });
      if (outcome === 'delivered') sentBytes.inc(bytes);
    },
    mi: (outcome) => mi.inc({ outcome }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
