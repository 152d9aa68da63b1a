import { Fault } from '../../base/errors.ts';
import { createMesh } from '../../spine/mesh.ts';
import { createMiApi } from '../../spine/mi-api.ts';
import { createClient } from '../../web/client.ts';
import { type Finding, fail, failed, ok, warn } from './finding.ts';
import type { Asking } from './services.ts';

const TIMES = { connectMs: 5_000, headersMs: 10_000, bodyMs: 10_000, connections: 2 } as const;

/** Whether the national service lets us in, and the mailbox of the older process. Nothing is told to either. */
export async function checkManagementInformation(asking: Asking): Promise<Finding[]> {
  const { mi, miFiles } = asking.config;
  if (!mi && !miFiles)
    return [
      warn('mi', 'management information is not sent', 'Set mi.url, mi.apiKey and mi.supplier: suppliers have to report every transfer.'),
    ];
  return [...(mi ? await checkService(asking, mi) : []), ...(miFiles ? [await checkMailbox(asking, miFiles)] : [])];
}

async function checkService({ config, now }: Asking, mi: NonNullable<Asking['config']['mi']>): Promise<Finding[]> {
  const client = createClient(TIMES);
  const api = createMiApi({ url: mi.url, client, now });
  try {
    const keys = new Map([['mi', mi.apiKey]]);
    for (const { ods, mi: own } of config.practices) if (own?.apiKey !== undefined) keys.set(`mi.${ods}`, own.apiKey);
    const findings: Finding[] = [];
    for (const [check, key] of keys) {
      // An event that says nothing is refused by whoever lets us in, and kept nowhere.
      const answer = await api.post('ehr-requests', {}, key);
      if (answer.outcome === 'refused') findings.push(ok(check, 'the service answers, and takes our key'));
      else if (answer.outcome === 'taken')
        findings.push(warn(check, 'it takes an event that says nothing', 'Check mi.url: this is not the national service.'));
      else if (answer.outcome === 'barred') findings.push(fail(check, answer.fault, 'Check mi.url and the key under which we post.'));
      else findings.push(warn(check, answer.fault, 'Nothing, if it passes: events wait until the service takes them.'));
    }
    return findings;
  } finally {
    await client.close();
  }
}

async function checkMailbox({ now, newId }: Asking, { tls, ...mailbox }: NonNullable<Asking['config']['miFiles']>): Promise<Finding> {
  const client = createClient({ ...TIMES, ...(tls && { tls }) });
  try {
    await createMesh({ ...mailbox, client, now, newId }).handshake();
    return ok('mi.files', `the mailbox ${mailbox.mailbox} lets us in`);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return failed('mi.files', thrown, 'Check mi.files: address, mailbox, password and shared key.');
  } finally {
    await client.close();
  }
}
