/**
 * Messages of 5 MB, accepted durably over mutual TLS: parsed, decoded, hashed, written, synced, noted in the database, acknowledged. Beside
 * it the same bytes over the same TLS into a process that writes and syncs them, and nothing else. Rounds of both take turns.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from '../src/cli/demo/processes.ts';
import { startEmbedded } from '../src/database/embedded.ts';
import { makeCertificates } from '../src/simulator/certificates.ts';
import { median, print } from './figure.ts';
import type { Order } from './inbound-peer.ts';

const MESSAGES = 40;
const CONNECTIONS = 8;
const ROUNDS = 5;

const folder = await mkdtemp(join(tmpdir(), 'gp2gp-bench-inbound-'));
await chmod(folder, 0o755);
const children: ChildProcess[] = [];
const peer = (...args: readonly string[]): ChildProcess => {
  const child = fork(join(import.meta.dirname, 'inbound-peer.ts'), [...args]);
  children.push(child);
  return child;
};
const database = await startEmbedded(join(folder, 'database'));
try {
  const certificates = join(folder, 'certificates');
  const made = await makeCertificates(
    certificates,
    ['hub', 'node'].map((name) => ({ name, hosts: [`${name}.gp2gp.invalid`] })),
  );
  const nowhere = 'http://127.0.0.1:9';
  const config = join(folder, 'node.json');
  await writeFile(
    config,
    JSON.stringify({
      data: join(folder, 'data'),
      log: 'error',
      database: { url: database.url },
      spine: {
        url: nowhere,
        tls: { ...made.endpoints.get('node'), authority: undefined, authorities: [made.authority] },
        host: '127.0.0.1',
        port: 0,
      },
      sds: { url: nowhere },
      pds: { url: nowhere, token: 'none' },
      api: { port: 0 },
      practices: [
        {
          ods: 'S82001',
          asid: '200000000002',
          partyKey: 'S82001-800001',
          apiKey: 'a-key-of-some-length',
          gpSystem: { connectUrl: nowhere, filingUrl: nowhere, key: 'none' },
        },
      ],
    }),
  );
  const node = await startProgram('node', ['serve', '--config', config], join(folder, 'node.log'));
  await mkdir(join(folder, 'bare'));
  const receiver = peer('receive', certificates, join(folder, 'bare'));
  const [bareUrl] = (await once(receiver, 'message')) as [string];
  const sender = peer('send', certificates);
  const rate = async (url: string, messages = MESSAGES): Promise<number> => {
    sender.send({ url, messages, connections: CONNECTIONS } satisfies Order);
    const [{ seconds, bytes }] = (await once(sender, 'message')) as [{ seconds: number; bytes: number }];
    return bytes / 1e6 / seconds;
  };
  const nodeUrl = `${String(node.ready['spine'])}/reliablemessaging/intermediary`;
  const rates = { node: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= ROUNDS; round++) {
    const [own, bare] = [await rate(nodeUrl), await rate(bareUrl)];
    // The first warms both up.
    if (round === 0) continue;
    rates.node.push(own);
    rates.bare.push(bare);
  }
  print([
    {
      name: 'inbound',
      unit: 'MB/s',
      value: median(rates.node),
      baseline: 'bare mutual TLS, written and synced',
      baselineValue: median(rates.bare),
      peakRssBytes: node.peakRss(),
    },
  ]);
  await node.stop();
} finally {
  for (const child of children) child.kill();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
}
