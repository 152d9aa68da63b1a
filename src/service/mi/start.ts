import type { Logger } from 'pino';
import type { Objects } from '../../objects/objects.ts';
import { createMesh } from '../../spine/mesh.ts';
import type { Store } from '../../store/tables.ts';
import { createClient } from '../../web/client.ts';
import type { NodeConfig } from '../config/parts.ts';
import type { Metrics } from '../metrics.ts';
import type { Practices } from '../practices.ts';
import { watchSpool } from './watch.ts';
import { startWeekly } from './weekly.ts';

export type MiStart = {
  readonly mi: NodeConfig['mi'];
  readonly files: NodeConfig['miFiles'];
  readonly db: Store;
  readonly objects: Objects;
  readonly practices: Practices;
  readonly metrics: Pick<Metrics, 'alert'>;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly log: Logger;
};

/** What runs beside the queue for management information: the watch over its spool, and the weekly files. Gives what ends each. */
export function startMi({ mi, files, metrics, ...node }: MiStart): (() => Promise<unknown>)[] {
  const closers: (() => Promise<unknown>)[] = [];
  if (mi) {
    const spool = watchSpool({ ...node, alertMinutes: mi.alertMinutes, alert: metrics.alert });
    closers.push(() => spool.close());
  }
  if (files) {
    const { tls, ...mailbox } = files;
    const client = createClient({ connections: 2, headersMs: 300_000, ...(tls && { tls }) });
    const mesh = createMesh({ ...mailbox, client, now: node.now, newId: node.newId });
    const weekly = startWeekly({ ...mailbox, ...node, practices: node.practices.all, mesh, alert: metrics.alert });
    closers.push(
      () => client.close(),
      () => weekly.close(),
    );
  }
  return closers;
}
